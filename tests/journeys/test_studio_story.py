"""The studio's whole story: a step is added to the diagram that cases run on, tried on past cases, agreed to, published, and running
cases are moved over and can come back."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect
from sqlalchemy import select

from engine.schema import instances as instance_rows
from engine.versions import latest_version
from governance.cases.models import Case
from tests.district import District
from tests.journeys.browser import People
from tests.journeys.matters import grid_worker, place, reported

FLOW = "disposal_outcome_to_reply_to_reporter"
SAVED = ".studio-state.is-saved"


def set_off(town: District, people: People, n: int) -> list[int]:
    """So many reported cases of which the first has been accepted."""
    cases = [reported(town, place(1), f"第 {number} 处井盖松动").case_id for number in range(n)]
    worker = people.at(grid_worker(town, 1))
    worker.open_first("受理登记")
    worker.choose("受理")
    worker.fill(category="道路破损")
    worker.submit()
    return cases


def add_step(page: Page, flow: str) -> str:
    """Drops a step of the palette onto a flow; returns the step's id."""
    page.evaluate("flow => { location.hash = `element=${flow}`; }", flow)
    line = page.locator(f"[data-element-id={flow}] .djs-visual > path").first
    expect(page.locator("[data-key=id]")).to_have_value(flow)
    box = line.evaluate("line => { const { x, y, width, height } = line.getBoundingClientRect(); return { x, y, width, height }; }")
    page.locator(".djs-palette [data-action='create.task']").click()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 20, y - 20)
    page.mouse.move(x, y, steps=4)
    page.mouse.click(x, y)
    expect(page.locator("[data-key=name]")).to_be_visible()
    page.fill("[data-key=name]", "法律审查")
    return page.locator("[data-key=id]").input_value()


def test_a_step_is_added_rehearsed_agreed_to_published_and_running_cases_follow(town: District, people: People) -> None:
    cases = set_off(town, people, 3)
    page = people.at("liucheng").page
    page.goto(f"{people.home}/admin/processes")
    page.locator("section.process").filter(has_text="问题处置闭环").get_by_role("button", name="修改").click()
    expect(page.locator("[data-ready]")).to_be_attached()
    step = add_step(page, FLOW)
    page.select_option("[data-key=unit]", label="事项所在的单位")
    page.select_option("[data-key=post]", label="法律顾问")
    page.select_option("[data-key=form]", label="挂账复核")
    page.check("[data-key=deadline]")
    page.fill("[data-key=amount]", "2")
    page.select_option("[data-key=limit-unit]", label="工作日")
    expect(page.locator(SAVED)).to_be_attached()
    expect(page.locator(".studio-problem")).to_have_count(0)

    page.get_by_role("link", name="核对与提交").click()
    expect(page.locator(".changes").first).to_contain_text("新增环节“法律审查”")
    expect(page.locator(f"[data-element-id={step}].is-added")).to_have_count(1)
    review = page.url

    page.get_by_role("link", name="用以往事项试算").click()
    page.get_by_role("button", name="开始试算").click()
    town.tick()
    expect(page.locator(".counts")).to_contain_text("结果相同")
    expect(page.locator(".counts strong").first).to_have_text("3")

    page.goto(review)
    page.fill("#reason", "居民不服办理结果的越来越多，答复前先过法律关")
    page.fill("#scenarios_reason", "场景还没有法律审查一步")
    page.get_by_role("button", name="提交审批").click()
    expect(page.locator(".tag").first).to_have_text("待审批")

    approver = people.at("guanli")
    approver.open_first("审批流程变更")
    expect(approver.page.locator(".changes")).to_contain_text("新增环节“法律审查”")
    approver.choose("同意")
    approver.submit()
    with town.office.work() as context:
        version = latest_version(context.session.connection(), "issue_disposal")
    assert version.number == 2

    page.goto(f"{people.home}/admin/processes")
    page.locator("section.process").filter(has_text="问题处置闭环").get_by_role("link", name="迁移在办事项").click()
    page.get_by_role("button", name="预览").click()
    town.tick()
    expect(page.locator(".counts")).to_contain_text("可以迁移")
    page.fill("[name=reason]", "同一条道路上的事项按同一个流程办")
    page.get_by_role("button", name="迁移这 3 件").click()
    town.tick()
    expect(page.locator(".counts")).to_contain_text("已迁移")
    assert versions(town, cases) == {version.id}

    page.locator("summary").filter(has_text="撤销迁移").click()
    page.locator("details [name=reason]").fill("先看一周")
    page.get_by_role("button", name="撤销", exact=True).click()
    town.tick()
    expect(page.locator(".counts")).to_contain_text("已撤销")
    assert versions(town, cases) != {version.id} and len(versions(town, cases)) == 1

    page.goto(f"{people.home}/admin/processes")
    row = page.locator("section.process").filter(has_text="问题处置闭环")
    row.locator("summary").filter(has_text="版本").click()
    row.get_by_role("button", name="恢复这一版").click()
    expect(page).to_have_url(re.compile("/admin/studio/"))
    assert town.findings() == []


def versions(town: District, cases: list[int]) -> set[int]:
    with town.office.work() as context:
        ids = select(Case.instance_id).where(Case.id.in_(cases))
        return set(context.session.connection().scalars(select(instance_rows.c.version_id).where(instance_rows.c.id.in_(ids))))
