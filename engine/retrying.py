"""重试: what had failed is carried out again, as it was asked for or mended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from engine.errors import NoIncident, TaskClosed
from engine.execution import Execution
from engine.holding import Held, must_be_open
from engine.log import Command, dumps, legible, loads, storable
from engine.replay import retried
from engine.schema import incidents, outbox, tasks
from engine.world import RUNNING, Actor, Advance


class Retrying(Execution):
    """Takes up incidents."""

    def retry(self, incident_id: int, actor: Actor, correction: Mapping[str, Any] | None = None, *, reason: str | None = None) -> Advance:
        """Carries out the command that failed; what is mended wins over what it said. Raises `NoIncident`."""
        row = self.connection.execute(select(incidents).where(incidents.c.id == incident_id)).mappings().one_or_none()
        if row is None or row["resolved_at"] is not None:
            raise NoIncident
        held = self.hold_instance(row["instance_id"])
        self._permit(held, RUNNING)
        mended = storable(correction or {})
        facts = {"retried_by": dict(actor), **({"corrected": sorted(mended)} if mended else {})}
        failed = Command(at=self.now(), facts=facts, **loads(row["command"]))
        *before, again = retried(failed, mended, actor, self.now(), legible(reason))
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
            must_be_open(task, command.actor)
        except TaskClosed:
            self._resolve(held.id, incidents.c.task_key == command.task_key)
            raise
