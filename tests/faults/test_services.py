"""Outside services: slow, failing, asked twice; the process takes one answer, and an administrator hears of it in the end."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from sqlalchemy import select

from engine.log import entries
from engine.schema import incidents, instances, outbox
from engine.versions import publish
from governance.workflow.world import instances as running
from jobs.lanes import WIDTH
from jobs.runner import LEASE, Runner
from jobs.services import Call, ServiceFailed, Webhooks
from tests.diagrams import started
from tests.district import District
from tests.engine.durable import package

ADMINISTRATOR = {"person": "1"}


class Outside:
    """A service of somebody else's."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.says: tuple[int, bytes] = (200, b'{"sent": true}')
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outside.asked.append(body | {"key": self.headers["Idempotency-Key"]})
                self.send_response(outside.says[0])
                self.end_headers()
                self.wfile.write(outside.says[1])

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.webhooks = Webhooks({"sms": f"http://127.0.0.1:{self.server.server_port}/send"})
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def outside() -> Iterator[Outside]:
    found = Outside()
    yield found
    found.server.shutdown()
    found.server.server_close()


def begun(district: District, service: str = "sms") -> int:
    """An instance that waits for a service."""
    drawing = started("x", "e").node("serviceTask", "x", f'<extensionElements><wz:service name="{service}"/></extensionElements>').ends("e")
    with district.office.work() as context:
        version = publish(context.session.connection(), context.new_id(), package(drawing), context.now(), by="test", reason="test")
        return running(context).start(version, {"text": "已受理"}, {"person": "1"}, business_key="service").instance_id


def tick(district: District, outside: Outside) -> None:
    Runner(district.office.database, district.office.context, district.clock, outside.webhooks).tick()


def status(district: District, instance_id: int) -> str:
    with district.office.database.connect() as connection:
        return str(connection.scalar(select(instances.c.status).where(instances.c.id == instance_id)))


def test_a_service_is_asked_and_its_answer_goes_into_the_process(district: District, outside: Outside) -> None:
    instance_id = begun(district)
    tick(district, outside)
    assert [(asked["element"], asked["data"], asked["key"] == asked["id"]) for asked in outside.asked] == [("x", {"text": "已受理"}, True)]
    assert status(district, instance_id) == "finished" and district.findings() == []
    tick(district, outside)
    assert len(outside.asked) == 1


@pytest.mark.parametrize("says", [(500, b""), (404, b"{}"), (200, b"no json"), (200, b"[1]"), (200, b'"x"' * 40_000)])
def test_what_fails_is_tried_again_and_then_an_incident_that_a_retry_sends_anew(
    district: District, outside: Outside, says: tuple[int, bytes]
) -> None:
    instance_id = begun(district)
    good, outside.says = outside.says, says
    for minutes in (0, 1, 5, 60, 600):
        district.clock.pass_by(minutes=minutes)
        tick(district, outside)
    assert len(outside.asked) == 3 and len({asked["key"] for asked in outside.asked}) == 1
    with district.office.database.connect() as connection:
        stopped = connection.execute(select(incidents).where(incidents.c.instance_id == instance_id)).one()
    assert (stopped.element, stopped.rule, stopped.resolved_at) == ("x", "service_failed", None) and "外部服务“sms”" in stopped.message
    assert district.findings() == []
    outside.says = good
    with district.office.work() as context:
        running(context).retry(stopped.id, ADMINISTRATOR, {"text": "改过的"})
    tick(district, outside)
    assert outside.asked[-1]["data"] == {"text": "改过的"} and status(district, instance_id) == "finished" and district.findings() == []


def test_a_runner_killed_after_asking_is_followed_by_another_and_one_answer_counts(district: District, outside: Outside) -> None:
    instance_id = begun(district)

    def killed(call: Call) -> dict[str, Any]:
        outside.webhooks(call)
        raise KeyboardInterrupt

    Runner(district.office.database, district.office.context, district.clock, killed).tick()
    tick(district, outside)
    assert len(outside.asked) == 1 and status(district, instance_id) == "running"
    district.clock.at += LEASE + timedelta(seconds=1)
    tick(district, outside)
    assert [asked["key"] for asked in outside.asked] == [outside.asked[0]["key"]] * 2
    with district.office.database.connect() as connection:
        assert [entry.kind for entry in entries(connection, instance_id)] == ["start", "service_result"]
        assert connection.scalar(select(outbox.c.done_at).where(outbox.c.instance_id == instance_id)) is not None
    assert district.findings() == []


