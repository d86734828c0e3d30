"""A district with work in it, on a database of its own, to be measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, select

from engine.schema import tasks
from governance.cases.commands import Report
from governance.context import Context
from governance.intake.commands import report
from governance.organisation.models import Kind
from governance.organisation.queries import of_kind
from tests.bench.client import Client
from tests.bench.measure import backends, database, opened, served, spent
from tests.district import Clock, District

SECRET = "test secret " * 4
WORKER = "wanggeyuan"
BATCH = 50


@dataclass(frozen=True)
class Desk:
    """A served district where tasks wait for one grid worker."""

    address: str
    web: int
    engine: Engine
    place: int
    waiting: list[int]

    def spent(self) -> float:
        """CPU milliseconds of the web process and the database so far."""
        return spent([self.web, *backends(self.engine)])

    def take(self, n: int) -> list[int]:
        """So many tasks that nobody has touched."""
        taken, self.waiting[:n] = self.waiting[:n], []
        if len(taken) < n:
            raise RuntimeError("too few tasks")
        return taken

    def client(self) -> Client:
        client = Client(self.address)
        client.take_token(WORKER, District.password)
        return client


@contextmanager
def desk(kind: str, folder: Path, cases: int) -> Iterator[Desk]:
    """A district served on a database of this kind, where so many reports wait to be accepted."""
    with database(kind, folder) as url:
        made = District(folder, url, Clock(datetime.now(UTC)))
        for done in range(0, cases, BATCH):
            with made.office.work() as context:
                place = reported(context, min(BATCH, cases - done), done)
        made.close()
        with opened(url) as engine, served(url, folder, SECRET) as (address, pid):
            with engine.connect() as connection:
                unaccepted = select(tasks.c.id).where(tasks.c.element == "accept_case", tasks.c.closed_at.is_(None))
                waiting = list(connection.scalars(unaccepted.order_by(tasks.c.id)))
            yield Desk(address, pid, engine, place, waiting)


def reported(context: Context, n: int, begin: int = 0) -> int:
    """So many reports from one building; its id."""
    place = of_kind(context.session, Kind.BUILDING)[0]
    for number in range(begin, begin + n):
        report(context, Report(f"楼道里的排水管漏水，第 {number} 处，请尽快来看。", place, "居民匿名", f"key {number:08d}"))
    return place.id
