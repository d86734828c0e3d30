"""Takes pictures from strangers: only what is a picture, re-encoded, without what the camera wrote into it."""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from governance.cases.models import Case, Photo
from governance.context import Context
from governance.errors import Refused

MAX_BYTES = 10_000_000
MAX_PIXELS = 50_000_000
LONGEST_SIDE = 1920
PER_CASE = 9
FORMATS = ("JPEG", "PNG", "WEBP")


def add_photo(context: Context, case: Case, content: bytes, *, by: int | None = None, task_key: str | None = None) -> Photo:
    """Adds a picture to a case; raises `Refused`."""
    encoded, size = _reencoded(content)
    digest = hashlib.sha256(encoded).hexdigest()
    path = photo_path(context.folder, digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{context.new_id()}")
        fresh.write_bytes(encoded)
        fresh.replace(path)
    photo = Photo(
        id=context.new_id(),
        case_id=case.id,
        task_key=task_key,
        digest=digest,
        width=size[0],
        height=size[1],
        added_at=context.now(),
        added_by=by,
    )
    context.session.add(photo)
    context.session.flush()
    return photo


def photo_path(folder: Path, digest: str) -> Path:
    """Where a picture lies."""
    return folder / "photos" / digest[:2] / f"{digest}.jpg"


def _reencoded(content: bytes) -> tuple[bytes, tuple[int, int]]:
    if len(content) > MAX_BYTES:
        raise Refused({"photos": f"照片超过 {MAX_BYTES // 1_000_000} MB"})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(content), formats=FORMATS)
            if picture.width * picture.height > MAX_PIXELS:
                raise Refused({"photos": "照片尺寸过大"})
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise Refused({"photos": "只能上传 JPG、PNG 或 WEBP 照片"}) from error
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=85)
    return out.getvalue(), upright.size
