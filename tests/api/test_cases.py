"""Anybody reports; only those concerned follow."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from flask import Flask

from tests.api.clients import ACCEPTED, PLACE, Client, anybody, refusal, reported, waiting

WORDS = {"text": "楼道里的灯不亮了。", "place": PLACE}


def test_a_resident_reports_without_an_account_and_follows(app: Flask, worker: Client) -> None:
    made = anybody(app).done("/cases", WORDS | {"contact_name": "张三", "contact_mobile": "138 1234 5678", "confidential": True})
    assert made["number"].startswith("500199")
    assert app.test_client().get(urlsplit(made["follow"]).path).status_code == 200
    case = worker.read(f"/cases/{made['id']}")
    assert case["status"] == "待受理" and case["instance_id"] == made["instance_id"]
    assert case["place"]["name"].endswith("第一网格1栋")
    assert case["is_confidential"] and not case["is_anonymous"]
    assert [t["candidates"] for t in case["open"]] == [["临江社区第一网格网格员", "临江社区第一网格网格长"]]
    assert "张三" not in str(case) and "5678" not in str(case)


def test_a_patrol_reports_with_a_token(worker: Client) -> None:
    made = worker.done("/cases", WORDS | {"title": "灯不亮", "address": "二单元", "category": "0303"})
    case = worker.read(f"/cases/{made['id']}")
    assert (case["title"], case["address"], case["category"], case["channel"]) == ("灯不亮", "二单元", "0303", "网格员巡查")
    assert worker.read("/tasks", box="started")["items"][0]["case"]["number"] == made["number"]


def test_a_wrong_token_is_refused_even_where_none_is_needed(app: Flask) -> None:
    refusal(Client(app.test_client(), {"Authorization": "Bearer wrong"}).post("/cases", WORDS), 401)


def test_the_same_key_makes_one_case(app: Flask, worker: Client) -> None:
    first = anybody(app).done("/cases", WORDS, Idempotency_Key="一".encode().hex())
    again = anybody(app).done("/cases", WORDS, Idempotency_Key="一".encode().hex())
    assert again == first | {"follow": None}
    other = anybody(app).post("/cases", WORDS | {"text": "完全不同的事。"}, Idempotency_Key="一".encode().hex())
    assert list(refusal(other, 422)["errors"]) == ["Idempotency-Key"]
    assert worker.done("/cases", WORDS, Idempotency_Key="一".encode().hex())["id"] != first["id"]


@pytest.mark.parametrize("key", ["", "x" * 81, "caf\xe9", "\x7f", "a\tb"])
def test_a_key_is_short_printable_ascii(app: Flask, key: str) -> None:
    assert list(refusal(anybody(app).post("/cases", WORDS, Idempotency_Key=key), 422)["errors"]) == ["Idempotency-Key"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "  "}, "text"),
        ({"text": "长" * 2001}, "text"),
        ({"text": "a\0b"}, "text"),
        ({"text": "a\udc00b"}, "text"),
        ({"text": ["a"]}, "text"),
        ({"title": "长" * 81}, "title"),
        ({"address": "长" * 201}, "address"),
        ({"contact_name": "长" * 41}, "contact_name"),
        ({"contact_mobile": "not a number"}, "contact_mobile"),
        ({"category": "9999"}, "category"),
        ({"confidential": "yes"}, "confidential"),
        ({"place": "nowhere"}, "place"),
        ({"place": "9" * 40}, "place"),
        ({"place": "500199-D01"}, "place"),
        ({"reported_by": "1"}, "reported_by"),
    ],
)
def test_what_cannot_be_reported(app: Flask, change: dict[str, object], field: str) -> None:
    assert list(refusal(anybody(app).post("/cases", WORDS | change), 422)["errors"]) == [field]


def test_the_timeline_says_who_did_what_and_whether_in_time(app: Flask, worker: Client, stranger: Client) -> None:
    case = reported(app)
    worker.done(f"/tasks/{waiting(worker, case)}/complete", {"data": ACCEPTED, "opinion": "情况属实。"})
    items = worker.read(f"/cases/{case['id']}/timeline")["items"]
    assert [(m["kind"], m["name"], m["post"], m["opinion"], m["on_time"]) for m in items] == [
        ("start", "上报", "", None, None),
        ("complete", "受理登记", "临江社区第一网格网格员", "情况属实。", True),
    ]
    assert items[0]["person"] == "反映人" and items[1]["person"]
    for path in ("", "/timeline"):
        refusal(stranger.get(f"/cases/{case['id']}{path}"), 404)


@pytest.mark.parametrize("id", ["0", "1", "abc", "9" * 19, "9" * 400, "-1", "1.5", "%00", "१"])
def test_there_is_no_such_case(worker: Client, id: str) -> None:
    refusal(worker.get(f"/cases/{id}"), 404)
