"""Forms that ask for people and locations, as officials and attackers use the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from lxml import html
from sqlalchemy import select, update

from engine.versions import publish
from governance.organisation.commands import note_reorganised
from governance.people.models import Appointment, Person
from tests.district import District
from tests.faults.people import Client, sign_in
from tests.governance.test_persons import SEVERAL, helped
from tests.governance.test_starting import ASKED
from web.filling import MOST_FOUND, MOST_LISTED

MARKUP = "<img src=x onerror=alert(1)>"
HERE = "121.4737,31.2304,20"
NEAR, FAR, MANY = "/start/process_near", "/start/process_far", "/start/process_many"


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """A district with processes that ask for a lead who is near, for anybody, and for several."""
    made = District(tmp_path_factory.mktemp("persons"))
    packages = (
        helped(key="process_near", among="place", posts="grid_lead,community_lead"),
        helped(key="process_far", among="district"),
        helped(SEVERAL, key="process_many", among="district"),
    )
    with made.office.work() as context:
        for package in packages:
            publish(context.session.connection(), context.new_id(), package, context.now(), by="system", reason="试行")
    yield made
    made.close()


@pytest.fixture
def worker(district: District) -> Client:
    return sign_in(district.app(), district, "wanggeyuan")


def page(client: Client, address: str) -> html.HtmlElement:
    answer = client.http.get(address)
    assert answer.status_code == 200
    return html.fromstring(answer.get_data(as_text=True))


def sent(client: Client, address: str, status: int, **data: str | list[str]) -> html.HtmlElement:
    """The page that answers what was filled in; that of what was started, when something was."""
    answer = client.http.post(address, data={**client.token(address), **ASKED, **data}, follow_redirects=True)
    assert (answer.history[0].status_code if answer.history else answer.status_code) == status, answer.get_data(as_text=True)
    return html.fromstring(answer.get_data(as_text=True))


def begun(client: Client, **data: str) -> str:
    """The address of something that has just been started."""
    answer = client.post(NEAR, NEAR, **{**ASKED, **data})
    assert answer.status_code == 302
    return answer.headers["Location"]


def sought(client: Client, address: str, q: str, *chosen: str) -> html.HtmlElement:
    """The fields as the words find people."""
    answer = client.http.post(f"{address}/shape", data={**client.token(address), "helper.q": q, "helper": list(chosen)})
    assert answer.status_code == 200
    return html.fromstring(answer.get_data(as_text=True)).xpath("//*[@data-people='helper']")[0]


def lead_of(district: District) -> tuple[str, str]:
    """Id and name of the lead of the worker's grid."""
    with district.office.work() as context:
        found = context.session.execute(
            select(Person.id, Person.name).join(Appointment).where(Appointment.post == "grid_lead").order_by(Appointment.id)
        )
        ids = {str(row.id): row.name for row in found}
    near = page(sign_in(district.app(), district, "wanggeyuan"), NEAR).xpath("//optgroup[@label='临江社区第一网格']/option")
    return near[0].get("value"), ids[near[0].get("value")]


def test_a_few_are_offered_by_their_units_with_name_and_post_and_no_more(district: District, worker: Client) -> None:
    shown = page(worker, NEAR)
    groups = {group.get("label"): [option.text for option in group] for group in shown.xpath("//select[@name='helper']/optgroup")}
    assert next(iter(groups)) == "临江社区" and groups["临江社区第一网格"] == [f"{lead_of(district)[1]}（网格长）"]
    with district.office.work() as context:
        mobiles = [mobile for mobile in context.session.scalars(select(Person.mobile)) if mobile]
    assert mobiles and not any(mobile in html.tostring(shown, encoding="unicode") for mobile in mobiles)


def test_of_thousands_only_those_are_shown_whom_the_words_find(district: District, worker: Client) -> None:
    for address, kind in ((FAR, "radio"), (MANY, "checkbox")):
        shown = page(worker, address)
        assert shown.xpath("//*[@name='helper.q']") and not shown.xpath("//*[@name='helper']")
        many = sought(worker, address, "网格")
        assert len(many.xpath(f".//input[@type='{kind}'][@name='helper']")) == MOST_FOUND and "只列出前 20 人" in many.text_content()
        lead, name = lead_of(district)
        assert f"{name}（网格长，临江社区第一网格）" in sought(worker, address, "临江社区第一网格 网格长").text_content()
        kept = sought(worker, address, "社区长", lead)
        assert kept.xpath(".//input[@checked]/@value") == [lead]
        assert "没有找到这样的人员" in sought(worker, address, MARKUP).text_content()
    with district.office.work() as context:
        assert len(context.session.scalars(select(Person.id)).all()) > MOST_LISTED


def test_without_javascript_the_words_come_back_with_whom_they_find(district: District, worker: Client) -> None:
    lead, name = lead_of(district)
    again = sent(worker, FAR, 422, **{"helper.q": name})
    assert "请从查到的人员中选择协助人" in again.text_content() and lead in again.xpath("//input[@name='helper']/@value")
    assert again.xpath("//input[@name='helper.q']/@value") == [name] and "回乡探亲" in again.xpath("//textarea[@name='reason']")[0].text
    assert "已提交" in sent(worker, FAR, 302, **{"helper.q": name, "helper": lead}).text_content()


