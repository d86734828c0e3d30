"""超期处理: what becomes of a task that is not done in time, where its diagram says so beside the reminders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from engine.errors import StepFailed
from engine.holding import Holding
from engine.instances import Instances
from engine.log import loads
from engine.schema import incidents, tasks
from engine.world import RUNNING, SYSTEM, Actor, Advance, Assignment
from governance.calendar.queries import working_calendar
from governance.context import Context
from governance.deadlines.rules import warn_at
from governance.errors import Refused
from governance.forms.rules import outcome, read_form
from governance.workflow.assignment import above
from governance.workflow.commands import Desk, checked, held_task
from governance.workflow.rules import ESCALATE, limit_kept, overdue_of, value_finished_with
from governance.workflow.world import instances

ESCALATED, FINISHED = "超期", "超期自动办结"
"""The reasons the log gives."""
REFUSED = "overdue_refused"
"""The rule of an incident that keeps a completion nobody has filled in."""


def settle_overdue(context: Context, task_id: int) -> None:
    """Does with an overdue task what its diagram says, once; what somebody has done with it, and an incident keeps, is left alone."""
    run = instances(context)
    holding, held = held_task(run, task_id)
    if holding.task["closed_at"] or holding.instance.status != RUNNING or run.is_stopped(holding):
        return
    if overdue_of(held.settings) == ESCALATE:
        _escalate(context, run, holding, held)
    elif value := value_finished_with(held.settings):
        _finish(context, run, holding, held, value)


def retry(
    context: Context, incident_id: int, actor: Actor, correction: Mapping[str, Any] | None = None, *, reason: str | None = None
) -> Advance:
    """Carries out what an incident keeps; its form judges a completion that nobody has filled in. Raises `Refused`, `NoIncident`."""
    run, same = instances(context), (tasks.c.instance_id == incidents.c.instance_id) & (tasks.c.key == incidents.c.task_key)
    query = select(incidents.c.command, tasks.c.id).join(tasks, same).where(incidents.c.id == incident_id, incidents.c.rule == REFUSED)
    kept = run.connection.execute(query).one_or_none()
    if kept is not None:
        _holding, held = held_task(run, kept.id)
        checked(context, held, {**loads(kept.command)["data"], **(correction or {})})
    return run.retry(incident_id, actor, correction, reason=reason)


def _escalate(context: Context, run: Instances, holding: Holding, held: Desk) -> None:
    """转由上级办理: the limit begins anew with whoever stands above; at the top nothing moves."""
    why = loads(holding.task["assignment"])["why"]
    passed = why.get("passed", [])
    formers = [*why.get("formerly", ()), *held.principals]
    found, limit = above(context.session, run.reopening(holding), formers, passed, context.today), limit_kept(why)
    if found is None or limit is None:
        return
    calendar, now = working_calendar(context.session), context.now()
    due = calendar.add(now, limit.amount, limit.unit)
    told = {
        "steps": ["超期未办结，转由上级办理", *found.why],
        "limit": why["limit"],
        "since": now.isoformat(),
        "passed": [*passed, found.unit],
        "formerly": formers,
    }
    run.escalate(holding, Assignment(tuple(found.principals), due, warn_at(now, due, limit.unit, calendar), told), ESCALATED)


def _finish(context: Context, run: Instances, holding: Holding, held: Desk, value: str) -> None:
    """自动办结; where the form asks for more than is known, an administrator must look."""
    field = outcome(held.form, held.data, context.now())
    told, misread = read_form(held.form, {field.name: [value]} if field else {})
    data = {name: said for name, said in told.items() if said is not None}
    try:
        given = checked(context, held, data, misread)
    except Refused as refused:
        said = f"“{held.task['name']}”超期，但不能自动办结：{refused}。"
        run.completion_refused(holding, data, StepFailed(held.task["element"], REFUSED, said), FINISHED)
        return
    run.complete(holding, given, SYSTEM, opinion=FINISHED)
