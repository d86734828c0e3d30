"""Measures what a completion costs, whether long histories stay cheap, and what a serving process keeps.

Prints JSON. Times are CPU milliseconds of this process; the floor is the bare transaction of one completion's writes.
"""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, insert, select, update

from engine.database import open_database, writing
from engine.schema import guards, instances, metadata, outbox, tasks
from tests.district import District
from tests.engine.durable import Bench, package
from tests.engine.lives import rework
from wuzhang.demo.district import PASSWORD

COMPLETIONS = 120
ROUNDS = 300
REQUESTS = 5_000
PLACE = "5001990010010000100001"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        floor = bare_transaction(folder / "floor.db")
        result = {
            "machine": {"system": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()},
            "versions": {part: version(part) for part in ("sqlalchemy", "flask", "spiffworkflow", "waitress")},
            "floor_cpu_ms": floor,
            "completion": completions(folder / "district", floor),
            "growth": growth(folder / "growth.db"),
            "serving": serving(folder / "serving"),
        }
    print(json.dumps(result, ensure_ascii=False, indent=2))


def cpu(act: Callable[[], object]) -> float:
    """CPU milliseconds that `act` took."""
    begun = time.process_time()
    act()
    return (time.process_time() - begun) * 1000


def median(times: list[float]) -> float:
    return round(statistics.median(times), 3)


def bare_transaction(path: Path) -> float:
    """Four writes and a commit, as few as a completion can do, through SQLAlchemy Core."""
    engine = open_database(f"sqlite:///{path}")
    with engine.begin() as connection:
        metadata.create_all(connection)
    bench = Bench(engine)
    begun = bench.start(bench.publish(package(rework())), {"n": 1})

    def once(n: int) -> None:
        with writing(engine) as connection:
            connection.execute(select(instances).where(instances.c.id == begun.instance_id)).one()
            connection.execute(update(instances).values(revision=n))
            connection.execute(update(tasks).values(notice_stage=n))
            row = {"kind": "x", "name": "x", "body": "{}", "created_at": bench.clock(), "attempts": 0}
            connection.execute(insert(outbox), {"id": 2 * n, **row})
            connection.execute(insert(outbox), {"id": 2 * n + 1, **row})

    times = [cpu(lambda n=n: once(n)) for n in range(COMPLETIONS)]  # type: ignore[misc]
    engine.dispose()
    return median(times)


def completions(folder: Path, floor: float) -> dict[str, Any]:
    """Accepting a case through the JSON interface, in process, on the shipped package."""
    folder.mkdir()
    district = District(folder)
    app = district.app()
    client = app.test_client()
    token = client.post("/api/v1/tokens", json={"username": "wanggeyuan", "password": district.password}).get_json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    for number in range(COMPLETIONS):
        _report(client, number)
    waiting = _all_tasks(client, headers)
    counted = _Counted(app)
    times, statements, commits = [], [], []
    for task in waiting:
        counted.reset()
        body = {"data": {"accept_result": "accept", "category": "0205"}, "opinion": "情况属实。"}
        answers: list[int] = []
        times.append(cpu(lambda t=task, b=body, a=answers: a.append(_complete(client, headers, t, b))))  # type: ignore[misc]
        assert answers == [200], answers
        statements.append(counted.statements)
        commits.append(counted.commits)
    whole = district.findings() == []
    elements = len(_elements())
    district.close()
    return {
        "elements": elements,
        "completions": len(times),
        "cpu_ms_median": median(times),
        "ratio_to_floor": round(median(times) / floor, 2),
        "sql_statements": max(statements),
        "commits": max(commits),
        "record_whole": whole,
    }


