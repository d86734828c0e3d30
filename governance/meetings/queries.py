"""Reads meetings, as far as the reader may."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from governance.cases.commands import digest
from governance.cases.models import Case
from governance.context import Actor, Context
from governance.errors import NotAllowed, NotFound
from governance.matters.models import Matter
from governance.meetings.models import AgendaItem, Attendee, Decision, Meeting, MeetingFile, MeetingRule, Minutes, Signature
from governance.meetings.rules import MEETS_IN, Body, Quorum, Status, quorum
from governance.organisation.models import Kind, Unit
from governance.organisation.queries import of_kind, upwards
from governance.people.models import Appointment, Person
from governance.people.queries import appointments_of, in_office
from governance.people.rules import OVERSEERS, POSTS
from governance.privacy import masked_name

PAGE, INVITABLE = 30, 200
HOSTED = (Kind.SECTOR, Kind.GRID, Kind.BUILDING, Kind.ESTATE)
"""Where the community convenes meetings, too: nobody there may have a desk."""
STANDING: dict[Status, ColumnElement[bool]] = {
    Status.DRAFT: and_(Meeting.noticed_at.is_(None), Meeting.cancelled_at.is_(None)),
    Status.NOTICED: and_(Meeting.noticed_at.is_not(None), Meeting.opened_at.is_(None), Meeting.cancelled_at.is_(None)),
    Status.OPEN: and_(Meeting.opened_at.is_not(None), Meeting.closed_at.is_(None)),
    Status.CLOSED: Meeting.closed_at.is_not(None),
    Status.CANCELLED: Meeting.cancelled_at.is_not(None),
}


def _theirs(actor: Actor) -> ColumnElement[bool]:
    """Whether somebody convenes a meeting, entered it, or has been invited to it."""
    invited = select(Attendee.id).where(Attendee.meeting_id == Meeting.id, Attendee.person_id == actor.person_id)
    told = and_(Meeting.noticed_at.is_not(None), invited.exists())
    return or_(Meeting.convener_id == actor.person_id, Meeting.created_by == actor.person_id, told)


def visible(query: Select[Any], actor: Actor) -> Select[Any]:
    """Only what the actor may see: their own meetings, those of their units, and those below them."""
    if any(POSTS[a.post].sees == "all" for a in actor.appointments):
        return query
    posts = [a for a in actor.appointments if a.post not in OVERSEERS]
    below = [Unit.path.startswith(a.unit.path, autoescape=True) for a in posts if POSTS[a.post].sees == "subtree"]
    own = Meeting.unit_id.in_([a.unit_id for a in posts])
    return query.join(Unit, Unit.id == Meeting.unit_id).where(or_(_theirs(actor), own, *below))


def meeting(session: Session, meeting_id: int, actor: Actor) -> Meeting:
    """A meeting the actor may see; raises `NotFound`."""
    found: Meeting | None = session.scalar(visible(select(Meeting).where(Meeting.id == meeting_id), actor))
    if found is None:
        raise NotFound
    return found


def may_convene(actor: Actor, unit: Unit) -> bool:
    """Whether somebody arranges the meetings of a unit: those who hold a post there; in small units those of the community as well."""
    return any(
        a.unit_id == unit.id or (a.unit.kind == Kind.COMMUNITY and unit.kind in HOSTED and unit.path.startswith(a.unit.path))
        for a in actor.appointments
        if a.post not in OVERSEERS
    )


def may_run(actor: Actor, held: Meeting) -> bool:
    """Whether somebody sees to a meeting: the convener, and whoever arranges the meetings of its unit."""
    return held.convener_id == actor.person_id or may_convene(actor, held.unit)


def held_by(session: Session, meeting_id: int, actor: Actor) -> Meeting:
    """A meeting that the actor sees to, under lock; raises `NotFound`, `NotAllowed`."""
    found = meeting(session, meeting_id, actor)
    if not may_run(actor, found):
        raise NotAllowed
    return locked(session, found)


def locked(session: Session, found: Meeting) -> Meeting:
    """The meeting as it stands now, and nobody else changes it until the commit."""
    session.refresh(found, with_for_update=True)
    return found


@dataclass(frozen=True)
class MeetingPage:
    """Meetings in order, and where the next page begins."""

    meetings: tuple[Meeting, ...]
    after: int | None


def meetings(
    session: Session,
    actor: Actor,
    *,
    mine: bool = False,
    kind: Kind | None = None,
    status: Status | None = None,
    after: int | None = None,
) -> MeetingPage:
    """The meetings the actor may see, the latest first; `mine` are those they convene, entered or attend."""
    order = (Meeting.starts_at, Meeting.id)
    query = visible(select(Meeting), actor).order_by(*(column.desc() for column in order)).limit(PAGE + 1)
    if mine:
        query = query.where(_theirs(actor))
    if kind:
        query = query.where(Meeting.unit_id.in_(select(Unit.id).where(Unit.kind == kind)))
    if status:
        query = query.where(STANDING[status])
    if last := session.get(Meeting, after) if after else None:
        query = query.where(tuple_(*order) < tuple_(last.starts_at, last.id))
    found = tuple(session.scalars(query))
    return MeetingPage(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None)


def by_secret(session: Session, secret: str) -> Meeting:
    """The meeting behind a sign-in link; raises `NotFound`."""
    found = session.scalar(select(Meeting).where(Meeting.secret_digest == digest(secret)))
    if found is None:
        raise NotFound
    return found


def rules(session: Session) -> dict[Body, MeetingRule]:
    """The rules of all bodies."""
    found = {Body(rule.body): rule for rule in session.scalars(select(MeetingRule))}
    return {body: found[body] for body in Body}


def host_units(session: Session, actor: Actor) -> list[Unit]:
    """Where the actor may convene a meeting, the largest first."""
    own = {a.unit_id: a.unit for a in actor.appointments if a.post not in OVERSEERS}
    found = dict(own)
    for unit in own.values():
        if unit.kind == Kind.COMMUNITY:
            found |= {below.id: below for below in of_kind(session, *HOSTED, below=unit.path) if below.valid_to is None}
    return sorted(found.values(), key=lambda unit: (len(unit.path.split("/")), unit.kind != Kind.ESTATE, unit.code))


def conveners(session: Session, units: Sequence[Unit], today: date) -> Sequence[Appointment]:
    """Who may convene a meeting in one of these units: whoever holds a post in one of them."""
    return _appointments(session, Appointment.unit_id.in_([unit.id for unit in units]), today)


def _appointments(session: Session, where: ColumnElement[bool], today: date) -> Sequence[Appointment]:
    query = select(Appointment).join(Appointment.unit).where(in_office(today), Appointment.post.not_in(OVERSEERS), where)
    return session.scalars(query.order_by(Unit.path, Appointment.post, Appointment.id).limit(INVITABLE)).unique().all()


def convening(context: Context, held: Meeting) -> Actor:
    """The convener, as somebody who may see things."""
    appointments = tuple(appointments_of(context.session, held.convener_id, context.today))
    return Actor(held.convener_id, held.convener.name, appointments[0] if appointments else None, appointments)


Subject = TypeVar("Subject", Case, Matter)


def numbered(
    session: Session, of: type[Subject], visible: Callable[[Select[Any], Actor], Select[Any]], number: str, *readers: Actor
) -> Subject | None:
    """The case or the matter of this number, when all of these may see it."""
    found = [session.scalar(visible(select(of).where(of.number == number), reader)) for reader in readers]
    return found[0] if all(found) else None


def invitable(session: Session, unit: Unit, today: date, q: str = "") -> Sequence[Appointment]:
    """The staff who may be invited, by unit: the unit's own, those above and below, and the departments; more of them by name."""
    above = {u.id for u in upwards(session, unit)}
    around = or_(Unit.path.startswith(unit.path, autoescape=True), Unit.id.in_(above), Unit.kind == Kind.DEPARTMENT)
    if q:
        named = Appointment.person_id.in_(select(Person.id).where(Person.name.contains(q, autoescape=True)))
        return _appointments(session, and_(around, or_(named, Unit.name.contains(q, autoescape=True))), today)
    near = or_(Unit.id.in_(above), Unit.parent_id == unit.id, Appointment.post == "department_lead")
    return _appointments(session, and_(around, near), today)


