"""Whatever is sent as a picture: refused with a sentence, or drawn anew with nothing in it but what is seen."""

from __future__ import annotations

import io
import struct
import time
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from governance.cases.photos import LONGEST_SIDE, MAX_BYTES, read_picture
from governance.errors import Refused
from tests.payloads import PAYLOADS

EVIL = "<script>alert(1)</script><?php system('id') ?>"


def saved(kind: str, size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#7a8").save(out, kind, **options)
    return out.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, body: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(body, 9)) + chunk(b"IEND", b"")


def exif() -> Image.Exif:
    tags = Image.Exif()
    tags[0x010E], tags[0x9286] = EVIL, EVIL
    return tags


def texts() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", EVIL)
    info.add_itxt("XML:com.adobe.xmp", EVIL)
    return info


JPEG, PNG, WEBP = saved("JPEG"), saved("PNG"), saved("WEBP")
FRAMES = [Image.new("RGB", (40, 30), colour) for colour in ("red", "green", "blue")]
KEPT = [
    JPEG + EVIL.encode(),
    JPEG + b"PK\x03\x04" + b"\0" * 1_000,
    JPEG[:20] + b"\xff\xfe" + struct.pack(">H", len(EVIL) + 2) + EVIL.encode() + JPEG[20:],
    saved("JPEG", exif=exif()),
    saved("JPEG", comment=EVIL.encode()),
    saved("JPEG", icc_profile=EVIL.encode()),
    PNG + EVIL.encode(),
    saved("PNG", pnginfo=texts()),
    saved("WEBP", exif=exif(), xmp=EVIL.encode()),
    saved("WEBP", save_all=True, append_images=FRAMES),
    saved("PNG", save_all=True, append_images=FRAMES),
    saved("JPEG", (9_000, 9_000)),
]
REFUSED = [
    b"",
    b"\0",
    b"\xff\xd8\xff",
    JPEG[:100],
    PNG[:40],
    WEBP[:30],
    JPEG[2:],
    *(payload.encode() for payload in PAYLOADS[:6]),
    b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    b"\xff\xd8\xff\xe0<html><script>alert(1)</script>",
    b"GIF89a/*" + EVIL.encode() + b"*/=1;",
    saved("GIF"),
    saved("BMP"),
    saved("TIFF"),
    saved("ICO"),
    saved("PDF"),
    saved("EPS"),
    b"%!PS-Adobe-3.0\n%%BoundingBox: 0 0 1 1\n",
    b"push graphic-context\nfill 'url(https://127.0.0.1/\"|id\")'\n",
    b"8BPS" + b"\0" * 200,
    b"\0\0\0\x18ftypheic" + b"\0" * 200,
    b"\0" * (MAX_BYTES + 1),
    JPEG + b"\0" * MAX_BYTES,
    png(30_000, 30_000, b"\0" * 1_000_000),
    png(2**31 - 1, 2**31 - 1, b""),
    png(0, 0, b""),
    png(6_000, 6_000, b"\0"),
    saved("JPEG", (6_000, 6_000), progressive=True),
]


@pytest.mark.parametrize("number", range(len(KEPT)))
def test_only_what_is_seen_is_kept(number: int) -> None:
    begun = time.process_time()
    picture = read_picture(KEPT[number])
    again = Image.open(io.BytesIO(picture.content))
    assert (again.format, again.size) == ("JPEG", (picture.width, picture.height)) and max(again.size) <= LONGEST_SIDE
    assert not again.getexif() and "icc_profile" not in again.info and "comment" not in again.info
    assert b"script" not in picture.content and b"PK\x03\x04" not in picture.content and b"php" not in picture.content
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_is_no_picture_of_ours_is_refused(number: int) -> None:
    begun = time.process_time()
    with pytest.raises(Refused):
        read_picture(REFUSED[number])
    assert time.process_time() - begun < 1


@settings(max_examples=400, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from([JPEG, PNG, WEBP, saved("JPEG", progressive=True), KEPT[3], KEPT[8], KEPT[9], KEPT[10]]), st.data())
def test_a_damaged_picture_is_refused_or_drawn(content: bytes, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 6))):
        at, instead = data.draw(st.integers(0, len(content) - 1)), data.draw(st.binary(max_size=4))
        content = content[:at] + instead + content[at + len(instead) :]
    try:
        assert read_picture(content).content
    except Refused as refused:
        assert "照片" in str(refused)
