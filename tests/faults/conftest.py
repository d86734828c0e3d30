from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.district import District


@pytest.fixture(params=["sqlite", "postgresql"])
def district(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[District]:
    """A district on each database."""
    url = request.getfixturevalue("empty_postgres")() if request.param == "postgresql" else ""
    made = District(tmp_path, url)
    yield made
    made.close()
