"""How a case follows the log of its instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from engine.instances import CANCELLED, FINISHED
from governance.calendar.rules import Unit as LimitUnit
from governance.calendar.rules import WorkCalendar
from governance.cases.models import Case
from governance.deadlines.rules import Clock, pause, resume

COUNTERS = ("rework_n", "reopen_n", "return_n", "extension_n")
Settings = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Standing:
    """How the instance stands after a command: its data, the settings of its open tasks, and its status."""

    data: Mapping[str, Any]
    open: tuple[Settings, ...]
    status: str
    at: datetime

    @property
    def is_over(self) -> bool:
        return self.status in (FINISHED, CANCELLED)


def follow(case: Case, standing: Standing, calendar: WorkCalendar) -> None:
    """Brings the case's own columns up to the instance."""
    data = standing.data
    case.category = _text(data.get("category"), 8) or case.category
    case.priority = _text(data.get("priority"), 4) or case.priority
    case.tier = data["tier"] if isinstance(data.get("tier"), int) else case.tier
    case.lead_unit_id = _unit_id(data.get("lead_unit"))
    _follow_limit(case, standing, calendar)
    for name in COUNTERS:
        if isinstance(data.get(name), int):
            setattr(case, name, data[name])
    if (reply := _text(data.get("reply_text"))) and reply != case.reply_text:
        case.reply_text, case.replied_at = reply, standing.at
    case.resolved = _text(data.get("resolved"), 20)
    case.satisfaction = data["satisfaction"] if type(data.get("satisfaction")) is int else None
    case.close_code = _text(data.get("close_code"), 20)
    _follow_clock(case, standing, calendar)
    if standing.is_over:
        ended = "已作废" if standing.status == CANCELLED else final_status(case.close_code, data)
        case.status, case.closed_at = ended, standing.at
    else:
        case.status, case.closed_at = _status(standing.open, case.status), None


def final_status(close_code: str | None, data: Mapping[str, Any]) -> str:
    """The status a case ends in."""
    if close_code == "居民撤回":
        return "已撤回"
    if close_code == "并案":
        return "已并案"
    return "不予受理" if data.get("accept_result") == "refuse" else "已结案"


def number(district_code: str, day: date, running: int) -> str:
    """区划 6 位 + 年月日 + 当日序号"""
    return f"{district_code[:6]}{day:%Y%m%d}{running:04d}"


def _status(open_settings: Iterable[Settings], before: str) -> str:
    named = [settings["status"]["value"] for settings in open_settings if "status" in settings]
    return named[-1] if named else before


def _follow_limit(case: Case, standing: Standing, calendar: WorkCalendar) -> None:
    """The whole case's limit begins when it is graded; a reopened case has half of it."""
    amount, unit = standing.data.get("limit_amount"), standing.data.get("limit_unit")
    if not isinstance(amount, int | float) or isinstance(amount, bool) or unit not in set(LimitUnit):
        return
    reopened = isinstance(standing.data.get("reopen_n"), int) and standing.data["reopen_n"] > case.reopen_n
    if case.due_at is None:
        case.due_at = calendar.add(case.clock_opened_at, Fraction(str(amount)), LimitUnit(unit))
        case.due_unit = unit
    elif reopened:
        case.due_at = calendar.add(standing.at, Fraction(str(amount)) / 2, LimitUnit(unit))
        case.clock_opened_at, case.paused_at = standing.at, None


def _follow_clock(case: Case, standing: Standing, calendar: WorkCalendar) -> None:
    if case.due_at is None or case.due_unit is None:
        return
    stopped = any(settings.get("clock", {}).get("paused") == "true" for settings in standing.open)
    clock = Clock(case.due_at, case.paused_at, LimitUnit(case.due_unit), case.clock_opened_at)
    clock = pause(clock, standing.at) if stopped else resume(clock, standing.at, calendar)
    case.due_at, case.paused_at = clock.due_at, clock.paused_at
    case.clock_opened_at = clock.opened_at or case.clock_opened_at


def _text(value: object, limit: int = 4000) -> str | None:
    return value[:limit] if isinstance(value, str) and value else None


def _unit_id(value: object) -> int | None:
    return int(value) if isinstance(value, str) and value.isdecimal() else None
