"""A form that is about to be filled in, at a task or at the start of a process: its fields as they stand, and what they offer."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict

from api.work import context
from governance.deliberation.process import rolls_for
from governance.forms.rules import Field, fields, has_opinion, opinion_needed, outcome, read_form, shown_fields
from governance.organisation.models import Kind
from governance.organisation.queries import full_name, nearest, of_kind, unit, upwards
from governance.workflow.commands import Desk
from web.about import About
from web.offers import Options, coded

GENERAL = (lazy_gettext("请尽快办理并反馈结果。"), lazy_gettext("同意。"))
PHRASES = (
    lazy_gettext("情况属实，请按规定办理。"),
    lazy_gettext("已与反映人联系，情况已说明。"),
    lazy_gettext("已到现场核实。"),
    *GENERAL,
)
"""What is often written of a case or a matter; of the rest, only what is true of everything."""


def filling(held: Desk, form: Mapping[str, Any], about: About, uploads: Mapping[str, str]) -> dict[str, Any]:
    """What the form's templates need: the fields to show now, what they offer, what is filled in, where files go meanwhile."""
    filled = form.to_dict(flat=False) if isinstance(form, MultiDict) else {}
    data, at = read_form(held.form, filled)[0], context().now()
    chosen = outcome(held.form, held.data, at)
    return {
        "fields": [f for f in shown_fields(held.form, data, held.data, at) if f.widget != "outcome"],
        "outcome": chosen,
        "chosen": data.get(chosen.name) if chosen else None,
        "has_opinion": has_opinion(held.form),
        "needs_opinion": opinion_needed(held.form, data, at),
        "about": about,
        "uploads": uploads,
        "phrases": PHRASES if about.pictured else GENERAL,
        "lists": _lists(held),
        "data": held.data,
        "form": form if isinstance(form, MultiDict) else MultiDict(),
    }


def _lists(held: Desk) -> dict[str, Options]:
    """What the form's fields offer."""
    offered = {field.name: _offered(field, held) for field in fields(held.form)}
    return {name: choices for name, choices in offered.items() if choices}


def _offered(field: Field, held: Desk) -> Options:
    if field.codes == "roll_books":
        found = sorted(rolls_for(context(), held.data), key=lambda book: -len(book.unit.path))
        return [(kept.name, [(str(book.id), book.name) for book in books]) for kept, books in groupby(found, key=lambda book: book.unit)]
    return coded(field) or ([("", _units(field, held))] if field.widget == "unit" else [])


def _units(field: Field, held: Desk) -> list[tuple[str, str]]:
    session = context().session
    chain = upwards(session, unit(session, held.data["place_unit"]))
    community = nearest(chain, Kind.COMMUNITY)
    near = of_kind(session, Kind.COMMUNITY, Kind.GRID, Kind.BUILDING, below=community.path) if community else chain
    if field.among == "places":
        return [(str(u.id), full_name(upwards(session, u))) for u in near]
    departments = [(str(u.id), u.name) for u in of_kind(session, Kind.DEPARTMENT)]
    return [(str(u.id), u.name) for u in chain if u.kind != Kind.DISTRICT] + departments if field.among == "neighbours" else departments
