"""Takes pictures from strangers: only what is a picture, re-encoded, without what the camera wrote into it.

Reading a picture costs time and memory and touches no database: entrances do it before their transaction begins.
"""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PIL import Image, ImageOps, UnidentifiedImageError

from governance.cases.models import Photo
from governance.context import Context
from governance.errors import Refused
from governance.shelf import put_file, sweep

MAX_BYTES = 10_000_000
MAX_PIXELS = {"JPEG": 120_000_000, "PNG": 25_000_000, "WEBP": 25_000_000}
"""A JPEG is decoded at a fraction of its size, whatever a phone takes; the others only whole."""
MAX_PROGRESSIVE, MAX_SCANS = 30_000_000, 16
"""A progressive JPEG is decoded whole, once for each of its scans; cameras and editors write about ten."""
SCAN = b"\xff\xda"
BROKEN = (UnidentifiedImageError, OSError, ValueError, SyntaxError, KeyError, IndexError, EOFError, OverflowError, struct.error)
"""What the decoders raise for files that are not what they seem."""
LONGEST_SIDE = 1920
PER_CASE = 9


class Pictured(Protocol):
    """What has pictures: a case, a matter."""

    @property
    def album(self) -> dict[str, int]: ...


@dataclass(frozen=True)
class Picture:
    """A picture fit to be kept: upright, no larger than needed, nothing in it but what is seen."""

    content: bytes
    width: int
    height: int


def read_picture(content: bytes) -> Picture:
    """What somebody sent, as a picture; raises `Refused`."""
    seen = upright(content)
    seen.info.clear()  # Pillow would write the comment of a JPEG again
    out = io.BytesIO()
    seen.save(out, "JPEG", quality=85)
    return Picture(out.getvalue(), *seen.size)


def upright(content: bytes, mode: str = "RGB") -> Image.Image:
    """What somebody sent, decoded, no larger than needed; raises `Refused`."""
    if len(content) > MAX_BYTES:
        raise Refused({"photos": f"照片超过 {MAX_BYTES // 1_000_000} MB"})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sent = Image.open(io.BytesIO(content), formats=tuple(MAX_PIXELS))
            most = MAX_PROGRESSIVE if sent.info.get("progressive") else MAX_PIXELS.get(sent.format or "", MAX_PIXELS["JPEG"])
            if sent.width * sent.height > most or (sent.info.get("progressive") and content.count(SCAN) > MAX_SCANS):
                raise Refused({"photos": "照片尺寸过大"})
            sent.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            sent.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            return ImageOps.exif_transpose(sent).convert(mode)
    except (*BROKEN, Image.DecompressionBombError) as error:
        raise Refused({"photos": "只能上传 JPG、PNG 或 WEBP 照片"}) from error


def add_photo(context: Context, of: Pictured, picture: Picture, *, by: int | None = None, task_key: str | None = None) -> Photo:
    """Adds a picture to a case or a matter."""
    digest = hashlib.sha256(picture.content).hexdigest()
    put_file(context, photo_path(context.folder, digest), picture.content)
    photo = Photo(
        id=context.new_id(),
        **of.album,
        task_key=task_key,
        digest=digest,
        width=picture.width,
        height=picture.height,
        added_at=context.now(),
        added_by=by,
    )
    context.session.add(photo)
    context.session.flush()
    return photo


def sweep_photos(context: Context) -> int:
    """Removes pictures that no case keeps; once a day. Says how many."""
    return sweep(context, "photos", Photo.digest)


def photo_path(folder: Path, digest: str) -> Path:
    """Where a picture lies."""
    return folder / "photos" / digest[:2] / f"{digest}.jpg"
