"""The pages of administrators."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest

from governance.organisation.commands import note_reorganised
from tests.district import District
from tests.faults.people import Client, sign_in
from tests.journeys.matters import grid_worker, place, reported


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    made = District(tmp_path_factory.mktemp("administered"))
    yield made
    made.close()


@pytest.fixture
def administrator(district: District) -> Client:
    return sign_in(district.app(), district, "guanli")


def added(administrator: Client, name: str, mobile: str = "") -> str:
    answer = administrator.post("/admin/people", "/admin/people", name=name, mobile=mobile)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return answer.headers["Location"]


def shown(administrator: Client, path: str) -> str:
    return administrator.http.get(path).get_data(as_text=True)


def test_somebody_is_added_appointed_to_two_posts_and_let_in(district: District, administrator: Client) -> None:
    page = added(administrator, "周小满", "13900000001")
    for post, unit in (("grid_worker", "临江社区第一网格"), ("community_worker", "临江社区")):
        assert administrator.post(f"{page}/appointments", page, post=post, unit=unit, from_date="2026-03-02").status_code == 302
    assert "网格员" in shown(administrator, page) and "首问接待员" in shown(administrator, page)
    assert administrator.post(f"{page}/account", page, username="zhouxiaoman", password="a long password").status_code == 302
    theirs = Client(district.app().test_client())
    assert theirs.post("/login", "/login", username="zhouxiaoman", password="a long password").status_code == 302
    inbox = theirs.http.get("/inbox").get_data(as_text=True)
    assert inbox.count('name="appointment"') == 2
    assert administrator.post(f"{page}/account/password", page, password="another password").status_code == 302
    assert theirs.http.get("/inbox").status_code == 302


@pytest.mark.parametrize(
    ("filled", "said"),
    [
        ({"post": "", "unit": "临江社区"}, "请选择岗位"),
        ({"post": "grid_worker", "unit": "第一网格"}, "有多个网格符合"),
        ({"post": "grid_worker", "unit": "没有的地方"}, "没有名称或编码为"),
        ({"post": "community_lead", "unit": "临江社区", "to_date": "2020-01-01"}, "任期的结束日期早于开始日期"),
        ({"post": "community_lead", "unit": "临江社区", "from_date": "昨天"}, "就任日期填写不正确"),
    ],
)
def test_an_appointment_that_makes_no_sense_is_refused_with_what_was_typed(
    administrator: Client, filled: dict[str, str], said: str
) -> None:
    page = added(administrator, "吴一凡")
    answer = administrator.post(f"{page}/appointments", page, **filled)
    told = answer.get_data(as_text=True)
    assert answer.status_code == 422 and said in told and f'value="{filled["unit"]}"' in told


def test_a_namesake_is_pointed_out(administrator: Client) -> None:
    first = added(administrator, "郑同名", "13900000002")
    second = added(administrator, "郑同名", "13900000003")
    assert "还有同名的人" in shown(administrator, second) and "13900000002" in shown(administrator, second)
    assert administrator.post(second, second, name="郑同铭", mobile="13900000003").status_code == 302
    assert "还有同名的人" not in shown(administrator, first)


def test_a_term_ends_and_stays_in_the_history(district: District, administrator: Client) -> None:
    page = added(administrator, "冯到期")
    administrator.post(f"{page}/appointments", page, post="building_lead", unit="5001990010010000100001")
    end = re.findall(r'action="(/admin/people/appointments/\d+/end)"', shown(administrator, page))
    assert len(end) == 1 and administrator.post(end[0], page, last_day="2026-03-02").status_code == 302
    district.clock.pass_by(days=1)
    try:
        assert "已卸任" in shown(sign_in(district.app(), district, "guanli"), page)
    finally:
        district.clock.pass_by(days=-1)


def test_an_administrator_cannot_lock_themselves_out(district: District, administrator: Client) -> None:
    row = re.search(r"guanli</td><td><a[^>]*href=\"(/admin/people/\d+)\"", shown(administrator, "/admin/people/accounts?q=guanli"))
    assert row
    answer = administrator.post(f"{row[1]}/account/disable", row[1])
    assert answer.status_code == 422 and "不能停用自己的账号" in answer.get_data(as_text=True)


def test_units_are_offered_by_what_was_typed(administrator: Client) -> None:
    offered = shown(administrator, "/admin/units/like?post=grid_lead&unit=临江社区第二")
    assert offered.strip() == '<option value="50019900100100002">滨江街道临江社区第二网格</option>'


def test_a_sheet_with_a_wrong_line_writes_nothing(administrator: Client) -> None:
    sheet = "类型,编码,名称,上级编码\n网格,990001,新网格,500199001001\n网格,990002,,500199001001\n城堡,990003,塔,500199001001\n"
    token = administrator.token("/admin/units")["csrf_token"]
    answer = administrator.http.post("/admin/units/import", data={"csrf_token": token, "file": (io.BytesIO(sheet.encode()), "units.csv")})
    told = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "第 3 行" in told and "第 4 行" in told and "第 2 行" not in told
    assert "新网格" not in shown(administrator, "/admin/units/like?post=grid_lead&unit=990001")


@pytest.mark.parametrize(
    "path", ["/admin", "/admin/units", "/admin/people", "/admin/people/vacancies", "/admin/calendar", "/admin/processes/incidents"]
)
def test_administration_is_for_administrators(district: District, path: str) -> None:
    assert sign_in(district.app(), district, "shequ").http.get(path).status_code == 403
    assert district.app().test_client().get(path).status_code == 302


def test_everybody_changes_their_own_password(district: District) -> None:
    mine, other = (sign_in(district.app(), district, "lianxi") for _ in range(2))
    new = {"password": "quite another one", "again": "quite another one"}
    for wrong, said in (
        ({"old": "guess", **new}, "原密码不正确"),
        ({"old": district.password, "password": "quite another one", "again": "something else"}, "两次输入的新密码不一致"),
        ({"old": district.password, "password": district.password, "again": district.password}, "新密码不能与原密码相同"),
        ({"old": district.password, "password": "short", "again": "short"}, "密码应为"),
    ):
        answer = mine.post("/password", "/password", **wrong)
        assert answer.status_code == 422 and said in answer.get_data(as_text=True)
    assert mine.post("/password", "/password", old=district.password, **new).status_code == 302
    assert mine.http.get("/inbox").status_code == 200 and other.http.get("/inbox").status_code == 302


def test_the_last_administrator_stays(district: District, administrator: Client) -> None:
    row = re.search(r"guanli</td><td><a[^>]*href=\"(/admin/people/\d+)\"", shown(administrator, "/admin/people/accounts?q=guanli"))
    assert row
    [end] = re.findall(r'action="(/admin/people/appointments/\d+/end)"', shown(administrator, row[1]))
    answer = administrator.post(end, row[1], last_day="2026-03-02")
    assert answer.status_code == 422 and "这是最后一位系统管理员，请先任命接任的人" in answer.get_data(as_text=True)


def test_somebody_with_an_account_gets_no_second(administrator: Client) -> None:
    page = added(administrator, "韩两次")
    token = administrator.token(page)
    for username, status in (("hanliangci", 302), ("hanliangci2", 422)):
        sent = administrator.http.post(f"{page}/account", data={**token, "username": username, "password": "a long password"})
        assert sent.status_code == status


def test_who_has_left_office_finishes_nothing_though_they_claimed_it(district: District) -> None:
    matter = reported(district, place(2))
    matter.take(grid_worker(district, 2))
    worker = sign_in(district.app(), district, grid_worker(district, 2))
    task = f"/tasks/{matter.task()}"
    token = worker.token(task)
    with district.office.work() as context:
        context.session.connection().exec_driver_sql(
            "UPDATE appointments SET to_date = '2026-03-01' WHERE person_id = (SELECT CAST(claimed_by AS INTEGER) FROM tasks WHERE claimed_by IS NOT NULL)"
        )
        note_reorganised(context.session)
    done = worker.http.post(f"{task}/complete", data={**token, "accept_result": "accept", "category": "0205"})
    assert done.status_code in (403, 404)
