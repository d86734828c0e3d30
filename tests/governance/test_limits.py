"""Running limits and the working calendar."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.log import entries
from engine.schema import task_candidates, tasks
from governance.calendar.commands import set_day
from governance.calendar.models import CalendarChange, DayKind
from governance.calendar.rules import SHANGHAI
from governance.cases.models import Case
from tests.district import District
from tests.journeys.matters import Matter, place, reported


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    made = District(tmp_path)
    made.tick()
    yield made
    made.close()


def rest(district: District, day: date) -> None:
    with district.office.work() as context:
        set_day(context.session, day, DayKind.REST, "停水停电", by="张三")


def dues(district: District, matter: Matter) -> tuple[str, str, str]:
    """Of the open task, of its row in the inbox, of the case."""
    task_id = matter.task()
    with district.office.work() as context:
        task = context.session.connection().execute(select(tasks).where(tasks.c.id == task_id)).one()
        listed = context.session.connection().scalar(select(task_candidates.c.due_at).where(task_candidates.c.task_id == task.id))
        case = context.session.get_one(Case, matter.case_id)
        return tuple(at.astimezone(SHANGHAI).strftime("%m-%d %H:%M") if at else "" for at in (task.due_at, listed, case.due_at))  # type: ignore[return-value]


def kinds(district: District, matter: Matter) -> list[str]:
    with district.office.work() as context:
        instance_id = context.session.get_one(Case, matter.case_id).instance_id
        assert instance_id
        return [entry.kind for entry in entries(context.session.connection(), instance_id)]


def test_a_new_day_of_rest_moves_what_was_due_after_it(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    assert dues(district, matter) == ("03-03 18:00", "03-03 18:00", "03-09 23:59")
    rest(district, date(2026, 3, 3))
    district.tick()
    assert dues(district, matter) == ("03-04 18:00", "03-04 18:00", "03-09 23:59")
    assert kinds(district, matter)[-1] == "reschedule" and district.findings() == []


def test_a_change_that_moves_nothing_leaves_no_trace(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    before = kinds(district, matter)
    rest(district, date(2026, 7, 1))
    district.tick()
    assert kinds(district, matter) == before
    with district.office.work() as context:
        changes = context.session.get_one(CalendarChange, 1)
        assert changes.followed == changes.count


def test_the_reminder_moves_with_the_limit(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    rest(district, date(2026, 3, 3))
    district.tick()
    district.clock.pass_by(days=1, hours=9)
    district.tick()
    assert "message" not in kinds(district, matter)[-1:]
    district.clock.pass_by(days=1)
    district.tick()
    assert kinds(district, matter)[-2:] == ["message", "message"] and district.findings() == []


def test_a_paused_and_resumed_limit_follows_too(district: District) -> None:
    matter = reported(district, place(1)).do(accept_result="supplement", category="0205", supplement_wanted="请问是几单元？")
    district.clock.pass_by(days=1)
    matter.answer(supplement_result="supplied", supplement_text="2 单元")
    matter.accepted()
    before = dues(district, matter)
    rest(district, date(2026, 3, 4))
    district.tick()
    after = dues(district, matter)
    assert (before[0], after[0]) == ("03-04 18:00", "03-05 18:00") and district.findings() == []


def test_an_approved_extension_extends_the_case_by_the_step(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    district.clock.pass_by(hours=1)
    case_due = dues(district, matter)[2]
    matter.do(handle_result="extend", extension_reason="等待配件到货。", opinion="配件订货中。", work_done="已联系厂家。")
    matter.do(extension_result="agree", extension_note="同意。")
    with district.office.work() as context:
        case = context.session.get_one(Case, matter.case_id)
        assert case.extension_n == 1 and case.due_at and case.due_at.astimezone(SHANGHAI).strftime("%m-%d %H:%M") > case_due
    assert district.findings() == []


def test_a_poisoned_instance_holds_up_no_other(district: District) -> None:
    first, second = reported(district, place(1)).accepted(), reported(district, place(2)).accepted()
    task = first.task()
    with district.office.work() as context:
        context.session.connection().execute(
            tasks.update().where(tasks.c.id == task).values(assignment='{"why":{"limit":{"unit":"weeks"}}}')
        )
    rest(district, date(2026, 3, 3))
    district.tick()
    assert dues(district, second)[0] == "03-04 18:00"


def test_what_could_not_follow_is_tried_again_before_the_round_ends(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    task = matter.task()
    with district.office.work() as context:
        kept = context.session.connection().scalar(select(tasks.c.assignment).where(tasks.c.id == task))
        broken = tasks.update().where(tasks.c.id == task).values(assignment='{"why":{"limit":{"unit":"weeks"}}}')
        context.session.connection().execute(broken)
    rest(district, date(2026, 3, 3))
    runner = district.office.runner
    for _ in range(3):
        runner.tick()
    with district.office.work() as context:
        assert context.session.get_one(CalendarChange, 1).followed < context.session.get_one(CalendarChange, 1).count
        context.session.connection().execute(tasks.update().where(tasks.c.id == task).values(assignment=kept))
    district.clock.pass_by(minutes=2)
    while runner.tick():
        continue
    assert dues(district, matter)[0] == "03-04 18:00" and district.findings() == []
