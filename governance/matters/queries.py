"""Reads matters: for who works on them, and for everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from governance.cases.commands import digest
from governance.cases.queries import alikeness, within_sight
from governance.context import Actor, Context
from governance.errors import NotFound
from governance.matters.models import ImplementationTask, Matter, Objection, PublicNotice, Stage, Support, Tier
from governance.matters.rules import Backing, Basis
from governance.organisation.models import Unit

PAGE = 30
RESOLUTION = "resolution"
LIKE = 0.25


def visible(query: Select[Any], actor: Actor) -> Select[Any]:
    """Only the matters the actor may see."""
    return within_sight(query, actor, Matter.instance_id, Matter.unit_id, Matter.suggested_by)


def concerning(query: Select[Any], actor: Actor) -> Select[Any]:
    """Only the matters the actor has to do with: not those that were copied to them, to be read."""
    return within_sight(query, actor, Matter.instance_id, Matter.unit_id, Matter.suggested_by, is_reading=False)


def matter(session: Session, matter_id: int, actor: Actor) -> Matter:
    """A matter the actor may see; raises `NotFound`."""
    return _only(session, visible(select(Matter).where(Matter.id == matter_id), actor))


def public_matter(session: Session, number: str) -> Matter:
    """A matter that everybody may see by its number: one that has not been refused or withdrawn. Raises `NotFound`."""
    return _only(session, published(select(Matter).where(Matter.number == number)))


def alike(context: Context, unit: Unit, words: str, limit: int = 3) -> list[Matter]:
    """Open suggestions of the same unit that read alike, the likest first: support for one is worth more than another."""
    query = published(select(Matter)).where(Matter.unit_id == unit.id, Matter.closed_at.is_(None)).order_by(Matter.id.desc()).limit(200)
    scored = [(alikeness(words, f"{one.title}{one.problem}"), one) for one in context.session.scalars(query)]
    return [one for score, one in sorted(scored, key=lambda s: -s[0]) if score >= LIKE][:limit]


def of_case(session: Session, case_id: int) -> Matter | None:
    """The matter that a case was handed over to."""
    return session.scalar(select(Matter).where(Matter.case_id == case_id))


def followed(session: Session, secret: str) -> Matter:
    """The matter behind a suggester's link; raises `NotFound`."""
    return _only(session, select(Matter).where(Matter.follow_digest == digest(secret)))


def published(query: Select[Any]) -> Select[Any]:
    """What residents see: suggestions that look for support, and everything that was taken up."""
    return query.where(or_(Matter.closed_at.is_(None), Matter.outcome.in_(("archived", "not_adopted"))))


def matching(q: str) -> ColumnElement[bool]:
    """Matters whose number begins so, or whose words contain it."""
    return or_(
        Matter.number.startswith(q, autoescape=True), Matter.title.contains(q, autoescape=True), Matter.problem.contains(q, autoescape=True)
    )


@dataclass(frozen=True)
class Wanted:
    """Which matters somebody looks for."""

    q: str = ""
    tier: Tier | None = None
    stage: Stage | None = None
    below: Unit | None = None


@dataclass(frozen=True)
class MatterPage:
    """Matters in order, and where the next page begins."""

    matters: tuple[Matter, ...]
    after: int | None


def page(session: Session, query: Select[Any], wanted: Wanted, after: int | None = None) -> MatterPage:
    """Those of a query that are wanted, the latest first."""
    query = _wanted(query, wanted).order_by(Matter.id.desc()).limit(PAGE + 1)
    if after:
        query = query.where(Matter.id < after)
    found = tuple(session.scalars(query).unique())
    return MatterPage(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None)


def by_tier_and_stage(session: Session, query: Select[Any]) -> Mapping[tuple[Tier, Stage], int]:
    """How many matters there are of each tier at each stage."""
    rows = session.execute(query.with_only_columns(Matter.tier, Matter.stage, func.count()).group_by(Matter.tier, Matter.stage))
    return {(Tier(tier), Stage(stage)): n for tier, stage, n in rows}


def delivery(session: Session, matter_ids: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    """How many of each matter's implementation tasks are settled, and how many there are."""
    of, settled = ImplementationTask.matter_id, ImplementationTask.settled_at
    rows = session.execute(select(of, func.count(settled), func.count()).where(of.in_(matter_ids)).group_by(of))
    return {matter_id: (done, whole) for matter_id, done, whole in rows}


def implementation_tasks(session: Session, matter_id: int) -> Sequence[ImplementationTask]:
    """What the resolution asks for, in order."""
    query = select(ImplementationTask).where(ImplementationTask.matter_id == matter_id).order_by(ImplementationTask.number)
    return session.scalars(query).all()


def objections(session: Session, matter_id: int) -> Sequence[Objection]:
    """The objections to a matter, in order."""
    return session.scalars(select(Objection).where(Objection.matter_id == matter_id).order_by(Objection.number)).all()


def objection_followed(session: Session, secret: str) -> Objection:
    """The objection behind its link; raises `NotFound`."""
    found = session.scalar(select(Objection).where(Objection.follow_digest == digest(secret)))
    if found is None:
        raise NotFound
    return found


def notices(session: Session, matter_id: int) -> Sequence[PublicNotice]:
    """What has been on public notice, the latest last."""
    return session.scalars(select(PublicNotice).where(PublicNotice.matter_id == matter_id).order_by(PublicNotice.id)).all()


def running_notice(session: Session, matter_id: int) -> PublicNotice | None:
    """The notice that can be objected to now: that of a resolution which is not in force yet."""
    last = [notice for notice in notices(session, matter_id) if notice.kind == RESOLUTION][-1:]
    return last[0] if last and last[0].closed_at is None else None


def supports(session: Session, matter_id: int) -> Sequence[Support]:
    """Who supports a matter, in order."""
    return session.scalars(select(Support).where(Support.matter_id == matter_id).order_by(Support.given_at)).all()


def support_of(session: Session, matter_ids: Sequence[int]) -> Mapping[int, Backing]:
    """How many people support each of some matters, and from how many households."""
    households = func.count(func.nullif(Support.household, "").distinct())
    query = select(Support.matter_id, func.count(), households).where(Support.matter_id.in_(matter_ids)).group_by(Support.matter_id)
    return {matter_id: Backing(people, homes) for matter_id, people, homes in session.execute(query)}


def basis(session: Session, unit: Unit) -> Basis:
    """How many households live in a unit, as far as it is known; of an estate that is counted by its buildings."""
    if unit.households:
        return Basis(None, unit.households)
    counted = session.scalar(select(func.sum(Unit.households)).where(Unit.estate_id == unit.id, Unit.valid_to.is_(None)))
    return Basis(None, counted)


def _wanted(query: Select[Any], wanted: Wanted) -> Select[Any]:
    if wanted.q:
        query = query.where(matching(wanted.q))
    if wanted.tier:
        query = query.where(Matter.tier == wanted.tier)
    if wanted.stage:
        query = query.where(Matter.stage == wanted.stage)
    if wanted.below:
        within = select(Unit.id).where(Unit.path.startswith(wanted.below.path, autoescape=True))
        query = query.where(Matter.unit_id.in_(within))
    return query


def _only(session: Session, query: Select[Any]) -> Matter:
    found: Matter | None = session.scalar(query)
    if found is None:
        raise NotFound
    return found
