"""The pages beside the tasks: contact, supervision, withdrawal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.district import District
from tests.faults.people import PLACE, Client, first_task, sign_in


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    made = District(tmp_path)
    yield made
    made.close()


def reported(district: District) -> tuple[Client, str, District]:
    resident = Client(district.app().test_client())
    page = f"/report?place={PLACE}"
    place = re.findall(r'name="place" value="(\d+)"', resident.http.get(page).get_data(as_text=True))[-1]
    answer = resident.post("/report", page, text="水管漏水", place=place, contact_mobile="13800001234", contact_name="王女士")
    return resident, answer.headers["Location"].split("?")[0], district


def test_the_contact_is_shown_for_a_reason_and_the_trail_says_so(district: District) -> None:
    reported(district)
    worker = sign_in(district.app(), district, "wanggeyuan")
    task = first_task(worker)
    page = worker.http.get(task).get_data(as_text=True)
    path = re.findall(r'action="(/cases/\d+/contact)"', page)[0]
    assert "13800001234" not in page
    assert worker.post(path, task, reason=" ").status_code == 422
    assert "13800001234" in worker.post(path, task, reason="上门核实").get_data(as_text=True)
    assert "查看联系方式" in worker.http.get(task).get_data(as_text=True)
    stranger = sign_in(district.app(), district, "bumen")
    assert "13800001234" not in stranger.post(path, "/inbox", reason="想看").get_data(as_text=True)


def test_a_leader_supervises_from_the_case(district: District) -> None:
    reported(district)
    leader = sign_in(district.app(), district, "lingdao")
    worker = sign_in(district.app(), district, "wanggeyuan")
    case = re.findall(r"/cases/\d+", worker.http.get(first_task(worker)).get_data(as_text=True))[0]
    assert leader.post(f"{case}/supervise", case, instruction="请三日内办结。", days="3").status_code == 302
    assert "请三日内办结" in leader.http.get(case).get_data(as_text=True)
    assert worker.post(f"{case}/supervise", "/inbox", instruction="快办", days="3").status_code == 403


def test_a_reporter_withdraws_by_the_link(district: District) -> None:
    resident, follow, _ = reported(district)
    assert resident.post(f"{follow}/withdraw", follow, reason="已经修好了").status_code == 302
    page = resident.http.get(follow).get_data(as_text=True)
    assert "已按您的申请撤回" in page and "已撤回" in page
    assert resident.post(f"{follow}/withdraw", follow, reason="再撤").status_code == 409
    assert district.findings() == []
