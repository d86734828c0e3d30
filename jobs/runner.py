"""What happens without a click: due timers, reminders, and what waits in the outbox. The tables are the truth.

Every unit of work is a transaction of its own; what fails is counted and put off, and the others go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Engine, Select, select, update
from sqlalchemy.orm import Session

from engine.database import WRITING
from engine.errors import EngineError
from engine.instances import RUNNING
from engine.schema import instances as instance_rows
from engine.schema import outbox, tasks, timers
from governance.calendar.commands import note_followed
from governance.calendar.queries import unfollowed
from governance.context import Context
from governance.workflow.limits import fire, follow_calendar, remind

log = structlog.get_logger()
BATCH = 200
PAUSE = timedelta(seconds=1)
PUT_OFF = timedelta(minutes=1)

Open = Callable[[Session], Context]


@dataclass(frozen=True)
class Runner:
    """Claims what is due; two of them, or two at once, do everything once."""

    database: Engine
    open_context: Open
    now: Callable[[], datetime]
    resting: dict[tuple[str, object], datetime] = field(default_factory=dict)

    @property
    def steps(self) -> Mapping[str, Callable[[], int]]:
        """What there is to do, by name; each returns how much it did."""
        return {"timers": self._fire_timers, "reminders": self._remind, "outbox": self._deliver, "calendar": self._follow_calendar}

    def tick(self) -> int:
        """Does what is due; returns how much that was."""
        return sum(step() for step in self.steps.values())

    def run(self, stop: threading.Event, pause: timedelta = PAUSE) -> None:
        """Ticks until told to stop, and rests for a while whenever nothing is due."""
        while not stop.is_set():
            try:
                done = self.tick()
            except Exception as error:
                log.exception("runner.tick_failed", error=repr(error))
                done = 0
            if not done:
                stop.wait(pause.total_seconds())

    def _fire_timers(self) -> int:
        with self.database.connect() as connection:
            due = connection.execute(
                select(timers.c.instance_id, timers.c.key)
                .join(instance_rows, instance_rows.c.id == timers.c.instance_id)
                .where(timers.c.due_at <= self.now(), instance_rows.c.status == RUNNING)
                .order_by(timers.c.due_at)
                .limit(BATCH)
            ).all()
        return sum(self._alone("timer", (row.instance_id, row.key), _free(row.instance_id), fire, row.instance_id, row.key) for row in due)

    def _remind(self) -> int:
        with self.database.connect() as connection:
            due = connection.execute(
                select(tasks.c.id, tasks.c.instance_id, tasks.c.key)
                .join(instance_rows, instance_rows.c.id == tasks.c.instance_id)
                .where(tasks.c.notice_at <= self.now(), instance_rows.c.status == RUNNING)
                .order_by(tasks.c.notice_at)
                .limit(BATCH)
            ).all()
        return sum(self._alone("notice", row.id, _free(row.instance_id), remind, row.id) for row in due)

    def _deliver(self) -> int:
        with self.database.connect() as connection:
            due = list(connection.scalars(select(outbox.c.id).where(outbox.c.due_at <= self.now()).order_by(outbox.c.id).limit(BATCH)))
        return sum(self._alone("outbox", id, _unsent(id), self._deliver_one, id) for id in due)

    def _follow_calendar(self) -> int:
        """Counts running limits anew after the working calendar has changed, a batch at a time."""
        with Session(self.database) as session:
            behind = unfollowed(session)
            if behind is None:
                return 0
            query = select(instance_rows.c.id).where(instance_rows.c.state.is_not(None), instance_rows.c.id > behind.cursor)
            ids = list(session.scalars(query.order_by(instance_rows.c.id).limit(BATCH)))
        for id in ids:
            self._alone("calendar", id, None, follow_calendar, id)
        upto = ids[-1] if ids else None
        return self._alone("calendar round", behind.count, None, lambda context: note_followed(context.session, behind, upto))

    def _deliver_one(self, context: Context, outbox_id: int) -> None:
        """Marks a row as sent. Channels that carry it outside register themselves by kind."""
        context.session.connection().execute(
            update(outbox).where(outbox.c.id == outbox_id, outbox.c.done_at.is_(None)).values(done_at=self.now(), due_at=None)
        )

    def _alone(self, kind: str, subject: object, claim: Select[Any] | None, act: Callable[..., object], *args: object) -> int:
        """One unit of work in a transaction of its own; what fails rests a while, and its row stays as it was.

        What another runner has claimed is left to it: nobody waits for anybody.
        """
        if self.resting.get((kind, subject), self.now()) > self.now():
            return 0
        try:
            with Session(self.database) as session, session.begin():
                connection = session.connection(execution_options=WRITING)
                if claim is not None and connection.execute(claim).first() is None:
                    return 0
                act(self.open_context(session), *args)
        except Exception as error:
            log.warning("runner.failed", kind=kind, subject=subject, error=repr(error), expected=isinstance(error, EngineError))
            self.resting[kind, subject] = self.now() + PUT_OFF
            return 0
        self.resting.pop((kind, subject), None)
        return 1


def _free(instance_id: int) -> Select[Any]:
    """Claims an instance, unless somebody is at it."""
    return select(instance_rows.c.id).where(instance_rows.c.id == instance_id).with_for_update(skip_locked=True)


def _unsent(outbox_id: int) -> Select[Any]:
    """Claims what is to be sent, unless it has been or somebody is at it."""
    return select(outbox.c.id).where(outbox.c.id == outbox_id, outbox.c.done_at.is_(None)).with_for_update(skip_locked=True)
