"""What every act of the storm shares: its servers, its dice, and the examination at its end."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Select, func, select

from engine.log import loads
from engine.schema import commands, instances, outbox, tasks, timers
from tests.faults.invariants import Record, broken
from tests.faults.storm.clients import Ledger
from tests.faults.storm.house import House, Seed, now
from tests.faults.storm.nursery import Nursery
from tests.faults.storm.servers import Postgres, Redis, until

LAG = 1.0
"""Seconds by which what is due may be late while something else is stuck."""
RECOVERY = 30.0


@dataclass
class Outcome:
    """How an act ended."""

    name: str
    seconds: float = 0.0
    figures: dict[str, float | int | str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def demand(self, holds: bool, sentence: str) -> None:
        """A bar; what falls short of it is broken."""
        if not holds:
            self.broken.append(sentence)


@dataclass
class Stage:
    """Everything an act is played with."""

    folder: Path
    seed: int
    kills: int
    postgres: Postgres
    redis: Redis
    nursery: Nursery
    on_postgres: Seed
    on_sqlite: Seed

    def dice(self, act: str) -> random.Random:
        return random.Random(f"{self.seed} {act}")

    @contextmanager
    def house(self, outcome: Outcome, name: str, ledger: Ledger | None = None, *, sqlite: bool = False, **more: object) -> Iterator[House]:
        """A deployment for one act, examined when everything due has been done and every process is gone."""
        effects = more.pop("effects", None)
        assert effects is None or isinstance(effects, Counter)
        built = (
            House.on_sqlite(self.on_sqlite, self.nursery, name, **more)
            if sqlite
            else House.on_postgres(self.on_postgres, self.nursery, self.postgres, self.redis, name, **more)
        )
        try:
            yield built
            until(lambda: waiting(built) == 0, f"everything due is done in {name}")
            outcome.broken += [f"{died} ended although nobody killed it" for died in built.dead()]
        finally:
            built.close()
        examine(outcome, built, ledger or Ledger(), effects)
        built.office.database.dispose()


def waiting(house: House) -> int:
    """How much has been due for more than a moment."""
    with house.office.database.connect() as connection:
        moving = instances.c.status == "running"
        ids = select(instances.c.id).where(moving)
        late = (
            connection.scalar(select(func.count()).select_from(timers).where(timers.c.due_at < now(), timers.c.instance_id.in_(ids))) or 0
        )
        late -= sum(1 for lag in lags(house, unfired=True) if lag < 2)
        noticed = (
            connection.scalar(select(func.count()).select_from(tasks).where(tasks.c.notice_at < now(), tasks.c.instance_id.in_(ids))) or 0
        )
        unsent = connection.scalar(select(func.count()).select_from(outbox).where(outbox.c.due_at < now())) or 0
        return max(late, 0) + noticed + unsent


def examine(outcome: Outcome, house: House, ledger: Ledger, effects: Counter[str] | None) -> None:
    """Asks every invariant, and what people were told."""
    with house.office.database.connect() as connection:
        record = Record(connection, house.config.data_dir, [house.office.signer.public], ledger.told, effects)
        outcome.broken += broken(record)
        outcome.figures["instances"] = int(outcome.figures.get("instances", 0)) + len(record.by_id)
        outcome.figures["log"] = int(outcome.figures.get("log", 0)) + len(record.rows(commands))
    outcome.broken += [f"a client was answered {said}" for said in ledger.strange]
    for name, value in (("commands", ledger.counted["commands"]), ("acknowledged", len(ledger.told)), *ledger.counted.items()):
        if name != "commands":
            outcome.figures[name] = int(outcome.figures.get(name, 0)) + value
    outcome.figures["commands"] = int(outcome.figures.get("commands", 0)) + ledger.counted["commands"]


def lags(house: House, since: datetime | None = None, *, unfired: bool = False, of: Select[tuple[int]] | None = None) -> list[float]:
    """By how many seconds timers were late, those that have fired or those that should have by now."""
    with house.office.database.connect() as connection:
        if unfired:
            late = timers.c.due_at < now()
            due = connection.scalars(select(timers.c.due_at).where(late if of is None else late & timers.c.instance_id.in_(of)))
            return sorted((now() - at).total_seconds() for at in due)
        fired_ones = commands.c.kind == "timer"
        chosen = fired_ones if of is None else fired_ones & commands.c.instance_id.in_(of)
        rows = connection.execute(select(commands.c.at, commands.c.facts).where(chosen))
        fired = [(row.at, datetime.fromisoformat(loads(row.facts)["due"])) for row in rows]
        return sorted((at - due).total_seconds() for at, due in fired if since is None or due >= since)


def at(share: float, values: list[float]) -> float:
    """The value below which that share of the sorted values lies."""
    return round(values[min(len(values) - 1, int(len(values) * share))], 3) if values else 0.0


def timed(name: str, act: Callable[[Outcome], None]) -> Outcome:
    """Plays an act; what it raises is broken, too."""
    outcome, begun = Outcome(name), time.monotonic()
    try:
        act(outcome)
    except AssertionError as error:
        outcome.broken.append(f"stopped: {error}")
    outcome.seconds = round(time.monotonic() - begun, 1)
    return outcome
