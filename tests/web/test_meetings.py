"""The pages of meetings: what staff see and do, and what attendees do on their phones."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from flask import Flask
from lxml import html
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse

from governance.identity.models import Account
from governance.meetings.attendance import invite
from governance.meetings.commands import give_notice
from governance.meetings.models import Attendee, Meeting, Minutes
from tests.district import MONDAY, District
from tests.faults.people import Client, sign_in
from tests.governance.meeting_world import Hall
from web.pages.meeting_records import _rows

LEAD, STREET = "shequ", "zhihui"


@dataclass
class Town:
    """A district with one meeting, and whoever is signed in."""

    district: District
    app: Flask
    clients: dict[str, Client] = field(default_factory=dict)
    meeting_id: int = 0
    secret: str = ""

    def at(self, username: str) -> Client:
        if username not in self.clients:
            self.clients[username] = sign_in(self.app, self.district, username)
        return self.clients[username]

    def page(self, username: str, part: str = "") -> str:
        answer = self.at(username).http.get(f"/meetings/{self.meeting_id}{part}")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_data(as_text=True)

    def post(self, part: str, page: str = "", username: str = LEAD, **data: str) -> TestResponse:
        where = f"/meetings/{self.meeting_id}"
        return self.at(username).post(where + part, where + page, **data)

    def attendees(self) -> list[tuple[int, str]]:
        """Ids and codes, in order."""
        with self.district.office.work() as context:
            rows = context.session.scalars(select(Attendee).where(Attendee.meeting_id == self.meeting_id).order_by(Attendee.number))
            return [(one.id, context.sealer.unseal(one.sealed_code)) for one in rows]

    def sign(self, attendee: int | str, code: str) -> TestResponse:
        stranger = Client(self.app.test_client())
        return stranger.post(f"/meeting/{self.secret}", "/report", attendee=str(attendee), code=code)

    def gather(self, count: int = 2) -> None:
        with self.district.office.work() as context:
            self.district.clock.at = context.session.get_one(Meeting, self.meeting_id).starts_at
        for attendee, code in self.attendees()[:count]:
            assert self.sign(attendee, code).status_code == 302

    def open(self) -> None:
        self.gather()
        assert self.post("/open", "/live").status_code == 302


def first_community_lead(district: District) -> str:
    with district.office.work() as context:
        lead = Hall(district, context).holder()
        return context.session.scalars(select(Account.username).where(Account.person_id == lead.person_id)).one()


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    made = District(tmp_path_factory.mktemp("halls"))
    yield made
    made.close()


@pytest.fixture
def town(district: District) -> Town:
    """A draft of its own for every test."""
    district.clock.at = MONDAY
    app = district.app()
    with district.office.work() as context:
        hall = Hall(district, context)
        held = hall.draft()
        made = Town(district, app, meeting_id=held.id, secret=hall.secret(held))
    assert first_community_lead(district) == LEAD
    return made


@pytest.fixture
def noticed(town: Town) -> Town:
    with town.district.office.work() as context:
        give_notice(context, Hall(town.district, context).holder(), town.meeting_id)
    return town


def picture(kind: str) -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "#a55").save(out, kind)
    return io.BytesIO(out.getvalue())


def text(page: str) -> str:
    return re.sub(r"\s+", " ", html.fromstring(page).text_content())


# ---- convening -----------------------------------------------------------------------------------------------------


def options(page: str, name: str) -> dict[str, str]:
    return {o.text_content().strip(): o.get("value") for o in html.fromstring(page).xpath(f"//select[@name='{name}']/option")}


def test_a_meeting_is_convened_from_its_form(town: Town) -> None:
    lead = town.at(LEAD)
    form = lead.http.get("/meetings/new").get_data(as_text=True)
    units, conveners = options(form, "unit"), options(form, "convener")
    assert "临江社区（社区）" in units and not any("码头社区" in unit for unit in units)
    filled = {
        "unit": units["临江社区（社区）"],
        "body": "joint",
        "title": "四月联席会议",
        "starts_at": "2026-04-01T09:30",
        "place": "会议室",
    }
    empty = lead.post("/meetings", "/meetings/new", **filled | {"title": "", "starts_at": "yesterday"}, convener="")
    page = empty.get_data(as_text=True)
    assert (
        empty.status_code == 422
        and "请填写会议名称" in page
        and "请填写开会时间" in page
        and "请选择召集人" in page
        and 'value="会议室"' in page
    )
    answer = lead.post("/meetings", "/meetings/new", **filled, convener=next(iter(conveners.values())))
    assert answer.status_code == 302
    shown = lead.http.get(answer.headers["Location"]).get_data(as_text=True)
    assert "四月联席会议" in shown and "4月1日 09:30" in shown
    assert "四月联席会议" in lead.http.get("/meetings?scope=unit&level=community&status=draft").get_data(as_text=True)
    assert "四月联席会议" not in lead.http.get("/meetings?status=closed").get_data(as_text=True)


def test_whoever_holds_no_unit_convenes_nothing(town: Town) -> None:
    auditor = town.at("shenji").http
    assert auditor.get("/meetings/new").status_code == 403 and "召集会议" not in auditor.get("/meetings").get_data(as_text=True)
    assert "三月居民代表会议" in auditor.get("/meetings?scope=unit").get_data(as_text=True)


def test_items_people_and_the_notice(town: Town) -> None:
    assert town.post("/items", text="停车收费").status_code == 302
    refused = town.post("/items", case_number="500199209901010001")
    assert refused.status_code == 422 and "没有这个编号的事项" in refused.get_data(as_text=True)
    assert town.post("/attendees", "/attendees", people="赵六 9999 楼长", role="member", residents="1").status_code == 302
    wrong = town.post("/attendees", "/attendees", people="赵六 99", role="member")
    assert (
        wrong.status_code == 422
        and "第 1 行手机应为后四位数字" in wrong.get_data(as_text=True)
        and "赵六 99" in wrong.get_data(as_text=True)
    )
    page = town.page(LEAD, "/attendees")
    appointment = html.fromstring(page).xpath("//input[@name='appointment']/@value")[0]
    assert town.post("/attendees/staff", "/attendees", appointment=appointment, role="chair").status_code == 302
    assert town.post("/notice").status_code == 302
    shown = text(town.page(LEAD))
    assert "已通知" in shown and "应到 5，实到 0，未达到法定人数（2/3，即 4 人），还差 4 人" in shown
    assert town.post("/items", text="后来想到的").status_code == 302 and "临时议题" in town.page(LEAD)
    assert town.post(f"/attendees/{town.attendees()[0][0]}/remove", "/attendees").status_code == 409


def test_a_notice_too_short_is_said_on_the_page(town: Town) -> None:
    town.district.clock.at = MONDAY + timedelta(days=6)
    assert "今天发出最早可于 2026-03-12 召开" in town.page(LEAD)
    answer = town.post("/notice")
    assert answer.status_code == 422 and "居民代表会议应提前 3 日通知，最早可于 2026-03-12 召开" in answer.get_data(as_text=True)


def test_the_notice_to_print_has_the_agenda_the_basis_and_the_code(noticed: Town) -> None:
    page = text(noticed.page(LEAD, "/notice"))
    assert "三号楼加装电梯" in page and "三分之二以上" in page and "待法务确认" in page and "2026-03-02" in page
    picture = noticed.at(LEAD).http.get(f"/meetings/{noticed.meeting_id}/qr.svg")
    assert picture.mimetype == "image/svg+xml" and picture.status_code == 200


def test_there_is_no_code_before_the_notice(town: Town) -> None:
    assert town.at(LEAD).http.get(f"/meetings/{town.meeting_id}/qr.svg").status_code == 404


def test_cancelling_asks_for_a_reason(town: Town) -> None:
    assert town.post("/cancel", reason=" ").status_code == 422
    assert town.post("/cancel", reason="改期另行通知").status_code == 302
    assert "改期另行通知" in town.page(LEAD) and "会议已取消" in Client(town.app.test_client()).http.get(
        f"/meeting/{town.secret}"
    ).get_data(as_text=True)


# ---- signing in ----------------------------------------------------------------------------------------------------


def test_people_sign_in_on_their_phones(noticed: Town) -> None:
    (one, code), *_ = noticed.attendees()
    assert "签到尚未开始" in noticed.sign(one, code).get_data(as_text=True)
    noticed.gather(0)
    with noticed.district.office.work() as context:
        hall = Hall(noticed.district, context)
        guest = hall.holder("department_lead", "500199-D01")
        assert guest.acting
        invite(context, hall.holder(), noticed.meeting_id, [guest.acting.id])
        official = guest.name
    page = Client(noticed.app.test_client()).http.get(f"/meeting/{noticed.secret}").get_data(as_text=True)
    assert "区住房城乡建委负责人" in page and official not in page, "nobody is named in full"
    assert "王**" in page and "王秀英" not in page and code not in page
    for attendee, typed, said in ((one, "0000", "姓名与所填的号码不符"), ("", code, "请选择您的姓名"), ("9" * 30, code, "请选择您的姓名")):
        answer = noticed.sign(attendee, typed)
        assert answer.status_code == 422 and said in answer.get_data(as_text=True)
    assert noticed.sign(one, code).status_code == 302
    again = noticed.sign(one, code)
    assert again.status_code == 409 and "不必重复签到" in again.get_data(as_text=True)
    live = text(noticed.page(LEAD, "/live/present"))
    assert "王秀英" in live and "应到 4，实到 1，未达到法定人数（2/3，即 3 人），还差 2 人" in live


def test_wrong_numbers_are_counted_across_requests(noticed: Town) -> None:
    (one, code), *_ = noticed.attendees()
    noticed.gather(0)
    for _ in range(5):
        noticed.sign(one, "0000")
    assert "请到签到处由工作人员签到" in noticed.sign(one, code).get_data(as_text=True)
    assert noticed.post(f"/live/{one}/here", "/live").status_code == 302 and "代签到" in noticed.page(LEAD, "/live")


def test_a_foreign_link_leads_nowhere(noticed: Town) -> None:
    stranger = Client(noticed.app.test_client())
    assert stranger.http.get(f"/meeting/{'x' * 24}").status_code == 404


def test_nobody_opens_without_a_quorum_or_signs_in_after_the_end(noticed: Town) -> None:
    noticed.gather(1)
    answer = noticed.post("/open", "/live")
    assert answer.status_code == 409 and "未达到法定人数，不能开会：应到 3，实到 1，还差 1 人。" in answer.get_data(as_text=True)
    noticed.post(f"/live/{noticed.attendees()[1][0]}/here", "/live")
    assert noticed.post("/open", "/live").status_code == 302
    assert "已达到法定人数（2/3，即 2 人）" in text(noticed.page(LEAD, "/live"))
    assert noticed.post("/close", "/live").status_code == 302
    late = noticed.sign(*noticed.attendees()[2])
    assert late.status_code == 409 and "会议已结束，不能再签到" in late.get_data(as_text=True)


# ---- what remains --------------------------------------------------------------------------------------------------


def test_results_minutes_and_their_versions(noticed: Town) -> None:
    noticed.open()
    item = re.search(r"/items/(\d+)/result", noticed.page(LEAD, "/live"))
    assert item and noticed.post(f"/items/{item[1]}/result", "/live", result="原则同意").status_code == 302
    assert "原则同意" in noticed.page(STREET, "/live")
    assert noticed.post("/minutes", "/minutes", text="会议同意。\n甲方案。", based_on="0").status_code == 302
    assert noticed.post("/minutes", "/minutes", text="会议同意。\n乙方案。", based_on="1").status_code == 302
    stale = noticed.post("/minutes", "/minutes", text="别人写的", based_on="1")
    assert stale.status_code == 422 and "他人已保存了第 2 版" in stale.get_data(as_text=True) and "别人写的" in stale.get_data(as_text=True)
    compared = html.fromstring(noticed.page(LEAD, "/minutes?left=1&right=2")).xpath("//div[@class='is-changed']//p/text()")
    assert compared == ["甲方案。", "乙方案。"]


def test_minutes_of_a_megabyte_are_refused(noticed: Town) -> None:
    noticed.open()
    answer = noticed.post("/minutes", "/minutes", text="a" * 1_000_000, based_on="0")
    assert answer.status_code == 422 and "会议记录不能超过 50000 个字" in answer.get_data(as_text=True)


def test_a_signature_on_paper_comes_with_its_picture(noticed: Town) -> None:
    noticed.open()
    noticed.post("/minutes", "/minutes", text="会议同意。", based_on="0")
    where = re.search(r"/minutes/(\d+)/paper", noticed.page(LEAD, "/minutes"))
    assert where
    lead, path = noticed.at(LEAD), f"/meetings/{noticed.meeting_id}/minutes/{where[1]}/paper"
    token = lead.token(f"/meetings/{noticed.meeting_id}/minutes")
    assert "请拍下签名页" in lead.http.post(path, data={**token, "attendee": "1"}).get_data(as_text=True)
    sheet = {"sheet": (io.BytesIO(b"no picture"), "a.jpg"), "attendee": str(noticed.attendees()[0][0])}
    assert lead.http.post(path, data={**token, **sheet}).status_code == 422
    sheet["sheet"] = (picture("JPEG"), "a.jpg")
    assert lead.http.post(path, data={**token, **sheet}).status_code == 302
    assert "纸面签名" in noticed.page(LEAD, "/minutes") and "1 人已签名" in text(noticed.page(LEAD, "/minutes"))


def test_attachments_are_checked_and_only_ever_downloaded(town: Town) -> None:
    lead, path = town.at(LEAD), f"/meetings/{town.meeting_id}/files"
    token = lead.token(path)

    def send(name: str, content: bytes) -> TestResponse:
        answer = lead.http.post(path, data={**token, "file": (io.BytesIO(content), name)}, buffered=True)
        answer.request.environ["wsgi.input"].close()
        return answer

    wrong = send("方案.pdf", b"<script>alert(1)</script>")
    assert wrong.status_code == 422 and "只能上传 PDF" in wrong.get_data(as_text=True)
    assert "附件超过 10 MB" in send("大.pdf", b"%PDF-" + b"x" * 10_000_000).get_data(as_text=True)
    assert "请选择要上传的附件" in lead.http.post(path, data=token).get_data(as_text=True)
    assert send("方案 一.pdf", b"%PDF-1.7").status_code == 302
    found = re.search(r'href="(/meetings/\d+/files/\d+)"', town.page(LEAD, "/files"))
    assert found
    answer = lead.http.get(found[1], buffered=True)
    assert answer.get_data() == b"%PDF-1.7" and answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.mimetype == "application/pdf"
    assert town.at("shequ02").http.get(found[1]).status_code == 404, "the lead of another community"


def test_a_decision_is_noted_and_handed_over(noticed: Town) -> None:
    noticed.open()
    page = noticed.page(LEAD, "/decisions")
    units = {o.text: o.get("value") for o in html.fromstring(page).xpath("//select[@name='unit']//option")}
    missing = noticed.post("/decisions", "/decisions", text="更换排水管", due_on="2026-03-30")
    assert (
        missing.status_code == 422 and "请选择责任单位" in missing.get_data(as_text=True) and "更换排水管" in missing.get_data(as_text=True)
    )
    filled = {"text": "更换排水管", "unit": units["区住房城乡建委"], "due_on": "2026-03-30"}
    assert noticed.post("/decisions", "/decisions", **filled).status_code == 302
    where = re.search(r"/decisions/(\d+)/confirm", noticed.page(LEAD, "/decisions"))
    assert where and noticed.post(f"/decisions/{where[1]}/confirm", "/decisions").status_code == 302
    assert "落实中" in noticed.page(LEAD, "/decisions") and "确认交办" not in noticed.page(LEAD, "/decisions")


# ---- who may -------------------------------------------------------------------------------------------------------


def test_the_street_reads_masked_names_and_changes_nothing(noticed: Town) -> None:
    page = noticed.page(STREET)
    assert "王**" in page and "王秀英" not in page and "取消会议" not in page
    assert noticed.at(STREET).http.get(f"/meetings/{noticed.meeting_id}/attendees").status_code == 403
    assert noticed.post("/cancel", username=STREET, reason="不开").status_code == 403


@pytest.mark.parametrize(
    "part", ["", "/notice", "/live", "/live/present", "/minutes", "/decisions", "/files", "/attendees", "/edit", "/qr.svg"]
)
def test_a_neighbour_finds_nothing(noticed: Town, part: str) -> None:
    assert noticed.at("shequ02").http.get(f"/meetings/{noticed.meeting_id}{part}").status_code == 404


def test_posting_without_the_page_s_token_does_nothing(noticed: Town) -> None:
    assert noticed.at(LEAD).http.post(f"/meetings/{noticed.meeting_id}/cancel", data={"reason": "x"}).status_code == 400
    assert Client(noticed.app.test_client()).http.post(f"/meeting/{noticed.secret}", data={"attendee": "1"}).status_code == 400


def test_administrators_change_the_rules_and_nobody_else(town: Town) -> None:
    rule = {"notice_days": "10", "quorum": "2/3", "source": "《物业管理条例》", "is_confirmed": "1"}
    admin = town.at("guanli")
    assert town.at(LEAD).http.get("/admin/meetings").status_code == 403
    wrong = admin.post("/admin/meetings/other", "/admin/meetings", **rule | {"quorum": "五分之一"})
    assert wrong.status_code == 422 and "法定人数应写成 2/3" in wrong.get_data(as_text=True)
    assert admin.post("/admin/meetings/other", "/admin/meetings", **rule).status_code == 302
    assert admin.post("/admin/meetings/nobody", "/admin/meetings", **rule).status_code == 404
    assert "提前 10 日" in town.at(LEAD).http.get("/meetings/new").get_data(as_text=True)


def test_long_minutes_are_compared_at_once() -> None:
    """25,000 lines that are alike would take minutes to align."""
    long = ["一"] * 24_999
    old, new = Minutes(text="\n".join([*long, "二"])), Minutes(text="\n".join([*long, "三"]))
    assert [row for row in _rows(old, new) if row[2]] == [("二", "三", True)]
