"""Nothing twice, nothing lost, and a sentence for the person: double clicks, races, stale pages, lost sessions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from engine.schema import commands, tasks
from governance.cases.models import Case
from tests.district import District
from tests.faults.people import first_task, report, sign_in

ACCEPT = {"accept_result": "accept", "category": "0205", "opinion": "情况属实"}


def counted(district: District, query: object) -> int:
    with district.office.database.connect() as connection:
        return int(connection.scalar(query) or 0)  # type: ignore[call-overload]


def completions(district: District) -> int:
    return counted(district, select(func.count()).select_from(commands).where(commands.c.kind == "complete"))


def test_a_double_click_acts_once(district: District) -> None:
    app = district.app()
    report(app)
    worker = sign_in(app, district, "wanggeyuan")
    path = first_task(worker)
    form = {**worker.token(path), **ACCEPT}
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: worker.http.post(f"{path}/complete", data=form).status_code, range(2)))
    assert answers == [302, 302] and completions(district) == 1 and district.findings() == []


def test_reporting_twice_makes_one_case(district: District) -> None:
    app = district.app()
    from tests.faults.people import PLACE, Client

    resident = Client(app.test_client())
    page = f"/report?place={PLACE}"
    form = {**resident.token(page), "text": "路灯不亮，晚上看不清路。", "place": "5001990010010000100001"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: resident.http.post("/report", data=form).status_code, range(4)))
    assert set(answers) <= {200, 302, 409}
    assert counted(district, select(func.count()).select_from(Case)) == 1


def test_of_two_workers_one_wins_and_the_other_reads_who(district: District) -> None:
    app = district.app()
    report(app)
    both = [sign_in(app, district, name) for name in ("wanggeyuan", "wangge")]
    path = first_task(both[0])
    forms = [{**client.token(path), **ACCEPT} for client in both]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda i: both[i].http.post(f"{path}/complete", data=forms[i]), range(2)))
    assert sorted(a.status_code for a in answers) == [302, 409] and completions(district) == 1
    said = next(a for a in answers if a.status_code == 409).get_data(as_text=True)
    assert "办结。" in said and "情况属实" in said


def test_a_stale_page_says_what_happened_and_keeps_the_text(district: District) -> None:
    app = district.app()
    report(app)
    slow, fast = sign_in(app, district, "wanggeyuan"), sign_in(app, district, "wangge")
    path = first_task(slow)
    form = {**slow.token(path), **ACCEPT, "opinion": "我写了很长的意见"}
    assert fast.post(f"{path}/complete", path, **ACCEPT).status_code == 302
    late = slow.http.post(f"{path}/complete", data=form)
    text = late.get_data(as_text=True)
    assert late.status_code == 409 and "已由" in text and "我写了很长的意见" in text


def test_an_expired_session_leads_to_the_sign_in_and_changes_nothing(district: District) -> None:
    app = district.app()
    report(app)
    worker = sign_in(app, district, "wanggeyuan")
    path = first_task(worker)
    form = {**worker.token(path), **ACCEPT}
    worker.http.delete_cookie("session")
    answer = worker.http.post(f"{path}/complete", data=form)
    assert answer.status_code in (302, 400, 401) and completions(district) == 0
    shown = worker.http.get(path)
    assert shown.status_code == 302 and "/login" in shown.headers["Location"]


def test_a_changed_password_ends_every_session(district: District) -> None:
    from governance.identity.commands import set_password
    from governance.identity.models import Account

    app = district.app()
    worker = sign_in(app, district, "wanggeyuan")
    with district.office.work() as context:
        account = context.session.scalar(select(Account).where(Account.username == "wanggeyuan"))
        assert account
        set_password(context.session, account, "another long password")
    assert worker.http.get("/inbox").status_code == 302


def test_five_wrong_passwords_lock_the_account_for_a_while(district: District) -> None:
    app = district.app()
    from tests.faults.people import Client

    client = Client(app.test_client())
    for _ in range(5):
        assert client.post("/login", "/login", username="wangge", password="wrong-password").status_code == 422
    locked = client.post("/login", "/login", username="wangge", password=district.password)
    assert locked.status_code == 422 and "锁定" in locked.get_data(as_text=True)
    district.clock.pass_by(minutes=16)
    assert client.post("/login", "/login", username="wangge", password=district.password).status_code == 302


def test_somebody_elses_task_is_not_there(district: District) -> None:
    app = district.app()
    report(app)
    path = first_task(sign_in(app, district, "wanggeyuan"))
    for stranger in ("bumen", "wangge05", "shequ02"):
        client = sign_in(app, district, stranger)
        assert client.http.get(path).status_code == 404
        assert client.post(f"{path}/complete", "/inbox", **ACCEPT).status_code in (403, 404)
    assert counted(district, select(func.count()).select_from(tasks).where(tasks.c.closed_at.is_not(None))) == 0
