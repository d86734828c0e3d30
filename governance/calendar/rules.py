"""Working time as arithmetic: pure, no database, no clock.

Moments come in with any zone and go out in UTC; in between they are local wall time of Asia/Shanghai, which has one offset all year.
Loops step over days, never over minutes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from governance.calendar.errors import AmountOutOfRange, NaiveMoment, ShiftsRejected

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY, MINUTE, NOTHING = timedelta(days=1), timedelta(minutes=1), timedelta()
SATURDAY = 5
Shifts = tuple[tuple[time, time], ...]
DEFAULT_SHIFTS: Shifts = ((time(9), time(12)), (time(14), time(18)))


class Unit(StrEnum):
    """What a limit is counted in (时限单位)."""

    WORK_HOURS = "work_hours"
    URGENT_HOURS = "urgent_hours"
    WORK_DAYS = "work_days"
    CALENDAR_DAYS = "calendar_days"

    @property
    def label(self) -> str:
        """The unit as regulations write it."""
        return LABELS[self]

    @property
    def is_work(self) -> bool:
        """Whether only working time counts; the others run day and night."""
        return self in (Unit.WORK_HOURS, Unit.WORK_DAYS)


LABELS = {Unit.WORK_HOURS: "工作时", Unit.URGENT_HOURS: "紧急工作时", Unit.WORK_DAYS: "工作日", Unit.CALENDAR_DAYS: "自然日"}
# Ten years: beyond it a limit is a typing mistake, and the day loops stay bounded.
LONGEST = {Unit.WORK_HOURS: 30_000, Unit.URGENT_HOURS: 87_600, Unit.WORK_DAYS: 2_500, Unit.CALENDAR_DAYS: 3_650}


@dataclass(frozen=True)
class Season:
    """A timetable in force for a while, such as summer hours (夏季作息)."""

    first: date
    last: date | None
    shifts: Shifts

    def __post_init__(self) -> None:
        check_shifts(self.shifts)

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True)
class WorkCalendar:
    """Which days people work and when (工作日历). Of seasons that overlap, the one that began last counts."""

    days: Mapping[date, bool]
    shifts: Shifts = DEFAULT_SHIFTS
    seasons: tuple[Season, ...] = ()

    def __post_init__(self) -> None:
        check_shifts(self.shifts)
        object.__setattr__(self, "seasons", tuple(sorted(self.seasons, key=lambda season: season.first, reverse=True)))

    def is_working(self, day: date) -> bool:
        """The entered kind of the day; without one, Monday to Friday."""
        known = self.days.get(day)
        return day.weekday() < SATURDAY if known is None else known

    def undecided(self, day: date) -> bool:
        """未定: the day is a guess because its year's notice is not entered.

        New Year's Day stands for the notice: every notice begins with it, and one day set by hand must not make a year look known.
        """
        return day not in self.days and date(day.year, 1, 1) not in self.days

    def shifts_on(self, day: date) -> Shifts:
        """The shifts of a working day at that time of the year."""
        return next((season.shifts for season in self.seasons if season.covers(day)), self.shifts)

    def add(self, start: datetime, amount: Fraction | int, unit: Unit) -> datetime:
        """The instant at which a limit that began at `start` runs out. A limit of nothing runs out at once."""
        amount = Fraction(amount)
        if not 0 <= amount <= LONGEST[unit]:
            raise AmountOutOfRange(amount)
        begun = _local(start)
        if not amount:
            return _outside(begun)
        match unit:
            case Unit.WORK_HOURS:
                return _outside(self._forward(begun, _hours(amount)))
            case Unit.URGENT_HOURS:
                return _outside(begun + _hours(amount))
            case Unit.WORK_DAYS:
                return _outside(self._after_days(begun, amount))
            case Unit.CALENDAR_DAYS:
                return _outside(self._end_of_period(begun.date() + math.ceil(amount) * DAY))

    def working_time(self, start: datetime, end: datetime) -> timedelta:
        """The working time between two moments; none when the second is not later."""
        return self._worked(_local(start), _local(end))

    def working_minutes(self, start: datetime, end: datetime) -> int:
        """Whole minutes of working time between two moments."""
        return self.working_time(start, end) // MINUTE

    def working_days(self, start: datetime, end: datetime) -> int:
        """Working days from the day after `start` up to the day of `end`."""
        day, last, count = _local(start).date() + DAY, _local(end).date(), 0
        while day <= last:
            count += self.is_working(day)
            day += DAY
        return count

    def forward(self, start: datetime, work: timedelta) -> datetime:
        """The instant at which `work` has been worked since `start`."""
        return _outside(self._forward(_local(start), work))

    def back(self, end: datetime, work: timedelta) -> datetime:
        """The last instant from which `work` is worked until `end`."""
        return _outside(self._back(_local(end), work))

    def length(self, day: date) -> timedelta:
        """The working time of that day were it a working day."""
        return _length(self.shifts_on(day))

    def _after_days(self, begun: datetime, amount: Fraction) -> datetime:
        """民法典第 201 条: the day it begins on does not count; the part of a day follows the last whole one."""
        whole, day, left = int(amount), begun.date(), int(amount)
        while left:
            day += DAY
            left -= self.is_working(day)
        moment = datetime.combine(day, self.shifts_on(day)[-1][1]) if whole else begun
        return self._part_of_day(moment, amount - whole)

    def _part_of_day(self, moment: datetime, part: Fraction) -> datetime:
        """Half a working day is half of that day's hours; what today no longer holds weighs the same share of the next working day."""
        day = moment.date()
        midnight = datetime.combine(day + DAY, time())
        wanted, left = math.ceil(self.length(day) // MINUTE * part) * MINUTE, self._worked(moment, midnight)
        if wanted <= left:
            return self._forward(moment, wanted)
        following = self._working_from(day + DAY)
        return self._forward(midnight, (wanted - left) * (self.length(following) / self.length(day)))

    def _working_from(self, day: date) -> date:
        while not self.is_working(day):
            day += DAY
        return day

    def _end_of_period(self, day: date) -> datetime:
        """民法典第 203 条: a period whose last day is a rest day ends on the next working day."""
        return datetime.combine(self._working_from(day), time(23, 59, 59))

    def _forward(self, moment: datetime, work: timedelta) -> datetime:
        day = moment.date()
        while work > NOTHING:
            if self.is_working(day):
                shifts = self.shifts_on(day)
                if day != moment.date() and work > _length(shifts):
                    work -= _length(shifts)
                else:
                    for starts, ends in shifts:
                        begins = max(datetime.combine(day, starts), moment)
                        left = datetime.combine(day, ends) - begins
                        if left >= work:
                            return begins + work
                        work -= max(left, NOTHING)
            day += DAY
        return moment

    def _back(self, moment: datetime, work: timedelta) -> datetime:
        day = moment.date()
        while work > NOTHING:
            if self.is_working(day):
                for starts, ends in reversed(self.shifts_on(day)):
                    finished = min(datetime.combine(day, ends), moment)
                    left = finished - datetime.combine(day, starts)
                    if left >= work:
                        return finished - work
                    work -= max(left, NOTHING)
            day -= DAY
        return moment

    def _worked(self, start: datetime, end: datetime) -> timedelta:
        day, last, worked = start.date(), end.date(), NOTHING
        while day <= last:
            if self.is_working(day):
                shifts = self.shifts_on(day)
                if start.date() < day < last:
                    worked += _length(shifts)
                else:
                    for starts, ends in shifts:
                        part = min(datetime.combine(day, ends), end) - max(datetime.combine(day, starts), start)
                        worked += max(part, NOTHING)
            day += DAY
        return worked


def moment_told(text: object) -> datetime:
    """The moment that a page or a client means, in ISO 8601: pages send local time without a zone. Raises `ValueError`."""
    at = datetime.fromisoformat(str(text))
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)


