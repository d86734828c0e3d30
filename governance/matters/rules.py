"""How a matter follows the log of its instance, and when it must be taken up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from engine.world import CANCELLED, FINISHED
from governance.matters.models import Matter, Stage

TEXTS = {"plan": 4000, "resolution_text": 4000, "resolution_no": 60, "reply_text": 2000, "result_text": 4000, "merged_into": 24}
OUTCOMES = {
    "merged": "已并入其他议题",
    "turned_into_case": "已转为事项办理",
    "mediated": "已调解",
    "rejected": "未列入议题",
    "not_adopted": "未形成决议",
    "withdrawn": "已撤回",
    "archived": "已归档",
}
"""The status a matter ends in."""
COMPULSORY = Fraction(1, 5)
"""居民委员会组织法 (2018) art. 10: a fifth of the residents of full age, or of the households, may demand a meeting. 待法务确认: the
law as rewritten in 2025 could not be read."""


def follow(matter: Matter, data: Mapping[str, Any], statuses: tuple[str, ...], status: str, at: datetime) -> None:
    """Brings the matter's own columns up to its instance; `statuses` are those that its open tasks give."""
    matter.title = _text(data.get("topic_title"), 80) or matter.title
    for name, limit in TEXTS.items():
        setattr(matter, name, _text(data.get(name), limit))
    matter.budget = int(data["budget"]) if type(data.get("budget")) in (int, float) else None
    matter.consultation_n = data["consultation_n"] if type(data.get("consultation_n")) is int else 0
    matter.is_compulsory = data.get("is_compulsory") is True
    stage = Stage(data["stage"]) if data.get("stage") in set(Stage) else matter.stage
    if stage != matter.stage:
        matter.stage, matter.moved_at = stage, at
    matter.outcome = _text(data.get("outcome"), 20)
    if status in (FINISHED, CANCELLED):
        matter.status = "已作废" if status == CANCELLED else OUTCOMES.get(matter.outcome or "", "已归档")
        matter.stage, matter.closed_at = Stage.CLOSED, matter.closed_at or at
    else:
        matter.status, matter.closed_at = (*(statuses[-1:]), matter.status)[0], None


def number(district_code: str, year: int, running: int) -> str:
    """YS + 区划 6 位 + 年 + 当年序号"""
    return f"YS{district_code[:6]}{year}{running:04d}"


@dataclass(frozen=True)
class Basis:
    """Out of how many people and households a matter finds support; None where it is not known."""

    people: int | None
    households: int | None


@dataclass(frozen=True)
class Backing:
    """附议: how many people support a matter, and from how many households."""

    people: int = 0
    households: int = 0


def must_be_taken_up(backing: Backing, basis: Basis) -> bool:
    """Whether so much support obliges the committee to take a matter up."""
    shares = ((backing.people, basis.people), (backing.households, basis.households))
    return any(whole and Fraction(part, whole) >= COMPULSORY for part, whole in shares)


def needed(basis: Basis) -> int | None:
    """How many supporting households are enough, as far as the households are counted."""
    whole = basis.households
    return -(-whole * COMPULSORY.numerator // COMPULSORY.denominator) if whole else None


def _text(value: object, limit: int) -> str | None:
    return value[:limit] if isinstance(value, str) and value else None
