"""A PostgreSQL and a Redis of the storm's own, which it may stop, flush and fill up."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis

FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT
"""How PostgreSQL stops: it hangs up on everybody, or it drops everything as a power cut would."""
PATIENCE = 60.0


class Missing(Exception):
    """What this machine lacks."""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def until(holds: Callable[[], object], what: str, patience: float = PATIENCE) -> float:
    """Waits for something, and says how many seconds it took; raises `AssertionError` when it does not come."""
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > patience:
            raise AssertionError(f"it did not happen within {patience:.0f} s: {what}")
        time.sleep(0.05)
    return time.monotonic() - begun


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk that fills up soon; raises `Missing` where nothing can be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, text=True)
    if done.returncode:
        raise Missing("挂载 tmpfs 的权限（需要 root）")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Takes all the space there is; unlinking the file gives it back."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return ballast


@dataclass
class Postgres:
    """One server; its data lie in `folder`."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.user = "postgres" if os.getuid() == 0 else None
        self.data = self.folder / "postgres"
        self.data.mkdir(mode=0o700)
        if self.user:
            shutil.chown(self.data, self.user, self.user)
        words = ["-D", str(self.data), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--wal-segsize=1"]
        self._run(program("initdb"), *words)
        (self.data / "postgresql.conf").open("a").write("min_wal_size = 2MB\nmax_wal_size = 24MB\nmax_connections = 150\n")

    def _run(self, *words: str) -> None:
        done = subprocess.run(words, cwd=self.data, user=self.user, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def url(self, name: str = "postgres") -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        words = [program("postgres"), "-D", str(self.data), "-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.data)]
        with (self.folder / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen(words, cwd=self.data, user=self.user, stdout=log, stderr=log, start_new_session=True)
        until(self.answers, "PostgreSQL starts")

    def stop(self, how: signal.Signals = FAST) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=PATIENCE)

    def answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def execute(self, statement: str) -> None:
        with psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.port}/postgres", autocommit=True, connect_timeout=3) as connection:
            connection.execute(statement.encode())

    def copy(self, source: str, name: str) -> str:
        """A database like another that nobody uses just now."""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
        return self.url(name)


@dataclass
class Redis:
    """A broker that keeps nothing."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        words = [program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(words, cwd=self.folder, stdout=subprocess.DEVNULL, start_new_session=True)
        until(self.answers, "Redis starts")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def flush(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_connect_timeout=1) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


def program(name: str) -> str:
    """Where a server's program is; raises `Missing`."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    found = shutil.which(name) or (str(installed[-1]) if installed else None)
    if found is None:
        raise Missing(f"程序 {name}（Debian/Ubuntu：apt-get install postgresql redis-server）")
    return found
