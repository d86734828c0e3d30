"""What the studio asks about scenarios: all that ship pass, a dry run goes on from where it stood, garbage gets a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bpmn import shipped
from engine.packages import read_package
from tests.district import District
from tests.faults.people import Client, sign_in
from tests.payloads import PAYLOADS

STUDIO = Path(__file__).parents[2] / "web" / "frontend" / "src" / "studio"
ROUTES = ("play", "dry-run", "file")


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    made = District(tmp_path_factory.mktemp("scenarios"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def designer(district: District) -> Client:
    return sign_in(district.app(), district, "guanli")


def files_of(key: str) -> dict[str, str]:
    return {name: text.decode() for name, text in read_package(shipped()[key]).whole.items()}


FILES = files_of("decision_task")
START: dict[str, Any] = {
    "kind": "start",
    "element": "decision_handed_over",
    "at": "2026-03-02T09:00",
    "written": {"due_at": "2026-03-06T23:59:59+08:00"},
}


def asked(designer: Client, route: str, body: bytes | str) -> TestResponse:
    token = designer.token("/admin")["csrf_token"]
    headers = {"X-CSRFToken": token, "Content-Type": "application/json"}
    return designer.http.post(f"/admin/studio/scenarios/{route}", data=body, headers=headers)


def told(designer: Client, route: str, status: int = 200, **sent: Any) -> dict[str, Any]:
    answer = asked(designer, route, json.dumps({"files": FILES, **sent}))
    assert answer.status_code == status, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.get_json()
    return found


@pytest.mark.parametrize("key", shipped())
def test_all_that_ship_pass(designer: Client, key: str) -> None:
    files = files_of(key)
    found = told(designer, "play", files=files)["scenarios"]
    assert {one["path"] for one in found} == {path for path in files if path.startswith("scenarios/")}
    assert [one["failures"] for one in found] == [[]] * len(found)


def test_a_red_one_says_at_which_step(designer: Client) -> None:
    wrong = "name: 直接结束\nstart: {data: {due_at: 2026-03-06T23:59:59+08:00}}\nsteps:\n- expect: {finished: true}\n"
    found = told(designer, "play", files=FILES | {"scenarios/09-x.yaml": wrong})["scenarios"][-1]
    assert found == {
        "path": "scenarios/09-x.yaml",
        "name": "直接结束",
        "passed": False,
        "failures": [{"step": 1, "message": "流程结束应为 是，实际为 否。"}],
    }


def test_a_file_that_cannot_be_read_is_named(designer: Client) -> None:
    said = told(designer, "play", 422, files=FILES | {"scenarios/09-x.yaml": "steps: [{walk: 1}]"})["errors"]
    assert "“09-x.yaml”第 1 步应当且只能写一个动作" in said[""]


def test_a_dry_run_says_what_becomes_of_a_task_once_it_is_overdue(designer: Client) -> None:
    limit = '<wz:deadline until="=due_at" amount="3" unit="work_days" '
    assert limit in FILES["process.bpmn"]
    files = FILES | {"process.bpmn": FILES["process.bpmn"].replace(limit, '<wz:deadline overdue="escalate" amount="3" unit="work_days" ')}
    assert told(designer, "dry-run", files=files, act=START)["open"][0]["then"] == "超期后自动转由上级办理"
    assert told(designer, "dry-run", act=START)["open"][0]["then"] == ""


def test_a_dry_run_goes_from_the_start_to_the_file(designer: Client) -> None:
    begin = told(designer, "dry-run")
    assert [start["element"] for start in begin["starts"]] == ["decision_handed_over"]
    assert begin["starts"][0]["example"]["decision_id"] == '"1"'
    ran = told(designer, "dry-run", act=START)
    assert [(task["key"], task["name"], task["form"]) for task in ran["open"]] == [
        ("carry_out_decision#1", "落实议定事项", "carry_out_decision"),
    ]
    act = {"kind": "complete", "key": "carry_out_decision#1", "filled": {"result_text": ["换了"], "carry_result": ["done"]}}
    ran = told(designer, "dry-run", record=ran["record"], act=act)
    assert ran["way"] == ["办理“落实议定事项”：落实情况为“换了”，办理结果为“已落实，报召集人核查”"]
    assert [task["key"] for task in ran["open"]] == ["check_decision#1"] and not ran["finished"]
    file = told(designer, "file", record=ran["record"], name="落实之后")
    assert file["path"] == "scenarios/03-落实之后.yaml"
    last = told(designer, "play", files=FILES | {file["path"]: file["text"]})["scenarios"][-1]
    assert (last["name"], last["passed"]) == ("落实之后", True)


def test_what_cannot_be_done_is_said_and_the_record_stays(designer: Client) -> None:
    record = told(designer, "dry-run", act=START)["record"]
    ran = told(designer, "dry-run", record=record, act={"kind": "signal", "name": "flood"})
    assert ran["refused"] == "" and ran["way"] == ["收到信号“flood”"]
    ran = told(designer, "dry-run", record=record, act={"kind": "message", "name": "flood"})
    assert ran["refused"] == "流程当前没有等待“flood”。" and ran["record"] == record
    errors = told(designer, "dry-run", 422, record=record, act={"kind": "complete", "key": "carry_out_decision#1"})["errors"]
    assert errors["carry_result"] == "请选择办理结果"


def test_a_limit_that_cannot_be_computed_stops_the_scenario_with_a_sentence(designer: Client) -> None:
    said = told(designer, "dry-run", 422, act=START | {"written": {}})["errors"]["start"]
    assert said == "“落实议定事项”的设置：数据“due_at”还没有填写。"


def test_a_form_is_previewed_with_what_the_process_knows(designer: Client) -> None:
    form = {"properties": {"note": {"type": "string", "title": "情况说明", "x-ui": {"visible": "level == 1"}}}}
    token = designer.token("/admin")["csrf_token"]
    for level in (1, 2):
        body = json.dumps({"form": form, "data": {"level": level}})
        headers = {"X-CSRFToken": token, "Content-Type": "application/json"}
        page = designer.http.post("/admin/studio/form-preview", data=body, headers=headers).get_data(as_text=True)
        assert ("情况说明" in page) is (level == 1)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "无法读取"),
        (b"[1]", "无法读取"),
        (b"[" * 100_000, "无法读取"),
        (b'{"files": 7}', "无法读取"),
        (b'{"files": {"process.bpmn": 7}}', "无法读取"),
        (b'{"files": {}}', "没有 process.bpmn"),
        (b'{"files": {"process.bpmn": "<x/>"}}', "BPMN"),
        (b'{"files": {"../x": ""}}', "不能有名为"),
        (b" " * 3_000_001, "不能超过 3000 KB"),
    ],
)
def test_garbage_is_refused_with_a_sentence(designer: Client, route: str, sent: bytes, said: str) -> None:
    answer = asked(designer, route, sent)
    assert answer.status_code == 422
    assert said in " ".join(answer.get_json()["errors"].values())


DEEP: Any = 1
for _level in range(30):
    DEEP = {"a": DEEP}


@pytest.mark.parametrize(
    "record",
    [
        7,
        {"steps": 7},
        {"steps": [7]},
        {"steps": [{"complete": {}}]},
        {"steps": [{"complete": "x", "data": 7}]},
        {"steps": [{"wait": "P9999999999D"}]},
        {"steps": [{"wait": "P1D"}] * 10_000},
        {"steps": [{"complete": "长" * 30_000}]},
        {"steps": [], "facts": []},
        {"steps": [], "facts": {"a": 7}},
        {"steps": [], "start": {"at": "昨天"}},
        {"steps": [], "start": {"data": DEEP}},
        {"steps": [], "start": {"data": {"a": 10**30}}},
        {"steps": [], "start": {"data": {"a": "\u0000"}}},
    ],
)
def test_a_record_that_never_came_from_here_is_refused_with_a_sentence(designer: Client, record: Any) -> None:
    for route in ("dry-run", "file"):
        errors = told(designer, route, 422, record=record, name="录好的")["errors"]
        assert errors and all(re.search("[\u4e00-\u9fff]", said) and len(said) < 300 for said in errors.values())


@pytest.mark.parametrize(
    "act",
    [
        {"kind": "fly"},
        {"kind": "start", "element": "nowhere", "at": "2026-03-02T09:00"},
        {"kind": "start", "element": "decision_handed_over", "at": "昨天"},
        {"kind": "start", "element": "decision_handed_over", "at": 7},
        START | {"written": {"a": "{" * 10_000}},
        START | {"written": {"a": "!!python/object:os.system x"}},
        {"kind": "complete", "key": {"a": 1}},
        {"kind": "complete", "key": "carry_out_decision#1", "filled": {"result_text": 7}},
        {"kind": "wait", "until": {}},
        {"kind": "wait", "until": "9999-12-31T23:59"},
        {"kind": "answer", "name": "x", "written": {"a": "*b"}},
    ],
)
def test_an_act_that_makes_no_sense_is_refused_with_a_sentence(designer: Client, act: Any) -> None:
    record = told(designer, "dry-run", act=START)["record"]
    errors = told(designer, "dry-run", 422, record=record, act=act)["errors"]
    assert errors and all(re.search("[\u4e00-\u9fff]", said) and len(said) < 300 for said in errors.values())


def test_what_was_typed_stays_text(designer: Client) -> None:
    for payload in PAYLOADS:
        answer = asked(
            designer, "dry-run", json.dumps({"files": FILES, "act": START | {"written": START["written"] | {payload: json.dumps(payload)}}})
        )
        assert answer.mimetype == "application/json" and answer.status_code in (200, 422)


def test_only_designers_ask(district: District) -> None:
    visitor = sign_in(district.app(), district, "wangge")
    assert [asked(visitor, route, b"{}").status_code for route in ROUTES] == [403] * 3


def test_the_recorder_speaks_both_languages() -> None:
    chinese, english = re.findall(r"const (?:zh|en) = \{(.*?)\n\};", (STUDIO / "scenarios-words.js").read_text("utf-8"), re.S)
    names = [re.findall(r"^  (\w+):", words, re.M) for words in (chinese, english)]
    assert names[0] == names[1]
    others = [file.read_text("utf-8") for file in STUDIO.glob("scenarios*.js") if file.name != "scenarios-words.js"]
    assert {word for text in others for word in re.findall(r"\bsay\('(\w+)'", text)} <= set(names[0])
    by_kind = {"message", "signal", "service"}
    assert [word for word in names[0] if word not in by_kind and not any(f"'{word}'" in text for text in others)] == []
    assert not [text for text in others if re.search("'[^'\n]*[\u4e00-\u9fff][^'\n]*'", text)]
