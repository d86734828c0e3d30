"""A hundred thousand timers due at once among a million that are armed: what one costs, how many a second, and how late a timer is."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select

from engine.ids import new_id
from engine.schema import commands, instances, tasks, timers
from jobs.runner import BATCH, Runner
from tests.bench.copies import NUMBERS, copy_rows, minutes_after
from tests.bench.measure import backends, cpu, database, median, percentile, spent, tidy
from tests.diagrams import Drawing, started, timer
from tests.district import MONDAY, Clock, District
from tests.engine.durable import Bench, package
from wuzhang.office import Office

DUE, ARMED = 100_000, 1_000_000
FIRED = 10
"""Batches that are fired and timed."""
PUNCTUAL = 60
"""Timers whose lateness is measured, one every 50 ms."""


def timed(kind: str, folder: Path, due: int = DUE, armed: int = ARMED) -> dict[str, Any]:
    """A few against very many: the cost of a timer must not depend on how many wait."""
    few = _fired(kind, folder / "few", BATCH * (FIRED + 1), BATCH * (FIRED + 1))
    many = _fired(kind, folder / "many", due, armed)
    return {
        "due": due,
        "armed": armed,
        "cpu_ms_each": many["cpu_ms"],
        "cpu_ms_each_when_few": few["cpu_ms"],
        "ratio_many_to_few": round(many["cpu_ms"] / few["cpu_ms"], 2),
        "per_second_one_runner": many["per_second"],
        "lag_s": _lag(kind, folder / "lag"),
    }


def _fired(kind: str, folder: Path, due: int, armed: int) -> dict[str, float]:
    with database(kind, folder) as url:
        district = District(folder, url)
        engine = district.office.database
        _arm(engine, due, armed)
        district.clock.pass_by(days=3)
        runner = district.office.runner
        _fire(runner)
        begun, server = time.perf_counter(), backends(engine)
        used = spent(server)
        mine = sum(cpu(lambda: _fire(runner)) for _ in range(FIRED))
        taken = time.perf_counter() - begun
        left = _left(engine)
        whole = mine + spent(server) - used
        district.close()
    if left != armed - BATCH * (FIRED + 1):
        raise RuntimeError(f"{left} timers are left of {armed}")
    return {"cpu_ms": round(whole / (BATCH * FIRED), 3), "per_second": round(BATCH * FIRED / taken, 1)}


def _fire(runner: Runner) -> None:
    if runner.steps["timers"]() != BATCH:
        raise RuntimeError("a timer did not fire")


def _left(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(timers)) or 0


def watched(after: str = "P2D") -> Drawing:
    """A task that is given up after a while."""
    drawing = started("u", "e").users("u").ends("e", "late")
    return drawing.node("boundaryEvent", "b", timer("duration", after), attachedToRef="u").flow("b", "late")


def _arm(engine: Engine, due: int, armed: int) -> None:
    """So many instances with a timer each, of which so many are due three days after MONDAY."""
    bench = Bench(engine, Clock(MONDAY))
    first = bench.start(bench.publish(package(watched()))).instance_id
    base = new_id(MONDAY - timedelta(days=1), lambda _: 0)
    with engine.begin() as connection:
        n, given = armed - 1, {"base": base}
        copy_rows(connection, instances, f"old.id = {first}", n, {"id": ":base + i"}, **given)
        of_first = f"old.instance_id = {first}"
        copy_rows(connection, commands, of_first, n, {"instance_id": ":base + i"}, **given)
        copy_rows(connection, tasks, of_first, n, {"id": ":base + i", "instance_id": ":base + i"}, **given)
        connection.exec_driver_sql(
            f"{NUMBERS.replace(':n', str(n))} INSERT INTO task_candidates SELECT 'post:grid_lead@g1', c.due_at, {base} + i FROM task_candidates c, numbers WHERE c.task_id = (SELECT id FROM tasks WHERE instance_id = {first})"
        )
        later = f"CASE WHEN i < {due} THEN 0 ELSE 40 * 1440 END"
        moment = minutes_after(connection, ":moment", later)
        copy_rows(
            connection, timers, of_first, n, {"instance_id": ":base + i", "due_at": moment}, moment=_text(connection.dialect.name), **given
        )
    tidy(engine)


def _text(dialect: str) -> str:
    moment = MONDAY + timedelta(days=2)
    return moment.isoformat(" ") if dialect == "postgresql" else f"{moment:%Y-%m-%d %H:%M:%S}"


def _lag(kind: str, folder: Path) -> dict[str, float]:
    """How long after its instant a timer fires while the runner rests in between, as in the web process."""
    with database(kind, folder) as url:
        district = District(folder, url, Clock(datetime.now(UTC)))
        engine = district.office.database
        clock = Clock(datetime.now(UTC))
        bench = Bench(engine, clock)
        version = bench.publish(package(watched("PT4S")))
        stop, runner = threading.Event(), Office(district.config).runner
        thread = threading.Thread(target=runner.run, args=(stop,))
        thread.start()
        for _ in range(PUNCTUAL):
            clock.at = datetime.now(UTC)
            bench.start(version)
            time.sleep(0.05)
        ends = time.monotonic() + 60
        while _left(engine) and time.monotonic() < ends:
            time.sleep(0.2)
        stop.set()
        thread.join()
        with engine.connect() as connection:
            lived = connection.execute(select(instances.c.started_at, instances.c.ended_at)).all()
        district.close()
    late = [(row.ended_at - row.started_at).total_seconds() - 4 for row in lived]
    return {"p50": median(late), "p99": percentile(late, 0.99)}
