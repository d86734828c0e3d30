"""The inbox."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.district import District
from tests.journeys.browser import People
from tests.journeys.matters import grid_worker, name, place, reported, username


def test_1_tabs_and_badges_equal_the_lists(town: District, people: People) -> None:
    worker = grid_worker(town, 1)
    reported(town, place(1), "路灯不亮。", by=worker)
    reported(town, place(1), "井盖松动。").do(worker, accept_result="accept", category="0201")
    page = people.at(worker).page
    page.goto(f"{people.home}/inbox")
    tabs = page.locator(".tabs a")
    expect(tabs).to_have_text([re.compile("待办"), "已办", "我发起", "抄送我"])
    expect(tabs.first.locator(".badge")).to_have_text(str(page.locator("[data-row]").count()))
    tabs.filter(has_text="已办").click()
    expect(page.locator("[data-row]")).to_have_count(1)
    expect(page.locator("[data-row]")).to_contain_text("井盖松动")
    page.locator(".tabs a").filter(has_text="我发起").click()
    expect(page.locator(".line")).to_contain_text("路灯不亮")


def test_2_overdue_first_with_colour_sign_and_words(town: District, people: People) -> None:
    worker = grid_worker(town, 2)
    reported(town, place(2), "先报的事。")
    town.clock.pass_by(hours=7)
    reported(town, place(2), "后报的事。")
    page = people.at(worker).page
    page.goto(f"{people.home}/inbox")
    expect(page.locator(".line-title")).to_have_text(["先报的事", "后报的事"])
    lights = page.locator(".light")
    expect(lights.first).to_have_class(re.compile("light-red"))
    expect(lights.first).to_have_text(re.compile("超期 .*工作"))
    expect(lights.last).to_have_class(re.compile("light-green"))
    expect(lights.last).to_have_text(re.compile("剩 .*工作时"))
    assert lights.first.locator("use").get_attribute("href") != lights.last.locator("use").get_attribute("href")
    page.locator("[name=overdue]").check()
    expect(page).to_have_url(re.compile("overdue=1"))
    expect(page.locator(".line-title")).to_have_text(["先报的事"])


def test_3_the_filter_is_in_the_address_and_back_restores_the_place(town: District, people: People) -> None:
    worker = grid_worker(town, 3)
    for number in range(14):
        reported(town, place(3), f"路面破损第 {number} 处。")
    page = people.at(worker).page
    page.set_viewport_size({"width": 1280, "height": 500})
    page.goto(f"{people.home}/inbox")
    page.fill("[data-search]", "路面破损")
    page.locator("[data-search]").press("Enter")
    expect(page).to_have_url(re.compile("q="))
    page.locator("[data-row]").last.scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    assert scrolled > 100
    page.locator("[data-row] a").last.click()
    expect(page.locator("h1")).to_have_text("受理登记")
    page.go_back()
    expect(page.locator("[data-search]")).to_have_value("路面破损")
    page.wait_for_function("y => Math.abs(scrollY - y) < 5", arg=scrolled)
    page.locator("[data-row] a").last.click()
    page.locator(".back").click()
    expect(page.locator("[data-search]")).to_have_value("路面破损")


def test_4_keys_move_open_and_stay_silent_while_somebody_types(town: District, people: People) -> None:
    page = people.at(grid_worker(town, 3)).page
    page.goto(f"{people.home}/inbox")
    rows = page.locator("[data-row]")
    for key, row in (("j", 0), ("j", 1), ("k", 0)):
        page.keyboard.press(key)
        expect(rows.nth(row)).to_have_class(re.compile("is-current"))
    page.keyboard.press("/")
    search = page.locator("[data-search]")
    expect(search).to_be_focused()
    page.keyboard.type("j?e/k")
    expect(search).to_have_value("j?e/k")
    expect(rows.first).to_have_class(re.compile("is-current"))
    page.evaluate("document.activeElement.blur()")
    page.evaluate("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'j', isComposing: true, bubbles: true}))")
    expect(rows.first).to_have_class(re.compile("is-current"))
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("受理登记")
    page.keyboard.press("e")
    expect(page.locator("[data-outcome] input").first).to_be_focused()


def test_5_completing_leads_to_the_next_task(town: District, people: People) -> None:
    worker = grid_worker(town, 4)
    for text in ("第一件。", "第二件。", "第三件。"):
        reported(town, place(4), text)
        town.clock.pass_by(minutes=1)
    at = people.at(worker)
    at.open_first("受理登记", "第二件")
    at.choose("不予受理")
    at.fill(category="排水管网", refuse_reason="诉求违法或违背公序良俗", told_route="已告知。", reply_text="按规定不予受理。")
    at.submit("不予受理。")
    expect(at.page.locator("[data-row]").filter(has_text="第三件").locator("a")).to_be_focused()
    expect(at.page.locator("#toasts")).to_contain_text("“受理登记”已办理")
    expect(at.page.locator("[data-row].is-current")).to_contain_text("第三件")


def test_6_the_loser_of_a_claim_reads_who_was_faster(town: District, people: People) -> None:
    worker, lead = grid_worker(town, 5), username(town, "grid_lead", place(5)[:17])
    matter = reported(town, place(5))
    page = people.at(worker).page
    page.goto(f"{people.home}/tasks/{matter.task()}")
    matter.take(lead)
    page.get_by_role("button", name="签收", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(f"已被{name(town, lead)}签收")
    expect(page.locator("#fields .form-actions")).to_have_count(0)


def test_8_new_tasks_are_told_without_taking_the_focus(town: District, people: People) -> None:
    worker = grid_worker(town, 6)
    page = people.at(worker).page
    page.clock.install()
    page.goto(f"{people.home}/inbox")
    page.locator("[data-search]").fill("正在输入")
    town.clock.pass_by(seconds=30)
    reported(town, place(6))
    page.clock.run_for(4500)
    expect(page.locator(".poll")).to_have_text("有 1 条新待办，点击查看")
    expect(page.locator("[data-search]")).to_be_focused()
    expect(page.locator("[data-row]")).to_have_count(0)
    page.locator(".poll").click()
    expect(page.locator("[data-row]")).to_have_count(1)


@pytest.mark.parametrize(
    ("box", "title", "button"),
    [("todo", "没有待办", "上报一件事"), ("done", "还没有办理过", ""), ("started", "还没有上报过", "上报一件事")],
)
def test_9_an_empty_list_says_what_to_do_next(people: People, box: str, title: str, button: str) -> None:
    page = people.at("wanggeyuan07").page
    page.goto(f"{people.home}/inbox?box={box}")
    expect(page.locator(".empty")).to_contain_text(title)
    if button:
        expect(page.locator(".empty a")).to_have_text(button)


def _switch(page: Page, post: str) -> None:
    page.locator(".topbar .menu summary").click()
    page.locator(".menu-item").filter(has_text=post).click()
    expect(page.locator(".topbar .menu summary")).to_contain_text(post)


def test_11_the_post_acted_under_is_chosen_and_recorded(town: District, people: People) -> None:
    """The second grid of a community has one person for two posts."""
    worker = grid_worker(town, 1, grid=2)
    at = people.at(worker)
    for post in ("网格员", "网格长"):
        matter = reported(town, place(1, 2), f"由{post}受理。")
        at.page.goto(f"{people.home}/inbox")
        _switch(at.page, post)
        at.open_first("受理登记", f"由{post}")
        expect(at.page.locator(".column-side")).to_contain_text(f"您将以临江社区第二网格{post}的身份办理")
        at.choose("受理")
        at.fill(category="排水管网")
        at.submit()
        at.page.goto(f"{people.home}/cases/{matter.case_id}")
        expect(at.page.locator(".trail-item").filter(has_text="受理登记")).to_contain_text(f"第二网格{post}")


def test_12_every_task_says_why_it_is_here(town: District, people: People) -> None:
    """The grid lead of the sixth community's first grid is vacant, so the case climbs."""
    matter = reported(town, place(6)).accepted()
    page = people.at(grid_worker(town, 6)).page
    page.goto(f"{people.home}/tasks/{matter.task('accept_case')}")
    why = page.locator(".why")
    expect(why).to_contain_text("按规定，“受理登记”由网格员、网格长、首问接待员办理")
    expect(why).to_contain_text("从问题所在的地方起，逐级向上找")
    expect(why).to_contain_text("第一网格网格长空缺。")
    expect(why).to_contain_text("所以由第一网格网格员办理")
