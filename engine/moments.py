"""Instants and ISO 8601 durations, as BPMN writes them: `P7D`, `R3/PT1H`, `2026-05-01T09:00+08:00`."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_DURATION = re.compile(
    r"P(?=.)(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,5})M)?(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,7})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,9})S)?)?"
)
_CYCLE = re.compile(r"R(?P<count>\d{0,4})/(?P<rest>.+)")


@dataclass(frozen=True)
class Duration:
    """A span in calendar months and exact time."""

    months: int
    rest: timedelta

    def after(self, moment: datetime) -> datetime:
        """`moment` moved on by this span; the day is clipped to the month's last. Raises ValueError beyond the year 9999."""
        years, month = divmod(moment.year * 12 + moment.month - 1 + self.months, 12)
        try:
            day = min(moment.day, calendar.monthrange(years, month + 1)[1])
            return moment.replace(year=years, month=month + 1, day=day) + self.rest
        except (ValueError, OverflowError):
            raise ValueError("时间超出了公元 9999 年。") from None


@dataclass(frozen=True)
class Cycle:
    """A repeating timer. `count` None repeats for ever; `first` None starts one interval after arming."""

    count: int | None
    interval: Duration
    first: datetime | None = None


def parse_duration(text: str) -> Duration:
    """Reads `P1DT2H`; raises ValueError with a Chinese sentence."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise ValueError(f"“{text[:60]}”不是 ISO 8601 时长（例如 P7D、PT2H）。")
    part = {name: int(value) for name, value in found.groupdict(default="0").items()}
    rest = timedelta(weeks=part["weeks"], days=part["days"], hours=part["hours"], minutes=part["minutes"], seconds=part["seconds"])
    return Duration(part["years"] * 12 + part["months"], rest)


def parse_instant(text: str) -> datetime:
    """Reads an instant that names its offset; raises ValueError with a Chinese sentence."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"“{text[:60]}”不是 ISO 8601 时刻（例如 2026-05-01T09:00+08:00）。") from None
    if moment.tzinfo is None:
        raise ValueError(f"时刻“{text[:60]}”没有写明时区（例如 +08:00）。")
    return moment.astimezone(UTC)


def parse_cycle(text: str) -> Cycle:
    """Reads `R3/PT1H`, `R/PT1H` or `R3/<instant>/PT1H`; raises ValueError with a Chinese sentence."""
    found = _CYCLE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"“{text[:60]}”不是 ISO 8601 重复周期（例如 R3/PT1H）。")
    first, _, interval = found["rest"].rpartition("/")
    duration = parse_duration(interval)
    if duration.after(datetime(2000, 1, 1, tzinfo=UTC)) < datetime(2000, 1, 1, 0, 1, tzinfo=UTC):
        raise ValueError(f"重复周期“{text[:60]}”短于一分钟。")
    return Cycle(int(found["count"]) if found["count"] else None, duration, parse_instant(first) if first else None)
