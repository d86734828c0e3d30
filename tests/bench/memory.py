"""What processes keep: a web process over ten thousand requests, web, worker and database with thousands of open instances."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import text

from tests.bench.client import Client
from tests.bench.measure import REDIS, backends, database, opened, resident, running, served
from tests.bench.places import SECRET, reported
from tests.district import District

REQUESTS, REPORTED_AT = 10_000, (1_000, 2_000, 5_000, 10_000)
INSTANCES = 3_000
CLERK = "lianxi"


def memory(kind: str, folder: Path) -> dict[str, Any]:
    """Resident megabytes."""
    with database(kind, folder) as url:
        district = District(folder, url)
        with district.office.work() as context:
            place = reported(context, 20)
        with served(url, folder, SECRET, alone=kind == "sqlite") as (address, web):
            sizes = _requests(address, web, place)
        result: dict[str, Any] = {"web_mb_after_requests": sizes, "growth_mb": round(sizes[str(REQUESTS)] - sizes["2000"], 1)}
        if kind == "postgresql":
            result["with_open_instances"] = _open(district, url, folder)
        district.close()
    return result


def _requests(address: str, web: int, place: int) -> dict[str, float]:
    client, sizes = Client(address), {}
    client.sign_in(CLERK, District.password)
    client.take_token(CLERK, District.password)
    pages = ("/", "/login", "/inbox", "/inbox?box=done", "/api/v1/tasks", "/api/v1/tasks?box=done")
    for number in range(1, REQUESTS + 1):
        client.get("/api/v1/openapi.json" if number % 500 == 0 else pages[number % len(pages)])
        if number in REPORTED_AT:
            sizes[str(number)] = resident(web)
    return sizes


def _open(district: District, url: str, folder: Path) -> dict[str, Any]:
    """The same processes beside few and beside many open instances."""
    before = _beside(url, folder)
    for done in range(20, INSTANCES, 50):
        with district.office.work() as context:
            reported(context, 50, done)
    after = _beside(url, folder)
    with opened(url) as engine, engine.connect() as connection:
        size = connection.scalar(text("SELECT pg_database_size(current_database())")) or 0
    return {"instances": INSTANCES, "before_mb": before, "after_mb": after, "database_kb_an_instance": round(size / INSTANCES / 1000, 1)}


def _beside(url: str, folder: Path) -> dict[str, float]:
    environ = {
        **os.environ,
        "WUZHANG_DATABASE_URL": url,
        "WUZHANG_DATA_DIR": str(folder),
        "WUZHANG_SECRET_KEY": SECRET,
        "WUZHANG_REDIS_URL": REDIS,
    }
    with served(url, folder, SECRET) as (address, web), running("worker --processes 1", environ, folder / "worker.log") as worker:
        client = Client(address)
        client.sign_in(CLERK, District.password)
        for _ in range(200):
            client.get("/inbox")
        with opened(url) as engine:
            return {
                "web": resident(web),
                "worker": resident(worker.pid),
                "database": round(sum(resident(pid) for pid in backends(engine)), 1),
            }
