"""An administrator changes a process in the browser: everything is picked from lists, and nothing typed is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import time

import pytest
from lxml import etree
from playwright.sync_api import Browser, Page, expect

from bpmn import beginning, shipped
from engine.packages import DIAGRAM, frozen_package, read_package
from tests.journeys.browser import DESKTOP, PATIENCE, PHONE, new_page
from tests.journeys.studio import Bench

REQUEST = frozen_package(beginning("request", "process_1", "请假"))
DECISION = read_package(shipped()["decision_task"])
TASK, GATEWAY, FLOW = "carry_out_decision", "check_outcome", "check_outcome_to_decision_carried_out"
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")
Editor = Callable[..., Page]


@pytest.fixture
def bench() -> Bench:
    return Bench(DECISION)


@pytest.fixture
def editor(chromium: Browser) -> Iterator[Editor]:
    """Opens a bench's draft at an element; at the end no page may have complained."""
    complaints: list[str] = []
    with ExitStack() as stack:

        def open_at(bench: Bench, element: str = TASK, *, viewport: dict[str, int] = DESKTOP, language: str = "zh-CN") -> Page:
            home = stack.enter_context(bench.served())
            page = new_page(chromium, viewport)
            stack.callback(page.context.close)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
            page.goto(f"{home}/?language={language}#element={element}")
            expect(page.locator("[data-ready]")).to_be_attached()
            return page

        yield open_at
    assert complaints == []


def at(page: Page, element: str) -> None:
    page.evaluate("element => { location.hash = `element=${element}`; }", element)
    expect(page.locator("[data-key=id]")).to_have_value(element)


def saved(page: Page, bench: Bench, revision: int) -> None:
    expect(page.locator(".studio-state.is-saved")).to_be_attached()
    assert bench.revision >= revision


def renamed(page: Page, name: str) -> None:
    page.fill("[data-key=name]", name)
    expect(page.locator(".studio-panel-head h2")).to_have_text(name)


@pytest.mark.parametrize("key", sorted(shipped()))
def test_a_shipped_diagram_comes_back_as_it_was(editor: Editor, key: str) -> None:
    bench = Bench(read_package(shipped()[key]))
    task = next(node.id for node in bench.package.diagram.nodes.values() if node.kind == "userTask")
    page = editor(bench, task)
    renamed(page, "改了又不改")
    page.get_by_role("button", name="撤销").click()
    saved(page, bench, 8)
    assert bench.files[DIAGRAM].encode() != bench.package.files[DIAGRAM], "nothing was written"
    assert bench.changes() == [] and not bench.redrawn()


def test_settings_are_picked_from_lists_and_saved_by_themselves(editor: Editor, bench: Bench) -> None:
    page = editor(bench)
    page.select_option("[data-key=unit]", label="召集人")
    page.select_option("[data-key=form]", "check_decision")
    page.fill("[data-key=amount]", "5")
    page.uncheck("[data-key=action-urge]")
    page.select_option("[data-key=check]", label="表决条件")
    saved(page, bench, 8)
    node = bench.now().diagram.nodes[TASK]
    assert node.settings["assign"]["unit"] == "convener" and node.settings["form"] == {"key": "check_decision"}
    assert node.settings["deadline"] == {"until": "=due_at", "amount": "5", "unit": "work_days"}
    assert node.settings["actions"] == {"allow": "transfer,communicate"} and node.settings["check"] == {"name": "vote_terms"}


def test_an_action_that_is_no_longer_offered_is_seen_only_where_it_is_allowed(editor: Editor, bench: Bench) -> None:
    page = editor(bench)
    actions = page.locator("label:has([data-key^=action-])")
    expect(actions).to_have_text(["转办", "催办", "沟通"])
    page.locator("[data-key=action-communicate]").click()
    saved(page, bench, 8)
    expect(actions).to_have_text(["转办", "催办"])
    assert bench.now().diagram.nodes[TASK].settings["actions"] == {"allow": "transfer,urge"}


