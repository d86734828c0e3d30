"""Who has an open task, and until when: claimed, given back, handed on, taken upwards, rescheduled. No token moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, literal, select, update

from engine.execution import Execution
from engine.holding import Held, Holding
from engine.log import Command, dumps, legible, loads, storable
from engine.schema import Instant, task_candidates, task_formers, tasks
from engine.world import SYSTEM, Actor, Assignment, Opening


@dataclass(frozen=True)
class Rescheduled:
    """A task's new due date, and when somebody is to be reminded of it next."""

    key: str
    due_at: datetime
    notice_at: datetime | None


class Assigning(Execution):
    """Changes whose a task is."""

    def claim(self, holding: Holding, actor: Actor) -> None:
        """Takes a task: from now on only this person may finish it; raises `ClaimedByOther`, `TaskClosed`."""
        task = self.open_and_running(holding, actor)
        if task["claimed_by"] != actor["person"]:
            self._hand_to(task, f"person:{actor['person']}")
            self.connection.execute(update(tasks).where(tasks.c.id == task["id"]).values(claimed_by=actor["person"], claimed_at=self.now()))
            self._record(holding.instance, Command("claim", self.now(), actor, task_key=task["key"]))

    def release(self, holding: Holding, actor: Actor) -> None:
        """Gives a claimed task back to everyone who may do it."""
        task = self.open_and_running(holding, actor)
        self._hand_to(task, *loads(task["assignment"])["principals"])
        self.connection.execute(update(tasks).where(tasks.c.id == task["id"]).values(claimed_by=None, claimed_at=None))
        self._record(holding.instance, Command("release", self.now(), actor, task_key=task["key"]))

    def transfer(self, holding: Holding, actor: Actor, principal: str, reason: str) -> None:
        """转办: hands a task to somebody else, who finishes it."""
        task = self.open_and_running(holding, actor)
        self._give_to(task, principal, {})
        self._record(holding.instance, Command("transfer", self.now(), actor, {"to": principal}, task["key"], legible(reason)))

    def reassign(self, holding: Holding, actor: Actor, principal: str, why: Mapping[str, Any], reason: str) -> None:
        """改派: gives a task that nobody does to somebody else, whoever has claimed it; `why` goes with those it was addressed to."""
        task = self.open_and_running(holding, SYSTEM)
        self._give_to(task, principal, why)
        self._record(holding.instance, Command("reassign", self.now(), actor, {"to": principal}, task["key"], legible(reason)))

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
        task, now = self.open_and_running(holding, SYSTEM), self.now()
        listed = select(task_candidates.c.principal, literal(now, Instant), task_candidates.c.task_id)
        formers = listed.where(task_candidates.c.task_id == task["id"])
        self.connection.execute(insert(task_formers).from_select(["principal", "at", "task_id"], formers))
        anew = {
            "claimed_by": None,
            "claimed_at": None,
            "due_at": assignment.due_at,
            "notice_at": assignment.notice_at,
            "notice_stage": 0,
            "assignment": dumps(assignment.as_fact()),
        }
        self.connection.execute(update(tasks).where(tasks.c.id == task["id"]).values(anew))
        self._hand_to({**task, "due_at": assignment.due_at}, *assignment.principals)
        self._record(holding.instance, Command("escalate", now, SYSTEM, assignment.as_fact(), task["key"], reason))

    def reschedule(self, held: Held, moved: Mapping[int, Rescheduled], data: Mapping[str, Any]) -> None:
        """Gives open tasks other due dates; the log says which and why."""
        for task_id, new in moved.items():
            dates = {"due_at": new.due_at, "notice_at": new.notice_at}
            self.connection.execute(update(tasks).where(tasks.c.id == task_id).values(dates))
            listed = task_candidates.c.task_id == task_id
            self.connection.execute(update(task_candidates).where(listed).values(due_at=new.due_at))
        due = {new.key: new.due_at.isoformat() for new in moved.values()}
        self._record(held, Command("reschedule", self.now(), SYSTEM, {**storable(data), "due": due}))
