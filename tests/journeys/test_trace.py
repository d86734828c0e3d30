"""What became of a matter."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from engine.packages import frozen_package
from engine.versions import latest_version, package_of, publish
from governance.cases.models import Case
from governance.cases.photos import add_photo, read_picture
from tests.district import District
from tests.journeys.browser import PHONE, People
from tests.journeys.matters import Matter, grid_worker, name, place, reported, username


def a_photo(town: District, matter: Matter) -> str:
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "#7a8").save(picture, "PNG")
    with town.office.work() as context:
        return str(add_photo(context, context.session.get_one(Case, matter.case_id), read_picture(picture.getvalue())).id)


def turn_to(page: Page, name: str) -> None:
    """A page of the diagram; the list says which holds the current node."""
    pages = page.locator(".diagram-tools select")
    expect(pages).to_be_visible()
    pages.select_option(label=next(label for label in pages.locator("option").all_inner_texts() if label.startswith(name)))


@pytest.fixture(scope="module")
def matter(town: District) -> Matter:
    """Accepted in 40 minutes, escalated by the building lead, settled too late by the grid lead."""
    found = reported(town, place(1))
    town.clock.pass_by(minutes=40)
    found.accepted(grid_worker(town, 1))
    found.do(handle_result="escalate", work_done="已围挡。", escalation_reason="没有能力。", opinion="请网格统筹。")
    town.clock.pass_by(days=9)
    town.tick()
    photo = a_photo(town, found)
    return found.do(
        step="handle_at_tier",
        handle_result="settled",
        measures="更换管段。",
        photos_after=[photo],
        contacted_reporter_at="2026-03-11T09:30",
    )


def test_24_the_trail_tells_all_of_every_step(town: District, people: People, matter: Matter) -> None:
    page = people.at("shenji").page
    page.goto(f"{people.home}/cases/{matter.case_id}")
    steps = page.locator(".trail-item.is-person")
    accepted = steps.filter(has_text="受理登记").first
    worker = grid_worker(town, 1)
    for words in (
        "受理",
        f"第一网格网格员 · {name(town, worker)}",
        "用时 40 分 / 时限 4 个工作时",
        "按期",
        "问题类别",
        "排水管网",
    ):
        expect(accepted).to_contain_text(words)
    expect(accepted.locator("time")).to_have_text(re.compile(r"3月2日 \d\d:\d\d"))
    graded = steps.filter(has_text="分级分类").first
    expect(graded.locator("dd")).to_have_text(["公共设施 · 排水管网", re.compile("一般"), "逐级"])
    escalated, settled = steps.filter(has_text="本级处置").first, steps.filter(has_text="本级处置").nth(1)
    expect(escalated.locator("blockquote")).to_have_text("请网格统筹。")
    expect(escalated).to_contain_text("上报上级")
    expect(settled).to_have_class(re.compile("is-late"))
    expect(settled).to_contain_text("超期")
    expect(settled).to_contain_text("3月11日 09:30")
    photo = settled.locator("dd img")
    photo.scroll_into_view_if_needed()
    page.wait_for_function("photo => photo.complete && photo.naturalWidth > 0", arg=photo.element_handle())
    acts = page.locator(".trail-item.is-system")
    expect(acts.first).to_contain_text("到达时限节点")
    expect(acts.filter(has_text="“本级处置”已超期")).to_have_count(1)
    assert acts.first.evaluate("e => getComputedStyle(e).color") != settled.evaluate("e => getComputedStyle(e).color")


def test_25_a_node_of_the_diagram_leads_to_its_records(people: People, matter: Matter) -> None:
    page = people.at("shenji").page
    page.goto(f"{people.home}/cases/{matter.case_id}")
    turn_to(page, "逐级处置")
    node = page.locator("[data-element-id=handle_at_tier][role=button]")
    expect(node).to_have_attribute("aria-label", re.compile("本级处置，已办 2 次"))
    node.click()
    records = page.locator("[data-node-records=handle_at_tier]")
    expect(records).to_have_count(2)
    expect(records.first).to_be_focused()
    expect(records.first).to_have_class(re.compile("is-chosen"))
    state = page.request.get(f"{people.home}/cases/{matter.case_id}/diagram.json").json()["nodes"]
    texts = set(page.locator("[data-node-records]").evaluate_all("all => all.map(e => e.dataset.nodeRecords)"))
    done = {node for node, is_at in state.items() if is_at["done"] or is_at["current"]}
    assert {"accept_case", "grade_case", "handle_at_tier"} <= texts <= done | texts and not (texts - done - {""})


def test_25_a_task_in_hand_and_overdue_is_marked_so(town: District, people: People) -> None:
    waiting = reported(town, place(2))
    town.clock.pass_by(days=3)
    page = people.at("shenji").page
    page.goto(f"{people.home}/cases/{waiting.case_id}")
    turn_to(page, "受理与分级分类")
    expect(page.locator("[data-element-id=accept_case].is-current.is-overdue")).to_have_count(1)
    expect(page.locator(".node-badge.is-overdue")).to_contain_text("超期")
    expect(page.locator(".trail-item.is-open")).to_contain_text(re.compile("受理登记.*在办.*超期", re.S))


def test_on_paper_the_whole_diagram_is_seen_and_afterwards_what_was_looked_at(people: People, matter: Matter) -> None:
    page = people.at("shenji").page
    page.goto(f"{people.home}/cases/{matter.case_id}")
    drawing, sheet = (page.locator(f".diagram-canvas {part}").first for part in (".viewport", "svg"))
    expect(drawing).to_be_visible()
    page.get_by_role("button", name="放大", exact=True).click()
    seen = drawing.bounding_box()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    within, around = drawing.bounding_box(), sheet.bounding_box()
    assert within and around and within["width"] <= around["width"] < 600 and within["height"] <= around["height"]
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert drawing.bounding_box() == pytest.approx(seen, abs=1)


def test_26_a_case_is_shown_in_its_own_version(town: District, people: People, matter: Matter) -> None:
    with town.office.work() as context:
        connection = context.session.connection()
        files = dict(package_of(connection, latest_version(connection, "issue_disposal").id).files)
        files["process.bpmn"] = files["process.bpmn"].replace('name="分级分类"'.encode(), 'name="分级分类（新）"'.encode())
        publish(connection, context.new_id(), frozen_package(files), context.now(), by="test", reason="改名")
    fresh = reported(town, place(3))
    page = people.at("shenji").page
    for case, expected in ((matter, "分级分类"), (fresh, "分级分类（新）")):
        page.goto(f"{people.home}/cases/{case.case_id}")
        turn_to(page, "受理与分级分类")
        expect(page.locator("[data-element-id=grade_case] .djs-visual text").first).to_have_text(expected)


def test_27_residents_read_plain_words(town: District, people: People, matter: Matter) -> None:
    page = people.stranger(PHONE)
    page.goto(f"{people.home}/follow/{matter.secret}")
    steps = page.locator(".trail-item")
    expect(steps.last).to_contain_text("已收到您反映的问题，编号 500199")
    expect(steps.filter(has_text="已经受理，正在确定由谁办理。")).to_have_count(1)
    expect(steps.filter(has_text="第一网格正在办理。")).to_have_count(1)
    expect(steps.first).to_contain_text("正在核查办得怎么样")
    said = page.locator("main").inner_text()
    posts = [(post, place(1)[:length]) for post, length in (("grid_worker", 17), ("grid_lead", 17), ("building_lead", 22))]
    names = [name(town, username(town, post, code)) for post, code in posts]
    assert not [word for word in ("请网格统筹", "没有能力", "已围挡", "时限", *names) if word in said]
    page.context.close()


def test_28_an_evaluation_takes_two_taps(town: District, people: People) -> None:
    matter = reported(town, place(4)).replied()
    page = people.stranger(PHONE)
    page.goto(f"{people.home}/follow/{matter.secret}")
    expect(page.locator(".card-ask")).to_contain_text("已修好，请查看。")
    page.locator(".rate").filter(has_text=re.compile("^已解决$")).click()
    page.get_by_role("button", name="满意", exact=True).click()
    expect(page.locator("[role=status]").first).to_contain_text("谢谢，已经收到。")
    expect(page.locator(".card-ask")).to_have_count(0)
    with town.office.work() as context:
        case = context.session.get_one(Case, matter.case_id)
        assert (case.resolved, case.satisfaction) == ("已解决", 4)
    page.context.close()


def test_28_somebody_asked_for_more_reads_what_is_wanted(town: District, people: People) -> None:
    matter = reported(town, place(5)).do(accept_result="supplement", category="0205", supplement_wanted="请问是几单元？")
    page = people.stranger(PHONE)
    page.goto(f"{people.home}/follow/{matter.secret}")
    expect(page.locator(".card-ask")).to_contain_text("请问是几单元？")
    page.fill("[name=supplement_text]", "三单元。")
    page.get_by_role("button", name="提交补充").click()
    expect(page.locator(".trail-item").filter(has_text="您已补充情况。")).to_have_count(1)
    page.context.close()
