"""四事五议 in the browser: a community's matter from a suggestion to the archive, and owners who fail by one head."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from governance.calendar.rules import SHANGHAI
from governance.matters.queries import followed
from governance.voting.codes import voting_code
from tests.deliberations import Topic, carried_out
from tests.district import District
from tests.journeys.browser import PHONE, People, Worker
from tests.journeys.matters import addressee

TITLE = "三号楼加装电梯"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "posted.png"
    Image.new("RGB", (64, 48), "#7a8").save(path)
    return path


@dataclass
class Hall:
    """A matter, and everybody who has a part in it, each at a browser of their own."""

    district: District
    people: People
    phone: Page
    photo: Path
    topic: Topic

    def turn(self, element: str) -> Worker:
        """Whoever the open task of an element is addressed to opens it."""
        task = self.topic.task(element)
        worker = self.people.at(addressee(self.district, task))
        worker.page.goto(f"{self.people.home}/tasks/{task}")
        return worker

    def do(self, element: str, outcome: str, opinion: str = "", photos: str = "", **fields: str) -> None:
        worker = self.turn(element)
        worker.choose(outcome)
        worker.fill(**fields)
        if photos:
            with worker.page.expect_response(lambda response: response.url.endswith("/photos")):
                worker.page.set_input_files(f"#f-{photos}", self.photo)
            expect(worker.page.locator(f"[name={photos}][type=hidden]")).to_have_count(1)
        worker.submit(opinion)

    def local(self, **later: float) -> str:
        return f"{(self.district.clock.at + timedelta(**later)).astimezone(SHANGHAI):%Y-%m-%dT%H:%M}"

    def call(self, book: str, rule: str, element: str, starts: datetime | None = None) -> None:
        starts = starts or self.district.clock.at
        begins = f"{starts.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}"
        ends = f"{(starts + timedelta(days=7)).astimezone(SHANGHAI):%Y-%m-%dT%H:%M}"
        terms = {"vote_rule": rule, "roll_book": book, "vote_question": f"是否同意{TITLE}？"}
        caller = self.people.at(addressee(self.district, self.topic.task(element))).page
        self.do(element, "开始表决", **terms, vote_starts_at=begins, vote_ends_at=ends)
        caller.goto(f"{self.people.home}/matters/{self.topic.id}")
        caller.get_by_role("link", name="参与情况").click()
        expect(caller.locator("h1")).to_have_text(terms["vote_question"])
        caller.get_by_role("link", name="打印表决票").click()
        expect(caller.locator(".slip").first).to_contain_text("第 1 号")
        caller.get_by_role("link", name=terms["vote_question"]).click()
        caller.get_by_role("link", name=self.topic.number).click()
        expect(caller.locator("h1")).to_have_text(TITLE)

    def vote_on_the_phone(self, number: int, choice: str) -> None:
        """The voter scans the slip, chooses, and confirms."""
        vote = self.topic.vote()
        self.district.clock.at = max(self.district.clock.at, vote.starts_at)
        code = voting_code(self.district.office.sealer, vote.id, number)
        self.phone.goto(f"{self.people.home}/vote/{code}")
        expect(self.phone.get_by_role("link", name=f"查看方案：{TITLE}")).to_be_visible()
        self.phone.get_by_role("button", name=choice).click()
        self.phone.get_by_role("button", name="确认投票").click()
        expect(self.phone.locator("main")).to_contain_text("已投票")

    def resolve_and_post(self) -> None:
        self.do("draft_resolution", "提交决议", resolution_text=f"同意{TITLE}，费用分摊方案一并公示。")
        paper = self.turn("post_notice").page
        address = paper.get_by_role("link", name="打印公示").get_attribute("href")
        assert paper.request.get(f"{self.people.home}{address}").body().startswith(b"%PDF")
        posted = {"notice_place": "三号楼公示栏", "posted_at": self.local(), "notice_days": "7"}
        self.do("post_notice", "已张贴", photos="notice_photos", **posted)


@pytest.fixture
def people(chromium: Browser, district: District) -> Iterator[People]:
    with district.served() as home:
        everybody = People(chromium, home, district.password)
        yield everybody
        everybody.leave()


def suggested(district: District, people: People, photo: Path, *places: str) -> Hall:
    """A resident suggests it on a phone."""
    phone = people.stranger(PHONE)
    phone.goto(f"{people.home}/deliberation/suggest")
    for level, place in enumerate(places, 1):
        with phone.expect_response(re.compile("/suggest/places")):
            phone.select_option(f"#place-{level}", label=place)
        expect(phone.locator(f"#place-{level}")).to_have_value(re.compile("."))
    phone.fill("#title", TITLE)
    phone.fill("#problem", "七层楼没有电梯，老人上下楼困难。")
    phone.fill("#wish", "在一单元外侧加装一部电梯。")
    phone.get_by_role("button", name="提交建议").click()
    expect(phone.locator("h1").first).to_contain_text("已提交，编号 YS500199")
    secret = phone.url.split("?")[0].rpartition("/")[2]
    with district.office.work() as context:
        matter = followed(context.session, secret)
        return Hall(district, people, phone, photo, Topic(district, matter.id, matter.number, secret))


def test_a_community_decides_twice_and_sees_it_done(district: District, people: People, photo: Path) -> None:
    hall = suggested(district, people, photo, "滨江街道", "临江社区")
    topic, phone = hall.topic, hall.phone
    page = f"{people.home}/deliberation/{topic.number}"
    phone.goto(page)
    for n in range(12):
        phone.fill("#name", "李桂芳")
        phone.fill("#mobile", f"1390000{n:04d}")
        phone.fill("#household", f"{n + 1}栋101")
        phone.get_by_role("button", name="附议").click()
        expect(phone.locator("main")).to_contain_text(f"已有 {n + 1} 人附议")
    phone.fill("#name", "李桂芳")
    phone.fill("#mobile", "13900000000")
    phone.fill("#household", "1栋101")
    phone.get_by_role("button", name="附议").click()
    expect(phone.locator("[role=alert]")).to_contain_text("每人一次")

    hall.do("examine_topic", "列入议题", topic_title=TITLE)
    hall.do("draft_proposal", "送法律审查", plan="一单元外侧加装一部电梯。", budget="480000", funding="居民分摊与财政补助")
    hall.do("give_legal_opinion", "合法", legal_opinion="程序合法，分摊方案应当公示。")
    talked = {"participants": "居委会、业委会、物业、一楼住户", "minutes": "一楼住户担心采光。"}
    hall.do("hold_consultation", "再议一轮", held_at=hall.local(), **talked)
    district.clock.pass_by(days=1)
    hall.do("hold_consultation", "达成一致", held_at=hall.local(), plan="缩小井道，补偿一楼采光。", **talked)

    hall.call("社区党员名册", "党员大会", "call_review_vote")
    hall.vote_on_the_phone(30, "同意")
    topic.voted(20, 2)
    hall.do("confirm_result", "宣布通过", vote_minutes="应到三十人，到会二十三人。")

    hall.call("居民代表名册", "居民代表会议", "call_resolution_vote")
    hall.vote_on_the_phone(45, "反对")
    topic.voted(25, 7)
    hall.do("confirm_result", "宣布通过", vote_minutes="唱票、计票、监票人签字。")
    hall.resolve_and_post()

    phone.goto(page)
    expect(phone.locator("main")).to_contain_text("公示期内可以提出异议")
    phone.fill("#objection", "费用分摊方案没有公开。")
    phone.fill("#name", "何建国")
    phone.fill("#mobile", "13700000001")
    phone.get_by_role("button", name="提出异议").click()
    expect(phone.locator("h1").first).to_contain_text("异议已提交")
    objection = phone.url.split("?")[0]
    worker = hall.turn("answer_objection")
    expect(worker.page.locator("main")).to_contain_text("费用分摊方案没有公开。")
    hall.do("answer_objection", "异议成立", objection_answer="确应公开，补充后重新表决。", objection_consequence="重新表决")
    phone.goto(objection)
    expect(phone.locator("main")).to_contain_text("异议成立，将重新商议或重新表决")
    topic.noticed()

    hall.call("居民代表名册", "居民代表会议", "call_resolution_vote")
    topic.voted(32, 5)
    hall.do("confirm_result", "宣布通过", vote_minutes="再次表决。")
    hall.resolve_and_post()
    topic.noticed()

    due = hall.local(days=40)
    hall.do(
        "plan_implementation", "再加一项", task_title="办理规划许可", task_unit="区规划自然资源局", task_due=due, task_how="走问题处置流程"
    )
    expect(hall.turn("plan_implementation").page.locator("main")).to_contain_text("已列入：办理规划许可")
    hall.do("plan_implementation", "交办完毕", task_title="施工安装", task_unit="区住房城乡建委", task_due=due, task_how="走问题处置流程")
    for case in topic.cases():
        carried_out(case)
    phone.goto(page)
    expect(phone.locator(".tag-green").filter(has_text="已落实")).to_have_count(2)
    hall.do("confirm_delivery", "已落实", delivery_note="电梯已取得使用登记。")
    told = {"result_text": "电梯已投入使用。", "notice_place": "三号楼公示栏", "posted_at": hall.local()}
    hall.do("publish_result", "已公开", photos="result_photos", **told)

    phone.goto(page)
    phone.locator(".rate").filter(has_text="非常满意").click()
    phone.fill("#name", "李桂芳")
    phone.fill("#mobile", "13900000000")
    with phone.expect_response(re.compile("/evaluate$")):
        phone.get_by_role("button", name="提交评价").click()
    assert topic.evaluations() == 1
    topic.noticed()
    hall.do("archive_matter", "归档", archive_summary="一件一档，材料齐全。")

    phone.goto(page)
    expect(phone.locator(".stages .is-done")).to_have_count(8)
    expect(phone.locator("main")).to_contain_text("已归档")
    assert district.findings() == []


def test_owners_fail_by_one_head(district: District, people: People, photo: Path) -> None:
    hall = suggested(district, people, photo, "滨江街道", "临江社区", "江畔花园")
    assert hall.topic.row.tier == "estate"
    hall.do("examine_topic", "列入议题", topic_title=TITLE, matter_kind="业主普通事项")
    hall.topic.proposed().consulted().called("小区党员名册", "PARTY_MEETING").voted(12).announced()

    worker = hall.turn("call_resolution_vote")
    worker.choose("开始表决")
    soon, later = hall.local(days=3), hall.local(days=10)
    rule = "业主大会（一般事项）"
    worker.fill(vote_rule=rule, roll_book="业主名册", vote_question="是否同意？", vote_starts_at=soon, vote_ends_at=later)
    worker.page.locator("#fields .form-actions button").click()
    expect(worker.page.locator("[data-field=vote_starts_at] .error")).to_contain_text("须提前 15 天通知")
    hall.call("业主名册", rule, "call_resolution_vote", district.clock.at + timedelta(days=16))
    hall.topic.voted(22, 22)
    worker = hall.turn("confirm_result")
    expect(worker.page.locator("main")).to_contain_text("同意 22 人，反对 22 人")
    expect(worker.page.locator(".outcome").filter(has_text="宣布通过")).to_have_count(0)
    hall.do("confirm_result", "终止，不再议", vote_minutes="同意的人数没有过半。", reply_text="同意的面积过半，人数没有过半，未形成决议。")
    hall.phone.goto(f"{people.home}/deliberation/mine/{hall.topic.secret}")
    expect(hall.phone.locator("main")).to_contain_text("人数没有过半")
    assert hall.topic.row.outcome == "not_adopted" and district.findings() == []