def test_what_becomes_of_an_overdue_step_is_picked_from_what_its_form_allows(editor: Editor) -> None:
    form = json.loads(DECISION.files["forms/check_decision.json"])
    form["properties"]["check_note"]["x-ui"]["visible"] = "check_result == 'back'"
    bench = Bench(frozen_package({**DECISION.files, "forms/check_decision.json": json.dumps(form).encode()}))
    page = editor(bench, "check_decision")
    offered = page.locator("[data-key=overdue] option")
    expect(offered).to_have_text(["按规定催办", "转由上级办理", "自动办结为“落实到位”"])
    page.select_option("[data-key=overdue]", label="自动办结为“落实到位”")
    saved(page, bench, 8)
    assert bench.now().diagram.nodes["check_decision"].settings["deadline"]["overdue"] == "finish:pass"
    page.select_option("[data-key=form]", "")
    expect(offered).to_have_text(["按规定催办", "转由上级办理", "finish:pass"])
    page.select_option("[data-key=overdue]", "")
    saved(page, bench, 9)
    assert bench.now().diagram.nodes["check_decision"].settings["deadline"] == {"amount": "3", "unit": "work_days"}


def test_on_a_phone_the_palette_is_a_row_that_opens_and_closes(editor: Editor, bench: Bench) -> None:
    page = editor(bench, viewport=PHONE)
    palette, opens = page.locator(".djs-palette"), page.get_by_role("button", name="加图形")
    expect(palette).to_be_hidden()
    opens.click()
    expect(opens).to_have_attribute("aria-expanded", "true")
    box = palette.bounding_box()
    assert box and box["height"] < 60 and box["width"] > 250
    opens.click()
    expect(palette).to_be_hidden()


def test_who_may_start_a_process_is_picked_once_its_start_has_a_form(editor: Editor, bench: Bench) -> None:
    start = bench.package.diagram.starts(bench.package.diagram.main.id)[0].id
    page = editor(bench, start)
    expect(page.locator("[data-group=starters]")).to_have_count(0)
    page.select_option("[data-key=form]", "check_decision")
    expect(page.locator("[data-group=starters]")).to_contain_text("任何在岗人员都可以发起")
    page.select_option("[data-key=starter]", "grid_lead")
    page.select_option("[data-key=starter]", "joint_office")
    page.get_by_role("button", name="去掉网格长").click()
    saved(page, bench, 8)
    assert bench.now().diagram.nodes[start].settings["assign"] == {"post": "joint_office"}
    page.get_by_role("button", name="去掉联席办派单员").click()
    expect(page.locator(".studio-state.is-saved")).to_be_attached()
    assert "assign" not in bench.now().diagram.nodes[start].settings


def test_a_condition_is_put_together_and_read_as_a_sentence(editor: Editor, bench: Bench) -> None:
    page = editor(bench, GATEWAY)
    expect(page.locator("[data-group=ways]")).to_contain_text("核查结论 是 落实到位")
    page.locator(f"[data-key=way-{FLOW}]").click()
    expect(page.locator("[data-sentence]")).to_have_text("核查结论 是 落实到位")
    page.select_option("[data-key=clause-0-operator]", label="不是")
    page.select_option("[data-key=clause-0-value]", label="退回继续落实")
    expect(page.locator("[data-sentence]")).to_have_text("核查结论 不是 退回继续落实")
    saved(page, bench, 8)
    assert bench.now().diagram.flows[FLOW].condition == 'check_result != "back"'


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ('check_result in ["pass", "back"]', "核查结论 是其中之一： 落实到位、退回继续落实"),
        ("defined(check_result) and not overdue", "核查结论 已有数据，并且 overdue 为“否”"),
        ('"pass" in results or tier >= 3', "results 包含 pass，或者 tier 不少于 3"),
        ("rework_n + 1 > 2", "rework_n + 1 > 2"),
        ("tier > 1 and rework_n > 2 or overdue", "tier > 1 and rework_n > 2 or overdue"),
    ],
)
def test_what_experts_write_is_a_sentence_or_left_alone(editor: Editor, bench: Bench, written: str, sentence: str) -> None:
    page = editor(bench, FLOW)
    page.locator("[data-fold=expert-condition] summary").click()
    page.fill("[data-key=condition]", written)
    expect(page.locator("[data-sentence]")).to_have_text(sentence)
    saved(page, bench, 8)
    assert bench.now().diagram.flows[FLOW].condition == written


