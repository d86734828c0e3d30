"""What the process studio asks of the server about a form or a decision table that is still being made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from api.fields import is_storable
from api.work import context
from engine.coverage import coverage
from engine.decisions import DecisionTable, TableRejected, read_table
from engine.expressions import ExpressionError
from engine.form_files import form_problems
from governance.errors import Refused
from governance.forms.rules import Field, fields, has_opinion, opinion_needed, outcome, read_form, shown_fields
from governance.organisation.models import Kind
from governance.organisation.queries import of_kind
from web.access import for_posts
from web.filling import PHRASES, people_offered
from web.language import gettext as _
from web.offers import Options, coded
from web.pages.admin import ADMINISTRATOR, DESIGNER
from web.sentences import say

pages = Blueprint("studio_forms", __name__, url_prefix="/admin/studio")
MAX_BYTES = 600_000
MOST_SAID = 20
MOST_UNITS = 50


@pages.post("/form-preview")
@for_posts(ADMINISTRATOR, DESIGNER)
def form_preview() -> ResponseReturnValue:
    """The form as those who handle the step will see it, with what has been filled in to try it."""
    try:
        sent = sent_object()
        form, filled, known = _form(sent), _filled(sent), _known(sent)
    except Refused as refused:
        return render_template("admin/_form_preview.html", problems=list(refused.errors.values())), 422
    shape = _shape(form, filled, known)
    return render_template("admin/_form_preview.html", **shape | (_starting() if sent.get("starting") is True else {}))


@pages.post("/table")
@for_posts(ADMINISTRATOR, DESIGNER)
def table() -> ResponseReturnValue:
    """What a decision table says of the values that are sent; without values, what it decides twice or not at all."""
    try:
        sent = sent_object()
        read, values = _table(sent), sent.get("values")
        return _judged(read) if values is None else _tried(read, values)
    except (Refused, TableRejected, ExpressionError) as error:
        return {"error": say(str(error))}, 422


def _table(sent: Mapping[str, Any]) -> DecisionTable:
    xml = sent.get("table")
    if not isinstance(xml, str):
        raise Refused({"": _("发来的内容不是决策表")})
    return read_table(xml.encode())


def _tried(read: DecisionTable, values: Any) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise Refused({"": _("发来的内容无法读取")})
    now = context().now()
    return {"rules": read.hits(values, now), "result": read.decide(values, now)}


def _judged(read: DecisionTable) -> dict[str, Any]:
    found = asdict(coverage(read))
    return found | {"names": sorted(read.names), "inputs": [{"label": i.label, "source": i.expression.source} for i in read.inputs]}


def sent_object(limit: int = MAX_BYTES) -> Mapping[str, Any]:
    """The JSON object in the request's body; raises `Refused`."""
    if (request.content_length or 0) > limit:
        raise Refused({"": _("内容过大，不能超过 %(n)s KB", n=limit // 1000)})
    try:
        sent = json.loads(request.get_data())
    except (ValueError, RecursionError) as error:
        raise Refused({"": _("发来的内容无法读取")}) from error
    if not isinstance(sent, dict) or not is_storable(sent):
        raise Refused({"": _("发来的内容无法读取")})
    return sent


def _form(sent: Mapping[str, Any]) -> Mapping[str, Any]:
    form = sent.get("form")
    if not isinstance(form, dict) or not isinstance(form.get("properties"), dict):
        raise Refused({"": _("发来的内容不是表单")})
    wrong = [say(reason) for reason in islice(form_problems(form), MOST_SAID)]
    if wrong:
        raise Refused({str(number): said for number, said in enumerate(wrong)})
    return form


def _filled(sent: Mapping[str, Any]) -> MultiDict[str, str]:
    filled = sent.get("filled") or {}
    if not isinstance(filled, dict) or not all(isinstance(values, list) for values in filled.values()):
        raise Refused({"": _("发来的内容无法读取")})
    return MultiDict({name: [str(value) for value in values] for name, values in filled.items()})


def _known(sent: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a dry run knows where the form is opened."""
    known = sent.get("data") or {}
    if not isinstance(known, dict):
        raise Refused({"": _("发来的内容无法读取")})
    return known


def _shape(form: Mapping[str, Any], filled: MultiDict[str, str], known: Mapping[str, Any]) -> dict[str, Any]:
    """What the task page's templates need, without a task."""
    data, at = read_form(form, filled.to_dict(flat=False))[0], context().now()
    pressed = outcome(form, known, at)
    people, sought = people_offered(form, {}, filled.to_dict(flat=False))
    return {
        "fields": [f for f in shown_fields(form, data, known, at) if f.widget != "outcome"],
        "outcome": pressed,
        "chosen": data.get(pressed.name) if pressed else None,
        "has_opinion": has_opinion(form),
        "needs_opinion": opinion_needed(form, data, at),
        "phrases": PHRASES,
        "lists": {f.name: offered for f in fields(form) if (offered := _offered(f))} | people,
        "sought": sought,
        "shapes": None,
        "data": known,
        "form": filled,
        "errors": {},
        "mine": True,
        "task": None,
        "uploads": {},
    }


def _starting() -> dict[str, Any]:
    """What is different where the form begins a process: nobody gives an opinion on what they ask for themselves."""
    return {"has_opinion": False, "press": _("提交"), "title": _("发起")}


def _offered(field: Field) -> Options:
    """An example of what will be offered, where that depends on the case."""
    if field.widget != "unit":
        return coded(field) or ([("", [])] if field.codes else [])
    kind = Kind.COMMUNITY if field.among == "places" else Kind.DEPARTMENT
    return [("", [(str(unit.id), unit.name) for unit in of_kind(context().session, kind)[:MOST_UNITS]])]
