"""A deployment under the storm: a district on a database of its own, and the processes that serve it."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from engine.versions import Version, publish
from governance.identity.commands import issue_token
from governance.identity.models import Account
from governance.organisation.models import Kind, Unit
from governance.people.models import Appointment
from governance.workflow.world import instances
from tests.diagrams import Drawing, started, timer
from tests.district import District
from tests.engine.durable import package
from tests.faults.storm.nursery import Nursery, alive, members
from tests.faults.storm.servers import Postgres, Redis, free_port
from wuzhang.config import Config
from wuzhang.office import Office

SECRET = "storm secret " * 4
COMMUNITY = "500199001001"
"""Where everything happens, so that people meet over the same tasks."""


def now() -> datetime:
    return datetime.now(UTC)


def metronome() -> Drawing:
    """Waits a second, and again, until it is told to stop."""
    drawn = started("again").node("exclusiveGateway", "again").node("exclusiveGateway", "more", default="f_more_again")
    drawn.node("intermediateCatchEvent", "tick", timer("duration", "PT1S"))
    return drawn.chain("again", "tick", "more", "again").flow("more", "e", "stopped == true").ends("e")


def caller(service: str) -> Drawing:
    settings = f'<extensionElements><wz:service name="{service}"/></extensionElements>'
    return started("x", "e").node("serviceTask", "x", settings).ends("e")


@dataclass
class Seed:
    """A district with accounts and tokens, built once and copied for every act."""

    url: str
    folder: Path
    tokens: dict[str, str]
    places: list[str]

    @staticmethod
    def district(folder: Path, url: str = "") -> District:
        """A district that lives today."""
        folder.mkdir(parents=True)
        return District(folder, url, clock=now)  # type: ignore[arg-type]

    @classmethod
    def sown(cls, url: str, folder: Path) -> Seed:
        district = cls.district(folder, url)
        with district.office.work() as context:
            inside = Unit.code.startswith(COMMUNITY)
            posts = select(Appointment.person_id).join(Unit).where(inside | (Unit.code == COMMUNITY[:9]))
            accounts = context.session.scalars(select(Account).where(Account.person_id.in_(posts))).all()
            tokens = {a.username: issue_token(context.session, a, context.new_id(), context.now()) for a in accounts}
            places = sorted(context.session.scalars(select(Unit.code).where(inside, Unit.kind == Kind.BUILDING)))
        district.close()
        return cls(district.config.database_url, folder, tokens, places)


@dataclass
class House:
    """What serves: web processes, workers, beats."""

    seed: Seed
    nursery: Nursery
    folder: Path
    database: str
    redis: Redis | None = None
    services: Mapping[str, str] = field(default_factory=dict)
    data: Path | None = None
    webs: dict[int, int] = field(default_factory=dict)
    others: dict[int, str] = field(default_factory=dict)

    @classmethod
    def on_postgres(cls, seed: Seed, nursery: Nursery, server: Postgres, redis: Redis, name: str, **more: object) -> House:
        return cls(seed, nursery, seed.folder.parent / name, server.copy("seed", name), redis, **more)  # type: ignore[arg-type]

    @classmethod
    def on_sqlite(cls, seed: Seed, nursery: Nursery, name: str, **more: object) -> House:
        folder = seed.folder.parent / name
        data = more.get("data") or folder
        assert isinstance(data, Path)
        data.mkdir(exist_ok=True)
        shutil.copy(seed.folder / "wuzhang.db", data / "wuzhang.db")
        return cls(seed, nursery, folder, f"sqlite:///{data / 'wuzhang.db'}", **more)  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.data = self.data or self.folder
        self.config = Config(self.database, SECRET, self.data, "127.0.0.1", 0, 4, "", False)
        self.office = Office(self.config)

    def environ(self, port: int) -> dict[str, str]:
        given = {
            "WUZHANG_DATABASE_URL": self.database,
            "WUZHANG_SECRET_KEY": SECRET,
            "WUZHANG_DATA_DIR": str(self.data),
            "WUZHANG_PORT": str(port),
            "WUZHANG_SERVICES": ",".join(f"{name}={url}" for name, url in self.services.items()),
        }
        return given | ({"WUZHANG_REDIS_URL": self.redis.url} if self.redis else {})

    def serve(self, port: int = 0) -> int:
        """Starts a web process, on the port of one that was killed or on a new one."""
        port = port or free_port()
        self.webs[port] = self.nursery.bear(["serve"], self.environ(port), f"{self.folder.name}-web-{port}")
        return port

    def start(self, *words: str) -> int:
        pid = self.nursery.bear(words, self.environ(1), f"{self.folder.name}-{words[0]}")
        self.others[pid] = " ".join(words)
        return pid

    def open(self, webs: int, workers: int = 0, beats: int = 0) -> None:
        for _ in range(webs):
            self.serve()
        for _ in range(workers):
            self.start("worker", "--processes", "2")
        for _ in range(beats):
            self.start("beat")

    def kill(self, dice: random.Random) -> str:
        """Kills one process or group at random and starts it anew; says what it was."""
        port, chosen = dice.choice([*((p, 0) for p in self.webs), *((0, pid) for pid, words in self.others.items() if "worker" in words)])
        if port:
            self.nursery.end(self.webs[port])
            self.serve(port)
            return "web"
        words = self.others[chosen]
        if dice.random() < 0.5 and (forked := members(chosen)[1:]):
            os.kill(dice.choice(forked), signal.SIGKILL)
            return "worker child"
        self.nursery.end(chosen)
        del self.others[chosen]
        self.start(*words.split())
        return "worker"

    def dead(self) -> list[str]:
        """What should run and does not."""
        running = {**dict.fromkeys(self.webs.values(), "web"), **self.others}
        return [words for pid, words in running.items() if not alive(pid)]

    def renew(self) -> None:
        """Kills everything and starts it again, with nothing remembered."""
        for port, pid in list(self.webs.items()):
            self.nursery.end(pid)
            self.serve(port)
        for pid, words in list(self.others.items()):
            self.nursery.end(pid)
            del self.others[pid]
            self.start(*words.split())

    def publish(self, drawing: Drawing) -> Version:
        with self.office.work() as context:
            return publish(context.session.connection(), context.new_id(), package(drawing), context.now(), by="storm", reason="storm")

    def begin(self, version: Version, name: str) -> int:
        """Starts an instance of a process of the storm's own."""
        with self.office.work() as context:
            where = context.session.scalars(select(Unit.id).where(Unit.kind == Kind.GRID).order_by(Unit.id)).first()
            return (
                instances(context)
                .start(version, {"place_unit": str(where), "stopped": False}, {"person": "1"}, business_key=name)
                .instance_id
            )

    def close(self) -> None:
        for pid in [*self.webs.values(), *self.others]:
            self.nursery.end(pid)
        self.office.database.dispose()
