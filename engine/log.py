"""The log of an instance: commands in order, each chained to the one before by its hash.

A payload is kept beside its salted digest, and the chain covers the digest: what a law makes us erase leaves the chain
whole. The salt lies inside the erased text, so that nothing short can be guessed back from its digest.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson
from sqlalchemy import Connection, RowMapping, select

from engine.errors import DataRefused
from engine.schema import commands
from engine.statements import ADD_COMMAND

SEMANTICS = 2
"""The version of the rules by which commands move an instance; a change of meaning raises it."""
ORIGIN = bytes(32)
SALT_BYTES = 12

Data = dict[str, Any]


def dumps(value: object) -> str:
    """Canonical JSON: sorted keys, no spaces."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


loads = orjson.loads


def storable(data: Mapping[str, Any]) -> Data:
    """The data exactly as the log will give it back, so that a replay sees what the instance saw; raises `DataRefused`."""
    try:
        stored: Data = orjson.loads(orjson.dumps(dict(data)))
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise DataRefused from error
    return stored


def legible(opinion: str | None) -> str | None:
    """An opinion that can be stored; raises `DataRefused`."""
    if opinion is None:
        return None
    try:
        opinion.encode()
    except UnicodeEncodeError as error:
        raise DataRefused from error
    return opinion


class Moving(Protocol):
    """A command or a log entry, as far as it moves an instance."""

    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def actor(self) -> Mapping[str, Any]: ...
    @property
    def task_key(self) -> str | None: ...
    @property
    def data(self) -> Mapping[str, Any] | None: ...


class Recorded(Moving, Protocol):
    """A log entry: what moved the instance, and the facts that were read when it did."""

    @property
    def seq(self) -> int: ...
    @property
    def facts(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Command:
    """Something that happened to an instance from outside."""

    kind: str
    at: datetime
    actor: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    task_key: str | None = None
    opinion: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Entry:
    """A command as the log holds it. A payload that was erased is None, and `erasure` says when and why."""

    seq: int
    at: datetime
    kind: str
    semantics: int
    actor: Data
    task_key: str | None
    data: Data | None
    opinion: str | None
    facts: Data
    erasure: Data | None
    hash: bytes


def append(connection: Connection, instance_id: int, seq: int, head: bytes, command: Command) -> bytes:
    """Writes the next command; returns the new head of the chain."""
    data, opinion = _sealed(dict(command.data)), None if command.opinion is None else _sealed(command.opinion)
    row: dict[str, Any] = {
        "instance_id": instance_id,
        "seq": seq,
        "at": command.at.astimezone(UTC),
        "kind": command.kind,
        "semantics": SEMANTICS,
        "actor": dumps(command.actor),
        "task_key": command.task_key,
        "data": data,
        "data_digest": _digest(data),
        "opinion": opinion,
        "opinion_digest": None if opinion is None else _digest(opinion),
        "facts": dumps(command.facts) if command.facts else None,
        "idempotency_key": command.idempotency_key,
    }
    chained = _chained(head, row)
    connection.execute(ADD_COMMAND, row | {"hash": chained})
    return chained


def entries(connection: Connection, instance_id: int, upto: int | None = None) -> list[Entry]:
    """The log in order, as far as command `upto`."""
    return [as_entry(row) for row in rows(connection, instance_id, upto)]


def last_entry(connection: Connection, instance_id: int) -> Entry:
    """What happened last to an instance."""
    query = select(commands).where(commands.c.instance_id == instance_id).order_by(commands.c.seq.desc()).limit(1)
    return as_entry(connection.execute(query).mappings().one())


def rows(connection: Connection, instance_id: int, upto: int | None = None) -> list[RowMapping]:
    """The log as stored."""
    query = select(commands).where(commands.c.instance_id == instance_id).order_by(commands.c.seq)
    if upto is not None:
        query = query.where(commands.c.seq <= upto)
    return list(connection.execute(query).mappings())


def broken_link(stored: Iterable[RowMapping], head: bytes) -> tuple[int, str] | None:
    """The first row that does not fit the chain, and why; None when the chain is whole and ends at `head`."""
    previous, expected = ORIGIN, 0
    for row in stored:
        expected += 1
        if row["seq"] != expected:
            return expected, "记录缺失"
        for part in ("data", "opinion"):
            if row[part] is not None and _digest(row[part]) != row[f"{part}_digest"]:
                return expected, "内容与摘要不符"
            if row[part] is None and row[f"{part}_digest"] is not None and row["erasure"] is None:
                return expected, "内容缺失而没有依法删除的记载"
        if _chained(previous, dict(row)) != row["hash"]:
            return expected, "记录与哈希链不符"
        previous = row["hash"]
    return None if previous == head else (expected + 1, "末尾记录缺失或哈希链头不符")


def as_entry(row: RowMapping) -> Entry:
    """A stored row of the log, read."""
    return Entry(
        row["seq"],
        row["at"],
        row["kind"],
        row["semantics"],
        loads(row["actor"]),
        row["task_key"],
        None if row["data"] is None else loads(row["data"])[1],
        None if row["opinion"] is None else loads(row["opinion"])[1],
        loads(row["facts"]) if row["facts"] else {},
        loads(row["erasure"]) if row["erasure"] else None,
        row["hash"],
    )


def _sealed(value: object) -> str:
    return dumps([secrets.token_hex(SALT_BYTES), value])


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _chained(previous: bytes, row: Mapping[str, Any]) -> bytes:
    covered = [
        row["instance_id"],
        row["seq"],
        row["at"].isoformat(),
        row["kind"],
        row["semantics"],
        row["actor"],
        row["task_key"],
        row["data_digest"].hex(),
        row["opinion_digest"].hex() if row["opinion_digest"] is not None else None,
        row["facts"],
        row["idempotency_key"],
    ]
    return hashlib.sha256(previous + dumps(covered).encode()).digest()
