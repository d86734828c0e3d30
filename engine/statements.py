"""The statements of a completion, built once: building one again costs more than the database's part of it."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Update, bindparam, delete, insert, select, update

from engine.schema import commands, instances, outbox, process_versions, task_candidates, tasks, timers

ID = bindparam("of", type_=instances.c.id.type)
_INSTANCE = select(instances, process_versions.c.digest).join(process_versions, process_versions.c.id == instances.c.version_id)
TASK = {column.name: f"task_{column.name}" for column in tasks.c}
"""How the columns of a task are called beside those of its instance."""

READ_INSTANCE = _INSTANCE.where(instances.c.id == ID)
HOLD_INSTANCE = READ_INSTANCE.with_for_update(of=instances)
HOLD_TASK = (
    _INSTANCE.add_columns(*(column.label(TASK[column.name]) for column in tasks.c))
    .join(tasks, tasks.c.instance_id == instances.c.id)
    .where(tasks.c.id == ID)
    .with_for_update(of=[instances, tasks])
)
"""Locks the instance first: whoever holds it may change its tasks. The task is locked too, so that its row is the newest."""

SEEN = select(commands.c.seq).where(commands.c.instance_id == ID, commands.c.idempotency_key == bindparam("key"))

_OF_INSTANCE = tasks.c.instance_id == ID
_AMONG = tasks.c.key.in_(bindparam("keys", expanding=True))
DROP_CANDIDATES = delete(task_candidates).where(task_candidates.c.task_id.in_(select(tasks.c.id).where(_OF_INSTANCE, _AMONG)))
FINISH_TASK = (
    update(tasks)
    .where(_OF_INSTANCE, tasks.c.key == bindparam("done"))
    .values(closed_at=bindparam("at"), outcome="completed", notice_at=None, closed_by=bindparam("by"), closed_post=bindparam("post"))
)
CANCEL_TASKS = update(tasks).where(_OF_INSTANCE, _AMONG).values(closed_at=bindparam("at"), outcome="cancelled", notice_at=None)
ADD_TASKS, ADD_CANDIDATES, ADD_TIMERS, ADD_MESSAGES, ADD_COMMAND = map(insert, (tasks, task_candidates, timers, outbox, commands))


@cache
def change_instance(names: tuple[str, ...]) -> Update:
    """Sets these columns of an instance."""
    return update(instances).where(instances.c.id == ID).values({name: bindparam(name) for name in names})
