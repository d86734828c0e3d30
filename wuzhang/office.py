"""Units of work outside of a request: commands, jobs, the demo."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache

from celery import Celery
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Engine
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from bpmn import shipped
from engine.anchor import Anchor
from engine.database import WRITING, open_database, writing
from engine.ids import Chance, new_id
from engine.packages import read_package
from engine.signatures import Signer
from engine.versions import publish, versions
from governance.calendar.commands import seed_year
from governance.calendar.errors import YearNotPublished
from governance.context import Context
from governance.privacy import Sealer
from governance.voting.commands import seed_rules
from jobs.queue import make_queue
from jobs.runner import Notary, Runner
from jobs.services import Webhooks
from wuzhang.config import Config
from wuzhang.migrate import is_current, upgrade
from wuzhang.roles import grant, granted


class SchemaBehind(Exception):
    """数据库的结构不是最新的，或者当前的数据库角色没有权限。请由表的所有者执行 wuzhang init。"""

    def __str__(self) -> str:
        return (type(self).__doc__ or "").strip()


@dataclass(frozen=True)
class Office:
    """A deployment, as commands and jobs use it."""

    config: Config
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    chance: Chance = secrets.randbits

    @cached_property
    def database(self) -> Engine:
        return open_database(self.config.database_url)

    @cached_property
    def sealer(self) -> Sealer:
        return Sealer(self.config.secret_key)

    @cached_property
    def signer(self) -> Signer:
        return Signer(self.config.secret_key)

    @property
    def anchor(self) -> Anchor:
        return Anchor(self.config.anchor)

    def context(self, session: Session) -> Context:
        return Context(session, self.now, lambda: new_id(self.now(), self.chance), self.sealer, self.config.data_dir)

    @contextmanager
    def work(self) -> Iterator[Context]:
        """One transaction that may write."""
        with Session(self.database) as session, session.begin():
            session.connection(execution_options=WRITING)
            yield self.context(session)

    @property
    def runner(self) -> Runner:
        notary = Notary(self.signer, self.anchor)
        return Runner(self.database, self.context, self.now, Webhooks(dict(self.config.services)), notary)

    @cached_property
    def queue(self) -> Celery:
        """The wake-ups of a deployment with workers."""
        return make_queue(self.config.redis_url, self.own_runner)

    def own_runner(self) -> Runner:
        """The runner of the process that asks: workers are forked, and connections are not shared across a fork."""
        return _own_runner(os.getpid(), self.config)

    def prepare(self) -> None:
        """Brings the database up to date: tables, shipped processes and vote rules, the holidays of these years. Raises `SchemaBehind`."""
        with writing(self.database) as connection, _own_tables():
            if not is_current(connection):
                upgrade(connection)
                for role in granted(connection):
                    grant(connection, role)
        with self.work() as context:
            self._publish_shipped(context)
            seed_rules(context)
            for year in (context.today.year - 1, context.today.year, context.today.year + 1):
                try:
                    seed_year(context.session, year)
                except YearNotPublished:
                    continue

    def require_current(self) -> None:
        """For those who are not to change tables; raises `SchemaBehind`."""
        with self.database.connect() as connection, _own_tables():
            if not is_current(connection):
                raise SchemaBehind

    def _publish_shipped(self, context: Context) -> None:
        """Publishes a shipped package when none of its process has been published yet."""
        connection = context.session.connection()
        known = {version.key for version in versions(connection)}
        for key, folder in shipped().items():
            if key not in known:
                publish(connection, context.new_id(), read_package(folder), self.now(), by="system", reason="随产品发布")


@contextmanager
def _own_tables() -> Iterator[None]:
    """Says in a sentence that only the owner of the tables may do this."""
    try:
        yield
    except ProgrammingError as error:
        if isinstance(error.orig, InsufficientPrivilege):
            raise SchemaBehind from error
        raise


@lru_cache(maxsize=1)
def _own_runner(_pid: int, config: Config) -> Runner:
    return Office(config).runner
