"""The pages of the process studio, as a designer, an approver and an attacker use them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from bpmn import shipped
from engine.archives import pack, unpack
from engine.difference import difference
from engine.packages import DIAGRAM, KEPT, MAX_PACKAGE, read_archive, read_package
from engine.schema import tasks
from engine.versions import latest_version
from governance.studio.commands import save
from governance.studio.models import Draft
from governance.workflow.world import instances
from tests.district import District
from tests.faults.people import Client, sign_in
from tests.governance.test_runs import Court

KEY = "decision_task"
SLOWER = ('<wz:deadline amount="3" unit="work_days" />', '<wz:deadline amount="4" unit="work_days" />')
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    made = District(tmp_path_factory.mktemp("studio"))
    yield made
    made.close()


@pytest.fixture
def designer(district: District) -> Client:
    return sign_in(district.app(), district, "liucheng")


@pytest.fixture
def other(district: District) -> Client:
    return sign_in(district.app(), district, "guanli")


def version_id(district: District) -> int:
    with district.office.work() as context:
        return latest_version(context.session.connection(), KEY).id


def begun(district: District, designer: Client) -> str:
    """The address of a fresh draft."""
    answer = designer.post(f"/admin/studio/from/{version_id(district)}", "/admin/processes")
    assert answer.status_code == 302
    address: str = answer.headers["Location"]
    return address


def files(client: Client, address: str) -> dict[str, Any]:
    answer = client.http.get(f"{address}/files.json")
    assert answer.status_code == 200
    told: dict[str, Any] = answer.get_json()
    return told


def call(client: Client, address: str, name: str, sent: object, method: str = "POST") -> Any:
    """Asks as the editor does, with the page's token in a header."""
    token = client.token("/admin/processes")["csrf_token"]
    return client.http.open(f"{address}/{name}", method=method, json=sent, headers={"X-CSRFToken": token})


def saved(client: Client, address: str, old: str, new: str) -> dict[str, Any]:
    before = files(client, address)
    edited = before["files"][DIAGRAM].replace(old, new)
    assert edited != before["files"][DIAGRAM]
    answer = call(client, address, "files", {"revision": before["revision"], "files": {DIAGRAM: edited}})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    told: dict[str, Any] = answer.get_json()
    return told


def test_a_change_goes_from_the_list_to_the_next_version(district: District, designer: Client, other: Client) -> None:
    address = begun(district, designer)
    told = saved(designer, address, *SLOWER)
    assert told["problems"] == []
    assert designer.http.get(address).headers["Content-Security-Policy"].count("'unsafe-inline'") == 1
    page = designer.http.get(f"{address}/review").get_data(as_text=True)
    assert "4 工作日" in page and "没有问题" in page
    refused = designer.post(f"{address}/submit", f"{address}/review", reason="", revision=told["revision"])
    assert refused.status_code == 422 and "请写明变更的理由" in refused.get_data(as_text=True)
    assert designer.post(f"{address}/submit", f"{address}/review", reason="放宽一天", revision=told["revision"]).status_code == 302
    assert "待审批" in designer.http.get("/admin/processes").get_data(as_text=True)
    draft_id = int(address.rpartition("/")[2])
    with district.office.work() as context:
        change = context.session.get_one(Draft, draft_id).change_id
        task = context.session.connection().scalar(select(tasks.c.id).where(tasks.c.instance_id == change))
    shown = other.http.get(f"/tasks/{task}").get_data(as_text=True)
    assert "放宽一天" in shown and "4 工作日" in shown and f"/admin/studio/{draft_id}/review" in shown
    before = version_id(district)
    assert other.post(f"/tasks/{task}/complete", f"/tasks/{task}", change_decision="agree").status_code == 302
    assert version_id(district) != before
    compared = other.http.get(f"/admin/studio/compare/{before}/{version_id(district)}").get_data(as_text=True)
    assert "4 工作日" in compared
    assert "已生效" in other.http.get(f"{address}/review").get_data(as_text=True)
    assert district.findings() == []


