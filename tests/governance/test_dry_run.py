"""Recording is replaying: what a dry run came to is what the file says, and what could not be done is not in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from bpmn import beginning, shipped
from engine.errors import Unreadable
from engine.packages import Package, frozen_package, read_package
from engine.scenario_files import read_scenario
from engine.scenario_names import Names
from governance.errors import Refused
from governance.studio.dry_run import (
    MAX_STEPS,
    DryRun,
    Record,
    dry_run,
    proposed_answer,
    proposed_start,
    results,
    scenario_file,
    start_form,
    started,
    tried,
)
from tests.governance.test_persons import helped
from tests.papers import ATTACHMENTS, seal

NINE = datetime.fromisoformat("2026-03-02T09:00+08:00")
TASK = read_package(shipped()["decision_task"])
DISPOSAL = read_package(shipped()["issue_disposal"])


def no_limit(*_: Any) -> None:
    return None


def begun(package: Package, element: str, **written: str) -> DryRun:
    return dry_run(package, started(package, NINE, {"element": element, "written": written}), None, no_limit)


def after(package: Package, ran: DryRun, *acts: Mapping[str, Any]) -> DryRun:
    for act in acts:
        ran = dry_run(package, ran.record, act, no_limit)
    return ran


def complete(key: str, **filled: str) -> Mapping[str, Any]:
    return {"kind": "complete", "key": key, "filled": {name: [value] for name, value in filled.items()}}


def carried_out() -> DryRun:
    done = complete("carry_out_decision#1", result_text="排水管已更换。", carry_result="done")
    passed = complete("check_decision#1", check_note="不再渗漏。", check_result="pass")
    return after(TASK, begun(TASK, "decision_handed_over", decision_id="1"), done, passed)


def keys(ran: DryRun) -> list[str]:
    return [task.key for task in ran.stand.open]


def test_what_was_clicked_is_a_scenario_that_passes_and_looks_like_the_shipped_ones() -> None:
    path, text = scenario_file(TASK, carried_out().record, " 一次核查到位 ", no_limit)
    assert path == "scenarios/03-一次核查到位.yaml"
    assert text == (
        "name: 一次核查到位\n"
        "start:\n"
        "  at: 2026-03-02T09:00+08:00\n"
        "  data: {decision_id: 1}\n"
        "steps:\n"
        "- complete: carry_out_decision\n"
        "  by: {person: 楼栋长, post: building_lead}\n"
        "  data: {result_text: 排水管已更换。, carry_result: done}\n"
        "- complete: check_decision\n"
        "  by: {person: 楼栋长, post: building_lead}\n"
        "  data: {check_note: 不再渗漏。, check_result: pass}\n"
        "- expect:\n"
        "    finished: true\n"
        "    ended_at: [decision_carried_out]\n"
    )
    kept = frozen_package({**TASK.whole, path: text.encode()})
    assert results(kept, no_limit)[path] == ("一次核查到位", ())


def test_a_changed_diagram_turns_it_red() -> None:
    path, text = scenario_file(TASK, carried_out().record, "核查", no_limit)
    turned = TASK.files["process.bpmn"].replace(b'check_result == "pass"', b'check_result == "agreed"')
    name, failures = results(frozen_package({**TASK.whole, "process.bpmn": turned, path: text.encode()}), no_limit)[path]
    assert name == "核查" and [failure.step for failure in failures] == [3, 3]


WRONG = """name: 不对
start: {data: {due_at: 2026-03-06T23:59:59+08:00}}
steps:
- expect:
    open: [check_decision, nowhere]
    overdue: [check_decision]
    waiting: [check_outcome]
    ended_at: [decision_carried_out]
    data: {result_text: 好, due_at: 明天, other: 1}
    incidents: [{element: check_decision, rule: r}]
