"""What happens without a click: due timers, reminders, and what waits in the outbox. The tables are the truth.

Every unit of work is a transaction of its own; what fails is counted and put off, and the others go on.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Engine, Row, Select, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine.anchor import Anchor
from engine.checkpoints import seal
from engine.database import WRITING
from engine.errors import DataRefused, EngineError, InstanceAtRest, NothingWaits
from engine.log import loads
from engine.schema import instances as instance_rows
from engine.schema import outbox, tasks, timers
from engine.signatures import Signer
from engine.versions import service_of
from engine.world import RUNNING, SUSPENDED
from governance.calendar.commands import note_followed
from governance.calendar.queries import unfollowed
from governance.cases.photos import sweep_photos
from governance.context import Context
from governance.files.commands import drop_unnamed, unnamed
from governance.meetings.files import sweep_files
from governance.studio.runs import advance_run, give_up_run, unfinished
from governance.workflow.limits import fire, follow_calendar, give_up, remind
from governance.workflow.world import carry, instances
from jobs.lanes import Lanes
from jobs.services import Call, Service, ServiceFailed, Webhooks

log = structlog.get_logger()
BATCH = 200
PAUSE = timedelta(seconds=0.5)
PUT_OFF = timedelta(minutes=1)
AWAY = timedelta(seconds=2)
"""How long something rests when not itself failed but the database."""
MOST = 3
"""How often something is tried before an administrator must look."""
LEASE = timedelta(minutes=2)
"""How long a runner that asks a service keeps others from asking, should it be killed meanwhile."""
TRIES = (timedelta(minutes=1), timedelta(minutes=5))
"""Pauses after a service has failed; after the last try it is an incident."""

NO_SERVICES = Webhooks({})

Open = Callable[[Session], Context]


@dataclass(frozen=True)
class Notary:
    """What the record is sealed with, and where the seals are laid down outside the database."""

    signer: Signer
    anchor: Anchor


@dataclass(frozen=True)
class Runner:
    """Claims what is due; two of them, or two at once, do everything once."""

    database: Engine
    open_context: Open
    now: Callable[[], datetime]
    services: Service = NO_SERVICES
    notary: Notary | None = None
    resting: dict[tuple[str, object], tuple[datetime, timedelta]] = field(default_factory=dict)
    """Since when what failed rests, and how long."""
    failures: Counter[tuple[str, object]] = field(default_factory=Counter)
    """How often in a row something failed, the database's absence aside."""
    lanes: Lanes = field(default_factory=Lanes)
    named: dict[tuple[int, str], str] = field(default_factory=dict)
    """The service of an element of a version."""
    missed: set[int] = field(default_factory=set)
    """Instances that could not follow the calendar yet."""

    @property
    def steps(self) -> Mapping[str, Callable[[], int]]:
        """What there is to do, by name; each returns how much it did."""
        return {
            "timers": self._fire_timers,
            "reminders": self._remind,
            "outbox": self._deliver,
            "calendar": self._follow_calendar,
            "record": self._keep_record,
            "studio": self._advance_studio,
            "files": self._sweep,
        }

    def tick(self) -> int:
        """Does what is due, to the last answer; returns how much that was."""
        done = self._do()
        self.lanes.wait()
        return done

    def _do(self) -> int:
        return sum(step() for step in self.steps.values())

    def run(self, stop: threading.Event, pause: timedelta = PAUSE) -> None:
        """Ticks until told to stop, and rests for a while whenever nothing is due."""
        while not stop.is_set():
            try:
                done = self._do()
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
                .limit(BATCH + self._at_rest())
            ).all()
        return sum(self._fire(row.instance_id, row.key) for row in due)

    def _fire(self, instance_id: int, key: str) -> int:
        """Fires a timer; one that has failed too often becomes an incident, so that somebody looks."""
        subject = instance_id, key
        if self.failures["timer", subject] < MOST:
            return self._alone("timer", subject, _free(instance_id), fire, instance_id, key)
        given_up = self._alone("timer", subject, _free(instance_id), give_up, instance_id, key)
        if given_up:
            self.failures.pop(("timer", subject), None)
        return given_up

    def _remind(self) -> int:
        with self.database.connect() as connection:
            due = connection.execute(
                select(tasks.c.id, tasks.c.instance_id, tasks.c.key)
                .join(instance_rows, instance_rows.c.id == tasks.c.instance_id)
                .where(tasks.c.notice_at <= self.now(), instance_rows.c.status == RUNNING)
                .order_by(tasks.c.notice_at)
                .limit(BATCH + self._at_rest())
            ).all()
        return sum(self._alone("notice", row.id, _free(row.instance_id), remind, row.id) for row in due)

    def _deliver(self) -> int:
        """Sends what waits in the outbox, at least once; the outside is asked between two transactions, never within one."""
        asked = (self._ask(row) if row.kind == "service" and row.status == RUNNING else self._carry(row) for row in self._waiting())
        return sum(asked)

    def _waiting(self) -> Iterator[Row[Any]]:
        """What is due in the outbox; what has to wait for a slow service does not hide what lies behind it."""
        joined = outbox.outerjoin(instance_rows, instance_rows.c.id == outbox.c.instance_id)
        moving = instance_rows.c.status.is_distinct_from(SUSPENDED)
        query = select(outbox, instance_rows.c.status, instance_rows.c.version_id).select_from(joined).where(moving).order_by(outbox.c.id)
        last, more = -1, True
        while more:
            with self.database.connect() as connection:
                rows = connection.execute(query.where(outbox.c.due_at <= self.now(), outbox.c.id > last).limit(BATCH)).all()
            yield from rows
            more = len(rows) == BATCH
            last = rows[-1].id if rows else last

    def _carry(self, row: Row[Any]) -> int:
        """Carries a message to whom it concerns in this house; nobody outside listens yet, and nobody asks for what has ended."""
        return self._alone("outbox", row.id, _unsent(row.id), _carried, row)

    def _ask(self, row: Row[Any]) -> int:
        """Has an outside service asked, unless enough wait for it."""
        service = self._service(row)
        if not self.lanes.enter(service):
            return 0
        if not self._alone("outbox", row.id, _unasked(row.id, self.now()), _leased, row.id, row.attempts + 1):
            self.lanes.leave(service)
            return 0
        self.lanes.run(service, lambda: self._hear(row, service))
        return 1

    def _service(self, row: Row[Any]) -> str:
        """Which service a row asks for; a version never changes."""
        where = row.version_id, row.name
        if where not in self.named:
            with self.database.connect() as connection:
                self.named[where] = service_of(connection, row.instance_id, row.name)
        return self.named[where]

    def _hear(self, row: Row[Any], service: str) -> int:
        """Asks the service, and hands its answer to the process."""
        try:
            answer = self.services(Call(row.id, service, row.instance_id, row.name, loads(row.body)))
        except ServiceFailed as failed:
            return self._alone("outbox", row.id, _unsent(row.id), _failed, row, str(failed))
        return self._alone("outbox", row.id, _unsent(row.id), _answered, row, answer)

    def _follow_calendar(self) -> int:
        """Counts running limits anew after the working calendar has changed, a batch at a time."""
        with Session(self.database) as session:
            behind = unfollowed(session)
            if behind is None:
                return 0
            query = select(instance_rows.c.id).where(instance_rows.c.state.is_not(None), instance_rows.c.id > behind.cursor)
            ids = list(session.scalars(query.order_by(instance_rows.c.id).limit(BATCH)))
        again = [] if ids else self._still_missed()
        for id in [*ids, *again]:
            self._follow_one(id)
        if again and self._still_missed():
            return 0  # the round is not over before what failed has been tried again
        upto = ids[-1] if ids else None
        return self._alone("calendar round", behind.count, None, lambda context: note_followed(context.session, behind, upto))

    def _follow_one(self, instance_id: int) -> None:
        if self._rests("calendar", instance_id):
            return
        if self._alone("calendar", instance_id, None, follow_calendar, instance_id):
            self.missed.discard(instance_id)
        else:
            self.missed.add(instance_id)

    def _still_missed(self) -> list[int]:
        """Those that are worth another try; after `MOST` an administrator must look."""
        return [id for id in self.missed if self.failures["calendar", id] < MOST]

    def _keep_record(self) -> int:
        """Seals what has moved since the last checkpoint, then anchors what is not anchored yet: a crash between the two is made good."""
        if self.notary is None:
            return 0
        signer, anchor = self.notary.signer, self.notary.anchor
        sealed = self._attempt("checkpoint", None, lambda: seal(self.database, signer, self.now()))
        return sealed + self._attempt("anchor", anchor.path, lambda: self._anchor(anchor))

    def _anchor(self, anchor: Anchor) -> int:
        fresh = anchor.extend(self.database)
        for line in fresh:
            log.info("checkpoint.anchored", number=line.number, hash=line.hash, key=line.key, signature=line.signature)
        return len(fresh)

    def _advance_studio(self) -> int:
        """Goes on with the oldest rehearsal or migration, a few instances at a time."""
        with self.database.connect() as connection:
            run_id = connection.scalar(unfinished())
        if run_id is None:
            return 0
        act = _advanced if self.failures["studio", run_id] < MOST else give_up_run
        return self._alone("studio", run_id, None, act, run_id)

    def _sweep(self) -> int:
        """Tidies the folders of pictures and files once a day, and forgets uploads that nothing has come of."""
        with Session(self.database) as session:
            context = self.open_context(session)
            has_waited = session.scalar(unnamed(self.now()).limit(1))
            if gone := sweep_photos(context) + sweep_files(context):
                log.info("files.swept", gone=gone)
        return self._alone("files", "waiting", None, drop_unnamed) if has_waited else 0

    def _alone(self, kind: str, subject: object, claim: Select[Any] | None, act: Callable[..., object], *args: object) -> int:
        """One unit of work in a transaction of its own. What another runner has claimed is left to it: nobody waits for anybody."""

        def once() -> int:
            with Session(self.database) as session, session.begin():
                connection = session.connection(execution_options=WRITING)
                if claim is not None and connection.execute(claim).first() is None:
                    return 0
                act(self.open_context(session), *args)
            return 1

        return self._attempt(kind, subject, once)

    def _attempt(self, kind: str, subject: object, act: Callable[[], int]) -> int:
        """What fails rests a while, and the others go on; says how much was done."""
        if self._rests(kind, subject):
            return 0
        try:
            done = act()
        except Exception as error:
            log.warning("runner.failed", kind=kind, subject=subject, error=repr(error), expected=isinstance(error, EngineError))
            away = isinstance(error, OperationalError)
            self.resting[kind, subject] = self.now(), AWAY if away else PUT_OFF
            self.failures[kind, subject] += not away
            return 0
        self.resting.pop((kind, subject), None)
        self.failures.pop((kind, subject), None)
        return done

    def _rests(self, kind: str, subject: object) -> bool:
        """Whether something failed a moment ago; a clock that was put back does not make it rest longer."""
        since, span = self.resting.get((kind, subject), (self.now(), timedelta()))
        return timedelta() <= self.now() - since < span

    def _at_rest(self) -> int:
        """How many rest, and so take up room among what is due; who has rested is forgotten."""
        for what in [what for what in list(self.resting) if not self._rests(*what)]:
            self.resting.pop(what, None)
        return len(self.resting)