def test_a_new_process_is_read_in_sentences_part_by_part(district: District, designer: Client, other: Client) -> None:
    made = designer.post("/admin/studio/new", "/admin/processes", name="外出登记", template="request").location
    review = designer.http.get(f"{made}/review").get_data(as_text=True)
    assert [review.index(f"<h3>{part}</h3>") for part in ("流程图", "表单", "译文")] == sorted(
        review.index(f"<h3>{part}</h3>") for part in ("流程图", "表单", "译文")
    )
    assert "“审批结果”是“同意”" in review and "表单“申请”的“事由” · 长文字；必填" in review
    designer.post(f"{made}/submit", f"{made}/review", reason="外出要登记", revision="1")
    with district.office.work() as context:
        task_id = context.session.scalar(select(tasks.c.id).where(tasks.c.element == "approve_change", tasks.c.closed_at.is_(None)))
    task = other.http.get(f"/tasks/{task_id}").get_data(as_text=True)
    assert "<h3>流程图</h3>" in task and "<h3>表单</h3>" in task and "“审批结果”是“同意”" in task
    designer.post(f"{made}/withdraw", f"{made}/review")


def test_what_is_long_is_folded(district: District, designer: Client) -> None:
    whole = {
        name: text for name, text in read_package(shipped()["issue_disposal"]).whole.items() if name.endswith((".bpmn", ".json", ".dmn"))
    }
    copied = {**whole, DIAGRAM: whole[DIAGRAM].replace(b'id="issue_disposal"', b'id="copied"', 1)}
    made = designer.post("/admin/studio/import", "/admin/processes", file=(io.BytesIO(pack(copied)), "x.zip")).location
    review = designer.http.get(f"{made}/review").get_data(as_text=True)
    assert re.search(r"<summary>其余 \d+ 条</summary>", review)
    assert review.index("环节“受理登记”") > review.index("<summary>其余")


def test_two_who_save_at_once_lose_nothing(district: District, designer: Client, other: Client) -> None:
    address = begun(district, designer)
    seen = files(other, address)
    saved(designer, address, 'name="核查落实情况"', 'name="核查结果"')
    mine = seen["files"][DIAGRAM].replace(*SLOWER) if SLOWER[0] in seen["files"][DIAGRAM] else seen["files"][DIAGRAM] + "<!-- -->"
    held = call(other, address, "files", {"revision": seen["revision"], "files": {DIAGRAM: mine}})
    assert held.status_code == 423 and "正在编辑" in held.get_json()["error"]["message"]
    assert call(other, address, "hold", {"take_over": True}).status_code == 200
    late = call(other, address, "files", {"revision": seen["revision"], "files": {DIAGRAM: mine}})
    told = late.get_json()
    assert late.status_code == 409 and told["error"]["code"] == "draft_changed"
    assert any("核查结果" in change for change in told["changes"]) and "核查结果" in told["files"][DIAGRAM]
    assert call(other, address, "files", {"revision": told["revision"], "files": {DIAGRAM: mine}}).status_code == 200
    page = designer.http.get(f"{address}/review").get_data(as_text=True)
    number = told["revision"]
    assert f'name="number" value="{number}"' in page
    assert call(other, address, "hold", None, "DELETE").status_code == 200
    designer.post(f"{address}/restore", f"{address}/review", number=number)
    assert "核查结果" in files(designer, address)["files"][DIAGRAM]


def test_an_export_is_imported_without_a_difference(designer: Client, district: District) -> None:
    export = designer.http.get(f"/admin/processes/{version_id(district)}/package.zip")
    assert export.mimetype == "application/zip" and KEY in export.headers["Content-Disposition"]
    packed = export.get_data()
    answer = designer.post("/admin/studio/import", "/admin/processes", file=(io.BytesIO(packed), "p.zip"))
    back = designer.http.get(f"{answer.headers['Location']}/package.zip").get_data()
    assert unpack(back, KEPT, MAX_PACKAGE) == unpack(packed, KEPT, MAX_PACKAGE)
    assert difference(read_archive(packed), read_archive(back), {}) == ()


