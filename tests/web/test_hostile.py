"""What nobody types, and somebody sends: an answer with a sentence, never an error of ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.district import District
from tests.faults.people import PLACE, Client, first_task, report, sign_in

HUGE = "9" * 40


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    made = District(tmp_path_factory.mktemp("hostile"))
    report(made.app())
    yield made
    made.close()


@pytest.fixture
def worker(district: District) -> Client:
    return sign_in(district.app(), district, "wanggeyuan")


@pytest.mark.parametrize(
    "path",
    [
        f"/cases/{HUGE}",
        f"/tasks/{HUGE}",
        "/cases/-1",
        "/tasks/0",
        "/inbox?q=%00",
        "/inbox?q=" + "x" * 5_000,
        f"/inbox?after=2026-01-01T00:00:00%2B00:00~{HUGE}",
        "/inbox?after=0001-01-01T00:00:00%2B00:00~1",
        "/inbox?after=nonsense~x",
        f"/inbox?box=started&after={HUGE}",
        "/inbox?box=nowhere",
        "/inbox?q=%ED%A0%80",
        "/follow/nothing",
        "/follow/" + "a" * 3_000,
        f"/report?place={HUGE}",
        "/report?place=%27%3B--",
        "/places/nothing/qr.svg",
        "/static/../wuzhang.db",
        "/inbox/news?since=x",
    ],
)
def test_odd_addresses(worker: Client, path: str) -> None:
    assert worker.http.get(path).status_code in (200, 302, 400, 404)


@pytest.mark.parametrize(
    "text",
    ["", "\0", "\ud800".encode("utf-16", "surrogatepass").decode("latin-1"), "长" * 5_000, "<script>alert(1)</script>", "{{ 7*7 }}", "‮abc"],
)
def test_odd_reports(district: District, text: str) -> None:
    client = Client(district.app().test_client())
    page = f"/report?place={PLACE}"
    answer = client.post("/report", page, text=text, place=PLACE, category="0205")
    assert answer.status_code in (302, 400, 422)
    if answer.status_code == 302:
        shown = client.http.get(answer.headers["Location"]).get_data(as_text=True)
        assert "<script>alert" not in shown and ">49<" not in shown


def test_a_category_that_does_not_exist_is_refused(district: District) -> None:
    client = Client(district.app().test_client())
    answer = client.post("/report", f"/report?place={PLACE}", text="路灯不亮", place=PLACE, category="x" * 50)
    assert answer.status_code == 422


@pytest.mark.parametrize("place", ["abc", HUGE, "1", "-5"])
def test_a_task_names_only_units_that_exist(worker: Client, place: str) -> None:
    path = first_task(worker)
    answer = worker.post(f"{path}/complete", path, accept_result="accept", category="0205", place_unit=place)
    assert answer.status_code == 422 and "中有不存在的选项" in answer.get_data(as_text=True)


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/inbox\r\nX: y"])
def test_signing_in_leads_nowhere_else(district: District, target: str) -> None:
    client = Client(district.app().test_client())
    answer = client.post("/login", "/login", username="wangge", password=district.password, next=target)
    assert answer.headers.get("Location", "/inbox").startswith("/inbox")


def test_every_form_needs_its_token(district: District, worker: Client) -> None:
    path = first_task(worker)
    for target in (f"{path}/complete", f"{path}/claim", "/report", "/login", "/logout", "/act-as", "/language"):
        assert worker.http.post(target, data={}).status_code == 400


def _policy(client: FlaskClient, path: str) -> str:
    return client.get(path).headers["Content-Security-Policy"]


def test_every_page_forbids_foreign_code(district: District) -> None:
    client = district.app().test_client()
    for path in ("/", "/login", "/report", "/nowhere"):
        assert "script-src 'self'" in _policy(client, path) and "unsafe" not in _policy(client, path)