def test_a_service_that_nobody_configured_says_so(outside: Outside) -> None:
    with pytest.raises(ServiceFailed, match="没有配置外部服务“fax”的地址"):
        outside.webhooks(Call(1, "fax", 1, "x", {}))


def test_a_service_that_does_not_listen_says_so() -> None:
    with pytest.raises(ServiceFailed, match="没有答复"):
        Webhooks({"sms": "http://127.0.0.1:9/"})(Call(1, "sms", 1, "x", {}))


def test_a_service_that_talks_nonsense_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def mumble() -> None:
            with server.accept()[0] as line:
                line.recv(65536)
                line.sendall(b"what do you want\r\n\r\n")

        threading.Thread(target=mumble, daemon=True).start()
        with pytest.raises(ServiceFailed, match="没有答复"):
            Webhooks({"sms": f"http://127.0.0.1:{server.getsockname()[1]}/"})(Call(1, "sms", 1, "x", {}))


def test_a_service_that_hangs_holds_up_nobody_else(district: District) -> None:
    hanging, asked = threading.Event(), []

    def service(call: Call) -> dict[str, Any]:
        if call.service == "slow":
            hanging.wait(20)
        asked.append(call.service)
        return {}

    runner = Runner(district.office.database, district.office.context, district.clock, service)
    slow = [begun(district, "slow") for _ in range(WIDTH + 2)]
    begun(district, "sms")
    began = time.monotonic()
    assert runner.steps["outbox"]() == WIDTH + 1
    while asked != ["sms"] and time.monotonic() - began < 10:
        time.sleep(0.01)
    assert asked == ["sms"] and runner.steps["outbox"]() == 0
    hanging.set()
    while runner.tick():
        continue
    assert asked.count("slow") == len(slow) and {status(district, id) for id in slow} == {"finished"} and district.findings() == []


def test_of_two_runners_that_have_seen_the_same_row_one_asks(district: District, outside: Outside) -> None:
    begun(district)
    runners = [Runner(district.office.database, district.office.context, district.clock, outside.webhooks) for _ in range(2)]
    seen = [list(runner._waiting()) for runner in runners]
    assert [runner._ask(rows[0]) for runner, rows in zip(runners, seen, strict=True)] == [1, 0]
    for runner in runners:
        runner.lanes.wait()
    assert len(outside.asked) == 1 and district.findings() == []


def test_an_answer_that_nobody_waits_for_any_more_is_dropped(district: District, outside: Outside) -> None:
    instance_id = begun(district)

    def cancelled(call: Call) -> dict[str, Any]:
        with district.office.work() as context:
            running(context).cancel(instance_id, ADMINISTRATOR, "不再需要")
        return {"sent": True}

    Runner(district.office.database, district.office.context, district.clock, cancelled).tick()
    assert status(district, instance_id) == "cancelled"
    for _ in range(3):
        district.clock.pass_by(minutes=10)
        tick(district, outside)
    assert outside.asked == [] and district.findings() == []


def test_an_instance_that_is_suspended_meanwhile_asks_again_when_it_goes_on(district: District, outside: Outside) -> None:
    instance_id = begun(district)

    def suspended(call: Call) -> dict[str, Any]:
        with district.office.work() as context:
            running(context).suspend(instance_id, ADMINISTRATOR, "待查")
        return {"sent": True}

    Runner(district.office.database, district.office.context, district.clock, suspended).tick()
    district.clock.at += LEASE + timedelta(seconds=1)
    tick(district, outside)
    assert outside.asked == [] and status(district, instance_id) == "suspended"
    with district.office.work() as context:
        running(context).resume(instance_id, ADMINISTRATOR, "查清了")
    tick(district, outside)
    assert status(district, instance_id) == "finished" and district.findings() == []
