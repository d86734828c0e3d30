"""取回: who has just finished a task takes it back, as long as nothing has followed."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from engine.errors import NothingToWithdraw
from engine.log import entries, last_entry
from engine.world import RUNNING, Advance
from governance.calendar.queries import working_calendar
from governance.cases.models import Case
from governance.cases.rules import go_back
from governance.context import Actor, Context
from governance.errors import NotAllowed
from governance.forms.rules import typed_again
from governance.workflow.commands import Desk, held_task
from governance.workflow.limits import next_notice, standings
from governance.workflow.rules import WITHDRAW, allows, given_reason
from governance.workflow.world import has_acted, instances


def may_withdraw(context: Context, actor: Actor, held: Desk) -> bool:
    """Whether the actor may take a finished task back now."""
    if not _is_theirs(actor, held, held.task["business_key"]) or held.task["status"] != RUNNING or _has_acted(context, held):
        return False
    return instances(context).is_withdrawable(held.task["instance_id"], held.task["key"], actor.record())


def withdraw(context: Context, actor: Actor, task_id: int, reason: str) -> Advance:
    """取回: the task is open again as it was, its limit too; raises `NotAllowed`, `Refused`, `NothingToWithdraw`, `InstanceAtRest`."""
    run = instances(context)
    holding, held = held_task(run, task_id)
    if not _is_theirs(actor, held, holding.instance.business_key):
        raise NotAllowed
    if _has_acted(context, held):
        raise NothingToWithdraw
    why, calendar = given_reason(reason), working_calendar(context.session)
    advance = run.withdraw(holding, actor.under(list(held.principals)).record(), why, next_notice(holding.task, calendar))
    if case := context.session.scalar(select(Case).where(Case.instance_id == advance.instance_id)):
        go_back(case, advance.data, standings(run, run.hold_instance(advance.instance_id)), calendar)
        context.session.flush()
    return advance


def filled_before(context: Context, held: Desk) -> Mapping[str, list[str]]:
    """What was filled in at an open task that has just been taken back, as it was typed: nobody writes it twice."""
    connection, instance_id = context.session.connection(), held.task["instance_id"]
    last = last_entry(connection, instance_id)
    if last.kind != WITHDRAW or last.task_key != held.task["key"]:
        return {}
    done = entries(connection, instance_id, last.seq - 1)[-1]
    return typed_again(held.form, done.data or {}) | {"opinion": [done.opinion or ""]}


def _has_acted(context: Context, held: Desk) -> bool:
    return has_acted(last_entry(context.session.connection(), held.task["instance_id"]))


def _is_theirs(actor: Actor, held: Desk, business_key: str) -> bool:
    """Whether the actor finished the task and may still do it, and it may be had back: by its diagram, and because nothing else
    keeps account of the instance but a case, or the list of what people have started."""
    theirs = held.task["closed_by"] == str(actor.person_id) and any(p in held.principals for p in actor.principals)
    return theirs and allows(held.settings, WITHDRAW) and business_key.rpartition(":")[0] in ("", "started")
