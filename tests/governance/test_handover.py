"""A task goes to a colleague."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import ClaimedByOther
from engine.log import entries
from governance.cases.models import Case
from governance.errors import NotAllowed, NotFound, Refused
from governance.workflow.commands import complete, desk
from governance.workflow.handover import colleagues, transfer
from tests.district import District
from tests.journeys.matters import Matter, acting, place, reported


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
