"""A task goes to a colleague, or comes back to whoever has just finished it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import ClaimedByOther, TaskClosed
from engine.log import entries
from governance.cases.models import Case
from governance.errors import NotAllowed, NotFound, Refused
from governance.workflow.commands import complete, desk
from governance.workflow.handover import TooLateToWithdraw, colleagues, may_withdraw, transfer, withdraw
from tests.district import District
from tests.journeys.matters import Matter, acting, place, reported

UP = {"handle_result": "escalate", "work_done": "已围挡。", "escalation_reason": "没有能力。"}


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    made = District(tmp_path)
    yield made
    assert made.findings() == []
    made.close()


@pytest.fixture
def matter(district: District) -> Matter:
    return reported(district, place(1))


def kinds(matter: Matter) -> list[str]:
    with matter.district.office.work() as context:
        instance_id = context.session.get_one(Case, matter.case_id).instance_id
        assert instance_id
        return [entry.kind for entry in entries(context.session.connection(), instance_id)]


def test_a_task_is_handed_to_a_colleague_who_then_does_it_alone(district: District, matter: Matter) -> None:
    task = matter.task()
    with district.office.work() as context:
        worker = acting(context, "wanggeyuan")
        chosen = colleagues(context, worker, desk(context, task))[0].person_id
        transfer(context, worker, task, chosen, "我今天外出，请代为受理。")
        with pytest.raises(NotAllowed):
            complete(context, worker, task, {"accept_result": "accept", "category": "0205"})
    assert kinds(matter) == ["start", "transfer"]
    matter.do(accept_result="accept", category="0205")
    assert kinds(matter)[-1] == "complete"


@pytest.mark.parametrize("who", ["wanggeyuan", "bumen", "guanli"])
def test_only_colleagues_can_be_handed_a_task(district: District, matter: Matter, who: str) -> None:
    task = matter.task()
    with district.office.work() as context, pytest.raises(Refused, match="请从可以转办的人员中选择"):
        transfer(context, acting(context, "wanggeyuan"), task, acting(context, who).person_id, "请代办")


def test_only_who_has_a_task_hands_it_on_and_says_why(district: District, matter: Matter) -> None:
    task = matter.task()
    with district.office.work() as context:
        worker = acting(context, "wanggeyuan")
        lead = acting(context, "wangge")
        with pytest.raises(NotAllowed):
            transfer(context, acting(context, "bumen"), task, lead.person_id, "请代办")
        with pytest.raises(Refused, match="请写明原因"):
            transfer(context, worker, task, lead.person_id, "  ")
        with pytest.raises(NotFound):
            transfer(context, worker, 5, lead.person_id, "请代办")
    matter.take("wangge")
    with district.office.work() as context, pytest.raises(ClaimedByOther):
        transfer(context, acting(context, "wanggeyuan"), task, acting(context, "wangge").person_id, "请代办")


def test_what_the_diagram_keeps_with_a_post_is_not_handed_on(district: District, matter: Matter) -> None:
    matter.accepted().do(handle_result="extend", extension_reason="等配件。", opinion="等配件。")
    task = matter.task("approve_extension")
    with district.office.work() as context, pytest.raises(NotAllowed):
        transfer(context, acting(context, "jiedao"), task, acting(context, "zhihui").person_id, "请代批")


def test_a_completion_is_taken_back_while_nobody_has_touched_what_came_of_it(district: District, matter: Matter) -> None:
    matter.accepted()
    task = matter.task("handle_at_tier")
    matter.do("loudong", opinion="请网格统筹。", step="handle_at_tier", **UP)
    with district.office.work() as context:
        owner = acting(context, "loudong")
        assert may_withdraw(context, owner, desk(context, task))
        withdraw(context, owner, task, "附件传错了。")
    assert matter.open() == ["handle_at_tier"] and kinds(matter)[-1] == "rewind"
    matter.do("loudong", opinion="请网格统筹。", step="handle_at_tier", **UP)
    with district.office.work() as context, pytest.raises(TooLateToWithdraw):
        withdraw(context, acting(context, "loudong"), task, "再取一次。")


@pytest.mark.parametrize("touch", ["claimed", "done"])
def test_what_somebody_has_begun_stays(district: District, matter: Matter, touch: str) -> None:
    matter.accepted()
    task = matter.task("handle_at_tier")
    matter.do("loudong", opinion="请网格统筹。", step="handle_at_tier", **UP)
    if touch == "claimed":
        matter.take("wangge")
    else:
        matter.do("wangge", opinion="请片区统筹。", step="handle_at_tier", **UP)
    before = kinds(matter)
    with district.office.work() as context:
        owner = acting(context, "loudong")
        assert not may_withdraw(context, owner, desk(context, task))
        with pytest.raises(TooLateToWithdraw):
            withdraw(context, owner, task, "附件传错了。")
    assert kinds(matter) == before


def test_nobody_takes_back_what_others_did_or_what_is_over(district: District, matter: Matter) -> None:
    task = matter.task()
    with district.office.work() as context, pytest.raises(NotAllowed):
        withdraw(context, acting(context, "wanggeyuan"), task, "取回")
    matter.do("wanggeyuan", accept_result="accept", category="0205")
    with district.office.work() as context, pytest.raises(NotAllowed):
        withdraw(context, acting(context, "wangge"), task, "取回")
    with district.office.work() as context, pytest.raises(TaskClosed):
        complete(context, acting(context, "wanggeyuan"), task, {})
