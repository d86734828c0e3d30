"""Replay: the state of an instance as a function of its log. Live commands and replays go through the same door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from engine.errors import EngineError, NoSuchCommand, StepFailed
from engine.log import Command, Data
from engine.machine import Machine
from engine.program import Program, Step


class Moving(Protocol):
    """A command or a log entry, as far as it moves an instance."""

    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def actor(self) -> Mapping[str, Any]: ...
    @property
    def task_key(self) -> str | None: ...
    @property
    def data(self) -> Mapping[str, Any] | None: ...


class Recorded(Moving, Protocol):
    """A log entry: what moved the instance, and the facts that were read when it did."""

    @property
    def seq(self) -> int: ...
    @property
    def facts(self) -> Mapping[str, Any]: ...


Past = Callable[[Any], tuple[Data, datetime]]
"""Gives the snapshot that a rewind goes back to (after command N of an instance), and its instant."""


class Erased(EngineError):
    """该步骤的内容已依法删除，无法回放。"""

    def __init__(self, seq: int) -> None:
        super().__init__(f"第 {seq} 步的内容已依法删除，无法回放到这一步之后。")
        self.seq = seq


class Diverged(EngineError):
    """回放与记录不一致。"""

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(f"回放到第 {seq} 步时与记录不一致：{reason}")
        self.seq = seq


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
        case "cancel":
            machine.cancel(command.at)


WITH_DATA = frozenset(["start", "complete", "message", "signal", "service_result", "correct"])


def retried(failed: Command, correction: Mapping[str, Any], actor: Mapping[str, Any], at: datetime) -> tuple[Command, ...]:
    """The commands that carry out a failed command again: what is mended is written first, and wins over what it said."""
    mended = {**failed.data, **correction} if failed.kind in WITH_DATA else failed.data
    again = replace(failed, at=at, data=mended)
    return (again,) if not correction or failed.kind in ("start", "correct") else (Command("correct", at, actor, correction), again)


MOVING = frozenset(["start", "complete", "timer", "message", "signal", "service_result", "correct", "rewind", "cancel"])


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


def trace(program: Program, log: Iterable[Recorded]) -> Trace:
    """The way of an instance over its diagram; raises `Erased`, `Diverged`."""
    steps: list[Step] = []
    machine = replay(program, log, steps=steps)
    visited = Counter(
        step.element for step in steps if step.kind in ("entered", "ended", "fired") and step.element in program.diagram.nodes
    )
    taken = frozenset(step.element for step in steps if step.kind == "taken")
    return Trace(visited, taken, machine.occupied())


def replay(program: Program, log: Iterable[Recorded], upto: int | None = None, steps: list[Step] | None = None) -> Machine:
    """The instance after command `upto`, or after the last; `steps` collects what happened inside. Raises `Erased`, `Diverged`."""
    log = [entry for entry in log if upto is None or entry.seq <= upto]
    if not log or (upto is not None and log[-1].seq != upto):
        raise NoSuchCommand
    for _entry, machine in lived(program, log):
        if steps is not None:
            steps.extend(machine.steps)
    return machine


def lived(program: Program, log: Sequence[Recorded]) -> Iterator[tuple[Recorded, Machine]]:
    """Each command of a log, and the one machine as it stands after it with what it did just then; raises `Erased`, `Diverged`."""
    wanted = {entry.data["to"] for entry in log if entry.kind == "rewind" and entry.data}
    kept: dict[int, tuple[Data, datetime]] = {}
    machine = Machine(program, log[0].at)
    for entry in log:
        if entry.kind in MOVING:
            if entry.data is None:
                raise Erased(entry.seq)
            machine.lookup = _Facts(entry)
            try:
                carry_out(machine, entry, kept.__getitem__)
            except (StepFailed, KeyError) as error:
                raise Diverged(entry.seq, str(error)) from error
        if entry.seq in wanted:
            kept[entry.seq] = machine.snapshot(), entry.at
        yield entry, machine
        machine.steps.clear()
        machine.sent.clear()
