"""An instance under lock: commands of one instance follow each other; instances do not wait for each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select

from engine.errors import ClaimedByOther, InstanceAtRest, NoSuchInstance, NoSuchTask, StaleRevision, TaskClosed
from engine.log import loads
from engine.packages import Package
from engine.statements import HOLD_INSTANCE, HOLD_TASK, TASK
from engine.versions import package_of
from engine.world import RUNNING, SYSTEM, Actor, World


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


@dataclass(frozen=True)
class Locks:
    """Gives out instances under lock, within one transaction."""

    connection: Connection
    world: World
    now: Callable[[], datetime]
    new_id: Callable[[], int]

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

    def open_and_running(self, holding: Holding, actor: Actor = SYSTEM) -> Mapping[str, Any]:
        """The task as it is still to be done; raises `InstanceAtRest`, `TaskClosed`, and `ClaimedByOther` for whoever wants to do it."""
        self._permit(holding.instance, RUNNING)
        must_be_open(holding.task, actor)
        return holding.task


def must_be_open(task: Mapping[str, Any], actor: Actor) -> None:
    """Whoever has claimed a task keeps others from it, but not the clock."""
    if task["closed_at"] is not None:
        raise TaskClosed(task["key"], task["closed_by"], task["closed_at"], task["outcome"])
    if actor != SYSTEM and task["claimed_by"] not in (None, actor.get("person")):
        raise ClaimedByOther(task["key"], task["claimed_by"])
