"""Replay: the state of an instance as a function of its log. Live commands and replays go through the same door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from engine.diagram import Diagram
from engine.errors import Diverged, Erased, NoSuchCommand, StepFailed, Unanswered
from engine.log import Command, Data, Moving, Recorded
from engine.machine import Machine
from engine.moves import moved, returned
from engine.plans import BACK, HAPPENING, MOVES, Plan
from engine.program import Program, Step

Programs = Callable[[int], Program]
"""The program of a version."""
Past = Callable[[Any], tuple[Data, datetime]]
"""Gives the snapshot that an instance goes back to (after command N), and its instant."""


def carry_out(machine: Machine, command: Moving, past: Past) -> None:
    """Moves the instance by one command; kinds that only concern people leave it alone. Raises `StepFailed`."""
    data, key = dict(command.data or {}), command.task_key or ""
    match command.kind:
        case "start":
            machine.start(data, command.at, command.task_key)
        case "complete":
            machine.complete(key, data, command.at, dict(command.actor))
        case "timer":
            machine.fire(key, command.at)
        case "message":
            machine.message(key, data, command.at)
        case "signal":
            machine.signal(key, data, command.at)
        case "service_result":
            machine.service_result(key, data, command.at)
        case "correct":
            machine.correct(data, command.at)
        case "rewind":
            machine.rewind(*past(data["to"]), command.at)
        case "withdraw":
            machine.take_back(past(data["to"])[0], command.at)
        case "cancel":
            machine.cancel(command.at)


WITH_DATA = frozenset(["start", "complete", "message", "signal", "service_result", "correct"])


def retried(
    failed: Command, correction: Mapping[str, Any], actor: Mapping[str, Any], at: datetime, reason: str | None = None
) -> tuple[Command, ...]:
    """The commands that carry out a failed command again: what is mended is written first with its reason, and wins over what it said."""
    mended = {**failed.data, **correction} if failed.kind in WITH_DATA else failed.data
    again = replace(failed, at=at, data=mended)
    if not correction:
        return (again,)
    if failed.kind in ("start", "correct"):
        return (replace(again, opinion=reason or again.opinion),)
    return Command("correct", at, actor, correction, opinion=reason), again


MOVING = HAPPENING | MOVES


@dataclass
class _Facts:
    """Answers lookups from the record, and notices when the replay asks something else."""

    entry: Recorded
    answers: Iterator[list[Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.answers = iter(self.entry.facts.get("answers", ()))

    def __call__(self, key: str, name: str, _: Data) -> Data:
        recorded = next(self.answers, None)
        if recorded is None or recorded[:2] != [key, name]:
            raise Diverged(self.entry.seq, f"查询“{name}”没有记录在案的答复")
        answer: Data = recorded[2]
        return answer


@dataclass(frozen=True)
class Trace:
    """Where an instance has been on its diagram: visits by node, flows taken, and the nodes it is at now."""

    visited: Mapping[str, int]
    taken: frozenset[str]
    current: frozenset[str]


def trace(programs: Programs, version_id: int, log: Iterable[Recorded]) -> Trace:
    """The way of an instance over its diagram; raises `Erased`, `Diverged`."""
    steps: list[Step] = []
    left: list[list[Step]] = []
    for entry, machine in lived(programs, version_id, log):
        if entry.kind == "move":
            left.append(steps)
            steps = []
        elif entry.kind == "undo_move":
            steps = left.pop()
        steps += machine.steps
    visited = Counter(step.element for step in steps if is_visit(step, machine.diagram))
    taken = frozenset(step.element for step in steps if step.kind == "taken")
    return Trace(visited, taken, machine.occupied())


def is_visit(step: Step, diagram: Diagram) -> bool:
    """A token came to a node, or a listener that no token comes to has heard what it listens for."""
    node = diagram.nodes.get(step.element)
    return node is not None and (step.kind == "entered" or (step.kind == "fired" and node.kind in ("boundaryEvent", "startEvent")))


def replay(programs: Programs, version_id: int, log: Iterable[Recorded], upto: int | None = None) -> Machine:
    """The instance after command `upto`, or after the last. Raises `Erased`, `Diverged`."""
    machine = None
    for entry, machine in lived(programs, version_id, log):
        if entry.seq == upto:
            return machine
    if machine is None or upto is not None:
        raise NoSuchCommand
    return machine


def past(programs: Programs, version_id: int, log: Iterable[Recorded], seq: int) -> tuple[Data, datetime]:
    """What going back to command `seq` leads to, on the version of now; raises `Erased`, `Diverged`."""
    log = list(log)
    if not any(entry.kind in MOVES for entry in log[seq:]):
        log = log[:seq]
    life = _Life(programs, version_id, log, seq)
    for _ in life.along():
        pass
    return life.pasts[seq]


def lived(programs: Programs, version_id: int, log: Iterable[Recorded]) -> Iterator[tuple[Recorded, Machine]]:
    """Each command of a whole log, and the machine as it stands after it with what it did just then; raises `Erased`, `Diverged`.

    `version_id` is the version that the instance is on now.
    """
    return _Life(programs, version_id, list(log)).along()


class _Life:
    """One log being replayed, from version to version."""

    def __init__(self, programs: Programs, version_id: int, log: Sequence[Recorded], *wanted: int) -> None:
        self.programs = programs
        self.log = log
        self.wanted = {*wanted, *(entry.data["to"] for entry in log if entry.kind in BACK and entry.data)}
        self.pasts: dict[int, tuple[Data, datetime]] = {}
        self.left: list[tuple[int, Program, Data, dict[int, tuple[Data, datetime]]]] = []
        """What the moves that can be undone left behind."""
        first = next((entry.data["from"] for entry in log if entry.kind == "move" and entry.data), version_id)
        self.machine = Machine(programs(first), log[0].at) if log else None

    def along(self) -> Iterator[tuple[Recorded, Machine]]:
        for number, entry in enumerate(self.log):
            assert self.machine
            if entry.kind in MOVING:
                if entry.data is None:
                    raise Erased(entry.seq)
                self.machine.lookup = _Facts(entry)
                try:
                    self.machine = self._after(self.machine, entry, number)
                except (StepFailed, Unanswered, KeyError) as error:
                    raise Diverged(entry.seq, str(error)) from error
            if entry.seq in self.wanted:
                self.pasts[entry.seq] = self.machine.snapshot(), entry.at
            yield entry, self.machine
            self.machine.steps.clear()
            self.machine.sent.clear()

    def _after(self, machine: Machine, entry: Recorded, number: int) -> Machine:
        if entry.kind == "move":
            return self._moved(machine, entry, self.log[:number])
        if entry.kind == "undo_move":
            return self._returned(machine, entry)
        carry_out(machine, entry, self.pasts.__getitem__)
        return machine

    def _moved(self, machine: Machine, entry: Recorded, log: Sequence[Recorded]) -> Machine:
        data = entry.data or {}
        there = moved(machine, self.programs(data["to"]), log, Plan.of(data["plan"]), entry.at, self.wanted)
        self.left.append((entry.seq, machine.program, machine.snapshot(), self.pasts))
        self.pasts = {seq: there.pasts[seq] for seq in self.wanted if seq in there.pasts}
        return there.machine

    def _returned(self, machine: Machine, entry: Recorded) -> Machine:
        seq, program, state, self.pasts = self.left.pop()
        back = returned(state, program, machine, entry.at)
        self.pasts |= {between: (back.snapshot(), self.log[between - 1].at) for between in self.wanted if seq <= between < entry.seq}
        return back
