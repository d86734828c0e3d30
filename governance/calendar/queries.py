"""What others see of the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from governance.calendar.models import CalendarChange, CalendarDay, DayKind, WorkShift
from governance.calendar.rules import Season, WorkCalendar

NOVEMBER = 11
_read: dict[tuple[str, int | None], WorkCalendar] = {}
CHANGED = "calendar_changed"
"""Marks a session that has changed the calendar itself: what it reads may yet be rolled back, and is not kept."""
HELD = "working_calendar"
"""Where a session keeps the calendar it has read."""


def working_calendar(session: Session) -> WorkCalendar:
    """The calendar as it is entered now; read anew only when it has changed."""
    if HELD not in session.info:
        session.info[HELD] = _kept(session)
    held: WorkCalendar = session.info[HELD]
    return held


def _kept(session: Session) -> WorkCalendar:
    key = (str(session.get_bind().engine.url), session.scalar(select(CalendarChange.count)))
    if key not in _read:
        days = session.execute(select(CalendarDay.date, CalendarDay.kind))
        calendar = WorkCalendar({day: kind == DayKind.WORK for day, kind in days}, seasons=_seasons(session))
        if key[1] is None or session.info.get(CHANGED):
            return calendar
        _read.clear()
        _read[key] = calendar
    return _read[key]


@dataclass(frozen=True)
class Following:
    """A round in which running limits take in the calendar as it was after change `count`, and how far it has come."""

    count: int
    cursor: int


def unfollowed(session: Session) -> Following | None:
    """The round that is due; None when every running limit has taken in the last change."""
    changes = session.get(CalendarChange, 1)
    if changes is None or changes.followed == changes.count:
        return None
    begun = changes.following > changes.followed
    return Following(changes.following, changes.cursor) if begun else Following(changes.count, 0)


def missing_next_year(session: Session, today: date) -> bool:
    """Whether to warn: it is November or later and next year's notice is not entered."""
    return today.month >= NOVEMBER and session.get(CalendarDay, date(today.year + 1, 1, 1)) is None


def _seasons(session: Session) -> tuple[Season, ...]:
    rows = session.scalars(select(WorkShift).order_by(WorkShift.valid_from, WorkShift.starts_at))
    timetables = groupby(rows, key=lambda row: (row.valid_from, row.valid_to))
    return tuple(
        Season(first, last, tuple((time.fromisoformat(row.starts_at), time.fromisoformat(row.ends_at)) for row in shifts))
        for (first, last), shifts in timetables
    )
