"""What rehearsals come to: of one case, and of many together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

from engine.ways import Visit


class Ending(StrEnum):
    """How a rehearsed case compares with what it was: the same end on the same way, the same end on another way, and so on."""

    SAME = "same"
    REROUTED = "rerouted"
    PARTED = "parted"
    STOPPED = "stopped"
    ERASED = "erased"


@dataclass(frozen=True)
class Parting:
    """Where the paths part: after `element` the case went to `was`, and on the draft goes to `now`."""

    element: str
    was: str | None
    now: str | None


@dataclass(frozen=True)
class Stop:
    """Where the draft asks for what history cannot answer, and at which of its commands."""

    seq: int
    element: str
    rule: str
    message: str


@dataclass(frozen=True)
class Due:
    """A task's due date, as it was and on the draft; `was` is None for a task the case did not have."""

    key: str
    element: str
    was: datetime | None
    now: datetime | None

    @property
    def shift(self) -> timedelta | None:
        return self.now - self.was if self.was and self.now else None


@dataclass(frozen=True)
class Outcome:
    """What became of one case."""

    ending: Ending
    parting: Parting | None = None
    stop: Stop | None = None
    finished: bool = False
    ended_at: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    visited: Mapping[str, int] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()
    dues: tuple[Due, ...] = ()
    was: tuple[Visit, ...] = ()
    """The nodes it came to, in order, also after the draft stops."""
    way: tuple[Visit, ...] = ()
    """The nodes it comes to on the draft, in order."""
    apart: int | None = None
    """The command with which the paths part."""
    gone: Mapping[str, int] = field(default_factory=dict)
    """The steps it came to that fall away on the draft, and how often it came there."""
    come: frozenset[str] = frozenset()
    """The steps it comes to that the draft adds."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What people called what the draft has no more."""


@dataclass
class Tally:
    """Many outcomes together."""

    endings: Counter[Ending] = field(default_factory=Counter)
    partings: Counter[Parting] = field(default_factory=Counter)
    stops: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many stop at an element for a rule."""
    visited: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    """How many cases take a flow."""
    gone: Counter[str] = field(default_factory=Counter)
    """In how many cases that end the same a step falls away."""
    come: Counter[str] = field(default_factory=Counter)
    """How many cases that end the same come to a step that is new."""
    left_out: Counter[str] = field(default_factory=Counter)
    """How often a step fell away, in all cases."""
    added: set[str] = field(default_factory=set)
    """The steps that are new, in all cases."""
    names: dict[str, str] = field(default_factory=dict)
    shifts: dict[str, list[timedelta]] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        self.endings[outcome.ending] += 1
        self.visited.update(outcome.visited)
        self.taken.update(outcome.taken)
        if outcome.ending is Ending.PARTED and outcome.parting:
            self.partings[outcome.parting] += 1
        if outcome.ending is Ending.STOPPED and outcome.stop:
            self.stops[outcome.stop.element, outcome.stop.rule] += 1
        if outcome.ending is Ending.REROUTED:
            self.gone.update(outcome.gone.keys())
            self.come.update(outcome.come)
        self.left_out.update(outcome.gone)
        self.added |= outcome.come
        self.names.update(outcome.names)
        for due in outcome.dues:
            if due.shift is not None:
                self.shifts.setdefault(due.element, []).append(due.shift)

    def moved(self) -> dict[str, Moved]:
        """How the due dates of each step would have moved; steps whose dates stay are not among them."""
        return {element: Moved.of(shifts) for element, shifts in sorted(self.shifts.items()) if any(shifts)}


@dataclass(frozen=True)
class Moved:
    """How the due dates of a step would have moved."""

    tasks: int
    later: int
    earlier: int
    median: timedelta

    @classmethod
    def of(cls, shifts: Sequence[timedelta]) -> Moved:
        nothing = timedelta(0)
        middle = timedelta(seconds=median(shift.total_seconds() for shift in shifts))
        return cls(len(shifts), sum(s > nothing for s in shifts), sum(s < nothing for s in shifts), middle)
