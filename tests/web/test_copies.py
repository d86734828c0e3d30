"""抄送 on the pages: people are chosen, find it in their inbox, read it, and that is marked."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from lxml import html

from governance.cases.models import Case
from tests.district import District
from tests.faults.people import Client, sign_in
from tests.journeys.matters import Matter, acting, name, place, reported
from tests.web.test_urging import MARKUP, at, district, offered, page

__all__ = ["district"]
STRANGER = "bumen"


@pytest.fixture
def matter(district: District) -> Matter:
    """At the building lead, who may copy it."""
    return reported(district, place(1)).accepted()


@pytest.fixture
def lead(district: District) -> Iterator[Client]:
    yield sign_in(district.app(), district, "loudong")


def person(district: District, username: str) -> str:
    with district.office.work() as context:
        return str(acting(context, username).person_id)


def send(client: Client, task: int, *people: str, status: int = 302, **data: str) -> html.HtmlElement:
    """The page that answers: that of the task, or the form with what is wrong."""
    address = f"/tasks/{task}/copy"
    answer = client.http.post(address, data={**client.token(address), **data, "people": list(people)}, follow_redirects=True)
    assert (answer.history[0].status_code if answer.history else answer.status_code) == status
    return html.fromstring(answer.get_data(as_text=True))


def rows(client: Client, query: str = "") -> list[html.HtmlElement]:
    return list(page(client, f"/inbox?box=copied{query}").xpath("//*[@data-row]"))


def tab(client: Client) -> str:
    return str(page(client, "/inbox").xpath("//nav[@class='tabs']/a[contains(@href, 'copied')]")[0].text_content())


def test_from_the_task_to_the_inbox_of_another_and_read(district: District, matter: Matter, lead: Client) -> None:
    task, case, reader = matter.task(), f"/cases/{matter.case_id}", at(district, STRANGER)
    assert reader.http.get(case).status_code == 404 and tab(reader) == "抄送我"
    assert page(lead, f"/tasks/{task}").xpath(f"//a[@href='/tasks/{task}/copy']")
    told = send(lead, task, person(district, STRANGER), person(district, "jiedao"), words=f"请阅 {MARKUP}").text_content()
    assert "已抄送" in told and "已阅 0/2" in told and f"{name(district, STRANGER)}（分拨员，" in told
    assert tab(reader) == "抄送我1"
    (row,) = rows(reader)
    assert row.xpath(".//a/@href") == [case] and f"{name(district, 'loudong')}于3月2日 09:00抄送" in row.text_content()
    assert "未阅" in row.text_content() and "本级处置" in row.text_content()
    shown = page(reader, case)
    assert "抄送给您" in shown.text_content() and MARKUP in shown.text_content() and not shown.xpath("//img[@onerror]")
    (marks,) = shown.xpath("//form[@hx-trigger='load']/@action")
    answer = reader.http.post(marks, data=reader.token(case), headers={"HX-Request": "true"})
    assert answer.get_data(as_text=True).strip() == '<span class="tag tag-green">已阅</span>'
    assert tab(reader) == "抄送我" and "3月2日 09:00 已阅" in rows(reader)[0].text_content()
    assert not page(reader, case).xpath("//form[@hx-trigger='load']")
    assert "已阅 1/2" in page(lead, f"/tasks/{task}").text_content()


def test_without_javascript_its_reader_marks_it(district: District, matter: Matter, lead: Client) -> None:
    send(lead, matter.task(), person(district, "zhihui"))
    reader, case = at(district, "zhihui"), f"/cases/{matter.case_id}"
    (marks,) = page(reader, case).xpath("//form[@hx-trigger='load']/@action")
    answer = reader.http.post(marks, data=reader.token(case), headers={"Referer": f"http://localhost{case}"})
    assert (answer.status_code, answer.headers["Location"]) == (302, case)
    assert at(district, "jiedao").post(marks, "/inbox").status_code == 404


def test_the_reader_reads_everything_and_finds_nothing_to_press(district: District, matter: Matter, lead: Client) -> None:
    task = matter.task()
    send(lead, task, person(district, STRANGER))
    reader, case = at(district, STRANGER), f"/cases/{matter.case_id}"
    shown = page(reader, case)
    assert "流转轨迹" in shown.text_content() and "13800001234" not in html.tostring(shown, encoding="unicode")
    assert reader.http.get(f"{case}/diagram.bpmn").status_code == reader.http.get(f"{case}/diagram.json").status_code == 200
    as_task = page(reader, f"/tasks/{task}")
    assert (
        "本级处置" in as_task.text_content() and not as_task.xpath("//form[@data-draft]") and "为什么在我这里" not in as_task.text_content()
    )
    assert reader.http.get(f"/tasks/{task}/diagram.bpmn").status_code == 200
    assert offered(reader, case) == [] and not as_task.xpath(f"//a[@href='/tasks/{task}/copy']")
    for action, status in (("complete", 403), ("claim", 403), ("transfer", 403), ("urge", 403), ("copy", 404), ("foresee", 200)):
        data = {"accept_result": "accept", "person": "1", "reason": "x"}
        answer = reader.post(f"/tasks/{task}/{action}", case, **data)
        assert answer.status_code == status, action
    assert reader.post(f"{case}/contact", case, reason="想联系反映人").status_code == 422
    with district.office.work() as context:
        context.session.get_one(Case, matter.case_id).status = "转议事中"
    assert "提交议事" not in page(reader, case).text_content() and "提交议事" in page(lead, case).text_content()
    assert reader.http.get(f"/deliberation/suggest?case={matter.case_id}").status_code == 404


def test_people_are_looked_for_and_what_is_wrong_stands_beside_them(district: District, matter: Matter, lead: Client) -> None:
    task, address = matter.task(), f"/tasks/{matter.task()}/copy"
    found = lead.http.post(f"{address}/people", data={**lead.token(address), "people.q": name(district, STRANGER)})
    picker = html.fromstring(found.get_data(as_text=True)).xpath("//*[@data-people='people']")[0]
    assert person(district, STRANGER) in picker.xpath(".//input/@value")
    again = send(lead, task, status=422, words="请阅。", **{"people.q": name(district, STRANGER)})
    assert "请选择抄送对象" in again.text_content() and again.xpath("//textarea[@name='words']")[0].text == "请阅。"
    assert person(district, STRANGER) in again.xpath("//input[@name='people']/@value")
    for odd in ("0", "abc", str(10**30), MARKUP):
        assert "抄送对象中有不能选的人员" in send(lead, task, odd, status=422).text_content()
    assert "附言不能超过 300 个字" in send(lead, task, person(district, STRANGER), status=422, words="话" * 301).text_content()


def test_of_a_confidential_case_strangers_are_refused_with_a_sentence(district: District, matter: Matter, lead: Client) -> None:
    with district.office.work() as context:
        context.session.get_one(Case, matter.case_id).is_confidential = True
    again = send(lead, matter.task(), person(district, STRANGER), status=422)
    assert f"反映人要求保密，不能抄送给无权查看这件事的人：{name(district, STRANGER)}" in again.text_content()


def test_what_was_started_is_read_on_its_page(district: District) -> None:
    worker = at(district, "wanggeyuan")
    address = worker.post(
        "/start/process_leave", "/start/process_leave", reason="探亲", from_date="2026-03-09", to_date="2026-03-13"
    ).headers["Location"]
    (found,) = offered(worker, address)
    task = int(re.findall(r"\d+", found)[0])
    send(sign_in(district.app(), district, "wangge"), task, person(district, "bumenzhuren"))
    reader = at(district, "bumenzhuren")
    assert rows(reader)[0].xpath(".//a/@href") == [address] and "探亲" in page(reader, address).text_content()


def test_it_reads_in_english(district: District, matter: Matter, lead: Client) -> None:
    lead.post("/language", "/inbox", language="en")
    task = matter.task()
    assert "Please choose the recipients" in send(lead, task, status=422).text_content()
    told = send(lead, task, person(district, STRANGER)).text_content()
    assert "Copied; the recipients find it in their inbox" in told and "Read 0/1" in told
    reader = at(district, STRANGER)
    reader.post("/language", "/inbox", language="en")
    assert "Copied to me" in tab(reader) and "Unread" in rows(reader)[0].text_content()