def test_a_problem_leads_to_its_element_and_marks_it(editor: Editor, bench: Bench) -> None:
    page = editor(bench)
    page.select_option("[data-key=form]", "")
    at(page, FLOW)
    page.locator("[data-key=clause-0-remove]").click()
    problem = page.locator(f".studio-problem[data-element={FLOW}]")
    expect(problem).to_contain_text("既没有条件，也不是默认连线")
    expect(page.locator(f".djs-connection.has-error[data-element-id={FLOW}]")).to_be_attached()
    at(page, TASK)
    problem.click()
    expect(page.locator("[data-key=id]")).to_have_value(FLOW)


def test_only_what_the_engine_runs_is_offered(editor: Editor, bench: Bench) -> None:
    page = editor(bench)
    page.get_by_role("button", name="新建元素").click()
    entries = page.locator(".djs-popup .entry")
    expect(entries.first).to_be_visible()
    offered = entries.evaluate_all("all => all.map(entry => entry.dataset.id)")
    assert {"create-user-task", "create-send-task", "create-receive-task", "create-inclusive-gateway"} <= set(offered)
    assert not [entry for entry in offered if re.search("complex|ad-hoc|compensation|data-|create-task", entry)]
    assert not re.search("[A-Za-z]{4}", page.locator(".djs-popup").inner_text())


def test_who_saved_first_is_said_and_the_person_decides(editor: Editor, bench: Bench) -> None:
    page = editor(bench)
    bench.somebody_saves("核查落实情况", "核查")
    renamed(page, "我的名称")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("李四")
    expect(dialog).to_contain_text("由“核查落实情况”改为“核查”")
    dialog.get_by_role("button", name="用我的覆盖").click()
    saved(page, bench, 9)
    assert "我的名称" in bench.files[DIAGRAM]

    bench.somebody_saves("我的名称", "对方的名称")
    renamed(page, "又一个名称")
    with page.expect_download() as download:
        page.get_by_role("button", name="看对方的版本").click()
    assert "又一个名称" in download.value.path().read_text("utf-8")
    expect(page.locator("[data-key=name]")).to_have_value("对方的名称")


def test_what_was_typed_survives_a_refusal_and_the_end_of_the_session(editor: Editor, bench: Bench) -> None:
    page = editor(bench)
    bench.answer = 422
    renamed(page, "没有存上")
    expect(page.locator(".studio-state")).to_contain_text("文件不是格式正确的 XML")
    bench.answer = 401
    renamed(page, "登录过期以后")
    expect(page.locator(".studio-state")).to_contain_text("登录已过期")
    address = page.url
    page.goto("about:blank")
    bench.answer = None
    page.goto(address)
    expect(page.locator(".studio-notices")).to_contain_text("已恢复您")
    saved(page, bench, 8)
    assert "登录过期以后" in bench.files[DIAGRAM]


def test_a_draft_in_other_hands_is_shown_and_can_be_taken_over(editor: Editor, bench: Bench) -> None:
    bench.held_by = "李四"
    page = editor(bench)
    expect(page.locator(".studio-notices")).to_contain_text("李四 正在编辑这份草稿")
    expect(page.locator("[data-key=name]")).to_be_disabled()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="由我接手编辑").click()
    expect(page.locator(".djs-palette")).to_be_visible()
    expect(page.locator("[data-key=name]")).to_be_enabled()


