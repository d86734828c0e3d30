"""What others see of the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from governance.calendar.models import CalendarChange, CalendarDay, DayKind, WorkShift
from governance.calendar.rules import Season, WorkCalendar
from governance.kept import Kept

NOVEMBER = 11
calendar_kept = Kept("calendar", CalendarChange.count)


def working_calendar(session: Session) -> WorkCalendar:
    """The calendar as it is entered now; read anew only when it has changed."""
    return calendar_kept.get(session, None, lambda: _read(session))


def _read(session: Session) -> WorkCalendar:
    days = session.execute(select(CalendarDay.date, CalendarDay.kind))
    return WorkCalendar({day: kind == DayKind.WORK for day, kind in days}, seasons=_seasons(session))


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
