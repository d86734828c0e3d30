"""The designer of forms: nothing is lost, nothing asks for an id, and what would break is named before it breaks."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from bpmn import shipped
from engine.expressions import compile_expression
from engine.form_files import form_problems
from governance.forms.rules import fields
from tests.journeys.browser import PHONE, People, Worker
from tests.journeys.studio_parts import Bench, bench, files_of
from tests.journeys.test_general import AXE, FINDINGS, TARGETS, WATCH

NOW = datetime(2026, 3, 2, tzinfo=UTC)
CHINESE = re.compile("[\u3400-\u9fff]")


@pytest.fixture(scope="module")
def designer(people: People) -> Worker:
    worker = people.at("guanli")
    worker.page.add_init_script(WATCH)
    return worker


def press(page: Page, name: str, within: str = ".fd-editor") -> None:
    page.locator(within).get_by_role("button", name=name, exact=True).click()


def opened(designer: Worker, title: str, process: str = "issue_disposal", **options: Any) -> Bench:
    made = bench(designer, "forms", files_of(process), **options)
    made.page.locator(".fd-forms").get_by_role("button", name=title, exact=True).first.click()
    expect(made.page.locator(".fd-editor")).to_be_visible()
    return made


def shown(page: Page) -> Locator:
    return page.frame_locator(".fd-frame").locator("main")


def expressions(form: Any) -> list[str]:
    """Every condition in a form, however deep."""
    parts = form.values() if isinstance(form, dict) else form if isinstance(form, list) else ()
    own = [v for k, v in form.items() if k in ("visible", "required", "opinion") and isinstance(v, str)] if isinstance(form, dict) else []
    return own + [text for part in parts for text in expressions(part)]


@pytest.mark.parametrize("process", shipped())
def test_a_form_that_is_looked_at_and_written_again_is_the_same(designer: Worker, process: str) -> None:
    files = files_of(process)
    made = bench(designer, "forms", files)
    for path in [path for path in files if path.startswith("forms/")]:
        written = made.page.evaluate(
            """async path => {
              const files = await import('/bench-src/studio/forms-files.js');
              const kinds = await import('/bench-src/studio/forms-kinds.js');
              part.select(files.keyOf(path));
              document.querySelectorAll('.fd-field-head').forEach((_, n) => document.querySelectorAll('.fd-field-head')[n].click());
              const looked = draft.get(path);
              files.writeForm(draft, path, files.readForm(draft, path));
              const odd = Object.values(files.readForm(draft, path).properties).filter(s => kinds.kindOf(s).key === 'other').map(kinds.widgetOf);
              return { looked, written: draft.get(path), odd };
            }""",
            path,
        )
        assert written["looked"] == files[path]
        assert json.loads(written["written"]) == json.loads(files[path])
        assert set(written["odd"]) <= {"rate", "tap"}


def test_every_shipped_condition_means_the_same_when_it_is_written_again(designer: Worker) -> None:
    page = bench(designer, "forms", {}).page
    forms = [json.loads(text) for key in shipped() for path, text in files_of(key).items() if path.startswith("forms/")]
    texts = sorted({text for form in forms for text in expressions(form)})
    again = page.evaluate(
        """async texts => { const c = await import('/bench-src/studio/forms-conditions.js');
           return texts.map(text => { const read = c.readCondition(text); return read && c.writeCondition(read); }); }""",
        texts,
    )
    as_text = [text for text, written in zip(texts, again, strict=True) if written is None]
    assert all(" not in " in text or (" and " in text and " or " in text) or "(" in text for text in as_text) and len(as_text) <= 3
    for text, written in ((text, written) for text, written in zip(texts, again, strict=True) if written):
        names = compile_expression(text).names
        values = [*re.findall(r"'([^']*)'", text), "", None, True, False]
        for value in values:
            for other in values:
                data = {name: (value if number == 0 else other) for number, name in enumerate(sorted(names))}
                assert bool(compile_expression(written).evaluate(data, NOW)) is bool(compile_expression(text).evaluate(data, NOW)), (
                    text,
                    data,
                )


@pytest.mark.parametrize(
    ("row", "yes", "no"),
    [
        ({"name": "n", "op": "gt", "value": 3}, [4], [3, None]),
        ({"name": "n", "op": "le", "value": 3}, [3], [4, None]),
        ({"name": "n", "op": "has", "value": "a"}, [["a"]], [["b"], None]),
        ({"name": "n", "op": "in", "value": ["a", "b"]}, ["a", "b"], ["c", None]),
        ({"name": "n", "op": "eq", "value": "it's \\ a\nline"}, ["it's \\ a\nline"], ["x"]),
        ({"name": "n", "op": "filled", "value": None}, ["x", 0], [None]),
        ({"name": "n", "op": "empty", "value": None}, [None], ["x"]),
        ({"name": "n", "op": "no", "value": None}, [False, None], [True]),
    ],
)
def test_a_row_becomes_an_expression_and_a_row_again(designer: Worker, row: dict[str, Any], yes: list[Any], no: list[Any]) -> None:
    page = designer.page if designer.page.url.endswith("/studio-bench") else bench(designer, "forms", {}).page
    text, read = page.evaluate(
        """async rows => { const c = await import('/bench-src/studio/forms-conditions.js');
           const text = c.writeCondition({ joint: 'and', rows }); return [text, c.readCondition(text).rows]; }""",
        [row, row],
    )
    assert read == [row, row]
    expression = compile_expression(text)
    assert [bool(expression.evaluate({"n": value}, NOW)) for value in [*yes, *no]] == [True] * len(yes) + [False] * len(no)


@pytest.mark.parametrize(
    "text", ["a == 1 and b or c", "len(a) > 2", "a.b == 1", "a ==", "'x", "(a != null and b > 3)", "a == 'x' if b else c"]
)
def test_what_is_more_than_rows_stays_text(designer: Worker, text: str) -> None:
    page = designer.page if designer.page.url.endswith("/studio-bench") else bench(designer, "forms", {}).page
    read = "async text => (await import('/bench-src/studio/forms-conditions.js')).readCondition(text)"
    assert page.evaluate(read, text) is None


def test_a_form_is_made_without_an_id_being_asked(designer: Worker) -> None:
    made = bench(designer, "forms", files_of("decision_task"))
    page = made.page
    press(page, "新建表单", ".fd-list")
    expect(page.locator(".fd-new .error")).to_have_text("请填写表单名称")
    page.get_by_label("表单名称").fill("现场核验")
    press(page, "新建表单", ".fd-list")
    for kind in ("短文字", "数字", "单选", "办理结果"):
        press(page, kind)
        title = page.locator(".fd-field.is-open").get_by_label("名称", exact=True)
        expect(title).to_be_focused()
        title.fill({"短文字": "核验人", "数字": "户数", "单选": "结论", "办理结果": "办理结果"}[kind])
    expect(shown(page).locator("[data-field]")).to_have_count(3)
    form = made.form("form")
    assert list(form["properties"]) == ["field", "field_2", "field_3", "form_result"]
    assert form["required"] == ["form_result"]
    assert list(form_problems(form)) == []
    assert [f.widget for f in fields(form)] == ["text", "number", "choice", "outcome"]
    expect(page.locator("[data-key=add-outcome]")).to_be_disabled()


def test_fields_are_ordered_with_the_keyboard_and_by_dragging(designer: Worker) -> None:
    made = opened(designer, "派单")
    page, key = made.page, "dispatch_case"
    before = list(made.form(key)["properties"])
    page.locator("[data-key=fieldDown-lead_unit]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-key=fieldDown-lead_unit]")).to_be_focused()
    assert list(made.form(key)["properties"]) == [before[1], before[0], *before[2:]]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[data-key=head-lead_unit]")).to_be_focused()
    assert list(made.form(key)["properties"]) == before
    page.locator("[data-key=head-lead_unit]").click()
    handles = page.locator(".fd-handle")
    handles.nth(3).drag_to(page.locator(".fd-field").nth(0))
    assert list(made.form(key)["properties"]) == [before[3], *before[:3], before[4]]


def test_a_condition_is_chosen_and_the_preview_obeys(designer: Worker) -> None:
    made = opened(designer, "派单")
    page = made.page
    page.locator("[data-key=head-dispatch_note]").click()
    page.locator("[data-key=field-dispatch_note-visible]").select_option(label="符合条件时显示")
    condition = page.locator(".is-open .fd-condition").last
    condition.get_by_label("看哪一项").select_option(label="办理结果")
    condition.get_by_label("怎么比较").select_option(label="是")
    condition.get_by_label("与什么比较").select_option(label="权属不清，报领导")
    assert made.form("dispatch_case")["properties"]["dispatch_note"]["x-ui"] == {
        "widget": "textarea",
        "visible": "dispatch_result == 'ask_leader'",
    }
    expect(shown(page).locator("[data-field=dispatch_note]")).to_have_count(0)
    shown(page).locator(".outcome", has_text="报领导").click()
    expect(shown(page).locator("[data-field=dispatch_note]")).to_be_visible()
    shown(page).locator(".outcome", has_text=re.compile("^派单$")).click()
    expect(shown(page).locator("[data-field=lead_unit] select")).to_be_visible()


TRIED = {
    "title": "试填",
    "properties": {
        "where": {"type": "object", "title": "在哪里", "x-ui": {"widget": "location"}},
        "helper": {"type": "string", "title": "协助人", "maxLength": 40, "x-ui": {"widget": "person", "among": "district"}},
        "signed": {"type": "string", "title": "签名", "maxLength": 200, "x-ui": {"widget": "signature"}},
        "files": {"type": "array", "title": "附件", "items": {"type": "string"}, "maxItems": 3, "x-ui": {"widget": "attachments"}},
        "note": {"type": "string", "title": "备注", "maxLength": 40, "x-ui": {"widget": "text"}},
    },
}


def test_every_control_of_the_preview_does_what_it_does_for_whoever_fills_in_the_form(designer: Worker) -> None:
    files = {**files_of("decision_task"), "forms/tried.json": json.dumps(TRIED, ensure_ascii=False)}
    page = bench(designer, "forms", files).page
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": 121.4737, "latitude": 31.2304, "accuracy": 20})
    page.locator(".fd-forms").get_by_role("button", name="试填", exact=True).click()
    form = shown(page)
    form.get_by_role("button", name="使用当前位置").click()
    expect(form.locator(".location-told")).to_contain_text("121.4737")
    form.locator("input[type=file]").last.set_input_files({"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"})
    expect(form.locator(".signature-sheet")).to_have_text("在此处签名（预览中不能签）")
    expect(form.locator("noscript")).to_have_count(0)
    seek = form.locator("[data-seek]")
    seek.press_sequentially("网格长", delay=60)
    expect(form.locator("[data-people] input").first).to_be_visible()
    expect(seek).to_be_focused()
    expect(seek).to_have_value("网格长")
    form.locator("[data-people] input").first.check()
    form.get_by_label("备注").fill("记一笔")
    form.get_by_label("意见").last.fill("同意")
    form.get_by_label("常用语").select_option(index=1)
    expect(form.get_by_label("意见").last).to_have_value(re.compile("同意."))
    expect(form.locator("[data-people] input").first).to_be_checked()
    expect(form.locator(".location-told")).to_contain_text("121.4737")
    assert form.locator("input[type=file]").last.evaluate("input => input.files.length") == 1
    seek.fill("网格员")
    seek.press("Enter")
    expect(form.locator("[data-people]")).to_contain_text("网格员")
    form.locator(".form-actions button").click()
    expect(page.locator(".fd-preview [role=status]")).to_have_text("这是预览，不提交，也不检查填写的内容。")


def test_what_reads_a_field_is_named_before_it_goes(designer: Worker) -> None:
    made = opened(designer, "本级处置")
    page = made.page
    page.locator("[data-key=head-handle_result]").click()
    press(page, "删除这一项")
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("“办理结果”还用在")
    assert any("网关“" in line and "之后的条件" in line for line in dialog.locator("li").all_inner_texts())
    dialog.get_by_role("button", name="取消").click()
    assert "handle_result" in made.form("handle_at_tier")["properties"]
    page.locator("[data-key=field-handle_result-option-0-remove]").click()
    expect(dialog).to_contain_text("还用在")
    page.keyboard.press("Escape")
    assert made.form("handle_at_tier") == json.loads(files_of("issue_disposal")["forms/handle_at_tier.json"])
    press(page, "删除这一项")
    dialog.get_by_role("button", name="仍要删除").click()
    form = made.form("handle_at_tier")
    assert "handle_result" not in form["properties"] and "handle_result" not in form["required"]


def test_a_field_becomes_one_of_another_kind_and_keeps_what_was_said_of_it(designer: Worker) -> None:
    made = opened(designer, "派单")
    page, before = made.page, made.form("dispatch_case")["properties"]["dispatch_note"]
    page.locator("[data-key=head-dispatch_note]").click()
    page.locator("[data-key=field-dispatch_note-help]").fill("写清楚")
    page.locator("[data-key=field-dispatch_note-visible]").select_option(label="符合条件时显示")
    condition = made.form("dispatch_case")["properties"]["dispatch_note"]["x-ui"]["visible"]
    for kind, word in (("date", 10), ("textarea", 500)):
        page.locator("[data-key=field-dispatch_note-kind]").select_option(kind)
        expect(page.locator("[data-key=field-dispatch_note-kind]")).to_be_focused()
        became = made.form("dispatch_case")["properties"]["dispatch_note"]
        assert (became["title"], became["description"], became["maxLength"]) == (before["title"], "写清楚", word)
        assert became["x-ui"] == {"widget": kind, "visible": condition}
    assert list(form_problems(made.form("dispatch_case"))) == []


def test_one_of_several_becomes_several_of_them_once_its_uses_were_seen(designer: Worker) -> None:
    made = bench(designer, "forms", files_of("decision_task"))
    page = made.page
    page.get_by_label("表单名称").fill("现场核验")
    press(page, "新建表单", ".fd-list")
    press(page, "单选")
    options = made.form("form")["properties"]["field"]["oneOf"]
    press(page, "短文字")
    page.locator("[data-key=field-field_2-visible]").select_option(label="符合条件时显示")
    page.locator("[data-key=head-field]").click()
    page.locator("[data-key=field-field-kind]").select_option("multichoice")
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("按原来的填写方式比较")
    dialog.get_by_role("button", name="取消").click()
    expect(page.locator("[data-key=field-field-kind]")).to_have_value("choice")
    page.locator("[data-key=field-field-kind]").select_option("multichoice")
    dialog.get_by_role("button", name="仍要改变").click()
    expect(page.locator("[data-key=field-field-kind]")).to_have_value("multichoice")
    became = made.form("form")["properties"]["field"]
    assert (became["type"], became["items"]["oneOf"], "oneOf" in became) == ("array", options, False)
    page.locator("[data-key=field-field-kind]").select_option("choice")
    dialog.get_by_role("button", name="仍要改变").click()
    expect(page.locator("[data-key=field-field-kind]")).to_have_value("choice")
    assert made.form("form")["properties"]["field"]["oneOf"] == options
    assert list(form_problems(made.form("form"))) == []


def test_a_form_in_use_is_not_deleted(designer: Worker) -> None:
    made = bench(designer, "forms", files_of("issue_disposal"))
    page = made.page
    page.get_by_role("button", name="删除“派单”").click()
    expect(page.locator("dialog")).to_contain_text("正用于环节“派单”")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="复制“派单”").click()
    assert made.form("dispatch_case_copy") == {**made.form("dispatch_case"), "title": "派单（副本）"}
    press(page, "全部表单")
    page.get_by_role("button", name="删除“派单（副本）”").click()
    page.locator("dialog").get_by_role("button", name="删除", exact=True).click()
    expect(page.get_by_role("button", name="派单（副本）", exact=True)).to_have_count(0)
    assert "forms/dispatch_case_copy.json" not in made.paths() and "forms/dispatch_case.json" in made.paths()


def test_a_draft_in_other_hands_is_only_looked_at(designer: Worker) -> None:
    page = opened(designer, "派单", locked=True).page
    assert page.locator("[data-edits]:enabled").count() == 0
    expect(shown(page).locator(".outcome").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it_on_a_phone_too(designer: Worker, scheme: Any) -> None:
    designer.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page = opened(designer, "派单", viewport=PHONE).page
    expect(shown(page).locator(".outcome").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(TARGETS) == []
    page.evaluate(AXE)
    assert page.evaluate(FINDINGS, []) == []
    assert page.evaluate("blocked") == []
    designer.page.emulate_media(color_scheme="light")


def test_nothing_but_data_is_chinese_on_an_english_page(designer: Worker) -> None:
    files = {path: text for path, text in files_of("decision_task").items() if not path.startswith("forms/")}
    page = bench(designer, "forms", files, language="en").page
    page.get_by_label("Name of the form").fill("Site check")
    press(page, "New form", ".fd-list")
    for kind in page.locator(".fd-kinds button").all():
        kind.click()
    page.locator(".fd-more summary").click()
    said = page.evaluate("document.querySelector('[data-studio]').innerHTML")
    assert CHINESE.findall(said.replace("srcdoc", "")) == []
