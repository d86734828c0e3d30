"""无人可办: open tasks that nobody they are addressed to can do any more, and 改派 by an administrator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session

from engine.schema import instances as instance_rows
from engine.schema import task_candidates, tasks
from engine.world import RUNNING
from governance.context import Actor, Context
from governance.errors import GovernanceError, NotAllowed, NotFound, Refused
from governance.forms.rules import Field, fields
from governance.identity.models import Account
from governance.organisation.models import Kind
from governance.organisation.queries import of_kind
from governance.people.models import Appointment
from governance.people.queries import in_office
from governance.people.rules import HANDLERS, principal
from governance.workflow.assignment import LAST_RESORT, excluded
from governance.workflow.commands import Desk, desk, held_task
from governance.workflow.persons import nameable
from governance.workflow.rules import given_reason
from governance.workflow.world import instances

ADMINISTRATOR = "system_administrator"
MOST, AT_ONCE = 100, 500
INSTEAD = "person"
FORM: Mapping[str, Any] = {
    "properties": {
        INSTEAD: {
            "type": "string",
            "title": "改派给",
            "x-ui": {"widget": "person", "among": "district", "posts": ",".join(HANDLERS)},
        }
    },
    "required": [INSTEAD],
}
"""Whom an administrator may choose: anybody in the district who handles cases."""


class StillAttended(GovernanceError):
    """这项待办现在有人可以办理，不需要改派。"""


@dataclass(frozen=True)
class Unattended:
    """An open task, and to whom it is addressed in vain."""

    task: RowMapping
    principals: Sequence[str]


def unattended(context: Context) -> list[Unattended]:
    """The tasks that wait for nobody, the oldest first; as many as `MOST`."""
    idle, waiting = _idle(context), dict[int, list[str]]()
    named = sorted(idle)
    for start in range(0, len(named), AT_ONCE):
        found = _addressed(context.session, named[start : start + AT_ONCE])
        waiting |= {task_id: to for task_id, to in found.items() if idle.issuperset(to)}
    first = sorted(waiting)[:MOST]
    query = select(tasks, instance_rows.c.title, instance_rows.c.version_id).join(instance_rows, instance_rows.c.id == tasks.c.instance_id)
    rows = context.session.connection().execute(query.where(tasks.c.id.in_(first)).order_by(tasks.c.id)).mappings()
    return [Unattended(row, waiting[row["id"]]) for row in rows]


def unattended_desk(context: Context, task_id: int) -> Desk:
    """A task that nobody can do; raises `NotFound`, `StillAttended`."""
    held = desk(context, task_id)
    if held.task["closed_at"] or held.task["status"] != RUNNING:
        raise NotFound
    _must_wait_in_vain(context, task_id, _idle(context))
    return held


def instead() -> Field:
    """The field by which somebody else is chosen."""
    return fields(FORM)[0]


def reassign(context: Context, actor: Actor, task_id: int, person_id: int, reason: str) -> None:
    """改派: gives a task that nobody can do to somebody who can; raises `NotAllowed`, `NotFound`, `StillAttended`, `Refused`."""
    if not actor.holds(ADMINISTRATOR):
        raise NotAllowed
    run, idle = instances(context), _idle(context)
    holding, held = held_task(run, task_id)
    if not holding.task["closed_at"]:
        _must_wait_in_vain(context, task_id, idle)
    why = given_reason(reason)
    if not _can_do(context, held, person_id, idle):
        raise Refused({INSTEAD: "请从可以改派的人员中选择"})
    run.reassign(holding, actor.record(), f"person:{person_id}", {"steps": ["原来的办理人不能办理，由系统管理员改派"]}, why)


def _can_do(context: Context, held: Desk, person_id: int, idle: set[str]) -> bool:
    apart = excluded(held.settings.get("assign", {}), held.data)
    offered = nameable(context, instead(), {}, ids=[person_id])
    return bool(offered) and str(person_id) not in apart and f"person:{person_id}" not in idle


def _must_wait_in_vain(context: Context, task_id: int, idle: set[str]) -> None:
    to = select(task_candidates.c.principal).where(task_candidates.c.task_id == task_id)
    if not idle.issuperset(context.session.connection().scalars(to)):
        raise StillAttended


def _addressed(session: Session, principals: Sequence[str]) -> dict[int, list[str]]:
    """The open tasks that are addressed to some of these, and to whom else."""
    some = select(task_candidates.c.task_id).where(task_candidates.c.principal.in_(principals))
    query = select(task_candidates.c.task_id, task_candidates.c.principal).where(task_candidates.c.task_id.in_(some))
    found: dict[int, list[str]] = {}
    for task_id, to in session.connection().execute(query.order_by(task_candidates.c.principal)):
        found.setdefault(task_id, []).append(to)
    return found


def _idle(context: Context) -> set[str]:
    """Who or what does nothing now: people who have left or whose account is closed, posts that only such people ever held."""
    held = select(Appointment.person_id, Appointment.post, Appointment.unit_id).distinct()
    closed = select(Account.id).where(Account.person_id == Appointment.person_id, Account.is_disabled)
    able = held.where(in_office(context.today), ~closed.exists())
    session = context.session
    ever = {*_named(session.execute(held)), *(principal(LAST_RESORT, top.id) for top in of_kind(session, Kind.DISTRICT))}
    return ever - {*_named(session.execute(able))}


def _named(rows: Any) -> Iterator[str]:
    for person_id, post, unit_id in rows:
        yield f"person:{person_id}"
        yield principal(post, unit_id)
