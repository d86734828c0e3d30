"""Counts the opinions of a process's participants (会签、票签) by the rules of votes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.context import Context
from governance.voting.queries import rule_on
from governance.voting.rules import judge, summary, tally_opinions


def count_opinions(context: Context, data: Mapping[str, Any]) -> dict[str, Any]:
    """What `opinions` amount to under `vote_rule`, of `voters_n` who were asked; nothing when there is no such rule.

    An opinion is a choice, or an object that has one as its `opinion`.
    """
    rule = rule_on(context.session, str(data.get("vote_rule") or ""), context.today)
    given = data.get("opinions")
    if rule is None or not isinstance(given, list):
        return {}
    opinions = [str(one.get("opinion", "")) if isinstance(one, dict) else str(one) for one in given]
    asked = data.get("voters_n")
    tally = tally_opinions(opinions, asked if isinstance(asked, int) else len(opinions))
    return {"opinions_result": judge(rule, tally).result.value, "opinions_summary": summary(rule, tally)}
