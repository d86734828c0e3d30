"""Forms: what is shown, what is asked, and the sentences for what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from governance.errors import Refused
from governance.forms.rules import check_form, fields, opinion_needed, outcome, read_form, shown_fields

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
        check_form(FORM, data, {})
    return refused.value.errors


def test_the_outcome_is_the_buttons() -> None:
    found = outcome(FORM)
    assert found and [(c.value, c.title) for c in found.choices] == [("agree", "同意"), ("refuse", "不同意")]
    assert [f.name for f in fields(FORM)] == ["reason", "count", "parts", "result"]


def test_what_is_not_shown_is_neither_asked_nor_kept() -> None:
    assert check_form(FORM, {"result": "agree", "reason": "旧"}, {}) == {"result": "agree"}
    assert [f.name for f in shown_fields(FORM, {"result": "refuse"}, {})] == ["reason", "count", "parts", "result"]


def test_what_the_outcome_makes_necessary_is_asked() -> None:
    assert errors({"result": "refuse"}) == {"reason": "请填写原因"}
    assert opinion_needed(FORM, {"result": "refuse"}) and not opinion_needed(FORM, {"result": "agree"})


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
    assert read_form(FORM, {"result": ["agree"], "count": [" 3 "], "parts": ["水"], "csrf_token": ["x"]}, {}) == {
        "result": "agree",
        "count": 3,
        "parts": ["水"],
    }
    with pytest.raises(Refused) as refused:
        read_form(FORM, {"result": ["agree"], "count": ["许多"]}, {})
    assert refused.value.errors == {"count": "户数填写不正确"}
