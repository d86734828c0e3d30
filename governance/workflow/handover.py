"""转办: a task goes to a colleague."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from governance.context import Actor, Context
from governance.errors import NotAllowed, Refused
from governance.people.models import Appointment
from governance.people.queries import in_office
from governance.people.rules import HANDLERS
from governance.workflow.assignment import excluded
from governance.workflow.commands import Desk, held_task, permit
from governance.workflow.rules import allows, given_reason
from governance.workflow.world import instances

TRANSFER = "transfer"


def may_transfer(held: Desk) -> bool:
    """Whether the diagram lets whoever holds the task hand it on."""
    return allows(held.settings, TRANSFER)


def colleagues(context: Context, actor: Actor, held: Desk) -> Sequence[Appointment]:
    """Who may be handed a task: others in the units it is addressed to, except those who must stand back."""
    settings = held.settings.get("assign", {})
    units = {int(p.rpartition("@")[2]) for p in held.principals if p.startswith("post:")} | {a.unit_id for a in actor.appointments}
    query = select(Appointment).where(in_office(context.today), Appointment.unit_id.in_(units), Appointment.post.in_(HANDLERS))
    apart = excluded(settings, held.data) | {str(actor.person_id)}
    found = [a for a in context.session.scalars(query.order_by(Appointment.unit_id, Appointment.id)) if str(a.person_id) not in apart]
    return list({a.person_id: a for a in found}.values())


def transfer(context: Context, actor: Actor, task_id: int, person_id: int, reason: str) -> None:
    """转办: hands a task to a colleague, who finishes it; raises `NotAllowed`, `Refused`."""
    run = instances(context)
    holding, held = held_task(run, task_id)
    permit(actor, held)
    if not may_transfer(held):
        raise NotAllowed
    why = given_reason(reason)
    if person_id not in {a.person_id for a in colleagues(context, actor, held)}:
        raise Refused({"person": "请从可以转办的人员中选择"})
    run.transfer(holding, actor.under(list(held.principals)).record(), f"person:{person_id}", why)
