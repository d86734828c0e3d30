from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.conftest import leave_out
from tests.district import District
from tests.journeys.browser import FLAGS, People


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser; the machine's own Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        leave_out("Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    made = District(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """A district that the tests of a module share; each works in a community of its own."""
    made = District(tmp_path_factory.mktemp("town"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def people(chromium: Browser, town: District) -> Iterator[People]:
    with town.served() as home:
        everybody = People(chromium, home, town.password)
        yield everybody
        everybody.leave()
