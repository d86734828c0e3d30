"""Reads a form, and judges what was filled in. One schema serves the page, the API and the check."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from math import isfinite
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from engine.expressions import ExpressionError, compile_expression
from governance.calendar.rules import moment_told
from governance.errors import Refused

MAX_PARTS = 200
"""How much one field may hold: to find out whether so many items differ takes their square."""
FARTHEST = timedelta(days=366)
FILES = frozenset(["attachments", "signature"])
"""Fields that hold files alone; photos do so where there is no case or matter to belong to."""
NAMED_FILE = re.compile(r"[0-9a-f]{64}/[^/\0]{1,120}")
"""How a value names a file: by the digest of its content, and its name."""
SLACK = timedelta(minutes=5)
"""How far a clock on somebody's desk may be wrong."""


@dataclass(frozen=True)
class Choice:
    """One of a field's values; `visible` says when it may be chosen."""

    value: str
    title: str
    visible: str | None = None


@dataclass(frozen=True)
class Field:
    """A field as a page draws it."""

    name: str
    title: str
    help: str
    widget: str
    type: str
    choices: tuple[Choice, ...]
    is_required: bool
    visible: str | None
    required: str | None
    codes: str | None
    among: str | None
    max_length: int | None
    default: Any
    prefill: str | None
    """The name under which the case knows what to begin with; a field without it begins empty."""
    when: str | None
    """`past` or `future`: on which side of now a moment must lie."""
    is_public: bool
    """Whether the reporter sees what is filled in."""
    posts: str
    """A comma list: of which posts the people are that may be chosen; of all where none is named."""
    most: int | None
    """How many of a kind it holds."""


def fields(form: Mapping[str, Any]) -> tuple[Field, ...]:
    """The form's fields in the order they are written."""
    return _fields(_Schema(form))


def outcome(form: Mapping[str, Any], known: Mapping[str, Any], at: datetime) -> Field | None:
    """The field whose choices are the form's buttons, with those that may be pressed as the case stands."""
    found = next((f for f in fields(form) if f.widget == "outcome"), None)
    return replace(found, choices=_open_choices(found, known, at)) if found else None


def read_form(form: Mapping[str, Any], filled: Mapping[str, Sequence[str]]) -> tuple[dict[str, Any], dict[str, str]]:
    """What a page's texts mean, and a sentence for each field that cannot be read.

    None is what a field says that began with its own value and has been emptied.
    """
    data: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field in fields(form):
        values = [v.strip() for v in filled.get(field.name, ()) if v.strip()]
        try:
            value = _location(values, filled.get(f"{field.name}{AT}", ())) if field.widget == "location" else _value(field, values)
        except ValueError:
            errors[field.name] = f"{field.title}填写不正确"
            continue
        if value is not None or (field.prefill == field.name and _is_emptied(field, filled)):
            data[field.name] = value
        elif field.widget == "person" and any(text.strip() for text in filled.get(f"{field.name}{SOUGHT}", ())):
            errors[field.name] = f"请从查到的人员中选择{field.title}"
    return data, errors


def _is_emptied(field: Field, filled: Mapping[str, Sequence[str]]) -> bool:
    """Whether a field without a value says that there is none: files and boxes say so by silence."""
    return field.type == "array" or field.widget == "signature" or (field.name in filled and _can_be_empty(field))


def _can_be_empty(field: Field) -> bool:
    """What is picked from a list stays what it was, and yes or no is always one of them."""
    return field.type == "array" or (field.widget not in ("unit", "choice", "codes", "outcome") and field.type != "boolean")


