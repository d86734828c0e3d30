"""What is done with the files of forms: taken in while a form is filled in, kept once the record names them, else forgotten."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, select, update

from governance.context import Context
from governance.errors import NotFound, Refused
from governance.files.models import FormFile
from governance.files.rules import FITTING, Attachment, file_path
from governance.forms.rules import fields
from governance.shelf import put_file

PER_FORM = 60
"""How many files one task may bring, or one person for their next start of a process: changing one's mind costs disk space."""
WAITING = timedelta(days=15)
"""How long an upload waits to be handed in: a day longer than browsers keep a draft."""


def add_file(
    context: Context,
    form: Mapping[str, Any],
    sent: Attachment,
    *,
    by: int | None,
    instance_id: int | None = None,
    task_key: str | None = None,
) -> FormFile:
    """Takes in a file for the form of a task, or of a start; at a task, the same file again is the one there is.

    Raises `Refused`.
    """
    if not any(sent.kind in FITTING.get(field.widget, ()) for field in fields(form)):
        raise Refused({"file": "这张表单不收这种文件"})
    same_form = (FormFile.instance_id == instance_id, FormFile.task_key == task_key, FormFile.added_by == by)
    brought = context.session.scalars(select(FormFile).where(*same_form)).all()
    if instance_id and (known := next((file for file in brought if (file.digest, file.name) == (sent.digest, sent.name)), None)):
        put_file(context, file_path(context.folder, sent.digest), sent.content)
        known.added_at = context.now()
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
        waiting[value].instance_id, waiting[value].named_at = instance_id, context.now()
    context.session.flush()
    left = (FormFile.instance_id.is_(None), FormFile.added_by == person_id, FormFile.task_key == start)
    context.session.execute(delete(FormFile).where(*left))


def keep_named(context: Context, instance_id: int, values: Collection[str]) -> None:
    """Notes that the instance's record names these files from now on."""
    if not values:
        return
    named = (FormFile.instance_id == instance_id, FormFile.digest.in_({value.partition("/")[0] for value in values}))
    context.session.execute(update(FormFile).where(*named, FormFile.named_at.is_(None)).values(named_at=context.now()))


def unnamed(now: datetime) -> Select[Any]:
    """The uploads that were never handed in."""
    return select(FormFile.id).where(*_unnamed(now))


def drop_unnamed(context: Context) -> int:
    """Forgets the uploads that were never handed in; says how many. Whoever names one at this moment keeps it."""
    gone = context.session.execute(delete(FormFile).where(*_unnamed(context.now())))
    return gone.rowcount  # type: ignore[attr-defined, no-any-return]


def _unnamed(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (FormFile.named_at.is_(None), FormFile.added_at < now - WAITING)