def agenda(session: Session, meeting_id: int) -> Sequence[AgendaItem]:
    """The items, in order."""
    return session.scalars(select(AgendaItem).where(AgendaItem.meeting_id == meeting_id).order_by(AgendaItem.position)).all()


@dataclass(frozen=True)
class Entry:
    """Somebody on the list, named as far as the reader may know."""

    attendee: Attendee
    name: str


def roll(context: Context, meeting_id: int, *, plain: bool) -> list[Entry]:
    """The list of attendees; those who see to the meeting read residents' names, others read 张*."""
    query = select(Attendee).where(Attendee.meeting_id == meeting_id).order_by(Attendee.number)
    return [Entry(one, called(context, one, plain=plain)) for one in context.session.scalars(query)]


def called(context: Context, one: Attendee, *, plain: bool) -> str:
    """An attendee's name."""
    if one.sealed_name is None:
        return one.name or ""
    name = context.sealer.unseal(one.sealed_name)
    return name if plain else masked_name(name)


def attendee(session: Session, held: Meeting, attendee_id: int) -> Attendee:
    """Somebody on the list of this meeting, under lock; raises `NotFound`."""
    found = session.scalar(select(Attendee).where(Attendee.id == attendee_id, Attendee.meeting_id == held.id).with_for_update())
    if found is None:
        raise NotFound
    return found


