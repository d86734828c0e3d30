"""What the studio asks about a form or a table that is being made: the preview shows what the task page would, or says why not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from werkzeug.test import TestResponse

from bpmn import shipped
from engine.packages import read_package
from tests.district import District
from tests.faults.people import Client, sign_in
from tests.journeys.matters import addressee, place, reported
from tests.papers import ATTACHMENTS, SHOTS, SIGNATURE
from tests.payloads import PAYLOADS

STUDIO = Path(__file__).parents[2] / "web" / "frontend" / "src" / "studio"
FORM = {
    "title": "派单",
    "type": "object",
    "properties": {
        "result": {
            "type": "string",
            "title": "办理结果",
            "oneOf": [{"const": "send", "title": "派单"}, {"const": "ask", "title": "报领导"}],
            "x-ui": {"widget": "outcome"},
        },
        "note": {"type": "string", "title": "派单说明", "x-ui": {"widget": "textarea", "visible": "result == 'send'"}},
        "photos": {"type": "array", "title": "现场照片", "x-ui": {"widget": "photos"}},
    },
    "required": ["result"],
}


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    made = District(tmp_path_factory.mktemp("studio"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def designer(district: District) -> Client:
    return sign_in(district.app(), district, "guanli")


def asked(designer: Client, body: bytes | str, address: str = "/admin/studio/form-preview") -> TestResponse:
    token = designer.token("/admin")["csrf_token"]
    return designer.http.post(address, data=body, headers={"X-CSRFToken": token, "Content-Type": "application/json"})


def preview(designer: Client, form: Any, **filled: list[str]) -> html.HtmlElement:
    answer = asked(designer, json.dumps({"form": form, "filled": filled}))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return html.fromstring(answer.get_data(as_text=True))


def refusal(designer: Client, body: bytes | str) -> str:
    answer = asked(designer, body)
    assert answer.status_code == 422
    return " ".join(html.fromstring(answer.get_data(as_text=True)).text_content().split())


def names(fragment: html.HtmlElement) -> list[str]:
    return list(dict.fromkeys(e.get("name") for e in fragment.iter("input", "select", "textarea") if e.get("name")))


def test_the_choice_brings_its_fields_to_light(designer: Client) -> None:
    assert names(preview(designer, FORM)) == ["result", "photos", "opinion"]
    chosen = preview(designer, FORM, result=["send"], note=["请尽快"])
    assert names(chosen) == ["result", "note", "photos", "opinion"]
    assert chosen.xpath("//textarea[@name='note']")[0].text == "请尽快"
    assert [button.text for button in chosen.iter("button")] == ["派单"]


def test_a_preview_promises_no_task(designer: Client) -> None:
    text = html.tostring(preview(designer, FORM, result=["send"]), encoding="unicode")
    assert "hx-post" not in text and "data-url" not in text


def test_the_preview_is_what_the_task_page_shows(district: District, designer: Client) -> None:
    matter = reported(district, place(3))
    form = read_package(shipped()["issue_disposal"]).forms["accept_case"]
    task = sign_in(district.app(), district, addressee(district, matter.task()))
    page = html.fromstring(task.http.get(f"/tasks/{matter.task()}").get_data(as_text=True))
    fields, shown = page.xpath("//div[@id='fields']//div[@data-field]"), preview(designer, form).xpath("//div[@data-field]")
    assert [(f.get("data-field"), _plain(f)) for f in shown] == [(f.get("data-field"), _plain(f)) for f in fields]


def _plain(field: html.HtmlElement) -> str:
    return " ".join(e.text_content().strip() for e in field.iter("label", "legend", "p"))


@pytest.mark.parametrize("key", shipped())
def test_every_shipped_form_has_a_preview(designer: Client, key: str) -> None:
    for form in read_package(shipped()[key]).forms.values():
        asked_for = {
            name: [field["oneOf"][0]["const"]] for name, field in form["properties"].items() if field["x-ui"]["widget"] == "outcome"
        }
        assert set(names(preview(designer, form, **asked_for))) >= asked_for.keys()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_markup_in_a_form_stays_text(designer: Client, payload: str) -> None:
    choices = [{"const": payload, "title": payload}]
    fields = {
        payload: {"type": "string", "title": payload, "description": payload},
        "outcome": {"type": "string", "title": payload, "oneOf": choices, "x-ui": {"widget": "outcome"}},
        "choice": {"type": "string", "title": payload, "oneOf": choices},
    }
    shown = preview(designer, {"title": payload, "properties": fields}, outcome=[payload])
    assert len(shown.xpath("//div[@data-field]")) == 2
    assert not list(shown.iter("script", "img", "iframe", "svg", "a"))
    assert not [name for e in shown.iter() for name in e.attrib if name.startswith("on")]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "无法读取"),
        (b"\xff\xfe", "无法读取"),
        (b"[1]", "无法读取"),
        (b"[" * 100_000, "无法读取"),
        (b'{"form": {"properties": {"a": {"title": "\\ud800"}}}}', "无法读取"),
        (b'{"form": {"properties": {"a": {"maximum": 1e999}}}}', "无法读取"),
        (b'{"form": 7}', "不是表单"),
        (b'{"form": {"properties": []}}', "不是表单"),
        (b'{"form": {"properties": {}}, "filled": {"a": "x"}}', "无法读取"),
        (b'{"form": {"properties": {"a": 7}}}', "应为对象"),
        (b'{"form": {"properties": {"a": {"$ref": "file:///etc/passwd"}}}}', "不能使用“$ref”"),
        (b'{"form": {"properties": {"a": {"x-ui": {"visible": "__import__(1)"}}}}}', "visible"),
        (b" " * 600_001, "不能超过 600 KB"),
    ],
)
def test_garbage_is_refused_with_a_sentence(designer: Client, sent: bytes, said: str) -> None:
    assert said in refusal(designer, sent)


def test_five_hundred_fields_are_too_many(designer: Client) -> None:
    many = {f"field_{n}": {"type": "string", "title": "项"} for n in range(500)}
    assert "表单有 500 项，最多 200 项" in refusal(designer, json.dumps({"form": {"properties": many}}))
    choices = {"a": {"enum": [str(n) for n in range(201)]}}
    assert "“a”的选项过多，最多 200 个" in refusal(designer, json.dumps({"form": {"properties": choices}}))


def test_the_reasons_that_are_told_have_an_end(designer: Client) -> None:
    many = {f"field_{n}": 7 for n in range(200)}
    assert len(re.findall("应为对象", refusal(designer, json.dumps({"form": {"properties": many}})))) == 20


def test_only_designers_ask(district: District) -> None:
    assert asked(sign_in(district.app(), district, "wangge"), b"{}").status_code == 403


def test_the_designers_speak_both_languages() -> None:
    for part in ("forms", "tables"):
        chinese, english = re.findall(r"const (?:zh|en) = \{(.*?)\n\};", (STUDIO / f"{part}-words.js").read_text("utf-8"), re.S)
        names = [re.findall(r"^  (\w+):", words, re.M) for words in (chinese, english)]
        assert names[0] == names[1]
        others = [
            file.read_text("utf-8") for file in STUDIO.glob(f"{part}*.js") if file.name not in (f"{part}-words.js", "tables-terms.js")
        ]
        assert {word for text in others for word in re.findall(r"\bsay\(\s*'(\w+)'", text)} <= set(names[0])
        assert not [text for text in others if re.search("'[^'\n]*[\u4e00-\u9fff][^'\n]*'", text)]


# ---- decision tables -------------------------------------------------------------------------------------------------


def dmn(rows: str, policy: str = "UNIQUE", head: str = "") -> str:
    column = '<input label="等级"><inputExpression><text>level</text></inputExpression></input><output name="days"/>'
    space = "https://www.omg.org/spec/DMN/20191111/MODEL/"
    body = f'<decisionTable hitPolicy="{policy}">{column}{rows}</decisionTable>'
    return f'{head}<definitions xmlns="{space}"><decision id="limits" name="时限">{body}</decision></definitions>'


def row(cell: str, answer: str) -> str:
    return f"<rule><inputEntry><text>{cell}</text></inputEntry><outputEntry><text>{answer}</text></outputEntry></rule>"


def told(designer: Client, sent: Any, status: int = 200) -> dict[str, Any]:
    answer = asked(designer, json.dumps(sent), "/admin/studio/table")
    assert answer.status_code == status, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.get_json()
    return found


def test_a_table_is_tried_with_values(designer: Client) -> None:
    table = dmn(row("&lt; 3", "1") + row("&gt;= 3", "level + 1"))
    assert told(designer, {"table": table, "values": {"level": 7}}) == {"rules": [2], "result": {"days": 8}}
    assert told(designer, {"table": table, "values": {"level": None}}) == {"rules": [], "result": None}
    assert "level" in told(designer, {"table": table, "values": {}}, 422)["error"]
    assert "不能比较大小" in told(designer, {"table": table, "values": {"level": "x"}}, 422)["error"]
    assert "只允许命中一条" in told(designer, {"table": dmn(row("-", "1") * 2), "values": {"level": 1}}, 422)["error"]


def test_what_is_decided_twice_or_not_at_all_is_told(designer: Client) -> None:
    found = told(designer, {"table": dmn(row("&lt;= 3", "1") + row("[3..5]", "2") + row("&gt; 7", "3"))})
    assert found["overlaps"] == [{"rules": [1, 2], "where": [["等级", "3"]]}]
    assert found["gaps"] == [{"where": [["等级", "(5..7]"]]}]
    assert found["names"] == ["level"]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY c SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"table": 7},
        {"table": ""},
        {"table": "<x/>"},
        {"table": "<" * 10_000},
        {"table": dmn(row("-", "1"), "PRIORITY")},
        {"table": dmn(row("&c;", "1"), head=BOMB)},
        {"table": dmn(row("&c;", "1"), head=OUTSIDE)},
        {"table": dmn(row("-", "1")), "values": []},
        {"table": dmn(row("-", "__import__(1)"))},
        {"table": dmn(row("-", "1") * 2_000)},
        {"table": "<a>" * 40_000},
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(designer: Client, sent: Any) -> None:
    said = told(designer, sent, 422)["error"]
    assert re.search("[\u4e00-\u9fff]", said) and "root:" not in said and len(said) < 300


def test_markup_in_a_table_comes_back_as_json(designer: Client) -> None:
    for payload in PAYLOADS:
        answer = asked(designer, json.dumps({"table": dmn(row("-", "1")), "values": {"level": payload}}), "/admin/studio/table")
        assert answer.mimetype == "application/json"


def test_files_and_signatures_are_drawn_and_nothing_is_sent(designer: Client) -> None:
    signed = {**SIGNATURE, "x-ui": {"widget": "signature"}}
    fields = {"papers": {**ATTACHMENTS, "description": "<b>盖章件</b>"}, "signed": signed, "shots": SHOTS}
    drawn = preview(designer, {"title": "用印", "properties": fields})
    assert names(drawn) == ["papers:attachments", "signed:signature", "shots", "opinion"]
    words = " ".join(drawn.text_content().split())
    assert "最多 3 个。<b>盖章件</b>" in words and "在此处签名" in words
    assert drawn.xpath("//@data-url") == [] and drawn.xpath("//form[contains(@class, 'is-preview')]")
    told = refusal(designer, json.dumps({"form": {"properties": {"papers": {**ATTACHMENTS, "maxItems": 99}}}}))
    assert "“papers”是附件，最多几个应为 1 至 20" in told
