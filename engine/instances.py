"""Durable instances: every command is logged, carried out and stored in the caller's transaction, or not at all.

The instance's row is locked first, so commands of one instance follow each other; instances do not wait for each other.
What the domain decides (who, until when, what a lookup answers) is asked of its `World` once and recorded as facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

import orjson
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, delete, insert, literal, select, true, update

from engine.errors import (
    ClaimedByOther,
    DataRefused,
    Erased,
    InstanceAtRest,
    NoIncident,
    NoSuchCommand,
    NoSuchInstance,
    NoSuchTask,
    StaleRevision,
    StepFailed,
    TaskClosed,
    Unanswered,
    WrongVersion,
)
from engine.expressions import ExpressionError
from engine.log import ORIGIN, Command, Data, append, dumps, entries, loads
from engine.machine import Machine
from engine.moves import Moved, asked_again, moved, returned
from engine.packages import Package
from engine.plans import MOVES, Plan, undoable
from engine.relocation import Relocation
from engine.replay import MOVING, carry_out, past, replay, retried
from engine.schema import NO_DUE, Instant, commands, incidents, instances, outbox, task_candidates, task_formers, tasks, timers
from engine.statements import (
    ADD_CANDIDATES,
    ADD_MESSAGES,
    ADD_TASKS,
    ADD_TIMERS,
    CANCEL_TASKS,
    DROP_CANDIDATES,
    FINISH_TASK,
    HOLD_INSTANCE,
    HOLD_TASK,
    READ_INSTANCE,
    SEEN,
    TASK,
    change_instance,
)
from engine.tree import node_of
from engine.versions import Version, package_of, programs

RUNNING, SUSPENDED, FINISHED, CANCELLED = "running", "suspended", "finished", "cancelled"

Actor = Mapping[str, Any]
"""Who acts: `{"person", "post", "unit", "for"}`, as the log keeps it."""
SYSTEM: Actor = {"system": True}


@dataclass(frozen=True)
class Opening:
    """A task about to open: what the domain needs to know to say who shall do it, and until when."""

    instance_id: int
    business_key: str
    key: str
    element: str
    name: str
    settings: Mapping[str, Mapping[str, str]]
    data: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True)
class Assignment:
    """Who may do a task, until when, and why; `notice_at` is when somebody is to be reminded."""

    principals: tuple[str, ...]
    due_at: datetime | None = None
    notice_at: datetime | None = None
    why: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Foreseen:
    """What a completion would bring: the tasks that would open with those who would do them, or the end."""

    next: tuple[tuple[Opening, Assignment], ...]
    finished: bool


@dataclass(frozen=True)
class Prospect:
    """What a move to another version would bring: tasks that go on, by their old and new keys, those that open with who would
    do them, and those that would no longer be needed; or the `refusal`."""

    kept: tuple[tuple[str, str], ...] = ()
    opened: tuple[tuple[Opening, Assignment], ...] = ()
    closed: tuple[str, ...] = ()
    refusal: Unanswered | Erased | None = None


@dataclass(frozen=True)
class _Going:
    before: Machine
    moved: Moved
    assigned: list[tuple[Opening, Assignment]]


@dataclass(frozen=True)
class Rescheduled:
    """A task's new due date, and when somebody is to be reminded of it next."""

    key: str
    due_at: datetime
    notice_at: datetime | None


@dataclass(frozen=True)
class Stopped:
    """A diagram that could not go on, and where."""

    incident_id: int
    element: str
    rule: str
    message: str


@dataclass(frozen=True)
class Advance:
    """What a command changed. `opened` maps task ids to openings; `repeated` says it had been carried out before."""

    instance_id: int
    business_key: str
    version_id: int
    seq: int
    kind: str
    at: datetime
    status: str
    data: Mapping[str, Any]
    opened: Mapping[int, Opening] = field(default_factory=dict)
    open_elements: tuple[str, ...] = ()
    open_settings: tuple[Mapping[str, Mapping[str, str]], ...] = ()
    closed: tuple[str, ...] = ()
    ended_at: tuple[str, ...] = ()
    stopped: Stopped | None = None
    repeated: bool = False
    said: Mapping[str, Any] = field(default_factory=dict)
    """What the command itself said, as the log keeps it."""


@dataclass(frozen=True)
class Held:
    """An instance's row under lock, with the package it runs on."""

    id: int
    business_key: str
    version_id: int
    status: str
    revision: int
    state: str | None
    head: bytes
    has_incident: bool
    advanced_at: datetime
    package: Package

    @property
    def data(self) -> Mapping[str, Any]:
        """The process's data; nothing for an instance that is over."""
        found: Mapping[str, Any] = loads(self.state)["data"] if self.state else {}
        return found


@dataclass(frozen=True)
class Holding:
    """A task, fresh, under the lock of its instance."""

    instance: Held
    task: Mapping[str, Any]


