"""Whatever goes wrong is a problem document, never a page and never a traceback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from api.errors import STATUS
from api.views import tasks
from engine.errors import EngineError
from governance.calendar.errors import CalendarError
from governance.errors import GovernanceError
from tests.api.clients import Client, anybody, refusal
from tests.district import District
from wuzhang.app import create_app


def kinds(error: type[Exception]) -> Iterator[type[Exception]]:
    yield error
    for below in error.__subclasses__():
        yield from kinds(below)


@pytest.mark.parametrize("floor", [EngineError, GovernanceError, CalendarError])
def test_every_named_error_has_its_status(floor: type[Exception]) -> None:
    ours = {kind for kind in kinds(floor) if kind.__module__.split(".")[0] in ("engine", "governance")}
    assert {kind.__name__ for kind in ours - set(STATUS)} == set(), "say in api/errors.py what a client is told"


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/tasks", "/api/v1/tasks/", "/api/v1/tasks/1/sing"])
def test_an_unknown_address(app: Flask, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        refusal(app.test_client().open(path, method=method), 404)


def test_an_address_written_badly_is_not_mended(app: Flask) -> None:
    refusal(app.test_client().get("/api/v1//tasks"), 404)


def test_the_pages_keep_their_own_errors(app: Flask) -> None:
    for path in ("/nowhere", "/apis"):
        answer = app.test_client().get(path)
        assert (answer.status_code, answer.mimetype) == (404, "text/html")


@pytest.mark.parametrize(
    ("method", "path", "allowed"), [("DELETE", "/cases", "POST"), ("PUT", "/tokens", "POST"), ("POST", "/tasks", "GET")]
)
def test_a_method_that_is_not_there(app: Flask, method: str, path: str, allowed: str) -> None:
    answer = app.test_client().open(f"/api/v1{path}", method=method)
    refusal(answer, 405)
    assert allowed in answer.headers["Allow"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe\xfa", b'{"text": NaN', b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"])
def test_what_is_no_json(app: Flask, body: bytes) -> None:
    refusal(app.test_client().post("/api/v1/cases", data=body, content_type="application/json"), 400)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"[" * 50 + b"]" * 50])
def test_json_that_cannot_be_kept(worker: Client, number: bytes) -> None:
    answer = worker.http.post(
        "/api/v1/tasks/1/complete", data=b'{"data": {"a": %s}}' % number, content_type="application/json", headers=worker.headers
    )
    refusal(answer, 422)


def test_what_is_too_large_or_of_another_kind(app: Flask) -> None:
    client = anybody(app)
    refusal(client.post("/cases", {"text": "x" * 300_000, "place": "1"}), 413)
    unsaid = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    refusal(client.http.post("/api/v1/cases", data=b" " * 300_000, content_type="application/json", environ_overrides=unsaid), 413)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        refusal(client.http.post("/api/v1/cases", data=b"text=1", content_type=kind), 415)


def test_a_fault_of_ours_is_a_problem_without_a_traceback(app: Flask, worker: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "todo", lambda *_args, **_named: 1 / 0)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    try:
        problem = refusal(worker.get("/tasks"), 500)
    finally:
        app.config["PROPAGATE_EXCEPTIONS"] = None
    assert "ZeroDivision" not in str(problem)


def test_the_description_is_served(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/openapi.json")
    assert answer.json and answer.json["openapi"].startswith("3.1")
    assert len(answer.json["paths"]) == 31


@pytest.mark.parametrize("path", ["/tokens", "/cases"])
def test_who_asks_too_often_waits(district: District, path: str) -> None:
    app = create_app(district.config, district.clock)
    district.apps.append(app)
    answers = [anybody(app).post(path, {}) for _ in range(61)]
    assert answers[0].status_code == 422
    assert "频繁" in refusal(answers[-1], 429)["detail"]
    assert int(answers[-1].headers["Retry-After"]) > 0