ODD = {
    "no JSON": b"{",
    "no object": b"[1]",
    "no revision": b'{"files": {}}',
    "no files": b'{"revision": 1}',
    "files of numbers": b'{"revision": 1, "files": {"process.bpmn": 1}}',
    "half a character": b'{"revision": 1, "files": {"process.bpmn": "\\ud800"}}',
    "nothing to read": b'{"revision": 1, "files": {"process.bpmn": "<x"}}',
    "a bomb": json.dumps({"revision": 1, "files": {DIAGRAM: '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}}).encode(),
    "nested": b'{"revision": 1, "files": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "a way out": b'{"revision": 1, "files": {"../../etc/passwd": "x"}}',
}


@pytest.mark.parametrize("sent", ODD.values(), ids=ODD)
def test_odd_requests_get_a_sentence_and_change_nothing(district: District, designer: Client, sent: bytes) -> None:
    address = begun(district, designer)
    before, token = files(designer, address), designer.token("/admin/processes")["csrf_token"]
    answer = designer.http.post(f"{address}/files", data=sent, headers={"X-CSRFToken": token}, content_type="application/json")
    assert answer.status_code == 422 and answer.get_json()["error"]["message"]
    assert files(designer, address) == before


def test_a_request_without_the_pages_token_is_refused(district: District, designer: Client) -> None:
    address = begun(district, designer)
    answer = designer.http.post(f"{address}/files", json={"revision": 1, "files": {}})
    assert answer.status_code == 400


def test_names_with_markup_stay_text(designer: Client) -> None:
    answer = designer.post("/admin/studio/new", "/admin/processes", name=MARKUP)
    address = answer.headers["Location"]
    for page in (address, f"{address}/review", "/admin/processes"):
        assert MARKUP not in designer.http.get(page).get_data(as_text=True)
    assert designer.post("/admin/studio/new", "/admin/processes", name="").status_code == 409


def test_a_huge_diagram_gets_a_sentence(district: District, designer: Client) -> None:
    address = begun(district, designer)
    before = files(designer, address)
    many = "".join(f'<bpmn:userTask id="many_{n}" name="环节{n}" />' for n in range(1000))
    huge = before["files"][DIAGRAM].replace("</bpmn:process>", f"{many}</bpmn:process>", 1)
    answer = call(designer, address, "files", {"revision": before["revision"], "files": {DIAGRAM: huge}})
    assert answer.status_code == 422 and "300" in answer.get_json()["error"]["message"]
    assert files(designer, address) == before


def test_a_diagram_with_problems_is_kept_and_not_submitted(district: District, designer: Client) -> None:
    address = begun(district, designer)
    told = saved(designer, address, '<wz:form key="check_decision" />', "")
    assert [(p["rule"], p["element"], p["level"]) for p in told["problems"]] == [("form_missing", "check_decision", "error")]
    answer = designer.post(f"{address}/submit", f"{address}/review", reason="理由", revision=told["revision"])
    assert answer.status_code == 409 and "没有设置表单" in answer.get_data(as_text=True)
    page = designer.http.get(f"{address}/review").get_data(as_text=True)
    assert f"{address}#element=check_decision" in page


def test_the_lists_to_pick_from_are_in_the_readers_language(designer: Client) -> None:
    lists = designer.http.get("/admin/studio/vocabulary.json").get_json()
    assert {"code": "grid_lead", "name": "网格长", "group": "网格"} in lists["posts"]
    coded = {name: entries for name, entries in lists.items() if name != "statuses"}
    assert all(len({one["code"] for one in entries}) == len(entries) for entries in coded.values())
    assert [one["code"] for one in lists["actions"]] == ["transfer", "withdraw", "urge", "copy"]
    assert [name for name, entries in lists.items() if not entries] == ["services"] and "待审批" in lists["statuses"]


def test_a_draft_given_up_is_gone_from_the_list(district: District, designer: Client) -> None:
    address = begun(district, designer)
    assert f'href="{address}/review"' in designer.http.get("/admin/processes").get_data(as_text=True)
    designer.post(f"{address}/discard", f"{address}/review")
    assert f'href="{address}/review"' not in designer.http.get("/admin/processes").get_data(as_text=True)
    assert call(designer, address, "hold", {}).status_code == 409


def test_a_bare_diagram_is_imported_with_what_it_lacks(designer: Client) -> None:
    own = read_package(shipped()[KEY]).files[DIAGRAM].replace(b"decision_task", b"elsewhere")
    answer = designer.post("/admin/studio/import", "/admin/processes", file=(io.BytesIO(own), "x.bpmn"))
    page = designer.http.get(f"{answer.headers['Location']}/review").get_data(as_text=True)
    assert "使用的表单“check_decision”不在流程包中" in page
    broken = designer.post("/admin/studio/import", "/admin/processes", file=(io.BytesIO(pack({"x": b"y"})), "x.zip"))
    assert broken.status_code == 409 and "没有 process.bpmn" in broken.get_data(as_text=True)


def test_what_failed_leads_to_the_studio_and_goes_on_after_the_correction(district: District, designer: Client, other: Client) -> None:
    with district.office.work() as context:
        court = Court(district, context)
        held = court.begun(KEY)
        broken = court.diagram(held).replace('check_result == "pass"', 'nothing_known == "pass"')
        save(context, court.maker, held.id, held.revision, {DIAGRAM: broken})
        court.publish(held)
        [instance_id] = court.begin(1)
        run = instances(context)
        task = context.session.connection().scalar(
            select(tasks.c.id).where(tasks.c.instance_id == instance_id, tasks.c.closed_at.is_(None))
        )
        advance = run.complete(run.hold(task or 0), {"check_note": "x", "check_result": "pass"}, court.holder().record())
        assert advance.stopped
    page = other.http.get("/admin/processes/incidents").get_data(as_text=True)
    failed_on = re.search(r'action="(/admin/studio/from/\d+)"[^>]*>.*?name="element" value="check_outcome"', page, re.S)
    assert failed_on and "迁移到" not in page
    opened = other.post(failed_on[1], "/admin/processes/incidents", element="check_outcome")
    address, _, anchor = opened.headers["Location"].partition("#")
    assert anchor == "element=check_outcome"
    saved(other, address, "nothing_known", "check_result")
    with district.office.work() as context:
        court = Court(district, context)
        court.publish(context.session.get_one(Draft, int(address.rpartition("/")[2])))
    page = other.http.get("/admin/processes/incidents").get_data(as_text=True)
    to = re.search(r'href="(/admin/studio/to/\d+)\?only=(\d+)"', page)
    assert to and int(to[2]) == instance_id
    preview = other.post(to[1], f"{to[1]}?only={to[2]}", only=to[2]).headers["Location"]
    district.tick()
    assert "迁移这 1 件" in other.http.get(preview).get_data(as_text=True)
    moved = other.post(f"{preview}/move", preview, reason="改正条件").headers["Location"]
    district.tick()
    assert "已迁移" in other.http.get(moved).get_data(as_text=True)
    assert "没有异常" in other.http.get("/admin/processes/incidents").get_data(as_text=True)
    assert district.findings() == []


def test_an_auditor_reads_everything_and_changes_nothing(district: District, designer: Client) -> None:
    address = begun(district, designer)
    auditor = sign_in(district.app(), district, "shenji")
    page = auditor.http.get("/admin/processes").get_data(as_text=True)
    assert f"{address}/review" in page and "studio/from" not in page and "新建流程" not in page
    review = auditor.http.get(f"{address}/review").get_data(as_text=True)
    assert "修改历史" in review and "<textarea" not in review
    assert auditor.http.get(address).status_code == 403
    assert auditor.http.get(f"/admin/processes/{version_id(district)}/package.zip").mimetype == "application/zip"
