"""附件: only what its content shows to be a document or a picture, whatever its name says; kept by the digest of its content.

Reading a file costs time and touches no database: entrances do it before their transaction begins.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import NamedTuple

from sqlalchemy import func, select

from governance.cases.photos import keep_file, read_picture, sweep
from governance.context import Actor, Context
from governance.errors import NotFound, Refused
from governance.meetings.commands import require
from governance.meetings.models import Meeting, MeetingFile
from governance.meetings.queries import held_by
from governance.meetings.rules import Status

MAX_BYTES, PER_MEETING, MAX_PARTS, NAME = 10_000_000, 20, 5_000, 120
PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF")


class Format(NamedTuple):
    """A kind of file: how browsers call it, and the part by which its archive is known."""

    mime: str
    part: str = ""


FORMATS = {
    "pdf": Format("application/pdf"),
    "docx": Format("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "word/document.xml"),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xl/workbook.xml"),
    "jpg": Format("image/jpeg"),
}


@dataclass(frozen=True)
class Attachment:
    """A file fit to be kept."""

    name: str
    kind: str
    content: bytes


def read_attachment(name: str, content: bytes) -> Attachment:
    """What somebody sent, as an attachment; pictures are re-encoded. Raises `Refused`."""
    if len(content) > MAX_BYTES:
        raise Refused({"file": f"附件超过 {MAX_BYTES // 1_000_000} MB"})
    if content.startswith(PICTURES):
        try:
            return Attachment(_named(name, "jpg"), "jpg", read_picture(content).content)
        except Refused as refused:
            raise Refused({"file": str(refused)}) from refused
    kind = "pdf" if content.startswith(b"%PDF-") else _office(content)
    if kind is None:
        raise Refused({"file": "只能上传 PDF、Word（docx）、Excel（xlsx）文件或图片"})
    return Attachment(_named(name, kind), kind, content)


def _office(content: bytes) -> str | None:
    """Which office document an archive is, by its list of contents; those with macros are none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return None
    if len(parts) > MAX_PARTS or any("vbaproject" in part.lower() for part in parts) or "[Content_Types].xml" not in parts:
        return None
    return next((kind for kind, known in FORMATS.items() if known.part and known.part in parts), None)


def _named(name: str, kind: str) -> str:
    """The name without its folders, ending as its content demands."""
    stem = PurePath(name.replace("\\", "/")).stem
    clean = "".join(c for c in stem if c.isprintable() and c not in '<>:"/|?*').strip(" .")
    return f"{clean[: NAME - 5] or 'file'}.{kind}"


def attach(context: Context, actor: Actor, meeting_id: int, sent: Attachment) -> MeetingFile:
    """Adds an attachment; raises `NotNow`, `NoSpace`, `Refused`."""
    held = held_by(context.session, meeting_id, actor)
    require(held, Status.DRAFT, Status.NOTICED, Status.OPEN, Status.CLOSED)
    count = context.session.scalar(select(func.count(MeetingFile.id)).where(MeetingFile.meeting_id == held.id)) or 0
    if count >= PER_MEETING:
        raise Refused({"file": f"附件最多 {PER_MEETING} 个"})
    return keep(context, actor, held, sent)


def keep(context: Context, actor: Actor, held: Meeting, sent: Attachment) -> MeetingFile:
    """Puts a file to those of a meeting; raises `NoSpace`."""
    digest = hashlib.sha256(sent.content).hexdigest()
    path = file_path(context.folder, digest)
    if not path.exists():
        keep_file(path, sent.content, path.with_suffix(f".{context.new_id()}"))
    kept = MeetingFile(
        id=context.new_id(),
        meeting_id=held.id,
        name=sent.name,
        kind=sent.kind,
        digest=digest,
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
    """Removes attachments that no meeting keeps; once a day. Says how many."""
    return sweep(context, "files", MeetingFile.digest)


def file_path(folder: Path, digest: str) -> Path:
    """Where a file lies."""
    return folder / "files" / digest[:2] / digest
