"""Proves that the record is whole: each instance's chain, the checkpoints that seal it, and that the log alone gives the state.

Everything is read once, in order, a batch at a time. The connection must see one moment (`engine.database.snapshot`), or
what others commit meanwhile would look like a contradiction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, distinct, func, select, true

from engine.anchor import Anchored
from engine.checkpoints import FIRST, hash_of, root_of
from engine.errors import EngineError, Erased, NoSuchInstance
from engine.log import as_entry, broken_link, dumps
from engine.replay import replay
from engine.rows import Standing
from engine.schema import checkpoint_heads, checkpoints, commands, incidents, instances, task_candidates, tasks, timers
from engine.signatures import is_signed
from engine.versions import programs
from engine.world import CANCELLED, FINISHED

BATCH = 1_000


@dataclass(frozen=True)
class Finding:
    """Where the record is not whole, and why: a row of an instance's log, a checkpoint, or both."""

    instance_id: int | None
    seq: int | None
    reason: str
    checkpoint: int | None = None


@dataclass(frozen=True)
class Extent:
    """How much there is to prove. `unsealed` instances have moved since the last checkpoint; `erased` commands have lost a payload."""

    instances: int
    commands: int
    checkpoints: int
    unsealed: int
    erased: int


def extent(connection: Connection, only: int | None = None) -> Extent:
    """Counts the record, or that of one instance."""
    rows = true() if only is None else instances.c.id == only
    log = true() if only is None else commands.c.instance_id == only
    sealed = select(func.count(distinct(checkpoint_heads.c.number))).where(checkpoint_heads.c.instance_id == only)
    counts = (
        select(func.count()).select_from(instances).where(rows),
        select(func.count()).select_from(commands).where(log),
        select(func.count()).select_from(checkpoints) if only is None else sealed,
        select(func.count()).select_from(instances).where(rows, instances.c.unsealed),
        select(func.count(commands.c.erasure)).where(log),
    )
    return Extent(*(connection.scalar(count) or 0 for count in counts))


def verify(connection: Connection, instance_id: int) -> tuple[Finding, ...]:
    """Everything wrong with one instance; nothing when it is whole. Raises `NoSuchInstance` when nothing tells of it."""
    found = (*readable(broken_logs(connection, instance_id)), *readable(broken_heads(connection, instance_id)))
    if not found and connection.scalar(select(instances.c.id).where(instances.c.id == instance_id)) is None:
        raise NoSuchInstance
    return found


def readable(found: Iterable[Finding]) -> Iterator[Finding]:
    """The findings and, where a stored value can no longer be read at all, that this is as far as the proof came."""
    try:
        yield from found
    except ValueError:
        yield Finding(None, None, "有一条记录已无法读取，其后的未能核对")


def broken_logs(connection: Connection, only: int | None = None, *, replaying: bool = True) -> Iterator[Finding]:
    """Instances whose log is not an unbroken chain or, where that is asked, does not give their state."""
    rows = select(instances).order_by(instances.c.id)
    log = select(commands).order_by(commands.c.instance_id, commands.c.seq)
    if only is not None:
        rows, log = rows.where(instances.c.id == only), log.where(commands.c.instance_id == only)
    for id, row, entries in _side_by_side(_stream(connection, rows), "id", _stream(connection, log), "instance_id"):
        broken = _broken_chain(row, entries)
        if broken:
            yield Finding(id, *broken)
        elif replaying and row is not None:
            yield from _broken_state(connection, row, entries)


def broken_heads(connection: Connection, only: int | None = None) -> Iterator[Finding]:
    """Heads that a checkpoint holds and the log no longer has so, and instances that only pretend to be in a checkpoint."""
    held = checkpoint_heads.c
    same = (commands.c.instance_id == held.instance_id) & (commands.c.seq == held.seq)
    gone = select(held.instance_id, held.seq, held.number).outerjoin(commands, same).where(commands.c.hash.is_distinct_from(held.head))
    sealed = (held.instance_id == instances.c.id) & (held.seq == instances.c.revision)
    unheld = select(instances.c.id, instances.c.revision).outerjoin(checkpoint_heads, sealed)
    unheld = unheld.where(~instances.c.unsealed, held.number.is_(None))
    if only is not None:
        gone, unheld = gone.where(held.instance_id == only), unheld.where(instances.c.id == only)
    for row in _stream(connection, gone.order_by(held.instance_id, held.seq)):
        yield Finding(row["instance_id"], row["seq"], f"记录与检查点 {row['number']} 所封存的不符", row["number"])
    for row in _stream(connection, unheld.order_by(instances.c.id)):
        yield Finding(row["id"], row["revision"], "标为已封存，却不在任何检查点中")


