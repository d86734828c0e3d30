"""What happens without a click: due timers, reminders, and what waits in the outbox. The tables are the truth.

Every unit of work is a transaction of its own; what fails is counted and put off, and the others go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from engine.database import WRITING
from engine.errors import EngineError, NothingWaits
from engine.instances import RUNNING, SYSTEM
from engine.schema import instances as instance_rows
from engine.schema import outbox, tasks, timers
from governance.context import Context
from governance.workflow.world import instances

log = structlog.get_logger()
BATCH = 200
PAUSE = timedelta(seconds=1)
PUT_OFF = timedelta(minutes=1)
STAGES = ("due_soon", "overdue", "red")
DEADLINE_PASSED = "deadline_passed"
"""The message a process may listen to; each stage of each task sends it once."""
LONG = timedelta(hours=24)

Open = Callable[[Session], Context]


@dataclass(frozen=True)
class Runner:
    """Claims what is due; two of them, or two at once, do everything once."""

    database: Engine
    open_context: Open
    now: Callable[[], datetime]
    resting: dict[tuple[str, int, str], datetime] = field(default_factory=dict)

    def tick(self) -> int:
        """Does what is due; returns how much that was."""
        return self._fire_timers() + self._remind() + self._deliver()

    def run(self, stop: threading.Event) -> None:
        """Ticks until told to stop."""
        while not stop.is_set():
            try:
                done = self.tick()
            except Exception as error:
                log.exception("runner.tick_failed", error=repr(error))
                done = 0
            if not done:
                stop.wait(PAUSE.total_seconds())

    def _fire_timers(self) -> int:
        with self.database.connect() as connection:
            due = connection.execute(
                select(timers.c.instance_id, timers.c.key)
                .join(instance_rows, instance_rows.c.id == timers.c.instance_id)
                .where(timers.c.due_at <= self.now(), instance_rows.c.status == RUNNING)
                .order_by(timers.c.due_at)
                .limit(BATCH)
            ).all()
        return sum(self._alone(partial(fire, row.instance_id, row.key), "timer", row.instance_id, row.key) for row in due)

    def _remind(self) -> int:
        """75 %: a yellow light; 100 %: 催办; a day later: 督办. Each is recorded in the log."""
        with self.database.connect() as connection:
            due = connection.execute(
                select(tasks.c.id, tasks.c.instance_id, tasks.c.key)
                .join(instance_rows, instance_rows.c.id == tasks.c.instance_id)
                .where(tasks.c.notice_at <= self.now(), instance_rows.c.status == RUNNING)
                .order_by(tasks.c.notice_at)
                .limit(BATCH)
            ).all()
        return sum(self._alone(partial(remind, row.id), "notice", row.instance_id, row.key) for row in due)

    def _deliver(self) -> int:
        with self.database.connect() as connection:
            due = list(connection.scalars(select(outbox.c.id).where(outbox.c.due_at <= self.now()).order_by(outbox.c.id).limit(BATCH)))
        return sum(self._alone(partial(self._deliver_one, id), "outbox", id, "") for id in due)

    def _deliver_one(self, outbox_id: int, context: Context) -> None:
        """Marks a row as sent. Channels that carry it outside register themselves by kind."""
        context.session.connection().execute(
            update(outbox).where(outbox.c.id == outbox_id, outbox.c.done_at.is_(None)).values(done_at=self.now(), due_at=None)
        )

    def _alone(self, act: Callable[[Context], object], kind: str, subject: int, key: str) -> int:
        """One unit of work in a transaction of its own; what fails rests a while, and its row stays as it was."""
        if self.resting.get((kind, subject, key), self.now()) > self.now():
            return 0
        try:
            with Session(self.database) as session, session.begin():
                session.connection(execution_options=WRITING)
                act(self.open_context(session))
        except Exception as error:
            log.warning("runner.failed", kind=kind, subject=subject, key=key, error=repr(error), expected=isinstance(error, EngineError))
            self.resting[kind, subject, key] = self.now() + PUT_OFF
            return 0
        self.resting.pop((kind, subject, key), None)
        return 1


def fire(instance_id: int, key: str, context: Context) -> None:
    """Fires a timer, when it still is due."""
    instances(context).fire(instance_id, key)


def remind(task_id: int, context: Context) -> None:
    """Says that a task's limit nears, has passed, or passed a day ago; each once, when it still is so."""
    run = instances(context)
    row = run.hold(task_id).task
    if row["closed_at"] or row["notice_at"] is None or row["notice_at"] > context.now() or row["notice_stage"] >= len(STAGES):
        return
    told = {"deadline_stage": STAGES[row["notice_stage"]], "deadline_task": row["key"]}
    try:
        run.message(row["instance_id"], DEADLINE_PASSED, told, SYSTEM)
    except NothingWaits:
        run.note(row["instance_id"], "notice", SYSTEM, task_key=row["key"], data=told)
    due: datetime = row["due_at"]
    following = (due, due + LONG, None)[row["notice_stage"]]
    still_open = (tasks.c.id == task_id) & tasks.c.closed_at.is_(None)
    context.session.connection().execute(update(tasks).where(still_open).values(notice_at=following, notice_stage=row["notice_stage"] + 1))
