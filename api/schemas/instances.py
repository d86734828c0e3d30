"""Process instances."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validates
from marshmallow.validate import OneOf, Range

from api.fields import Answer, Body, Id, Moment, Number, Text
from engine.world import CANCELLED, FINISHED, RUNNING, SUSPENDED

REASON = 1000
LAST_STEP = 10**9


class InstanceQuery(Body):
    """Which instances. `after` is what the page before gave."""

    status = fields.String(validate=OneOf((RUNNING, SUSPENDED, FINISHED, CANCELLED), error="没有这种状态"))
    after = Id()


class LogQuery(Body):
    """From where to read the log."""

    after = Number(worded=True, load_default=0, validate=Range(0, LAST_STEP, error="应为步骤的序号"))


class StateQuery(Body):
    """After which command; the last when not said."""

    at = Number(worded=True, validate=Range(1, LAST_STEP, error="应为步骤的序号"))


class Reason(Body):
    """Why; it stands in the record."""

    reason = Text(REASON, shortest=1, required=True)

    @validates("reason")
    def _says_something(self, value: str, **_: Any) -> None:
        if not value.strip():
            raise ValidationError("请写明原因")


class Rewinding(Reason):
    """Back to how it was after command `to`, and why."""

    to = Number(required=True, validate=Range(1, LAST_STEP, error="应为步骤的序号"))


class CaseOfInstance(Answer):
    """The case of an instance."""

    id = Id()
    number = fields.String()
    title = fields.String()


class InstanceShown(Answer):
    """A process instance. `head` is the last hash of its chain; `revision` is its ETag."""

    id = Id()
    process = fields.String()
    version = fields.Integer()
    status = fields.String()
    revision = fields.Integer()
    head = fields.String()
    has_incident = fields.Boolean()
    started_at = Moment()
    advanced_at = Moment()
    ended_at = Moment(allow_none=True)
    case = fields.Nested(CaseOfInstance, allow_none=True)


class InstancePage(Answer):
    """Instances, the latest first, and what to send as `after` to see the next; null on the last page."""

    items = fields.List(fields.Nested(InstanceShown))
    after = Id(allow_none=True)


class LogEntry(Answer):
    """A command as the log holds it. A payload that was erased is null, and `erasure` says when and why."""

    seq = fields.Integer()
    at = Moment()
    kind = fields.String()
    semantics = fields.Integer()
    actor = fields.Dict(keys=fields.String())
    task_key = fields.String(allow_none=True)
    data = fields.Dict(keys=fields.String(), allow_none=True)
    opinion = fields.String(allow_none=True)
    facts = fields.Dict(keys=fields.String())
    erasure = fields.Dict(keys=fields.String(), allow_none=True)
    hash = fields.String()


class LogPage(Answer):
    """Commands, the first first, and what to send as `after` to see the next; null on the last page."""

    items = fields.List(fields.Nested(LogEntry))
    after = fields.Integer(allow_none=True)


class OpenThen(Answer):
    """A task that waited for a person."""

    key = fields.String()
    element = fields.String()


class WaitingThen(Answer):
    """An armed timer, catch event or service."""

    key = fields.String()
    element = fields.String()
    kind = fields.String()
    name = fields.String(allow_none=True)
    due_at = Moment(allow_none=True)


class StateThen(Answer):
    """How an instance stood after command `seq`, by replay."""

    seq = fields.Integer()
    at = Moment()
    data = fields.Dict(keys=fields.String())
    open = fields.List(fields.Nested(OpenThen))
    waiting = fields.List(fields.Nested(WaitingThen))
    finished = fields.Boolean()
    ended_at = fields.List(fields.String())
