"""Checkpoints: once a minute the heads that have moved are put under one root, chained to the checkpoint before, and signed.

Which heads a checkpoint holds is written down, not derived from ids or times: a command that commits late, or a restore
into another database, can then be no contradiction. A head is taken under its instance's lock; one that is locked by
somebody else is left to the next checkpoint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, func, insert, select, update

from engine.database import writing
from engine.log import dumps
from engine.schema import checkpoint_heads, checkpoints, instances
from engine.signatures import Signer

EVERY = timedelta(minutes=1)
MOST = 2_000
"""Heads in one checkpoint, so that it holds their locks only briefly; what remains follows at once in the next."""
FIRST = bytes(32)
"""What the first checkpoint names as the one before."""
SEALING = 0x77755A68
"""The advisory lock of whoever makes a checkpoint on PostgreSQL."""

MOVED = (
    select(instances.c.id, instances.c.revision, instances.c.head)
    .where(instances.c.unsealed)
    .order_by(instances.c.id)
    .limit(MOST)
    .with_for_update(skip_locked=True)
)
NEWEST = select(checkpoints).order_by(checkpoints.c.number.desc())


def seal(database: Engine, signer: Signer, now: datetime) -> int:
    """Makes the next checkpoint when one is due; says how many heads it holds. Two at once make one."""
    with writing(database) as connection:
        if not _alone(connection):
            return 0
        last = connection.execute(NEWEST.limit(1)).mappings().one_or_none()
        if last and last["size"] < MOST and abs(now - last["at"]) < EVERY:
            return 0
        moved = connection.execute(MOVED).all()
        if moved:
            number, previous = (last["number"] + 1, last["hash"]) if last else (1, FIRST)
            heads = [{"instance_id": row.id, "seq": row.revision, "number": number, "head": row.head} for row in moved]
            connection.execute(insert(checkpoints), _signed(signer, number, now, previous, heads))
            connection.execute(insert(checkpoint_heads), heads)
            connection.execute(update(instances).where(instances.c.id.in_([row.id for row in moved])).values(unsealed=False))
        return len(moved)


def root_of(heads: Iterable[RowMapping | Mapping[str, Any]]) -> bytes:
    """The Merkle root (RFC 6962) over heads in the order of their instances."""
    level = [_hash(b"\0" + dumps([head["instance_id"], head["seq"], head["head"].hex()]).encode()) for head in heads]
    while len(level) > 1:
        paired = [_hash(b"\1" + left + right) for left, right in zip(level[::2], level[1::2], strict=False)]
        level = paired + level[2 * len(paired) :]
    return level[0] if level else _hash(b"")


def hash_of(checkpoint: RowMapping | Mapping[str, Any]) -> bytes:
    """What is signed: everything a checkpoint says, with the hash of the one before."""
    covered = [
        checkpoint["number"],
        checkpoint["at"].isoformat(),
        checkpoint["size"],
        checkpoint["root"].hex(),
        checkpoint["previous"].hex(),
    ]
    return _hash(dumps(covered).encode())


def _signed(signer: Signer, number: int, now: datetime, previous: bytes, heads: list[dict[str, Any]]) -> dict[str, Any]:
    said = {"number": number, "at": now.astimezone(UTC), "size": len(heads), "root": root_of(heads), "previous": previous}
    made = hash_of(said)
    return said | {"hash": made, "key": signer.public, "signature": signer.sign(made)}


def _alone(connection: Connection) -> bool:
    """Whether nobody else makes a checkpoint now; on SQLite a writing transaction is alone anyway."""
    return connection.dialect.name == "sqlite" or bool(connection.scalar(select(func.pg_try_advisory_xact_lock(SEALING))))


def _hash(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
