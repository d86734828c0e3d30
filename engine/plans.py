"""What an administrator says of the difference between two versions, so that what was done on the old can be read on the new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from engine.diagram import Diagram
from engine.errors import NothingToUndo, PlanRefused
from engine.log import Data, Recorded

Line = TypeVar("Line", bound=Recorded)


class HasKind(Protocol):
    """An entry of the log, in whatever form."""

    @property
    def kind(self) -> str: ...


Kinded = TypeVar("Kinded", bound=HasKind)
BACK = frozenset(["rewind", "withdraw"])
"""The commands by which it goes back to where it was after another."""
HAPPENING = frozenset(["start", "complete", "timer", "message", "signal", "service_result", "correct", "cancel"]) | BACK
"""The commands by which an instance goes on."""
MOVES = frozenset(["move", "undo_move"])
"""The commands by which it changes its version."""


@dataclass(frozen=True)
class Plan:
    """Elements, and messages, that have another name now; those that are no more; steps of the new version that count as done.

    What people gave at a step that is no more stays in the process's data. A step counts as done without data, at the
    moment history comes to it.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    passed: frozenset[str] = frozenset()

    def new(self, old: str) -> str | None:
        """What an element of the old version is on the new one; None when it is no more."""
        return None if old in self.dropped else self.renamed.get(old, old)

    def then(self, later: Plan) -> Plan:
        """The plan from the oldest version to the newest, when two are followed one after the other."""
        renamed = {old: later.renamed.get(new, new) for old, new in self.renamed.items()}
        renamed |= {old: new for old, new in later.renamed.items() if old not in self.renamed}
        dropped = self.dropped | {old for old, new in self.renamed.items() if new in later.dropped}
        dropped |= {old for old in later.dropped if old not in self.renamed}
        passed = {later.renamed.get(element, element) for element in self.passed - later.dropped}
        return Plan(renamed, dropped, later.passed | passed)

    def check(self, old: Diagram, new: Diagram) -> None:
        """Raises `PlanRefused` for what names an element that its version does not have."""
        missing = sorted({*self.renamed, *self.dropped} - _names(old)) + sorted({*self.renamed.values(), *self.passed} - _names(new))
        twice = sorted(set(self.renamed) & self.dropped)
        if missing or twice:
            raise PlanRefused((*missing, *twice))

    def as_data(self) -> Data:
        """The plan as the log keeps it."""
        return {"renamed": dict(self.renamed), "dropped": sorted(self.dropped), "passed": sorted(self.passed)}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Plan:
        return cls(data["renamed"], frozenset(data["dropped"]), frozenset(data["passed"]))


def _names(diagram: Diagram) -> set[str]:
    return set(diagram.nodes) | {event.name for node in diagram.nodes.values() for event in node.events if event.name}


def lasting(log: Iterable[Kinded]) -> list[Kinded]:
    """What was done and not taken back; a withdrawal follows at once what it takes back."""
    found: list[Kinded] = []
    for entry in log:
        if entry.kind == "withdraw":
            del found[-1:]
        else:
            found.append(entry)
    return found


def standing_moves(log: Iterable[Recorded]) -> list[Recorded]:
    """The moves to other versions that were not undone, the first first."""
    moves: list[Recorded] = []
    for entry in log:
        if entry.kind == "move":
            moves.append(entry)
        elif entry.kind == "undo_move":
            moves.pop()
    return moves


def undoable(log: Iterable[Recorded], seq: int | None = None) -> Recorded:
    """The last move, when nothing has happened since, and when it is the one with this number; raises `NothingToUndo`."""
    log = list(log)
    move = next(reversed(standing_moves(log)), None)
    if move is None or seq not in (None, move.seq) or any(entry.seq > move.seq and entry.kind in HAPPENING for entry in log):
        raise NothingToUndo
    return move


def as_then(log: Iterable[Line], version_id: int) -> list[tuple[Line, int, str | None]]:
    """Each entry with the version the instance was on after it, and what the task it names is called now.

    `version_id` is the version of now.
    """
    log = list(log)
    moves = {entry.seq: entry.facts.get("kept", {}) for entry in log if entry.kind == "move"}
    names: dict[str, str] = {}
    found = []
    for entry in reversed(log):
        found.append((entry, version_id, names.get(entry.task_key or "", entry.task_key)))
        if entry.kind in MOVES and entry.data:
            version_id = entry.data["from"]
            kept = moves[entry.seq] if entry.kind == "move" else {new: old for old, new in moves[entry.data["move"]].items()}
            names |= {before: names.get(after, after) for before, after in kept.items()}
    return found[::-1]


def planned(log: Iterable[Recorded], last: Plan) -> list[tuple[Recorded, Plan]]:
    """Each entry with the plan from the version it was made on to the newest: those of the moves since, and the `last`."""
    log = list(log)
    moves = {entry.seq: entry for entry in standing_moves(log)}
    found = []
    for entry in reversed(log):
        found.append((entry, last))
        if (move := moves.get(entry.seq)) and move.data:
            last = Plan.of(move.data["plan"]).then(last)
    return found[::-1]
