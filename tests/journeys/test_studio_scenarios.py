"""Scenarios in the studio: recorded by doing, kept with the package, red once the diagram no longer does what was recorded."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from bpmn import beginning, shipped
from engine.packages import read_package
from engine.scenario_files import read_scenario
from tests.journeys.browser import PHONE, People, Worker
from tests.journeys.studio_parts import Bench, bench, files_of
from tests.journeys.test_general import AXE, FINDINGS, TARGETS, WATCH

CHINESE = re.compile("[\u3400-\u9fff]")
RECORDED = "scenarios/01-一次核查到位.yaml"
CARRIED_OUT, PASSED = "已落实，报召集人核查", "落实到位"
TIMED = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d"><process id="notice" name="公示" isExecutable="true">
<startEvent id="began" name="开始公示" /><sequenceFlow id="a" sourceRef="began" targetRef="due" />
<intermediateCatchEvent id="due" name="公示期满"><timerEventDefinition id="t"><timeDuration>P3D</timeDuration></timerEventDefinition></intermediateCatchEvent>
<sequenceFlow id="b" sourceRef="due" targetRef="over" /><endEvent id="over" name="公示结束" /></process></definitions>"""
BREAK = """() => draft.set('process.bpmn', draft.get('process.bpmn').replace('check_result == "pass"', 'check_result == "agreed"'))"""


@pytest.fixture(scope="module")
def designer(people: People) -> Worker:
    worker = people.at("guanli")
    worker.page.add_init_script(WATCH)
    return worker


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def form(page: Page) -> FrameLocator:
    return page.frame_locator(".sc-desk .fd-frame")


def begun(designer: Worker, process: str = "decision_task", files: dict[str, str] | None = None, **options: Any) -> Bench:
    made = bench(designer, "scenarios", files or files_of(process), **options)
    press(made.page, "录一个新场景")
    expect(made.page.get_by_role("button", name="开始", exact=True)).to_be_enabled()
    return made


def value(page: Page, name: str, text: str) -> None:
    page.get_by_role("button", name="加一项").first.click()
    page.locator(".sc-value").last.locator("input").first.fill(name)
    page.locator(".sc-value").last.locator("input").last.fill(text)


def started(made: Bench) -> None:
    made.page.get_by_label("开始的时刻（北京时间）").fill("2026-03-02T09:00")
    value(made.page, "due_at", "2026-03-06T23:59:59+08:00")
    press(made.page, "开始")
    expect(form(made.page).locator("[name=result_text]")).to_be_visible()


def handled(page: Page, outcome: str, **texts: str) -> None:
    """Fills the form of the task at hand and presses its button."""
    choice = form(page).locator(".outcome", has_text=re.compile(rf"^\s*{outcome}\s*$"))
    if not choice.locator("input").is_checked():
        with page.expect_response(re.compile("form-preview$")):
            choice.click()
    for name, text in texts.items():
        field = form(page).locator(f"[name={name}]")
        field.select_option(text) if field.evaluate("e => e.tagName") == "SELECT" else field.fill(text)
    with page.expect_response(re.compile("dry-run$")):
        form(page).get_by_role("button", name=outcome).click()


def recorded(made: Bench) -> None:
    page = made.page
    started(made)
    handled(page, CARRIED_OUT, result_text="排水管已更换。")
    expect(page.locator(".sc-desk h2")).to_have_text("办理“核查落实情况”")
    handled(page, PASSED, check_note="不再渗漏。")
    expect(page.locator(".sc-way + p")).to_contain_text("流程已结束")
    page.get_by_label("场景名称").fill("一次核查到位")
    press(page, "存入草稿")


def test_what_is_clicked_through_is_kept_and_green_until_the_diagram_changes(designer: Worker) -> None:
    made = begun(designer)
    page = made.page
    recorded(made)
    row = page.locator(f"[data-path='{RECORDED}']")
    expect(row.locator(".light-green")).to_have_text("通过")
    kept = read_scenario(made.text(RECORDED) or "")
    assert kept.name == "一次核查到位"
    assert [step.get("complete") for step in kept.steps] == ["carry_out_decision", "check_decision", None]
    assert kept.steps[0]["data"] == {"result_text": "排水管已更换。", "carry_result": "done"}
    assert kept.steps[-1]["expect"] == {"finished": True, "ended_at": ["decision_carried_out"]}

    page.evaluate(BREAK)
    expect(row.locator(".light")).to_have_text("还没有演练")
    press(page, "全部演练")
    expect(row.locator(".light-red")).to_have_text("不通过")
    expect(row.locator(".sc-errors")).to_contain_text("第 3 步：流程结束应为 是，实际为 否。")
    assert page.evaluate("blocked") == []