def test_a_diagram_that_would_lose_something_is_only_shown(editor: Editor) -> None:
    strange = DECISION.files[DIAGRAM].replace(b"<wz:status value=", b'<wz:unknown value="1" /><wz:status value=', 1)
    page = editor(Bench(frozen_package({**DECISION.files, DIAGRAM: strange})))
    expect(page.locator(".studio-diagram > .notice")).to_contain_text("只能查看")
    expect(page.locator(".djs-palette")).to_have_count(0)


@pytest.mark.parametrize(("viewport", "language"), [(DESKTOP, "zh-CN"), (PHONE, "zh-CN"), (DESKTOP, "en")])
def test_the_page_fits_is_accessible_and_keeps_the_mark_free(editor: Editor, bench: Bench, viewport: dict[str, int], language: str) -> None:
    page = editor(bench, viewport=viewport, language=language)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    mark = page.locator(".bjs-powered-by")
    mark.scroll_into_view_if_needed()
    assert mark.evaluate(
        "e => { const b = e.getBoundingClientRect(); return e.contains(document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2)); }"
    )
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa']})")["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []


def test_english_pages_hold_no_chinese_but_the_process(editor: Editor, bench: Bench) -> None:
    page = editor(bench, language="en")
    labels = page.locator(
        ".studio-panel :is(h3, legend, small, summary), .studio-panel label:not(.check), .studio-tools, .studio-state"
    ).all_inner_texts()
    assert labels and not [label for label in labels if re.search("[\u4e00-\u9fff]", label.split("\n")[0])]


def test_a_process_to_call_is_added_on_a_page_of_its_own(editor: Editor, bench: Bench) -> None:
    page = editor(bench)
    replaced(page, "调用流程")
    page.fill("[data-key=new-process]", "另行督办")
    page.locator("[data-key=add-process]").click()
    page.locator("[data-key=open-called]").click()
    expect(page.get_by_label("流程图分页").locator("option:checked")).to_have_text("另行督办")
    saved(page, bench, 8)
    diagram = bench.now().diagram
    called = diagram.processes[diagram.nodes[TASK].called or ""]
    assert called.name == "另行督办" and [start.name for start in diagram.starts(called.id)] == ["开始"]


def test_a_step_that_changes_its_kind_keeps_only_what_fits(editor: Editor, bench: Bench) -> None:
    page = editor(bench)
    replaced(page, "自动计算（脚本）")
    expect(page.locator("[data-key=script]")).to_be_visible()
    saved(page, bench, 8)
    node = bench.now().diagram.nodes[TASK]
    assert node.kind == "scriptTask" and node.settings == {} and node.name == "落实议定事项"


def replaced(page: Page, kind: str) -> None:
    """Changes the kind of the selected element by its menu."""
    page.locator(".djs-context-pad [data-action=replace]").click()
    page.locator(".djs-popup .entry").filter(has_text=kind).click()


def dropped_on(page: Page, flow: str) -> None:
    """Puts a new step onto a flow, nearer to where it comes from, by the palette."""
    page.locator(".djs-palette [data-action='create.task']").click()
    point = page.locator(f"[data-element-id={flow}] .djs-visual > path").evaluate(
        """path => {
             const { x, y } = path.getPointAtLength(path.getTotalLength() * 0.3), { a, d, e, f } = path.getScreenCTM();
             return [a * x + e, d * y + f];
           }"""
    )
    page.mouse.move(point[0] - 40, point[1] - 40)
    page.mouse.move(*point, steps=4)
    page.mouse.click(*point)
    page.keyboard.press("Escape")  # no name yet


def kept(page: Page, bench: Bench, revision: int) -> None:
    """Waits until the draft has come to this revision."""
    patience = time() + PATIENCE / 1000
    while bench.revision < revision and time() < patience:
        page.wait_for_timeout(50)
    assert bench.revision == revision


def boxes(bench: Bench) -> dict[str, tuple[float, ...]]:
    """Where each node is drawn."""
    root = etree.fromstring(bench.files[DIAGRAM].encode())
    drawn = root.iter("{http://www.omg.org/spec/BPMN/20100524/DI}BPMNShape")
    found = {shape.get("bpmnElement", ""): shape.find("{http://www.omg.org/spec/DD/20100524/DC}Bounds") for shape in drawn}
    nodes = bench.now().diagram.nodes
    return {
        id: tuple(float(bounds.get(part, 0)) for part in ("x", "y", "width", "height"))
        for id, bounds in found.items()
        if bounds is not None and id in nodes
    }


