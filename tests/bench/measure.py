"""CPU time of processes, servers to measure, and medians over rounds."""

from __future__ import annotations

import os
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psutil
from redis import Redis
from sqlalchemy import URL, Engine, create_engine, make_url, text

from engine.database import open_database

REDIS = os.environ.get("WUZHANG_TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
"""Emptied before every measurement: it counts how often an address has asked."""
POSTGRES = os.environ.get("WUZHANG_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


def cpu(act: Callable[[], object]) -> float:
    """CPU milliseconds of this process that `act` took."""
    begun = time.process_time()
    act()
    return (time.process_time() - begun) * 1000


def spent(pids: Sequence[int]) -> float:
    """CPU milliseconds that these processes have used so far."""
    used = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(times.user + times.system for times in used) * 1000


def median(values: Sequence[float]) -> float:
    return round(statistics.median(values), 3)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed."""
    return round(sorted(values)[min(len(values) - 1, int(len(values) * share))], 3)


@contextmanager
def postgres() -> Iterator[URL]:
    """A database of this run's own."""
    home = make_url(POSTGRES)
    name = f"wuzhang_bench_{secrets.token_hex(6)}"
    server = create_engine(home, isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        try:
            yield home.set(database=name)
        finally:
            with server.connect() as connection:
                connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    finally:
        server.dispose()


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database of this kind: sqlite or postgresql."""
    folder.mkdir(parents=True)
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'wuzhang.db'}"
        return
    with postgres() as url:
        yield url.render_as_string(hide_password=False)


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    try:
        yield engine
    finally:
        engine.dispose()


def tidy(engine: Engine) -> None:
    """Gives back dead space, and lets the planner know what there is."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
        return
    kept = engine.raw_connection()
    raw: Any = kept.driver_connection
    for command in ("VACUUM", "ANALYZE"):
        raw.execute(command)
    kept.close()


def backends(engine: Engine) -> list[int]:
    """The processes that serve this database to others; none for SQLite, which works within its clients."""
    if engine.dialect.name == "sqlite":
        return []
    asked = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    with engine.connect() as connection:
        return list(connection.scalars(asked))


@contextmanager
def served(url: str, folder: Path, secret: str, *, alone: bool = False) -> Iterator[tuple[str, int]]:
    """`wuzhang serve` on a port of its own; its address and process id. Unless `alone`, it is one of several, as `docs/install.md` sets
    them up, and what is due is left to workers that are not there.
    """
    port = free_port()
    environ = {
        **os.environ,
        "WUZHANG_DATABASE_URL": url,
        "WUZHANG_DATA_DIR": str(folder),
        "WUZHANG_SECRET_KEY": secret,
        "WUZHANG_PORT": str(port),
        **({} if alone else {"WUZHANG_REDIS_URL": REDIS, "WUZHANG_THREADS": "1"}),
    }
    if not alone:
        Redis.from_url(REDIS).flushdb()
    with running("serve", environ, folder / "serve.log") as process:
        wait_for(port, process)
        yield f"127.0.0.1:{port}", process.pid


@contextmanager
def running(command: str, environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A `wuzhang` process, ended afterwards."""
    with log.open("wb") as out:
        process = _begin(command, environ, out)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=30)


def _begin(command: str, environ: dict[str, str], out: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "wuzhang", *command.split()], env=environ, stdout=out, stderr=out)


def resident(pid: int) -> float:
    """Resident megabytes of a process."""
    return round(float(psutil.Process(pid).memory_info().rss) / 1e6, 1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Returns once the port answers; raises `RuntimeError` when the process ends instead, `TimeoutError`."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"port {port}")
