"""People at the pages, without a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.district import District

PLACE = "5001990010010000100001"


@dataclass
class Client:
    """A signed-in client that carries the page's own tokens, as a browser does."""

    http: FlaskClient

    def token(self, path: str) -> dict[str, str]:
        page = self.http.get(path).get_data(as_text=True)
        found = {"csrf_token": re.findall(r'name="csrf_token" value="([^"]+)"', page)[-1]}
        key = re.search(r'name="key" value="([^"]+)"', page)
        return found | ({"key": key.group(1)} if key else {})

    def post(self, path: str, page: str, **data: str) -> TestResponse:
        return self.http.post(path, data={**self.token(page), **data})


def sign_in(app: Flask, district: District, username: str) -> Client:
    client = Client(app.test_client())
    answer = client.post("/login", "/login", username=username, password=district.password)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return client


def report(app: Flask, text: str = "楼道里的排水管漏水，地面湿滑。", **more: object) -> TestResponse:
    resident = Client(app.test_client())
    page = resident.http.get(f"/report?place={PLACE}").get_data(as_text=True)
    place = re.search(r'name="place" value="(\d+)"', page)
    assert place
    return resident.post("/report", f"/report?place={PLACE}", text=text, place=place.group(1), **more)


def first_task(client: Client) -> str:
    page = client.http.get("/inbox").get_data(as_text=True)
    found = re.search(r'href="(/tasks/\d+)"', page)
    assert found, page
    return found.group(1)