- {complete: carry_out_decision, refused: true, data: {result_text: 好, carry_result: done}}
- {rewind: {to: check_decision, reason: 再看}}
"""


def test_what_did_not_come_true_is_told_by_the_names_of_steps_and_fields() -> None:
    broken = frozen_package({**TASK.files, "scenarios/09-x.yaml": WRONG.encode()})
    _name, failures = results(broken, no_limit)["scenarios/09-x.yaml"]
    assert [(failure.step, failure.message) for failure in failures] == [
        (1, "待办应为 “核查落实情况”、“nowhere”，实际为 “落实议定事项”。"),
        (1, "超期的待办应为 “核查落实情况”，实际为 无。"),
        (1, "等待中的事件应为 “落实到位吗？”，实际为 无。"),
        (1, "应当到达结束事件 “已落实”，实际到达 无。"),
        (1, "数据“落实情况”应为 好，实际没有填写。"),
        (1, "数据“due_at”应为 明天，实际为 2026-03-06T23:59:59+08:00。"),
        (1, "数据“other”应为 1，实际没有填写。"),
        (1, "异常应为 “核查落实情况”（r），实际为 无。"),
        (2, "“落实议定事项”本应被拒绝，却可以办理。"),
        (3, "无法退回到“核查落实情况”：该环节没有办理过。"),
    ]
    closed = WRONG.partition("steps:")[0] + "steps: [{complete: check_decision}]"
    _name, failures = results(frozen_package({**TASK.files, "scenarios/09-x.yaml": closed.encode()}), no_limit)["scenarios/09-x.yaml"]
    assert [failure.message for failure in failures] == ["待办“核查落实情况”不存在或已办结。"]


def test_steps_of_one_name_are_told_apart_by_their_ids() -> None:
    names = Names(read_package(shipped()["decision_task"]).diagram, {})
    assert names.step("check_decision#2") == "核查落实情况#2"
    alike = frozen_package(
        {**TASK.files, "process.bpmn": TASK.files["process.bpmn"].replace("落实议定事项".encode(), "核查落实情况".encode())}
    )
    assert Names(alike.diagram, {}).step("check_decision") == "核查落实情况（check_decision）"


def test_a_form_is_read_and_checked_as_on_the_task_page() -> None:
    ran = begun(TASK, "decision_handed_over")
    with pytest.raises(Refused) as refused:
        after(TASK, ran, complete("carry_out_decision#1", result_text="换了。"))
    assert set(refused.value.errors) == {"carry_result"}
    with pytest.raises(Refused):
        after(TASK, ran, complete("check_decision#1"))


def test_people_and_locations_are_recorded_as_they_were_filled_in() -> None:
    package = helped()
    ran = begun(package, "request_made", helper="17")
    back = complete("approve_request#1", decision="return")
    again = {"reason": "排查", "from_date": "2026-03-09", "to_date": "2026-03-09", "helper": "18", "spot": "滨江路 1 号"}
    ran = after(package, ran, back, complete("revise_request#1", **again, **{"spot.at": "121.4737,31.2304,20"}))
    assert ran.refused == "" and keys(ran) == ["approve_request#2"]
    path, text = scenario_file(package, ran.record, "改由别人", no_limit)
    kept = frozen_package({**package.whole, path: text.encode()})
    assert results(kept, no_limit)[path] == ("改由别人", ())
    filled = kept.scenarios[-1].steps[1]["data"]
    assert (filled["helper"], filled["spot"]) == (
        "18",
        {"longitude": 121.4737, "latitude": 31.2304, "accuracy": 20.0, "address": "滨江路 1 号"},
    )


def test_who_starts_a_process_fills_in_its_form() -> None:
    package = frozen_package(helped().files)
    start = package.diagram.nodes["request_made"]
    assert proposed_start(package, start) == {"starter": {"person": "网格员", "post": "grid_worker"}}
    filled = {"reason": ["排查"], "from_date": ["2026-03-09"], "to_date": ["2026-03-10"], "helper": ["17"], "spot": ["滨江路 1 号"]}
    by = {"starter": '{"person": "网格员", "post": "grid_worker"}'}
    act = {"element": "request_made", "filled": filled, "written": by}
    record = started(package, NINE, act)
    assert record.start["data"] == {
        "reason": "排查",
        "from_date": "2026-03-09",
        "to_date": "2026-03-10",
        "helper": "17",
        "spot": {"address": "滨江路 1 号"},
        "starter": {"person": "网格员", "post": "grid_worker"},
    }
    assert keys(dry_run(package, record, None, no_limit)) == ["approve_request#1"]
    with pytest.raises(Refused) as refused:
        started(package, NINE, {**act, "filled": {**filled, "reason": [""]}})
    assert refused.value.errors == {"reason": "请填写事由"}


def test_what_another_scenario_says_of_who_starts_it_is_proposed_and_nothing_of_its_form() -> None:
    package = frozen_package(beginning("request", "process_1", "请假"))
    start = package.diagram.nodes["request_made"]
    assert start_form(package, start) == package.forms["request"]
    assert proposed_start(package, start) == {
        "place_unit": "grid-01",
        "starter": {"person": "王芳", "post": "grid_worker", "unit": "grid-01"},
    }
    assert start_form(DISPOSAL, DISPOSAL.diagram.nodes["case_reported"]) is None


def test_a_lookup_is_asked_and_answered_in_turn() -> None:
    ran = begun(DISPOSAL, "case_reported", category="'0301'", place_unit="building-1")
    ran = after(
        DISPOSAL,
        ran,
        complete("accept_case#1", category="0301", accept_result="accept"),
        complete("grade_case#1", category="0301", priority="P3", level="tiered", grade_result="handle"),
    )
    assert ran.stand.asked == {"first_tier": 1, "street": 1}
    assert proposed_answer(DISPOSAL, "first_tier")["tier_kind"] == "grid"
    answer = {"kind": "answer", "name": "first_tier", "written": {"tier": "2", "tier_unit": "grid-1", "tier_kind": "grid"}}
    ran = after(DISPOSAL, ran, answer)
    assert keys(ran) == ["handle_at_tier#1"] and ran.stand.open[0].data["tier"] == 2
    assert ran.record.facts == {"first_tier": {"tier": 2, "tier_unit": "grid-1", "tier_kind": "grid"}}
    again = after(DISPOSAL, ran, answer)
    assert again.record.facts["first_tier"] == [ran.record.facts["first_tier"]] * 2


def test_the_clock_goes_on_to_a_timer() -> None:
    ran = begun(DISPOSAL, "case_reported", category="'0301'", place_unit="building-1")
    ran = after(DISPOSAL, ran, {"kind": "wait", "until": "2026-03-04T10:00:30+08:00"})
    assert ran.record.steps[-1] == {"wait": "P2DT1H30S"}
    assert ran.stand.at == datetime.fromisoformat("2026-03-04T10:00:30+08:00")
    with pytest.raises(Refused):
        after(DISPOSAL, ran, {"kind": "wait", "until": "明天"})


def test_what_nobody_waits_for_is_refused_and_not_recorded() -> None:
    ran = begun(TASK, "decision_handed_over")
    refused = after(TASK, ran, {"kind": "message", "name": "reporter_withdraws"})
    assert refused.refused == "流程当前没有等待“reporter_withdraws”。"
    assert refused.record == ran.record and keys(refused) == keys(ran)


def test_a_record_that_no_longer_goes_is_cut_where_it_stops() -> None:
    record = carried_out().record
    gone = dry_run(TASK, Record(record.start, {}, [{"complete": "nobody"}, *record.steps]), None, no_limit)
    assert gone.refused == "待办“nobody”不存在或已办结。"
    assert gone.record.steps == [] and keys(gone) == ["carry_out_decision#1"]


def test_what_is_open_at_the_end_is_expected_too() -> None:
    _, text = scenario_file(DISPOSAL, begun(DISPOSAL, "case_reported", place_unit="b").record, "待受理", no_limit)
    assert read_scenario(text).steps[-1]["expect"]["open"] == ["accept_case"]


def test_a_package_with_errors_is_not_played() -> None:
    broken = TASK.files["process.bpmn"].replace(b'targetRef="check_decision"', b'targetRef="nowhere"')
    with pytest.raises(Refused, match="改正后才能演练"):
        tried({**TASK.whole, "process.bpmn": broken})


@pytest.mark.parametrize("name", ["", " ", "长" * 61])
def test_a_scenario_has_a_name(name: str) -> None:
    with pytest.raises(Refused, match="请填写场景的名称"):
        scenario_file(TASK, carried_out().record, name, no_limit)


def test_a_record_is_bounded() -> None:
    for record in (
        Record({"at": "x"}),
        Record({}, {}, [7]),
        Record({}, {"a": 1}),
        Record({}, {}, [{"wait": "P1D", "note": "长" * 20_001}]),
    ):
        with pytest.raises(Unreadable):
            dry_run(TASK, record, None, no_limit)
    with pytest.raises(Refused, match=f"最多录 {MAX_STEPS} 步"):
        dry_run(TASK, Record({}, {}, [{"wait": "P1D"}] * (MAX_STEPS + 1)), None, no_limit)


EVERY_MINUTE = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d"><process id="p" name="p" isExecutable="true">
<startEvent id="a" name="a" /><sequenceFlow id="f" sourceRef="a" targetRef="u" /><userTask id="u" name="u" />
<sequenceFlow id="g" sourceRef="u" targetRef="z" /><endEvent id="z" name="z" />
<boundaryEvent id="m" name="m" attachedToRef="u" cancelActivity="false"><timerEventDefinition id="t"><timeCycle>R/PT1M</timeCycle>
</timerEventDefinition></boundaryEvent><sequenceFlow id="h" sourceRef="m" targetRef="y" /><endEvent id="y" name="y" /></process></definitions>"""