def broken_checkpoints(connection: Connection, trusted: Collection[bytes]) -> Iterator[Finding]:
    """Checkpoints that do not follow one another, do not give their root, or are not signed with a trusted public key."""
    rows = _stream(connection, select(checkpoints).order_by(checkpoints.c.number))
    order = (checkpoint_heads.c.number, checkpoint_heads.c.instance_id)
    heads = _stream(connection, select(checkpoint_heads).order_by(*order))
    previous, expected = FIRST, 1
    for number, row, members in _side_by_side(rows, "number", heads, "number"):
        if row is None:
            yield _of_checkpoint(number, "检查点缺失，成员仍在")
            continue
        if number != expected:
            yield _of_checkpoint(expected, "检查点缺失")
        elif row["previous"] != previous:
            yield _of_checkpoint(number, "与前一个检查点不相连")
        if reason := _wrong(row, members, trusted):
            yield _of_checkpoint(number, reason)
        previous, expected = row["hash"], number + 1


def not_in_database(connection: Connection, anchored: Iterable[Anchored]) -> Iterator[Finding]:
    """Checkpoints that were anchored outside and are missing or different in the database."""
    lines = iter(anchored)
    while batch := list(islice(lines, BATCH)):
        numbers = [line.number for line in batch]
        query = select(checkpoints.c.number, checkpoints.c.hash).where(checkpoints.c.number.in_(numbers))
        held = {row.number: row.hash.hex() for row in connection.execute(query)}
        for line in batch:
            if line.number not in held:
                yield _of_checkpoint(line.number, "锚定文件中有，数据库中没有")
            elif held[line.number] != line.hash:
                yield _of_checkpoint(line.number, "与锚定文件不符")


def _of_checkpoint(number: int, reason: str) -> Finding:
    return Finding(None, None, reason, number)


def _stream(connection: Connection, query: Select[Any]) -> Iterator[RowMapping]:
    return iter(connection.execute(query.execution_options(yield_per=BATCH)).mappings())


def _side_by_side(
    ones: Iterator[RowMapping], key: str, many: Iterator[RowMapping], of: str
) -> Iterator[tuple[int, RowMapping | None, list[RowMapping]]]:
    """Two streams in the same order: each row with those that belong to it, and those that belong to none."""
    groups = groupby(many, lambda row: int(row[of]))
    group = next(groups, None)
    for one in ones:
        while group and group[0] < one[key]:
            yield group[0], None, list(group[1])
            group = next(groups, None)
        if group and group[0] == one[key]:
            yield group[0], one, list(group[1])
            group = next(groups, None)
        else:
            yield one[key], one, []
    while group:
        yield group[0], None, list(group[1])
        group = next(groups, None)


def _broken_chain(row: RowMapping | None, log: list[RowMapping]) -> tuple[int, str] | None:
    if row is None:
        return 1, "流程实例缺失，记录仍在"
    if broken := broken_link(log, row["head"]):
        return broken
    return None if row["revision"] == len(log) else (row["revision"], f"版次 {row['revision']} 与记录条数 {len(log)} 不符")


def _broken_state(connection: Connection, row: RowMapping, log: list[RowMapping]) -> Iterator[Finding]:
    try:
        for reason in _differences(connection, row, log):
            yield Finding(row["id"], row["revision"], reason)
    except Erased:
        return
    except EngineError as error:
        yield Finding(row["id"], getattr(error, "seq", row["revision"]), str(error))


def _differences(connection: Connection, row: RowMapping, log: list[RowMapping]) -> Iterator[str]:
    if not any(entry["kind"] == "start" for entry in log):
        return
    known = programs(connection)
    machine = replay(known, row["version_id"], map(as_entry, log))
    if machine.program is not known(row["version_id"]):
        yield "所在的版本与回放不符"
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


def _wrong(checkpoint: RowMapping, members: list[RowMapping], trusted: Collection[bytes]) -> str | None:
    if checkpoint["size"] != len(members) or checkpoint["root"] != root_of(members):
        return "成员与根值不符"
    if checkpoint["hash"] != hash_of(checkpoint):
        return "内容与哈希值不符"
    if checkpoint["key"] not in trusted:
        return "签名所用的公钥不是受信任的公钥"
    if not is_signed(checkpoint["hash"], checkpoint["signature"], checkpoint["key"]):
        return "签名无效"
    return None
