"""Random lives of durable instances: whatever happens, in whatever order, the log alone gives the stored state."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from engine.audit import verify
from engine.database import open_database
from engine.errors import EngineError
from engine.instances import Instances
from engine.log import Entry, last_entry
from engine.schema import guards, incidents, instances, metadata, tasks, timers
from engine.world import RUNNING
from tests.engine.durable import LI, ZHANG, Bench, hold, package
from tests.engine.lives import DRAWINGS

STEPS = {"done": 0, "withdrawn": 0}
PACKAGES = [package(draw()) for draw in DRAWINGS]


class Histories(RuleBasedStateMachine):
    """One instance of one of the diagrams, and everything that people, time and administrators may do to it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = open_database(f"sqlite:///{Path(self.folder.name) / 'h.db'}")
        with self.database.begin() as connection:
            metadata.create_all(connection)
            for guard in guards("sqlite"):
                connection.exec_driver_sql(guard)
        self.bench = Bench(self.database)
        self.instance = 0

    def teardown(self) -> None:
        self.database.dispose()
        self.folder.cleanup()

    @initialize(which=st.integers(0, len(PACKAGES) - 1), n=st.integers(0, 9))
    def begin(self, which: int, n: int) -> None:
        self.instance = self.bench.start(self.bench.publish(PACKAGES[which]), {"n": n}).instance_id

    def ask(self, query: Any) -> list[Any]:
        with self.database.connect() as connection:
            return list(connection.execute(query))

    def status(self) -> tuple[str, int]:
        row = self.ask(select(instances.c.status, instances.c.revision))[0]
        return row.status, row.revision

    def open(self) -> list[str]:
        return [row.key for row in self.ask(select(tasks.c.key).where(tasks.c.closed_at.is_(None)).order_by(tasks.c.id))]

    def act(self, what: Any) -> None:
        STEPS["done"] += 1
        with suppress(EngineError), self.bench.instances() as run:
            what(run)

    @precondition(lambda self: self.status()[0] == RUNNING)
    @rule(pick=st.integers(0, 99), value=st.one_of(st.integers(0, 9), st.text(max_size=2), st.none()), who=st.sampled_from([ZHANG, LI]))
    def complete(self, pick: int, value: object, who: dict[str, str]) -> None:
        if keys := self.open():
            self.act(lambda run: run.complete(hold(run, self.instance, keys[pick % len(keys)]), {"n": value}, who, opinion="同意"))

    @precondition(lambda self: self.status()[0] == RUNNING)
    @rule(pick=st.integers(0, 99), who=st.sampled_from([ZHANG, LI]), verb=st.sampled_from(["claim", "release"]))
    def hold(self, pick: int, who: dict[str, str], verb: str) -> None:
        if keys := self.open():
            self.act(lambda run: getattr(run, verb)(hold(run, self.instance, keys[pick % len(keys)]), who))

    @rule(hours=st.integers(0, 60))
    def wait(self, hours: int) -> None:
        self.bench.clock.pass_by(timedelta(hours=hours))
        for row in self.ask(select(timers.c.key).where(timers.c.due_at <= self.bench.clock()).order_by(timers.c.due_at).limit(3)):
            self.act(lambda run, key=row.key: run.fire(self.instance, key))

    @precondition(lambda self: self.status()[0] == RUNNING)
    @rule()
    def signal(self) -> None:
        self.act(lambda run: run.signal(self.instance, "sig", {"n": 1}, LI))

    @precondition(lambda self: self.status()[0] in ("running", "suspended"))
    @rule(back=st.integers(1, 12))
    def rewind(self, back: int) -> None:
        self.act(lambda run: run.rewind(self.instance, max(1, self.status()[1] - back), LI, "退回"))

    @precondition(lambda self: self.status()[0] == RUNNING and self.last().kind == "complete")
    @rule(own=st.sampled_from([True, True, True, False]))
    def withdraw(self, own: bool) -> None:
        """Takes back what was just done, whatever came of it; now and then somebody else tries."""
        done = self.last()
        who = ZHANG if (done.actor["person"] == ZHANG["person"]) == own else LI
        self.act(lambda run: self.take_back(run, done.task_key or "", who))

    def last(self) -> Entry:
        with self.database.connect() as connection:
            return last_entry(connection, self.instance)

    def take_back(self, run: Instances, key: str, who: dict[str, str]) -> None:
        run.withdraw(hold(run, self.instance, key), who, "取回", None)
        STEPS["withdrawn"] += 1

    @rule(value=st.integers(0, 9))
    def retry(self, value: int) -> None:
        for row in self.ask(select(incidents.c.id).where(incidents.c.resolved_at.is_(None)).limit(1)):
            self.act(lambda run, incident=row.id: run.retry(incident, LI, {"n": value}))

    @rule()
    def rest(self) -> None:
        def turn(run: Instances) -> None:
            (run.suspend if self.status()[0] == RUNNING else run.resume)(self.instance, LI, "审计")

        self.act(turn)

    @precondition(lambda self: self.status()[1] > 25)
    @rule()
    def cancel(self) -> None:
        self.act(lambda run: run.cancel(self.instance, LI, "终止"))

    @invariant()
    def the_record_is_whole(self) -> None:
        if self.instance:
            with self.database.connect() as connection:
                assert verify(connection, self.instance) == ()


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=140, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def test_enough_was_lived() -> None:
    """Runs after the histories: what they prove is worth what they tried."""
    assert STEPS["done"] >= 2_000 and STEPS["withdrawn"] >= 10, STEPS