def test_a_form_that_is_not_filled_in_is_not_recorded_and_a_step_is_taken_back(designer: Worker) -> None:
    made = begun(designer)
    page = made.page
    started(made)
    handled(page, CARRIED_OUT)
    expect(page.get_by_role("alert")).to_contain_text("请填写落实情况")
    expect(page.locator(".sc-way li")).to_have_count(1)
    handled(page, CARRIED_OUT, result_text="换了。")
    expect(page.locator(".sc-way li")).to_have_count(2)
    expect(page.locator(".sc-way li").last).to_contain_text("办理“落实议定事项”：落实情况为“换了。”")
    press(page, "撤销上一步")
    expect(page.locator(".sc-way li")).to_have_count(1)
    expect(page.locator(".sc-desk h2")).to_have_text("办理“落实议定事项”")
    press(page, "撤销上一步")
    expect(page.get_by_role("button", name="开始", exact=True)).to_be_visible()


def test_what_the_start_lacks_is_said_and_what_was_typed_stays(designer: Worker) -> None:
    made = begun(designer)
    page = made.page
    value(page, "decision_id", "7")
    press(page, "开始")
    expect(page.get_by_role("alert")).to_contain_text("数据“due_at”还没有填写")
    expect(page.get_by_label("decision_id的值")).to_have_value("7")


