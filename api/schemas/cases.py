"""Cases."""

from __future__ import annotations

from marshmallow import fields
from marshmallow.validate import OneOf

from api.fields import Answer, Body, Flag, Id, Moment, Text
from governance.cases.codes import codes
from governance.cases.commands import ADDRESS, CONTACT, TEXT, TITLE


class NewCase(Body):
    """上报. `place` is the code or the id of a building, grid, community or subdistrict."""

    text = Text(TEXT, shortest=1, required=True)
    place = Text(40, shortest=1, required=True)
    title = Text(TITLE, load_default="")
    address = Text(ADDRESS, load_default="")
    category = fields.String(
        load_default=None, allow_none=True, validate=OneOf([c["code"] for c in codes()["categories"]], error="没有这个类别")
    )
    contact_name = Text(CONTACT, load_default="")
    contact_mobile = Text(20, load_default="")
    confidential = Flag(load_default=False)


class Reported(Answer):
    """`follow` is the address at which the reporter follows the case; it is given once and kept nowhere."""

    id = Id()
    number = fields.String()
    instance_id = Id(allow_none=True)
    follow = fields.String(allow_none=True)


class PlaceOfCase(Answer):
    """Where a case is."""

    id = Id()
    name = fields.String()


class OpenTask(Answer):
    """What a case waits for, and with whom."""

    id = Id()
    name = fields.String()
    opened_at = Moment()
    due_at = Moment(allow_none=True)
    candidates = fields.List(fields.String())


class CaseShown(Answer):
    """事项. Who reported it is not part of it."""

    id = Id()
    number = fields.String()
    instance_id = Id(allow_none=True)
    title = fields.String()
    text = fields.String()
    category = fields.String(allow_none=True)
    priority = fields.String(allow_none=True)
    status = fields.String()
    channel = fields.String()
    place = fields.Nested(PlaceOfCase)
    address = fields.String()
    is_anonymous = fields.Boolean()
    is_confidential = fields.Boolean()
    reported_at = Moment()
    due_at = Moment(allow_none=True)
    paused_at = Moment(allow_none=True)
    reply_text = fields.String(allow_none=True)
    replied_at = Moment(allow_none=True)
    resolved = fields.String(allow_none=True)
    satisfaction = fields.Integer(allow_none=True)
    close_code = fields.String(allow_none=True)
    closed_at = Moment(allow_none=True)
    rework_n = fields.Integer()
    reopen_n = fields.Integer()
    return_n = fields.Integer()
    extension_n = fields.Integer()
    open = fields.List(fields.Nested(OpenTask))


class Moved(Answer):
    """One thing that was done. `on_time` is null where there was no limit."""

    seq = fields.Integer()
    at = Moment()
    kind = fields.String()
    element = fields.String()
    name = fields.String()
    person = fields.String()
    post = fields.String()
    opinion = fields.String(allow_none=True)
    opened_at = Moment(allow_none=True)
    due_at = Moment(allow_none=True)
    on_time = fields.Boolean(allow_none=True)


class Timeline(Answer):
    """流转轨迹, the first first."""

    items = fields.List(fields.Nested(Moved))
