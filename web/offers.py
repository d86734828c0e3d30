"""What a field offers to choose from, where the form itself names only a list."""

from __future__ import annotations

from itertools import groupby

from api.work import context
from governance.cases.codes import codes
from governance.forms.rules import Field
from governance.organisation.models import Kind
from governance.organisation.queries import of_kind
from governance.voting.queries import rules_on
from web.sentences import say

Options = list[tuple[str, list[tuple[str, str]]]]
"""What a field offers, in groups; a group without a name stands by itself."""


def coded(field: Field) -> Options:
    """The entries of the code list that the field names; they are the same whatever the case."""
    if field.codes == "categories":
        return categories()
    if field.codes == "vote_rules":
        return [("", [(rule.code, say(rule.name)) for rule in rules_on(context().session, context().today)])]
    return [("", [(str(c), say(str(c))) for c in codes()[field.codes]])] if field.codes in codes() else []


def categories() -> Options:
    """The categories of cases, by their majors."""
    by_major = groupby(codes()["categories"], key=lambda c: c["major_name"])
    return [(say(major), [(c["code"], say(c["name"])) for c in found]) for major, found in by_major]


def areas() -> Options:
    """The subdistricts and communities, by their codes."""
    session = context().session
    return [(say(kind.label), [(unit.code, unit.name) for unit in of_kind(session, kind)]) for kind in (Kind.SUBDISTRICT, Kind.COMMUNITY)]