@pytest.mark.parametrize("odd", ["0", "-1", str(10**30), "abc", "<script>", "1' or '1'='1", "[5]"])
@pytest.mark.parametrize("address", [NEAR, FAR, MANY])
def test_whom_the_form_does_not_offer_cannot_be_sent(worker: Client, address: str, odd: str) -> None:
    again = sent(worker, address, 422, helper=odd)
    assert "协助人中有不能选的人员" in again.text_content()
    assert odd not in again.xpath("//*[@name='helper']/@value") and not again.xpath("//script[not(@src)]")


def test_a_name_of_markup_stays_a_name(district: District, worker: Client) -> None:
    lead, name = lead_of(district)
    with district.office.work() as context:
        context.session.execute(update(Person).where(Person.id == int(lead)).values(name=MARKUP))
    try:
        answers = (worker.http.get(NEAR).get_data(as_text=True), html.tostring(sought(worker, FAR, "网格长 第一网格"), encoding="unicode"))
        assert all(MARKUP not in said and "&lt;img" in said for said in answers)
        started = sent(worker, FAR, 302, helper=lead)
        assert not started.xpath("//img[@onerror]") and MARKUP in started.text_content()
    finally:
        with district.office.work() as context:
            context.session.execute(update(Person).where(Person.id == int(lead)).values(name=name))


def test_the_record_says_who_was_named_under_which_post_then_and_where(district: District, worker: Client) -> None:
    lead, name = lead_of(district)
    address = begun(worker, **{"helper": lead, "spot": "滨江路 1 号", "spot.at": HERE})
    said = f"{name}（网格长，临江社区第一网格）", "滨江路 1 号；东经 121.4737°，北纬 31.2304°（误差约 20 米）"
    assert all(one in page(worker, address).text_content() for one in said)
    named = sign_in(district.app(), district, "wangge")
    addresses = set(page(named, "/inbox").xpath("//a[starts-with(@href, '/tasks/')]/@href"))
    tasks = [page(named, one).text_content() for one in addresses]
    assert any("由表单中选定的人员办理" in task and said[1] in task for task in tasks)
    with district.office.work() as context:
        left = update(Appointment).where(Appointment.person_id == int(lead))
        context.session.execute(left.values(to_date=context.today))
        note_reorganised(context.session)
    district.clock.pass_by(days=2)
    try:
        assert said[0] in page(worker, address).text_content()
        assert lead not in page(worker, NEAR).xpath("//select[@name='helper']//option/@value")
    finally:
        district.clock.at -= timedelta(days=2)
        with district.office.work() as context:
            context.session.execute(update(Appointment).where(Appointment.person_id == int(lead)).values(to_date=None))
            note_reorganised(context.session)


def test_in_english_the_record_is_english_but_for_names(worker: Client, district: District) -> None:
    lead, name = lead_of(district)
    address = begun(worker, **{"helper": lead, "spot": "x", "spot.at": "-121.5,-31.25,0"})
    worker.post("/language", "/start", language="en")
    said = page(worker, address).text_content()
    assert f"{name} (Grid lead, 临江社区第一网格)" in said and "121.5° W, 31.25° S" in said


@pytest.mark.parametrize(
    "told", ["181,0,1", "0,91,1", "0,0,-1", "nan,0,0", "1e999,0,0", "x", "1,2", "<script>", "0,0,0,0", "1" * 400 + ",0,0"]
)
def test_coordinates_of_nowhere_are_refused_at_the_field(district: District, worker: Client, told: str) -> None:
    again = sent(worker, NEAR, 422, **{"helper": lead_of(district)[0], "spot": "滨江路", "spot.at": told})
    assert re.search("现场(的坐标不正确|填写不正确)", again.text_content())
    assert again.xpath("//input[@name='spot']/@value") == ["滨江路"] and again.xpath("//input[@name='spot.at']/@value") == [told]


def test_only_pages_with_a_form_may_ask_the_device_where_it_is(district: District, worker: Client) -> None:
    asked = {address: worker.http.get(address).headers["Permissions-Policy"] for address in (NEAR, "/start", "/inbox", "/report", "/cases")}
    assert asked == dict.fromkeys(asked, "geolocation=()") | {NEAR: "geolocation=(self)"}


def test_whoever_makes_a_form_may_try_the_location_in_it(district: District) -> None:
    designer = sign_in(district.app(), district, "liucheng")
    made = designer.post("/admin/studio/new", "/admin/processes", name="试填", template="request").location
    policies = {address: designer.http.get(address).headers["Permissions-Policy"] for address in (made, f"{made}/review")}
    assert policies == {made: "geolocation=(self)", f"{made}/review": "geolocation=()"}


def test_the_preview_draws_both(district: District) -> None:
    designer = sign_in(district.app(), district, "liucheng")
    token = designer.token("/admin")["csrf_token"]
    form = helped(among="district").forms["request"]
    body = {"form": form, "filled": {"helper.q": ["网格长"]}, "data": {"place_unit": "grid-01"}}
    answer = designer.http.post("/admin/studio/form-preview", json=body, headers={"X-CSRFToken": token})
    shown = html.fromstring(answer.get_data(as_text=True))
    assert shown.xpath("//*[@data-people]//input[@name='helper']") and shown.xpath("//input[@data-location]")
    assert not shown.xpath("//*[@hx-post]")
