"""附件 of meetings: on the shelf of all files, by the digest of their content."""

from __future__ import annotations

from sqlalchemy import func, select

from governance.context import Actor, Context
from governance.errors import NotFound, Refused
from governance.files.models import FormFile
from governance.files.rules import Attachment, file_path
from governance.meetings.commands import require
from governance.meetings.models import Meeting, MeetingFile
from governance.meetings.queries import held_by
from governance.meetings.rules import Status
from governance.shelf import put_file, sweep

PER_MEETING = 20


def attach(context: Context, actor: Actor, meeting_id: int, sent: Attachment) -> MeetingFile:
    """Adds an attachment; raises `NotNow`, `Refused`."""
    held = held_by(context.session, meeting_id, actor)
    require(held, Status.DRAFT, Status.NOTICED, Status.OPEN, Status.CLOSED)
    count = context.session.scalar(select(func.count(MeetingFile.id)).where(MeetingFile.meeting_id == held.id)) or 0
    if count >= PER_MEETING:
        raise Refused({"file": f"附件最多 {PER_MEETING} 个"})
    return keep(context, actor, held, sent)


def keep(context: Context, actor: Actor, held: Meeting, sent: Attachment) -> MeetingFile:
    """Puts a file to those of a meeting."""
    put_file(context, file_path(context.folder, sent.digest), sent.content)
    kept = MeetingFile(
        id=context.new_id(),
        meeting_id=held.id,
        name=sent.name,
        kind=sent.kind,
        digest=sent.digest,
        size=len(sent.content),
        added_by=actor.person_id,
        added_at=context.now(),
    )
    context.session.add(kept)
    context.session.flush()
    return kept


def file_of(context: Context, held: Meeting, file_id: int) -> MeetingFile:
    """One of a meeting's files; raises `NotFound`."""
    found = context.session.get(MeetingFile, file_id)
    if found is None or found.meeting_id != held.id:
        raise NotFound
    return found


def sweep_files(context: Context) -> int:
    """Removes files that neither a meeting nor a form keeps; once a day. Says how many."""
    return sweep(context, "files", MeetingFile.digest, FormFile.digest)
