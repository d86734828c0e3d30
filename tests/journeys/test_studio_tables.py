"""Decision tables in the studio: edited on a sheet, tried with values, told what they decide twice or not at all."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engine.decisions import DecisionTable, read_table
from tests.journeys.browser import PHONE, People, Worker
from tests.journeys.studio_parts import Bench, bench, files_of
from tests.journeys.test_general import AXE, FINDINGS, TARGETS, WATCH

CHINESE = re.compile("[\u3400-\u9fff]")


@pytest.fixture(scope="module")
def designer(people: People) -> Worker:
    worker = people.at("guanli")
    worker.page.add_init_script(WATCH)
    return worker


def opened(designer: Worker, title: str = "按类别分级", **options: Any) -> Bench:
    made = bench(designer, "tables", files_of("issue_disposal"), **options)
    made.page.get_by_role("button", name=title, exact=True).click()
    expect(made.page.locator(".td-sheet td.input-cell").first).to_be_visible()
    return made


def table(made: Bench, key: str = "grading") -> DecisionTable:
    return read_table((made.text(f"tables/{key}.dmn") or "").encode())


def write(page: Page, row: int, column: int, text: str) -> None:
    cell = page.locator(".td-sheet tbody tr").nth(row).locator("td.input-cell, td.output-cell").nth(column)
    cell.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)
    page.locator(".td-sheet .decision-table-name, .td-sheet .decision-table-properties").first.click()


def test_a_table_that_is_looked_at_stays_as_it_is(designer: Worker) -> None:
    made = opened(designer)
    expect(made.page.locator("section[aria-live]")).to_contain_text("没有发现重叠和遗漏")
    assert made.text("tables/grading.dmn") == files_of("issue_disposal")["tables/grading.dmn"]
    assert made.page.evaluate("blocked") == []


def test_only_the_cell_that_was_written_changes(designer: Worker) -> None:
    made = opened(designer)
    before = table(made)
    write(made.page, 2, 0, '"0303"')
    made.page.wait_for_function("draft.get('tables/grading.dmn').includes('0303')")
    after = table(made)
    assert (
        after.rules[2].inputs[0]
        == read_table(files_of("issue_disposal")["tables/grading.dmn"].replace("-</text>", '"0303"</text>').encode()).rules[2].inputs[0]
    )
    assert [rule for n, rule in enumerate(after.rules) if n != 2] == [rule for n, rule in enumerate(before.rules) if n != 2]
    assert (after.inputs, after.outputs, after.policy) == (before.inputs, before.outputs, before.policy)


def test_what_a_change_breaks_is_told(designer: Worker) -> None:
    page = opened(designer).page
    page.locator(".hit-policy-edit-policy-select").click()
    offered = page.locator(".dms-select-options .option").all_inner_texts()
    assert len(offered) == 9 and "只命中一条" in offered
    page.get_by_text("只命中一条", exact=True).click()
    expect(page.locator("section[aria-live]")).to_contain_text("第 1 条和第 3 条规则会同时命中")
    write(page, 0, 0, "一般")
    expect(page.locator("section[aria-live] .error")).to_contain_text("如果是文字，请加英文引号")


def test_a_table_is_tried_with_values(designer: Worker) -> None:
    page = opened(designer).page
    page.get_by_label("问题类别", exact=True).fill("0201")
    page.get_by_label("涉及公共安全", exact=True).select_option(label="否")
    page.get_by_role("button", name="以这些值试算").click()
    answer = page.locator("form [role=status]")
    expect(answer).to_contain_text("命中第 1 条规则")
    expect(answer).to_contain_text('"priority": "P1"')
    page.get_by_label("问题类别", exact=True).fill("9999")
    page.get_by_role("button", name="以这些值试算").click()
    expect(answer).to_contain_text("命中第 6 条规则")


def test_a_table_is_made_without_an_id_being_asked(designer: Worker) -> None:
    made = bench(designer, "tables", files_of("issue_disposal"))
    page = made.page
    page.get_by_role("button", name="新建决策表").click()
    expect(page.get_by_role("alert")).to_have_text("请填写决策表名称")
    page.get_by_label("决策表名称").fill("罚款 <额度>")
    page.get_by_role("button", name="新建决策表").click()
    expect(page.locator(".td-sheet .hit-policy")).to_be_visible()
    assert (table(made, "table").name, table(made, "table").rules) == ("罚款 <额度>", ())


def test_a_table_in_use_is_not_deleted(designer: Worker) -> None:
    made = bench(designer, "tables", files_of("issue_disposal"))
    made.page.get_by_role("button", name="删除“按类别分级”").click()
    expect(made.page.locator("dialog")).to_contain_text("正用于环节“按类别预判紧急程度”")
    made.page.keyboard.press("Escape")
    assert "tables/grading.dmn" in made.paths()


def test_a_draft_in_other_hands_is_only_looked_at(designer: Worker) -> None:
    page = opened(designer, locked=True).page
    assert page.locator("[data-edits]:enabled, .td-sheet [contenteditable=true], .hit-policy-edit-policy-select").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it_on_a_phone_too(designer: Worker, scheme: Any) -> None:
    designer.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page = bench(designer, "tables", files_of("issue_disposal"), viewport=PHONE).page
    page.evaluate(AXE)
    assert page.evaluate(FINDINGS, []) == []
    assert page.evaluate(TARGETS) == []
    page = opened(designer, viewport=PHONE).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    designer.page.emulate_media(color_scheme="light")


def test_nothing_but_data_is_chinese_on_an_english_page(designer: Worker) -> None:
    files = {"process.bpmn": files_of("decision_task")["process.bpmn"]}
    page = bench(designer, "tables", files, language="en").page
    page.get_by_label("Name of the table").fill("Limits")
    page.get_by_role("button", name="New decision table").click()
    expect(page.locator(".td-sheet .hit-policy")).to_be_visible()
    assert CHINESE.findall(page.locator("[data-studio]").inner_text()) == []
