"""人员: whom a form may name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from governance.context import Context
from governance.forms.rules import Field
from governance.organisation.queries import around
from governance.people.queries import Official, officials
from governance.workflow.rules import words


def nameable(
    context: Context, field: Field, data: Mapping[str, Any], *, q: str = "", ids: Collection[int] | None = None, limit: int | None = None
) -> list[Official]:
    """Who may be chosen for a field, as things stand: in office, of its posts, and near the place unless the whole district is meant."""
    place = data.get("place_unit") or data.get("matter_unit")
    near = around(context.session, place) if place and field.among != "district" else None
    return officials(context.session, context.today, words(field.posts), near, q=q, ids=ids, limit=limit)


def read_id(value: Any) -> int | None:
    """The id of a person that a form's value may be."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19 else None
