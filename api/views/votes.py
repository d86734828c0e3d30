"""Hands in ballots, and says how votes stand."""

from __future__ import annotations

from typing import Any

from api.calls import OPEN, Calls
from api.schemas.votes import BallotTaken, NewBallot, VoteShown
from api.signin import actor
from api.work import context
from governance.rolls.queries import ADMINISTRATOR, KEEPERS
from governance.voting.commands import cast_by_code
from governance.voting.models import Vote
from governance.voting.queries import turnout
from governance.voting.queries import vote as vote_of
from governance.voting.rules import Weight

calls = Calls("api_votes", "表决")


@calls.call("POST", "/votes/<code>/ballots", BallotTaken, status=201, body=NewBallot, token=OPEN, refuses=(404, 409))
def cast(filled: dict[str, Any], code: str) -> dict[str, Any]:
    """Votes with the code of a slip: once, and only while the vote is open."""
    return {"vote_id": cast_by_code(context(), code, filled["choice"], for_number=filled["number"])}


@calls.call("GET", "/votes/<id:vote_id>", VoteShown, posts=(ADMINISTRATOR, *KEEPERS), refuses=(404,))
def show(vote_id: int) -> dict[str, Any]:
    """A vote as those who run it see it."""
    vote = vote_of(context().session, vote_id, actor())
    seen = turnout(context().session, vote)
    shown = {name: getattr(vote, name) for name in Vote.__mapper__.columns.keys()}  # noqa: SIM118
    return shown | {
        "total": _shown(seen.total),
        "returned": _shown(seen.returned),
        "tally": {mark.value: _shown(weight) for mark, weight in seen.tally.weights.items()} if seen.tally else None,
        "conditions": seen.verdict.conditions if seen.verdict else [],
        "outlook": seen.outlook,
    }


def _shown(weight: Weight) -> dict[str, Any]:
    return {"heads": weight.heads, "area": str(weight.area)}
