"""Reads what somebody may start, and what has been started, as far as the reader may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from bpmn import shipped
from engine.log import loads
from engine.schema import instances, process_versions, tasks
from engine.versions import latest_versions, package_of, versions
from governance.cases.models import Case
from governance.cases.queries import visible
from governance.context import Actor
from governance.copies.queries import was_copied
from governance.errors import NotAllowed, NotFound
from governance.matters.models import Matter
from governance.matters.queries import visible as seen_matters
from governance.people.rules import POSTS
from governance.starting.errors import NoLongerStarted
from governance.starting.models import Started
from governance.starting.rules import Startable, start_of, starting

PAGE = 50


def startable(session: Session, actor: Actor) -> list[Startable]:
    """The processes the actor may start, in the order of their names; those that ship are begun by their own subjects."""
    return [found for found in _startable(session) if starting(actor, found.start)]


def to_start(session: Session, actor: Actor, key: str) -> tuple[Startable, Actor]:
    """A process that is about to be started, and the actor under a post that may; raises `NotFound`, `NoLongerStarted`, `NotAllowed`."""
    found = next((one for one in _startable(session) if one.version.key == key), None)
    if found is None:
        raise NoLongerStarted if _was_startable(session, key) else NotFound
    under = starting(actor, found.start)
    if under is None:
        raise NotAllowed
    return found, under


def _startable(session: Session) -> list[Startable]:
    connection, own = session.connection(), shipped()
    packages = [(v, package_of(connection, v.id, v.digest)) for v in latest_versions(connection) if v.key not in own]
    return [Startable(version, package, start) for version, package in packages if (start := start_of(package))]


def _was_startable(session: Session, key: str) -> bool:
    """Whether a retired process could be started before."""
    connection = session.connection()
    if key in shipped() or key in {version.key for version in latest_versions(connection)}:
        return False
    return any(start_of(package_of(connection, version.id, version.digest)) for version in versions(connection, key)[:1])


@dataclass(frozen=True)
class Begun:
    """One line of what has been started; `ended` names the end it came to."""

    id: int
    instance_id: int
    title: str
    at: datetime
    status: str
    ended: str | None


def mine(session: Session, actor: Actor, q: str = "") -> list[Begun]:
    """我发起: what the actor has started, the latest first."""
    return _begun(session, q, Started.person_id == actor.person_id)


def everything(session: Session, actor: Actor, q: str = "", after: int | None = None) -> list[Begun]:
    """What anybody has started, the latest first, for those who see all; raises `NotAllowed`."""
    if not _sees_all(actor):
        raise NotAllowed
    return _begun(session, q, Started.id < after) if after else _begun(session, q)


def _begun(session: Session, q: str, *wanted: ColumnElement[bool]) -> list[Begun]:
    query = (
        select(Started.id, instances.c.id, instances.c.title, instances.c.started_at, instances.c.status, Started.ended)
        .join(Started, Started.instance_id == instances.c.id)
        .where(instances.c.title.contains(q, autoescape=True), *wanted)
    )
    return [Begun(*row) for row in session.execute(query.order_by(Started.id.desc()).limit(PAGE))]


@dataclass(frozen=True)
class Shown:
    """What was started, for who may read it."""

    id: int
    instance_id: int
    title: str
    process: str
    status: str
    ended: str | None


def shown(session: Session, actor: Actor, started_id: int) -> Shown:
    """Something that was started, for its starter, for those who have or had a task in it or a copy of it, and for auditors.

    Raises `NotFound`.
    """
    row = session.get(Started, started_id)
    if row is None or not _may_read(session, actor, row):
        raise NotFound
    told = select(instances.c.id, instances.c.title, process_versions.c.name, instances.c.status)
    of_it = told.join(process_versions, process_versions.c.id == instances.c.version_id).where(instances.c.id == row.instance_id)
    return Shown(row.id, *session.execute(of_it).one(), row.ended)


def may_read(session: Session, actor: Actor, instance_id: int) -> bool:
    """Whether the actor may read what is filled in in an instance, whatever it is about: as its case, its matter, their own, or all."""
    seen = (
        visible(select(Case.id).where(Case.instance_id == instance_id), actor),
        seen_matters(select(Matter.id).where(Matter.instance_id == instance_id), actor),
    )
    begun = session.scalar(select(Started).where(Started.instance_id == instance_id))
    if begun is not None:
        return _may_read(session, actor, begun)
    concerned = _sees_all(actor) or _took_part(session, actor, instance_id) or any(session.scalar(query) for query in seen)
    return concerned or was_copied(session, actor, instance_id)


def _may_read(session: Session, actor: Actor, row: Started) -> bool:
    concerned = row.person_id == actor.person_id or _sees_all(actor) or _took_part(session, actor, row.instance_id)
    return concerned or (row.instance_id is not None and was_copied(session, actor, row.instance_id))


def _took_part(session: Session, actor: Actor, instance_id: int | None) -> bool:
    """Whether a task of the instance is or was addressed to the actor, or done by them."""
    addressed = session.scalars(select(tasks.c.assignment).where(tasks.c.instance_id == instance_id))
    did = select(tasks.c.id).where(tasks.c.instance_id == instance_id, tasks.c.closed_by == str(actor.person_id))
    mine = set(actor.principals)
    told = (loads(one) for one in addressed)
    had = any(mine.intersection([*one["principals"], *one["why"].get("formerly", ())]) for one in told)
    return had or session.scalar(did.limit(1)) is not None


def _sees_all(actor: Actor) -> bool:
    return any(POSTS[a.post].sees == "all" for a in actor.appointments)
