"""催办 on the pages: pressed beside other people's tasks, and read by those who have them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from lxml import html

from engine.instances import SYSTEM
from engine.versions import publish
from governance.cases.models import Case
from governance.workflow.world import instances
from tests.district import District
from tests.faults.people import Client, sign_in
from tests.governance.test_starting import ASKED, KEY, leave
from tests.journeys.matters import Matter, name, place, reported

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    made = District(tmp_path_factory.mktemp("urging"))
    with made.office.work() as context:
        publish(context.session.connection(), context.new_id(), leave(), context.now(), by="system", reason="试行")
    yield made
    made.close()


@pytest.fixture
def matter(district: District) -> Matter:
    """At the building lead; the grid worker has accepted it."""
    return reported(district, place(1)).accepted("wanggeyuan")


def at(district: District, username: str) -> Client:
    return sign_in(district.app(), district, username)


def page(client: Client, address: str) -> html.HtmlElement:
    answer = client.http.get(address)
    assert answer.status_code == 200
    return html.fromstring(answer.get_data(as_text=True))


def offered(client: Client, address: str) -> list[str]:
    """Where the page's buttons for urging lead."""
    return [str(found) for found in page(client, address).xpath("//form[contains(@action, '/urge')]/@action")]


def heads(shown: html.HtmlElement) -> list[str]:
    """What happened and on which day, as the trail says it."""
    return [str(item.text_content().split()[0]) for item in shown.xpath("//*[@class='trail-head']")]


def press(client: Client, address: str, task: int, **data: str) -> str:
    """What the page says that the press leads back to: the one it came from."""
    origin = f"http://localhost{address}"
    sent = {**client.token(address), **data}
    answer = client.http.post(f"/tasks/{task}/urge", data=sent, headers={"Referer": origin})
    assert (answer.status_code, urlsplit(answer.headers["Location"]).path) == (302, urlsplit(address).path)
    return str(page(client, answer.headers["Location"]).text_content())


def test_whoever_handled_it_urges_from_the_case_and_from_their_own_task(district: District, matter: Matter) -> None:
    task, own, case = matter.task(), f"/tasks/{matter.task('accept_case')}", f"/cases/{matter.case_id}"
    worker = at(district, "wanggeyuan")
    assert offered(worker, case) == offered(worker, own) == [f"/tasks/{task}/urge"]
    assert "已催办，办理人会在待办箱里看到。" in press(worker, case, task, words=MARKUP)
    told = page(worker, case)
    assert "催办本级处置3月2日" in heads(told)
    assert MARKUP in told.text_content() and not told.xpath("//img[@onerror]")
    assert "您已经催办过，2026-03-02 13:00以后可以再次催办。" in press(worker, own, task)


def test_those_who_have_the_task_read_by_whom_how_often_and_when(district: District, matter: Matter) -> None:
    task, lead = matter.task(), at(district, "loudong")
    assert "催办" not in page(lead, "/inbox").xpath(f"//*[@data-row='{task}']")[0].text_content()
    press(at(district, "wanggeyuan"), f"/cases/{matter.case_id}", task)
    above = at(district, "shequ")
    press(above, f"/cases/{matter.case_id}", task, words="请尽快。")
    row = page(lead, "/inbox").xpath(f"//*[@data-row='{task}']")[0].text_content()
    who = f"{name(district, 'wanggeyuan')}、{name(district, 'shequ')}"
    assert "共 2 次" in row and "催办" in row and all(one in row for one in who.split("、"))
    told = page(lead, f"/tasks/{task}").text_content()
    assert "已被催办 2 次，最近一次在3月2日 09:00" in told and "请尽快。" in told
    assert offered(lead, f"/tasks/{task}") == [] and "已被催办 2 次" in page(above, f"/cases/{matter.case_id}").text_content()


@pytest.mark.parametrize("username", ["shenji", "loudong"])
def test_whoever_reads_it_without_being_concerned_is_not_asked(district: District, matter: Matter, username: str) -> None:
    client, task = at(district, username), matter.task()
    assert offered(client, f"/cases/{matter.case_id}") == []
    assert client.post(f"/tasks/{task}/urge", f"/cases/{matter.case_id}").status_code == 403


def test_strangers_are_told_of_no_such_task(district: District, matter: Matter) -> None:
    assert at(district, "bumen").post(f"/tasks/{matter.task()}/urge", "/inbox").status_code == 404


def test_what_is_over_is_told_in_a_sentence(district: District, matter: Matter) -> None:
    worker, task, case = at(district, "wanggeyuan"), matter.task(), f"/cases/{matter.case_id}"
    assert "附言不能超过 300 个字" in press(worker, case, task, words="催" * 301)
    matter.do(handle_result="escalate", work_done="已围挡。", escalation_reason="没有处置能力。", opinion="请上级处理。")
    assert "该待办已由" in press(worker, case, task)
    with district.office.work() as context:
        instance_id = context.session.get_one(Case, matter.case_id).instance_id or 0
        instances(context).suspend(instance_id, SYSTEM, "核查")
    assert "已挂起，不能执行此操作" in press(worker, case, matter.task())


def test_whoever_started_something_urges_it_from_its_page(district: District) -> None:
    worker = at(district, "wanggeyuan")
    answer = worker.post(f"/start/{KEY}", f"/start/{KEY}", **ASKED)
    address = answer.headers["Location"]
    (found,) = offered(worker, address)
    assert "已催办" in press(worker, address, int(found.split("/")[2]))
    assert "已被催办 1 次" in page(at(district, "wangge"), found.removesuffix("/urge")).text_content()


def test_the_trail_tells_an_urging_from_a_reminder_of_the_clock(district: District) -> None:
    worker = at(district, "wanggeyuan")
    address = worker.post(f"/start/{KEY}", f"/start/{KEY}", **ASKED).headers["Location"]
    press(worker, address, int(offered(worker, address)[0].split("/")[2]), words="请尽快。")
    district.clock.pass_by(days=9)
    district.tick()
    told = heads(page(at(district, "wanggeyuan"), address))
    assert "催办审批3月2日" in told and "时限提醒“审批”已超期3月11日" in told and "催办提醒" not in str(told)


def test_it_reads_in_english(district: District, matter: Matter) -> None:
    worker, task, case = at(district, "wanggeyuan"), matter.task(), f"/cases/{matter.case_id}"
    worker.post("/language", "/inbox", language="en")
    assert "Urged; those who handle it see so in their inbox." in press(worker, case, task)
    assert "You have urged this already" in press(worker, case, task)
