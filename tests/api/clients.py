"""Clients of the JSON interface."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from governance.identity.commands import issue_token
from governance.identity.models import Account
from tests.district import District

URL = "/api/v1"
PLACE = "5001990010010000100001"
"""The first building of the first grid; 网格员 wanggeyuan and 网格长 wangge answer for it."""
ACCEPTED = {"category": "0303", "accept_result": "accept"}


@dataclass
class Client:
    """Speaks JSON, and shows its token."""

    http: FlaskClient
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: str) -> TestResponse:
        return self.http.get(URL + path, query_string=query, headers=self.headers)

    def post(self, path: str, json: Any = None, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(URL + path, json=json, headers=self.headers | named)

    def read(self, path: str, **query: str) -> Any:
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json

    def done(self, path: str, json: Any = None, **headers: str) -> Any:
        answer = self.post(path, json, **headers)
        assert answer.status_code in (200, 201), answer.text
        return answer.json


def anybody(app: Flask) -> Client:
    return Client(app.test_client())


def signed_in(app: Flask, district: District, username: str) -> Client:
    """A client with a token, without the cost of a password."""
    with district.office.work() as context:
        account = context.session.scalars(select(Account).where(Account.username == username)).one()
        token = issue_token(context.session, account, context.new_id(), context.now())
    return Client(app.test_client(), {"Authorization": f"Bearer {token}"})


def reported(app: Flask, place: str = PLACE, text: str = "楼道里的排水管漏水，地面湿滑。") -> dict[str, Any]:
    made: dict[str, Any] = anybody(app).done("/cases", {"text": text, "place": place})
    return made


def waiting(client: Client, case: dict[str, Any]) -> str:
    """The task that a case waits for."""
    found: str = client.read(f"/cases/{case['id']}")["open"][0]["id"]
    return found


def refusal(answer: TestResponse, status: int) -> dict[str, Any]:
    """A problem document, and nothing else."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.mimetype == "application/problem+json"
    problem: dict[str, Any] = answer.json or {}
    assert problem["status"] == status
    assert {"type", "title", "detail"} <= set(problem)
    assert "Traceback" not in answer.text
    return problem
