from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.district import District


@pytest.fixture(params=["sqlite", "postgresql"])
def district(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[District]:
    """A district on each database."""
    url = ""
    if request.param == "postgresql":
        given = request.getfixturevalue("postgres_url")
        url = given.render_as_string(hide_password=False)
        _empty(url)
    made = District(tmp_path, url)
    yield made
    made.close()


def _empty(url: str) -> None:
    from engine.database import open_database

    engine = open_database(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()
