"""The machine is a deterministic function of its commands: replay and reloading change nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.diagram import read_diagram
from engine.errors import NoSuchTask, StepFailed
from engine.machine import Machine
from engine.program import Program
from engine.validator import check
from tests.diagrams import started
from tests.engine.lives import DRAWINGS

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


PROGRAMS = [Program(read_diagram(draw().xml())) for draw in DRAWINGS]
Command = tuple[str, str, int, datetime]


def _obey(machine: Machine, command: Command) -> None:
    verb, key, n, at = command
    if verb == "start":
        machine.start({"n": n}, at)
    elif verb == "complete":
        machine.complete(key, {"n": n}, at)
    else:
        machine.fire(key, at)


def _random_history(program: Program, random: Random, length: int) -> tuple[Machine, list[Command]]:
    """Lives a random life, saving and loading before every step."""
    log: list[Command] = [("start", "", random.randint(0, 9), NINE)]
    machine = Machine(program, NINE)
    _obey(machine, log[0])
    now = NINE
    while not machine.finished and len(log) < length:
        machine = Machine.restore(program, json.loads(json.dumps(machine.snapshot())), now)
        tasks = [t.key for t in machine.open()]
        timers = sorted((w.due_at, w.key) for w in machine.waiting() if w.due_at)
        if timers and (not tasks or random.random() < 0.2):
            now = max(now, timers[0][0])
            log.append(("fire", timers[0][1], 0, now))
        elif tasks:
            now += timedelta(minutes=random.randint(0, 90))
            log.append(("complete", random.choice(tasks), random.randint(0, 9), now))
        else:
            raise AssertionError("nothing open and nothing due: the instance hangs")
        _obey(machine, log[-1])
    return machine, log


def _replayed(program: Program, log: list[Command]) -> Machine:
    machine = Machine(program, NINE)
    for command in log:
        _obey(machine, command)
    return machine


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_diagrams_played_here_are_publishable(program: Program) -> None:
    assert check(program.diagram, bare=True) == ()


@settings(max_examples=120, deadline=None)
@given(seed=st.integers(0, 10**9), program=st.sampled_from(PROGRAMS))
def test_replay_gives_the_stored_state(seed: int, program: Program) -> None:
    machine, log = _random_history(program, Random(seed), 60)
    assert _replayed(program, log).snapshot() == machine.snapshot()


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_prefix_is_a_state_that_was(program: Program) -> None:
    machine, log = _random_history(program, Random(7), 25)
    for length in range(1, len(log) + 1):
        part = _replayed(program, log[:length])
        again = Machine.restore(program, part.snapshot(), part.now)
        assert again.snapshot() == part.snapshot()
    assert _replayed(program, log).snapshot() == machine.snapshot()


def test_three_hundred_rounds_leave_no_trace_in_the_state() -> None:
    machine = Machine(PROGRAMS[1], NINE)
    machine.start({"n": 1}, NINE)
    sizes = []
    for _round in range(300):
        for element in ("a", "c", "v"):
            machine.complete(element, {"n": 1}, NINE)
        sizes.append((len(machine.tree.tasks), len(json.dumps(machine.snapshot()))))
    assert sizes[-1][0] == sizes[0][0]
    assert sizes[-1][1] <= sizes[0][1] + 40


def test_a_task_is_completed_once() -> None:
    machine = Machine(PROGRAMS[0], NINE)
    machine.start({"n": 1}, NINE)
    machine.complete("u#1", {"n": 1}, NINE)
    with pytest.raises(NoSuchTask):
        machine.complete("u#1", {"n": 1}, NINE)


def test_an_automatic_endless_loop_is_stopped() -> None:
    d = started("x", "g").node("scriptTask", "x", "<script>k = 1</script>").node("exclusiveGateway", "g", default="f_g_x").ends("e")
    program = Program(read_diagram(d.flow("g", "e", "k > 1").flow("g", "x").xml()))
    with pytest.raises(StepFailed) as failed:
        Machine(program, NINE).start({}, NINE)
    assert failed.value.rule == "endless_loop"


def test_input_is_not_shared_with_the_caller() -> None:
    given: dict[str, Any] = {"n": 1, "nested": {"k": 1}}
    machine = Machine(PROGRAMS[0], NINE)
    machine.start(given, NINE)
    given["nested"]["k"] = 2
    assert machine.data["nested"] == {"k": 1}
