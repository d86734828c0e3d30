"""What a file may be, whatever its name says, and how a form names it: by the digest of its content and its name.

Reading a file costs time and touches no database: entrances do it before their transaction begins.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import NamedTuple

from PIL import Image, ImageOps

from governance.cases.photos import read_picture, upright
from governance.errors import Refused

MAX_BYTES, MAX_PARTS, NAME = 10_000_000, 5_000, 120
PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF")
SHEET = 1200
FAINTEST, LEAST_INK = 64, 30
"""How far ink must stand out from its paper, and how many points of it are more than a speck."""


class Format(NamedTuple):
    """A kind of file: how browsers call it, and the part by which its archive is known."""

    mime: str
    part: str = ""


ENDING, TYPES, MAX_LIST = b"PK\x05\x06", "[Content_Types].xml", 1_000_000
"""How an archive's last record begins, which says how long its list of contents is; and the part that says what the others are."""
MACROS = ("vbaproject", "macroenabled")
FORMATS = {
    "pdf": Format("application/pdf"),
    "docx": Format("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "word/document.xml"),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xl/workbook.xml"),
    "jpg": Format("image/jpeg"),
    "png": Format("image/png"),
}
FITTING: Mapping[str, frozenset[str]] = {
    "attachments": frozenset(["pdf", "docx", "xlsx", "jpg"]),
    "photos": frozenset(["jpg"]),
    "signature": frozenset(["png"]),
}
"""Which kinds a field takes, by how it is drawn; only signatures are kept as PNG."""


@dataclass(frozen=True)
class Attachment:
    """A file fit to be kept."""

    name: str
    kind: str
    content: bytes

    @cached_property
    def digest(self) -> str:
        """What it is named by."""
        return hashlib.sha256(self.content).hexdigest()


def read_attachment(name: str, content: bytes) -> Attachment:
    """What somebody sent, as an attachment; pictures are re-encoded. Raises `Refused`."""
    if len(content) > MAX_BYTES:
        raise Refused({"file": f"附件超过 {MAX_BYTES // 1_000_000} MB"})
    if content.startswith(PICTURES):
        return read_photo(name, content)
    kind = "pdf" if content.startswith(b"%PDF-") else _office(content)
    if kind is None:
        raise Refused({"file": "只能上传 PDF、Word（docx）、Excel（xlsx）文件或图片"})
    return Attachment(_named(name, kind), kind, content)


def read_photo(name: str, content: bytes) -> Attachment:
    """What somebody sent, as a picture; raises `Refused`."""
    try:
        return Attachment(_named(name, "jpg"), "jpg", read_picture(content).content)
    except Refused as refused:
        raise Refused({"file": str(refused)}) from refused


def read_signature(content: bytes) -> Attachment:
    """签名, drawn or photographed, as black on white; a blank sheet is none. Raises `Refused`."""
    try:
        drawn = upright(content, "RGBA")
    except Refused as refused:
        raise Refused({"file": str(refused)}) from refused
    sheet = Image.new("L", drawn.size, 255)
    sheet.paste(drawn.convert("L"), mask=drawn.getchannel("A"))
    sheet.thumbnail((SHEET, SHEET))
    if _paper(sheet) < 128:
        sheet = ImageOps.invert(sheet)
    paper, points = _paper(sheet), sheet.histogram()
    blackest = next(tone for tone, count in enumerate(points) if count)
    if paper - blackest < FAINTEST or sum(points[: (paper + blackest) // 2]) < LEAST_INK:
        raise Refused({"file": "签名是空白的，请签名"})
    out = io.BytesIO()
    stretched = [max(0, min(255, (tone - blackest) * 255 // (paper - blackest))) for tone in range(256)]
    sheet.point(stretched).save(out, "PNG", optimize=True)
    return Attachment("signature.png", "png", out.getvalue())


def _paper(sheet: Image.Image) -> int:
    """The tone that most of a sheet has."""
    points = sheet.histogram()
    return max(range(256), key=points.__getitem__)


def value_of(digest: str, name: str) -> str:
    """How a form names a file: the record itself proves what it was and how it was called."""
    return f"{digest}/{name}"


def file_path(folder: Path, digest: str) -> Path:
    """Where a file lies."""
    return folder / "files" / digest[:2] / digest


def _office(content: bytes) -> str | None:
    """Which office document an archive is, by its list of contents; those with macros are none."""
    if int.from_bytes(content[(end := content.rfind(ENDING)) + 12 : end + 16], "little") > MAX_LIST:
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.namelist()
            with archive.open(TYPES) as types:
                said = types.read(MAX_LIST).decode("utf-8", "replace")
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, NotImplementedError, RuntimeError, zlib.error, EOFError):
        return None
    if len(parts) > MAX_PARTS or any(mark in text.lower() for text in (said, *parts) for mark in MACROS):
        return None
    return next((kind for kind, known in FORMATS.items() if known.part and known.part in parts), None)


def _named(name: str, kind: str) -> str:
    """The name without its folders, ending as its content demands."""
    stem = PurePath(name.replace("\\", "/")).stem
    clean = "".join(c for c in stem if c.isprintable() and c not in '<>:"/|?*').strip(" .")
    return f"{clean[: NAME - 5] or 'file'}.{kind}"


READERS: Mapping[str, Callable[[str, bytes], Attachment]] = {
    "attachments": read_attachment,
    "photos": read_photo,
    "signature": lambda _name, content: read_signature(content),
}
"""How a file is read, by how its field is drawn; one that arrives with its form bears the word behind the field's name."""