def apart(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """The wider of the gaps between two boxes, across and down."""
    (x, y, width, height), (left, top, wide, high) = one, other
    return max(left - x - width, x - left - wide, top - y - height, y - top - high)


ROOMS = {
    "after a gateway": (REQUEST, "to_agreed"),
    "before a gateway": (REQUEST, "to_decision"),
    "after a start": (REQUEST, "to_approve"),
    "upwards": (REQUEST, "to_approve_again"),
    "round a corner": (REQUEST, "to_refused"),
    "back": (REQUEST, "to_revise"),
    "in lanes": (DECISION, FLOW),
    "from lane to lane": (DECISION, "check_outcome_to_carry_out_decision"),
}


@pytest.mark.parametrize("where", ROOMS)
def test_a_step_put_onto_a_flow_gets_room_and_one_undo_takes_all_back(editor: Editor, where: str) -> None:
    package, flow = ROOMS[where]
    bench = Bench(package)
    page = editor(bench, package.diagram.starts(package.diagram.main.id)[0].id)
    page.get_by_role("button", name="看全图").click()
    before, ends = boxes(bench), package.diagram.flows[flow]
    dropped_on(page, flow)
    kept(page, bench, 8)
    now, diagram = boxes(bench), bench.now().diagram
    [new] = now.keys() - before.keys()
    assert [f.source for f in diagram.incoming[new]] == [ends.source] and [f.target for f in diagram.outgoing[new]] == [ends.target]
    near = {(one, other): apart(now[one], now[other]) for one in now for other in now if one < other}
    closest = min((gap, pair) for pair, gap in near.items() if new in pair)
    assert closest[0] >= 20, closest
    assert [pair for pair, gap in near.items() if gap < 0] == []
    page.get_by_role("button", name="撤销").click()
    kept(page, bench, 9)
    assert boxes(bench) == before and bench.changes() == [] and not bench.redrawn()


def test_leaving_before_everything_is_saved_is_asked_about(editor: Editor, bench: Bench) -> None:
    page = editor(bench)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.locator("[data-key=name]").click()
    bench.answer = 422
    renamed(page, "还没有保存")
    page.reload()
    assert asked == ["beforeunload"]


def test_the_simulation_speaks_chinese_and_changes_nothing(editor: Editor, bench: Bench) -> None:
    page = editor(bench)
    page.get_by_role("button", name="模拟运行").click()
    page.locator(".bts-context-pad").first.click()
    page.locator("[title=模拟记录]").first.click()
    expect(page.locator(".bts-log")).to_contain_text("流程开始")
    words = page.locator(".bts-log, .bts-palette, .bts-notifications").all_inner_texts()
    titles = page.locator(".studio-canvas [title]").evaluate_all("all => all.map(one => one.title)")
    left = [text for text in (*words, *titles) if re.search(r"\b[A-Z][a-z]{3}", text)]
    assert left in ([], ["Powered by bpmn.io"])
    page.get_by_role("button", name="结束模拟").click()
    expect(page.locator(".djs-palette")).to_be_visible()
    assert bench.revision == 7


def test_a_problem_of_a_form_leads_to_the_form(editor: Editor) -> None:
    form = DECISION.files["forms/check_decision.json"].replace(b'"maxLength"', b'"pattern": "x", "maxLength"', 1)
    page = editor(Bench(frozen_package({**DECISION.files, "forms/check_decision.json": form})))
    page.locator("[data-rule=form_refused]").first.click()
    expect(page.get_by_role("tab", name="表单")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#part-forms")).to_contain_text("核查落实情况")
    page.get_by_role("tab", name="表单").press("ArrowLeft")
    expect(page.locator(".djs-palette")).to_be_visible()
