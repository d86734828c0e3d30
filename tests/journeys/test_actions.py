"""催办 and 抄送 in the browser."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.district import District
from tests.journeys.browser import People
from tests.journeys.matters import grid_worker, name, place, reported, username


def test_16_a_step_is_urged_and_whoever_has_it_sees_by_whom(town: District, people: People) -> None:
    worker = grid_worker(town, 1)
    matter = reported(town, place(1)).accepted(worker)
    at = people.at(worker)
    at.page.goto(f"{people.home}/inbox?box=done")
    at.page.locator("[data-row] a").first.click()
    at.page.fill("[name=words]", "居民又来电话，请尽快。")
    at.page.get_by_role("button", name="催办").click()
    expect(at.page.locator("#toasts")).to_contain_text("已催办")
    expect(at.page).to_have_url(re.compile(f"/tasks/{matter.task('grade_case')}"))
    at.page.get_by_role("button", name="催办").click()
    expect(at.page.locator("#toasts")).to_contain_text("以后可以再次催办")
    lead = people.at(username(town, "building_lead", place(1)))
    lead.page.goto(f"{people.home}/inbox")
    row = lead.page.locator(f"[data-row='{matter.task()}']")
    expect(row).to_contain_text(f"{name(town, worker)}催办，共 1 次")
    row.locator("a").click()
    expect(lead.page.locator(".notice-warning")).to_contain_text("已被催办 1 次")
    expect(lead.page.locator(".trail")).to_contain_text("居民又来电话，请尽快。")


def test_16_people_are_found_copied_to_and_have_read_it_once_they_see_it(town: District, people: People) -> None:
    matter, handler = reported(town, place(2)).accepted(), username(town, "department_dispatcher", "500199-D01")
    lead, reader = people.at(username(town, "building_lead", place(2))), people.at(handler)
    lead.page.goto(f"{people.home}/tasks/{matter.task()}")
    lead.page.get_by_role("link", name="抄送给他人").click()
    lead.page.locator("[data-seek]").fill(f"{name(town, handler)} 分拨员")
    lead.page.locator("[data-people] label").filter(has_text=name(town, handler)).first.click()
    lead.page.fill("[name=words]", "请了解进展。")
    lead.page.get_by_role("button", name="抄送").click()
    expect(lead.page.locator(".copies-act")).to_contain_text("已阅 0/1")
    reader.page.goto(f"{people.home}/inbox")
    tab = reader.page.locator(".tabs a").filter(has_text="抄送我")
    expect(tab.locator(".badge")).to_have_text("1")
    tab.click()
    reader.page.locator("[data-row] a").click()
    expect(reader.page).to_have_url(re.compile(f"/cases/{matter.case_id}"))
    expect(reader.page.locator(".copied")).to_contain_text("请了解进展。")
    expect(reader.page.locator(".copied .tag")).to_have_text("已阅")
    expect(reader.page.locator(".djs-container")).to_be_visible()
    reader.page.goto(f"{people.home}/inbox?box=copied")
    expect(reader.page.locator("[data-row]")).to_contain_text("已阅")
    expect(tab.locator(".badge")).to_have_count(0)
    lead.page.reload()
    expect(lead.page.locator(".copies-act")).to_contain_text("已阅 1/1")
