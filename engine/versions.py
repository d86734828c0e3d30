"""Process versions: packages frozen under a number. What is published never changes; instances stay on their version."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from threading import Lock

from sqlalchemy import Connection, func, insert, select

from engine.errors import NoSuchInstance, NoSuchVersion, VersionRefused
from engine.log import dumps, loads
from engine.packages import Package, frozen_package
from engine.plans import MOVES
from engine.program import Program
from engine.schema import commands, instances, process_versions, retirements
from engine.validator import check_package, publishable

CHANGING = 0x777A
"""The advisory locks of whoever changes a process on PostgreSQL."""


@dataclass(frozen=True)
class Version:
    """A published process."""

    id: int
    key: str
    number: int
    name: str
    digest: str
    published_at: datetime
    published_by: str
    reason: str


_COLUMNS = (
    process_versions.c.id,
    process_versions.c.key,
    process_versions.c.number,
    process_versions.c.name,
    process_versions.c.digest,
    process_versions.c.published_at,
    process_versions.c.published_by,
    process_versions.c.reason,
)


def hold_process(connection: Connection, key: str) -> None:
    """Nobody else submits, publishes or retires anything of this process before the transaction ends; SQLite has one writer anyhow."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(CHANGING, func.hashtext(key))))


def publish(connection: Connection, id: int, package: Package, now: datetime, *, by: str, reason: str) -> Version:
    """Freezes a package as the next version of its process; raises `VersionRefused` when it may not be published."""
    problems = check_package(package)
    if not publishable(problems):
        raise VersionRefused(problems)
    key = package.diagram.main.id
    hold_process(connection, key)
    latest = connection.scalar(select(func.max(process_versions.c.number)).where(process_versions.c.key == key))
    version = Version(id, key, (latest or 0) + 1, package.diagram.main.name or key, package.digest, now, by, reason)
    stored = {"files": _stored(package.files), "rehearsed": _stored(package.rehearsed)}
    connection.execute(insert(process_versions).values(**stored, **version.__dict__))
    return version


def _stored(files: Mapping[str, bytes]) -> str:
    return dumps({name: text.decode() for name, text in files.items()})


def retire(connection: Connection, key: str, now: datetime, *, by: str, reason: str) -> None:
    """Lets nothing start on the process any more until a version of it is published again; raises `NoSuchVersion`."""
    number = latest_version(connection, key).number
    connection.execute(insert(retirements).values(key=key, number=number, at=now, by=by, reason=reason))


def retired_up_to(connection: Connection) -> Mapping[str, int]:
    """By process, the number of the last version that is retired."""
    latest = select(retirements.c.key, func.max(retirements.c.number)).group_by(retirements.c.key)
    return dict(connection.execute(latest).all())


def latest_version(connection: Connection, key: str) -> Version:
    """The version that new instances of a process start on; raises `NoSuchVersion`, also when the process is retired."""
    over = select(func.max(retirements.c.number)).where(retirements.c.key == key).scalar_subquery()
    started_on = (process_versions.c.key == key) & (process_versions.c.number > func.coalesce(over, 0))
    row = connection.execute(select(*_COLUMNS).where(started_on).order_by(process_versions.c.number.desc()).limit(1)).one_or_none()
    if row is None:
        raise NoSuchVersion(key)
    return Version(*row)


def latest_versions(connection: Connection) -> list[Version]:
    """The versions that new instances start on, one a process that is not retired."""
    over = select(func.max(retirements.c.number)).where(retirements.c.key == process_versions.c.key).scalar_subquery()
    latest = select(process_versions.c.key, func.max(process_versions.c.number).label("number")).group_by(process_versions.c.key).subquery()
    on = (latest.c.key == process_versions.c.key) & (latest.c.number == process_versions.c.number)
    query = select(*_COLUMNS).join(latest, on).where(process_versions.c.number > func.coalesce(over, 0))
    return [Version(*row) for row in connection.execute(query.order_by(process_versions.c.name, process_versions.c.key))]


def versions(connection: Connection, key: str | None = None) -> list[Version]:
    """The published versions, the newest first."""
    query = select(*_COLUMNS).order_by(process_versions.c.key, process_versions.c.number.desc())
    if key is not None:
        query = query.where(process_versions.c.key == key)
    return [Version(*row) for row in connection.execute(query)]


class _Shelf:
    """Prepared packages by digest, shared by all instances and threads; the least used leave first."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.held: OrderedDict[str, Package] = OrderedDict()
        self.lock = Lock()

    def take(self, digest: str) -> Package | None:
        with self.lock:
            if digest in self.held:
                self.held.move_to_end(digest)
            return self.held.get(digest)

    def put(self, digest: str, package: Package) -> Package:
        with self.lock:
            self.held[digest] = package
            while len(self.held) > self.size:
                self.held.popitem(last=False)
        return package


_shelf = _Shelf(size=64)


def package_of(connection: Connection, version_id: int, digest: str | None = None) -> Package:
    """The prepared package of a version; raises `NoSuchVersion`."""
    if digest and (package := _shelf.take(digest)):
        return package
    this = process_versions.c.id == version_id
    digest = connection.scalar(select(process_versions.c.digest).where(this))
    if digest is None:
        raise NoSuchVersion(str(version_id))
    if package := _shelf.take(digest):
        return package
    return _shelf.put(digest, frozen_package(thaw(connection.scalar(select(process_versions.c.files).where(this)) or "")))


def version_then(connection: Connection, instance_id: int, version_id: int, at: datetime) -> int:
    """The version that an instance, of `version_id` now, was on at a moment."""
    since = (commands.c.instance_id == instance_id) & commands.c.kind.in_(MOVES) & (commands.c.at >= at)
    left = connection.scalar(select(commands.c.data).where(since).order_by(commands.c.seq).limit(1))
    return int(loads(left)[1]["from"]) if left else version_id


def programs(connection: Connection) -> Callable[[int], Program]:
    """The programs of versions by their ids, each looked up once; raises `NoSuchVersion`."""
    return cache(lambda version_id: package_of(connection, version_id).program)


def whole_package(connection: Connection, version_id: int) -> Package:
    """The package of a version with the scenarios it was published with; raises `NoSuchVersion`."""
    stored = (process_versions.c.files, process_versions.c.rehearsed)
    row = connection.execute(select(*stored).where(process_versions.c.id == version_id)).one_or_none()
    if row is None:
        raise NoSuchVersion(str(version_id))
    return frozen_package({**thaw(row.files), **thaw(row.rehearsed or "{}")})


def thaw(files: str) -> Mapping[str, bytes]:
    """The files of a version as they were published."""
    return {name: text.encode() for name, text in loads(files).items()}


def service_of(connection: Connection, instance_id: int, element: str) -> str:
    """Which service an element of an instance's diagram calls; raises `NoSuchInstance`."""
    version_id = connection.scalar(select(instances.c.version_id).where(instances.c.id == instance_id))
    if version_id is None:
        raise NoSuchInstance
    return package_of(connection, version_id).diagram.nodes[element].settings["service"]["name"]
