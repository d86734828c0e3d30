"""Pictures from strangers."""

from __future__ import annotations

import io
import os

import pytest
from PIL import Image
from sqlalchemy import delete, select

from governance.cases.commands import Report, register
from governance.cases.models import Case, Photo
from governance.cases.photos import MAX_BYTES, add_photo, photo_path, read_picture
from governance.context import Context
from governance.errors import Refused
from governance.organisation.models import Unit
from governance.shelf import lay
from tests.district import District


@pytest.fixture
def case(context: Context) -> Case:
    place = context.session.scalars(select(Unit).where(Unit.code == "50019900100100001")).one()
    return register(context, Report("路灯不亮", place, "居民匿名", "photo-test"))[0]


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **extra: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#a55").save(out, kind, **extra)  # type: ignore[arg-type]
    return out.getvalue()


def test_a_picture_is_kept_without_what_the_camera_wrote_into_it(context: Context, case: Case) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    kept = add_photo(context, case, read_picture(picture("JPEG", exif=exif)))
    lay(context.session)
    stored = photo_path(context.folder, kept.digest).read_bytes()
    assert b"secret place" not in stored and stored[:3] == b"\xff\xd8\xff" and not Image.open(io.BytesIO(stored)).getexif()


def test_a_large_picture_is_made_smaller() -> None:
    assert read_picture(picture(size=(4000, 500))).width == 1920


def test_whatever_a_phone_takes_is_read() -> None:
    read = read_picture(picture("JPEG", size=(10_400, 7_800)))
    assert (read.width, read.height) == (1920, 1440)


def test_a_picture_taken_upright_stays_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    read = read_picture(picture("JPEG", size=(400, 300), exif=exif))
    assert (read.width, read.height) == (300, 400)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg onload=alert(1)>",
        b"GIF89a" + b"0" * 50,
        picture("GIF"),
        picture()[:60],
        b"\xff\xd8\xff" + b"0" * 999,
        b"0" * (MAX_BYTES + 1),
        picture(size=(9000, 9000)),
    ],
    ids=["empty", "svg", "gif", "real gif", "cut off", "fake jpeg", "too large", "too many pixels"],
)
def test_what_is_no_acceptable_picture_is_refused(content: bytes) -> None:
    with pytest.raises(Refused):
        read_picture(content)


def reported(context: Context, key: str) -> Case:
    place = context.session.scalars(select(Unit).where(Unit.code == "50019900100100001")).one()
    return register(context, Report("井盖松动", place, "居民匿名", key))[0]


def test_a_refused_picture_leaves_no_file(built: District) -> None:
    with built.office.work() as context:
        case_id = reported(context, "refused-picture").id
    with built.office.work() as context:
        case = context.session.get_one(Case, case_id)
        with context.session.begin_nested():
            lost = photo_path(context.folder, add_photo(context, case, read_picture(picture(size=(34, 30)))).digest)
        assert not lost.exists(), "part of the work is done, but nothing is kept yet"
        context.session.rollback()
    assert not lost.exists()


def test_a_picture_that_no_case_keeps_goes_after_a_day_and_no_other(built: District) -> None:
    with built.office.work() as context:
        case = reported(context, "sweep-test")
        photos = [add_photo(context, case, read_picture(picture(size=(n, 30)))) for n in (31, 32, 33)]
        kept, lost, fresh = (photo_path(context.folder, photo.digest) for photo in photos)
        gone = [photo.id for photo in photos[1:]]
    with built.office.work() as context:
        context.session.execute(delete(Photo).where(Photo.id.in_(gone)))
    now = built.clock().timestamp()
    for path, age in ((kept, 90_000), (lost, 90_000), (fresh, 60)):
        os.utime(path, (now - age,) * 2)
    built.office.runner._sweep()
    assert (kept.exists(), lost.exists(), fresh.exists()) == (True, False, True)
    os.utime(fresh, (now - 90_000,) * 2)
    built.office.runner._sweep()
    assert fresh.exists(), "once a day is enough"
    built.clock.pass_by(days=1, minutes=1)
    built.office.runner._sweep()
    built.clock.pass_by(days=-1, minutes=-1)
    assert not fresh.exists() and kept.exists()


def scanned(scans: int) -> bytes:
    """A progressive picture that claims to come in so many scans."""
    out = picture("JPEG", size=(200, 200), progressive=True)
    start = out.index(b"\xff\xda")
    return out[:-2] + out[start:-2] * scans + b"\xff\xd9"


def test_a_picture_that_costs_minutes_to_read_is_refused_at_once() -> None:
    assert read_picture(scanned(0)).width == 200
    with pytest.raises(Refused, match="照片尺寸过大"):
        read_picture(scanned(40))


def test_the_first_of_several_pictures_in_one_file_is_taken() -> None:
    out = io.BytesIO()
    first, second = (Image.new("RGB", (60, 40), colour) for colour in ("#a55", "#55a"))
    first.save(out, "MPO", save_all=True, append_images=[second])
    assert (read_picture(out.getvalue()).width, read_picture(out.getvalue()).height) == (60, 40)
