"""Looking cases up, and proving their record."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import update

from engine.schema import instances
from governance.cases.models import Case
from tests.district import District
from tests.faults.people import Client, sign_in
from tests.journeys.matters import Matter, place, reported


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    made = District(tmp_path_factory.mktemp("looked up"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def matters(district: District) -> dict[str, Matter]:
    return {"near": reported(district, place(1), "临江路灯不亮").accepted(), "far": reported(district, place(9), "双塔井盖破损")}


def listed(client: Client, query: str = "") -> set[int]:
    page = client.http.get(f"/cases{query}").get_data(as_text=True)
    return {int(found) for found in re.findall(r'class="line-link" href="/cases/(\d+)"', page)}


def test_everybody_sees_the_cases_of_their_own_unit(district: District, matters: dict[str, Matter]) -> None:
    near, far = matters["near"].case_id, matters["far"].case_id
    assert listed(sign_in(district.app(), district, "shequ")) == {near}
    assert listed(sign_in(district.app(), district, "lianxi")) == {near, far}
    assert listed(sign_in(district.app(), district, "shenji")) == {near, far}
    assert listed(sign_in(district.app(), district, "bumen")) == set()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=井盖", {"far"}),
        ("?status=处置中", {"near"}),
        ("?status=不存在", {"near", "far"}),
        ("?overdue=1", set()),
        ("?q=%25", set()),
        ("?after=9", set()),
        ("?after=x", {"near", "far"}),
    ],
)
def test_cases_are_found_by_words_status_and_lateness(district: District, matters: dict[str, Matter], query: str, found: set[str]) -> None:
    assert listed(sign_in(district.app(), district, "shenji"), query) == {matters[name].case_id for name in found}


def test_an_auditor_begins_with_the_cases_and_proves_a_record(district: District, matters: dict[str, Matter]) -> None:
    auditor = Client(district.app().test_client())
    assert auditor.post("/login", "/login", username="shenji", password=district.password).headers["Location"] == "/cases"
    case = f"/cases/{matters['near'].case_id}"
    assert "记录完整：3 步" in auditor.post(f"{case}/verify", case).get_data(as_text=True)
    with district.office.work() as context:
        instance_id = context.session.get_one(Case, matters["near"].case_id).instance_id
        context.session.connection().execute(update(instances).where(instances.c.id == instance_id).values(state="{}"))
    assert "记录不完整" in auditor.post(f"{case}/verify", case).get_data(as_text=True)


def test_what_one_may_not_see_one_cannot_prove(district: District, matters: dict[str, Matter]) -> None:
    stranger = sign_in(district.app(), district, "bumen")
    assert stranger.post(f"/cases/{matters['far'].case_id}/verify", "/inbox").status_code == 404
