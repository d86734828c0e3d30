"""Appoints people, and ends their terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from governance.errors import Refused, SheetRejected
from governance.organisation.commands import note_reorganised
from governance.organisation.models import Unit
from governance.people.models import Appointment, Person
from governance.people.rules import INDISPENSABLE, POSTS
from governance.privacy import is_mobile
from governance.sheets import Row


def add_person(session: Session, person_id: int, name: str, mobile: str | None = None) -> Person:
    """Adds a person; raises `Refused`."""
    _check_person(name, mobile)
    person = Person(id=person_id, name=name, mobile=mobile or None)
    session.add(person)
    session.flush()
    return person


def change_person(session: Session, person: Person, name: str, mobile: str) -> None:
    """Corrects a name or mobile number; raises `Refused`."""
    _check_person(name, mobile)
    person.name, person.mobile = name, mobile or None
    session.flush()


def _check_person(name: str, mobile: str | None) -> None:
    if not 1 <= len(name) <= 40:
        raise Refused({"name": "姓名应为 1 至 40 个字"})
    if mobile and not is_mobile(mobile):
        raise Refused({"mobile": "手机号码应为 7 至 15 位数字，或者留空"})


def appoint(
    session: Session,
    appointment_id: int,
    person: Person,
    post: str,
    unit: Unit,
    from_date: date,
    to_date: date | None = None,
    *,
    deputy: bool = False,
) -> Appointment:
    """任职: gives a person a post in a unit; raises `Refused`."""
    known = POSTS.get(post)
    if known is None:
        raise Refused({"post": f"没有“{post}”这个岗位"})
    if known.unit != unit.kind:
        raise Refused({"post": f"{known.name}应设在{known.unit.label}，“{unit.name}”不是"})
    if to_date and to_date < from_date:
        raise Refused({"to_date": "任期的结束日期早于开始日期"})
    appointment = Appointment(
        id=appointment_id, person=person, post=post, unit=unit, is_deputy=deputy, from_date=from_date, to_date=to_date
    )
    session.add(appointment)
    note_reorganised(session)
    return appointment


def end_appointment(session: Session, appointment: Appointment, last_day: date) -> None:
    """免职: the last day of a term; raises `Refused`."""
    if last_day < appointment.from_date:
        raise Refused({"to_date": "任期的结束日期早于开始日期"})
    of_post = (Appointment.post == appointment.post) & (Appointment.id != appointment.id)
    lasting = session.scalar(select(Appointment.id).where(of_post, Appointment.to_date.is_(None)).limit(1))
    if appointment.post in INDISPENSABLE and lasting is None:
        raise Refused({"to_date": f"这是最后一位{POSTS[appointment.post].name}，请先任命接任的人"})
    appointment.to_date = last_day
    note_reorganised(session)


def import_appointments(session: Session, rows: Sequence[Row], new_id: Callable[[], int], today: date) -> int:
    """Appoints the people of a sheet (姓名, 手机, 岗位, 单位编码, 代理), all or none; raises `SheetRejected`."""
    problems: list[tuple[int, str]] = []
    with session.begin_nested() as attempt:
        for row in rows:
            try:
                _import_one(session, row, new_id, today)
            except Refused as refused:
                problems.append((row.line, str(refused)))
        if problems:
            attempt.rollback()
    if problems:
        raise SheetRejected(tuple(problems))
    return len(rows)


def _import_one(session: Session, row: Row, new_id: Callable[[], int], today: date) -> None:
    post = next((code for code, post in POSTS.items() if post.name == row["岗位"]), None)
    if post is None:
        raise Refused({"post": f"没有“{row['岗位']}”这个岗位"})
    unit = session.scalar(select(Unit).where(Unit.code == row["单位编码"]))
    if unit is None:
        raise Refused({"unit": f"单位编码“{row['单位编码']}”不存在"})
    known = session.scalar(select(Person).where(Person.name == row["姓名"], Person.mobile == (row["手机"] or None)))
    person = known or add_person(session, new_id(), row["姓名"], row["手机"])
    appoint(session, new_id(), person, post, unit, today, deputy=row["代理"] == "是")
