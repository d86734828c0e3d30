"""A leaking pipe, from a resident's phone to their evaluation, and back again because they were not satisfied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.district import District
from tests.journeys.browser import PHONE, Worker, sign_in

PLACE = "5001990010010000100001"
NINE = "2026-03-02T09:00"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "after.png"
    Image.new("RGB", (64, 48), "#7a8").save(path)
    return path


def test_a_leaking_pipe_is_settled_in_the_end(chromium: Browser, district: District, photo: Path) -> None:
    with district.served() as home:
        people: dict[str, Worker] = {}

        def at(username: str) -> Worker:
            if username not in people:
                people[username] = sign_in(chromium, home, username, district.password)
            return people[username]

        phone = chromium.new_context(viewport=PHONE, locale="zh-CN").new_page()  # type: ignore[arg-type]
        phone.goto(f"{home}/report?place={PLACE}")
        phone.fill("#text", "楼道里的排水管漏水，从三楼一直滴到一楼，老人走路容易摔倒。")
        phone.fill("#contact_mobile", "13800001234")
        phone.get_by_role("button", name="提交").click()
        expect(phone.locator("h1").first).to_contain_text("已提交，编号 500199")
        follow = phone.url.split("?")[0]

        worker = at("wanggeyuan")
        worker.open_first("受理登记")
        worker.choose("受理")
        worker.fill(category="排水管网")
        expect(worker.page.locator("#next")).to_contain_text("分级分类")
        worker.submit()
        district.clock.pass_by(minutes=30)
        worker.open_first("分级分类")
        worker.choose("进入处置")
        worker.fill(priority="一般", level="逐级")
        worker.submit()

        for username in ("loudong", "wangge", "pianqu02", "shequ"):
            district.clock.pass_by(hours=1)
            lead = at(username)
            lead.open_first("本级处置")
            lead.choose("上报上级")
            lead.fill(work_done="已围挡并张贴提示。", escalation_reason="涉及专业管线，本级没有处置能力。")
            lead.submit("请上级统筹。")

        district.clock.pass_by(hours=1)
        street = at("jiedao")
        street.open_first("街道研判")
        street.choose("上报区联席办")
        street.fill(assessment="需要区级部门专业处置。", escalation_reason="涉及市政排水管网。")
        street.submit()

        desk = at("lianxi")
        desk.open_first("派单")
        desk.choose("派单")
        desk.fill(lead_unit="区城市管理局", dispatch_due="2026-03-09T18:00")
        desk.submit()

        department = at("bumen02")
        department.open_first("签收")
        department.choose("退单")
        department.fill(return_reason="非本单位职责", proposed_unit="区住房城乡建委", return_evidence="楼内管线由住建部门负责。")
        department.submit("不属于我局职责。")
        desk.open_first("退单审核")
        desk.choose("不同意，须承办")
        desk.fill(review_note="首接负责，请先行处置。")
        desk.submit()

        _settle(at("chengban02"), photo)
        _check_and_reply(at)

        _evaluate(phone, follow, "未解决", "非常不满意")
        district.clock.pass_by(hours=2)
        caller = at("lianxi03")
        caller.open_first("回访核实")
        caller.choose("诉求属实，重开")
        caller.fill(call_back_facts="现场仍有滴漏，反映属实。")
        caller.submit()

        leader = at("lingdao")
        leader.open_first("提出督办意见")
        leader.choose("不需要督办")
        leader.submit("已要求限期整改，暂不另行督办。")
        desk.open_first("派单")
        desk.choose("派单")
        desk.fill(lead_unit="区城市管理局", dispatch_due="2026-04-09T18:00")
        desk.submit()
        department.open_first("签收")
        department.choose("签收")
        department.submit()

        _settle(at("chengban02"), photo)
        _check_and_reply(at)
        _evaluate(phone, follow, "已解决", "满意")
        closing = at("wanggeyuan")
        closing.open_first("结案归档")
        closing.choose("结案")
        closing.fill(close_code="已解决", close_summary="管道更换后两次复查无渗漏。")
        closing.submit()

        phone.goto(follow)
        expect(phone.locator("main")).to_contain_text("事项已办结归档")
        assert len(people) + 1 >= 11
    assert district.findings() == []


def _settle(handler: Worker, photo: Path) -> None:
    handler.open_first("联系反映人")
    handler.choose("已联系")
    handler.fill(contacted_reporter_at=NINE, contact_note="已约定上门时间。")
    handler.submit()
    handler.open_first("主办处置与汇总")
    handler.choose("办结")
    handler.fill(measures="更换破损管段，恢复地面。", contacted_reporter_at=NINE)
    with handler.page.expect_response(lambda response: response.url.endswith("/photos")):
        handler.page.set_input_files("#f-photos_after", photo)
    expect(handler.page.locator("[name=photos_after][type=hidden]")).to_have_count(1)
    handler.submit()


def _check_and_reply(at: Callable[[str], Worker]) -> None:
    checker = at("lianxi02")
    checker.open_first("派单员核查")
    checker.choose("通过")
    checker.fill(check_note="现场干燥，无渗漏。")
    checker.submit()
    handler = at("chengban02")
    handler.open_first("向反映人反馈")
    handler.choose("已反馈")
    handler.fill(reply_mode="个别反馈", reply_text="管道已更换，请您查看。", replied_at=NINE)
    handler.submit()


def _evaluate(phone: Page, follow: str, resolved: str, satisfaction: str) -> None:
    phone.goto(follow)
    phone.locator(".rate").filter(has_text=resolved).first.click()
    phone.get_by_role("button", name=satisfaction, exact=True).click()
    expect(phone.locator("[role=status]")).to_contain_text("谢谢")
