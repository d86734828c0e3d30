"""The rows that follow an instance: its log and state, open tasks and their candidates, timers, and what waits in the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete

from engine.holding import Held, Locks
from engine.log import Command, append, dumps, loads
from engine.machine import Machine
from engine.schema import NO_DUE, task_candidates, timers
from engine.statements import (
    ADD_CANDIDATES,
    ADD_MESSAGES,
    ADD_TASKS,
    ADD_TIMERS,
    CANCEL_TASKS,
    DROP_CANDIDATES,
    FINISH_TASK,
    change_instance,
)
from engine.world import Actor, Assignment, Opening


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


class Rows(Locks):
    """Writes the rows of an instance."""

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
                    "assignment": dumps(assignment.as_fact()),
                }
            )
            for principal in dict.fromkeys(assignment.principals):
                candidate_rows.append({"principal": principal, "due_at": assignment.due_at or NO_DUE, "task_id": task_id})
        self.connection.execute(ADD_TASKS, task_rows)
        if candidate_rows:
            self.connection.execute(ADD_CANDIDATES, candidate_rows)
        return opened

    def _hand_back(self, task: Mapping[str, Any]) -> None:
        """Lists a task with whom it was: who had claimed it, else everybody who may do it."""
        self._hand_to(task, *([f"person:{task['claimed_by']}"] if task["claimed_by"] else loads(task["assignment"])["principals"]))

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


def _post(actor: Actor) -> str | None:
    return f"{actor['post']}@{actor['unit']}" if actor.get("post") else None
