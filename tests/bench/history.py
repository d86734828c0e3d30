"""What the log costs: a thousand rounds of rework, replay, and bytes an instance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from engine.log import entries
from engine.replay import replay
from engine.schema import guards, metadata
from engine.versions import package_of
from tests.bench.measure import cpu, database, median, opened, tidy
from tests.diagrams import started
from tests.engine.durable import Bench, package
from tests.engine.lives import rework

ROUNDS, WINDOW = 1_000, 50
SMALL = 500
TABLES = ("instances", "commands", "tasks", "task_candidates", "timers", "outbox", "incidents")


def history(kind: str, folder: Path) -> dict[str, Any]:
    """Growth, replay and storage on one database."""
    with database(kind, folder) as url, opened(url) as engine:
        with engine.begin() as connection:
            metadata.create_all(connection)
            for guard in guards(engine.dialect.name):
                connection.exec_driver_sql(guard)
        bench = Bench(engine)
        begun = bench.start(bench.publish(package(rework())), {"n": 1})
        times = [_completed(bench, begun.instance_id, n) for n in range(1, ROUNDS + 1)]
        first, last = median(times[5 : 5 + WINDOW]), median(times[-WINDOW:])
        return {
            "rounds": ROUNDS,
            "first_cpu_ms": first,
            "last_cpu_ms": last,
            "ratio_last_to_first": round(last / first, 2),
            "replay_cpu_ms_a_command": _replayed(bench, begun.instance_id, begun.version_id),
            "bytes_of_three_tasks": _bytes(bench),
        }


def _completed(bench: Bench, instance: int, n: int) -> float:
    return cpu(lambda: bench.complete(instance, f"u#{n}", {"n": 1}))


def _replayed(bench: Bench, instance: int, version: int) -> float:
    with bench.database.connect() as connection:
        log, program = entries(connection, instance), package_of(connection, version).program
    return median([cpu(lambda: replay(lambda _: program, version, log)) / len(log) for _ in range(3)])


def _bytes(bench: Bench) -> dict[str, float]:
    """What three tasks with a text, notes and opinions leave behind, with and without indexes."""
    version = bench.publish(package(started("u", "v", "w", "e").users("u", "v", "w").ends("e")))
    before = _size(bench.database)
    for _ in range(SMALL):
        instance = bench.start(version, {"text": "排水管漏水。" * 30}).instance_id
        for key in ("u#1", "v#1", "w#1"):
            bench.complete(instance, key, {"result": "accept", "note": "已到现场查看。" * 5}, opinion="情况属实，予以受理。")
    return {name: round((size - before[name]) / SMALL) for name, size in _size(bench.database).items()}


def _size(engine: Engine) -> dict[str, int]:
    tidy(engine)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            pages, size = (
                connection.exec_driver_sql("PRAGMA page_count").scalar() or 0,
                connection.exec_driver_sql("PRAGMA page_size").scalar() or 0,
            )
            return {"with_indexes": pages * size}
        names = " + ".join(f"{{}}('{name}')" for name in TABLES)
        return {
            kind: connection.scalar(text(f"SELECT {names.replace('{}', measure)}")) or 0
            for kind, measure in (("tables", "pg_table_size"), ("with_indexes", "pg_total_relation_size"))
        }
