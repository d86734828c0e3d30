from __future__ import annotations

from collections.abc import Iterator

import pytest

from governance.context import Context
from tests.district import District


@pytest.fixture(scope="package")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    made = District(tmp_path_factory.mktemp("district"))
    yield made
    made.close()


@pytest.fixture
def context(built: District) -> Iterator[Context]:
    """A unit of work in a whole district; nothing of it is kept."""
    with built.office.work() as context, context.session.begin_nested() as savepoint:
        yield context
        savepoint.rollback()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def district(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """A whole district on each database, for the tests of a module; whatever they did, its record stays whole."""
    url = request.getfixturevalue("empty_postgres")() if request.param == "postgresql" else ""
    made = District(tmp_path_factory.mktemp("district"), url)
    yield made
    assert made.findings() == []
    made.close()
