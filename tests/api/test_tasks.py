"""The inbox, and what people do with their tasks."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from engine.schema import commands, tasks
from engine.versions import publish
from governance.files.commands import add_file
from governance.files.rules import read_attachment
from governance.starting.commands import begin
from tests.api.clients import ACCEPTED, PLACE, Client, anybody, refusal, reported, signed_in, waiting
from tests.deliberations import suggested
from tests.district import District
from tests.governance.meeting_world import Hall
from tests.governance.test_persons import helped
from tests.governance.test_starting import ASKED, Office
from tests.journeys.matters import addressee
from tests.papers import KEY, PDF, TAKES_ALL, drawn, seal


def everything(client: Client, **query: str) -> list[dict[str, Any]]:
    page = client.read("/tasks", **query)
    found: list[dict[str, Any]] = page["items"]
    while page["after"]:
        page = client.read("/tasks", after=page["after"], **query)
        assert page["items"]
        found += page["items"]
    return found


def written(district: District) -> int:
    with district.office.work() as context:
        return context.session.execute(select(func.count()).select_from(commands)).scalar_one()


def test_the_inbox_comes_in_pages(tmp_path: Path) -> None:
    district = District(tmp_path)
    app = district.app()
    cases = [reported(app, text=f"第{n}处井盖破损。") for n in range(65)]
    worker = signed_in(app, district, "wanggeyuan")
    assert len(worker.read("/tasks")["items"]) == 30
    todo = everything(worker)
    assert sorted(line["case"]["id"] for line in todo) == sorted(case["id"] for case in cases)
    assert len({line["id"] for line in todo}) == 65
    assert [line["case"]["title"] for line in everything(worker, q="第64处")] == ["第64处井盖破损"]
    assert everything(worker, overdue="true") == []
    district.clock.pass_by(days=1)
    worker = signed_in(app, district, "wanggeyuan")
    assert len(everything(worker, overdue="true")) == 65
    for line in todo[:40]:
        worker.done(f"/tasks/{line['id']}/complete", {"data": ACCEPTED})
        worker.done("/cases", {"text": "井盖破损。", "place": PLACE})
    assert len(everything(worker, box="done")) == 40
    assert len({line["case"]["id"] for line in everything(worker, box="started")}) == 40
    district.close()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"box": "supervised"}, "box"),
        ({"after": "x"}, "after"),
        ({"after": "1"}, "after"),
        ({"box": "started", "after": "2026-01-01T00:00:00+00:00~1"}, "after"),
        ({"after": "2026-01-01T00:00:00~1"}, "after"),
        ({"after": "0001-01-01T00:00:00+23:59~1"}, "after"),
        ({"after": "2026-01-01T00:00:00+00:00~99999999999999999999"}, "after"),
        ({"q": "x" * 61}, "q"),
        ({"q": "\0"}, "q"),
        ({"overdue": "maybe"}, "overdue"),
        ({"limit": "1000"}, "limit"),
    ],
)
def test_what_the_inbox_cannot_be_asked(worker: Client, query: dict[str, str], field: str) -> None:
    assert list(refusal(worker.get("/tasks", **query), 422)["errors"]) == [field]


def test_a_task_says_all_that_is_needed_to_do_it(app: Flask, worker: Client) -> None:
    case = reported(app)
    task = worker.read(f"/tasks/{waiting(worker, case)}")
    assert task["name"] == "受理登记" and task["key"] == "accept_case#1"
    assert task["case"]["number"] == case["number"] and task["case"]["text"].startswith("楼道里")
    assert task["why"] == {"steps": ["第一网格网格员", "第一网格网格长"], "limit": {"amount": "4", "unit": "work_hours"}}
    assert [c["name"] for c in task["candidates"]] == ["临江社区第一网格网格员", "临江社区第一网格网格长"]
    assert task["outcome_field"] == "accept_result"
    assert [o["value"] for o in task["outcomes"]] == ["accept", "on_spot", "supplement", "refuse"]
    assert task["form"]["properties"]["category"]["maxLength"] == 20
    assert task["facts"]["place_unit"] == task["case"]["place"]["id"]
    assert sorted(task["actions"]) == ["claim", "complete", "foresee", "transfer"]


def test_claimed_by_one_it_is_closed_to_the_other_until_released(app: Flask, worker: Client, lead: Client) -> None:
    id = waiting(worker, reported(app))
    claimed = worker.done(f"/tasks/{id}/claim")
    assert claimed["claimed_by"] and sorted(claimed["actions"]) == ["complete", "foresee", "release", "transfer"]
    assert lead.read(f"/tasks/{id}")["actions"] == ["urge"]
    for action, sent in (("claim", None), ("complete", {"data": ACCEPTED})):
        problem = refusal(lead.post(f"/tasks/{id}/{action}", sent), 409)
        assert problem["by"] and problem["by"] in problem["detail"]
        assert problem["type"] == "urn:wuzhang:problem:claimed-by-other"
    refusal(lead.post(f"/tasks/{id}/release"), 403)
    assert worker.done(f"/tasks/{id}/release")["claimed_by"] is None
    refusal(worker.post(f"/tasks/{id}/release"), 403)
    lead.done(f"/tasks/{id}/complete", {"data": ACCEPTED})


def test_who_was_faster_is_named(app: Flask, worker: Client, lead: Client, district: District) -> None:
    id = waiting(worker, reported(app))
    done = worker.done(f"/tasks/{id}/complete", {"data": ACCEPTED, "opinion": " 属实 "})
    assert [t["name"] for t in done["opened"]] == ["分级分类"] and not done["repeated"] and done["stopped"] is None
    for action, sent in (("complete", {"data": ACCEPTED}), ("claim", None), ("foresee", {"data": ACCEPTED})):
        problem = refusal(lead.post(f"/tasks/{id}/{action}", sent), 409)
        assert problem["by"] and problem["at"] == district.clock.at.isoformat()
    assert lead.read(f"/tasks/{id}")["closed_as"] == "completed"


def test_the_same_key_completes_once(app: Flask, worker: Client, lead: Client, district: District) -> None:
    id, sent = waiting(worker, reported(app)), {"data": ACCEPTED, "opinion": "属实"}
    first = worker.done(f"/tasks/{id}/complete", sent, Idempotency_Key="k")
    before = written(district)
    again = worker.done(f"/tasks/{id}/complete", sent, Idempotency_Key="k")
    assert (again, written(district)) == (first | {"repeated": True}, before) and again["opened"]
    refusal(worker.post(f"/tasks/{id}/complete", sent | {"opinion": "另一意见"}, Idempotency_Key="k"), 409)
    refusal(lead.post(f"/tasks/{id}/complete", sent, Idempotency_Key="k"), 409)
    refusal(worker.post(f"/tasks/{id}/complete", sent, Idempotency_Key="é"), 422)


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"data": {}}, ["category", "accept_result"]),
        ({"data": {"category": "0303", "accept_result": "sing"}}, ["accept_result"]),
        ({"data": {**ACCEPTED, "status": "已结案"}}, ["status"]),
        ({"data": {"category": "0303", "accept_result": "refuse"}}, ["refuse_reason", "told_route", "reply_text", "opinion"]),
        ({"data": {**ACCEPTED, "category": "x\0"}}, ["data"]),
        ({"data": {**ACCEPTED, "category": "\ud800"}}, ["data"]),
        ({"data": {**ACCEPTED, "category": 10**30}}, ["data"]),
        ({"data": {**ACCEPTED, "category": {"a": 1}}}, ["category"]),
        ({"data": [1]}, ["data"]),
        ({"data": None}, ["data"]),
        ({"opinion": "x"}, ["data"]),
        ({"data": ACCEPTED, "opinion": "长" * 1001}, ["opinion"]),
        ({"data": ACCEPTED, "opinion": "\0"}, ["opinion"]),
        ({"data": ACCEPTED, "actor": "1"}, ["actor"]),
        (
            {"data": {"category": "0303", "accept_result": "on_spot", "measures": "已修", "reply_text": "已修", "photos_after": ["1"]}},
            ["photos_after"],
        ),
    ],
)
def test_what_a_form_refuses(app: Flask, worker: Client, district: District, sent: dict[str, Any], fields: list[str]) -> None:
    id = waiting(worker, reported(app))
    before = written(district)
    assert sorted(refusal(worker.post(f"/tasks/{id}/complete", sent), 422)["errors"]) == sorted(fields)
    assert written(district) == before


def test_foreseeing_tells_who_is_next_and_writes_nothing(app: Flask, worker: Client, administrator: Client, district: District) -> None:
    id = waiting(worker, reported(app))
    before = written(district)
    coming = worker.done(f"/tasks/{id}/foresee", {"data": ACCEPTED})["next"]
    assert [(t["name"], [c["name"] for c in t["candidates"]]) for t in coming] == [("分级分类", ["临江社区第一网格网格员"])]
    assert written(district) == before
    refusal(worker.post(f"/tasks/{id}/foresee", {"data": {}}), 422)


def test_who_sees_the_case_but_is_not_asked_may_look_only(app: Flask, district: District, auditor: Client) -> None:
    id = waiting(auditor, reported(app))
    street = signed_in(app, district, "jiedao")
    for onlooker, may in ((auditor, []), (street, ["urge"])):
        assert onlooker.read(f"/tasks/{id}")["actions"] == may
        for action, sent in (("claim", None), ("release", None), ("complete", {"data": ACCEPTED}), ("foresee", {"data": ACCEPTED})):
            refusal(onlooker.post(f"/tasks/{id}/{action}", sent), 403)


def test_to_others_there_is_no_such_task_open_claimed_or_closed(app: Flask, worker: Client, stranger: Client) -> None:
    id = waiting(worker, reported(app))
    for step in (None, "claim", "complete"):
        if step:
            worker.done(f"/tasks/{id}/{step}", {"data": ACCEPTED})
        refusal(stranger.get(f"/tasks/{id}"), 404)
        for action, sent in (("claim", None), ("release", None), ("complete", {"data": {}}), ("foresee", {"data": {}})):
            refusal(stranger.post(f"/tasks/{id}/{action}", sent), 404)


def test_a_case_goes_its_way_on_both_databases(built: Callable[[Path], District], tmp_path: Path) -> None:
    either = built(tmp_path)
    app = either.app()
    made = anybody(app).done("/tokens", {"username": "wanggeyuan", "password": either.password})
    worker = Client(app.test_client(), {"Authorization": f"Bearer {made['token']}"})
    case = reported(app)
    id = worker.read("/tasks")["items"][0]["id"]
    worker.done(f"/tasks/{id}/claim")
    worker.done(f"/tasks/{id}/complete", {"data": ACCEPTED}, Idempotency_Key="k")
    assert worker.done(f"/tasks/{id}/complete", {"data": ACCEPTED}, Idempotency_Key="k")["repeated"]
    administrator = signed_in(app, either, "guanli")
    path = f"/instances/{case['instance_id']}"
    tag = administrator.get(path).headers["ETag"]
    assert administrator.done(f"{path}/suspend", {"reason": "核对"}, If_Match=tag)["status"] == "suspended"
    refusal(administrator.post(f"{path}/resume", {"reason": "核对"}, If_Match=tag), 412)
    assert len(administrator.read(f"{path}/log")["items"]) == 4
    assert worker.read("/tasks", box="done")["items"][0]["id"] == id
    assert either.findings() == []
    either.close()


def test_a_client_brings_the_photos_that_a_form_asks_for(app: Flask, worker: Client) -> None:
    task = waiting(worker, reported(app))
    filled = {"category": "0303", "accept_result": "on_spot", "measures": "已清除。", "reply_text": "已清除，请查看。"}
    for wrong, said in (("!!", "应当是 base64 编码的照片"), (b64encode(b"no picture").decode(), "只能上传 JPG、PNG 或 WEBP 照片")):
        assert refusal(worker.post(f"/tasks/{task}/photos", {"picture": wrong}), 422)["errors"] == {"picture": said}
    out = BytesIO()
    Image.effect_noise((1200, 900), 90).convert("RGB").save(out, "PNG")
    assert len(out.getvalue()) > 1_000_000
    added = worker.done(f"/tasks/{task}/photos", {"picture": b64encode(out.getvalue()).decode()})
    assert (added["width"], added["height"]) == (1200, 900)
    worker.done(f"/tasks/{task}/complete", {"data": filled | {"photos_after": [added["id"]]}})
    refusal(worker.post(f"/tasks/{task}/photos", {"picture": b64encode(out.getvalue()).decode()}), 409)


def test_a_client_brings_files_and_reads_where_they_are(lead: Client, stranger: Client, district: District) -> None:
    with district.office.work() as context:
        publish(context.session.connection(), context.new_id(), seal(), context.now(), by="system", reason="试行")
        starter = Hall(district, context).holder("grid_worker", "50019900100100001")
        paper = add_file(context, TAKES_ALL, read_attachment("合同.pdf", PDF), by=starter.person_id).value
        begun = begin(context, starter, KEY, {**ASKED, "papers": [paper]}, "papers")
        task = context.session.execute(select(tasks.c.id, tasks.c.instance_id).where(tasks.c.instance_id == begun.instance_id)).one()
    shown = lead.read(f"/tasks/{task.id}")
    digest = paper.partition("/")[0]
    url = f"/files/{task.instance_id}/{digest}/%E5%90%88%E5%90%8C.pdf"
    assert shown["files"] == [{"value": paper, "name": "合同.pdf", "size": len(PDF), "url": url}]
    for wrong, said in (("!!", "应当是 base64 编码的文件"), (b64encode(drawn(ink=None)).decode(), "签名是空白的，请签名")):
        sent = {"widget": "signature", "name": "s.png", "content": wrong}
        assert refusal(lead.post(f"/tasks/{task.id}/files", sent), 422)["errors"] == {"content": said}
    sent = {"widget": "signature", "name": "s.png", "content": b64encode(drawn()).decode()}
    refusal(stranger.post(f"/tasks/{task.id}/files", sent), 404)
    signed = lead.done(f"/tasks/{task.id}/files", sent)
    for value in (paper, f"{'0' * 64}/signature.png"):
        assert refusal(lead.post(f"/tasks/{task.id}/complete", {"data": {"decision": "agree", "signed": value}}), 422)["errors"].keys() == {
            "signed"
        }
    lead.done(f"/tasks/{task.id}/complete", {"data": {"decision": "agree", "signed": signed["value"]}})
    refusal(lead.post(f"/tasks/{task.id}/files", sent), 409)


def test_a_client_hands_a_task_on(app: Flask, worker: Client, lead: Client) -> None:
    task = waiting(worker, reported(app))
    assert "transfer" in worker.read(f"/tasks/{task}")["actions"]
    chosen = worker.read(f"/tasks/{task}/colleagues")["items"][0]
    handed = worker.done(f"/tasks/{task}/transfer", {"person": chosen["person"], "reason": "我今天外出。"})
    assert [c["principal"] for c in handed["candidates"]] == [f"person:{chosen['person']}"]
    refusal(worker.post(f"/tasks/{task}/complete", {"data": ACCEPTED}), 403)
    lead.done(f"/tasks/{task}/complete", {"data": ACCEPTED})


def test_a_client_takes_back_what_it_has_just_done(app: Flask, worker: Client, lead: Client) -> None:
    task = waiting(worker, reported(app))
    refusal(worker.post(f"/tasks/{task}/withdraw", {"reason": "填错了"}), 403)
    worker.done(f"/tasks/{task}/complete", {"data": ACCEPTED})
    assert worker.read(f"/tasks/{task}")["actions"] == ["withdraw"]
    refusal(lead.post(f"/tasks/{task}/withdraw", {"reason": "填错了"}), 403)
    refusal(worker.post(f"/tasks/{task}/withdraw", {"reason": ""}), 422)
    again = worker.done(f"/tasks/{task}/withdraw", {"reason": "填错了"})
    assert again["closed_at"] is None and "complete" in again["actions"]
    worker.done(f"/tasks/{task}/complete", {"data": ACCEPTED})
    worker.done(f"/tasks/{waiting(worker, worker.read(f'/tasks/{task}')['case'])}/claim")
    assert refusal(worker.post(f"/tasks/{task}/withdraw", {"reason": "填错了"}), 409)["type"].endswith("nothing-to-withdraw")


def test_a_client_finds_the_units_that_forms_name(worker: Client) -> None:
    departments = worker.read("/units", kind="department")["items"]
    assert len(departments) == 15 and {unit["kind"] for unit in departments} == {"department"}
    [community] = worker.read("/units", q="临江社区")["items"]
    below = worker.read("/units", kind="grid", below=community["id"])["items"]
    assert below and {unit["parent_id"] for unit in below} <= {u["id"] for u in worker.read("/units", below=community["id"])["items"]}
    page = worker.read("/units")
    assert len(page["items"]) == 100 and worker.read("/units", after=page["after"])["items"][0]["code"] > page["after"]
    refusal(worker.get("/units", kind="castle"), 422)
    refusal(worker.get("/units", below="5"), 404)


def test_a_task_about_a_matter_says_so(district: District, app: Flask) -> None:
    topic = suggested(district, title="加装电梯")
    who = signed_in(app, district, addressee(district, topic.task("examine_topic")))
    (line,) = [line for line in who.read("/tasks")["items"] if line["about"]["kind"] == "matter"]
    assert (line["case"], line["about"]["number"], line["about"]["title"]) == (None, topic.number, "加装电梯")
    shown = who.read(f"/tasks/{line['id']}")
    assert shown["case"] is None and shown["outcome_field"] == "topic_result"


def test_a_client_names_a_person_and_a_place(district: District, worker: Client, lead: Client, stranger: Client) -> None:
    with district.office.work() as context:
        office = Office(district, context)
        package = helped(posts="grid_lead", among="place")
        publish(context.session.connection(), context.new_id(), package, context.now(), by="system", reason="试行")
        named = str(office.lead.person_id)
        task = office.open(office.begun(data={**ASKED, "helper": named})).id
    assert lead.read(f"/tasks/{task}/people", field="helper")["items"] == []
    again = lead.done(f"/tasks/{task}/complete", {"data": {"decision": "return"}, "opinion": "请写清楚"})["opened"][0]["id"]
    found = worker.read(f"/tasks/{again}/people", field="helper", q="第一网格")["items"]
    assert [(one["person"], one["post"]) for one in found] == [(named, "临江社区第一网格网格长")]
    assert worker.read(f"/tasks/{again}/people", field="reason")["items"] == []
    refusal(stranger.get(f"/tasks/{again}/people", field="helper"), 404)
    spot = {"address": "滨江路 1 号", "longitude": 121.4737, "latitude": 31.2304, "accuracy": 20}
    for wrong in (
        {"helper": "5"},
        {"helper": ["5"]},
        {"spot": {**spot, "latitude": 91}},
        {"spot": {**spot, "x": {"y": [1]}}},
        {"spot": 5},
    ):
        said = refusal(worker.post(f"/tasks/{again}/complete", {"data": {**ASKED, "helper": named, "spot": spot, **wrong}}), 422)
        assert wrong.keys() == {name.split(".")[-1] for name in said["errors"]}
    worker.done(f"/tasks/{again}/complete", {"data": {**ASKED, "helper": named, "spot": spot}})
