"""What starting a case, claiming and completing a task cost over HTTP, against the bare transaction of one completion on the same database.

The bare transaction is the four writes of a completion and their commit through the driver alone: the task is closed, the next one
opened, the log gets its line, the instance its state. CPU of the web process and of the database together, medians over rounds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, insert, select

from engine.schema import commands, instances, tasks
from tests.bench.client import Client
from tests.bench.measure import cpu, median, percentile, spent
from tests.bench.places import Desk, desk

ROUNDS, EACH = 7, 40
CLIENTS = (1, 2, 4, 8)
WARM_UP = 20


def completion(kind: str, folder: Path) -> dict[str, Any]:
    """One client, round by round beside the floor; then more clients at once."""
    with desk(kind, folder, ROUNDS * EACH * 2 + WARM_UP + sum(CLIENTS) * EACH) as measured:
        floor, client = Floor(measured.engine), measured.client()
        for task in measured.take(WARM_UP):
            client.claim(task)
            client.complete(task)
        rounds = [_round(measured, client, floor, number) for number in range(ROUNDS)]
        client.close()
        together = {str(n): at_once(measured, n) for n in CLIENTS}
    parts = ("start", "complete", "claim", "complete_claimed")
    return {
        "floor_cpu_ms": median([r["floor"] for r in rounds]),
        "cpu_ms": {part: median([r[part] for r in rounds]) for part in parts},
        "ratio_to_floor": {part: median([r[part] / r["floor"] for r in rounds]) for part in parts},
        "claim_and_complete_by_clients": together,
    }


def _round(desk: Desk, client: Client, floor: Floor, number: int) -> dict[str, float]:
    once, twice = desk.take(EACH), desk.take(EACH)
    reports = range(number * EACH, (number + 1) * EACH)
    return {
        "floor": floor.measure(EACH),
        "start": _each(desk, lambda n: client.report(desk.place, n), reports),
        "complete": _each(desk, client.complete, once),
        "claim": _each(desk, client.claim, twice),
        "complete_claimed": _each(desk, client.complete, twice),
    }


def _each(desk: Desk, act: Callable[[int], None], subjects: list[int] | range) -> float:
    begun = desk.spent()
    for subject in subjects:
        act(subject)
    return (desk.spent() - begun) / len(subjects)


def at_once(desk: Desk, clients: int) -> dict[str, float]:
    """So many clients at once, each with tasks of its own to claim and complete."""
    shares = [desk.take(EACH) for _ in range(clients)]
    latencies: list[float] = []

    def work(client: Client, share: list[int]) -> None:
        for task in share:
            begun = time.perf_counter()
            client.claim(task)
            client.complete(task)
            latencies.append((time.perf_counter() - begun) * 1000)
        client.close()

    threads = [threading.Thread(target=work, args=(desk.client(), share)) for share in shares]
    begun, used = time.perf_counter(), desk.spent()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - begun
    if len(latencies) != clients * EACH:
        raise RuntimeError("a client failed")
    return {
        "per_second": round(clients * EACH / taken, 1),
        "p50_ms": median(latencies),
        "p99_ms": percentile(latencies, 0.99),
        "cpu_ms": round((desk.spent() - used) / (clients * EACH), 2),
    }


class Floor:
    """The bare transaction, on a copy of a real instance's rows, through the driver alone."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.n = engine, 0
        with engine.begin() as connection:
            last = select(commands).order_by(commands.c.seq.desc()).limit(1)
            self.instance, self.task, self.command = (
                dict(connection.execute(query).mappings().one()) for query in (select(instances).limit(1), select(tasks).limit(1), last)
            )
            self.instance |= {"id": 1, "business_key": "floor"}
            connection.execute(insert(instances), self.instance)

    def measure(self, times: int) -> float:
        """CPU milliseconds of client and database a transaction."""
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as kept:
                raw: Any = kept.connection.driver_connection
                return cpu(lambda: [self._once(raw, "?", "BEGIN IMMEDIATE") for _ in range(times)]) / times
        url = self.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url) as raw:
            for _ in range(10):
                self._once(raw, "%s")
            server = [raw.info.backend_pid]
            begun = spent(server)
            client = cpu(lambda: [self._once(raw, "%s") for _ in range(times)])
            return (client + spent(server) - begun) / times

    def _once(self, raw: Any, mark: str, begin: str = "") -> None:
        self.n += 1
        cursor = raw.cursor()
        if begin:
            cursor.execute(begin)
        cursor.execute(
            f"UPDATE tasks SET closed_at = {mark}, closed_by = {mark} WHERE id = {mark}", (_plain(self.command["at"]), "1", self.n - 1)
        )
        _add(cursor, mark, "tasks", self.task | {"id": self.n, "instance_id": 1, "key": f"floor#{self.n}"})
        _add(cursor, mark, "commands", self.command | {"instance_id": 1, "seq": self.n, "idempotency_key": None})
        cursor.execute(
            f"UPDATE instances SET state = {mark}, head = {mark}, revision = {mark} WHERE id = {mark}",
            (self.instance["state"], self.instance["head"], self.n, 1),
        )
        raw.commit()


def _add(cursor: Any, mark: str, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join([mark] * len(row))
    cursor.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", [_plain(value) for value in row.values()])


def _plain(value: Any) -> Any:
    return value.isoformat(" ") if hasattr(value, "isoformat") else value
