"""What pages show of a matter beyond its row: support, notices, objections, what is being implemented."""

from __future__ import annotations

from typing import Any

from api.signin import actor
from api.work import context
from governance.matters.models import Matter, Stage
from governance.matters.queries import basis, implementation_tasks, notices, objections, support_of, supports
from governance.matters.rules import Backing, needed
from governance.organisation.models import Unit
from governance.privacy import masked_name
from governance.rolls.queries import may_keep
from governance.voting.queries import votes_of_matter

STEPS = tuple(stage for stage in Stage if stage is not Stage.CLOSED)


def facts_of(matter: Matter) -> dict[str, Any]:
    """For who works on the matter; names of residents are masked."""
    given = context()
    session, unseal = given.session, given.sealer.unseal
    public, by = public_facts(matter), actor()
    return public | {
        "supporters": [(masked_name(unseal(one.name)), one.household, one.given_at) for one in supports(session, matter.id)],
        "objections": [(one, masked_name(unseal(one.name))) for one in objections(session, matter.id)],
        "kept": {one.id for one in public["votes"] if may_keep(by, session.get_one(Unit, one.unit_id))},
        "suggester": masked_name(unseal(matter.contact_name)) if matter.contact_name else "",
    }


def public_facts(matter: Matter) -> dict[str, Any]:
    """For everybody: nothing of who suggested, supported or objected."""
    session = context().session
    return {
        "steps": _steps(matter),
        "backing": support_of(session, [matter.id]).get(matter.id, Backing()),
        "needed": needed(basis(session, matter.unit)),
        "notices": notices(session, matter.id),
        "tasks": implementation_tasks(session, matter.id),
        "votes": votes_of_matter(session, matter.id),
    }


def _steps(matter: Matter) -> list[tuple[str, str]]:
    """The steps of a matter, and which are done; of one that was not taken up or not adopted it is not known how far it came."""
    at = STEPS.index(Stage(matter.stage)) if matter.stage in STEPS else len(STEPS) if matter.outcome == "archived" else -1
    return [(stage.label, "done" if n < at else "current" if n == at else "") for n, stage in enumerate(STEPS)]
