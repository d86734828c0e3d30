"""Reads what was copied to whom: it lets them read the instance, and nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from engine.log import as_entry
from engine.schema import commands
from governance.context import Actor
from governance.copies.models import Copy
from governance.people.models import Person

COUNTED = 99


def copied_to(actor: Actor, instance_id: InstrumentedAttribute[int | None]) -> Exists:
    """Whether an instance was copied to the actor."""
    return select(Copy.task_id).where(Copy.instance_id == instance_id, Copy.person_id == actor.person_id).exists()


def was_copied(session: Session, actor: Actor, instance_id: int) -> bool:
    """Whether the actor may read an instance because it was copied to them."""
    mine = select(Copy.task_id).where(Copy.instance_id == instance_id, Copy.person_id == actor.person_id)
    return session.scalar(mine.limit(1)) is not None


def unread(session: Session, actor: Actor) -> int:
    """How many copies the actor has not read yet; counted no further than 99."""
    mine = select(Copy.task_id).where(Copy.person_id == actor.person_id, Copy.read_at.is_(None)).limit(COUNTED + 1)
    return session.scalar(select(func.count()).select_from(mine.subquery())) or 0


@dataclass(frozen=True)
class Recipient:
    """Whom something was copied to, and when they read it."""

    person_id: int
    name: str
    read_at: datetime | None


@dataclass(frozen=True)
class Copied:
    """One act of copying: who copied, when, with which words, to whom."""

    at: datetime
    sender: str
    words: str
    recipients: tuple[Recipient, ...]

    @property
    def read(self) -> int:
        """How many have read it."""
        return sum(one.read_at is not None for one in self.recipients)

    def waits_for(self, person_id: int) -> bool:
        """Whether somebody has it unread."""
        return any(one.person_id == person_id and one.read_at is None for one in self.recipients)


def copies(session: Session, instance_id: int) -> Sequence[Copied]:
    """What was copied of an instance, the first first."""
    sender = aliased(Person)
    query = (
        select(Copy.seq, Copy.at, sender.name.label("sender"), Copy.person_id, Person.name, Copy.read_at)
        .join(Person, Person.id == Copy.person_id)
        .join(sender, sender.id == Copy.sender_id)
        .where(Copy.instance_id == instance_id)
        .order_by(Copy.seq, Copy.person_id)
    )
    rows = session.execute(query).all()
    said = _words(session, instance_id, {row.seq for row in rows}) if rows else {}
    acts = [list(act) for _seq, act in groupby(rows, key=lambda row: row.seq)]
    return [
        Copied(act[0].at, act[0].sender, said.get(act[0].seq, ""), tuple(Recipient(r.person_id, r.name, r.read_at) for r in act))
        for act in acts
    ]


def _words(session: Session, instance_id: int, seqs: set[int]) -> dict[int, str]:
    """What the log keeps beside these entries; nothing where a law has had it erased."""
    kept = select(commands).where(commands.c.instance_id == instance_id, commands.c.seq.in_(seqs))
    return {entry.seq: entry.opinion or "" for entry in map(as_entry, session.connection().execute(kept).mappings())}
