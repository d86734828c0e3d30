"""Whatever is filled into a shipped form, and whatever a form file says: checked, or refused with a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpmn import shipped
from engine.errors import StepFailed
from engine.form_files import form_problems
from engine.log import dumps, loads
from engine.packages import read_package
from engine.world import Opening
from governance.calendar.rules import WorkCalendar
from governance.errors import Refused
from governance.forms.rules import check_form, fields, opinion_needed, outcome, read_form, shown_fields
from governance.workflow.rules import due_of
from tests.payloads import PAYLOADS

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
FORMS = {f"{key}/{name}": form for key, folder in shipped().items() for name, form in read_package(folder).forms.items()}
ODD_TEXTS = [
    *(
        "",
        " ",
        "\0",
        "\ud800",
        "\u202e",
        "x" * 5_000,
        "true",
        "null",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "9" * 5_000,
        "-0",
        "0x10",
        "１２",
        "1_0",
        "[]",
        "{}",
    ),
    *(
        "2026-03-01T00:00",
        "9999-12-31T23:59-14:00",
        "0001-01-01T00:00+14:00",
        "2026-13-01",
        "1; DROP TABLE cases",
        "../../x",
        "0303",
        *PAYLOADS[:5],
    ),
]
texts = st.sampled_from(ODD_TEXTS) | st.text(st.characters(), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
anything = st.recursive(scalars, lambda part: st.lists(part, max_size=4) | st.dictionaries(texts, part, max_size=3), max_leaves=8)


def likely(form: Mapping[str, Any], draw: Any) -> dict[str, Any]:
    """Mostly what the form asks for."""
    data: dict[str, Any] = {}
    for field in fields(form):
        values = [choice.value for choice in field.choices] or ["1", "文字", "2026-03-02T10:00"]
        match draw(st.sampled_from(["right", "right", "list", "odd", "none"])):
            case "right":
                data[field.name] = [values[0]] if field.type == "array" else draw(st.sampled_from([*values, 1, True]))
            case "list":
                data[field.name] = draw(st.lists(st.sampled_from(values), max_size=3))
            case "odd":
                data[field.name] = draw(anything)
    return data


@pytest.mark.parametrize("name", sorted(FORMS))
@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_shipped_form_takes_anything(name: str, data: st.DataObject) -> None:
    form = FORMS[name]
    filled, known = (
        likely(form, data.draw),
        data.draw(st.dictionaries(st.sampled_from([f.name for f in fields(form)] + ["tier", "x"]), scalars, max_size=3)),
    )
    if data.draw(st.booleans()):
        filled[data.draw(texts)] = data.draw(anything)
    shown_fields(form, filled, known, NOW)
    outcome(form, known, NOW)
    opinion_needed(form, filled, NOW)
    try:
        kept = check_form(form, filled, known, NOW)
    except Refused as refused:
        assert all(sentence for sentence in refused.errors.values())
        return
    assert loads(dumps(kept)) == kept


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(sorted(FORMS)), st.data())
def test_what_a_page_sends_is_read(name: str, data: st.DataObject) -> None:
    form = FORMS[name]
    names = st.sampled_from([f.name for f in fields(form)])
    filled, errors = read_form(form, data.draw(st.dictionaries(names, st.lists(texts, max_size=3), max_size=6)))
    try:
        kept = check_form(form, filled, {}, NOW, errors)
    except Refused:
        return
    assert loads(dumps(kept)) == kept


class Compared(dict[str, int]):
    """An item that counts how often it is held against another."""

    times = 0

    def items(self) -> Any:
        Compared.times += 1
        return super().items()


def test_many_items_are_refused_before_they_are_compared() -> None:
    form = {"properties": {"a": {"type": "array", "uniqueItems": True}}}
    check_form(form, {"a": [Compared(n=n) for n in range(20)]}, {}, NOW)
    assert Compared.times > 0
    Compared.times = 0
    with pytest.raises(Refused):
        check_form(form, {"a": [Compared(n=n) for n in range(20_000)]}, {}, NOW)
    assert Compared.times == 0


WRONG = [
    *(
        {"a": {"$ref": "http://127.0.0.1:9/x"}},
        {"a": {"$ref": "file:///etc/passwd"}},
        {"a": {"$ref": "#/properties/a"}},
        {"a": {"$dynamicRef": "#x"}},
    ),
    *(
        {"a": {"pattern": "^(a+)+$"}},
        {"a": {"patternProperties": {}}},
        {"a": {"multipleOf": 0}},
        {"a": {"allOf": [{"$ref": "x"}]}},
        {"a": {"$id": "http://x"}},
    ),
    *(
        {"a": {"type": "strung"}},
        {"a": {"type": 5}},
        {"a": {"type": ["string", "null"]}},
        {"a": {"minimum": "1"}},
        {"a": {"maxLength": -1}},
        {"a": {"enum": 5}},
    ),
    *({"a": 5}, {"a": True}, {"a": None}, {"a": []}, {"a": {"x-ui": 5}}, {"a": {"x-ui": {"widget": 5}}}, {"a": {"x-ui": {"visible": 5}}}),
    *(
        {"a": {"x-ui": {"visible": "__import__('os')"}}},
        {"a": {"x-ui": {"required": "a.b()"}}},
        {"a": {"x-ui": {"when": "now"}}},
        {"a": {"x-ui": {"onclick": "x"}}},
    ),
    *(
        {"a": {"oneOf": 5}},
        {"a": {"oneOf": [True]}},
        {"a": {"oneOf": [{"title": "x"}]}},
        {"a": {"oneOf": [{"const": {}}]}},
        {"a": {"oneOf": [{"const": 1, "$ref": "x"}]}},
    ),
    *(
        {"a": {"items": True}},
        {"a": {"items": {"$ref": "x"}}},
        {"a": {"items": {"items": {"$ref": "x"}}}},
        {"a": {"items": {"oneOf": [5]}}},
        {"a": {"default": {}}},
    ),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_a_form_that_nobody_could_fill_in_is_not_published(number: int) -> None:
    assert list(form_problems({"properties": WRONG[number]}))


def test_the_shipped_forms_are_right() -> None:
    assert [problem for form in FORMS.values() for problem in form_problems(form)] == []


words = st.sampled_from(
    [
        "type",
        "title",
        "oneOf",
        "enum",
        "items",
        "x-ui",
        "const",
        "minimum",
        "maxLength",
        "visible",
        "required",
        "default",
        "properties",
        "when",
        "$ref",
    ]
)
parts = st.recursive(scalars, lambda part: st.lists(part, max_size=3) | st.dictionaries(words, part, max_size=4), max_leaves=10)


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(sorted(FORMS)), st.data())
def test_a_form_that_is_published_can_be_filled_in(name: str, data: st.DataObject) -> None:
    form = json.loads(json.dumps(FORMS[name]))
    for _ in range(data.draw(st.integers(1, 3))):
        field = form["properties"][data.draw(st.sampled_from(sorted(form["properties"])))]
        if isinstance(field, dict):
            field[data.draw(words)] = data.draw(parts)
    if list(form_problems(form)):
        return
    filled = likely(form, data.draw)
    outcome(form, filled, NOW)
    opinion_needed(form, filled, NOW)
    try:
        check_form(form, filled, {}, NOW)
    except Refused as refused:
        assert refused.errors


@pytest.mark.parametrize(
    "deadline",
    [
        *(
            {"amount": "1e999999999", "unit": "work_days"},
            {"amount": "=long", "unit": "work_days"},
            {"amount": "999999999", "unit": "calendar_days"},
        ),
        *(
            {"amount": "1/0", "unit": "work_days"},
            {"amount": "-1", "unit": "work_days"},
            {"amount": "0", "unit": "work_days"},
            {"amount": "nan", "unit": "work_days"},
        ),
        *(
            {"unit": "work_days"},
            {"amount": "1"},
            {"amount": "1", "unit": "years"},
            {"until": "9999-12-31T23:59-14:00"},
            {"until": "=long"},
        ),
    ],
)
def test_a_limit_that_cannot_be_kept_is_an_incident(deadline: dict[str, str]) -> None:
    with pytest.raises(StepFailed):
        due_of(Opening(0, "", "a", "a", "a", {"deadline": deadline}, {"long": "1" * 9_000}, NOW), WorkCalendar({}))
