"""What is done with the files of forms: taken in while a form is filled in, given to the instance that it starts, swept."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, select

from governance.context import Context
from governance.errors import NotFound, Refused
from governance.files.models import FormFile
from governance.files.rules import Attachment, file_path
from governance.shelf import put_file

PER_FORM = 60
"""How many files one task may bring, or one person for their next start of a process: changing one's mind costs disk space."""
WAITING = timedelta(days=15)
"""How long an upload waits for its start: a day longer than browsers keep a draft."""


def add_file(
    context: Context, sent: Attachment, *, by: int | None, instance_id: int | None = None, task_key: str | None = None
) -> FormFile:
    """Takes in a file for the form of a task, or of a start; at a task, the same file again is the one there is.

    Raises `Refused`.
    """
    same_form = (FormFile.instance_id == instance_id, FormFile.task_key == task_key, FormFile.added_by == by)
    brought = context.session.scalars(select(FormFile).where(*same_form)).all()
    if instance_id and (known := next((file for file in brought if (file.digest, file.name) == (sent.digest, sent.name)), None)):
        return known
    if len(brought) >= PER_FORM:
        raise Refused({"file": f"一张表单最多上传 {PER_FORM} 次，请先提交，或者稍后再传"})
    put_file(context, file_path(context.folder, sent.digest), sent.content)
    kept = FormFile(
        id=context.new_id(),
        instance_id=instance_id,
        task_key=task_key,
        name=sent.name,
        kind=sent.kind,
        digest=sent.digest,
        size=len(sent.content),
        added_by=by,
        added_at=context.now(),
    )
    context.session.add(kept)
    context.session.flush()
    return kept


def take_over(context: Context, person_id: int, instance_id: int, values: Collection[str], start: str) -> None:
    """Gives what somebody has uploaded for a start to the instance that it has become, and forgets what else they brought for it.

    Raises `NotFound` for what another start took.
    """
    digests = {value.partition("/")[0] for value in values}
    mine = select(FormFile).where(FormFile.instance_id.is_(None), FormFile.added_by == person_id, FormFile.digest.in_(digests))
    waiting = {file.value: file for file in context.session.scalars(mine.order_by(FormFile.id.desc()).with_for_update())}
    for value in values:
        if value not in waiting:
            raise NotFound
        waiting[value].instance_id = instance_id
    context.session.flush()
    left = (FormFile.instance_id.is_(None), FormFile.added_by == person_id, FormFile.task_key == start)
    context.session.execute(delete(FormFile).where(*left))


def waited(now: datetime) -> Select[Any]:
    """The uploads that no start has come for."""
    return select(FormFile.id).where(FormFile.instance_id.is_(None), FormFile.added_at < now - WAITING)


def drop_waiting(context: Context) -> int:
    """Forgets the uploads that no start has come for; says how many."""
    gone = context.session.execute(delete(FormFile).where(FormFile.id.in_(waited(context.now()))))
    return gone.rowcount  # type: ignore[attr-defined, no-any-return]