def quorum_of(session: Session, held: Meeting) -> Quorum:
    """How many are due and present now, and how many must be."""
    rows = session.execute(select(Attendee.role, Attendee.signed_in_at).where(Attendee.meeting_id == held.id))
    return quorum(((row.role, row.signed_in_at) for row in rows), held.quorum, held.is_quorum_over)


def present(session: Session, meeting_id: int) -> Sequence[Attendee]:
    """Who has signed in, by number: those who may vote are the ones whose role is counted."""
    here = select(Attendee).where(Attendee.meeting_id == meeting_id, Attendee.signed_in_at.is_not(None))
    return session.scalars(here.order_by(Attendee.number)).all()


def minutes(session: Session, meeting_id: int) -> Sequence[Minutes]:
    """The versions of the minutes, the first first."""
    return session.scalars(select(Minutes).where(Minutes.meeting_id == meeting_id).order_by(Minutes.number)).all()


def signatures(session: Session, meeting_id: int) -> dict[int, list[Signature]]:
    """The signatures of each version."""
    of_meeting = select(Minutes.id).where(Minutes.meeting_id == meeting_id)
    found: dict[int, list[Signature]] = {}
    for one in session.scalars(select(Signature).where(Signature.minutes_id.in_(of_meeting)).order_by(Signature.signed_at, Signature.id)):
        found.setdefault(one.minutes_id, []).append(one)
    return found


def files(session: Session, meeting_id: int) -> Sequence[MeetingFile]:
    """The attachments, the first first."""
    return session.scalars(select(MeetingFile).where(MeetingFile.meeting_id == meeting_id).order_by(MeetingFile.id)).all()


def decisions(session: Session, meeting_id: int) -> Sequence[Decision]:
    """What was decided, in order."""
    return session.scalars(select(Decision).where(Decision.meeting_id == meeting_id).order_by(Decision.number)).all()


def decision_of(session: Session, instance_id: int) -> Decision | None:
    """The decision that a process instance carries out."""
    return session.scalar(select(Decision).where(Decision.instance_id == instance_id))


def responsible_units(session: Session, unit: Unit) -> list[tuple[str, Sequence[Unit]]]:
    """Who may be made responsible, in groups: the unit's own line, what lies in it, the departments."""
    line = [u for u in upwards(session, unit) if u.kind != Kind.DEPARTMENT]
    within = (Kind.SECTOR, Kind.GRID, Kind.ESTATE) if unit.kind == Kind.COMMUNITY else (Kind.SUBDISTRICT, Kind.COMMUNITY)
    below = [u for u in of_kind(session, *within, below=unit.path) if u.valid_to is None and u.id != unit.id]
    departments = [u for u in of_kind(session, Kind.DEPARTMENT) if u.valid_to is None]
    return [("本级和上级", line), ("下级", below), ("部门", departments)]


@dataclass(frozen=True)
class About:
    """What a meeting did about a case."""

    meeting: Meeting
    decisions: tuple[Decision, ...]


def meetings_about(session: Session, actor: Actor, *, case_id: int | None = None, matter_id: int | None = None) -> list[About]:
    """The meetings the actor may see that have a case or a matter on their agenda or decided about it, the latest first."""
    items, decided = select(AgendaItem.meeting_id), select(Decision.meeting_id)
    name, of = ("case_id", case_id) if case_id else ("matter_id", matter_id)
    either = or_(Meeting.id.in_(items.filter_by(**{name: of})), Meeting.id.in_(decided.filter_by(**{name: of})))
    query = visible(select(Meeting).where(either), actor).order_by(Meeting.starts_at.desc())
    found = session.scalars(query.limit(PAGE)).all()
    return [About(held, tuple(d for d in decisions(session, held.id) if getattr(d, name) == of)) for held in found]


def next_number(session: Session, column: Any, meeting_id: int) -> int:
    """The number after the last one given out in a meeting, which is under lock."""
    last = session.scalar(select(func.max(column)).where(column.class_.meeting_id == meeting_id))
    return (last or 0) + 1


def bodies_in(kind: Kind) -> list[Body]:
    """The bodies that meet at a level."""
    return [body for body in Body if kind in MEETS_IN[body]]


def numbers(session: Session, case_ids: Iterable[int | None]) -> dict[int, str]:
    """The numbers of cases, by id."""
    rows = session.execute(select(Case.id, Case.number).where(Case.id.in_([i for i in case_ids if i])))
    return {row.id: row.number for row in rows}