class World(Protocol):
    """The domain, as far as the engine asks it."""

    def lookup(self, name: str, data: Mapping[str, Any], at: datetime) -> Data:
        """Answers a `wz:lookup`; an empty answer when there is none."""

    def assign(self, opening: Opening) -> Assignment:
        """Says who may do a task; raises `StepFailed` when nobody can be found."""

    def advanced(self, advance: Advance) -> None:
        """Lets the domain follow in the same transaction."""


@dataclass(frozen=True)
class Instances:
    """The instances of a database, within one transaction."""

    connection: Connection
    world: World
    now: Callable[[], datetime]
    new_id: Callable[[], int]

    # ---- commands that move an instance ---------------------------------------------------------------------

    def start(
        self,
        version: Version,
        data: Mapping[str, Any],
        actor: Actor,
        *,
        business_key: str,
        event: str | None = None,
        title: str | None = None,
    ) -> Advance:
        """Begins an instance of a process version; `title` is what people know it by, where no row of the domain says so."""
        now, instance_id = self.now(), self.new_id()
        row = {
            "id": instance_id,
            "version_id": version.id,
            "business_key": business_key,
            "title": title,
            "status": RUNNING,
            "revision": 0,
            "state": None,
            "head": ORIGIN,
            "has_incident": False,
            "started_at": now,
            "advanced_at": now,
        }
        self.connection.execute(insert(instances), row)
        held = Held(
            instance_id,
            business_key,
            version.id,
            RUNNING,
            0,
            None,
            ORIGIN,
            False,
            now,
            package_of(self.connection, version.id, version.digest),
        )
        return self._carry_out(held, Command("start", now, actor, _storable(data), event))

    def hold_instance(self, instance_id: int, revision: int | None = None) -> Held:
        """An instance under lock, for whoever wants to look before they act; raises `NoSuchInstance`, `StaleRevision`."""
        held = self._read(HOLD_INSTANCE, instance_id)
        if held is None:
            raise NoSuchInstance
        if revision is not None and revision != held.revision:
            raise StaleRevision
        return held

    def hold(self, task_id: int) -> Holding:
        """A task under its instance's lock, for whoever wants to look before they act; raises `NoSuchTask`."""
        row = self.connection.execute(HOLD_TASK, {"of": task_id}).mappings().one_or_none()
        if row is None:
            raise NoSuchTask(str(task_id))
        return Holding(self._held(row), {name: row[label] for name, label in TASK.items()})

    def complete(
        self, holding: Holding, data: Mapping[str, Any], actor: Actor, *, opinion: str | None = None, idempotency_key: str | None = None
    ) -> Advance:
        """Finishes an open task; raises `TaskClosed`, `ClaimedByOther`, `InstanceAtRest`."""
        held, key = holding.instance, holding.task["key"]
        if idempotency_key and (seq := self._seen(held.id, idempotency_key)):
            return self._repeated(held, seq)
        self._permit(held, RUNNING)
        _must_be_open(holding.task, actor)
        command = Command("complete", self.now(), actor, _storable(data), key, _text(opinion), idempotency_key=idempotency_key)
        return self._carry_out(held, command)

    def fire(self, instance_id: int, key: str) -> Advance | None:
        """Fires a due timer; None when it was fired, disarmed or put off meanwhile."""
        held = self.hold_instance(instance_id)
        due = self.connection.scalar(select(timers.c.due_at).where(timers.c.instance_id == instance_id, timers.c.key == key))
        if held.status != RUNNING or due is None or due > self.now():
            return None
        return self._carry_out(held, Command("timer", self.now(), SYSTEM, task_key=key, facts={"due": due.isoformat()}))

    def message(self, instance_id: int, name: str, data: Mapping[str, Any], actor: Actor, *, opinion: str | None = None) -> Advance:
        """Delivers a message; raises `NothingWaits` when the instance does not wait for it."""
        held = self.hold_instance(instance_id)
        self._permit(held, RUNNING)
        return self._carry_out(held, Command("message", self.now(), actor, _storable(data), name, _text(opinion)))

    def signal(self, instance_id: int, name: str, data: Mapping[str, Any], actor: Actor) -> Advance:
        """Delivers a signal to one instance; raises `NothingWaits`."""
        held = self.hold_instance(instance_id)
        self._permit(held, RUNNING)
        return self._carry_out(held, Command("signal", self.now(), actor, _storable(data), name))

    def service_result(self, instance_id: int, key: str, data: Mapping[str, Any]) -> Advance:
        """Hands in what a service answered; raises `NothingWaits`."""
        held = self.hold_instance(instance_id)
        self._permit(held, RUNNING)
        return self._carry_out(held, Command("service_result", self.now(), SYSTEM, _storable(data), key))

    def service_failed(self, instance_id: int, element: str, message: str) -> None:
        """A service could not be asked: an incident, whose retry asks again."""
        held = self.hold_instance(instance_id)
        self._park(held, Command("resend", self.now(), SYSTEM, task_key=element), StepFailed(element, "service_failed", message))

    def timer_failed(self, instance_id: int, key: str, message: str) -> None:
        """A timer cannot be fired for a reason that is not the diagram's: an incident, whose retry fires it."""
        held = self.hold_instance(instance_id)
        self._park(held, Command("timer", self.now(), SYSTEM, task_key=key), StepFailed(key.partition("#")[0], "timer_failed", message))

    def completion_refused(self, holding: Holding, data: Mapping[str, Any], failed: StepFailed, opinion: str) -> None:
        """A task that was to be finished without anybody asks for more than is known: an incident, whose retry finishes it."""
        command = Command("complete", self.now(), SYSTEM, _storable(data), holding.task["key"], opinion)
        self._park(holding.instance, command, failed)

    def is_stopped(self, holding: Holding) -> bool:
        """Whether an incident keeps what somebody has done with the task."""
        stopped = (incidents.c.task_key == holding.task["key"]) & incidents.c.resolved_at.is_(None)
        found = select(incidents.c.id).where(incidents.c.instance_id == holding.instance.id, stopped)
        return self.connection.scalar(found.limit(1)) is not None

    def promise(self, instance_id: int, name: str, data: Mapping[str, Any]) -> None:
        """Sends a message in an instance's name after the commit, as its diagram might."""
        self.connection.execute(ADD_MESSAGES, [self._parcel(instance_id, "message", name, data, self.now())])

    def rewind(self, instance_id: int, to: int, actor: Actor, reason: str, *, revision: int | None = None) -> Advance:
        """Takes the instance back to where it was after command `to`; raises `NoSuchCommand`, `StaleRevision`."""
        held = self.hold_instance(instance_id, revision)
        self._permit(held, RUNNING, SUSPENDED)
        if not 1 <= to < held.revision:
            raise NoSuchCommand
        return self._carry_out(held, Command("rewind", self.now(), actor, {"to": to}, opinion=_text(reason)))

    def cancel(self, instance_id: int, actor: Actor, reason: str, *, revision: int | None = None) -> Advance:
        """Ends the instance for good; nothing is deleted."""
        held = self.hold_instance(instance_id, revision)
        self._permit(held, RUNNING, SUSPENDED)
        return self._carry_out(held, Command("cancel", self.now(), actor, opinion=_text(reason)))

    def retry(self, incident_id: int, actor: Actor, correction: Mapping[str, Any] | None = None, *, reason: str | None = None) -> Advance:
        """Carries out the command that failed; what is mended wins over what it said. Raises `NoIncident`."""
        row = self.connection.execute(select(incidents).where(incidents.c.id == incident_id)).mappings().one_or_none()
        if row is None or row["resolved_at"] is not None:
            raise NoIncident
        held = self.hold_instance(row["instance_id"])
        self._permit(held, RUNNING)
        mended = _storable(correction or {})
        facts = {"retried_by": dict(actor), **({"corrected": sorted(mended)} if mended else {})}
        failed = Command(at=self.now(), facts=facts, **loads(row["command"]))
        *before, again = retried(failed, mended, actor, self.now(), _text(reason))
        for command in before:
            advance = self._carry_out(held, command)
            if advance.stopped:
                return advance
            held = self.hold_instance(row["instance_id"])
        if again.kind == "complete":
            self._retry_completion(held, again)
        return self._resend(held, again) if again.kind == "resend" else self._carry_out(held, again)

    def _resend(self, held: Held, command: Command) -> Advance:
        """Lets the outbox ask a service again, with the data as it is now."""
        waiting = (outbox.c.instance_id == held.id) & (outbox.c.name == command.task_key) & outbox.c.done_at.is_(None)
        fresh = {"body": dumps(held.data), "due_at": command.at, "attempts": 0, "error": None}
        self.connection.execute(update(outbox).where(waiting, outbox.c.kind == "service").values(fresh))
        self._resolve(held.id, incidents.c.task_key == command.task_key)
        self._record(held, command)
        return self._stays(held, command)

    def _retry_completion(self, held: Held, command: Command) -> None:
        """What failed may have been settled otherwise meanwhile: then the incident is over, and says so."""
        of_key = (tasks.c.instance_id == held.id) & (tasks.c.key == command.task_key)
        task = dict(self.connection.execute(select(tasks).where(of_key)).mappings().one())
        try:
            _must_be_open(task, command.actor)
        except TaskClosed:
            self._resolve(held.id, incidents.c.task_key == command.task_key)
            raise

    # ---- moving to another version --------------------------------------------------------------------------

    def preview_move(self, instance_id: int, version: Version, plan: Plan) -> Prospect:
        """What a move would bring, or why it cannot be; writes nothing. Raises what a move raises, save `Unanswered`, `Erased`."""
        held = self._read(READ_INSTANCE, instance_id)
        if held is None:
            raise NoSuchInstance
        try:
            going = self._going(held, version, plan, self.now())
        except (Unanswered, Erased) as refusal:
            return Prospect(refusal=refusal)
        open_before = {task.key for task in going.before.open()}
        kept = tuple(sorted((old, new) for old, new in going.moved.kept.items() if old in open_before))
        return Prospect(kept, tuple(going.assigned), tuple(sorted(open_before - going.moved.kept.keys())))

    def move(self, instance_id: int, version: Version, plan: Plan, actor: Actor, reason: str, *, revision: int | None = None) -> Advance:
        """Moves an instance to another version of its process: it stands where its history, walked there by the plan, comes to.

        Open tasks and timers that go on keep their rows, claims and instants. Raises `Unanswered`, `Erased`,
        `WrongVersion`, `PlanRefused`, `InstanceAtRest`, `StaleRevision`.
        """
        held = self.hold_instance(instance_id, revision)
        now = self.now()
        going = self._going(held, version, plan, now)
        said = {"from": held.version_id, "to": version.id, "digest": version.digest, "plan": plan.as_data()}
        command = Command("move", now, actor, said, opinion=_text(reason))
        there = replace(held, version_id=version.id, package=package_of(self.connection, version.id, version.digest))
        if held.state is None:
            self._record(held, command, version_id=version.id)
            return self._stays(there, command)
        machine, kept, was = going.moved.machine, going.moved.kept, Standing.of(going.before)
        before, relocation = was.renamed(kept), Relocation(self.connection, held.id)
        facts = relocation.leave(was.open, before.gone(Standing.of(machine)), kept, plan.renamed)
        if going.assigned:
            facts["opened"] = {opening.key: _fact(assignment) for opening, assignment in going.assigned}
        relocation.rename(kept, plan.renamed, there.package)
        relocation.withdraw(_asking(machine), now)
        return self._store(there, replace(command, facts=facts), machine, before, going.assigned, version_id=version.id)

    def undo_move(self, instance_id: int, actor: Actor, reason: str, *, seq: int | None = None, revision: int | None = None) -> Advance:
        """Takes an instance back to the version it was moved from, as it was; `seq` says which move is meant.

        Raises `NothingToUndo`, `Erased`.
        """
        held = self.hold_instance(instance_id, revision)
        self._permit(held, RUNNING, SUSPENDED)
        log = entries(self.connection, held.id)
        move = undoable(log, seq)
        if move.data is None:
            raise Erased(move.seq)
        now, version_id, kept = self.now(), move.data["from"], move.facts.get("kept", {})
        said = {"move": move.seq, "from": held.version_id, "to": version_id}
        command = Command("undo_move", now, actor, said, opinion=_text(reason))
        here = replace(held, version_id=version_id, package=package_of(self.connection, version_id))
        if held.state is None:
            self._record(held, command, version_id=version_id)
            return self._stays(here, command)
        there = self._machine(held, now, [])
        was = replay(programs(self.connection), version_id, log[: move.seq - 1])
        machine = returned(was.snapshot(), was.program, there, now)
        machine.sent = asked_again(machine, there, kept)
        relocation, back = Relocation(self.connection, held.id), _inverse(kept)
        relocation.rename(back, _inverse(move.data["plan"]["renamed"]), here.package)
        relocation.withdraw(_asking(machine), now)
        for task in relocation.reopen(move.facts.get("closed", {})):
            self._hand_to(task, *([f"person:{task['claimed_by']}"] if task["claimed_by"] else loads(task["assignment"])["principals"]))
        advance = self._store(here, command, machine, Standing.of(there).renamed(back), [], version_id=version_id)
        relocation.reopen_incidents(move.facts.get("settled", ()), move.facts.get("stopped_at", {}))
        return advance

    def _going(self, held: Held, version: Version, plan: Plan, at: datetime) -> _Going:
        """Where an instance would stand on another version, and who would do what opens there."""
        self._permit(held, RUNNING, SUSPENDED)
        target = package_of(self.connection, version.id, version.digest)
        if version.id == held.version_id or target.diagram.main.id != held.package.diagram.main.id:
            raise WrongVersion
        plan.check(held.package.diagram, target.diagram)
        before, log = self._machine(held, at, []), entries(self.connection, held.id)
        result = moved(before, target.program, log, plan, at)
        there = replace(held, version_id=version.id, package=target)
        new = [task.key for task in result.machine.open() if task.key not in result.kept.values()]
        try:
            openings = [self._opening(there, result.machine, key) for key in new]
            return _Going(before, result, [(opening, self._assign(opening)) for opening in openings])
        except StepFailed as failed:
            raise Unanswered(held.revision, failed.element, failed.rule, failed.message) from failed

    def _stays(self, held: Held, command: Command) -> Advance:
        """What a command brought that moved no token."""
        return Advance(held.id, held.business_key, held.version_id, held.revision + 1, command.kind, command.at, held.status, held.data)

    # ---- commands that concern people -----------------------------------------------------------------------

    def claim(self, holding: Holding, actor: Actor) -> None:
        """Takes a task: from now on only this person may finish it; raises `ClaimedByOther`, `TaskClosed`."""
        task = self._open_and_running(holding, actor)
        if task["claimed_by"] != actor["person"]:
            self._hand_to(task, f"person:{actor['person']}")
            self.connection.execute(update(tasks).where(tasks.c.id == task["id"]).values(claimed_by=actor["person"], claimed_at=self.now()))
            self._record(holding.instance, Command("claim", self.now(), actor, task_key=task["key"]))

    def release(self, holding: Holding, actor: Actor) -> None:
        """Gives a claimed task back to everyone who may do it."""
        task = self._open_and_running(holding, actor)
        self._hand_to(task, *loads(task["assignment"])["principals"])
        self.connection.execute(update(tasks).where(tasks.c.id == task["id"]).values(claimed_by=None, claimed_at=None))
        self._record(holding.instance, Command("release", self.now(), actor, task_key=task["key"]))

    def transfer(self, holding: Holding, actor: Actor, principal: str, reason: str) -> None:
        """转办: hands a task to somebody else, who finishes it."""
        task = self._open_and_running(holding, actor)
        self._give_to(task, principal, {})
        self._record(holding.instance, Command("transfer", self.now(), actor, {"to": principal}, task["key"], _text(reason)))

    def reassign(self, holding: Holding, actor: Actor, principal: str, why: Mapping[str, Any], reason: str) -> None:
        """改派: gives a task that nobody does to somebody else, whoever has claimed it; `why` goes with those it was addressed to."""
        task = self._open_and_running(holding, SYSTEM)
        self._give_to(task, principal, why)
        self._record(holding.instance, Command("reassign", self.now(), actor, {"to": principal}, task["key"], _text(reason)))

    def _give_to(self, task: Mapping[str, Any], principal: str, why: Mapping[str, Any]) -> None:
        self._hand_to(task, principal)
        before = loads(task["assignment"])
        assignment = before | {"principals": [principal], "why": {**before["why"], **why}}
        self.connection.execute(
            update(tasks).where(tasks.c.id == task["id"]).values(claimed_by=None, claimed_at=None, assignment=dumps(assignment))
        )

    def reopening(self, holding: Holding) -> Opening:
        """An open task as if it opened now, for whoever asks who else may do it."""
        machine = self._machine(holding.instance, self.now(), [])
        return replace(self._opening(holding.instance, machine, holding.task["key"]), at=self.now())

    def escalate(self, holding: Holding, assignment: Assignment, reason: str) -> None:
        """Takes a task from those who have not done it and gives it to others, whose limit begins anew."""
        task, now = self._open_and_running(holding, SYSTEM), self.now()
        listed = select(task_candidates.c.principal, literal(now, Instant), task_candidates.c.task_id)
        formers = listed.where(task_candidates.c.task_id == task["id"])
        self.connection.execute(insert(task_formers).from_select(["principal", "at", "task_id"], formers))
        anew = {
            "claimed_by": None,
            "claimed_at": None,
            "due_at": assignment.due_at,
            "notice_at": assignment.notice_at,
            "notice_stage": 0,
            "assignment": dumps(_fact(assignment)),
        }
        self.connection.execute(update(tasks).where(tasks.c.id == task["id"]).values(anew))
        self._hand_to({**task, "due_at": assignment.due_at}, *assignment.principals)
        self._record(holding.instance, Command("escalate", now, SYSTEM, _fact(assignment), task["key"], reason))

    def note(
        self,
        instance_id: int,
        kind: str,
        actor: Actor,
        *,
        task_key: str | None = None,
        data: Mapping[str, Any] | None = None,
        opinion: str | None = None,
    ) -> None:
        """Records something that moves nothing: an urging, a reminder, a look at masked data."""
        if kind in MOVING:
            raise ValueError(kind)
        self._record(self.hold_instance(instance_id), Command(kind, self.now(), actor, _storable(data or {}), task_key, _text(opinion)))

    def reschedule(self, held: Held, moved: Mapping[int, Rescheduled], data: Mapping[str, Any]) -> None:
        """Gives open tasks other due dates; the log says which and why."""
        for task_id, new in moved.items():
            dates = {"due_at": new.due_at, "notice_at": new.notice_at}
            self.connection.execute(update(tasks).where(tasks.c.id == task_id).values(dates))
            listed = task_candidates.c.task_id == task_id
            self.connection.execute(update(task_candidates).where(listed).values(due_at=new.due_at))
        due = {new.key: new.due_at.isoformat() for new in moved.values()}
        self._record(held, Command("reschedule", self.now(), SYSTEM, {**_storable(data), "due": due}))

    def suspend(self, instance_id: int, actor: Actor, reason: str) -> None:
        """Puts the instance to rest: no task, message or timer moves it until it is resumed."""
        held = self.hold_instance(instance_id)
        self._permit(held, RUNNING)
        self._record(held, Command("suspend", self.now(), actor, opinion=_text(reason)), status=SUSPENDED)

    def resume(self, instance_id: int, actor: Actor, reason: str) -> None:
        """Lets a suspended instance go on."""
        held = self.hold_instance(instance_id)
        self._permit(held, SUSPENDED)
        self._record(held, Command("resume", self.now(), actor, opinion=_text(reason)), status=RUNNING)

    # ---- what a completion would bring ----------------------------------------------------------------------

    def foresee(self, instance_id: int, key: str, data: Mapping[str, Any], actor: Actor) -> Foreseen:
        """What would open if the task were finished so, and with whom; writes nothing. Raises `StepFailed`."""
        held = self._read(READ_INSTANCE, instance_id)
        if held is None:
            raise NoSuchInstance
        machine = self._machine(held, self.now(), [])
        before = {t.key for t in machine.open()}
        machine.complete(key, _storable(data), self.now(), dict(actor))
        openings = [self._opening(held, machine, t.key) for t in machine.open() if t.key not in before]
        return Foreseen(tuple((opening, self._assign(opening)) for opening in openings), machine.finished)

    # ---- inside ---------------------------------------------------------------------------------------------

    def _read(self, statement: Select[Any], of: int) -> Held | None:
        row = self.connection.execute(statement, {"of": of}).mappings().one_or_none()
        return None if row is None else self._held(row)

    def _held(self, row: RowMapping) -> Held:
        return Held(
            row["id"],
            row["business_key"],
            row["version_id"],
            row["status"],
            row["revision"],
            row["state"],
            row["head"],
            row["has_incident"],
            row["advanced_at"],
            package_of(self.connection, row["version_id"], row["digest"]),
        )

    def _permit(self, held: Held, *statuses: str) -> None:
        if held.status not in statuses:
            raise InstanceAtRest(held.status)

    def _seen(self, instance_id: int, idempotency_key: str) -> int | None:
        return self.connection.scalar(SEEN, {"of": instance_id, "key": idempotency_key})

    def _repeated(self, held: Held, seq: int) -> Advance:
        """What the command brought when it was carried out."""
        log = (commands.c.instance_id == held.id) & (commands.c.seq == seq)
        keys = list(loads(self.connection.scalar(select(commands.c.facts).where(log)) or "{}").get("opened", ()))
        rows = self.connection.execute(select(tasks).where(tasks.c.instance_id == held.id, tasks.c.key.in_(keys))).all()
        data = held.data
        opened = {row.id: Opening(held.id, held.business_key, row.key, row.element, row.name, {}, data, row.opened_at) for row in rows}
        return Advance(held.id, held.business_key, held.version_id, seq, "complete", self.now(), held.status, data, opened, repeated=True)

    def _open_and_running(self, holding: Holding, actor: Actor) -> Mapping[str, Any]:
        self._permit(holding.instance, RUNNING)
        _must_be_open(holding.task, actor)
        return holding.task

    def _machine(self, held: Held, now: datetime, answers: list[list[Any]]) -> Machine:
        def lookup(key: str, name: str, data: Data) -> Data:
            answer = _storable(self.world.lookup(name, data, now))
            answers.append([key, name, answer])
            return answer

        if held.state is None:
            return Machine(held.package.program, now, lookup)
        return Machine.restore(held.package.program, loads(held.state), held.advanced_at, lookup)

    def _carry_out(self, held: Held, command: Command) -> Advance:
        answers: list[list[Any]] = []
        machine = self._machine(held, command.at, answers)
        before = Standing.of(machine)
        try:
            carry_out(machine, command, lambda seq: self._past(held, seq))
            openings = [self._opening(held, machine, t.key) for t in machine.open() if t.key not in before.open]
            assigned = [(opening, self._assign(opening)) for opening in openings]
        except StepFailed as failed:
            return self._stop(held, command, failed)
        facts = dict(command.facts)
        if answers:
            facts["answers"] = answers
        if assigned:
            facts["opened"] = {opening.key: _fact(assignment) for opening, assignment in assigned}
        logged = Command(**{**command.__dict__, "facts": facts})
        return self._store(held, logged, machine, before, assigned)

    def _past(self, held: Held, seq: int) -> tuple[Data, datetime]:
        return past(programs(self.connection), held.version_id, entries(self.connection, held.id), seq)

    def _opening(self, held: Held, machine: Machine, key: str) -> Opening:
        task = machine.tree.tasks[key]
        node = node_of(task)
        assert node
        return Opening(held.id, held.business_key, key, node.id, node.label, node.settings, machine.visible_to(task), machine.now)

    def _assign(self, opening: Opening) -> Assignment:
        try:
            return self.world.assign(opening)
        except ExpressionError as error:
            raise StepFailed(opening.element, "expression_refused", f"“{opening.name}”的设置：{error}") from error

    def _store(
        self,
        held: Held,
        command: Command,
        machine: Machine,
        before: Standing,
        assigned: list[tuple[Opening, Assignment]],
        **changes: Any,
    ) -> Advance:
        after = Standing.of(machine)
        closed = before.open - after.open
        if closed:
            self._close(held.id, closed, command)
        opened = self._open(assigned)
        self._rearm(held.id, before.due, after.due)
        self._send(held.id, machine, command.at)
        status = (CANCELLED if command.kind == "cancel" else FINISHED) if machine.finished else held.status
        state = None if machine.finished else dumps(machine.state())
        self._record(held, command, status=status, state=state, ended_at=command.at if machine.finished else None, **changes)
        if held.has_incident:
            settled: ColumnElement[bool] = incidents.c.task_key.in_(before.gone(after))
            if command.kind not in MOVES:
                settled |= incidents.c.task_key == command.task_key
            self._resolve(held.id, true() if machine.finished or command.kind == "rewind" else settled)
        advance = Advance(
            held.id,
            held.business_key,
            held.version_id,
            held.revision + 1,
            command.kind,
            command.at,
            status,
            machine.data,
            opened,
            tuple(t.element for t in machine.open()),
            tuple(held.package.diagram.nodes[t.element].settings for t in machine.open()),
            tuple(sorted(closed)),
            tuple(machine.ended_at),
            said=command.data,
        )
        self.world.advanced(advance)
        return advance

    def _record(self, held: Held, command: Command, **changes: Any) -> None:
        head = append(self.connection, held.id, held.revision + 1, held.head, command)
        values = {"revision": held.revision + 1, "head": head, "unsealed": True, "advanced_at": command.at, **changes}
        self.connection.execute(change_instance(tuple(values)), {"of": held.id, **values})

    def _close(self, instance_id: int, keys: set[str], command: Command) -> None:
        done = command.task_key if command.kind == "complete" else None
        self.connection.execute(DROP_CANDIDATES, {"of": instance_id, "keys": list(keys)})
        if done in keys:
            by, post = command.actor.get("person"), _post(command.actor)
            self.connection.execute(FINISH_TASK, {"of": instance_id, "done": done, "at": command.at, "by": by, "post": post})
        if keys - {done}:
            self.connection.execute(CANCEL_TASKS, {"of": instance_id, "keys": list(keys - {done}), "at": command.at})

    def _open(self, assigned: list[tuple[Opening, Assignment]]) -> dict[int, Opening]:
        if not assigned:
            return {}
        opened, task_rows, candidate_rows = {}, [], []
        for opening, assignment in assigned:
            task_id = self.new_id()
            opened[task_id] = opening
            task_rows.append(
                {
                    "id": task_id,
                    "instance_id": opening.instance_id,
                    "key": opening.key,
                    "element": opening.element,
                    "name": opening.name,
                    "opened_at": opening.at,
                    "due_at": assignment.due_at,
                    "notice_at": assignment.notice_at,
                    "notice_stage": 0,
                    "assignment": dumps(_fact(assignment)),
                }
            )
            for principal in dict.fromkeys(assignment.principals):
                candidate_rows.append({"principal": principal, "due_at": assignment.due_at or NO_DUE, "task_id": task_id})
        self.connection.execute(ADD_TASKS, task_rows)
        if candidate_rows:
            self.connection.execute(ADD_CANDIDATES, candidate_rows)
        return opened

    def _hand_to(self, task: Mapping[str, Any], *principals: str) -> None:
        self.connection.execute(delete(task_candidates).where(task_candidates.c.task_id == task["id"]))
        due = task["due_at"] or NO_DUE
        self.connection.execute(ADD_CANDIDATES, [{"principal": p, "due_at": due, "task_id": task["id"]} for p in dict.fromkeys(principals)])

    def _rearm(self, instance_id: int, before: Mapping[str, datetime], after: Mapping[str, datetime]) -> None:
        gone = [key for key, due in before.items() if after.get(key) != due]
        come = [{"instance_id": instance_id, "key": k, "due_at": due} for k, due in after.items() if before.get(k) != due]
        if gone:
            self.connection.execute(delete(timers).where(timers.c.instance_id == instance_id, timers.c.key.in_(gone)))
        if come:
            self.connection.execute(ADD_TIMERS, come)

    def _send(self, instance_id: int, machine: Machine, now: datetime) -> None:
        rows = [self._parcel(instance_id, kind, name or "", data, now) for kind, name, data in machine.sent]
        if rows:
            self.connection.execute(ADD_MESSAGES, rows)

    def _parcel(self, instance_id: int, kind: str, name: str, data: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        body = {"body": dumps(data), "created_at": now, "due_at": now, "attempts": 0}
        return {"id": self.new_id(), "instance_id": instance_id, "kind": kind, "name": name, **body}

    def _stop(self, held: Held, command: Command, failed: StepFailed) -> Advance:
        stopped, data = self._park(held, command, failed), held.data
        return Advance(
            held.id, held.business_key, held.version_id, held.revision + 1, "incident", command.at, held.status, data, stopped=stopped
        )

    def _park(self, held: Held, command: Command, failed: StepFailed) -> Stopped:
        """The command is kept with the reason; the instance stays as it was, whatever that may be."""
        incident_id = self.new_id()
        kept = {
            "kind": command.kind,
            "actor": dict(command.actor),
            "data": dict(command.data),
            "task_key": command.task_key,
            "opinion": command.opinion,
            "idempotency_key": command.idempotency_key,
        }
        self._resolve(held.id, incidents.c.task_key == command.task_key)
        self.connection.execute(
            insert(incidents).values(
                id=incident_id,
                instance_id=held.id,
                element=failed.element,
                rule=failed.rule,
                message=failed.message,
                task_key=command.task_key,
                command=dumps(kept),
                opened_at=command.at,
                attempts=1,
            )
        )
        if command.kind == "timer":
            self.connection.execute(delete(timers).where(timers.c.instance_id == held.id, timers.c.key == command.task_key))
        happened = {"command": command.kind, "element": failed.element, "rule": failed.rule, "message": failed.message}
        self._record(held, Command("incident", command.at, SYSTEM, task_key=command.task_key, facts=happened), has_incident=True)
        return Stopped(incident_id, failed.element, failed.rule, failed.message)

    def _resolve(self, instance_id: int, settled: ColumnElement[bool]) -> None:
        """Marks open incidents as settled."""
        open_now = (incidents.c.instance_id == instance_id) & incidents.c.resolved_at.is_(None)
        self.connection.execute(update(incidents).where(open_now & settled).values(resolved_at=self.now()))
        if self.connection.scalar(select(incidents.c.id).where(open_now).limit(1)) is None:
            self.connection.execute(update(instances).where(instances.c.id == instance_id).values(has_incident=False))


@dataclass(frozen=True)
class Standing:
    """What of an instance has rows of its own: open tasks and running timers."""

    open: set[str]
    due: dict[str, datetime]

    @classmethod
    def of(cls, machine: Machine) -> Standing:
        due: dict[str, datetime] = {}
        for waiting in machine.waiting():
            if waiting.due_at is not None:
                due[waiting.key] = min(waiting.due_at, due.get(waiting.key, waiting.due_at))
        return cls({task.key for task in machine.open()}, due)

    def renamed(self, names: Mapping[str, str]) -> Standing:
        """The same under other keys."""
        return Standing({names.get(key, key) for key in self.open}, {names.get(key, key): due for key, due in self.due.items()})

    def gone(self, after: Standing) -> set[str]:
        """What is no longer there."""
        return (self.open - after.open) | (self.due.keys() - after.due.keys())


def _asking(machine: Machine) -> set[str]:
    """The services whose answers an instance waits for."""
    return {waiting.element for waiting in machine.waiting() if waiting.kind == "service"}


def _inverse(names: Mapping[str, str]) -> dict[str, str]:
    return {new: old for old, new in names.items()}


def _storable(data: Mapping[str, Any]) -> Data:
    """The data exactly as the log will give it back, so that a replay sees what the instance saw."""
    try:
        stored: Data = orjson.loads(orjson.dumps(dict(data)))
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise DataRefused from error
    return stored


def _text(opinion: str | None) -> str | None:
    if opinion is None:
        return None
    try:
        opinion.encode()
    except UnicodeEncodeError as error:
        raise DataRefused from error
    return opinion


def _fact(assignment: Assignment) -> Data:
    dates = {"due_at": assignment.due_at, "notice_at": assignment.notice_at}
    fact: Data = {"principals": list(assignment.principals), "why": assignment.why}
    return fact | {name: at.isoformat() for name, at in dates.items() if at is not None}


def _post(actor: Actor) -> str | None:
    return f"{actor['post']}@{actor['unit']}" if actor.get("post") else None


def _must_be_open(task: Mapping[str, Any], actor: Actor) -> None:
    """Whoever has claimed a task keeps others from it, but not the clock."""
    if task["closed_at"] is not None:
        raise TaskClosed(task["key"], task["closed_by"], task["closed_at"], task["outcome"])
    if actor != SYSTEM and task["claimed_by"] not in (None, actor.get("person")):
        raise ClaimedByOther(task["key"], task["claimed_by"])
