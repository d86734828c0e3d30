"""A password becomes a token for twelve hours; guessers are kept out."""

from __future__ import annotations

import hashlib

import pytest
from flask import Flask
from sqlalchemy import select

from governance.identity.commands import disable, set_password
from governance.identity.models import Account, ApiToken
from tests.api.clients import Client, anybody, refusal, signed_in
from tests.district import District


def enter(app: Flask, username: str, password: str) -> Client:
    made = anybody(app).done("/tokens", {"username": username, "password": password})
    return Client(app.test_client(), {"Authorization": f"Bearer {made['token']}"})


def test_a_password_becomes_a_token_of_which_only_the_digest_is_kept(app: Flask, district: District) -> None:
    client = enter(app, "wangge", district.password)
    assert client.read("/tasks")["items"] == []
    token = client.headers["Authorization"].removeprefix("Bearer ")
    with district.office.work() as context:
        kept = context.session.scalars(select(ApiToken.digest)).all()
    assert hashlib.sha256(token.encode()).hexdigest() in kept


@pytest.mark.parametrize("shown", [None, "", "Bearer", "Bearer wrong", "bearer  x", "Basic d2FuZ2dlOnd1emhhbmctZGVtbw==", "Bearer \xff"])
def test_without_a_token_there_is_nothing(app: Flask, shown: str | None) -> None:
    answer = Client(app.test_client(), {} if shown is None else {"Authorization": shown}).get("/tasks")
    assert "令牌" in refusal(answer, 401)["detail"]
    assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")


def test_the_session_of_the_pages_means_nothing_here(app: Flask, district: District) -> None:
    browser = app.test_client()
    page = browser.get("/login").get_data(as_text=True)
    csrf = page.split('name="csrf_token" value="')[1].split('"')[0]
    browser.post("/login", data={"csrf_token": csrf, "username": "wangge", "password": district.password})
    assert browser.get("/inbox").status_code == 200
    refusal(Client(browser).get("/tasks"), 401)


def test_a_token_lives_twelve_hours_and_its_use_is_noted(app: Flask, district: District) -> None:
    client = signed_in(app, district, "wangge02")
    began = district.clock.at
    district.clock.pass_by(hours=11, minutes=59)
    client.read("/tasks")
    with district.office.work() as context:
        token = context.session.scalars(select(ApiToken).where(ApiToken.last_used_at == district.clock.at)).one()
        assert token.created_at == began
        id = token.id
    district.clock.pass_by(minutes=1)
    refusal(client.get("/tasks"), 401)
    signed_in(app, district, "wangge02")
    with district.office.work() as context:
        assert context.session.get(ApiToken, id) is None


def test_a_new_password_or_a_closed_account_ends_it(app: Flask, district: District) -> None:
    for change in (lambda s, a: set_password(s, a, "another password"), disable):
        client = signed_in(app, district, "wangge03")
        client.read("/tasks")
        with district.office.work() as context:
            account = context.session.scalars(select(Account).where(Account.username == "wangge03")).one()
            change(context.session, account)
        refusal(client.get("/tasks"), 401)


def test_five_wrong_passwords_lock_the_account_for_a_while(app: Flask, district: District) -> None:
    client, right = anybody(app), {"username": "lianxi", "password": district.password}
    for _ in range(5):
        problem = refusal(client.post("/tokens", right | {"password": "wrong password"}), 401)
        assert problem["detail"] == "用户名或密码不正确。"
        assert problem["type"] == "urn:wuzhang:problem:wrong-credentials"
    answer = client.post("/tokens", right)
    assert "15 分钟" in refusal(answer, 429)["detail"]
    assert answer.headers["Retry-After"] == "900"
    district.clock.pass_by(minutes=15)
    client.done("/tokens", right)
    refusal(client.post("/tokens", {"username": "nobody", "password": "x"}), 401)


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"username": "wangge"}, "password"),
        ({"username": "wangge", "password": None}, "password"),
        ({"username": "w" * 61, "password": "x"}, "username"),
        ({"username": "a\0b", "password": "x"}, "username"),
        ({"username": "a\ud800b", "password": "x"}, "username"),
        ({"username": 1, "password": "x"}, "username"),
        ({"username": "wangge", "password": "x", "admin": True}, "admin"),
        ([], ""),
    ],
)
def test_what_cannot_be_a_password(app: Flask, sent: object, field: str) -> None:
    assert list(refusal(anybody(app).post("/tokens", sent), 422)["errors"]) == [field]
