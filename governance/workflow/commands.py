"""What people do with their tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, select

from engine.instances import Advance, Assignment, Opening
from engine.log import loads
from engine.packages import Package
from engine.schema import instances as instance_rows
from engine.schema import process_versions, task_candidates, tasks
from engine.versions import package_of
from governance.context import Actor, Context
from governance.errors import NotAllowed, NotFound, Refused
from governance.forms.rules import check_form, opinion_needed
from governance.workflow.assignment import REPORTER
from governance.workflow.world import instances

OPINION = 1000


@dataclass(frozen=True)
class Desk:
    """A task on somebody's desk: its row, its instance's data, and the package it was started with."""

    task: RowMapping
    package: Package
    data: Mapping[str, Any]
    principals: tuple[str, ...]

    @property
    def form(self) -> Mapping[str, Any]:
        key = self.package.diagram.nodes[self.task["element"]].settings.get("form", {}).get("key")
        return self.package.forms[key] if key else {"properties": {}}


def desk(context: Context, task_id: int) -> Desk:
    """A task with what is needed to do it; raises `NotFound`."""
    connection = context.session.connection()
    query = (
        select(
            tasks,
            instance_rows.c.version_id,
            instance_rows.c.state,
            instance_rows.c.status,
            instance_rows.c.business_key,
            process_versions.c.digest,
        )
        .join(instance_rows, instance_rows.c.id == tasks.c.instance_id)
        .join(process_versions, process_versions.c.id == instance_rows.c.version_id)
        .where(tasks.c.id == task_id)
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound
    data = loads(row["state"])["data"] if row["state"] else {}
    return Desk(row, package_of(connection, row["version_id"], row["digest"]), data, tuple(loads(row["assignment"])["principals"]))


def may_do(actor: Actor, held: Desk) -> bool:
    """Whether the task is addressed to the actor, and to nobody else by now."""
    claimed = held.task["claimed_by"]
    if claimed is not None:
        return bool(claimed == str(actor.person_id))
    return any(p in held.principals for p in actor.principals)


def complete(
    context: Context, actor: Actor, task_id: int, data: Mapping[str, Any], *, opinion: str = "", idempotency_key: str | None = None
) -> Advance:
    """Finishes a task; raises `NotAllowed`, `Refused`, and what the engine raises."""
    held = desk(context, task_id)
    acting = actor.under(list(held.principals))
    if held.task["closed_at"] is None and not (may_do(actor, held) or held.task["claimed_by"]):
        raise NotAllowed
    return _complete(context, held, data, acting.record(), opinion, idempotency_key)


def complete_as_reporter(
    context: Context, case_id: int, task_id: int, data: Mapping[str, Any], *, idempotency_key: str | None = None
) -> Advance:
    """The reporter finishes a task of their case, by their link; raises `NotFound`, `Refused`."""
    held = asked_of_reporter(context, case_id, task_id)
    return _complete(context, held, data, {"reporter": str(case_id)}, "", idempotency_key)


def asked_of_reporter(context: Context, case_id: int, task_id: int) -> Desk:
    """A task that the reporter of this case is asked to do; raises `NotFound`."""
    held = desk(context, task_id)
    if f"{REPORTER}:{case_id}" not in held.principals:
        raise NotFound
    return held


def _complete(
    context: Context, held: Desk, data: Mapping[str, Any], actor: Mapping[str, Any], opinion: str, idempotency_key: str | None
) -> Advance:
    checked = dict(data) if held.task["closed_at"] else _checked(held, data, opinion)
    return instances(context).complete(
        held.task["instance_id"], held.task["key"], checked, actor, opinion=opinion or None, idempotency_key=idempotency_key
    )


def _checked(held: Desk, data: Mapping[str, Any], opinion: str) -> dict[str, Any]:
    errors: dict[str, str] = {}
    if len(opinion) > OPINION:
        errors["opinion"] = f"意见不能超过 {OPINION} 个字"
    if not opinion and opinion_needed(held.form, data):
        errors["opinion"] = "请填写意见"
    try:
        checked = check_form(held.form, data, held.data)
    except Refused as refused:
        raise Refused(refused.errors | errors) from refused
    if errors:
        raise Refused(errors)
    return checked


def foresee(context: Context, actor: Actor, task_id: int, data: Mapping[str, Any]) -> tuple[tuple[Opening, Assignment], ...]:
    """Which tasks would open with whom if this one were finished so; writes nothing."""
    held = desk(context, task_id)
    if not may_do(actor, held):
        raise NotAllowed
    acting = actor.under(list(held.principals)).record()
    return instances(context).foresee(held.task["instance_id"], held.task["key"], data, acting)


def claim(context: Context, actor: Actor, task_id: int) -> None:
    """签收: takes a task that several may do; raises `NotAllowed`, `ClaimedByOther`."""
    held = desk(context, task_id)
    if held.task["claimed_by"] is None and held.task["closed_at"] is None and not may_do(actor, held):
        raise NotAllowed
    instances(context).claim(held.task["instance_id"], held.task["key"], actor.under(list(held.principals)).record())


def release(context: Context, actor: Actor, task_id: int) -> None:
    """Gives a claimed task back; raises `NotAllowed`."""
    held = desk(context, task_id)
    if held.task["claimed_by"] != str(actor.person_id):
        raise NotAllowed
    instances(context).release(held.task["instance_id"], held.task["key"], actor.under(list(held.principals)).record())


def is_open_to(context: Context, principal: str, instance_id: int) -> list[RowMapping]:
    """The open tasks of an instance that are addressed to a principal."""
    query = (
        select(tasks)
        .join(task_candidates, task_candidates.c.task_id == tasks.c.id)
        .where(tasks.c.instance_id == instance_id, task_candidates.c.principal == principal)
        .order_by(tasks.c.id)
    )
    return list(context.session.connection().execute(query).mappings())
