"""An address that asks too often is slowed down, also across processes."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from time import time

import pytest
import redis
from limits import parse_many
from limits.errors import StorageError
from limits.storage import RedisStorage

from api.limits import AWAY, Asked
from tests.bench.measure import served
from tests.bench.places import SECRET
from tests.conftest import leave_out
from tests.district import District
from tests.faults.storm.servers import free_port
from wuzhang.app import create_app

REDIS = os.environ.get("WUZHANG_TEST_REDIS_URL", "redis://127.0.0.1:6379/0")


@pytest.fixture
def shared() -> str:
    """A Redis that several processes count in."""
    client = redis.Redis.from_url(REDIS, socket_connect_timeout=2)
    try:
        client.ping()
    except redis.ConnectionError:
        leave_out("Redis")
    finally:
        client.close()
    return REDIS


@pytest.fixture(params=["memory", "redis"])
def redis_url(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "memory" else str(request.getfixturevalue("shared"))


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
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    district.close()


def test_every_limit_counts_by_itself_and_the_longest_wait_is_told() -> None:
    asked, now = Asked(""), time()
    limits = parse_many("2 per minute; 3 per hour")
    assert [asked.too_often(limits, "sign_in", "10.0.0.1", now) for _ in range(2)] == [0, 0]
    assert 0 < asked.too_often(limits, "sign_in", "10.0.0.1", now) <= 61
    assert asked.too_often(limits, "sign_in", "10.0.0.2", now) == asked.too_often(limits, "report", "10.0.0.1", now) == 0


def test_processes_count_together_and_again_so_when_redis_is_back(shared: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there, now = Asked(shared), Asked(shared), time()
    limits, address = parse_many("3 per minute"), secrets.token_hex(8)

    def asks(one: Asked, at: float) -> bool:
        return one.too_often(limits, "sign_in", address, at) == 0

    def away(*_: object, **__: object) -> bool:
        raise StorageError(ConnectionError())

    assert asks(here, now) and asks(there, now)
    with monkeypatch.context() as broken:
        broken.setattr(RedisStorage, "acquire_entry", away)
        assert asks(here, now)
    assert asks(here, now + AWAY - 1)
    assert asks(here, now + AWAY) and not asks(there, now + AWAY)


@pytest.mark.parametrize("proxy, last", [("", 429), ("127.0.0.1", 401), ("192.0.2.1", 429)])
def test_only_the_proxy_is_believed_who_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str, last: int) -> None:
    monkeypatch.setenv("WUZHANG_PROXY", proxy)
    asked = json.dumps({"username": "nobody", "password": "wrong-password"})
    with served(f"sqlite:///{tmp_path / 'wuzhang.db'}", tmp_path, SECRET, alone=True) as (address, _):
        answers = []
        for number in range(31):
            connection = HTTPConnection(address, timeout=30)
            told = {"Content-Type": "application/json", "X-Forwarded-For": f"10.0.0.{number}"}
            connection.request("POST", "/api/v1/tokens", asked, told)
            answers.append(connection.getresponse().status)
            connection.close()
    assert answers == [401] * 30 + [last]
