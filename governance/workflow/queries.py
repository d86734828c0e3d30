"""What people read of a task, and administrators and auditors of the flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, select

from engine.errors import NoSuchInstance
from engine.log import entries
from engine.machine import Open, Waiting
from engine.replay import replay
from engine.schema import incidents, process_versions
from engine.schema import instances as instance_rows
from engine.versions import programs
from governance.cases.models import Case
from governance.cases.queries import visible
from governance.context import Actor, Context
from governance.copies.queries import was_copied
from governance.errors import NotFound
from governance.workflow.commands import Desk, desk, may_do
from governance.workflow.urging import concerns

PAGE = 30


def open_incidents(context: Context) -> Sequence[RowMapping]:
    """异常: what a diagram could not go on with, the oldest first."""
    query = (
        select(incidents, Case.number, instance_rows.c.title, instance_rows.c.version_id, process_versions.c.key)
        .join(instance_rows, instance_rows.c.id == incidents.c.instance_id)
        .join(process_versions, process_versions.c.id == instance_rows.c.version_id)
        .outerjoin(Case, Case.instance_id == incidents.c.instance_id)
        .where(incidents.c.resolved_at.is_(None))
        .order_by(incidents.c.id)
    )
    return list(context.session.connection().execute(query).mappings())


def readable_desk(context: Context, actor: Actor, task_id: int) -> Desk:
    """A task that is or was addressed to the actor, that they did, whose case they may see, or whose process concerns them.

    Raises `NotFound`.
    """
    held = desk(context, task_id)
    theirs = may_do(actor, held) or held.task["closed_by"] == str(actor.person_id) or not {*held.principals}.isdisjoint(actor.principals)
    if not theirs and not _is_seen(context, actor, held.task["instance_id"]):
        raise NotFound
    return held


def _is_seen(context: Context, actor: Actor, instance_id: int) -> bool:
    of_case = visible(select(Case.id).where(Case.instance_id == instance_id), actor)
    is_theirs = concerns(context, actor, instance_id) or was_copied(context.session, actor, instance_id)
    return is_theirs or context.session.scalar(of_case) is not None


def instance_page(
    context: Context, *, status: str | None = None, after: int | None = None, limit: int = PAGE
) -> tuple[Sequence[RowMapping], int | None]:
    """Process instances, the latest first, and where the next page begins."""
    query = _instances().order_by(instance_rows.c.id.desc()).limit(limit + 1)
    if status:
        query = query.where(instance_rows.c.status == status)
    if after:
        query = query.where(instance_rows.c.id < after)
    rows = context.session.connection().execute(query).mappings().all()
    return rows[:limit], rows[limit - 1]["id"] if len(rows) > limit else None


def instance(context: Context, instance_id: int, *, lock: bool = False) -> RowMapping:
    """One process instance, held against everybody else's commands if so wished; raises `NoSuchInstance`."""
    query = _instances().where(instance_rows.c.id == instance_id)
    row = context.session.connection().execute(query.with_for_update(of=instance_rows) if lock else query).mappings().one_or_none()
    if row is None:
        raise NoSuchInstance
    return row


@dataclass(frozen=True)
class Past:
    """How an instance stood after command `seq`."""

    seq: int
    at: datetime
    data: Mapping[str, Any]
    open: tuple[Open, ...]
    waiting: tuple[Waiting, ...]
    finished: bool
    ended_at: tuple[str, ...]


def past(context: Context, instance_id: int, seq: int | None = None) -> Past:
    """The replay of the first `seq` commands, or of all; raises `NoSuchInstance`, `NoSuchCommand`, `Erased`."""
    connection, row = context.session.connection(), instance(context, instance_id)
    log = entries(connection, instance_id)
    machine = replay(programs(connection), row["version_id"], log, seq)
    last = log[seq - 1 if seq else -1]
    return Past(last.seq, last.at, machine.data, machine.open(), machine.waiting(), machine.finished, tuple(machine.ended_at))


def _instances() -> Select[Any]:
    return (
        select(
            instance_rows.c.id,
            instance_rows.c.version_id,
            instance_rows.c.status,
            instance_rows.c.revision,
            instance_rows.c.head,
            instance_rows.c.has_incident,
            instance_rows.c.started_at,
            instance_rows.c.advanced_at,
            instance_rows.c.ended_at,
            process_versions.c.key,
            process_versions.c.number.label("version"),
            process_versions.c.digest,
            Case.id.label("case_id"),
            Case.number.label("case_number"),
            Case.title.label("case_title"),
        )
        .join(process_versions, process_versions.c.id == instance_rows.c.version_id)
        .outerjoin(Case, Case.instance_id == instance_rows.c.id)
    )
