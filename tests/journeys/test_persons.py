"""A step for whom a form names: drawn in the studio, asked for on 发起 with a location, found in the inbox of whoever was named."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, Route, expect

from engine.versions import publish
from tests.district import District
from tests.governance.test_persons import SEVERAL, helped
from tests.journeys.browser import PHONE, People
from tests.journeys.test_general import AXE, FINDINGS, TARGETS
from tests.journeys.test_new_process import SAVED, submitted

HERE = {"latitude": 31.2304, "longitude": 121.4737, "accuracy": 19.2}
SAID = "东经 121.4737°，北纬 31.2304°（误差约 20 米）"


def added(page: Page, kind: str, title: str) -> None:
    page.locator(".fd-kinds").get_by_role("button", name=kind, exact=True).click()
    page.locator(".fd-field.is-open").get_by_label("名称", exact=True).fill(title)


def made(page: Page, home: str) -> None:
    """A draft of a new process whose second step is done by whom its first form names."""
    page.goto(f"{home}/admin/processes")
    page.fill("#name", "请人协助")
    page.get_by_label("申请—审批").check()
    page.get_by_role("button", name="新建", exact=True).click()
    expect(page.locator("[data-ready]")).to_be_attached()
    page.locator("[data-element-id=approve_request]").first.click()
    page.get_by_label("到哪里找单位").select_option(label="表单中选定的人员")
    expect(page.get_by_label("由哪一项选定")).to_be_visible()
    expect(page.locator(".studio-panel")).to_contain_text("表单里还没有“人员”项")
    expect(page.locator(".studio-problem")).to_contain_text("没有写明由哪一项选定")
    page.get_by_role("tab", name="表单").click()
    page.locator(".fd-forms").get_by_role("button", name="申请", exact=True).click()
    added(page, "人员", "请谁协助")
    field = page.locator(".fd-field.is-open")
    field.get_by_label("可选的岗位").select_option(label="网格长")
    field.get_by_label("可选的岗位").select_option(label="社区长")
    field.get_by_role("button", name="去掉“社区长”").click()
    field.get_by_label("从哪里选").select_option(label="全区")
    expect(page.frame_locator(".fd-frame").locator("[data-field=field]")).to_contain_text("请谁协助")
    added(page, "位置", "在哪里")
    expect(page.frame_locator(".fd-frame").get_by_label("在哪里")).to_be_visible()
    page.get_by_role("tab", name="流程图").click()
    page.locator("[data-element-id=revise_request]").first.click()
    page.locator("[data-element-id=approve_request]").first.click()
    page.get_by_label("由哪一项选定").select_option(label="请谁协助")
    expect(page.locator(".studio-problem")).to_contain_text("这一项可以不填：没有选人，流程就停在这里")
    page.get_by_role("tab", name="表单").click()
    page.locator("[data-key=head-field]").click()
    page.locator(".fd-field.is-open").get_by_label("必填").select_option(label="必填")
    expect(page.locator(SAVED)).to_be_attached()
    expect(page.locator(".studio-problem")).to_have_count(0)


def located(page: Page, home: str) -> None:
    """The form on a phone: without leave there is a sentence, with leave the coordinates, and a draft keeps them."""
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{home}/start")
    page.get_by_role("link", name="请人协助").click()
    page.fill("[name=reason]", "排查井盖")
    page.fill("[name=from_date]", "2026-03-09")
    page.fill("[name=to_date]", "2026-03-09")
    page.get_by_role("button", name="使用当前位置").click()
    expect(page.locator("#fields [role=alert]")).to_contain_text("浏览器没有允许使用位置")
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation(HERE)  # type: ignore[arg-type]
    page.get_by_role("button", name="使用当前位置").click()
    expect(page.locator(".location-told")).to_have_text(SAID)
    expect(page.locator("#fields [role=alert]")).to_be_hidden()
    page.get_by_role("button", name="去掉坐标").click()
    expect(page.locator(".location-told")).to_have_text("")
    page.get_by_role("button", name="使用当前位置").click()
    expect(page.locator(".location-told")).to_have_text(SAID)
    page.get_by_label("在哪里").fill("滨江路 1 号")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate(TARGETS) == []
    page.evaluate(AXE)
    assert page.evaluate(FINDINGS, []) == []
    page.reload()
    expect(page.locator(".draft-note")).to_be_visible()
    expect(page.locator(".location-told")).to_have_text(SAID)
    expect(page.get_by_label("在哪里")).to_have_value("滨江路 1 号")


def test_those_chosen_stay_while_others_are_looked_for(chromium: Browser, district: District) -> None:
    with district.office.work() as context:
        package = helped(SEVERAL, key="process_many", among="district")
        publish(context.session.connection(), context.new_id(), package, context.now(), by="system", reason="试行")
    with district.served() as home:
        people = People(chromium, home, district.password)
        page = people.at("wanggeyuan").page
        page.goto(f"{home}/start/process_many")
        chosen = page.locator("[data-people] input:checked")
        words = page.get_by_label("查找协助人")
        words.press_sequentially("网格长")
        expect(page.locator("[data-found]")).to_contain_text("找到")
        page.locator("[data-people] input").nth(3).check()
        words.fill("社区长")
        words.press("Enter")
        expect(page.locator("[data-people]")).to_contain_text("社区长，临江社区")
        expect(chosen).to_have_count(1)
        under_way: list[Route] = []
        page.route("**/shape", lambda route: under_way.append(route))
        with page.expect_request("**/shape"):
            words.fill("社区长 临江社区")
        with page.expect_request("**/shape"):
            page.get_by_label("社区长，临江社区").check()
        under_way[-1].continue_()
        expect(page.locator("[data-found]")).to_contain_text("没有找到其他人员")
        page.unroute("**/shape")
        expect(chosen).to_have_count(2)
        page.fill("[name=reason]", "排查井盖")
        page.fill("[name=from_date]", "2026-03-09")
        page.wait_for_timeout(800)
        page.reload()
        expect(page.locator(".draft-note")).to_be_visible()
        expect(chosen).to_have_count(2)
        page.get_by_role("button", name="舍弃").click()
        expect(chosen).to_have_count(0)
        words.fill("社区长 临江社区")
        page.get_by_label("社区长，临江社区").check()
        words.fill("社区长 码头社区")
        page.get_by_label("社区长，码头社区").check()
        page.get_by_role("button", name="提交", exact=True).click()
        expect(page.locator("#e-to_date")).to_be_visible()
        expect(chosen).to_have_count(2)
        page.fill("[name=reason]", "排查井盖")
        page.fill("[name=from_date]", "2026-03-09")
        page.fill("[name=to_date]", "2026-03-09")
        page.get_by_role("button", name="提交", exact=True).click()
        expect(page.locator(".notice")).to_contain_text("已提交。下一环节：审批")
        people.leave()


def test_whom_a_form_names_finds_the_step_in_the_inbox(chromium: Browser, district: District) -> None:
    with district.served() as home:
        people = People(chromium, home, district.password)
        designer = people.at("liucheng").page
        made(designer, home)
        submitted(designer)
        approver = people.at("guanli")
        approver.open_first("审批流程变更")
        approver.choose("同意")
        approver.submit()

        worker, lead = people.at("wanggeyuan"), people.at("wangge")
        located(worker.page, home)
        found = worker.page.locator("optgroup[label='临江社区第一网格'] option")
        worker.page.get_by_label("请谁协助").select_option(found.get_attribute("value"))
        worker.page.get_by_role("button", name="提交", exact=True).click()
        expect(worker.page.locator(".notice")).to_contain_text("已提交。下一环节：审批")
        expect(worker.page.locator(".facts")).to_contain_text(f"滨江路 1 号；{SAID}")
        expect(worker.page.locator(".facts")).to_contain_text("（网格长，临江社区第一网格）")

        lead.open_first("审批", "请人协助")
        expect(lead.page.locator(".why")).to_contain_text("由表单中选定的人员办理")
        lead.choose("同意")
        lead.submit()
        people.leave()
