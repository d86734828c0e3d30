"""A form that is about to be filled in, at a task or at the start of a process: its fields as they stand, and what they offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict

from api.work import context
from governance.deliberation.process import rolls_for
from governance.forms.rules import SOUGHT, Field, fields, has_opinion, opinion_needed, outcome, read_form, shown_fields
from governance.organisation.models import Kind
from governance.organisation.queries import full_name, names, nearest, of_kind, unit, upwards
from governance.people.queries import Official
from governance.people.rules import POSTS
from governance.workflow.commands import Desk
from governance.workflow.persons import nameable, read_id
from web.about import About
from web.language import gettext as _
from web.offers import Options, coded
from web.sentences import say

GENERAL = (lazy_gettext("请尽快办理并反馈结果。"), lazy_gettext("同意。"))
PHRASES = (
    lazy_gettext("情况属实，请按规定办理。"),
    lazy_gettext("已与反映人联系，情况已说明。"),
    lazy_gettext("已到现场核实。"),
    *GENERAL,
)
"""What is often written of a case or a matter; of the rest, only what is true of everything."""


MOST_LISTED, MOST_FOUND, MOST_TYPED = 100, 20, 60
"""So many people are offered in one list; of more, those whom the words find."""


@dataclass(frozen=True)
class Sought:
    """People of whom there are too many to list: those chosen, and those whom the words find."""

    q: str
    chosen: Sequence[tuple[str, str]]
    found: Sequence[tuple[str, str]]
    is_more: bool


def filling(held: Desk, form: Mapping[str, Any], about: About, shapes: str, uploads: Mapping[str, str]) -> dict[str, Any]:
    """What the form's templates need: the fields to show now, what they offer, what is filled in.

    `shapes` draws the fields anew; `uploads` takes a file meanwhile, by the kind of field that holds it.
    """
    filled = form.to_dict(flat=False) if isinstance(form, MultiDict) else {}
    data, at = read_form(held.form, filled)[0], context().now()
    chosen = outcome(held.form, held.data, at)
    people, sought = people_offered(held.form, held.data, filled)
    return {
        "fields": [f for f in shown_fields(held.form, data, held.data, at) if f.widget != "outcome"],
        "outcome": chosen,
        "chosen": data.get(chosen.name) if chosen else None,
        "has_opinion": has_opinion(held.form),
        "needs_opinion": opinion_needed(held.form, data, at),
        "about": about,
        "uploads": uploads,
        "phrases": PHRASES if about.pictured else GENERAL,
        "lists": _lists(held) | people,
        "sought": sought,
        "shapes": shapes,
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


def people_offered(
    form: Mapping[str, Any], known: Mapping[str, Any], filled: Mapping[str, Sequence[str]]
) -> tuple[dict[str, Options], dict[str, Sought]]:
    """Whom the fields offer: in a list, by unit, or to be looked for where it would be too long."""
    offered = {f: nameable(context(), f, known, limit=MOST_LISTED + 1) for f in fields(form) if f.widget == "person"}
    lists = {f.name: _by_unit(found) for f, found in offered.items() if len(found) <= MOST_LISTED}
    return lists, {f.name: _sought(f, known, filled) for f in offered if f.name not in lists}


def picking(form: Mapping[str, Any], known: Mapping[str, Any], filled: MultiDict[str, str], shapes: str) -> dict[str, Any]:
    """What the template needs by which an administrator chooses people; `shapes` looks for them by the words."""
    lists, sought = people_offered(form, known, filled.to_dict(flat=False))
    return {"fields": fields(form), "lists": lists, "sought": sought, "shapes": shapes, "form": filled, "known": known}


def _by_unit(found: Sequence[Official]) -> Options:
    units = names(context().session, {one.unit_id for one in found})
    return [
        (units[unit_id], [(str(one.id), _titled(one)) for one in held]) for unit_id, held in groupby(found, key=lambda one: one.unit_id)
    ]


def _sought(field: Field, known: Mapping[str, Any], filled: Mapping[str, Sequence[str]]) -> Sought:
    q = " ".join(filled.get(f"{field.name}{SOUGHT}", ()))[:MOST_TYPED].strip()
    before = known.get(field.prefill) if field.prefill else None
    given: Sequence[Any] = filled.get(field.name) or (before if isinstance(before, list) else [before])
    ids = {person_id for value in given if (person_id := read_id(value))}
    chosen = nameable(context(), field, known, ids=ids) if ids else []
    found = nameable(context(), field, known, q=q, limit=MOST_FOUND + len(chosen) + 1) if q else []
    others = [one for one in found if one not in chosen]
    return Sought(q, _in_words(chosen), _in_words(others[:MOST_FOUND]), len(others) > MOST_FOUND)


def _in_words(found: Sequence[Official]) -> list[tuple[str, str]]:
    units = names(context().session, {one.unit_id for one in found})
    return [(str(one.id), _titled(one, units[one.unit_id])) for one in found]


def _titled(one: Official, unit: str = "") -> str:
    post = say(POSTS[one.post].name) if one.post in POSTS else one.post
    return (
        _("%(name)s（%(post)s，%(unit)s）", name=one.name, post=post, unit=unit)
        if unit
        else _("%(name)s（%(who)s）", name=one.name, who=post)
    )


def _units(field: Field, held: Desk) -> list[tuple[str, str]]:
    session = context().session
    chain = upwards(session, unit(session, held.data["place_unit"]))
    community = nearest(chain, Kind.COMMUNITY)
    near = of_kind(session, Kind.COMMUNITY, Kind.GRID, Kind.BUILDING, below=community.path) if community else chain
    if field.among == "places":
        return [(str(u.id), full_name(upwards(session, u))) for u in near]
    departments = [(str(u.id), u.name) for u in of_kind(session, Kind.DEPARTMENT)]
    return [(str(u.id), u.name) for u in chain if u.kind != Kind.DISTRICT] + departments if field.among == "neighbours" else departments
