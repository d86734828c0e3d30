"""What a command is given from outside: the transaction, the time, fresh ids, the key to sealed data, the folder of files."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from engine.ids import Chance
from governance.calendar.rules import SHANGHAI
from governance.people.models import Appointment
from governance.people.rules import principals
from governance.privacy import Sealer


@dataclass(frozen=True)
class Context:
    """One unit of work."""

    session: Session
    now: Callable[[], datetime]
    new_id: Callable[[], int]
    sealer: Sealer
    folder: Path
    chance: Chance = secrets.randbits

    @property
    def today(self) -> date:
        """The day people live in."""
        return self.now().astimezone(SHANGHAI).date()


@dataclass(frozen=True)
class Actor:
    """Who acts, and under which of their posts."""

    person_id: int
    name: str
    acting: Appointment | None
    appointments: tuple[Appointment, ...] = field(default=())

    @property
    def principals(self) -> list[str]:
        """Everything that is addressed to this person, under any post."""
        return principals(self.appointments) or [f"person:{self.person_id}"]

    def holds(self, *posts: str) -> bool:
        """Whether one of the person's posts is among these."""
        return any(a.post in posts for a in self.appointments)

    def record(self) -> Mapping[str, Any]:
        """Who acts, as the log keeps it: ids, no names."""
        if self.acting is None:
            return {"person": str(self.person_id)}
        return {"person": str(self.person_id), "post": self.acting.post, "unit": str(self.acting.unit_id)}

    def under(self, principals: list[str]) -> Actor:
        """The same person acting under the post that a task is addressed to, unless the post they act under fits."""
        fitting = [a for a in self.appointments if f"post:{a.post}@{a.unit_id}" in principals]
        if not fitting or self.acting in fitting:
            return self
        return Actor(self.person_id, self.name, fitting[0], self.appointments)
