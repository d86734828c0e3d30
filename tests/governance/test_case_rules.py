"""How a case follows its instance: limits, the two clocks, pauses, reopening, the final status."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.world import CANCELLED, FINISHED, RUNNING
from governance.calendar.rules import SHANGHAI, WorkCalendar
from governance.cases.models import Case
from governance.cases.rules import Standing, final_status, follow, number
from tests.district import MONDAY

CALENDAR = WorkCalendar({})
PAUSED = {"clock": {"paused": "true"}, "status": {"value": "挂账"}}
WORKING = {"status": {"value": "处置中"}}


def a_case(**columns: Any) -> Case:
    base = {
        "status": "待受理",
        "reported_at": MONDAY,
        "clock_opened_at": MONDAY,
        "rework_n": 0,
        "reopen_n": 0,
        "return_n": 0,
        "extension_n": 0,
    }
    return Case(**(base | columns))


def go(case: Case, at: datetime, *settings: Any, over: str = RUNNING, **data: Any) -> Case:
    follow(case, Standing(data, settings, over, at), CALENDAR)
    return case


def test_the_whole_limit_begins_with_the_report() -> None:
    graded = go(a_case(), MONDAY + timedelta(hours=3), WORKING, limit_amount=7, limit_unit="calendar_days", priority="P3")
    assert graded.due_at and graded.due_at.astimezone(SHANGHAI).strftime("%m-%d %H:%M") == "03-09 23:59"
    assert (graded.status, graded.priority) == ("处置中", "P3")


def test_the_clock_rests_while_shelved_and_goes_on_after() -> None:
    case = go(a_case(), MONDAY, WORKING, limit_amount=10, limit_unit="work_hours")
    before = case.due_at
    shelved = go(case, MONDAY + timedelta(hours=1), PAUSED, limit_amount=10, limit_unit="work_hours")
    assert shelved.paused_at and shelved.status == "挂账" and shelved.due_at == before
    resumed = go(case, MONDAY + timedelta(days=30, hours=1), WORKING, limit_amount=10, limit_unit="work_hours")
    assert before and resumed.due_at and resumed.paused_at is None and resumed.due_at > before + timedelta(days=29)
    assert CALENDAR.working_minutes(MONDAY + timedelta(days=30, hours=1), resumed.due_at) == 9 * 60


def test_a_reopened_case_has_half_the_limit() -> None:
    case = go(a_case(), MONDAY, WORKING, limit_amount=8, limit_unit="work_hours")
    later = MONDAY + timedelta(days=7)
    reopened = go(case, later, WORKING, limit_amount=8, limit_unit="work_hours", reopen_n=1)
    assert reopened.due_at and CALENDAR.working_minutes(later, reopened.due_at) == 4 * 60 and reopened.reopen_n == 1


@pytest.mark.parametrize(
    "code, data, status",
    [
        ("已解决", {}, "已结案"),
        ("居民撤回", {}, "已撤回"),
        ("并案", {}, "已并案"),
        ("转其他法定渠道", {"accept_result": "refuse"}, "不予受理"),
    ],
)
def test_how_a_case_ends(code: str, data: dict[str, Any], status: str) -> None:
    assert final_status(code, data) == status


def test_nonsense_in_the_data_never_reaches_the_columns() -> None:
    case = go(a_case(), MONDAY, tier="three", lead_unit={"a": 1}, limit_amount=True, limit_unit="weeks", satisfaction="很好", reopen_n="9")
    assert (case.tier, case.lead_unit_id, case.due_at, case.satisfaction, case.reopen_n) == (None, None, None, None, 0)


def test_silence_is_not_satisfaction() -> None:
    assert go(a_case(), MONDAY, over=FINISHED, close_code="已解决", evaluated=False).satisfaction is None


def test_the_number_tells_district_and_day() -> None:
    assert number("500199-x", MONDAY.date(), 7) == "500199202603020007"


def test_a_cancelled_case_is_void() -> None:
    assert go(a_case(), MONDAY, over=CANCELLED).status == "已作废"
