"""A process from nothing: made from the template in the studio, agreed to, started on the page 发起, worked in the inbox."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from bpmn import beginning
from engine.packages import frozen_package
from engine.versions import package_of, publish, versions
from governance.starting.models import Started
from tests.district import District
from tests.journeys.browser import DESKTOP, PHONE, People
from tests.journeys.test_general import AXE, FINDINGS, TARGETS

SAVED = ".studio-state.is-saved"


def made(page: Page, home: str) -> None:
    """A draft of a new process: the template, with one question more in its form."""
    page.goto(f"{home}/admin/processes")
    page.fill("#name", "请假申请")
    page.get_by_label("申请—审批").check()
    page.get_by_role("button", name="新建", exact=True).click()
    expect(page.locator("[data-ready]")).to_be_attached()
    expect(page.locator(".studio-problem")).to_have_count(0)
    page.get_by_role("tab", name="表单").click()
    page.locator(".fd-forms").get_by_role("button", name="申请", exact=True).click()
    page.locator(".fd-kinds").get_by_role("button", name="短文字", exact=True).click()
    field = page.locator(".fd-field.is-open")
    field.get_by_label("名称", exact=True).fill("由谁代班")
    field.get_by_text("更多设置").click()
    field.get_by_label("开始时带出的数据").fill(field.get_by_label("数据名称").input_value())
    expect(page.locator(SAVED)).to_be_attached()


def submitted(page: Page) -> None:
    page.get_by_role("link", name="核对与提交").click()
    expect(page.locator(".findings")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("没有问题")
    page.fill("#reason", "网格员请假有据可查")
    page.get_by_role("button", name="提交审批").click()
    expect(page.locator(".tag").first).to_have_text("待审批")


def asked(page: Page, home: str, until: str) -> None:
    page.goto(f"{home}/inbox")
    page.get_by_role("link", name="发起", exact=True).click()
    page.get_by_role("link", name="请假申请").click()
    page.fill("[name=reason]", "回乡探亲")
    page.fill("[name=from_date]", "2026-03-09")
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#e-to_date")).to_have_text("请填写结束日期")
    expect(page.locator("[name=reason]")).to_have_value("回乡探亲")
    page.fill("[name=to_date]", until)
    if page.get_by_label("由谁代班").count():
        page.get_by_label("由谁代班").fill("李四")
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".notice")).to_contain_text("已提交。下一环节：审批")
    expect(page.locator(".djs-container [data-element-id=approve_request]")).to_be_visible()


def test_a_new_process_is_made_agreed_to_started_and_worked(chromium: Browser, district: District) -> None:
    with district.served() as home:
        people = People(chromium, home, district.password)
        designer = people.at("liucheng").page
        made(designer, home)
        submitted(designer)
        worker, lead = people.at("wanggeyuan"), people.at("wangge")
        expect(worker.page.get_by_role("link", name="发起", exact=True)).to_have_count(0)

        approver = people.at("guanli")
        approver.open_first("审批流程变更")
        facts = approver.page.locator(".changes")
        expect(facts.first).to_contain_text("“同意吗？”到“已同意” · “审批结果”是“同意”")
        expect(facts.nth(1)).to_contain_text("表单“申请”的“由谁代班” · 短文字；选填；字数上限：100")
        approver.choose("同意")
        approver.submit()

        asked(worker.page, home, "2026-03-13")
        where = worker.page.url
        lead.open_first("审批", "请假申请")
        expect(lead.page.locator(".facts")).to_contain_text("回乡探亲")
        lead.choose("退回修改")
        lead.submit("周四要开会，请改到周三")

        worker.open_first("修改申请", "请假申请")
        expect(worker.page.locator("[name=reason]")).to_have_value("回乡探亲")
        expect(worker.page.get_by_label("由谁代班")).to_have_value("李四")
        worker.fill(to_date="2026-03-11")
        worker.submit()
        lead.open_first("审批", "请假申请")
        expect(lead.page.locator(".facts")).to_contain_text("2026-03-11")
        lead.choose("同意")
        expect(lead.page.locator("#next")).to_contain_text("流程结束")
        lead.submit()

        worker.page.goto(f"{home}/inbox?box=started")
        expect(worker.page.locator(".line")).to_contain_text("已同意")
        worker.page.locator(".line a").first.click()
        expect(worker.page).to_have_url(where)
        expect(worker.page.locator(".trail")).to_contain_text("周四要开会，请改到周三")
        expect(worker.page.locator("aside")).to_contain_text("已结束：已同意")
        people.leave()

    with district.office.work() as context:
        held = context.session.scalars(select(Started)).one()
        version = next(v for v in versions(context.session.connection()) if v.name == "请假申请")
        assert held.ended == "已同意"
        titles = [field["title"] for field in package_of(context.session.connection(), version.id).forms["request"]["properties"].values()]
        assert titles == ["事由", "开始日期", "结束日期", "由谁代班"]
    assert district.findings() == []


def test_the_pages_fit_a_phone_and_everybody_can_use_them(chromium: Browser, district: District) -> None:
    with district.office.work() as context:
        package = frozen_package(beginning("request", "process_leave", "请假申请"))
        publish(context.session.connection(), context.new_id(), package, context.now(), by="system", reason="试行")
    with district.served() as home:
        people = People(chromium, home, district.password)
        page = people.at("wanggeyuan").page
        asked(page, home, "2026-03-13")
        findings = {}
        for where in (page.url, f"{home}/start", f"{home}/start/process_leave", f"{home}/inbox?box=started"):
            page.set_viewport_size(PHONE)  # type: ignore[arg-type]
            page.goto(where)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, where
            assert page.evaluate(TARGETS) == [], where
            page.evaluate(AXE)
            for viewport in (PHONE, DESKTOP):
                page.set_viewport_size(viewport)  # type: ignore[arg-type]
                if found := page.evaluate(FINDINGS, []):
                    findings[f"{where} {viewport['width']}"] = found
        assert findings == {}
        people.leave()
