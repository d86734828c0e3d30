"""The product at both sizes, each with the real services it is meant to run with."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import leave_out
from tests.district import District

ROOT = Path(__file__).parents[2]
PATIENCE = 40.0
"""Seconds to wait for what should happen at once; a busy machine takes its time."""


@dataclass
class Deployment:
    """A district and the processes that serve it."""

    district: District
    redis_port: int = 0
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environ(self) -> dict[str, str]:
        config = self.district.config
        given = {
            "WUZHANG_DATABASE_URL": config.database_url,
            "WUZHANG_SECRET_KEY": config.secret_key,
            "WUZHANG_DATA_DIR": str(config.data_dir),
            "WUZHANG_PORT": str(free_port()),
            "PYTHONPATH": str(ROOT),
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WUZHANG_") and name != "PORT"}
        return kept | given | ({"WUZHANG_REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0"} if self.redis_port else {})

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """One of our commands as a process of its own."""
        started = subprocess.Popen(
            [sys.executable, "-m", "wuzhang", *words],
            cwd=self.district.folder,
            env=self.environ,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.processes.append(started)
        return started

    def start_redis(self) -> subprocess.Popen[bytes]:
        """A broker of this test's own, which it may take away."""
        if shutil.which("redis-server") is None:
            leave_out("redis-server")
        words = ["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        started = subprocess.Popen(words, cwd=self.district.folder, stdout=subprocess.DEVNULL, start_new_session=True)
        self.processes.append(started)
        until(lambda: _answers(self.redis_port))
        return started

    def serve(self) -> None:
        """Everything that belongs to this size."""
        if self.redis_port:
            self.start_redis()
            self.start("worker")
            self.start("beat")
        self.start("serve")

    def stop(self) -> None:
        for process in reversed(self.processes):
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kills a process and those it has forked, as a power cut would."""
    if process.poll() is None:
        os.killpg(process.pid, 9)
        process.wait()


def until(holds: Callable[[], bool]) -> None:
    """Waits for something; fails when it does not come."""
    last = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < last, "it did not happen"
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def made(request: pytest.FixtureRequest, folder: Path, size: str) -> Deployment:
    if size == "embedded":
        return Deployment(District(folder))
    url = request.getfixturevalue("empty_postgres")()
    return Deployment(District(folder, url), free_port())


@pytest.fixture(params=["embedded", "production"])
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """SQLite with the thread in the web process, and PostgreSQL with Celery workers over Redis."""
    found = made(request, tmp_path, request.param)
    yield found
    found.stop()
    found.district.close()


@pytest.fixture
def production(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    found = made(request, tmp_path, "production")
    yield found
    found.stop()
    found.district.close()
