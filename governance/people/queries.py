"""Reads who holds which post."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from governance.errors import NotFound
from governance.organisation.models import Unit
from governance.organisation.queries import areas_like, named, organisation_kept, within
from governance.people.models import Appointment, Person
from governance.people.rules import POSTS, STAFFED, Post


def in_office(today: date | BindParameter[date]) -> ColumnElement[bool]:
    """Whether an appointment holds today."""
    return and_(Appointment.from_date <= today, or_(Appointment.to_date.is_(None), Appointment.to_date >= today))


def person(session: Session, person_id: int) -> Person:
    """The person; raises `NotFound`."""
    found = session.get(Person, person_id)
    if found is None:
        raise NotFound
    return found


def names(session: Session, person_ids: set[int]) -> dict[int, str]:
    """Names by id."""
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(person_ids)))
    return {row.id: row.name for row in rows}


def appointments_of(session: Session, person_id: int, today: date) -> Sequence[Appointment]:
    """What a person holds today, in the order of appointment."""
    return session.scalars(_current(today).where(Appointment.person_id == person_id).order_by(Appointment.id)).all()


class Holder(NamedTuple):
    """That somebody holds a post today."""

    person_id: int
    is_deputy: bool


def staff(session: Session, unit_id: int, today: date) -> Mapping[str, Sequence[Holder]]:
    """Who holds the posts of a unit today, by post; deputies only where nobody else does. Kept until the organisation changes."""
    return organisation_kept.get(session, ("staff", unit_id, today), lambda: _staff(session, unit_id, today))


def _staff(session: Session, unit_id: int, today: date) -> Mapping[str, Sequence[Holder]]:
    found: dict[str, list[Holder]] = {}
    held = select(Appointment.post, Appointment.person_id, Appointment.is_deputy).where(Appointment.unit_id == unit_id, in_office(today))
    for post, person_id, is_deputy in session.execute(held.order_by(Appointment.id)):
        found.setdefault(post, []).append(Holder(person_id, is_deputy))
    return {post: [a for a in holding if not a.is_deputy] or holding for post, holding in found.items()}


def holders(session: Session, post: str, unit_id: int, today: date) -> list[Appointment]:
    """The appointments by which people hold a post of a unit today; deputies only where nobody else does."""
    held = session.scalars(_current(today).where(Appointment.post == post, Appointment.unit_id == unit_id).order_by(Appointment.id)).all()
    return [a for a in held if not a.is_deputy] or list(held)


def _current(today: date) -> Select[Appointment]:
    return select(Appointment).where(in_office(today))


def all_appointments_of(session: Session, person_id: int) -> Sequence[Appointment]:
    """What a person held, holds and will hold, the latest first."""
    query = select(Appointment).where(Appointment.person_id == person_id)
    return session.scalars(query.order_by(Appointment.from_date.desc(), Appointment.id.desc())).all()


def namesakes(session: Session, person: Person) -> Sequence[Person]:
    """Other people of the same name."""
    return session.scalars(select(Person).where(Person.name == person.name, Person.id != person.id).order_by(Person.id)).all()


def vacancies(session: Session, today: date, limit: int = 100) -> list[tuple[Unit, Post]]:
    """空缺: posts that somebody should hold in a unit in use, and nobody does; as many as `limit`."""
    found: list[tuple[Unit, Post]] = []
    for post in (POSTS[code] for code in STAFFED):
        held = select(Appointment.id).where(Appointment.post == post.code, Appointment.unit_id == Unit.id, in_office(today))
        query = select(Unit).where(Unit.kind == post.unit, Unit.valid_to.is_(None), ~held.exists()).order_by(Unit.code)
        found += [(unit, post) for unit in session.scalars(query.limit(limit - len(found)))]
    return found


def roster(session: Session, today: date, q: str = "", unit_id: int | None = None, limit: int = 300) -> Sequence[Appointment]:
    """Who holds what today, by unit and post; `q` narrows by name, `unit_id` to one unit."""
    query = _current(today).join(Appointment.unit).join(Appointment.person)
    if unit_id is not None:
        query = query.where(Appointment.unit_id == unit_id)
    if q:
        inside = session.scalars(select(Unit.path).where(Unit.name.contains(q, autoescape=True)).limit(20)).all()
        query = query.where(or_(Person.name.contains(q, autoescape=True), within(inside)))
    return session.scalars(query.order_by(Unit.path, Appointment.post).limit(limit)).unique().all()


MOST_WORDS = 5


class Official(NamedTuple):
    """Somebody who holds a post today, as others choose them."""

    id: int
    name: str
    post: str
    unit_id: int


def officials(
    session: Session,
    today: date,
    posts: Collection[str],
    where: ColumnElement[bool] | None,
    *,
    q: str = "",
    ids: Collection[int] | None = None,
    limit: int | None = None,
) -> list[Official]:
    """Who holds one of these posts today, or any, by unit; each word of `q` means a name, a unit or a post. Each person once."""
    query = select(func.min(Appointment.id)).join(Appointment.person).join(Appointment.unit).where(in_office(today))
    query = query.where(where) if where is not None else query
    query = query.where(Appointment.post.in_(posts)) if posts else query
    query = query.where(Person.id.in_(ids)) if ids is not None else query
    for word in q.split()[:MOST_WORDS]:
        meant = [post.code for post in POSTS.values() if word in post.name]
        query = query.where(
            or_(Person.name.contains(word, autoescape=True), within(areas_like(session, word)), Appointment.post.in_(meant))
        )
    told = select(Person.id, Person.name, Appointment.post, Appointment.unit_id).join(Appointment.person).join(Appointment.unit)
    each = told.where(Appointment.id.in_(query.group_by(Appointment.person_id))).order_by(Unit.code, Appointment.id)
    return [Official(*row) for row in session.execute(each.limit(limit))]


def ever_held(session: Session, person_ids: Collection[int]) -> dict[int, list[Appointment]]:
    """What people held at any time, by person, in the order of appointment."""
    found: dict[int, list[Appointment]] = {}
    for one in session.scalars(select(Appointment).where(Appointment.person_id.in_(person_ids)).order_by(Appointment.id)):
        found.setdefault(one.person_id, []).append(one)
    return found


def appointment(session: Session, appointment_id: int) -> Appointment:
    """The appointment; raises `NotFound`."""
    found = session.get(Appointment, appointment_id)
    if found is None:
        raise NotFound
    return found


def principal_name(session: Session, principal: str) -> str:
    """Whom a task is addressed to: 临江社区第三网格网格长, a person's name, or 反映人."""
    kind, _, rest = principal.partition(":")
    if kind == "post":
        post, _, unit_id = rest.partition("@")
        unit = session.get(Unit, int(unit_id)) if unit_id.isdecimal() else None
        return f"{named(session, unit) if unit else ''}{POSTS[post].name if post in POSTS else post}"
    if kind == "person" and rest.isdecimal():
        return names(session, {int(rest)}).get(int(rest), "")
    return "反映人"
