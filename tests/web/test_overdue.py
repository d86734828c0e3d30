"""超期处理 on the pages: what will become of a task, who had it, and what they had filled in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from governance.identity.models import Account
from tests.district import District
from tests.faults.people import Client, sign_in
from tests.governance.test_overdue import GRID, asked, holder, sector


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    made = District(tmp_path)
    yield made
    made.close()


def at(district: District, post: str, code: str = "") -> Client:
    with district.office.work() as context:
        who = holder(district, context, post, code or sector(context)).person_id
        username = context.session.scalars(select(Account.username).where(Account.person_id == who)).one()
    return sign_in(district.app(), district, username)


def page(client: Client, address: str) -> str:
    return client.http.get(address).get_data(as_text=True)


def test_a_task_says_what_will_become_of_it_and_afterwards_what_has(district: District) -> None:
    one = asked(district, "escalate")
    task = f"/tasks/{one.row.id}"
    lead = at(district, "grid_lead", GRID)
    assert page(lead, task).count("超期后自动转由上级办理") == 2
    one.passes(days=3)
    told, listed = page(lead, task), page(lead, "/inbox?box=done")
    assert "您没有按时办结，这条待办已转由上级办理。" in told and "data-once data-draft" not in told
    assert "“审批”转由临江社区" in told and "超期，已转由上级办理" in listed and task not in page(lead, "/inbox")
    above = at(district, "sector_lead")
    assert task in page(above, "/inbox") and "超期未办结，转由上级办理" in page(above, task)
    assert sign_in(district.app(), district, "jiedao").http.get(task).status_code == 404


def test_what_was_filled_in_too_late_is_not_lost(district: District) -> None:
    one = asked(district, "escalate")
    task, lead = f"/tasks/{one.row.id}", at(district, "grid_lead", GRID)
    one.passes(days=3)
    answer = lead.post(f"{task}/complete", "/inbox", decision="refuse", opinion="人手不够，请改期。<b>")
    told = answer.get_data(as_text=True)
    assert answer.status_code == 409 and "该待办超期未办结，已转由上级办理。" in told and "人手不够，请改期。&lt;b&gt;" in told


def test_the_trail_tells_of_what_was_finished_by_itself(district: District) -> None:
    one = asked(district, "finish:agree")
    task, lead = f"/tasks/{one.row.id}", at(district, "grid_lead", GRID)
    assert "超期后自动办结为“同意”" in page(lead, task)
    one.passes(days=3)
    told = page(lead, task)
    assert "超期自动办结" in told and '<span class="tag">同意</span>' in told
    answer = lead.post(f"{task}/complete", "/inbox", decision="agree", opinion="好")
    assert answer.status_code == 409
