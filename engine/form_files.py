"""What a form file may say: the words of JSON Schema 2020-12 that every reader of forms carries out, and our `x-ui`.

What reaches outside the file (`$ref`), may take for ever to check (`pattern`), or no page would show is refused when the
form is published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.expressions import ExpressionError, compile_expression, shown

MAX_FIELDS = 200
"""Nobody fills in more; a page, a check and a preview of a form cost by their number."""
MAX_CHOICES = 200


@dataclass(frozen=True)
class Kind:
    """What a word may be followed by."""

    name: str
    holds: Callable[[Any], bool]


TEXT = Kind("文字", lambda value: isinstance(value, str))
NUMBER = Kind("数字", lambda value: type(value) in (int, float))
COUNT = Kind("不小于零的整数", lambda value: type(value) is int and value >= 0)
FLAG = Kind("true 或 false", lambda value: isinstance(value, bool))
LIST = Kind("列表", lambda value: isinstance(value, list))
PART = Kind("对象", lambda value: isinstance(value, dict))
VALUE = Kind("文字、数字或真假", lambda value: isinstance(value, str | int | float | bool))
TYPES = ("string", "integer", "number", "boolean", "array", "object")
TYPE = Kind("string、integer、number、boolean、array 或 object", lambda value: value in TYPES)
SIDE = Kind("past 或 future", lambda value: value in ("past", "future"))
NAMES = Kind("名称的列表", lambda value: LIST.holds(value) and all(map(TEXT.holds, value)))
FALSE = Kind("表达式或 false", lambda value: isinstance(value, str) or value is False)

Words = Mapping[str, Kind]
FORM: Words = {
    **dict.fromkeys(("$schema", "type", "title", "description"), TEXT),
    "properties": PART,
    "required": NAMES,
    "additionalProperties": FLAG,
    "x-ui": PART,
}
FIELD: Words = {
    **dict.fromkeys(("title", "description", "format"), TEXT),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), NUMBER),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), COUNT),
    "type": TYPE,
    "enum": LIST,
    "oneOf": LIST,
    "items": PART,
    "uniqueItems": FLAG,
    "default": VALUE,
    "x-ui": PART,
}
ITEM: Words = {word: kind for word, kind in FIELD.items() if word != "items"}
CHOICE: Words = {"const": VALUE, "title": TEXT, "description": TEXT, "x-ui": PART}
UI: Words = {
    **dict.fromkeys(("widget", "visible", "required", "list", "among", "posts", "prefill"), TEXT),
    "when": SIDE,
    "opinion": FALSE,
    "public": FLAG,
    "personal": FLAG,
}
MAX_FILES = 20
"""Of one field of attachments."""
CONDITIONS = ("visible", "required", "opinion")
PERSON, LOCATION = "person", "location"
AMONG = ("place", "district")


def form_problems(form: Mapping[str, Any]) -> Iterator[str]:
    """Why a form cannot be used, one clause a mistake."""
    yield from _said(form, FORM, "表单")
    if len(form["properties"]) > MAX_FIELDS:
        yield f"表单有 {len(form['properties'])} 项，最多 {MAX_FIELDS} 项"
        return
    for name, field in form["properties"].items():
        yield from _field(field, f"“{shown(name, 40)}”")


def _field(field: Any, where: str) -> Iterator[str]:
    items = field.get("items", {}) if PART.holds(field) else {}
    for part, known, place in ((field, FIELD, where), (items, ITEM, f"{where}的 items ")):
        yield from _said(part, known, place)
        if PART.holds(part) and any(len(part[word]) > MAX_CHOICES for word in ("oneOf", "enum") if LIST.holds(part.get(word))):
            yield f"{where}的选项过多，最多 {MAX_CHOICES} 个"
            continue
        for choice in part["oneOf"] if PART.holds(part) and LIST.holds(part.get("oneOf")) else ():
            yield from _said(choice, CHOICE, f"{where}的选项", needs="const")
    yield from _widget(field, items, where) if PART.holds(field) and PART.holds(items) else ()


def _widget(field: Mapping[str, Any], items: Mapping[str, Any], where: str) -> Iterator[str]:
    """What is wrong with what a field stores, or where its people come from, for the way it is filled in."""
    ui = field["x-ui"] if PART.holds(field.get("x-ui")) else {}
    widget, stored = ui.get("widget"), field.get("type")
    if (widget == LOCATION) != (stored == "object") or (stored == "array" and items.get("type") in ("array", "object")):
        yield f"{where}的 type 与填写方式不符：object 只用于位置，位置只用 object"
    if widget == PERSON and (items if stored == "array" else field).get("type") != "string":
        yield f"{where}选择人员，type 应为 string，或者每项为 string 的 array"
    if widget == PERSON and ui.get("among", AMONG[0]) not in AMONG:
        yield f"{where}的 among 应为 place 或 district"
    yield from _files(widget, field, items, where)


def _files(widget: Any, field: Mapping[str, Any], items: Mapping[str, Any], where: str) -> Iterator[str]:
    """Fields that hold files: their values are texts that name them, neither chosen nor computed."""
    most, chosen = field.get("maxItems"), "oneOf" in items or "enum" in items
    if widget == "attachments" and (field.get("type") != "array" or items.get("type") != "string" or chosen):
        yield f"{where}是附件，应为文字的列表"
    elif widget == "attachments" and not (type(most) is int and 1 <= most <= MAX_FILES):
        yield f"{where}是附件，最多几个应为 1 至 {MAX_FILES}"
    elif widget == "signature" and (field.get("type") != "string" or "oneOf" in field or "enum" in field):
        yield f"{where}是签名，应为文字"


def named_by_forms(forms: Mapping[str, Mapping[str, Any]], widget: str) -> set[str]:
    """The fields of any form that are filled in this way."""
    fields = ((name, field) for form in forms.values() for name, field in form["properties"].items() if PART.holds(field))
    return {name for name, field in fields if PART.holds(field.get("x-ui")) and field["x-ui"].get("widget") == widget}


def _said(part: Any, known: Words, where: str, needs: str = "") -> Iterator[str]:
    """What is wrong with the words of one object, and with its own `x-ui`."""
    if not PART.holds(part) or (needs and needs not in part):
        wanted = f"写明 {needs} 的对象" if needs else "对象"
        yield f"{where}应为{wanted}"
        return
    for word, value in part.items():
        if word not in known:
            yield f"{where}中不能使用“{shown(word, 40)}”"
        elif not known[word].holds(value):
            yield f"{where}的 {word} 应为{known[word].name}"
        elif word == "x-ui":
            yield from _said(value, UI, f"{where}的 x-ui ")
        elif known is UI and word in CONDITIONS and value:
            yield from _condition(value, f"{where}的 {word} ")


def _condition(text: str, where: str) -> Iterator[str]:
    try:
        compile_expression(text)
    except ExpressionError as error:
        yield f"{where}：{str(error).rstrip('。')}"
