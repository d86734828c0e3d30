"""A backup taken at work, restored elsewhere, is the whole deployment; what is not one of ours is refused with a sentence."""

from __future__ import annotations

import io
import json
import secrets
import shutil
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image
from sqlalchemy import create_engine, make_url, select, text, update

from engine.anchor import Anchor
from engine.audit import not_in_database
from engine.database import snapshot
from engine.schema import commands, instances
from engine.signatures import Signer
from engine.versions import publish
from governance.cases.models import Case, Photo
from governance.cases.photos import add_photo, photo_path, read_picture
from governance.files.commands import add_file
from governance.files.rules import Attachment, file_path
from governance.meetings.files import attach
from governance.starting.commands import begin
from tests.district import District
from tests.faults.people import report
from tests.governance.meeting_world import Hall
from tests.papers import ASKED, KEY, PDF, TAKES_ALL, seal
from wuzhang.archive import Manifest, writing_archive
from wuzhang.cli import main
from wuzhang.config import Config
from wuzhang.office import Office


@dataclass
class Place:
    """Where a deployment lives: the environment of its commands."""

    config: Config

    def run(self, *words: str, secret: str = "") -> Result:
        environ = {
            "WUZHANG_DATABASE_URL": self.config.database_url,
            "WUZHANG_DATA_DIR": str(self.config.data_dir),
            "WUZHANG_SECRET_KEY": secret or self.config.secret_key,
        }
        return CliRunner(env=environ).invoke(main, words)

    def is_empty(self) -> bool:
        url = make_url(self.config.database_url)
        left = [path.name for path in self.config.data_dir.iterdir()] if self.config.data_dir.exists() else []
        if url.get_backend_name() == "sqlite":
            return left == []
        server = create_engine(url)
        with server.connect() as connection:
            tables = connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
        server.dispose()
        return left == [] and tables == 0


@pytest.fixture
def here(district: District) -> Place:
    """A district with cases, photos, checkpoints and an anchor."""
    app = district.app()
    for _ in range(3):
        report(app)
    _photograph(district, "navy")
    district.tick()
    return Place(district.config)


@pytest.fixture
def there(district: District, tmp_path: Path) -> Iterator[Place]:
    """An empty place on the same kind of database."""
    folder = tmp_path / "there"
    url, name = make_url(district.config.database_url), f"wuzhang_test_{secrets.token_hex(6)}"
    if url.get_backend_name() == "sqlite":
        yield Place(replace(district.config, data_dir=folder, database_url=f"sqlite:///{folder / 'wuzhang.db'}"))
        return
    server = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    moved = url.set(database=name).render_as_string(hide_password=False)
    yield Place(replace(district.config, data_dir=folder, database_url=moved))
    with server.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    server.dispose()


def _photograph(district: District, colour: str) -> None:
    image = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(image, "PNG")
    with district.office.work() as context:
        case = context.session.scalars(select(Case)).first()
        assert case
        add_photo(context, case, read_picture(image.getvalue()))


def _all(office: Office) -> list[tuple[Any, ...]]:
    with snapshot(office.database) as connection:
        return [tuple(row) for row in connection.execute(select(commands).order_by(commands.c.instance_id, commands.c.seq))]


def test_what_is_restored_is_whole_and_goes_on(district: District, here: Place, there: Place, tmp_path: Path) -> None:
    made = here.run("backup", str(tmp_path / "b.zip"))
    assert made.exit_code == 0 and "密钥不在其中" in made.output, made.output
    assert stat.S_IMODE((tmp_path / "b.zip").stat().st_mode) == 0o600
    put = there.run("restore", str(tmp_path / "b.zip"))
    assert put.exit_code == 0 and "记录完整。" in put.output and "已与锚定文件" in put.output, put.output
    again = Office(there.config, district.clock)
    assert _all(again) == _all(district.office)
    with again.work() as context:
        digest = context.session.scalars(select(Photo.digest)).one()
        assert photo_path(there.config.data_dir, digest).read_bytes() == photo_path(here.config.data_dir, digest).read_bytes()
    before = again.anchor.path.read_bytes()
    district.clock.pass_by(days=5)
    while again.runner.tick():
        continue
    grown = again.anchor.path.read_bytes()
    assert grown.startswith(before) and len(grown) > len(before)
    again.database.dispose()
    checked = there.run("audit", "verify", "--json")
    assert checked.exit_code == 0 and json.loads(checked.output)["findings"] == []