def check_form(
    form: Mapping[str, Any], data: Mapping[str, Any], known: Mapping[str, Any], at: datetime, misread: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The data without what is not shown, checked as of `at`; `known` is what conditions may read beside it. Raises `Refused`.

    None empties a field that was known; it is no value.
    """
    emptied = {name for name, value in data.items() if value is None}
    data = {name: value for name, value in data.items() if value is not None}
    shown = {f.name: f for f in shown_fields(form, data, known, at)}
    found = {name: problem for name, problem in (misread or {}).items() if name in shown}
    found |= dict.fromkeys((name for name in {*data, *emptied} if name not in form["properties"]), "表单中没有这一项")
    found |= {name: f"{shown[name].title}填写不正确" for name in emptied if name in shown and not _can_be_empty(shown[name])}
    kept = {name: value for name, value in data.items() if name in shown}
    found |= {name: f"{shown[name].title}填写的内容过多" for name, value in kept.items() if len(_parts(value)) > MAX_PARTS}
    found |= {name: f"{shown[name].title}含有无法保存的字符" for name, value in kept.items() if not all(map(_storable, _parts(value)))}
    for field in shown.values():
        if field.is_required and _is_empty(field, kept) and field.name not in found:
            found[field.name] = _asked(field)
    for error in _validator(_frozen(form)).iter_errors({name: value for name, value in kept.items() if name not in found}):
        name = str(error.absolute_path[0]) if error.absolute_path else ""
        if name and name not in found:
            found[name] = _sentence(shown[name], error)
    for name in kept.keys() - found.keys():
        if problem := _out_of_place(shown[name], kept[name], known, at):
            found[name] = problem
    if found:
        raise Refused(found)
    return kept | dict.fromkeys(name for name in emptied if name in shown and known.get(name) is not None)


def shown_fields(form: Mapping[str, Any], data: Mapping[str, Any], known: Mapping[str, Any], at: datetime) -> tuple[Field, ...]:
    """The fields that these values bring to light; those they make necessary are marked so."""
    seen = _seen(form, data, known)
    return tuple(
        replace(f, is_required=f.is_required or _holds(f.required, seen, at, default=False))
        for f in fields(form)
        if _holds(f.visible, seen, at, default=True)
    )


def _open_choices(field: Field, known: Mapping[str, Any], at: datetime) -> tuple[Choice, ...]:
    return tuple(choice for choice in field.choices if _holds(choice.visible, known, at, default=True))


def _out_of_place(field: Field, value: Any, known: Mapping[str, Any], at: datetime) -> str | None:
    """What is wrong with a value that is well formed: a choice that is not open now, a moment on the wrong side of now."""
    if any(c.value == str(value) for c in field.choices) and not any(c.value == str(value) for c in _open_choices(field, known, at)):
        return f"{field.title}不在可选范围内"
    if field.widget in FILES and not all(map(_names_file, _each(value))):
        return f"{field.title}填写不正确"
    if field.widget == "date" and not _is_day(value):
        return f"{field.title}填写不正确"
    if field.widget == "location":
        return _misplaced(field, value)
    if field.when is None:
        return None
    try:
        moment = moment_told(value)
    except ValueError:
        return f"{field.title}填写不正确"
    if field.when == "past" and moment > at + SLACK:
        return f"{field.title}不能晚于现在"
    if field.when == "future" and moment > at + FARTHEST:
        return f"{field.title}不能晚于一年以后"
    return f"{field.title}不能早于现在" if field.when == "future" and moment < at else None


def _is_empty(field: Field, kept: Mapping[str, Any]) -> bool:
    """A place that must be told is told by its address, wherever the device is."""
    value = kept.get(field.name)
    if field.widget == "location" and isinstance(value, dict):
        return not str(value.get("address", "")).strip()
    return field.name not in kept or (field.widget == "person" and value == [])


def _misplaced(field: Field, value: Mapping[str, Any]) -> str | None:
    """What is wrong with a location: an address, and where the device was in degrees of WGS-84, exact to so many metres."""
    address, told = value.get("address", ""), value.keys() - {"address"}
    if not isinstance(address, str) or not value or told - EXTENT.keys() or (told and not told >= {"longitude", "latitude"}):
        return f"{field.title}填写不正确"
    if len(address) > ADDRESS:
        return f"{field.title}不能超过 {ADDRESS} 个字"
    measured = ((value[name], *EXTENT[name]) for name in told)
    fits = all(type(number) in (int, float) and least <= number <= most for number, least, most in measured)
    return None if fits else f"{field.title}的坐标不正确"


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _names_file(value: Any) -> bool:
    return NAMED_FILE.fullmatch(str(value)) is not None


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _seen(form: Mapping[str, Any], data: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    return {**known, **dict.fromkeys(form["properties"]), **data}


AT, SOUGHT = ".at", ".q"
"""What a page calls the coordinates beside an address, and the words by which a person is looked for."""
ADDRESS = 200
EXTENT = {"longitude": (-180, 180), "latitude": (-90, 90), "accuracy": (0, 10_000_000)}
CHOSEN = frozenset(["choice", "codes", "unit", "person", "outcome", "multichoice", "checkbox"])


def _asked(field: Field) -> str:
    """What to do about a field that must be filled in."""
    if field.widget == "signature":
        return "请签名"
    if field.widget == "attachments":
        return f"请上传{field.title}"
    return f"请选择{field.title}" if field.widget in CHOSEN else f"请填写{field.title}"


def opinion_needed(form: Mapping[str, Any], data: Mapping[str, Any], at: datetime) -> bool:
    """Whether this completion must say why."""
    return _holds(form.get("x-ui", {}).get("opinion") or None, {**dict.fromkeys(form["properties"]), **data}, at, default=False)


def has_opinion(form: Mapping[str, Any]) -> bool:
    """Whether there is an opinion beside the form; where a field of the form is the opinion, the form says `"opinion": false`."""
    return form.get("x-ui", {}).get("opinion") is not False


def files_named(form: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    """The files that these values name, in the order of the form."""
    held = [data[f.name] for f in fields(form) if f.widget in (*FILES, "photos") and f.name in data]
    return [str(one) for value in held for one in _each(value) if _names_file(one)]


def _parts(value: Any) -> list[Any]:
    """The value and what it holds, no more than shows that it is too much."""
    found = [value]
    for part in found:
        if len(found) <= MAX_PARTS:
            found += [*part, *part.values()] if isinstance(part, dict) else part if isinstance(part, list) else ()
    return found


def _storable(part: Any) -> bool:
    """Whether it can be stored: no NUL, no half of a character, no number without end."""
    if isinstance(part, str):
        return "\0" not in part and not any("\ud800" <= c <= "\udfff" for c in part)
    return isfinite(part) if isinstance(part, float) else True


def _field(name: str, schema: Mapping[str, Any], required: bool) -> Field:
    ui = schema.get("x-ui", {})
    options = schema.get("oneOf") or schema.get("items", {}).get("oneOf") or []
    choices = tuple(
        Choice(str(o["const"]), o.get("title", str(o["const"])), o.get("x-ui", {}).get("visible")) for o in options if "const" in o
    )
    named = schema.get("enum") or schema.get("items", {}).get("enum") or []
    return Field(
        name,
        schema.get("title", name),
        schema.get("description", ""),
        ui.get("widget") or _widget(schema),
        schema.get("type", "string") if isinstance(schema.get("type"), str) else "string",
        choices or tuple(Choice(str(v), str(v)) for v in named),
        required,
        ui.get("visible"),
        ui.get("required"),
        ui.get("list"),
        ui.get("among"),
        schema.get("maxLength"),
        schema.get("default"),
        ui.get("prefill"),
        ui.get("when"),
        bool(ui.get("public")),
        ui.get("posts", ""),
        schema.get("maxItems"),
    )


def _widget(schema: Mapping[str, Any]) -> str:
    if "oneOf" in schema or "enum" in schema:
        return "choice"
    return {"boolean": "checkbox", "integer": "number", "number": "number", "array": "multichoice"}.get(schema.get("type", ""), "text")


def typed_again(form: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, list[str]]:
    """The texts by which a page says this data: what `read_form` reads as the same again."""
    texts: dict[str, list[str]] = {}
    for field in fields(form):
        value = data.get(field.name)
        if isinstance(value, dict):
            texts[field.name] = [str(value["address"])] if value.get("address") else []
            texts[f"{field.name}{AT}"] = [",".join(str(value[part]) for part in EXTENT)] if EXTENT.keys() <= value.keys() else []
        elif value is not None:
            texts[field.name] = [str(one).lower() if isinstance(one, bool) else str(one) for one in _each(value)]
    return texts


def _value(field: Field, values: list[str]) -> Any:
    match field.type:
        case "boolean":
            return bool(values and values[0] in ("true", "on", "1"))
        case "array":
            return values or None
        case "integer":
            return int(values[0]) if values else None
        case "number":
            return _number(values[0]) if values else None
    return values[0] if values else None


def _location(values: Sequence[str], told: Sequence[str]) -> dict[str, Any] | None:
    """The address with the coordinates that the browser told: longitude, latitude, metres."""
    numbers = [_number(part) for text in told if text.strip() for part in text.split(",")]
    if len(numbers) not in (0, len(EXTENT)):
        raise ValueError(told)
    return dict(zip(EXTENT, numbers, strict=False)) | ({"address": values[0]} if values else {}) or None


def _number(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(text)
    return number


def _holds(expression: str | None, data: Mapping[str, Any], at: datetime, *, default: bool) -> bool:
    if not expression:
        return default
    try:
        return bool(compile_expression(expression).evaluate(data, at))
    except ExpressionError:
        return default


def _sentence(field: Field, error: ValidationError) -> str:
    match error.validator:
        case "maxLength":
            return f"{field.title}不能超过 {error.validator_value} 个字"
        case "minLength":
            return f"{field.title}至少 {error.validator_value} 个字"
        case "minimum" | "exclusiveMinimum":
            return f"{field.title}不能小于 {error.validator_value}"
        case "maximum" | "exclusiveMaximum":
            return f"{field.title}不能大于 {error.validator_value}"
        case "oneOf" | "enum" | "const":
            return f"{field.title}不在可选范围内"
        case "minItems":
            least = error.validator_value
            return f"{field.title}至少上传 {least} 个" if field.widget == "attachments" else f"{field.title}至少选择 {least} 项"
        case "maxItems":
            return f"{field.title}最多 {error.validator_value} 项"
    return f"{field.title}填写不正确"


class _Schema(dict[str, Any]):
    """A schema that can be a cache key: by identity, forms being frozen with their version."""

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self["properties"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Schema) and self["properties"] is other["properties"]


def _frozen(form: Mapping[str, Any]) -> _Schema:
    return _Schema({"type": "object", "properties": form["properties"]})


@lru_cache(maxsize=256)
def _fields(form: _Schema) -> tuple[Field, ...]:
    return tuple(_field(name, schema, name in form.get("required", ())) for name, schema in form["properties"].items())


@lru_cache(maxsize=256)
def _validator(schema: _Schema) -> Draft202012Validator:
    return Draft202012Validator({**schema, "properties": {name: _roomy(field) for name, field in schema["properties"].items()}})


def _roomy(field: Mapping[str, Any]) -> Mapping[str, Any]:
    """A field of photos takes whatever names photos, by an id or by a digest: how long that is is not its form's to say."""
    return field if field.get("x-ui", {}).get("widget") != "photos" else {**field, "items": {"type": "string"}}
