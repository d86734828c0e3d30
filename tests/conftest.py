"""What tests share: databases of their own, which they drop."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from engine.database import open_database
from engine.schema import guards, metadata

POSTGRES = os.environ.get("WUZHANG_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
_left_out: set[str] = set()


def leave_out(what: str) -> None:
    """Skips what this machine cannot run, and says so once at the end; CI must be able to run everything."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is not reachable")
    _left_out.add(what)
    pytest.skip(f"{what} is not reachable")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for what in sorted(_left_out):
        terminalreporter.write_line(f"未运行：需要 {what} 的测试（未连接）。")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[URL]:
    """A PostgreSQL database of this run's own."""
    home = make_url(POSTGRES)
    name = f"wuzhang_test_{secrets.token_hex(6)}"
    server = create_engine(home, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    try:
        with server.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
    except OperationalError:
        server.dispose()
        leave_out("PostgreSQL")
    yield home.set(database=name)
    with server.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    server.dispose()


@pytest.fixture(scope="session")
def empty_postgres(postgres_url: URL) -> Callable[[], str]:
    """Empties the PostgreSQL database of this run, and gives its address."""

    def empty() -> str:
        engine = create_engine(postgres_url)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        engine.dispose()
        return postgres_url.render_as_string(hide_password=False)

    return empty


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database with every table of the engine, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        engine = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    else:
        engine = open_database(request.getfixturevalue("empty_postgres")())
    with engine.begin() as connection:
        metadata.create_all(connection)
        for guard in guards(engine.dialect.name):
            connection.exec_driver_sql(guard)
    yield engine
    engine.dispose()
