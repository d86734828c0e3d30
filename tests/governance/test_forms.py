"""Forms: what is shown, what is asked, and the sentences for what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from governance.errors import Refused
from governance.forms.rules import check_form, fields, has_opinion, opinion_needed, outcome, read_form, shown_fields, typed_again

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

FORM: dict[str, Any] = {
    "properties": {
        "reason": {
            "type": "string",
            "title": "原因",
            "maxLength": 5,
            "x-ui": {"widget": "textarea", "visible": "result == 'refuse'", "required": "result == 'refuse'"},
        },
        "count": {"type": "integer", "title": "户数", "minimum": 1},
        "parts": {"type": "array", "title": "部位", "items": {"type": "string", "enum": ["水", "电"]}, "maxItems": 1},
        "result": {
            "type": "string",
            "title": "结果",
            "oneOf": [{"const": "agree", "title": "同意"}, {"const": "refuse", "title": "不同意"}],
            "x-ui": {"widget": "outcome"},
        },
    },
    "required": ["result"],
    "x-ui": {"opinion": "result == 'refuse'"},
}


def errors(data: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Refused) as refused:
        check_form(FORM, data, {}, NOW)
    return refused.value.errors


def test_the_outcome_is_the_buttons() -> None:
    found = outcome(FORM, {}, NOW)
    assert found and [(c.value, c.title) for c in found.choices] == [("agree", "同意"), ("refuse", "不同意")]
    assert [f.name for f in fields(FORM)] == ["reason", "count", "parts", "result"]


def test_what_is_not_shown_is_neither_asked_nor_kept() -> None:
    assert check_form(FORM, {"result": "agree", "reason": "旧"}, {}, NOW) == {"result": "agree"}
    assert [f.name for f in shown_fields(FORM, {"result": "refuse"}, {}, NOW)] == ["reason", "count", "parts", "result"]


def test_what_the_outcome_makes_necessary_is_asked() -> None:
    assert errors({"result": "refuse"}) == {"reason": "请填写原因"}
    assert opinion_needed(FORM, {"result": "refuse"}, NOW) and not opinion_needed(FORM, {"result": "agree"}, NOW)


@pytest.mark.parametrize(
    "data, said",
    [
        ({}, {"result": "请选择结果"}),
        ({"result": "maybe"}, {"result": "结果不在可选范围内"}),
        ({"result": "refuse", "reason": "一二三四五六"}, {"reason": "原因不能超过 5 个字"}),
        ({"result": "agree", "count": 0}, {"count": "户数不能小于 1"}),
        ({"result": "agree", "count": "三"}, {"count": "户数填写不正确"}),
        ({"result": "agree", "parts": ["水", "电"]}, {"parts": "部位最多 1 项"}),
        ({"result": "agree", "parts": ["气"]}, {"parts": "部位不在可选范围内"}),
        ({"result": "agree", "tier": 6}, {"tier": "表单中没有这一项"}),
    ],
)
def test_each_mistake_has_its_sentence(data: dict[str, Any], said: dict[str, str]) -> None:
    assert errors(data) == said


def test_a_page_sends_texts_and_the_form_knows_what_they_mean() -> None:
    filled = {"result": ["agree"], "count": [" 3 "], "parts": ["水"], "csrf_token": ["x"]}
    assert read_form(FORM, filled) == ({"result": "agree", "count": 3, "parts": ["水"]}, {})
    data, misread = read_form(FORM, {"result": ["agree"], "count": ["许多"]})
    with pytest.raises(Refused) as refused:
        check_form(FORM, data, {}, NOW, misread)
    assert refused.value.errors == {"count": "户数填写不正确"}


CHOICES: dict[str, Any] = {
    "properties": {
        "result": {
            "title": "结果",
            "oneOf": [{"const": "settled", "title": "办结"}, {"const": "back", "title": "退回", "x-ui": {"visible": "tier > 1"}}],
            "x-ui": {"widget": "outcome"},
        },
        "called_at": {"type": "string", "title": "联系时间", "x-ui": {"widget": "datetime", "when": "past"}},
        "wanted_at": {"type": "string", "title": "要求办结时间", "x-ui": {"widget": "datetime", "when": "future"}},
    },
    "required": ["result"],
    "x-ui": {"opinion": False},
}


def test_a_button_that_leads_nowhere_is_neither_shown_nor_taken() -> None:
    lowest, higher = outcome(CHOICES, {"tier": 1}, NOW), outcome(CHOICES, {"tier": 2}, NOW)
    assert lowest and higher and [len(found.choices) for found in (lowest, higher)] == [1, 2]
    assert check_form(CHOICES, {"result": "back"}, {"tier": 2}, NOW) == {"result": "back"}
    with pytest.raises(Refused, match=r"^结果不在可选范围内$"):
        check_form(CHOICES, {"result": "back"}, {"tier": 1}, NOW)


@pytest.mark.parametrize(
    "data, said",
    [
        ({"called_at": "2026-03-02T09:00"}, None),
        ({"called_at": "2026-03-02T09:04"}, None),
        ({"called_at": "2026-03-02T10:00"}, "联系时间不能晚于现在"),
        ({"called_at": "2026-03-02T02:00:00+00:00"}, "联系时间不能晚于现在"),
        ({"called_at": "昨天"}, "联系时间填写不正确"),
        ({"wanted_at": "2026-03-02T10:00"}, None),
        ({"wanted_at": "2026-03-02T08:00"}, "要求办结时间不能早于现在"),
        ({"wanted_at": "9999-12-31T23:59:59-12:00"}, "要求办结时间不能晚于一年以后"),
    ],
)
def test_a_moment_lies_where_it_can(data: dict[str, Any], said: str | None) -> None:
    if said is None:
        assert check_form(CHOICES, data | {"result": "settled"}, {}, NOW)
        return
    with pytest.raises(Refused, match=f"^{said}$"):
        check_form(CHOICES, data | {"result": "settled"}, {}, NOW)


def test_a_form_may_have_its_opinion_in_a_field() -> None:
    assert has_opinion(FORM) and not has_opinion(CHOICES) and not opinion_needed(CHOICES, {"result": "back"}, NOW)


@pytest.mark.parametrize("told", ["2026-02-30", "2026-3-1", "20260301", "明天", "2026-03-01T00:00"])
def test_a_day_is_a_day_of_the_calendar(told: str) -> None:
    form = {"properties": {"day": {"type": "string", "title": "日期", "x-ui": {"widget": "date"}}}}
    assert check_form(form, {"day": "2026-03-01"}, {}, NOW) == {"day": "2026-03-01"}
    with pytest.raises(Refused, match="日期填写不正确"):
        check_form(form, {"day": told}, {}, NOW)


SPOT: dict[str, Any] = {
    "properties": {"spot": {"type": "object", "title": "现场位置", "x-ui": {"widget": "location"}}},
    "required": ["spot"],
}
HERE = {"longitude": 121.4737, "latitude": 31.2304, "accuracy": 20.0}


@pytest.mark.parametrize(
    ("address", "told", "value"),
    [
        ("滨江路 1 号", "", {"address": "滨江路 1 号"}),
        ("滨江路 1 号", "121.4737,31.2304,20", {**HERE, "address": "滨江路 1 号"}),
        ("", "121.4737,31.2304,20", HERE),
        (" ", " ", None),
    ],
)
def test_a_page_tells_an_address_and_where_the_device_was(address: str, told: str, value: Any) -> None:
    data, wrong = read_form(SPOT, {"spot": [address], "spot.at": [told]})
    assert (data.get("spot"), wrong) == (value, {})


@pytest.mark.parametrize("told", ["1", "1,2", "1,2,3,4", "a,b,c", "nan,1,1", "1,inf,1", "1e999,1,1", ",,", "<script>"])
def test_coordinates_that_cannot_be_read_are_told_at_the_field(told: str) -> None:
    assert read_form(SPOT, {"spot": ["x"], "spot.at": [told]}) == ({}, {"spot": "现场位置填写不正确"})


@pytest.mark.parametrize("value", [{"address": "x"}, {"address": "x", "longitude": -180, "latitude": 90}, {**HERE, "address": "长" * 200}])
def test_a_location_is_an_address_with_or_without_coordinates(value: Any) -> None:
    assert check_form(SPOT, {"spot": value}, {}, NOW) == {"spot": value}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, "请填写现场位置"),
        (HERE, "请填写现场位置"),
        ({"address": "  "}, "请填写现场位置"),
        ({"address": "长" * 201}, "现场位置不能超过 200 个字"),
        ({"address": "x", "longitude": 1}, "现场位置填写不正确"),
        ({"address": "x", "accuracy": 1}, "现场位置填写不正确"),
        ({"address": "x", "altitude": 1}, "现场位置填写不正确"),
        ({"address": 5}, "现场位置填写不正确"),
        ({"address": ["x"]}, "现场位置填写不正确"),
        ({"address": "x\0"}, "现场位置含有无法保存的字符"),
        ({**HERE, "address": "x", "longitude": 180.1}, "现场位置的坐标不正确"),
        ({**HERE, "address": "x", "latitude": -91}, "现场位置的坐标不正确"),
        ({**HERE, "address": "x", "latitude": 10**30}, "现场位置的坐标不正确"),
        ({**HERE, "address": "x", "latitude": True}, "现场位置的坐标不正确"),
        ({**HERE, "address": "x", "latitude": "31"}, "现场位置的坐标不正确"),
        ({**HERE, "address": "x", "latitude": None}, "现场位置的坐标不正确"),
        ({**HERE, "address": "x", "latitude": {"a": 1}}, "现场位置的坐标不正确"),
        ({**HERE, "address": "x", "accuracy": -1}, "现场位置的坐标不正确"),
        ({**HERE, "address": "x", "latitude": float("nan")}, "现场位置含有无法保存的字符"),
        ("x", "现场位置填写不正确"),
        (["x"], "现场位置填写不正确"),
        (5, "现场位置填写不正确"),
    ],
    ids=str,
)
def test_what_is_no_location_is_refused(value: Any, said: str) -> None:
    with pytest.raises(Refused) as refused:
        check_form(SPOT, {"spot": value}, {}, NOW)
    assert refused.value.errors == {"spot": said}


def test_where_no_address_is_asked_the_coordinates_are_enough() -> None:
    optional = {"properties": {**SPOT["properties"]}}
    assert check_form(optional, {"spot": HERE}, {}, NOW) == {"spot": HERE}
    assert check_form(optional, {}, {}, NOW) == {}


def test_words_by_which_nobody_was_chosen_are_not_lost() -> None:
    form = {"properties": {"helper": {"type": "string", "title": "协助人", "x-ui": {"widget": "person"}}}}
    assert read_form(form, {"helper.q": ["张"]}) == ({}, {"helper": "请从查到的人员中选择协助人"})
    assert read_form(form, {"helper.q": ["张"], "helper": ["5"]}) == ({"helper": "5"}, {})
    assert read_form(form, {"helper.q": [" "]}) == ({}, {})


def test_what_was_filled_in_can_be_typed_again() -> None:
    kinds = {
        "text": "string",
        "amount": "number",
        "days": "integer",
        "safe": "boolean",
        "papers": "array",
        "spot": "object",
        "none": "string",
    }
    form = {
        "properties": {name: {"type": kind, "x-ui": {"widget": "location"} if kind == "object" else {}} for name, kind in kinds.items()}
    }
    spot = {"longitude": 120.5, "latitude": 30.25, "accuracy": 8.0, "address": "三号楼"}
    for data in (
        {"text": "甲\n乙", "amount": 0.1, "days": 3, "safe": True, "papers": ["a", "b"], "spot": spot},
        {"safe": False, "spot": {"address": "三号楼"}},
        {"safe": False, "spot": {name: value for name, value in spot.items() if name != "address"}},
    ):
        assert read_form(form, typed_again(form, {**data, "none": None})) == (data, {})


def test_what_was_filled_in_before_can_be_emptied() -> None:
    widgets = {"papers": "attachments", "signed": "signature", "place": "unit", "class": "codes", "end": "choice", "days": "number"}
    kinds = {"papers": "array", "days": "integer"}
    own: dict[str, Any] = {"properties": {}}
    for name in ("papers", "signed", "note", "days", "place", "class", "end", "left_out"):
        own["properties"][name] = {"type": kinds.get(name, "string"), "x-ui": {"widget": widgets.get(name, "text"), "prefill": name}}
    blank = {name: [" "] for name in ("note", "days", "place", "class", "end")}
    assert read_form(own, blank) == (dict.fromkeys(("papers", "signed", "note", "days")), {})
    assert read_form({"properties": {"note": {"type": "string", "x-ui": {"prefill": "x"}}}}, {"note": [""]}) == ({}, {})
    assert read_form({"properties": {"papers": {"type": "array", "x-ui": {"widget": "attachments"}}}}, {}) == ({}, {})
    form = {"properties": {"note": {"type": "string"}, "count": {"type": "integer"}}}
    assert check_form(form, {"note": None}, {"note": "原来的"}, NOW) == {"note": None}
    assert check_form(form, {"note": None, "count": None}, {}, NOW) == {}
    assert check_form(form, {"note": "新的"}, {"note": "原来的"}, NOW) == {"note": "新的"}


def test_what_must_be_filled_in_cannot_be_emptied_and_what_is_not_shown_is_left_alone() -> None:
    form = {
        "properties": {"note": {"type": "string", "title": "事由"}, "why": {"type": "string", "x-ui": {"visible": "note == 'b'"}}},
        "required": ["note"],
    }
    with pytest.raises(Refused) as refused:
        check_form(form, {"note": None}, {"note": "a"}, NOW)
    assert refused.value.errors == {"note": "请填写事由"}
    assert check_form(form, {"note": "a", "why": None}, {"why": "原来的"}, NOW) == {"note": "a"}
    with pytest.raises(Refused):
        check_form(form, {"note": "a", "other": None}, {}, NOW)
