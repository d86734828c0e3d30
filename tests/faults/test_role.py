"""The application under a PostgreSQL role of its own: everything works, and the record cannot be touched."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from engine.database import open_database, writing
from tests.district import District
from tests.faults.people import first_task, report, sign_in
from wuzhang.cli import main
from wuzhang.migrate import downgrade
from wuzhang.office import Office, SchemaBehind
from wuzhang.roles import RoleRefused, grant

ACCEPT = {"accept_result": "accept", "category": "0205", "opinion": "情况属实"}


REFUSED = (
    "UPDATE commands SET kind = 'claim'",
    "UPDATE commands SET data = NULL, erasure = '{}'",
    "DELETE FROM commands",
    "TRUNCATE commands",
    "TRUNCATE instances CASCADE",
    "ALTER TABLE commands DISABLE TRIGGER commands_freeze",
    "ALTER TABLE commands DISABLE TRIGGER ALL",
    "DROP TRIGGER commands_freeze ON commands",
    "DROP TABLE commands CASCADE",
    "DROP FUNCTION allow_erasure CASCADE",
    "CREATE OR REPLACE FUNCTION allow_erasure() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
    "CREATE TABLE mine (id int)",
    "SET session_replication_role = replica",
    "UPDATE process_versions SET files = '{}'",
    "DELETE FROM process_versions",
    "UPDATE checkpoints SET size = 0",
    "DELETE FROM checkpoints",
    "TRUNCATE checkpoints CASCADE",
    "UPDATE checkpoint_heads SET number = 0",
    "DELETE FROM checkpoint_heads",
    "UPDATE alembic_version SET version_num = '0001'",
)


@pytest.fixture(scope="module")
def role(postgres_url: URL) -> Iterator[str]:
    """A role that may log in and nothing else, named so that quoting matters."""
    name, server = f"五长 app-{secrets.token_hex(4)}", create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f'CREATE ROLE "{name}" LOGIN')
    yield name
    with server.connect() as connection:
        connection.exec_driver_sql(f'DROP OWNED BY "{name}"')
        connection.exec_driver_sql(f'DROP ROLE "{name}"')
    server.dispose()


@pytest.fixture
def district(postgres_url: URL, empty_postgres: Callable[[], str], role: str, tmp_path: Path) -> Iterator[District]:
    """Laid out by the owner, at work under the role."""
    made = District(tmp_path, empty_postgres())
    with made.office.database.begin() as connection:
        grant(connection, role)
    made.office.database.dispose()
    made.config = replace(made.config, database_url=postgres_url.set(username=role).render_as_string(hide_password=False))
    made.office = Office(made.config, made.clock)
    yield made
    made.close()


@pytest.fixture
def owner(district: District, postgres_url: URL) -> Iterator[Engine]:
    engine = open_database(postgres_url)
    yield engine
    engine.dispose()


def test_the_application_works_under_it(district: District) -> None:
    district.office.prepare()
    district.office.require_current()
    app = district.app()
    report(app)
    worker = sign_in(app, district, "wanggeyuan")
    path = first_task(worker)
    assert worker.post(f"{path}/complete", path, **ACCEPT).status_code == 302
    district.clock.pass_by(days=5)
    district.tick()
    lines = list(district.office.anchor.lines(district.office.anchor.extent()))
    assert lines and district.findings() == []


def test_the_record_is_out_of_its_reach(district: District) -> None:
    for statement in REFUSED:
        with pytest.raises(ProgrammingError) as refused, writing(district.office.database) as connection:
            connection.execute(text(statement))
        assert "permission denied" in str(refused.value) or "must be owner" in str(refused.value), statement


def test_it_is_told_when_the_tables_are_behind(district: District, owner: Engine) -> None:
    with owner.begin() as connection:
        downgrade(connection, "0005")
    for ask in (district.office.prepare, district.office.require_current):
        with pytest.raises(SchemaBehind, match=r"请由表的所有者执行 wuzhang init。$"):
            ask()


def test_a_migration_renews_its_rights(district: District, owner: Engine) -> None:
    with owner.begin() as connection:
        downgrade(connection, "0005")
    above = Office(replace(district.config, database_url=owner.url.render_as_string(hide_password=False)), district.clock)
    above.prepare()
    above.database.dispose()
    with writing(district.office.database) as connection:
        assert connection.scalar(text("SELECT count(*) FROM checkpoints")) == 0


def test_who_owns_the_tables_cannot_be_the_role(owner: Engine, district: District) -> None:
    for name, why in ((owner.url.username or "", "超级用户"), ("nobody-of-this-name", "没有数据库角色")):
        with pytest.raises(RoleRefused, match=why), owner.begin() as connection:
            grant(connection, name)


def test_init_says_so_on_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WUZHANG_DATA_DIR", str(tmp_path))
    said = CliRunner().invoke(main, ["init", "--role", "app"])
    assert said.exit_code == 1 and "只有 PostgreSQL 有数据库角色" in said.output


def test_init_grants(district: District, owner: Engine, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WUZHANG_DATA_DIR", str(district.folder))
    monkeypatch.setenv("WUZHANG_DATABASE_URL", make_url(owner.url).render_as_string(hide_password=False))
    said = CliRunner().invoke(main, ["init", "--role", role])
    assert said.exit_code == 0 and f"应用请以角色 {role} 连接" in said.output, said.output
