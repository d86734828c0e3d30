"""How far a limit is used, what a pause does to it, and how people read what is left. Pure; knows no case and no task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from governance.calendar.rules import DAY, MINUTE, SHANGHAI, Unit, WorkCalendar

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


class Light(StrEnum):
    """The colour of a deadline (红黄绿灯)."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


def light(opened_at: datetime, due_at: datetime, now: datetime, calendar: WorkCalendar, unit: Unit) -> Light:
    """Yellow from three quarters used. Red is simply past due, so that the light and 按期 never disagree over a weekend."""
    if now > due_at:
        return Light.RED
    return Light.YELLOW if now >= warn_at(opened_at, due_at, unit, calendar) else Light.GREEN


def warn_at(opened_at: datetime, due_at: datetime, unit: Unit, calendar: WorkCalendar) -> datetime:
    """The instant at which three quarters of the limit are used."""
    limit = _between(opened_at, due_at, unit, calendar)
    if limit:
        return _later(opened_at, limit * 3 / 4, unit, calendar)
    # No working time lies between: a due date set by hand, on a rest day.
    return min(due_at, opened_at + (due_at - opened_at) * 3 / 4)


@dataclass(frozen=True)
class Clock:
    """A running or paused limit (计时).

    `opened_at` is what the light counts from. It moves with the pauses, or paused time would count as used; the record of opening stays.
    """

    due_at: datetime
    paused_at: datetime | None
    unit: Unit
    opened_at: datetime | None = None

    def reads(self, now: datetime) -> datetime:
        """The moment the clock shows: a paused one stands still."""
        return now if self.paused_at is None else min(now, self.paused_at)


def pause(clock: Clock, now: datetime) -> Clock:
    """停表; one that is paused stays as it is."""
    return clock if clock.paused_at else replace(clock, paused_at=now)


def resume(clock: Clock, now: datetime, calendar: WorkCalendar) -> Clock:
    """续表: what was left at the pause is left now, and what was overdue is as overdue; a running clock stays as it is."""
    paused_at = clock.paused_at
    if paused_at is None:
        return clock
    if not _between(paused_at, now, clock.unit, calendar):
        return replace(clock, paused_at=None)

    def moved(moment: datetime) -> datetime:
        if moment >= paused_at:
            return _later(now, _between(paused_at, moment, clock.unit, calendar), clock.unit, calendar)
        # At least a second: due on Friday evening and paused on Saturday is overdue, with no working time to show for it.
        return _earlier(now, max(_between(moment, paused_at, clock.unit, calendar), SECOND), clock.unit, calendar)

    return replace(clock, due_at=moved(clock.due_at), opened_at=clock.opened_at and moved(clock.opened_at), paused_at=None)


def remaining_words(due_at: datetime, now: datetime, calendar: WorkCalendar, unit: Unit) -> str:
    """剩 3 个工作时 20 分, 剩 2 个工作日, 超期 1 天 2 小时: working time for limits in working time, and named so."""
    if now > due_at:
        over = _between(due_at, now, unit, calendar)
        return f"超期 {_words(over, Unit.WORK_DAYS if unit.is_work else unit, calendar, now)}" if over >= MINUTE else "已超期"
    left = _between(now, due_at, unit, calendar)
    if left < MINUTE:
        return "剩不足 1 分"
    if unit is Unit.WORK_DAYS and (days := _whole_days_left(now, due_at, left, calendar)):
        return f"剩 {days} 个工作日"
    return f"剩 {_words(left, unit, calendar, now)}"


def used_words(opened_at: datetime, closed_at: datetime, calendar: WorkCalendar, unit: Unit, *, whole_days: bool = True) -> str:
    """3 个工作时 20 分, 2 个工作日: how long something took, counted as its limit is. Parts of days are not told in whole days."""
    if whole_days and unit is Unit.WORK_DAYS and (days := calendar.working_days(opened_at, closed_at)):
        return f"{days} 个工作日"
    used = _between(opened_at, closed_at, unit, calendar)
    if used < MINUTE:
        return "不足 1 分"
    return _words(used, unit, calendar, closed_at)


def _whole_days_left(now: datetime, due_at: datetime, left: timedelta, calendar: WorkCalendar) -> int:
    """Today does not count, as it does not in the limit; nor does a day that a resumed clock no longer fills."""
    return min(calendar.working_days(now, due_at), left // calendar.length(due_at.astimezone(SHANGHAI).date()))


def _words(span: timedelta, unit: Unit, calendar: WorkCalendar, on: datetime) -> str:
    """Two parts at most: nobody plans by the minute a day ahead. Limits in hours are told in hours."""
    hour = "个工作时" if unit.is_work else "小时"
    day = calendar.length(on.astimezone(SHANGHAI).date()) if unit.is_work else DAY
    days, rest = divmod(span, day) if unit is not Unit.WORK_HOURS else (0, span)
    hours, minutes = divmod(rest // MINUTE, 60)
    parts = [(days, "个工作日" if unit.is_work else "天"), (hours, hour), (0 if days else minutes, "分")]
    return " ".join(f"{count} {name}" for count, name in parts if count)


def _between(start: datetime, end: datetime, unit: Unit, calendar: WorkCalendar) -> timedelta:
    return calendar.working_time(start, end) if unit.is_work else max(end - start, timedelta())


def _later(start: datetime, span: timedelta, unit: Unit, calendar: WorkCalendar) -> datetime:
    return calendar.forward(start, span) if unit.is_work else start + span


def _earlier(end: datetime, span: timedelta, unit: Unit, calendar: WorkCalendar) -> datetime:
    return calendar.back(end, span) if unit.is_work else end - span
