"""人员: whom a form may name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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


def all_nameable(context: Context, field: Field, data: Mapping[str, Any], values: Sequence[str]) -> bool:
    """Whether these may be chosen for a field, every one of them."""
    ids = [read_id(value) for value in values]
    known = {one.id for one in nameable(context, field, data, ids=[i for i in ids if i is not None])}
    return all(i in known and str(i) == value for i, value in zip(ids, values, strict=True))


def read_id(value: Any) -> int | None:
    """The id of a person that a form's value may be."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19 else None
