"""How a case follows the log of its instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from engine.world import CANCELLED, FINISHED
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
    _wind(case, ticked(_clock(case), standing, calendar))
    for name in COUNTERS:
        if isinstance(data.get(name), int):
            setattr(case, name, data[name])
    if (reply := _text(data.get("reply_text"))) != case.reply_text:
        case.reply_text, case.replied_at = reply, standing.at if reply else None
    case.resolved = _text(data.get("resolved"), 20)
    case.satisfaction = data["satisfaction"] if type(data.get("satisfaction")) is int else None
    case.close_code = _text(data.get("close_code"), 20)
    ended = standing.is_over or (case.close_code is not None and bool(standing.open) and not _named(standing.open))
    if ended:
        case.status = "已作废" if standing.status == CANCELLED else final_status(case.close_code, data)
        case.closed_at = case.closed_at or standing.at
    else:
        case.status, case.closed_at = (_named(standing.open) or [case.status])[-1], None


@dataclass(frozen=True)
class CaseClock:
    """The whole case's limit, as the commands so far have set it. `opened_at` moves with pauses."""

    opened_at: datetime
    due_at: datetime | None = None
    unit: LimitUnit | None = None
    paused_at: datetime | None = None
    reopen_n: int = 0
    extension_n: int = 0


def ticked(clock: CaseClock, standing: Standing, calendar: WorkCalendar) -> CaseClock:
    """The clock after one more command.

    The limit begins with the report and is known once the case is graded; a reopened case has half of it. An extension adds
    the length of the step that asked for it. Some tasks stop the clock while they are open.
    """
    data, at = standing.data, standing.at
    limit = _limit(data, "limit_amount", "limit_unit")
    if limit and clock.due_at is None:
        clock = replace(clock, due_at=calendar.add(clock.opened_at, *limit), unit=limit[1])
    elif limit and _count(data, "reopen_n") > clock.reopen_n:
        clock = replace(clock, due_at=calendar.add(at, limit[0] / 2, limit[1]), unit=limit[1], opened_at=at, paused_at=None)
    clock = _paused_or_not(clock, standing, calendar)
    step = _limit(data, "step_amount", "step_unit")
    if step and clock.due_at and _count(data, "extension_n") > clock.extension_n:
        clock = replace(clock, due_at=calendar.add(max(clock.due_at, at), *step))
    return replace(clock, reopen_n=_count(data, "reopen_n"), extension_n=_count(data, "extension_n"))


def _paused_or_not(clock: CaseClock, standing: Standing, calendar: WorkCalendar) -> CaseClock:
    if clock.due_at is None or clock.unit is None:
        return clock
    stopped = any(settings.get("clock", {}).get("paused") == "true" for settings in standing.open)
    hand = Clock(clock.due_at, clock.paused_at, clock.unit, clock.opened_at)
    hand = pause(hand, standing.at) if stopped else resume(hand, standing.at, calendar)
    return replace(clock, due_at=hand.due_at, paused_at=hand.paused_at, opened_at=hand.opened_at or clock.opened_at)


def _clock(case: Case) -> CaseClock:
    unit = LimitUnit(case.due_unit) if case.due_unit else None
    return CaseClock(case.clock_opened_at, case.due_at, unit, case.paused_at, case.reopen_n, case.extension_n)


def _wind(case: Case, clock: CaseClock) -> None:
    case.clock_opened_at, case.due_at, case.paused_at = clock.opened_at, clock.due_at, clock.paused_at
    case.due_unit = clock.unit.value if clock.unit else None


def _limit(data: Mapping[str, Any], amount: str, unit: str) -> tuple[Fraction, LimitUnit] | None:
    number, of = data.get(amount), data.get(unit)
    if not isinstance(number, int | float) or isinstance(number, bool) or number <= 0 or of not in set(LimitUnit):
        return None
    return Fraction(str(number)), LimitUnit(of)


def _count(data: Mapping[str, Any], name: str) -> int:
    return data[name] if type(data.get(name)) is int else 0


def reckon(case: Case, standings: Iterable[Standing], calendar: WorkCalendar) -> bool:
    """Sets the case's clock anew from all that happened to it, by today's calendar; says whether that changed it."""
    before, clock = _clock(case), CaseClock(case.reported_at)
    for standing in standings:
        clock = ticked(clock, standing, calendar)
    _wind(case, clock)
    return _clock(case) != before


def go_back(case: Case, data: Mapping[str, Any], standings: Iterable[Standing], calendar: WorkCalendar) -> None:
    """Leaves nothing on the case of what was taken back: neither what was found of it, nor what it did to the clock."""
    case.category = _text(data.get("category"), 8)
    for name in COUNTERS:
        setattr(case, name, _count(data, name))
    reckon(case, standings, calendar)


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


def _named(open_settings: Iterable[Settings]) -> list[str]:
    """The statuses that open tasks give; a case at which only tasks without one are open, a supervision to be answered, is closed."""
    return [settings["status"]["value"] for settings in open_settings if "status" in settings]


def _text(value: object, limit: int = 4000) -> str | None:
    return value[:limit] if isinstance(value, str) and value else None


def _unit_id(value: object) -> int | None:
    return int(value) if isinstance(value, str) and value.isdecimal() else None
