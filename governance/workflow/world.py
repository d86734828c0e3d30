"""What the engine asks of the domain while a command runs, answered from the tables of today."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from engine.instances import Instances
from engine.log import Entry
from engine.world import Advance, Assignment, Opening
from governance.calendar.queries import working_calendar
from governance.calendar.rules import Unit as LimitUnit
from governance.calendar.rules import WorkCalendar
from governance.cases.models import Case
from governance.cases.rules import Standing, follow
from governance.context import Context
from governance.deadlines.rules import warn_at
from governance.matters.models import ImplementationTask
from governance.organisation.models import Kind
from governance.organisation.queries import Station, way_up
from governance.organisation.rules import TIERS
from governance.voting.opinions import count_opinions
from governance.workflow.assignment import find, tier_with_holder
from governance.workflow.models import CategoryDepartment
from governance.workflow.rules import due_of

Data = Mapping[str, Any]
CASE_CLOSED = "case_closed"
CHECKED_SHARE = 0.1
"""Share of cases closed on the spot that are checked at random."""


@dataclass
class District:
    """The district as the engine sees it."""

    context: Context

    @property
    def calendar(self) -> WorkCalendar:
        return working_calendar(self.context.session)

    def lookup(self, name: str, data: Data, at: datetime) -> dict[str, Any]:
        answer = LOOKUPS.get(name)
        return answer(self.context, data) if answer else {}

    def assign(self, opening: Opening) -> Assignment:
        found = find(self.context.session, opening, self.context.today)
        due, limit = due_of(opening, self.calendar)
        why: dict[str, Any] = {"steps": found.why}
        if due is None:
            return Assignment(tuple(found.principals), why=why)
        if limit:
            why["limit"] = {"amount": str(limit.amount), "unit": limit.unit.value}
        unit = limit.unit if limit else LimitUnit.CALENDAR_DAYS
        return Assignment(tuple(found.principals), due, warn_at(opening.at, due, unit, self.calendar), why)

    def advanced(self, advance: Advance) -> None:
        kind, _, key = advance.business_key.rpartition(":")
        if kind in FOLLOWERS:
            FOLLOWERS[kind](self.context, advance)
        elif key.isdecimal() and (case := self.context.session.get(Case, int(key), populate_existing=True)):
            self._follow(case, advance)

    def _follow(self, case: Case, advance: Advance) -> None:
        case.instance_id = advance.instance_id
        if advance.stopped:
            return
        was_open = case.closed_at is None
        follow(case, Standing(advance.data, advance.open_settings, advance.status, advance.at), self.calendar)
        self.context.session.flush()
        if was_open and case.closed_at and self._is_asked_for(case):
            instances(self.context).promise(advance.instance_id, CASE_CLOSED, {})

    def _is_asked_for(self, case: Case) -> bool:
        """Whether a resolution waits for this case."""
        return bool(self.context.session.scalar(select(ImplementationTask.number).where(ImplementationTask.case_id == case.id)))


def instances(context: Context) -> Instances:
    """The engine within this unit of work."""
    return Instances(context.session.connection(), District(context), context.now, context.new_id)


# ---- what subjects above add -------------------------------------------------------------------------------------

Answer = Callable[[Context, Data], dict[str, Any]]
Follower = Callable[[Context, Advance], None]
Carrier = Callable[[Context, int], None]
FOLLOWERS: dict[str, Follower] = {}
CARRIERS: dict[str, Carrier] = {}
ACTING = {"draw_sample"}
"""What is drawn by lot is not drawn again."""


def answers(name: str, *, acts: bool = False) -> Callable[[Answer], Answer]:
    """Makes a function the answer to a `wz:lookup`; one that `acts` changes what is outside the instance."""
    if acts:
        ACTING.add(name)
    return lambda answer: LOOKUPS.setdefault(name, answer)


def has_acted(entry: Entry) -> bool:
    """Whether a command changed something outside its instance."""
    return any(name in ACTING for _, name, _ in entry.facts.get("answers", ()))


def follows(kind: str) -> Callable[[Follower], Follower]:
    """Makes a function follow the instances whose business key begins with `kind:`."""
    return lambda follower: FOLLOWERS.setdefault(kind, follower)


def carries(message: str) -> Callable[[Carrier], Carrier]:
    """Makes a function carry a message that an instance has thrown to whom it concerns; it is given the instance's id."""
    return lambda carrier: CARRIERS.setdefault(message, carrier)


def carry(context: Context, message: str, instance_id: int) -> None:
    """Carries a message on, after the commit of what threw it; perhaps twice."""
    if message in CARRIERS:
        CARRIERS[message](context, instance_id)


# ---- lookups -----------------------------------------------------------------------------------------------------


def _chain(context: Context, data: Data) -> Sequence[Station]:
    return way_up(context.session, data["place_unit"])


def _tier(context: Context, data: Data, kinds: list[Kind]) -> dict[str, Any]:
    found = tier_with_holder(context.session, _chain(context, data), kinds, context.today)
    if found is None:
        return {}
    return {"tier": found[0], "tier_unit": str(found[1].id), "tier_kind": str(TIERS[found[0] - 1])}


def _first_tier(context: Context, data: Data) -> dict[str, Any]:
    """Where handling begins, and below which nothing can be sent back."""
    found = _tier(context, data, list(TIERS))
    return found | {"lowest_tier": found["tier"]} if found else {}


def _next_tier(context: Context, data: Data) -> dict[str, Any]:
    return _tier(context, data, list(TIERS[int(data["tier"]) :]))


def _lower_tier(context: Context, data: Data) -> dict[str, Any]:
    return _tier(context, data, list(reversed(TIERS[: int(data["tier"]) - 1])))


def _street(context: Context, data: Data) -> dict[str, Any]:
    street = next((u for u in _chain(context, data) if u.kind == Kind.SUBDISTRICT), None)
    return {"tier": 5, "tier_unit": str(street.id), "tier_kind": str(Kind.SUBDISTRICT)} if street else {}


def _suggest_department(context: Context, data: Data) -> dict[str, Any]:
    category = str(data.get("category") or "")
    rows = context.session.execute(
        select(CategoryDepartment.category, CategoryDepartment.unit_id).where(CategoryDepartment.category.in_([category, category[:2]]))
    ).all()
    best = max(rows, key=lambda row: len(row.category), default=None)
    return {"suggested_unit": str(best.unit_id)} if best else {}


def _draw_sample(context: Context, data: Data) -> dict[str, Any]:
    """Drawn from the case itself, so that nobody can try again until it is not drawn."""
    drawn = hashlib.sha256(f"{data.get('case_number')}{data.get('reopen_n')}".encode()).digest()
    return {"sampled": int.from_bytes(drawn[:4], "big") < CHECKED_SHARE * 2**32}


def _liaison_leader(context: Context, data: Data) -> dict[str, Any]:
    district = _chain(context, data)[-1]
    return {"liaison_unit": str(district.id)}


LOOKUPS: dict[str, Answer] = {
    "first_tier": _first_tier,
    "next_tier": _next_tier,
    "lower_tier": _lower_tier,
    "street": _street,
    "suggest_department": _suggest_department,
    "draw_sample": _draw_sample,
    "liaison_leader": _liaison_leader,
    "count_opinions": count_opinions,
}