def test_it_is_of_one_moment_while_others_work(district: District, here: Place, there: Place, tmp_path: Path) -> None:
    stop = threading.Event()
    app = district.app()

    def work() -> None:
        while not stop.is_set():
            report(app)
            _photograph(district, f"#{secrets.token_hex(3)}")
            district.clock.pass_by(minutes=2)
            district.office.runner.tick()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        made = [here.run("backup", str(tmp_path / f"{n}.zip")) for n in range(3)]
    finally:
        stop.set()
        worker.join()
    assert [one.exit_code for one in made] == [0] * 3 and not any("缺少" in one.output for one in made)
    put = there.run("restore", str(tmp_path / "2.zip"))
    assert put.exit_code == 0 and "记录完整。" in put.output, put.output
    length = (anchor := Anchor(here.config.anchor)).extent()
    restored = Office(there.config)
    with snapshot(restored.database) as connection:
        lost = list(not_in_database(connection, anchor.lines(length)))
    restored.database.dispose()
    assert all(finding.reason == "锚定文件中有，数据库中没有" for finding in lost)


def test_a_record_that_was_not_whole_is_not_whole_afterwards(district: District, here: Place, there: Place, tmp_path: Path) -> None:
    with district.office.work() as context:
        context.session.connection().execute(update(instances).values(state="{}"))
    assert here.run("backup", str(tmp_path / "b.zip")).exit_code == 0
    put = there.run("restore", str(tmp_path / "b.zip"))
    assert put.exit_code == 1 and "保存的状态与回放不符" in put.output


def test_a_lost_photo_is_told(district: District, here: Place, there: Place, tmp_path: Path) -> None:
    with district.office.work() as context:
        photo_path(here.config.data_dir, context.session.scalars(select(Photo.digest)).one()).unlink()
    made = here.run("backup", str(tmp_path / "b.zip"))
    assert made.exit_code == 0 and "缺少 1 个照片或附件" in made.output
    put = there.run("restore", str(tmp_path / "b.zip"))
    assert put.exit_code == 1 and "缺少 1 个照片或附件" in put.output


def test_attachments_of_meetings_come_along(district: District, here: Place, there: Place, tmp_path: Path) -> None:
    with district.office.work() as context:
        hall = Hall(district, context)
        kept = attach(context, hall.holder(), hall.draft().id, Attachment("a.pdf", "pdf", b"%PDF-1.7")).digest
    assert here.run("backup", str(tmp_path / "b.zip")).exit_code == 0
    assert there.run("restore", str(tmp_path / "b.zip")).exit_code == 0
    assert file_path(there.config.data_dir, kept).read_bytes() == b"%PDF-1.7"
    file_path(here.config.data_dir, kept).unlink()
    assert "缺少 1 个照片或附件" in here.run("backup", str(tmp_path / "c.zip")).output


def test_files_of_forms_come_along_and_are_proven(district: District, here: Place, there: Place, tmp_path: Path) -> None:
    with district.office.work() as context:
        publish(context.session.connection(), context.new_id(), seal(), context.now(), by="system", reason="试行")
        hall = Hall(district, context)
        attach(context, hall.holder(), hall.draft().id, Attachment("a.pdf", "pdf", PDF))
        worker = hall.holder("grid_worker", "50019900100100001")
        paper = add_file(context, TAKES_ALL, Attachment("合同.pdf", "pdf", PDF), by=worker.person_id)
        begin(context, worker, KEY, {**ASKED, "papers": [paper.value]}, "k1")
        digest = paper.digest
    assert here.run("backup", str(tmp_path / "b.zip")).exit_code == 0
    put = there.run("restore", str(tmp_path / "b.zip"))
    assert put.exit_code == 0 and "记录完整。" in put.output, put.output
    file_path(there.config.data_dir, digest).write_bytes(b"%PDF-1.7 another")
    checked = there.run("audit", "verify")
    assert checked.exit_code == 1 and "文件“合同.pdf”的内容与记录不符" in checked.output


def test_another_key_is_told_and_can_be_accepted(here: Place, there: Place, tmp_path: Path) -> None:
    here.run("backup", str(tmp_path / "b.zip"))
    other = "another secret " * 4
    refused = there.run("restore", str(tmp_path / "b.zip"), secret=other)
    assert refused.exit_code == 1 and "个人信息将无法读取" in refused.output and there.is_empty()
    put = there.run("restore", str(tmp_path / "b.zip"), "--other-key", secret=other)
    assert put.exit_code == 0 and "记录完整。" in put.output, put.output


def test_what_is_there_is_not_touched(here: Place, there: Place, tmp_path: Path) -> None:
    backup = str(tmp_path / "b.zip")
    here.run("backup", backup)
    assert "已经存在" in here.run("backup", backup).output
    before = {path: path.read_bytes() for path in here.config.data_dir.rglob("*.jpg")}
    assert here.run("restore", backup).exit_code == 1
    there.config.data_dir.mkdir()
    there.config.anchor.write_text("{}")
    assert "锚定文件" in there.run("restore", backup).output
    there.config.anchor.unlink()
    assert there.run("restore", backup).exit_code == 0
    again = there.run("restore", backup)
    assert again.exit_code == 1 and "已经" in again.output
    assert before == {path: path.read_bytes() for path in before}


