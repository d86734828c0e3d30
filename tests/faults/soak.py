"""Writers, two makers of checkpoints and an auditor at once, for as long as it is told: the record is whole at every moment.

`python -m tests.faults.soak --minutes 60` makes a PostgreSQL database of its own, or takes an empty one with `--url`, and
prints JSON. Time runs sixty times as fast as outside, so that there is a checkpoint every second.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select

from engine.anchor import Anchor
from engine.audit import Finding, broken_checkpoints, broken_heads, broken_logs, not_in_database, verify
from engine.checkpoints import seal
from engine.database import open_database, snapshot
from engine.errors import EngineError
from engine.schema import checkpoints, commands, guards, instances, metadata, tasks
from engine.signatures import Signer
from engine.versions import Version
from tests.bench.measure import postgres
from tests.engine.durable import ZHANG, Bench, package
from tests.engine.lives import parallel_rework

WRITERS = 6
FAST = 60
REPLAYED = 10
"""Instances whose log is replayed in each round; all chains are proven in each."""
SIGNER = Signer("soak secret " * 4)


@dataclass
class Soak:
    """One load on one database."""

    database: Engine
    anchor: Anchor
    stop: threading.Event = field(default_factory=threading.Event)
    done: Counter[str] = field(default_factory=Counter)
    alarms: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bench = Bench(self.database)
        self.version: Version = self.bench.publish(package(parallel_rework()))
        self.begun = time.monotonic()

    def now(self) -> datetime:
        return datetime.fromtimestamp(1_772_000_000 + (time.monotonic() - self.begun) * FAST, UTC)

    def write(self, chance: random.Random) -> None:
        """Something a person does; some transactions stay open for a while, some are taken back."""
        try:
            with self.bench.instances() as run:
                open_tasks = run.connection.scalars(select(tasks.c.id).where(tasks.c.closed_at.is_(None)).limit(30)).all()
                if len(open_tasks) < 10:
                    run.start(self.version, {"n": chance.randrange(8)}, ZHANG, business_key="soak")
                else:
                    run.complete(run.hold(chance.choice(open_tasks)), {"n": chance.randrange(8)}, ZHANG)
                time.sleep(chance.choice((0, 0, 0, 0.02)))
                if chance.random() < 0.05:
                    raise _TakenBack
        except (EngineError, _TakenBack):
            self.done["refused or taken back"] += 1

    def keep(self, _chance: random.Random) -> None:
        seal(self.database, SIGNER, self.now())
        self.anchor.extend(self.database)
        time.sleep(0.05)

    def audit(self, chance: random.Random) -> None:
        length = self.anchor.extent() if self.anchor.path.exists() else 0
        with snapshot(self.database) as connection:
            self.alarms += broken_checkpoints(connection, [SIGNER.public])
            self.alarms += not_in_database(connection, self.anchor.lines(length)) if length else ()
            self.alarms += broken_heads(connection)
            self.alarms += broken_logs(connection, replaying=False)
            ids = connection.scalars(select(instances.c.id).order_by(instances.c.id.desc()).limit(200)).all()
            for id in chance.sample(ids, min(REPLAYED, len(ids))):
                self.alarms += verify(connection, id)
        self.done["verifications"] += 1

    def run(self, seconds: float) -> dict[str, Any]:
        roles: list[Callable[[random.Random], None]] = [self.write] * WRITERS + [self.keep] * 2 + [self.audit]
        with ThreadPoolExecutor(len(roles)) as pool:
            working = [pool.submit(self._repeat, act, seed) for seed, act in enumerate(roles)]
            self.stop.wait(seconds)
            self.stop.set()
            for one in working:
                one.result()
        self.audit(random.Random(0))
        with self.database.connect() as connection:
            made = {table.name: connection.scalar(select(func.count()).select_from(table)) for table in (instances, commands, checkpoints)}
        return {"seconds": seconds, **made, **self.done, "false_alarms": len(self.alarms), "alarms": [asdict(a) for a in self.alarms[:20]]}

    def _repeat(self, act: Callable[[random.Random], None], seed: int) -> None:
        chance = random.Random(seed)
        try:
            while not self.stop.is_set():
                act(chance)
        except BaseException:
            self.stop.set()
            raise


class _TakenBack(Exception):
    """A transaction that its author did not want after all."""


def soak(url: str, seconds: float) -> dict[str, Any]:
    """The load on an empty database."""
    database = open_database(url, pool_size=WRITERS + 6)
    with database.begin() as connection:
        metadata.create_all(connection)
        for guard in guards(database.dialect.name):
            connection.exec_driver_sql(guard)
    with tempfile.TemporaryDirectory() as folder:
        said = Soak(database, Anchor(Path(folder) / "anchor.jsonl")).run(seconds)
    database.dispose()
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--url", help="an empty database; without it one is made on the tests' server, and dropped")
    given = parser.parse_args()
    if given.url:
        said = soak(given.url, given.minutes * 60)
    else:
        with postgres() as made:
            said = soak(made.render_as_string(hide_password=False), given.minutes * 60)
    print(json.dumps(said, ensure_ascii=False, indent=2))
    sys.exit(1 if said["false_alarms"] else 0)


if __name__ == "__main__":
    main()
