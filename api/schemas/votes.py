"""Votes."""

from __future__ import annotations

from marshmallow import fields
from marshmallow.validate import OneOf, Range

from api.fields import Answer, Body, Id, Moment, Number


class NewBallot(Body):
    """A choice; `number` when it is the ballot of somebody whose written mandate the holder of the code has."""

    choice = fields.String(required=True, validate=OneOf(["yes", "no", "abstain"], error="应为 yes、no 或 abstain"))
    number = Number(load_default=None, allow_none=True, validate=Range(1, 10**9, error="不是名册上的序号"))


class BallotTaken(Answer):
    """That the ballot has been taken."""

    vote_id = Id()


class ConditionShown(Answer):
    """A condition with its numbers."""

    words = fields.String()
    holds = fields.Boolean()


class CountShown(Answer):
    """Heads, and area in square metres."""

    heads = fields.Integer()
    area = fields.String()


class VoteShown(Answer):
    """A vote: turnout while it runs, its result once it is closed. What ballots say stays closed as long as a secret vote runs."""

    id = Id()
    question = fields.String()
    status = fields.String()
    is_secret = fields.Boolean()
    starts_at = Moment()
    ends_at = Moment()
    closed_at = Moment(allow_none=True)
    result = fields.String(allow_none=True)
    summary = fields.String(allow_none=True)
    digest = fields.String(allow_none=True)
    total = fields.Nested(CountShown)
    returned = fields.Nested(CountShown)
    tally = fields.Dict(keys=fields.String(), values=fields.Nested(CountShown), allow_none=True)
    conditions = fields.List(fields.Nested(ConditionShown))
    outlook = fields.String(allow_none=True)
