"""Units."""

from __future__ import annotations

from marshmallow import fields
from marshmallow.validate import OneOf

from api.fields import Answer, Body, Id, Text
from governance.organisation.models import Kind


class UnitQuery(Body):
    """Which units in use: of a kind, below a unit, by name or code. `after` is what the page before gave."""

    kind = fields.String(validate=OneOf([kind.value for kind in Kind], error="没有这类单位"))
    below = Id()
    q = Text(80, load_default="")
    after = Text(30, load_default="")


class UnitShown(Answer):
    """A unit: what a form's unit field takes is its id, what a report's place takes is its code or id."""

    id = Id()
    code = fields.String()
    kind = fields.String()
    name = fields.String()
    parent_id = Id(allow_none=True)


class UnitPage(Answer):
    """Units by code, and what to send as `after` to see the next; null on the last page."""

    items = fields.List(fields.Nested(UnitShown))
    after = fields.String(allow_none=True)