def _free(instance_id: int) -> Select[Any]:
    """Claims an instance, unless somebody is at it."""
    return select(instance_rows.c.id).where(instance_rows.c.id == instance_id).with_for_update(skip_locked=True)


def _unsent(outbox_id: int) -> Select[Any]:
    """Claims what is to be sent, unless it has been or somebody is at it."""
    return select(outbox.c.id).where(outbox.c.id == outbox_id, outbox.c.done_at.is_(None)).with_for_update(skip_locked=True)


def _unasked(outbox_id: int, now: datetime) -> Select[Any]:
    """The same, unless somebody is asking its service."""
    return _unsent(outbox_id).where(outbox.c.due_at <= now)


def _advanced(context: Context, run_id: int) -> None:
    for instance_id, error in advance_run(context, run_id):
        log.error("studio.instance_failed", run=run_id, instance=instance_id, exc_info=error)


def _carried(context: Context, row: Row[Any]) -> None:
    if row.kind == "message":
        carry(context, row.name, row.instance_id)
    _sent(context, row.id)


def _sent(context: Context, outbox_id: int) -> None:
    gone = update(outbox).where(outbox.c.id == outbox_id).values(done_at=context.now(), due_at=None, error=None)
    context.session.connection().execute(gone)


def _leased(context: Context, outbox_id: int, attempts: int) -> None:
    kept = update(outbox).where(outbox.c.id == outbox_id).values(due_at=context.now() + LEASE, attempts=attempts)
    context.session.connection().execute(kept)


def _answered(context: Context, row: Row[Any], answer: Mapping[str, Any]) -> None:
    """Hands in what a service said; what waits no longer wants it no longer."""
    try:
        instances(context).service_result(row.instance_id, row.name, answer)
    except InstanceAtRest as error:
        if error.status == SUSPENDED:  # it asks again once the instance goes on
            return
    except (NothingWaits, DataRefused) as error:
        log.warning("service.answer_unused", instance=row.instance_id, element=row.name, error=repr(error))
    _sent(context, row.id)


def _failed(context: Context, row: Row[Any], said: str) -> None:
    """Tries again later, and in the end makes it an incident."""
    pause = TRIES[row.attempts] if row.attempts < len(TRIES) else None
    later = {"due_at": context.now() + pause if pause else None, "error": said}
    context.session.connection().execute(update(outbox).where(outbox.c.id == row.id).values(later))
    if pause is None:
        instances(context).service_failed(row.instance_id, row.name, said)
