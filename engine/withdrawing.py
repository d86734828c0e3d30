"""取回: who has just finished a task takes it back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from engine.errors import NothingToWithdraw
from engine.execution import Execution
from engine.holding import Holding
from engine.log import Command, last_entry, legible
from engine.relocation import Relocation
from engine.replay import carry_out
from engine.rows import Standing
from engine.schema import incidents, outbox
from engine.world import RUNNING, Actor, Advance


class Withdrawing(Execution):
    """Undoes the last completion of an instance."""

    def withdraw(self, holding: Holding, actor: Actor, reason: str, notice_at: datetime | None) -> Advance:
        """取回: undoes a completion that nothing has followed and of which nobody outside was told; its task is open again as it was.

        `notice_at` is when its next reminder is due. Raises `NothingToWithdraw`, `InstanceAtRest`.
        """
        held, key = holding.instance, holding.task["key"]
        self._permit(held, RUNNING)
        if not self.is_withdrawable(held.id, key, actor):
            raise NothingToWithdraw
        command = Command("withdraw", self.now(), actor, {"to": held.revision - 1}, key, legible(reason))
        machine = self._machine(held, command.at, [])
        before = Standing.of(machine)
        carry_out(machine, command, lambda seq: self._past(held, seq))
        if Standing.of(machine).open - before.open != {key}:
            raise NothingToWithdraw
        for task in Relocation(self.connection, held.id).reopen({key: notice_at.isoformat() if notice_at else None}):
            self._hand_back(task)
        return self._store(held, command, machine, before, [])

    def is_withdrawable(self, instance_id: int, key: str, actor: Actor) -> bool:
        """Whether the last that happened to an instance is that this person finished this task, and it settled no incident and told
        nobody outside; that it ended no other task is seen when it is taken back."""
        last = last_entry(self.connection, instance_id)
        if last.kind != "complete" or last.task_key != key or last.actor.get("person") != actor["person"]:
            return False
        followed = (
            select(outbox.c.id).where(outbox.c.instance_id == instance_id, outbox.c.created_at >= last.at),
            select(incidents.c.id).where(incidents.c.instance_id == instance_id, incidents.c.resolved_at >= last.at),
        )
        return all(self.connection.scalar(query.limit(1)) is None for query in followed)
