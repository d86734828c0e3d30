"""异常: a command that cannot be carried out is kept with the reason; its instance stays as it was until somebody mends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, update

from engine.errors import StepFailed
from engine.holding import Held, Holding
from engine.log import Command, dumps, storable
from engine.rows import Rows
from engine.schema import incidents, instances, timers
from engine.world import SYSTEM, Advance, Stopped


class Incidents(Rows):
    """Writes what failed, and marks it as settled."""

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
        command = Command("complete", self.now(), SYSTEM, storable(data), holding.task["key"], opinion)
        self._park(holding.instance, command, failed)

    def is_stopped(self, holding: Holding) -> bool:
        """Whether an incident keeps what somebody has done with the task."""
        stopped = (incidents.c.task_key == holding.task["key"]) & incidents.c.resolved_at.is_(None)
        found = select(incidents.c.id).where(incidents.c.instance_id == holding.instance.id, stopped)
        return self.connection.scalar(found.limit(1)) is not None

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