# ---- archives that are not ours ---------------------------------------------------------------------------------


def _signed(path: Path, parts: dict[str, bytes], secret: str, kind: str) -> None:
    """An archive as somebody with a key of their own can make it."""
    signer = Signer(secret)
    manifest = Manifest("9", "2026-03-02", kind, "0005", signer.public.hex())
    with writing_archive(path, manifest, signer) as archive:
        for name, content in parts.items():
            source = path.with_name("part")
            source.write_bytes(content)
            archive.add(name, source)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-400])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(bytes(content))


def _rewritten(change: Callable[[dict[str, bytes]], None]) -> Callable[[Path], None]:
    def act(path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        change(parts)
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)

    return act


def _another_database(parts: dict[str, bytes]) -> None:
    parts["database"] += b" "


def _another_manifest(parts: dict[str, bytes]) -> None:
    parts["manifest.json"] = parts["manifest.json"].replace(b"anchor.jsonl", b"anchor.json1")


def _stranger(parts: dict[str, bytes]) -> None:
    parts["../../escaped"] = b"x"


def _link(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("photos")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/tmp")


HARM: tuple[tuple[Callable[[Path], object], str], ...] = (
    (_cut, "已经损坏"),
    (_flip, "已经损坏"),
    (_rewritten(_another_database), "与清单中的摘要不符"),
    (_rewritten(_another_manifest), "签名无效"),
    (_rewritten(lambda parts: parts.pop("manifest.json") and None), "没有可以读取的清单"),
    (_rewritten(lambda parts: parts.update({"manifest.json": b"[]"})), "没有可以读取的清单"),
    (_rewritten(lambda parts: parts.pop("database") and None), "与清单不一致"),
    (_rewritten(_stranger), "与清单不一致"),
    (_link, "与清单不一致"),
    (lambda path: path.write_bytes(b"\x1f\x8b not a zip"), "已经损坏"),
    (lambda path: path.write_bytes(b""), "已经损坏"),
)


def test_a_hostile_archive_is_refused_with_a_sentence(here: Place, there: Place, tmp_path: Path) -> None:
    here.run("backup", str(tmp_path / "b.zip"))
    for number, (harm, said) in enumerate(HARM):
        backup = tmp_path / f"{number}.zip"
        shutil.copyfile(tmp_path / "b.zip", backup)
        harm(backup)
        refused = there.run("restore", str(backup))
        assert refused.exit_code == 1 and said in refused.output and isinstance(refused.exception, SystemExit), (number, refused.output)
        assert there.is_empty() and not (tmp_path / "escaped").exists()


def test_a_part_with_a_name_that_is_not_ours_is_refused(there: Place, tmp_path: Path) -> None:
    kind = make_url(there.config.database_url).get_backend_name()
    for number, name in enumerate(("../../escaped", "/tmp/escaped", "photos/../../escaped", "photos/aa/b.jpg", "trial-secret")):
        _signed(tmp_path / f"{number}.zip", {"database": b"x", name: b"x"}, there.config.secret_key, kind)
        refused = there.run("restore", str(tmp_path / f"{number}.zip"))
        assert refused.exit_code == 1 and "不属于它的文件" in refused.output and there.is_empty()


def test_a_database_that_is_none_leaves_nothing_behind(there: Place, tmp_path: Path) -> None:
    kind = make_url(there.config.database_url).get_backend_name()
    digest = "ab" * 32
    parts = {"database": b"nonsense" * 999, "anchor.jsonl": b"{}\n", f"photos/ab/{digest}.jpg": b"x"}
    _signed(tmp_path / "b.zip", parts, there.config.secret_key, kind)
    refused = there.run("restore", str(tmp_path / "b.zip"))
    assert refused.exit_code == 1 and there.is_empty(), refused.output


def test_a_backup_of_another_kind_or_version_is_refused(there: Place, tmp_path: Path) -> None:
    kind = make_url(there.config.database_url).get_backend_name()
    for other, said in ((("sqlite", "postgresql")[kind == "sqlite"], "不能恢复到"), (kind, "更新的版本")):
        path = tmp_path / f"{other}.zip"
        signer = Signer(there.config.secret_key)
        with writing_archive(path, Manifest("9", "2026", other, "9999", signer.public.hex()), signer) as archive:
            (tmp_path / "part").write_bytes(b"x")
            archive.add("database", tmp_path / "part")
        assert said in there.run("restore", str(path)).output and there.is_empty()


def test_the_tools_of_postgresql_are_asked_for(here: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if make_url(here.config.database_url).get_backend_name() == "postgresql":
        monkeypatch.setenv("PATH", str(tmp_path))
        said = here.run("backup", str(tmp_path / "b.zip"))
        assert said.exit_code == 1 and "没有找到 pg_dump" in said.output
        assert list(tmp_path.glob("b.zip*")) == []
