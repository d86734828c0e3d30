"""Migrations give what the models say, and can be taken back, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from engine.database import open_database
from engine.schema import guards
from wuzhang.migrate import downgrade, upgrade
from wuzhang.models import metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "sqlite":
        return open_database(f"sqlite:///{tmp_path / 'm.db'}")
    return open_database(request.getfixturevalue("empty_postgres")())


def test_upgrading_from_empty_equals_the_models_and_can_be_taken_back(empty: Engine) -> None:
    with empty.begin() as connection:
        upgrade(connection)
    with empty.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
        assert len(metadata.tables) > 15
    with empty.begin() as connection:
        downgrade(connection)
    assert inspect(empty).get_table_names() == ["alembic_version"]
    empty.dispose()


def test_the_guards_of_the_migration_are_those_of_the_schema(empty: Engine) -> None:
    with empty.begin() as connection:
        upgrade(connection)
        names = (
            "tgname FROM pg_trigger WHERE NOT tgisinternal"
            if empty.dialect.name == "postgresql"
            else "name FROM sqlite_master WHERE type = 'trigger'"
        )
        made = set(connection.scalars(text(f"SELECT {names}")))
    wanted = {guard.split()[2] for guard in guards(empty.dialect.name) if guard.startswith("CREATE TRIGGER")}
    assert made == wanted != set()
    empty.dispose()