def test_a_process_that_people_start_begins_with_its_form(designer: Worker) -> None:
    files = {name: text.decode() for name, text in beginning("request", "process_1", "请假").items()}
    made = bench(designer, "scenarios", files)
    page = made.page
    press(page, "录一个新场景")
    expect(page.locator(".sc-desk h2")).to_have_text("提交申请")
    expect(form(page).locator("h2")).to_have_text("发起")
    expect(page.locator(".sc-value input").first).to_be_hidden()
    with page.expect_response(re.compile("dry-run$")):
        form(page).get_by_role("button", name="提交", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("请填写事由")
    for name, text in {"reason": "回乡探亲", "from_date": "2026-03-09", "to_date": "2026-03-13"}.items():
        form(page).locator(f"[name={name}]").fill(text)
    with page.expect_response(re.compile("dry-run$")):
        form(page).get_by_role("button", name="提交", exact=True).click()
    expect(page.locator(".sc-desk h2")).to_have_text("办理“审批”")
    press(page, "撤销上一步")
    expect(form(page).locator("[name=reason]")).to_have_value("回乡探亲")
    with page.expect_response(re.compile("dry-run$")):
        form(page).get_by_role("button", name="提交", exact=True).click()
    handled(page, "同意")
    page.get_by_label("场景名称").fill("一次同意")
    press(page, "存入草稿")
    expect(page.locator("[data-path='scenarios/03-一次同意.yaml'] .light-green")).to_have_text("通过")
    kept = read_scenario(made.text("scenarios/03-一次同意.yaml") or "")
    assert kept.start["data"]["reason"] == "回乡探亲" and kept.start["data"]["starter"]["person"] == "王芳"


def test_messages_and_answers_of_lookups_are_recorded(designer: Worker) -> None:
    files = {name: text.decode() for name, text in read_package(shipped()["issue_disposal"]).whole.items()}
    made = begun(designer, files={name: text for name, text in files.items() if not name.startswith("scenarios/") or "网格内" in name})
    page = made.page
    press(page, "开始")
    expect(page.locator(".fd-forms")).to_contain_text("受理")
    page.locator("summary", has_text="reporter_withdraws").click()
    page.locator("details[open]").get_by_role("button", name="收到", exact=True).click()
    expect(page.locator(".sc-way li").last).to_have_text("收到消息“reporter_withdraws”")
    press(page, "撤销上一步")
    handled(page, "受理")
    expect(page.locator(".sc-way li").last).to_contain_text("问题类别为“垃圾堆积”")
    handled(page, "进入处置", level="tiered")
    expect(page.get_by_label("tier_kind的值")).to_have_value("grid")
    press(page, "就这样答复")
    expect(page.locator(".sc-answers")).to_contain_text("tier_unit = grid-0302")
    expect(page.locator(".sc-desk h2")).to_have_text("办理“本级处置”")
    page.locator("[data-key=again-first_tier]").click()
    expect(page.get_by_role("button", name="就这样答复", exact=True)).to_be_visible()


def test_the_clock_goes_to_the_next_timer_and_a_scenario_can_wait(designer: Worker) -> None:
    made = begun(designer, files={"process.bpmn": TIMED})
    page = made.page
    page.get_by_label("开始的时刻（北京时间）").fill("2026-03-02T09:00")
    press(page, "开始")
    press(page, "等到 2026/3/5 09:00：公示期满")
    expect(page.locator(".sc-way li").last).to_have_text("时间过去 3 天")
    page.get_by_label("场景名称").fill("公示期满")
    press(page, "存入草稿")
    expect(page.locator("[data-path] .light-green")).to_be_visible()
    assert "- wait: P3D" in (made.text("scenarios/01-公示期满.yaml") or "")


def test_one_is_edited_as_text_and_deleted(designer: Worker) -> None:
    text = "name: 没有人办\nstart: {data: {due_at: 2026-03-06T23:59:59+08:00}}\nsteps:\n- expect: {open: [carry_out_decision]}\n"
    made = bench(designer, "scenarios", files_of("decision_task") | {"scenarios/01-a.yaml": text})
    page = made.page
    press(page, "编辑文字：“没有人办”")
    box = page.get_by_label("场景的文字")
    box.fill(text.replace("expect", "expct"))
    press(page, "演练并存入")
    expect(page.get_by_role("alert")).to_contain_text("“01-a.yaml”第 1 步应当且只能写一个动作")
    assert made.text("scenarios/01-a.yaml") == text
    box.fill(text.replace("carry_out_decision", "check_decision"))
    press(page, "演练并存入")
    expect(page.locator("[data-path] .light-red")).to_be_visible()
    press(page, "删除“没有人办”")
    page.locator("dialog").get_by_role("button", name="删除", exact=True).click()
    expect(page.locator("[data-path]")).to_have_count(0)
    assert "scenarios/01-a.yaml" not in made.paths()


def test_a_draft_in_other_hands_is_only_played(designer: Worker) -> None:
    files = {name: text.decode() for name, text in read_package(shipped()["decision_task"]).whole.items()}
    page = bench(designer, "scenarios", files, locked=True).page
    assert page.locator("[data-edits]:enabled").count() == 0
    press(page, "全部演练")
    expect(page.get_by_role("status").filter(has_text="2 个场景，2 个通过").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_record_on_a_phone_too(designer: Worker, scheme: Any) -> None:
    designer.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    made = begun(designer, viewport=PHONE)
    page = made.page
    for step in (lambda: None, lambda: started(made), lambda: recorded_on(made)):
        step()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.evaluate(TARGETS) == []
        page.evaluate(AXE)
        assert page.evaluate(FINDINGS, []) == []
    assert page.evaluate("blocked") == []
    designer.page.emulate_media(color_scheme="light")


def recorded_on(made: Bench) -> None:
    handled(made.page, CARRIED_OUT, result_text="换了。")
    made.page.get_by_label("场景名称").fill("落实之后")
    press(made.page, "存入草稿")
    made.page.evaluate(BREAK)
    press(made.page, "全部演练")
    expect(made.page.locator("[data-path] .light-green")).to_be_visible()


def test_nothing_but_data_is_chinese_on_an_english_page(designer: Worker) -> None:
    page = bench(designer, "scenarios", files_of("decision_task"), language="en").page
    page.context.add_cookies([{"name": "language", "value": "en", "url": page.url}])
    try:
        page.get_by_role("button", name="Record a scenario").click()
        page.get_by_label("Moment of the start (Beijing time)").fill("2026-03-02T09:00")
        page.get_by_role("button", name="Add one").click()
        page.locator(".sc-value input").first.fill("due_at")
        page.locator(".sc-value input").last.fill("2026-03-06T23:59:59+08:00")
        page.get_by_role("button", name="Begin").click()
        expect(page.locator(".sc-way")).to_be_visible()
        said = page.locator("[data-studio]").inner_text()
        assert CHINESE.findall(said) == []
    finally:
        page.context.clear_cookies(name="language")
