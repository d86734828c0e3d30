"""What the engine asks of the domain, and what it tells it: the words in which the two speak with each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from engine.log import Data

RUNNING, SUSPENDED, FINISHED, CANCELLED = "running", "suspended", "finished", "cancelled"

Actor = Mapping[str, Any]
"""Who acts: `{"person", "post", "unit", "for"}`, as the log keeps it."""
SYSTEM: Actor = {"system": True}


@dataclass(frozen=True)
class Opening:
    """A task about to open: what the domain needs to know to say who shall do it, and until when."""

    instance_id: int
    business_key: str
    key: str
    element: str
    name: str
    settings: Mapping[str, Mapping[str, str]]
    data: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True)
class Assignment:
    """Who may do a task, until when, and why; `notice_at` is when somebody is to be reminded."""

    principals: tuple[str, ...]
    due_at: datetime | None = None
    notice_at: datetime | None = None
    why: Mapping[str, Any] = field(default_factory=dict)

    def as_fact(self) -> Data:
        """As the log keeps it."""
        dates = {"due_at": self.due_at, "notice_at": self.notice_at}
        fact: Data = {"principals": list(self.principals), "why": self.why}
        return fact | {name: at.isoformat() for name, at in dates.items() if at is not None}


@dataclass(frozen=True)
class Stopped:
    """A diagram that could not go on, and where."""

    incident_id: int
    element: str
    rule: str
    message: str


@dataclass(frozen=True)
class Advance:
    """What a command changed. `opened` maps task ids to openings; `repeated` says it had been carried out before."""

    instance_id: int
    business_key: str
    version_id: int
    seq: int
    kind: str
    at: datetime
    status: str
    data: Mapping[str, Any]
    opened: Mapping[int, Opening] = field(default_factory=dict)
    open_elements: tuple[str, ...] = ()
    open_settings: tuple[Mapping[str, Mapping[str, str]], ...] = ()
    closed: tuple[str, ...] = ()
    ended_at: tuple[str, ...] = ()
    stopped: Stopped | None = None
    repeated: bool = False
    said: Mapping[str, Any] = field(default_factory=dict)
    """What the command itself said, as the log keeps it."""


class World(Protocol):
    """The domain, as far as the engine asks it."""

    def lookup(self, name: str, data: Mapping[str, Any], at: datetime) -> Data:
        """Answers a `wz:lookup`; an empty answer when there is none."""

    def assign(self, opening: Opening) -> Assignment:
        """Says who may do a task; raises `StepFailed` when nobody can be found."""

    def advanced(self, advance: Advance) -> None:
        """Lets the domain follow in the same transaction."""
