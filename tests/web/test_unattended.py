"""What nobody can do, on the pages of an administrator: seen, and given to somebody who is picked as in any form."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from engine.schema import incidents, tasks
from engine.versions import publish
from governance.organisation.commands import note_reorganised
from governance.people.models import Appointment, Person
from governance.starting.commands import begin
from governance.workflow.commands import complete
from tests.district import District
from tests.faults.people import Client, sign_in
from tests.governance.test_starting import ASKED, KEY, Office
from tests.governance.test_unattended import PERSON, choosing

WHY = "原来的人已调离"
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """A district with a process in which somebody may say who does a step, and need not."""
    made = District(tmp_path_factory.mktemp("unattended"))
    with made.office.work() as context:
        everybody = choosing({**PERSON, "x-ui": {"widget": "person", "among": "district"}})
        publish(context.session.connection(), context.new_id(), everybody, context.now(), by="system", reason="试行")
    yield made
    assert made.findings() == []
    made.close()


@pytest.fixture
def administrator(district: District) -> Client:
    return sign_in(district.app(), district, "guanli")


def returned(district: District, **helper: str) -> tuple[str, str]:
    """A request that came back: the id of its worker, and what it has led to."""
    with district.office.work() as context:
        office = Office(district, context)
        held = begin(context, office.worker, KEY, ASKED, "k1")
        chosen = {"helper": str(office.worker.person_id)} if helper else {}
        complete(context, office.lead, office.open(held).id, {"decision": "return", **chosen}, opinion="请补充")
        waiting = incidents.c.id if not chosen else tasks.c.id
        table = waiting.table
        over = table.c.resolved_at if not chosen else table.c.closed_at
        found = context.session.connection().scalar(select(waiting).where(table.c.instance_id == held.instance_id, over.is_(None)))
        return str(office.worker.person_id), str(found)


def lead(district: District) -> str:
    with district.office.work() as context:
        return str(Office(district, context).lead.person_id)


def test_an_incident_is_mended_by_picking_somebody(district: District, administrator: Client) -> None:
    _worker, incident = returned(district)
    listed = administrator.http.get("/admin/processes/incidents").get_data(as_text=True)
    address = f"/admin/processes/incidents/{incident}/people"
    assert f'href="{address}"' in listed
    page = administrator.http.get(address).get_data(as_text=True)
    assert "选择办理人 · 修改申请" in page and 'name="helper.q"' in page
    found = administrator.post(f"{address}/found", address, **{"helper.q": "临江社区第一网格 网格长"}).get_data(as_text=True)
    assert f'value="{lead(district)}"' in found
    refused = administrator.post(address, address, helper=lead(district), reason="")
    assert refused.status_code == 422 and "请写明原因" in refused.get_data(as_text=True)
    refused = administrator.post(address, address, reason=WHY)
    assert refused.status_code == 422 and "请选择协助人" in refused.get_data(as_text=True)
    refused = administrator.post(address, address, reason=WHY, **{"helper.q": "网格长"})
    assert refused.status_code == 422 and "请从查到的人员中选择协助人" in refused.get_data(as_text=True)
    assert administrator.post(address, address, helper=lead(district), reason=WHY).status_code == 302
    assert "没有异常" in administrator.http.get("/admin/processes/incidents").get_data(as_text=True)
    assert administrator.http.get(address).status_code == 409


def test_a_task_of_somebody_who_has_left_is_reassigned(district: District, administrator: Client) -> None:
    worker, task = returned(district, helper="worker")
    assert "没有需要改派的待办" in administrator.http.get("/admin/tasks").get_data(as_text=True)
    with district.office.work() as context:
        context.session.execute(update(Person).where(Person.id == int(worker)).values(name=MARKUP))
        ended = context.today.replace(year=2025)
        context.session.execute(update(Appointment).where(Appointment.person_id == int(worker)).values(to_date=ended))
        note_reorganised(context.session)
    assert re.search(r"无人可办的待办<span class=\"badge badge-red\">1<", administrator.http.get("/admin").get_data(as_text=True))
    listed = administrator.http.get("/admin/tasks").get_data(as_text=True)
    address = f"/admin/tasks/{task}"
    assert f'href="{address}"' in listed and MARKUP not in listed
    page = administrator.http.get(address).get_data(as_text=True)
    assert "改派 · 修改申请" in page and MARKUP not in page
    refused = administrator.post(address, address, person="5", reason=WHY)
    assert refused.status_code == 422 and "请从可以改派的人员中选择" in refused.get_data(as_text=True)
    found = administrator.post(f"{address}/found", address, **{"person.q": "临江社区第一网格 网格长"}).get_data(as_text=True)
    assert f'value="{lead(district)}"' in found
    assert administrator.post(address, address, person=lead(district), reason=WHY).status_code == 302
    assert "没有需要改派的待办" in administrator.http.get("/admin/tasks").get_data(as_text=True)
    theirs = sign_in(district.app(), district, "wangge").http.get(f"/tasks/{task}").get_data(as_text=True)
    assert "原来的办理人不能办理，由系统管理员改派。" in theirs and "改派" in theirs and WHY in theirs
    again = administrator.post(address, "/admin", person=lead(district), reason=WHY)
    assert again.status_code == 409 and "不需要改派" in again.get_data(as_text=True)


@pytest.mark.parametrize("username", ["wangge", "liucheng", "shenji"])
def test_only_administrators_see_and_do_so(district: District, username: str) -> None:
    _worker, task = returned(district, helper="worker")
    client = sign_in(district.app(), district, username)
    for address in ("/admin/tasks", f"/admin/tasks/{task}"):
        assert client.http.get(address).status_code == 403
    assert client.post(f"/admin/tasks/{task}", "/inbox", person=lead(district), reason=WHY).status_code == 403