def first_day(noticed: date, days: int) -> date:
    """The first day on which something that was noticed so many days before may be held.

    民法典第 201 条: the day of the notice does not count. Whether the last day of the notice may be the day itself the law does not
    say; the strict reading, by which so many whole days lie in between, can be held against nobody.
    """
    return noticed + (days + 1) * DAY if days else noticed


def check_shifts(shifts: Shifts) -> None:
    """Shifts follow one another inside one day."""
    edges = [edge for shift in shifts for edge in shift]
    if not edges or any(later < earlier for earlier, later in pairwise(edges)):
        raise ShiftsRejected
    if any(starts == ends for starts, ends in shifts):
        raise ShiftsRejected


@lru_cache(maxsize=64)
def _length(shifts: Shifts) -> timedelta:
    return sum((datetime.combine(date.min, ends) - datetime.combine(date.min, starts) for starts, ends in shifts), NOTHING)


def _hours(amount: Fraction) -> timedelta:
    """Parts of an hour are rounded up to the minute."""
    return math.ceil(amount * 60) * MINUTE


def _local(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise NaiveMoment(moment)
    return moment.astimezone(SHANGHAI).replace(tzinfo=None)


def _outside(local: datetime) -> datetime:
    return local.replace(tzinfo=SHANGHAI).astimezone(UTC)
