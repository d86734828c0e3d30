"""发起: the list, the form and what has been started, as officials and attackers use the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from bpmn import beginning
from engine.packages import DIAGRAM, Package, frozen_package
from engine.versions import publish, retire
from governance.identity.models import Account
from governance.starting.models import Started
from tests.district import District
from tests.faults.people import Client, first_task, sign_in

KEY, ONLY, GONE = "process_leave", "process_only", "process_gone"
ASKED = {"reason": "回乡探亲", "from_date": "2026-03-09", "to_date": "2026-03-13"}
MARKUP = "<img src=x onerror=alert(1)>"
CHINESE = re.compile("[\u3400-\u9fff]")


def named(key: str, name: str, start: bytes = b"") -> Package:
    files = dict(beginning("request", key, name))
    files[DIAGRAM] = files[DIAGRAM].replace(b'<wz:form key="request" />', start + b'<wz:form key="request" />', 1)
    return frozen_package(files)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    made = District(tmp_path_factory.mktemp("empty"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """A district with a process for everybody, one for grid leads, and one that is retired."""
    made = District(tmp_path_factory.mktemp("starting"))
    packages = (
        named(KEY, "请假"),
        named(ONLY, f"用车 {MARKUP}", b'<wz:assign post="grid_lead" />'),
        named(GONE, "旧流程"),
    )
    with made.office.work() as context:
        for package in packages:
            publish(context.session.connection(), context.new_id(), package, context.now(), by="system", reason="试行")
        retire(context.session.connection(), GONE, context.now(), by="system", reason="不再使用")
    yield made
    made.close()


@pytest.fixture
def worker(district: District) -> Client:
    return sign_in(district.app(), district, "wanggeyuan")


def page(client: Client, address: str) -> str:
    answer = client.http.get(address)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def begun(client: Client, **data: str) -> str:
    """The address of something that has just been started."""
    answer = client.post(f"/start/{KEY}", f"/start/{KEY}", **{**ASKED, **data})
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return answer.headers["Location"]


def count(district: District) -> int:
    with district.office.work() as context:
        return context.session.scalar(select(func.count()).select_from(Started)) or 0


def test_without_anything_to_start_there_is_no_entry(empty: District) -> None:
    worker = sign_in(empty.app(), empty, "wanggeyuan")
    assert 'href="/start"' not in page(worker, "/inbox")
    assert "目前没有您可以发起的流程" in page(worker, "/start")


def test_everybody_sees_what_they_may_start(district: District, worker: Client) -> None:
    assert 'href="/start"' in page(worker, "/inbox")
    shown = page(worker, "/start")
    assert "请假" in shown and "写明事由和起止日期" in shown
    assert "用车" not in shown and "旧流程" not in shown and "问题处置" not in shown
    lead = page(sign_in(district.app(), district, "wangge"), "/start")
    assert "用车" in lead and MARKUP not in lead


def test_it_goes_from_the_form_to_the_lead_and_back(district: District, worker: Client) -> None:
    lead = sign_in(district.app(), district, "wangge")
    address = begun(worker)
    shown = page(worker, address)
    assert "已提交。下一环节：审批（临江社区第一网格网格长）。" in shown
    assert "回乡探亲" in shown and "2026-03-13" in shown and "流转轨迹" in shown
    assert worker.http.get(f"{address}/diagram.json").get_json()["nodes"]["approve_request"]["current"] == 1
    task = first_task(lead)
    asked = page(lead, task)
    assert "回乡探亲" in asked and f'href="{address}"' in asked and "从发起人所在的单位起" in asked
    assert "不向居民公开" not in asked
    ending = lead.post(f"{task}/foresee", task, decision="agree").get_data(as_text=True)
    assert "流程结束" in ending and "反映人" not in ending
    lead.post(f"{task}/complete", task, decision="return", opinion="改到周三")
    mine = first_task(worker)
    assert page(worker, address).count("2026-03-13") == 1, "what was asked for stands as it is; the trail does not repeat it"
    again = page(worker, mine)
    assert "回乡探亲</textarea>" in again and "由发起人本人办理" in again
    worker.post(f"{mine}/complete", mine, **{**ASKED, "to_date": "2026-03-20"})
    worker.post(f"{mine}/withdraw", mine, reason="日期写错了")
    assert "2026-03-20" not in page(worker, address).partition("流转轨迹")[0], "what was taken back is not what is asked for"
    worker.post(f"{mine}/complete", mine, **{**ASKED, "to_date": "2026-03-11"})
    assert "2026-03-11" in page(lead, first_task(lead))
    lead.post(f"{first_task(lead)}/complete", first_task(lead), decision="agree")
    for where in ("/inbox?box=started", "/start", address):
        assert "已同意" in page(worker, where)
    assert "2026-03-11" in page(worker, address)
    assert page(worker, address).count("2026-03-13") == 1, "what was first asked for stays in the trail"
    assert district.findings() == []


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(district: District, worker: Client) -> None:
    before = count(district)
    answer = worker.post(f"/start/{KEY}", f"/start/{KEY}", reason=MARKUP, from_date="2026-02-30")
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 422 and count(district) == before
    assert 'id="e-to_date">请填写结束日期' in shown and 'id="e-from_date">开始日期填写不正确' in shown
    assert MARKUP not in shown and "&lt;img src=x onerror" in shown and 'value="2026-02-30"' in shown
    assert f'data-draft="start-{KEY}"' in shown


def test_a_second_press_starts_nothing_more(district: District, worker: Client) -> None:
    before, sent = count(district), {**worker.token(f"/start/{KEY}"), **ASKED}
    first, second = (worker.http.post(f"/start/{KEY}", data=sent) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"] and count(district) == before + 1


def test_odd_requests_get_a_sentence_and_start_nothing(district: District, worker: Client) -> None:
    before = count(district)
    for key, status in (("no_such", 404), ("issue_disposal", 404), (GONE, 409), (ONLY, 403), ("%00", 404), ("a" * 500, 404)):
        assert worker.http.get(f"/start/{key}").status_code == status
        for address in (f"/start/{key}", f"/start/{key}/shape"):
            assert worker.post(address, f"/start/{KEY}", **ASKED).status_code == status
    assert "该流程已停用，不能再发起。" in worker.http.get(f"/start/{GONE}").get_data(as_text=True)
    many = worker.post(f"/start/{KEY}", f"/start/{KEY}", **{f"field_{n}": "x" for n in range(500)})
    assert many.status_code == 422 and "field_1" not in many.get_data(as_text=True)
    assert worker.post(f"/start/{KEY}", f"/start/{KEY}", **{**ASKED, "reason": "a\0b"}).status_code == 400
    assert worker.http.post(f"/start/{KEY}", data=ASKED).status_code == 400
    assert count(district) == before


def test_who_started_and_from_where_cannot_be_sent_along(district: District, worker: Client) -> None:
    address = begun(worker, starter="1", place_unit="1")
    with district.office.work() as context:
        held = context.session.get_one(Started, int(address.rpartition("/")[2]))
        account = context.session.scalars(select(Account).where(Account.username == "wanggeyuan")).one()
        assert held.person_id == account.person_id
    assert "网格员" in page(worker, address)


def test_a_stranger_learns_nothing(district: District, worker: Client) -> None:
    address, stranger = begun(worker), sign_in(district.app(), district, "jiedao")
    for part in ("", "/diagram.bpmn", "/diagram.json"):
        assert stranger.http.get(f"{address}{part}").status_code == 404
        assert district.app().test_client().get(f"{address}{part}").status_code == 302
    auditor = sign_in(district.app(), district, "shenji")
    assert "现在核对" in page(auditor, address)
    assert f'href="{address}"' in page(auditor, "/started?q=请假") and address not in page(auditor, "/started?q=没有的")
    assert f'href="{address}"' not in page(auditor, f"/started?after={address.rpartition('/')[2]}")
    assert stranger.http.get("/started").status_code == 403 and 'href="/started"' in page(auditor, "/cases")
    assert "一致" in auditor.post(f"{address}/verify", address).get_data(as_text=True)


def test_the_pages_are_in_english(district: District, worker: Client) -> None:
    worker.http.set_cookie("language", "en")
    address = begun(worker, reason="family")
    seen = {"Submitted. Next:", "Started by me", "Request made", "Approve", "Reason"}
    with district.office.work() as context:
        account = context.session.scalars(select(Account).where(Account.username == "wanggeyuan")).one()
        data = re.compile(f"请假|临江社区|第一网格|{account.person.name}")
    for where in (address, "/start", f"/start/{KEY}"):
        main = data.sub("", page(worker, where).partition("<main")[2])
        seen = {words for words in seen if words not in main}
        assert CHINESE.findall(main) == []
    assert seen == set()
