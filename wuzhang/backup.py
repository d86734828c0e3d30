"""Backs up a deployment while it runs, and restores it into an empty place.

Database, photos, attachments and anchor belong to one moment: the anchor is copied first, so that it never knows more than the
database; the photos and attachments are those that the copied database names.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, Engine, func, inspect, select, union

from engine.database import snapshot
from governance.cases.models import Photo
from governance.cases.photos import photo_path
from governance.files.models import FormFile
from governance.files.rules import file_path
from governance.meetings.models import MeetingFile
from wuzhang.archive import ANCHOR, DATABASE, ArchiveRefused, Manifest, Writer, unpack, writing_archive
from wuzhang.migrate import is_known, revision
from wuzhang.office import Office

SHELVES = ("photos", "files")
"""The folders beside the database."""
PRODUCTS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


class BackupFailed(Exception):
    """A backup or a restore that could not be made; the message says why."""


def back_up(office: Office, path: Path) -> Manifest:
    """One archive of everything, as it stands at one moment; raises `BackupFailed`."""
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=path.absolute().parent) as name:
        copy, anchor = Path(name) / DATABASE, Path(name) / ANCHOR
        if office.anchor.path.exists():
            shutil.copyfile(office.anchor.path, anchor)
        with snapshot(office.database) as connection:
            manifest = _manifest(office, connection)
            with writing_archive(path, manifest, office.signer) as archive:
                _copy_database(connection, copy)
                archive.add(DATABASE, copy)
                if anchor.exists():
                    archive.add(ANCHOR, anchor)
                for digest, path in _kept(connection):
                    _add(archive, office.config.data_dir, digest, path)
    return manifest


def _manifest(office: Office, connection: Connection) -> Manifest:
    schema = revision(connection)
    if schema is None:
        raise BackupFailed("数据库是空的，没有可以备份的内容。")
    return Manifest(_product(), office.now().isoformat(), connection.dialect.name, schema, office.signer.public.hex())


def _add(archive: Writer, folder: Path, digest: str, path: Path) -> None:
    try:
        archive.add(path.as_posix(), folder / path)
    except FileNotFoundError:
        archive.manifest.lost.append(digest)


def restore(office: Office, path: Path, *, other_key: bool = False) -> Manifest:
    """Puts a backup into an empty deployment, all of it or nothing; raises `ArchiveRefused`, `BackupFailed`."""
    config = office.config
    _must_be_empty(office)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=config.data_dir) as name:
        staged = Path(name)
        manifest = unpack(path, staged)
        _must_fit(office, manifest, other_key)
        anchor = config.anchor
        try:
            for shelf in SHELVES:
                if (staged / shelf).exists():
                    (staged / shelf).rename(config.data_dir / shelf)
            if (staged / ANCHOR).exists():
                anchor.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(staged / ANCHOR, anchor)
            _put_database(office.database, staged / DATABASE)
        except (OSError, BackupFailed):
            for shelf in SHELVES:
                shutil.rmtree(config.data_dir / shelf, ignore_errors=True)
            anchor.unlink(missing_ok=True)
            raise
    return manifest


def missing_files(office: Office) -> list[str]:
    """Photos and attachments that the database names and the folder does not have."""
    with snapshot(office.database) as connection:
        return [digest for digest, path in _kept(connection) if not (office.config.data_dir / path).exists()]


def _product() -> str:
    try:
        return version("wuzhang")
    except PackageNotFoundError:
        return "?"


def _kept(connection: Connection) -> Iterator[tuple[str, Path]]:
    """The digest of everything that lies beside the database, and where below the folder."""
    files = union(select(MeetingFile.digest), select(FormFile.digest))
    for named, path in ((select(Photo.digest).distinct(), photo_path), (files, file_path)):
        for digest in sorted(connection.scalars(named)):
            yield digest, path(Path(), digest)


def _must_be_empty(office: Office) -> None:
    """What is there is not touched: neither data nor an anchor, which is evidence."""
    config, url = office.config, office.database.url
    if office.anchor.path.exists():
        raise BackupFailed(f"锚定文件 {config.anchor} 已经存在。它是外部证据，恢复不改动它：请先把 WUZHANG_ANCHOR 设为新的文件。")
    if any((config.data_dir / shelf).exists() for shelf in SHELVES):
        raise BackupFailed(f"数据目录 {config.data_dir} 中已有照片或附件，只能恢复到空的部署。")
    if url.get_backend_name() == "sqlite":
        occupied = Path(url.database or "").exists()
    else:
        with office.database.connect() as connection:
            occupied = bool(inspect(connection).get_table_names())
    if occupied:
        raise BackupFailed("数据库不是空的，只能恢复到空的数据库。")


def _must_fit(office: Office, manifest: Manifest, other_key: bool) -> None:
    kind = office.database.dialect.name
    if manifest.database != kind:
        raise ArchiveRefused(f"备份来自 {PRODUCTS.get(manifest.database, manifest.database)}，不能恢复到 {PRODUCTS[kind]}。")
    if not is_known(manifest.schema):
        raise ArchiveRefused(f"备份来自更新的版本（{manifest.product}），请先升级本系统。")
    if manifest.key != office.signer.public.hex() and not other_key:
        raise ArchiveRefused(
            "密钥与备份时的不同：恢复后联系方式等个人信息将无法读取，检查点须用原公钥核对。"
            "请设置原来的 WUZHANG_SECRET_KEY（试用部署是数据目录中的 trial-secret）；密钥确已丢失时，用 --other-key 恢复。"
        )


# ---- the two databases ------------------------------------------------------------------------------------------


def _copy_database(connection: Connection, target: Path) -> None:
    """The database as the connection's transaction sees it, while others go on."""
    if connection.dialect.name == "sqlite":
        with closing(sqlite3.connect(target)) as copy:
            source: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
            source.backup(copy)
        return
    moment = connection.scalar(select(func.pg_export_snapshot()))
    _client(connection.engine, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={moment}", f"--file={target}")


def _put_database(database: Engine, source: Path) -> None:
    if database.dialect.name == "sqlite":
        _check_sqlite(source)
        target = Path(database.url.database or "")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(source, target)
        return
    _client(database, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(source))


def _check_sqlite(path: Path) -> None:
    try:
        with closing(sqlite3.connect(path)) as copy:
            said = copy.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        raise BackupFailed(f"备份中的数据库已损坏：{said}")


def _client(database: Engine, tool: str, *words: str) -> None:
    """Runs one of PostgreSQL's own tools; raises `BackupFailed` with what it said."""
    if shutil.which(tool) is None:
        raise BackupFailed(f"没有找到 {tool}：请安装不低于服务器版本的 PostgreSQL 客户端（postgresql-client）。")
    named = dict(database.url.translate_connect_args(username="user", database="dbname")) | dict(database.url.query)
    password = named.pop("password", None)
    environ = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    done = subprocess.run([tool, *words, f"--dbname={make_conninfo(**named)}"], env=environ, capture_output=True, text=True)
    if done.returncode:
        raise BackupFailed(f"{tool} 没有成功：{done.stderr.strip()[-500:]}")
