"""The rows of an instance that changes its version: what goes on keeps its row under its new name, and can have its old name back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, select, update

from engine.log import Data, dumps, loads
from engine.packages import Package
from engine.schema import incidents, instances, outbox, tasks, timers

Names = Mapping[str, str]


@dataclass(frozen=True)
class Relocation:
    """The rows of one instance."""

    connection: Connection
    instance_id: int

    def leave(self, open_now: Collection[str], gone: Collection[str], kept: Names, renamed: Names) -> Data:
        """What must be known to have it all back: which tasks close, which incidents are over or are called otherwise."""
        closing = (tasks.c.instance_id == self.instance_id) & tasks.c.key.in_([key for key in open_now if key not in kept])
        names = {**renamed, **kept}
        stopped = [(row.id, row.task_key, names.get(row.task_key, row.task_key)) for row in self._stopped()]
        facts: Data = {
            "kept": dict(kept),
            "closed": {
                row.key: row.notice_at and row.notice_at.isoformat()
                for row in self.connection.execute(select(tasks.c.key, tasks.c.notice_at).where(closing))
            },
            "settled": [id for id, _, new in stopped if new in gone],
            "stopped_at": {str(id): old for id, old, new in stopped if new != old},
        }
        return {name: fact for name, fact in facts.items() if fact}

    def rename(self, kept: Names, renamed: Names, package: Package) -> None:
        """Gives what goes on its new name, in rows of every kind."""
        for old, new in kept.items():
            element = new.rstrip("0123456789")[:-1]
            self._change(tasks, tasks.c.key == old, key=new, element=element, name=package.diagram.nodes[element].label)
            if old != new:
                self._change(timers, timers.c.key == old, key=new)
        names = {**renamed, **kept}
        for row in self._stopped():
            self._call(row.id, row.command, names.get(row.task_key, row.task_key))
        for old, new in renamed.items():
            self._change(outbox, _ASKED & (outbox.c.name == old), name=new)

    def withdraw(self, waiting: Collection[str], now: datetime) -> None:
        """Services whose answer nobody waits for any more are not asked."""
        self._change(outbox, _ASKED & outbox.c.name.not_in(waiting), done_at=now)

    def reopen(self, closed: Mapping[str, str | None]) -> list[dict[str, Any]]:
        """Opens tasks that were closed, with their reminders; they still have to be addressed."""
        anew = dict.fromkeys(("closed_at", "closed_by", "closed_post", "outcome"))
        for key, notice in closed.items():
            self._change(tasks, tasks.c.key == key, **anew, notice_at=notice and datetime.fromisoformat(notice))
        mine = (tasks.c.instance_id == self.instance_id) & tasks.c.key.in_(list(closed))
        return [dict(row) for row in self.connection.execute(select(tasks).where(mine)).mappings()]

    def reopen_incidents(self, settled: Collection[int], stopped_at: Names) -> None:
        """Brings back the incidents that the move had settled, and their names; a timer that failed waits for its retry."""
        if settled:
            self._change(incidents, incidents.c.id.in_(settled), resolved_at=None)
            self.connection.execute(update(instances).where(instances.c.id == self.instance_id).values(has_incident=True))
        stopped = self._stopped()
        for row in stopped:
            self._call(row.id, row.command, stopped_at.get(str(row.id), row.task_key))
        keys = [row.task_key for row in stopped if row.task_key]
        self.connection.execute(delete(timers).where(timers.c.instance_id == self.instance_id, timers.c.key.in_(keys)))

    def _stopped(self) -> list[Row[Any]]:
        open_now = (incidents.c.instance_id == self.instance_id) & incidents.c.resolved_at.is_(None)
        query = select(incidents.c.id, incidents.c.task_key, incidents.c.command).where(open_now).order_by(incidents.c.id)
        return list(self.connection.execute(query))

    def _call(self, incident_id: int, command: str, key: str | None) -> None:
        """An incident, and the command it kept, are about what is called `key` now."""
        kept = dumps(loads(command) | {"task_key": key})
        self._change(incidents, incidents.c.id == incident_id, task_key=key, command=kept)

    def _change(self, table: Table, which: ColumnElement[bool], **values: Any) -> None:
        self.connection.execute(update(table).where(table.c.instance_id == self.instance_id, which).values(values))


_ASKED = (outbox.c.kind == "service") & outbox.c.done_at.is_(None)
