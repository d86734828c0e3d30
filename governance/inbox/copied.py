"""抄送我: what was copied to somebody, to be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import aliased

from engine.schema import tasks
from governance.context import Actor, Context
from governance.copies.models import Copy
from governance.inbox.queries import LINE, PAGE, Line, comes_before, named, page_of, position_after, read_position, with_subject
from governance.people.models import Person
from governance.starting.models import Started


@dataclass(frozen=True)
class CopiedLine:
    """One row: the task at which it was copied, by whom, and when it was read; `started_id` is what somebody has started."""

    line: Line
    instance_id: int
    started_id: int | None
    sender: str
    at: datetime
    read_at: datetime | None


def copied(
    context: Context, actor: Actor, *, q: str = "", after: str | None = None, limit: int = PAGE
) -> tuple[Sequence[CopiedLine], str | None]:
    """What was copied to the actor, the latest first, and where the next page begins."""
    sender = aliased(Person)
    own = (Copy.instance_id, Started.id.label("started_id"), sender.name.label("sender"), Copy.at, Copy.read_at)
    query = (
        with_subject(select(*LINE, *own))
        .join(Copy, Copy.task_id == tasks.c.id)
        .join(sender, sender.id == Copy.sender_id)
        .outerjoin(Started, Started.instance_id == tasks.c.instance_id)
        .where(Copy.person_id == actor.person_id, comes_before(Copy.at, Copy.task_id, read_position(after)))
        .order_by(Copy.at.desc(), Copy.task_id.desc())
        .limit(limit + 1)
    )
    rows = context.session.execute(query.where(named(q)) if q else query).all()
    last = rows[limit - 1] if len(rows) > limit else None
    page = page_of(context, rows[:limit], position_after(last.at, last.id) if last else None)
    own_parts = [(row.instance_id, row.started_id, row.sender, row.at, row.read_at) for row in rows]
    return [CopiedLine(line, *part) for line, part in zip(page.lines, own_parts, strict=False)], page.after
