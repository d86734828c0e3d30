"""What holds on every page: language, dark mode, phones, accessibility; and the policy against foreign code."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engine.outcomes import Ending
from engine.packages import DIAGRAM, frozen_package
from engine.versions import latest_version, package_of, publish
from governance.studio.commands import draft_version, save
from governance.studio.runs import Choice, begin_preview, begin_rehearsal, results
from governance.workflow.copying import copy
from governance.workflow.urging import urge
from tests.district import District
from tests.governance.test_runs import NOTED, Court
from tests.journeys.browser import DESKTOP, PHONE, People
from tests.journeys.matters import acting, place, reported

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")
FINDINGS = """async rules => {
  const settings = {resultTypes: ['violations'], ...(rules.length && {runOnly: rules})};
  // a drawing is not read by colour or width, and one month of a calendar is as good as another
  const exclude = ['.month + .month + .month', ...(document.documentElement.clientWidth > 400 || rules.length ? ['.djs-container'] : [])];
  const shown = exclude.filter(selector => document.querySelector(selector)).map(selector => [selector]);
  return (await axe.run({exclude: shown}, settings)).violations
    .filter(found => ['serious', 'critical'].includes(found.impact))
    .map(found => `${found.id}: ${found.nodes.slice(0, 3).map(node => node.target.join(' ') + ' ' + (node.any[0]?.message ?? '')).join(' | ')}`);
}"""
WATCH = "window.blocked = []; addEventListener('securitypolicyviolation', e => blocked.push(`${e.violatedDirective} ${e.blockedURI}`))"
TARGETS = """() => [...document.querySelectorAll(
    'main button, main .btn, main select, main textarea, main summary, main input:not([type=checkbox], [type=radio], [type=hidden]),' +
    ' .topbar a, .topbar button, .topbar summary, .tabs a, .crumbs a, label.check, .outcome span, .rate span, .line-link, .tile, .back')]
  .filter(e => e.checkVisibility() && !e.closest('.visually-hidden, .djs-container') && e.getBoundingClientRect().height < 43.5)
  .map(e => `${e.tagName}.${e.className} ${e.innerText?.slice(0, 20)} ${e.getBoundingClientRect().height}`)"""


def in_the_studio(town: District) -> dict[str, int]:
    """A draft with a change, a new step and a mistake, a rehearsal of it, a second version and who would come to it."""
    with town.office.work() as context:
        court, connection = Court(town, context), context.session.connection()
        before = latest_version(connection, "issue_disposal")
        held = draft_version(context, court.maker, before.id)
        renamed = court.diagram(held).replace('name="受理登记"', 'name="受理"')
        files = {**package_of(connection, before.id).files, DIAGRAM: renamed.encode()}
        version = publish(connection, context.new_id(), frozen_package(files), context.now(), by="test", reason="试")
        save(context, court.maker, held.id, held.revision, {DIAGRAM: renamed.replace('<wz:form key="grade_case" />', "").replace(*NOTED)})
        rehearsal = begin_rehearsal(context, court.maker, held.id, Choice())
        preview = begin_preview(context, court.maker, version.id)
        ids = {"draft": held.id, "before": before.id, "version": version.id, "rehearsal": rehearsal.id, "preview": preview.id}
    town.tick()
    with town.office.work() as context:
        ids["rehearsed"] = results(context.session, ids["rehearsal"], Ending.REROUTED)[0][0].instance_id
    return ids


def urged_and_copied(town: District, task: int) -> None:
    """A leader has urged a task; whoever has it has copied it to a department."""
    with town.office.work() as context:
        urge(context, acting(context, "lingdao"), task, "请尽快办结。")
        copy(context, acting(context, "wangge"), task, [acting(context, "bumen").person_id], "请了解进展。")


@pytest.fixture(scope="module")
def matters(town: District) -> dict[str, Any]:
    handled = reported(town, place(1)).accepted()
    handled.do(handle_result="escalate", work_done="已围挡。", escalation_reason="没有能力。", opinion="请网格统筹。")
    urged_and_copied(town, handled.task())
    return {
        "handled": handled,
        "overdue": reported(town, place(2)),
        "answered": reported(town, place(4)).replied(),
        "asked": reported(town, place(5)).do(accept_result="supplement", category="0205", supplement_wanted="请问是几单元？"),
        **in_the_studio(town),
    }


Address = Callable[[dict[str, Any]], str]
PAGES: dict[str, tuple[str, Address]] = {
    "home": ("", lambda m: "/"),
    "report": ("", lambda m: f"/report?place={place(1)}"),
    "follow": ("", lambda m: f"/follow/{m['handled'].secret}"),
    "follow, new": ("", lambda m: f"/follow/{m['overdue'].secret}?new=1"),
    "evaluate": ("", lambda m: f"/follow/{m['answered'].secret}"),
    "supplement": ("", lambda m: f"/follow/{m['asked'].secret}"),
    "sign in": ("", lambda m: "/login"),
    "not found": ("", lambda m: "/follow/nothing"),
    "inbox": ("wangge", lambda m: "/inbox"),
    "inbox, done": ("wanggeyuan", lambda m: "/inbox?box=done"),
    "inbox, empty": ("wangge", lambda m: "/inbox?box=started"),
    "task": ("wangge", lambda m: f"/tasks/{m['handled'].task()}"),
    "task, done": ("loudong", lambda m: f"/tasks/{m['handled'].task('accept_case')}"),
    "inbox, copied": ("bumen", lambda m: "/inbox?box=copied"),
    "case, copied": ("bumen", lambda m: f"/cases/{m['handled'].case_id}"),
    "case, to be urged": ("lingdao", lambda m: f"/cases/{m['handled'].case_id}"),
    "copy": ("wangge", lambda m: f"/tasks/{m['handled'].task()}/copy"),
    "case": ("shenji", lambda m: f"/cases/{m['handled'].case_id}"),
    "case, overdue": ("shenji", lambda m: f"/cases/{m['overdue'].case_id}"),
    "admin": ("guanli", lambda m: "/admin"),
    "units": ("guanli", lambda m: "/admin/units"),
    "people": ("guanli", lambda m: "/admin/people?q=临江社区"),
    "accounts": ("guanli", lambda m: "/admin/people/accounts?q=lianxi"),
    "calendar": ("guanli", lambda m: "/admin/calendar"),
    "incidents": ("guanli", lambda m: "/admin/processes/incidents"),
    "unattended": ("guanli", lambda m: "/admin/tasks"),
    "processes": ("guanli", lambda m: "/admin/processes"),
    "draft": ("guanli", lambda m: f"/admin/studio/{m['draft']}/review"),
    "rehearsals": ("guanli", lambda m: f"/admin/studio/{m['draft']}/rehearsals"),
    "rehearsal": ("guanli", lambda m: f"/admin/studio/runs/{m['rehearsal']}"),
    "rehearsed case": ("guanli", lambda m: f"/admin/studio/runs/{m['rehearsal']}/cases/{m['rehearsed']}"),
    "versions compared": ("shenji", lambda m: f"/admin/studio/compare/{m['before']}/{m['version']}"),
    "moves": ("guanli", lambda m: f"/admin/studio/to/{m['version']}"),
    "preview of moves": ("guanli", lambda m: f"/admin/studio/runs/{m['preview']}"),
}


@pytest.fixture(scope="module")
def opened(town: District, people: People, matters: dict[str, Any]) -> Callable[[str], Page]:
    anybody = people.stranger()
    watched: set[int] = set()

    def open_page(name: str) -> Page:
        username, address = PAGES[name]
        page = people.at(username).page if username else anybody
        if id(page) not in watched:
            watched.add(id(page))
            page.add_init_script(WATCH)
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.goto(people.home + address(matters))
        if page.locator("[data-diagram]").count():
            expect(page.locator(".djs-container").first).to_be_visible()
        if page.locator(".outcome").count():
            with page.expect_response(re.compile("/shape$")):
                page.locator(".outcome").first.click()
            expect(page.locator("#fields .form-actions button")).to_be_visible()
        return page

    return open_page


@pytest.mark.parametrize("name", PAGES)
def test_39_40_a_page_fits_a_phone_and_everybody_can_use_it(opened: Callable[[str], Page], name: str) -> None:
    page = opened(name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(TARGETS) == []
    page.evaluate(AXE)
    findings = {}
    for viewport in (PHONE, DESKTOP):
        page.set_viewport_size(viewport)  # type: ignore[arg-type]
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
            page.evaluate("Promise.allSettled(document.getAnimations().map(one => one.finished))")
            if found := page.evaluate(FINDINGS, ["color-contrast"] if scheme == "dark" else []):
                findings[f"{viewport['width']} {scheme}"] = found
    assert findings == {}
    assert page.evaluate("blocked") == []


def test_37_the_language_is_chosen_and_kept(people: People) -> None:
    page = people.stranger()
    page.goto(f"{people.home}/report")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.get_by_role("button", name="EN").click()
    expect(page).to_have_url(re.compile("/report$"))
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto(f"{people.home}/login")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="中").click()
    expect(page.locator("h1")).to_have_text("工作人员登录")
    page.context.close()


def test_38_dark_follows_the_system_and_can_be_chosen(people: People) -> None:
    page = people.stranger()
    page.emulate_media(color_scheme="dark")
    page.goto(people.home)
    theme, toggle = page.locator("html"), page.locator("[data-theme-toggle]")
    expect(theme).to_have_attribute("data-bs-theme", "dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="light")
    expect(theme).to_have_attribute("data-bs-theme", "light")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    toggle.click()
    toggle.click()
    expect(toggle).to_have_attribute("data-theme-toggle", "dark")
    expect(theme).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(theme).to_have_attribute("data-bs-theme", "dark")
    page.context.close()


def test_choosing_a_place_keeps_what_was_typed(people: People) -> None:
    page = people.stranger(PHONE)
    page.goto(f"{people.home}/report")
    page.fill("#text", "路灯不亮，晚上看不清路。")
    page.fill("#address", "东门口")
    for number, name in enumerate(("滨江街道", "临江社区", "第一网格"), 1):
        with page.expect_response(re.compile("/report/places")):
            page.locator(f"#place-{number}").select_option(label=name)
        expect(page.locator(f"#place-{number + 1}")).to_be_visible()
    with page.expect_response(re.compile("/report/places")):
        page.locator("#place-3").select_option(label="请选择")
    expect(page.locator("#place-2 option:checked")).to_have_text("临江社区")
    expect(page.locator("#text")).to_have_value("路灯不亮，晚上看不清路。")
    expect(page.locator("#address")).to_have_value("东门口")
    page.reload()
    expect(page.locator("#text")).to_have_value("路灯不亮，晚上看不清路。")
    expect(page.locator("#place-2 option:checked")).to_have_text("临江社区")
    page.fill("#contact_mobile", "123")
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".error")).to_have_text("请填写正确的手机号码，或者留空")
    expect(page.locator("#address")).to_have_value("东门口")
    expect(page.locator("#place-2 option:checked")).to_have_text("临江社区")
    page.context.close()


def test_residents_can_have_large_type(people: People) -> None:
    page = people.stranger(PHONE)
    page.goto(people.home)
    size = page.evaluate("parseFloat(getComputedStyle(document.querySelector('main p')).fontSize)")
    page.get_by_role("button", name="大字").click()
    assert page.evaluate("parseFloat(getComputedStyle(document.querySelector('main p')).fontSize)") >= 1.2 * size
    page.goto(f"{people.home}/report")
    expect(page.get_by_role("button", name="大字")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.context.close()
