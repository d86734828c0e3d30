"""Auditors read every instance; system administrators also move them, knowing what they move."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.api.clients import ACCEPTED, Client, refusal, reported, signed_in, waiting
from tests.district import District


@pytest.fixture
def path(app: Flask, worker: Client) -> str:
    """An instance of three commands: start, claim, complete."""
    case = reported(app)
    task = waiting(worker, case)
    worker.done(f"/tasks/{task}/claim")
    worker.done(f"/tasks/{task}/complete", {"data": ACCEPTED, "opinion": "属实"})
    return f"/instances/{case['instance_id']}"


def test_instances_come_in_pages_and_by_status(app: Flask, auditor: Client, administrator: Client, path: str) -> None:
    for n in range(32):
        reported(app, text=f"第{n}处")
    first = auditor.read("/instances")
    rest = auditor.read("/instances", after=first["after"])
    ids = [row["id"] for row in first["items"] + rest["items"]]
    assert len(first["items"]) == 30 and len(set(ids)) == len(ids) and ids == sorted(ids, key=int, reverse=True)
    assert administrator.read("/instances", status="finished")["items"] == []
    for query in ({"status": "odd"}, {"after": "x"}, {"after": "9" * 20}):
        refusal(auditor.get("/instances", **query), 422)


def test_the_record_is_read_with_its_hashes(auditor: Client, path: str) -> None:
    row = auditor.read(path)
    log = auditor.read(f"{path}/log")
    assert [entry["kind"] for entry in log["items"]] == ["start", "claim", "complete"]
    assert log["items"][-1]["hash"] == row["head"] and log["items"][-1]["opinion"] == "属实" and log["after"] is None
    assert [entry["seq"] for entry in auditor.read(f"{path}/log", after="2")["items"]] == [3]
    assert (row["process"], row["version"], row["revision"], row["status"]) == ("issue_disposal", 1, 3, "running")


def test_any_earlier_state_is_replayed(auditor: Client, path: str) -> None:
    then = auditor.read(f"{path}/state", at="1")
    assert [task["element"] for task in then["open"]] == ["accept_case"] and "accept_result" not in then["data"]
    now = auditor.read(f"{path}/state")
    assert [task["element"] for task in now["open"]] == ["grade_case"] and now["data"]["accept_result"] == "accept"
    assert (now["seq"], now["finished"], now["ended_at"]) == (3, False, [])
    refusal(auditor.get(f"{path}/state", at="4"), 404)
    for at in ("0", "-1", "x", "9" * 30, "1.0"):
        refusal(auditor.get(f"{path}/state", at=at), 422)


def change(client: Client, path: str, action: str, sent: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"{path}/{action}", sent, If_Match=client.get(path).headers["ETag"])
    assert answer.status_code == 200, answer.text
    row: dict[str, Any] = answer.json or {}
    assert answer.headers["ETag"] == f'"{row["revision"]}"'
    return row


def test_the_administrator_suspends_resumes_rewinds_and_cancels(
    administrator: Client, auditor: Client, worker: Client, path: str, district: District
) -> None:
    why = {"reason": " 核对材料 "}
    assert change(administrator, path, "suspend", why)["status"] == "suspended"
    again = administrator.post(f"{path}/suspend", why, If_Match=administrator.get(path).headers["ETag"])
    assert "已挂起" in refusal(again, 409)["detail"]
    assert change(administrator, path, "resume", why)["status"] == "running"
    assert change(administrator, path, "rewind", why | {"to": 1})["revision"] == 6
    assert [task["key"] for task in auditor.read(f"{path}/state")["open"]] == ["accept_case#2"]
    assert change(administrator, path, "cancel", why)["status"] == "cancelled"
    last = auditor.read(f"{path}/log")["items"][-1]
    assert (last["kind"], last["opinion"], last["actor"]["post"]) == ("cancel", "核对材料", "system_administrator")
    assert district.findings() == []


@pytest.mark.parametrize("action", ["suspend", "resume", "cancel", "rewind"])
def test_nobody_moves_what_they_have_not_seen(administrator: Client, worker: Client, auditor: Client, path: str, action: str) -> None:
    sent = {"reason": "核对", **({"to": 1} if action == "rewind" else {})}
    refusal(administrator.post(f"{path}/{action}", sent), 428)
    for stale in ('"2"', 'W/"3"', '"3x"', "garbage"):
        refusal(administrator.post(f"{path}/{action}", sent, If_Match=stale), 412)
    for other in (worker, auditor):
        refusal(other.post(f"{path}/{action}", sent, If_Match='"3"'), 403)
    for wrong in ({}, {"reason": ""}, {"reason": " "}, {"reason": "长" * 1001}, {"reason": "\0"}):
        assert "reason" in refusal(administrator.post(f"{path}/{action}", sent | {"reason": None} | wrong, If_Match='"3"'), 422)["errors"]
    assert administrator.read(path)["revision"] == 3


@pytest.mark.parametrize(("to", "status"), [(3, 404), (99, 404), (0, 422), (-1, 422), ("1", 422), (True, 422), (10**30, 422)])
def test_there_is_no_such_step_to_go_back_to(administrator: Client, path: str, to: object, status: int) -> None:
    refusal(administrator.post(f"{path}/rewind", {"reason": "核对", "to": to}, If_Match='"3"'), status)


def test_a_missing_instance(administrator: Client) -> None:
    for part in ("", "/log", "/state"):
        refusal(administrator.get(f"/instances/1{part}"), 404)
    refusal(administrator.post("/instances/1/suspend", {"reason": "核对"}, If_Match='"1"'), 404)


def test_only_auditors_and_administrators_read_them(app: Flask, district: District, path: str) -> None:
    for username in ("wanggeyuan", "lianxi", "lingdao", "liucheng", "bumen"):
        client = signed_in(app, district, username)
        for part in ("/instances", path, f"{path}/log", f"{path}/state"):
            refusal(client.get(part), 403)
