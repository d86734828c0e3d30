"""Opens a database so that transactions mean the same on SQLite and PostgreSQL.

On SQLite a writing transaction takes the write lock when it begins, so that what it reads stays true until it commits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError

BUSY, FULL = "busy", "full"
"""Why a database could not do what it was asked: it is at work, away or starting; its disk has no space left."""
_SQLITE = {"SQLITE_BUSY": BUSY, "SQLITE_LOCKED": BUSY, "SQLITE_FULL": FULL, "SQLITE_IOERR_SHMSIZE": FULL}
_POSTGRES_DISK_FULL = "53100"

WRITING = {"sqlite_begin": "BEGIN IMMEDIATE"}
"""Execution options of a connection whose transaction will write."""

READING = {"postgresql_readonly": True}
"""Execution options of a connection whose transaction only reads."""

DISCREET = {"hide_parameters": True}
"""What goes wrong in the database is logged with its statement, never with what people wrote."""


def open_database(url: str | URL, **options: Any) -> Engine:
    """An engine for `url`; raises `sqlalchemy.exc.ArgumentError` when it is no database URL."""
    engine = create_engine(make_url(url), **DISCREET, **options)
    prepare(engine)
    return engine


def prepare(engine: Engine) -> None:
    """Gives SQLite its pragmas and its explicit transactions; PostgreSQL needs nothing."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write; commits when the block ends, rolls back when it raises."""
    with engine.connect().execution_options(**WRITING) as connection, connection.begin():
        yield connection


def trouble(error: OperationalError) -> str | None:
    """`BUSY` or `FULL`; None when the fault is ours, which SQLite calls by the same name.

    SQLite ends a transaction that finds no space, so that what is then said of its savepoints hides the reason.
    """
    name = getattr(error.orig, "sqlite_errorname", None)
    if name is None:
        return FULL if getattr(error.orig, "sqlstate", None) == _POSTGRES_DISK_FULL else BUSY
    before = error.orig.__context__ if error.orig else None
    hidden = trouble(before) if isinstance(before, OperationalError) else None
    return next((kind for prefix, kind in _SQLITE.items() if name.startswith(prefix)), hidden)


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One reading transaction that sees a single moment, whatever others commit meanwhile."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True} if engine.dialect.name == "postgresql" else {}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 15000", "foreign_keys = ON", "cache_size = -16000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))
