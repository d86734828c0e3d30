"""Handling a task."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from engine.schema import commands
from tests.district import District
from tests.journeys.browser import People, enter
from tests.journeys.matters import Matter, grid_worker, name, place, reported, username

CATEGORY = "排水管网"


def at_the_lead(town: District, community: int) -> tuple[Matter, str]:
    """A matter that its building lead is to handle."""
    matter = reported(town, place(community)).accepted()
    return matter, username(town, "building_lead", place(community))


def completions(town: District) -> int:
    with town.office.database.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(commands).where(commands.c.kind == "complete")) or 0)


def test_13_one_page_holds_everything(town: District, people: People) -> None:
    matter, lead = at_the_lead(town, 1)
    page = people.at(lead).page
    page.goto(f"{people.home}/tasks/{matter.task()}")
    expect(page.locator("h1")).to_have_text("本级处置")
    expect(page.locator(".card > h2")).to_have_text(["事项", "办理", "流转轨迹", "签收", "抄送", "联系反映人", "为什么在我这里", "流程图"])
    expect(page.locator("[for=opinion]")).to_contain_text("意见")
    expect(page.locator(".djs-container")).to_be_visible()


def test_14_an_opinion_is_required_to_send_back_and_phrases_go_to_the_cursor(town: District, people: People) -> None:
    matter, lead = at_the_lead(town, 2)
    at = people.at(lead)
    at.page.goto(f"{people.home}/tasks/{matter.task()}")
    at.choose("上报上级")
    at.fill(work_done="已围挡。", escalation_reason="没有处置能力。")
    at.page.locator("#fields .form-actions button").click()
    expect(at.page.locator("#e-opinion")).to_have_text("请填写意见")
    expect(at.page.locator("#opinion")).to_be_focused()
    at.page.fill("#opinion", "前后")
    at.page.locator("#opinion").evaluate("area => area.setSelectionRange(1, 1)")
    at.page.locator(".phrases").select_option(label="已到现场核实。")
    expect(at.page.locator("#opinion")).to_have_value("前已到现场核实。后")
    at.submit()


def test_17_what_was_just_done_is_taken_back_and_handed_in_anew(town: District, people: People) -> None:
    matter, lead = at_the_lead(town, 1)
    at = people.at(lead)
    task = f"{people.home}/tasks/{matter.task()}"
    at.page.goto(task)
    at.choose("上报上级")
    at.fill(work_done="已围挡。", escalation_reason="没有处置能力。")
    at.submit("请网格统筹。")
    at.page.goto(f"{people.home}/inbox?box=done")
    at.page.locator("[data-row]").filter(has_text="本级处置").locator("a").first.click()
    at.page.fill("#withdraw-reason", "写错了")
    at.page.get_by_role("button", name="取回").click()
    expect(at.page.locator("#toasts")).to_contain_text("已取回")
    expect(at.page.locator("[name=work_done]")).to_have_value("已围挡。")
    expect(at.page.locator("#opinion")).to_have_value("请网格统筹。")
    at.fill(work_done="已围挡并提醒邻居。")
    at.submit()
    at.page.goto(task)
    expect(at.page.locator(".trail-item").filter(has_text="取回")).to_contain_text("写错了")
    above = people.at("wangge")
    above.page.goto(f"{people.home}/tasks/{matter.task()}")
    above.page.get_by_role("button", name="签收").click()
    at.page.goto(task)
    expect(at.page.get_by_role("button", name="取回")).to_have_count(0)


def test_18_a_draft_outlives_the_session(town: District, people: People) -> None:
    matter, lead = at_the_lead(town, 3)
    page = people.stranger()
    enter(page, people.home, lead, people.password)
    page.goto(f"{people.home}/tasks/{matter.task()}")
    with page.expect_response(re.compile("/shape$")):
        page.locator(".outcome").filter(has_text="上报上级").click()
    page.fill("[name=work_done]", "已围挡并张贴提示。")
    page.fill("#opinion", "请上级统筹。")
    with page.expect_response(
        lambda answer: answer.url.endswith("/foresee") and "请上级统筹" in unquote_plus(answer.request.post_data or "")
    ):
        page.locator("#opinion").press("Tab")
    page.context.clear_cookies()
    page.locator("#fields .form-actions button").click()
    expect(page).to_have_url(re.compile("/login"))
    expect(page.locator("#toasts")).to_contain_text("登录已过期")
    page.fill("#username", lead)
    page.fill("#password", people.password)
    page.click("main form button")
    expect(page).to_have_url(re.compile(f"/tasks/{matter.task()}"))
    expect(page.locator(".draft-note")).to_contain_text("已恢复")
    expect(page.locator("[name=work_done]")).to_have_value("已围挡并张贴提示。")
    expect(page.locator("#opinion")).to_have_value("请上级统筹。")
    page.wait_for_load_state("networkidle")  # an answer still on its way would bring the session back
    page.context.clear_cookies()
    page.locator(".outcome").filter(has_text="办结").click()
    expect(page).to_have_url(re.compile("/login"))
    page.context.close()


def test_19_buttons_are_named_by_their_outcome_and_say_who_is_next(town: District, people: People) -> None:
    matter = reported(town, place(4))
    worker = grid_worker(town, 4)
    at = people.at(worker)
    at.page.goto(f"{people.home}/tasks/{matter.task()}")
    button = at.page.locator("#fields .form-actions button")
    expect(button).to_have_count(0)
    at.choose("受理")
    expect(button).to_have_text("受理")
    at.fill(category=CATEGORY)
    expect(at.page.locator("#next")).to_contain_text(re.compile("提交后：分级分类（.*第一网格网格员）"))
    at.choose("不予受理")
    expect(button).to_have_text("不予受理")


def _filled(people: People, worker: str, matter: Matter) -> Page:
    at = people.at(worker)
    at.page.goto(f"{people.home}/tasks/{matter.task()}")
    at.choose("受理")
    at.fill(category=CATEGORY)
    return at.page


def test_20_a_double_click_acts_once(town: District, people: People) -> None:
    worker, before = grid_worker(town, 5), completions(town)
    page = _filled(people, worker, reported(town, place(5)))
    page.locator("#fields .form-actions button").dblclick()
    expect(page).to_have_url(re.compile("/inbox"))
    assert completions(town) == before + 1


def test_20_going_back_and_submitting_again_acts_once(town: District, people: People) -> None:
    worker, before = grid_worker(town, 5), completions(town)
    matter = reported(town, place(5))
    page = _filled(people, worker, matter)
    sent = page.evaluate("[...new FormData(document.querySelector('form[data-draft]'))]")
    page.locator("#fields .form-actions button").click()
    expect(page).to_have_url(re.compile("/inbox"))
    page.go_back()
    expect(page.locator(".task-lights")).to_contain_text("结束")
    expect(page.locator("form[data-draft]")).to_have_count(0)
    again = f"{people.home}/tasks/{matter.task('accept_case')}/complete"
    status = page.evaluate(
        "async ([to, body]) => (await fetch(to, {method: 'POST', body: new URLSearchParams(body)})).status", [again, sent]
    )
    assert status == 200 and completions(town) == before + 1


def test_21_a_stale_page_says_what_happened_and_keeps_the_text(town: District, people: People) -> None:
    worker, lead = grid_worker(town, 7), username(town, "grid_lead", place(7)[:17])
    matter = reported(town, place(7))
    page = _filled(people, worker, matter)
    page.fill("#opinion", "我写了很长的意见。")
    town.clock.pass_by(minutes=5)
    matter.do(lead, accept_result="accept", category="0205")
    page.locator("#fields .form-actions button").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(re.compile(rf"该待办已由{name(town, lead)}于3月\d+日 \d\d:\d\d办结"))
    expect(alert).to_contain_text("没有提交")
    expect(page.locator("#opinion")).to_have_value("我写了很长的意见。")
    expect(page.locator("#fields .form-actions")).to_have_count(0)


def test_22_errors_stand_beside_their_fields_and_the_first_has_the_focus(town: District, people: People) -> None:
    matter, lead = at_the_lead(town, 1)
    at = people.at(lead)
    at.page.goto(f"{people.home}/tasks/{matter.task()}")
    at.choose("办结")
    at.page.locator("#fields .form-actions button").click()
    expect(at.page.get_by_role("alert")).to_have_text("有 3 处需要修改。")
    expect(at.page.locator("[data-field=measures] .error")).to_have_text("请填写处置措施和结果")
    expect(at.page.locator("[name=measures]")).to_be_focused()
    expect(at.page.locator("[name=measures]")).to_have_attribute("aria-invalid", "true")
    expect(at.page.locator("[data-field=photos_after] .error")).to_have_text("请填写处置后照片")
