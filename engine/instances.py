"""Durable instances: every command is logged, carried out and stored in the caller's transaction, or not at all.

What moves an instance on or lets it rest is here. Beside it: `retrying.py` (what had failed), `withdrawing.py` (what was just done),
`changing_version.py` (another version of its process), `assigning.py` (whose its open tasks are). Beneath, one on top of the other:
`execution.py` (one command), `incidents.py` (what fails), `rows.py` (what is written), `holding.py` (the lock).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from engine.assigning import Assigning
from engine.changing_version import ChangingVersion
from engine.errors import NoSuchCommand, NoSuchInstance, TakenBack
from engine.holding import Held, Holding, must_be_open
from engine.log import ORIGIN, Command, legible, loads, storable
from engine.replay import MOVING
from engine.retrying import Retrying
from engine.schema import commands, instances, tasks, timers
from engine.statements import ADD_MESSAGES, READ_INSTANCE, SEEN
from engine.versions import Version, package_of
from engine.withdrawing import Withdrawing
from engine.world import RUNNING, SUSPENDED, SYSTEM, Actor, Advance, Assignment, Opening


@dataclass(frozen=True)
class Foreseen:
    """What a completion would bring: the tasks that would open with those who would do them, or the end."""

    next: tuple[tuple[Opening, Assignment], ...]
    finished: bool


class Instances(Retrying, Withdrawing, ChangingVersion, Assigning):
    """The instances of a database, within one transaction."""

    # ---- what moves an instance -----------------------------------------------------------------------------

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
        return self._carry_out(held, Command("start", now, actor, storable(data), event))

    def complete(
        self, holding: Holding, data: Mapping[str, Any], actor: Actor, *, opinion: str | None = None, idempotency_key: str | None = None
    ) -> Advance:
        """Finishes an open task; raises `TaskClosed`, `ClaimedByOther`, `InstanceAtRest`, `TakenBack`."""
        held, key = holding.instance, holding.task["key"]
        if idempotency_key and (seq := self._seen(held.id, idempotency_key)):
            if holding.task["closed_at"] is None:
                raise TakenBack
            return self._repeated(held, seq)
        self._permit(held, RUNNING)
        must_be_open(holding.task, actor)
        command = Command("complete", self.now(), actor, storable(data), key, legible(opinion), idempotency_key=idempotency_key)
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
        return self._carry_out(held, Command("message", self.now(), actor, storable(data), name, legible(opinion)))

    def signal(self, instance_id: int, name: str, data: Mapping[str, Any], actor: Actor) -> Advance:
        """Delivers a signal to one instance; raises `NothingWaits`."""
        held = self.hold_instance(instance_id)
        self._permit(held, RUNNING)
        return self._carry_out(held, Command("signal", self.now(), actor, storable(data), name))

    def service_result(self, instance_id: int, key: str, data: Mapping[str, Any]) -> Advance:
        """Hands in what a service answered; raises `NothingWaits`."""
        held = self.hold_instance(instance_id)
        self._permit(held, RUNNING)
        return self._carry_out(held, Command("service_result", self.now(), SYSTEM, storable(data), key))

    def rewind(self, instance_id: int, to: int, actor: Actor, reason: str, *, revision: int | None = None) -> Advance:
        """Takes the instance back to where it was after command `to`; raises `NoSuchCommand`, `StaleRevision`."""
        held = self.hold_instance(instance_id, revision)
        self._permit(held, RUNNING, SUSPENDED)
        if not 1 <= to < held.revision:
            raise NoSuchCommand
        return self._carry_out(held, Command("rewind", self.now(), actor, {"to": to}, opinion=legible(reason)))

    def cancel(self, instance_id: int, actor: Actor, reason: str, *, revision: int | None = None) -> Advance:
        """Ends the instance for good; nothing is deleted."""
        held = self.hold_instance(instance_id, revision)
        self._permit(held, RUNNING, SUSPENDED)
        return self._carry_out(held, Command("cancel", self.now(), actor, opinion=legible(reason)))

    def foresee(self, instance_id: int, key: str, data: Mapping[str, Any], actor: Actor) -> Foreseen:
        """What would open if the task were finished so, and with whom; writes nothing. Raises `StepFailed`."""
        held = self._read(READ_INSTANCE, instance_id)
        if held is None:
            raise NoSuchInstance
        machine = self._machine(held, self.now(), [])
        before = {t.key for t in machine.open()}
        machine.complete(key, storable(data), self.now(), dict(actor))
        openings = [self._opening(held, machine, t.key) for t in machine.open() if t.key not in before]
        return Foreseen(tuple((opening, self._assign(opening)) for opening in openings), machine.finished)

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

    # ---- what moves nothing ---------------------------------------------------------------------------------

    def suspend(self, instance_id: int, actor: Actor, reason: str) -> None:
        """Puts the instance to rest: no task, message or timer moves it until it is resumed."""
        held = self.hold_instance(instance_id)
        self._permit(held, RUNNING)
        self._record(held, Command("suspend", self.now(), actor, opinion=legible(reason)), status=SUSPENDED)

    def resume(self, instance_id: int, actor: Actor, reason: str) -> None:
        """Lets a suspended instance go on."""
        held = self.hold_instance(instance_id)
        self._permit(held, SUSPENDED)
        self._record(held, Command("resume", self.now(), actor, opinion=legible(reason)), status=RUNNING)

    def note(
        self,
        instance_id: int,
        kind: str,
        actor: Actor,
        *,
        task_key: str | None = None,
        data: Mapping[str, Any] | None = None,
        opinion: str | None = None,
    ) -> int:
        """Records something that moves nothing: an urging, a reminder, a look at masked data. Gives the number of its entry."""
        if kind in MOVING:
            raise ValueError(kind)
        held = self.hold_instance(instance_id)
        self._record(held, Command(kind, self.now(), actor, storable(data or {}), task_key, legible(opinion)))
        return held.revision + 1

    def promise(self, instance_id: int, name: str, data: Mapping[str, Any]) -> None:
        """Sends a message in an instance's name after the commit, as its diagram might."""
        self.connection.execute(ADD_MESSAGES, [self._parcel(instance_id, "message", name, data, self.now())])