def growth(path: Path) -> dict[str, Any]:
    """One instance through many rounds of rework: the last steps cost what the first did."""
    engine = open_database(f"sqlite:///{path}")
    with engine.begin() as connection:
        metadata.create_all(connection)
        for guard in guards("sqlite"):
            connection.exec_driver_sql(guard)
    bench = Bench(engine)
    begun = bench.start(bench.publish(package(rework())), {"n": 1})
    times = [cpu(lambda n=n: bench.complete(begun.instance_id, f"u#{n}", {"n": 1})) for n in range(1, ROUNDS + 1)]  # type: ignore[misc]
    engine.dispose()
    first, last = median(times[5:35]), median(times[-30:])
    return {"rounds": ROUNDS, "first_cpu_ms": first, "last_cpu_ms": last, "ratio": round(last / first, 2)}


def serving(folder: Path) -> dict[str, Any]:
    """The resident size of a serving process over many requests."""
    environ = {**os.environ, "WUZHANG_DATA_DIR": str(folder)}
    subprocess.run([sys.executable, "-m", "wuzhang", "demo", "--cases", "20"], env=environ, check=True, capture_output=True)
    port = _free_port()
    environ["WUZHANG_PORT"] = str(port)
    server = subprocess.Popen([sys.executable, "-m", "wuzhang", "serve"], env=environ, stdout=subprocess.PIPE, text=True)
    try:
        home = f"http://127.0.0.1:{port}"
        _wait_for(home)
        process, work = psutil.Process(server.pid), _signed_in(home)
        sizes = {}
        for number in range(1, REQUESTS + 1):
            path = ("/", f"/report?place={PLACE}", "/inbox", "/inbox?box=done", "/api/v1/openapi.json" if number % 50 == 4 else "/login")[
                number % 5
            ]
            work.open(home + path).read()
            if number in (1_000, 2_000, REQUESTS):
                sizes[str(number)] = round(process.memory_info().rss / 1e6, 1)
    finally:
        server.terminate()
        server.wait(timeout=20)
    return {"requests": REQUESTS, "rss_mb_after": sizes}


class _Counted:
    """Counts what reaches the database."""

    def __init__(self, app: Flask) -> None:
        from api.work import db

        self.reset()
        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", self._statement)
            event.listen(db.engine, "commit", self._commit)

    def reset(self) -> None:
        self.statements = self.commits = 0

    def _statement(self, _c: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE")):
            self.statements += 1

    def _commit(self, _connection: object) -> None:
        self.commits += 1


def _report(client: FlaskClient, number: int) -> None:
    page = client.get(f"/report?place={PLACE}").get_data(as_text=True)
    fields = {name: re.findall(rf'name="{name}" value="([^"]*)"', page)[-1] for name in ("csrf_token", "key", "place")}
    client.post("/report", data={**fields, "text": f"楼道里的排水管漏水，第 {number} 处。"})


def _all_tasks(client: FlaskClient, headers: dict[str, str]) -> list[str]:
    found: list[str] = []
    after = ""
    while True:
        page = client.get(
            "/api/v1/tasks", query_string={"box": "todo", "after": after} if after else {"box": "todo"}, headers=headers
        ).get_json()
        found += [item["id"] for item in page["items"]]
        after = page["after"]
        if not after:
            return found


def _complete(client: FlaskClient, headers: dict[str, str], task: str, body: dict[str, Any]) -> int:
    return client.post(f"/api/v1/tasks/{task}/complete", json=body, headers=headers).status_code


def _elements() -> dict[str, Any]:
    from bpmn import shipped
    from engine.packages import read_package

    return dict(read_package(shipped()["issue_disposal"]).diagram.nodes)


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _signed_in(home: str) -> urllib.request.OpenerDirector:
    """Somebody at work, with the cookies of a browser."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    page = opener.open(f"{home}/login").read().decode()
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[-1]
    form = {"csrf_token": token, "username": "lianxi", "password": PASSWORD}
    request = urllib.request.Request(f"{home}/login", urllib.parse.urlencode(form).encode(), {"Referer": f"{home}/login"})
    opener.open(request).read()
    return opener


def _wait_for(home: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(home).read()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(home)


if __name__ == "__main__":
    main()
