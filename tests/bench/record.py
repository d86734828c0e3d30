"""What the record costs: writing the chain with eight writers at once, and proving it whole."""

from __future__ import annotations

import secrets
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, insert, select, update

from engine.anchor import Anchor
from engine.audit import broken_checkpoints, broken_heads, broken_logs, not_in_database
from engine.checkpoints import seal
from engine.database import open_database, snapshot, writing
from engine.log import ORIGIN, Command, append, dumps
from engine.schema import guards, instances, metadata
from engine.signatures import Signer
from engine.statements import ADD_COMMAND
from tests.bench.measure import database, postgres
from tests.diagrams import started
from tests.engine.durable import ZHANG, Bench, package

WRITERS = 8
SECONDS = 2.0
ROUNDS = 9
SIGNER = Signer("bench secret " * 4)
AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
COMPLETED = Command(
    "complete", AT, ZHANG, {"accept_result": "accept", "category": "0205", "place": "临江社区第三网格"}, "u#1", "情况属实。"
)
"""About as large as the commands of the shipped process are."""

OF = bindparam("of", type_=instances.c.id.type)
HEAD = select(instances.c.head).where(instances.c.id == OF).with_for_update()
STEP = update(instances).where(instances.c.id == OF).values(revision=bindparam("n"), advanced_at=bindparam("at"))
CHAINED = STEP.values(head=bindparam("new"), unsealed=True)
UNCHAINED = {
    "at": AT,
    "kind": "complete",
    "semantics": 2,
    "actor": dumps(ZHANG),
    "task_key": "u#1",
    "data": dumps(COMPLETED.data),
    "data_digest": ORIGIN,
    "opinion": dumps(COMPLETED.opinion),
    "opinion_digest": ORIGIN,
    "facts": None,
    "idempotency_key": None,
    "hash": ORIGIN,
}


def record(kind: str, folder: Path) -> dict[str, Any]:
    """Rows proven in a CPU second, without replay; on PostgreSQL also what the chain costs its writers."""
    with database(kind, folder) as url:
        proven = _verified(_laid_out(open_database(url)), folder / "anchor.jsonl")
    return {"verification": proven, **({"chain": chain_cost()} if kind == "postgresql" else {})}


def chain_cost() -> dict[str, Any]:
    """An audited step by eight writers on PostgreSQL, in turns: a bare row; the same under the instance's lock, which the engine
    takes in any case; and chained, with the flag that it is to be sealed. Costs are shares of the rate that is lost."""
    with postgres() as made, ProcessPoolExecutor(WRITERS, get_context("spawn")) as pool:
        url = made.render_as_string(hide_password=False)
        _laid_out(open_database(url)).dispose()
        rates: dict[str, list[float]] = {way: [] for way in STEPS}
        for _ in range(ROUNDS):
            for way, found in rates.items():
                found.append(sum(pool.map(_steps_a_second, [(url, way)] * WRITERS)))
    return {
        "writers": WRITERS,
        **{f"{way}_per_second": round(statistics.median(found)) for way, found in rates.items()},
        "cost_of_chain": _lost(rates["locked"], rates["chained"]),
        "cost_of_lock_and_chain": _lost(rates["bare"], rates["chained"]),
    }


def _lost(before: list[float], after: list[float]) -> dict[str, float]:
    shares = [1 - slower / faster for faster, slower in zip(before, after, strict=True)]
    named = {"median": statistics.median(shares), "least": min(shares), "most": max(shares)}
    return {name: round(share, 3) for name, share in named.items()}


def _steps_a_second(job: tuple[str, str]) -> float:
    """One writer at twenty instances of its own, a transaction each step."""
    url, way = job
    engine, step, own = open_database(url), STEPS[way], [secrets.randbits(48) for _ in range(20)]
    with writing(engine) as connection:
        connection.execute(insert(instances), [_instance(id) for id in own])
    done, until = 0, time.monotonic() + SECONDS
    while time.monotonic() < until:
        with writing(engine) as connection:
            step(connection, own[done % len(own)], 1 + done // len(own))
        done += 1
    engine.dispose()
    return done / SECONDS


def _bare(connection: Connection, instance: int, seq: int) -> None:
    connection.execute(STEP, {"of": instance, "n": seq, "at": AT})
    connection.execute(ADD_COMMAND, {"instance_id": instance, "seq": seq, **UNCHAINED})


def _locked(connection: Connection, instance: int, seq: int) -> None:
    connection.scalar(HEAD, {"of": instance})
    _bare(connection, instance, seq)


def _chained(connection: Connection, instance: int, seq: int) -> None:
    head = connection.scalar(HEAD, {"of": instance})
    new = append(connection, instance, seq, head or ORIGIN, COMPLETED)
    connection.execute(CHAINED, {"of": instance, "n": seq, "at": AT, "new": new})


STEPS = {"bare": _bare, "locked": _locked, "chained": _chained}


def _instance(id: int) -> dict[str, Any]:
    row = {"id": id, "version_id": 1, "business_key": "bench", "status": "running", "revision": 0, "head": ORIGIN}
    return row | {"has_incident": False, "started_at": AT, "advanced_at": AT}


def _laid_out(engine: Engine) -> Engine:
    with engine.begin() as connection:
        metadata.create_all(connection)
        for guard in guards(engine.dialect.name):
            connection.exec_driver_sql(guard)
    Bench(engine).publish(package(started("u", "e").users("u").ends("e")))
    return engine


def _verified(engine: Engine, path: Path, count: int = 3_000, steps: int = 20) -> dict[str, Any]:
    """Chains, checkpoints, signatures and anchor of so many instances."""
    anchor = Anchor(path)
    for first in range(1, count + 1, 500):
        with writing(engine) as connection:
            for id in range(first, min(first + 500, count + 1)):
                connection.execute(insert(instances), _instance(id))
                head = ORIGIN
                for seq in range(1, steps + 1):
                    head = append(connection, id, seq, head, COMPLETED)
                connection.execute(CHAINED, {"of": id, "n": steps, "at": AT, "new": head})
    while seal(engine, SIGNER, AT):
        anchor.extend(engine)
    begun = time.process_time()
    with snapshot(engine) as connection:
        found = list(_all(connection, anchor))
    spent = time.process_time() - begun
    engine.dispose()
    rows = count * steps
    return {"rows": rows, "findings": len(found), "cpu_seconds": round(spent, 2), "rows_per_cpu_second": round(rows / spent)}


def _all(connection: Connection, anchor: Anchor) -> Iterator[object]:
    yield from broken_checkpoints(connection, [SIGNER.public])
    yield from not_in_database(connection, anchor.lines(anchor.extent()))
    yield from broken_heads(connection)
    yield from broken_logs(connection, replaying=False)
