"""Proves that an instance's record is whole: its chain, and that its log alone gives its stored state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, select

from engine.errors import EngineError, NoSuchInstance
from engine.instances import CANCELLED, FINISHED, Standing
from engine.log import broken_link, dumps, entries, rows
from engine.replay import Erased, replay
from engine.schema import incidents, instances, task_candidates, tasks, timers
from engine.versions import package_of


@dataclass(frozen=True)
class Finding:
    """Where the record is not whole, and why."""

    instance_id: int
    seq: int
    reason: str


def verify(connection: Connection, instance_id: int) -> tuple[Finding, ...]:
    """Everything wrong with one instance; nothing when it is whole."""
    row = connection.execute(select(instances).where(instances.c.id == instance_id)).mappings().one_or_none()
    if row is None:
        raise NoSuchInstance
    broken = broken_link(rows(connection, instance_id), row["head"])
    if broken:
        return (Finding(instance_id, *broken),)
    try:
        return tuple(Finding(instance_id, row["revision"], reason) for reason in _differences(connection, row))
    except Erased:
        return ()
    except EngineError as error:
        return (Finding(instance_id, getattr(error, "seq", row["revision"]), str(error)),)


def instance_ids(connection: Connection) -> list[int]:
    """All instances, the oldest first."""
    return list(connection.scalars(select(instances.c.id).order_by(instances.c.id)))


def _differences(connection: Connection, row: RowMapping) -> Iterator[str]:
    log = entries(connection, row["id"])
    if row["revision"] != len(log):
        yield f"版次 {row['revision']} 与记录条数 {len(log)} 不符"
    if not any(entry.kind == "start" for entry in log):
        return
    machine = replay(package_of(connection, row["version_id"]).program, log)
    if machine.finished != (row["status"] in (FINISHED, CANCELLED)):
        yield "是否结束与回放不符"
    if row["state"] != (None if machine.finished else dumps(machine.state())):
        yield "保存的状态与回放不符"
    yield from _rows_differ(connection, row["id"], Standing.of(machine))


def _rows_differ(connection: Connection, instance_id: int, standing: Standing) -> Iterator[str]:
    of_tasks, of_timers = tasks.c.instance_id == instance_id, timers.c.instance_id == instance_id
    stopped = (incidents.c.instance_id == instance_id) & incidents.c.resolved_at.is_(None)
    open_rows = {t.key: t.id for t in connection.execute(select(tasks.c.key, tasks.c.id).where(of_tasks, tasks.c.closed_at.is_(None)))}
    armed = {t.key: t.due_at for t in connection.execute(select(timers.c.key, timers.c.due_at).where(of_timers))}
    parked = set(connection.scalars(select(incidents.c.task_key).where(stopped)))
    listed = set(connection.scalars(select(task_candidates.c.task_id).join(tasks, tasks.c.id == task_candidates.c.task_id).where(of_tasks)))
    if set(open_rows) != standing.open:
        yield "待办与回放不符"
    if {k: v for k, v in standing.due.items() if k not in parked} != {k: v for k, v in armed.items() if k not in parked}:
        yield "定时与回放不符"
    if not listed <= set(open_rows.values()):
        yield "办结的待办仍在待办箱中"
