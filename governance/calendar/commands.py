"""What people do to the calendar: seed a year, correct a day, import a notice, change the shifts.

Limits that are already running follow in the background: `CalendarChange` says how far.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from governance.calendar.errors import PeriodRejected
from governance.calendar.models import CalendarChange, CalendarDay, DayKind, WorkShift
from governance.calendar.notices import published
from governance.calendar.queries import Following, calendar_kept
from governance.calendar.rules import Shifts, check_shifts
from governance.calendar.sheets import read_days

SEED = "chinesecalendar"


def seed_year(session: Session, year: int) -> int:
    """Enters a whole year from the seed package; days that people entered stay. Returns how many days were written."""
    days = list(published(year))
    existing = _existing(session, days[0][0], days[-1][0])
    ours = [(day, kind) for day, kind in days if day not in existing or (existing[day].source == SEED and existing[day].kind != kind)]
    for day, kind in ours:
        _write(session, existing, day, kind, SEED, "")
    if ours:
        _flush(session)
    return len(ours)


def set_day(session: Session, day: date, kind: DayKind, note: str = "", *, by: str) -> CalendarDay:
    """A person decides one day, whatever the notice says; `by` is kept as its source."""
    row = _write(session, _existing(session, day, day), day, kind, f"人工：{by}", note)
    _flush(session)
    return row


def import_days(session: Session, content: bytes, *, by: str) -> int:
    """Enters a table (日期,类型,说明), replacing those days; one wrong line and nothing is written. Returns how many days were written.

    The exceptions of the published notice are enough: other days are Monday to Friday.
    """
    found = read_days(content)
    existing = _existing(session, min(row.day for row in found), max(row.day for row in found))
    for row in found:
        _write(session, existing, row.day, row.kind, f"导入：{by}", row.note)
    _flush(session)
    return len(found)


def set_shifts(session: Session, shifts: Shifts, valid_from: date, valid_to: date | None = None) -> None:
    """Sets the timetable (作息时间) from a day on, or for a season; it replaces one that begins on the same day."""
    check_shifts(shifts)
    if valid_to is not None and valid_to < valid_from:
        raise PeriodRejected
    session.execute(delete(WorkShift).where(WorkShift.valid_from == valid_from))
    session.add_all(
        WorkShift(starts_at=f"{starts:%H:%M}", ends_at=f"{ends:%H:%M}", valid_from=valid_from, valid_to=valid_to) for starts, ends in shifts
    )
    _flush(session)


def note_followed(session: Session, round: Following, upto: int | None) -> None:
    """Notes how far the limits have followed a change; `upto` is the last one done, None when none are left."""
    changes = session.get_one(CalendarChange, 1, with_for_update=True)
    if upto is None:
        changes.followed, changes.cursor = max(changes.followed, round.count), 0
    elif changes.followed < round.count:
        changes.following, changes.cursor = round.count, upto
    session.flush()


def _flush(session: Session) -> None:
    changes = session.get(CalendarChange, 1, with_for_update=True) or CalendarChange(id=1, count=0, followed=0, following=0, cursor=0)
    changes.count += 1
    session.add(changes)
    session.flush()
    calendar_kept.note_change(session)


def _existing(session: Session, first: date, last: date) -> dict[date, CalendarDay]:
    return {row.date: row for row in session.scalars(select(CalendarDay).where(CalendarDay.date.between(first, last)))}


def _write(session: Session, existing: dict[date, CalendarDay], day: date, kind: DayKind, source: str, note: str) -> CalendarDay:
    row = existing.get(day)
    if row is None:
        row = CalendarDay(date=day)
        session.add(row)
    row.kind, row.source, row.note = kind.value, source, note
    return row