def test_many_waits_fire_no_more_than_one() -> None:
    package = frozen_package({"process.bpmn": EVERY_MINUTE})
    ran = dry_run(package, Record({}, {}, [{"wait": "P6D"}] * MAX_STEPS), None, no_limit)
    assert ran.refused == "场景中流程自动运行的步数合计超过上限 50000 步。" and len(ran.record.steps) == 1


@pytest.mark.parametrize("act", [{}, {"kind": "end"}, {"kind": 7}])
def test_what_is_no_act_is_refused(act: Mapping[str, Any]) -> None:
    with pytest.raises(Refused):
        dry_run(TASK, Record(), {"key": "", **act}, no_limit)


def test_something_stands_for_the_files_that_nobody_can_bring() -> None:
    package = seal(second={**ATTACHMENTS, "title": "附页", "minItems": 2, "x-ui": {"widget": "attachments", "required": "true"}})
    asked = {"reason": "合同用印", "from_date": "2026-03-09", "to_date": "2026-03-13"}
    starter = {"starter": "{person: 1, post: grid_worker, unit: 1}", "place_unit": "1"}
    ran = after(package, begun(package, "request_made", **asked, **starter), complete("approve_request#1", decision="agree"))
    assert ran.refused == "" and ran.stand.finished
    step = ran.record.steps[-1]
    assert step["data"] == {"decision": "agree", "signed": f"{'0' * 64}/signature.png"}
    back = after(package, begun(package, "request_made", **asked, **starter), complete("approve_request#1", decision="return"))
    again = after(package, back, complete(back.stand.open[0].key, **asked))
    assert again.refused == ""
    data = again.record.steps[-1]["data"]
    assert data["papers"] == [f"{'0' * 64}/file-1.pdf"] and len(data["second"]) == 2 and "shots" not in data
    assert all(played == () for _name, played in results(saved(package, ran), no_limit).values())


def saved(package: Package, ran: DryRun) -> Package:
    """The package with what was recorded among its scenarios."""
    path, text = scenario_file(package, ran.record, "盖章", no_limit)
    return frozen_package({**package.files, path: text.encode()})
