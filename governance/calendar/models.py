"""What is stored of the calendar: one row for each known day, and the shifts of a working day over time."""

from __future__ import annotations

import datetime
from enum import StrEnum

from sqlalchemy import Date, String
from sqlalchemy.orm import Mapped, mapped_column

from governance.base import Base


class DayKind(StrEnum):
    """Whether people work on a day: 工作日 or 休息日."""

    WORK = "work"
    REST = "rest"


class CalendarDay(Base):
    """One day as the published holiday notice, or a person here, decided it."""

    __tablename__ = "calendar_days"

    date: Mapped[datetime.date] = mapped_column(Date, primary_key=True)
    kind: Mapped[str] = mapped_column(String(4))
    source: Mapped[str] = mapped_column(String(100))
    note: Mapped[str] = mapped_column(String(200), default="")


class CalendarChange(Base):
    """How often the calendar has changed: what was read stays good until this moves.

    Running limits follow: `followed` is the change they have all taken in, `cursor` how far the next round has come.
    """

    __tablename__ = "calendar_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int]
    followed: Mapped[int] = mapped_column(default=0)
    following: Mapped[int] = mapped_column(default=0)
    cursor: Mapped[int] = mapped_column(default=0)


class WorkShift(Base):
    """One shift (班次) of the working day, `HH:MM` local time. Rows that share `valid_from` are one timetable; the latest in force wins."""

    __tablename__ = "work_shifts"

    id: Mapped[int] = mapped_column(primary_key=True)
    starts_at: Mapped[str] = mapped_column(String(5))
    ends_at: Mapped[str] = mapped_column(String(5))
    valid_from: Mapped[datetime.date] = mapped_column(Date, index=True)
    valid_to: Mapped[datetime.date | None] = mapped_column(Date)
