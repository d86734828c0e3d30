"""A disk without space, a commit that fails: a sentence, nothing half-written, and it goes on afterwards."""

from __future__ import annotations

import errno
import io
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import Connection, event, select
from sqlalchemy.exc import OperationalError

from api.work import db
from governance.cases.models import Case, Photo
from governance.cases.photos import add_photo, photo_path, read_picture
from governance.errors import NoSpace
from tests.api.clients import PLACE, anybody, refusal, reported
from tests.district import District
from tests.faults.invariants import Record, broken
from tests.faults.people import report


@contextmanager
def no_space(district: District) -> Iterator[None]:
    """The database may not grow any more."""

    def stop(connection: object, _record: object, _proxy: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]

    with district.apps[-1].app_context():
        engine = db.engine
    engine.dispose()
    event.listen(engine, "checkout", stop)
    yield
    event.remove(engine, "checkout", stop)
    engine.dispose()


@contextmanager
def files_cannot_grow() -> Iterator[None]:
    """The disk takes nothing more than a few letters a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 40)).save(out, "PNG")
    return out.getvalue()


def whole(district: District) -> bool:
    with district.office.database.connect() as connection:
        return broken(Record(connection, district.folder, [district.office.signer.public])) == []


def test_a_full_disk_is_said_and_leaves_nothing_behind(tmp_path: Path) -> None:
    district = District(tmp_path)
    app = district.app()
    with no_space(district):
        problem = refusal(anybody(app).post("/cases", {"text": "水管漏水。" * 300, "place": PLACE}), 507)
        page = report(app, "水管漏水。" * 300)
    assert "磁盘空间不足" in problem["detail"]
    assert page.status_code == 507 and "磁盘空间不足" in page.get_data(as_text=True)
    assert reported(app)["number"].endswith("0001") and whole(district)
    district.close()


def test_a_commit_that_fails_is_answered_like_any_other_failure(district: District) -> None:
    app = district.app()
    with app.app_context():
        engine = db.engine

    def lost(connection: Connection) -> None:
        connection.invalidate()
        raise OperationalError("COMMIT", {}, Exception("the server closed the connection"))

    app.testing = False  # as it is served: what nobody catches is answered, not raised
    event.listen(engine, "commit", lost)
    refusal(anybody(app).post("/cases", {"text": "水管漏水。", "place": PLACE}), 503)
    page = app.test_client().get(f"/report?place={PLACE}")
    assert page.status_code == 503 and "系统繁忙" in page.get_data(as_text=True)
    event.remove(engine, "commit", lost)
    assert reported(app)["number"].endswith("0001") and whole(district)


def test_a_photo_that_finds_no_space_leaves_no_file(tmp_path: Path) -> None:
    district = District(tmp_path)
    reported(district.app())
    picture = read_picture(png())
    with files_cannot_grow(), pytest.raises(NoSpace, match="磁盘空间不足"), district.office.work() as context:
        add_photo(context, context.session.scalars(select(Case)).one(), picture)
    assert [path for path in (tmp_path / "photos").rglob("*") if path.is_file()] == []
    with district.office.work() as context:
        assert context.session.scalars(select(Photo)).all() == []
        photo = add_photo(context, context.session.scalars(select(Case)).one(), picture)
        assert not photo_path(tmp_path, photo.digest).exists(), "not before it is kept"
        digest = photo.digest
    assert photo_path(tmp_path, digest).exists()
    assert whole(district)
    district.close()


def test_a_photo_that_finds_no_space_is_told_at_the_page(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    app = district.app()

    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    app.testing = False
    monkeypatch.setattr("os.fsync", full)
    page = report(app, "水管漏水。", photos=[(io.BytesIO(png()), "井盖.png")])
    assert page.status_code == 507 and "磁盘空间不足" in page.get_data(as_text=True)
    monkeypatch.undo()
    assert reported(app)["number"].endswith("0001") and whole(district)
