"""Reads cases, as far as the reader may."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.schema import task_candidates, tasks
from governance.cases.commands import digest
from governance.cases.models import Case, Photo
from governance.cases.photos import Pictured
from governance.context import Actor, Context
from governance.copies.queries import copied_to
from governance.errors import NotFound
from governance.organisation.models import Unit
from governance.people.rules import POSTS

DUPLICATES_WITHIN = timedelta(days=30)
PAGE = 30


def visible(query: Select[Any], actor: Actor) -> Select[Any]:
    """Only the cases the actor may see."""
    return within_sight(query, actor, Case.instance_id, Case.place_id, Case.reported_by)


def concerning(query: Select[Any], actor: Actor) -> Select[Any]:
    """Only the cases the actor has to do with: not those that were copied to them, to be read."""
    return within_sight(query, actor, Case.instance_id, Case.place_id, Case.reported_by, is_reading=False)


def within_sight(
    query: Select[Any],
    actor: Actor,
    instance_id: InstrumentedAttribute[int | None],
    place_id: InstrumentedAttribute[int],
    begun_by: InstrumentedAttribute[int | None],
    *,
    is_reading: bool = True,
) -> Select[Any]:
    """Only what the actor may see: by post and subtree, by a task they have or had, because they began it, or as a copy to be read."""
    if any(POSTS[a.post].sees == "all" for a in actor.appointments):
        return query
    person = str(actor.person_id)
    theirs = (
        select(tasks.c.instance_id)
        .outerjoin(task_candidates, task_candidates.c.task_id == tasks.c.id)
        .where(
            tasks.c.instance_id == instance_id,
            or_(task_candidates.c.principal.in_(actor.principals), tasks.c.closed_by == person, tasks.c.claimed_by == person),
        )
    )
    copied = [copied_to(actor, instance_id)] if is_reading else []
    return query.join(Unit, Unit.id == place_id).where(or_(begun_by == actor.person_id, theirs.exists(), *copied, *watched(actor)))


def watched(actor: Actor) -> list[ColumnElement[bool]]:
    """Where units lie below those whose posts the actor holds."""
    paths = [a.unit.path for a in actor.appointments if POSTS[a.post].sees == "subtree"]
    return [Unit.path.startswith(path, autoescape=True) for path in paths]


Narrowing = Callable[[Select[Any], Actor], Select[Any]]


def case(session: Session, case_id: int, actor: Actor, within: Narrowing = visible) -> Case:
    """A case the actor may see, or has to do with; raises `NotFound`."""
    found: Case | None = session.scalar(within(select(Case).where(Case.id == case_id), actor))
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class CasePage:
    """Cases in order, and where the next page begins."""

    cases: tuple[Case, ...]
    after: int | None


def cases(
    session: Session, actor: Actor, *, q: str = "", status: str = "", late_at: datetime | None = None, after: int | None = None
) -> CasePage:
    """The cases the actor may see, the latest first: by words, by status, or those whose limit has passed by `late_at`."""
    query = visible(select(Case), actor).order_by(Case.id.desc()).limit(PAGE + 1)
    if q:
        query = query.where(matching(q))
    if status:
        query = query.where(Case.status == status)
    if late_at:
        query = query.where(Case.due_at < late_at, Case.closed_at.is_(None), Case.paused_at.is_(None))
    if after:
        query = query.where(Case.id < after)
    found = tuple(session.scalars(query).unique())
    return CasePage(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None)


def matching(q: str) -> ColumnElement[bool]:
    """Cases whose number begins so, or whose words contain it."""
    return or_(Case.number.startswith(q, autoescape=True), Case.title.contains(q, autoescape=True), Case.text.contains(q, autoescape=True))


def followed(session: Session, secret: str) -> Case:
    """The case behind a follow-up link; raises `NotFound`."""
    found = session.scalar(select(Case).where(Case.follow_digest == digest(secret)))
    if found is None:
        raise NotFound
    return found


def likely_duplicates(context: Context, place: Unit, text: str, category: str | None, limit: int = 3) -> list[Case]:
    """Open or recent cases of the same place that read alike, the likest first."""
    since = context.now() - DUPLICATES_WITHIN
    near = place.path.rstrip("/").rpartition("/")[0] + "/"
    query = (
        select(Case)
        .join(Unit, Unit.id == Case.place_id)
        .where(Unit.path.startswith(near, autoescape=True), Case.reported_at >= since, Case.is_confidential.is_(False))
        .order_by(Case.reported_at.desc())
        .limit(200)
    )
    scored = [(alikeness(text, c.text) + (0.15 if category and c.category == category else 0), c) for c in context.session.scalars(query)]
    return [c for score, c in sorted(scored, key=lambda s: -s[0]) if score >= 0.3][:limit]


def alikeness(one: str, other: str) -> float:
    """Share of common character pairs, 0 to 1."""
    first, second = _pairs(one), _pairs(other)
    return 2 * len(first & second) / (len(first) + len(second)) if first and second else 0.0


def photos(session: Session, of: Pictured) -> Sequence[Photo]:
    """The pictures of a case or a matter, in the order they were added."""
    return session.scalars(select(Photo).filter_by(**of.album).order_by(Photo.id)).all()


def reported_photos(session: Session, case_id: int) -> Sequence[Photo]:
    """The pictures that came with the report or from its reporter later on."""
    theirs = or_(Photo.task_key.is_(None), Photo.added_by.is_(None))
    return session.scalars(select(Photo).where(Photo.case_id == case_id, theirs).order_by(Photo.id)).all()


def _pairs(text: str) -> set[str]:
    plain = [c for c in text if c.isalnum()]
    return {a + b for a, b in pairwise(plain)}
