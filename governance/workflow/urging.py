"""催办: whoever a process concerns asks those who have its open task to get on with it. Nothing of the process moves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import false, func, or_, select

from engine.log import loads
from engine.schema import commands, tasks
from governance.calendar.rules import SHANGHAI
from governance.cases.models import Case
from governance.cases.queries import watched
from governance.context import Actor, Context
from governance.errors import GovernanceError, NotAllowed, Refused
from governance.matters.models import Matter
from governance.organisation.models import Unit
from governance.people.models import Person
from governance.workflow.assignment import REPORTER
from governance.workflow.commands import Desk, desk, held_task, may_do
from governance.workflow.models import Urge
from governance.workflow.rules import allows
from governance.workflow.world import instances

URGE = "urge"
WORDS = 300
AGAIN_AFTER = timedelta(hours=4)


class UrgedAlready(GovernanceError):
    """您刚刚催办过，请稍后再催。"""

    def __init__(self, again_at: datetime) -> None:
        super().__init__(f"您已经催办过，{again_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}以后可以再次催办。")
        self.again_at = again_at


@dataclass(frozen=True)
class Urged:
    """How often a task was urged, when last, and by whom, the last first."""

    times: int
    last_at: datetime
    by: tuple[str, ...]


def is_urgeable(held: Desk) -> bool:
    """Whether a task is open to somebody who reads an inbox, and its diagram lets it be urged."""
    ours = any(not principal.startswith(f"{REPORTER}:") for principal in held.principals)
    return held.task["closed_at"] is None and ours and allows(held.settings, URGE)


def may_urge(context: Context, actor: Actor, held: Desk) -> bool:
    """Whether the task is somebody else's, and its process concerns the actor."""
    return is_urgeable(held) and not may_do(actor, held) and concerns(context, actor, held.task["instance_id"])


def concerns(context: Context, actor: Actor, instance_id: int) -> bool:
    """Whether the actor has started an instance, has done a step of it, or stands above the place it is about."""
    connection, person = context.session.connection(), str(actor.person_id)
    began = select(commands.c.actor).where(commands.c.instance_id == instance_id, commands.c.seq == 1)
    if loads(connection.scalar(began) or "{}").get("person") == person:
        return True
    did = select(tasks.c.id).where(tasks.c.instance_id == instance_id, tasks.c.closed_by == person)
    return connection.scalar(did.limit(1)) is not None or _stands_above(context, actor, instance_id)


def _stands_above(context: Context, actor: Actor, instance_id: int) -> bool:
    of_case = select(Case.place_id).where(Case.instance_id == instance_id).scalar_subquery()
    of_matter = select(Matter.unit_id).where(Matter.instance_id == instance_id).scalar_subquery()
    where = select(Unit.id).where(Unit.id == func.coalesce(of_case, of_matter), or_(false(), *watched(actor)))
    return context.session.scalar(where) is not None


def urge(context: Context, actor: Actor, task_id: int, words: str) -> None:
    """Urges a task, at most once in four hours; raises `TaskClosed`, `InstanceAtRest`, `NotAllowed`, `UrgedAlready`, `Refused`."""
    run, said = instances(context), words.strip()
    if len(said) > WORDS:
        raise Refused({"words": f"附言不能超过 {WORDS} 个字"})
    holding, held = held_task(run, task_id)
    task = run.open_and_running(holding)
    if not may_urge(context, actor, held):
        raise NotAllowed
    _count(context, actor, task_id)
    run.note(task["instance_id"], URGE, actor.record(), task_key=task["key"], opinion=said or None)


def _count(context: Context, actor: Actor, task_id: int) -> None:
    """Under the lock of the instance: of two who press at once, the second is told."""
    before, now = context.session.get(Urge, (task_id, actor.person_id), populate_existing=True), context.now()
    if before is None:
        context.session.add(Urge(task_id=task_id, person_id=actor.person_id, times=1, last_at=now))
    elif now < (again_at := before.last_at + AGAIN_AFTER):
        raise UrgedAlready(again_at)
    else:
        before.times, before.last_at = before.times + 1, now
    context.session.flush()


def urged(context: Context, task_ids: Collection[int]) -> Mapping[int, Urged]:
    """How some tasks were urged; those that were not are left out."""
    told = select(Urge.task_id, Urge.times, Urge.last_at, Person.name).join(Person, Person.id == Urge.person_id)
    query = told.where(Urge.task_id.in_(task_ids)).order_by(Urge.last_at.desc(), Urge.person_id)
    found: dict[int, list[Any]] = {}
    for row in context.session.execute(query) if task_ids else ():
        found.setdefault(row.task_id, []).append(row)
    return {id: Urged(sum(r.times for r in rows), rows[0].last_at, tuple(r.name for r in rows)) for id, rows in found.items()}


def urgeable(context: Context, actor: Actor, task_ids: Collection[int]) -> list[int]:
    """Which of some open tasks of one instance the actor may urge."""
    held = [one for task_id in task_ids if is_urgeable(one := desk(context, task_id)) and not may_do(actor, one)]
    concerned = bool(held) and concerns(context, actor, held[0].task["instance_id"])
    return [one.task["id"] for one in held] if concerned else []
