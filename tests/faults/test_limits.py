"""An address that asks too often is slowed down, also across processes."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from tests.conftest import leave_out
from tests.district import District
from tests.faults.storm.servers import free_port
from wuzhang.app import create_app

REDIS = os.environ.get("WUZHANG_TEST_REDIS_URL", "redis://127.0.0.1:6379/0")


@pytest.fixture(params=["memory", "redis"])
def redis_url(request: pytest.FixtureRequest) -> str:
    if request.param == "memory":
        return ""
    client = redis.Redis.from_url(REDIS, socket_connect_timeout=2)
    try:
        client.ping()
    except redis.ConnectionError:
        leave_out("Redis")
    finally:
        client.close()
    return REDIS


def test_with_redis_away_each_process_counts_by_itself(tmp_path: Path) -> None:
    district = District(tmp_path)
    app = create_app(replace(district.config, redis_url=f"redis://127.0.0.1:{free_port()}/0"), district.clock)
    district.apps.append(app)
    asked = {"username": "nobody", "password": "wrong-password"}
    answers = [app.test_client().post("/api/v1/tokens", json=asked).status_code for _ in range(31)]
    assert answers == [401] * 30 + [429]
    district.close()


def test_guessing_passwords_is_slowed_down(tmp_path: Path, redis_url: str) -> None:
    district = District(tmp_path)
    app = create_app(replace(district.config, redis_url=redis_url), district.clock)
    district.apps.append(app)
    client, address = app.test_client(), f"10.{secrets.randbelow(250)}.{secrets.randbelow(250)}.{secrets.randbelow(250)}"
    page = client.get("/login").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"csrf_token": token, "username": "nobody", "password": "wrong-password"}
    answers = [client.post("/login", data=form, environ_base={"REMOTE_ADDR": address}) for _ in range(31)]
    assert [a.status_code for a in answers] == [422] * 30 + [429]
    assert "过于频繁" in answers[-1].get_data(as_text=True)
    district.close()
