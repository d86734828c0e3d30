from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.api.clients import Client, signed_in
from tests.district import District


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    made = District(tmp_path_factory.mktemp("district"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def app(district: District) -> Flask:
    return district.app()


@pytest.fixture
def worker(app: Flask, district: District) -> Client:
    return signed_in(app, district, "wanggeyuan")


@pytest.fixture
def lead(app: Flask, district: District) -> Client:
    return signed_in(app, district, "wangge")


@pytest.fixture
def stranger(app: Flask, district: District) -> Client:
    return signed_in(app, district, "wanggeyuan05")


@pytest.fixture
def administrator(app: Flask, district: District) -> Client:
    return signed_in(app, district, "guanli")


@pytest.fixture
def auditor(app: Flask, district: District) -> Client:
    return signed_in(app, district, "shenji")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def built(request: pytest.FixtureRequest) -> Callable[[Path], District]:
    """Builds a district on each database."""
    url = request.getfixturevalue("empty_postgres")() if request.param == "postgresql" else ""
    return lambda folder: District(folder, url)
