"""The published holiday notices, as a library knows them: a seed for the editable calendar, and a calendar to plan with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import chain

import chinese_calendar  # type: ignore[import-untyped, unused-ignore]

from governance.calendar.errors import YearNotPublished
from governance.calendar.models import DayKind
from governance.calendar.rules import WorkCalendar


def published(year: int) -> Iterator[tuple[date, DayKind]]:
    """Every day of a year and whether people work on it; raises `YearNotPublished`."""
    try:
        day = date(year, 1, 1)
        while day.year == year:
            yield day, DayKind.WORK if chinese_calendar.is_workday(day) else DayKind.REST
            day += timedelta(days=1)
    except (NotImplementedError, ValueError):
        raise YearNotPublished(year) from None


def planning_calendar(years: Iterable[int]) -> WorkCalendar:
    """The calendar of these years without a district's own changes; years not published are 未定."""
    return WorkCalendar({day: kind == DayKind.WORK for day, kind in chain.from_iterable(_known(year) for year in years)})


def _known(year: int) -> list[tuple[date, DayKind]]:
    try:
        return list(published(year))
    except YearNotPublished:
        return []
