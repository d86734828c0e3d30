"""The shipped issue-disposal process keeps what its regulation promises, in every life it can have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bpmn import shipped
from engine.diagram import Flow, Node
from engine.errors import NothingWaits
from engine.expressions import compile_expression
from engine.packages import read_package
from engine.scenario_files import Scenario
from engine.scenarios import play
from engine.validator import check_package
from governance.calendar.rules import Unit as LimitUnit
from governance.people.rules import POSTS
from governance.workflow.assignment import RULES
from governance.workflow.world import LOOKUPS
from tests.bpmn.plays import Form, Life, buttons, outcome

FOLDER = shipped()["issue_disposal"]
PACKAGE = read_package(FOLDER)
DIAGRAM = PACKAGE.diagram
CODES = json.loads((Path(__file__).parents[2] / "governance/cases/codes.json").read_text("utf-8"))
TASKS = [n for n in DIAGRAM.nodes.values() if n.kind == "userTask"]
OUTCOMES = {key: form for key, form in PACKAGE.forms.items() if key != "report_case"}
WITHDRAWN = "居民撤回"


# ---- the package ---------------------------------------------------------------------------------------------------


def test_it_is_publishable_without_a_remark() -> None:
    assert check_package(PACKAGE) == ()


def test_each_part_is_named_in_chinese() -> None:
    unnamed = [n.id for n in DIAGRAM.nodes.values() if not n.name and "Gateway" not in n.kind and n.id != "disposal_started"]
    assert unnamed == []
    assert [f.id for f in _choices() if not f.name] == []
    assert [n.id for n in DIAGRAM.nodes.values() if n.kind == "exclusiveGateway" and _splits(n) and not n.name.endswith("？")] == []
    assert (FOLDER / "README.md").stat().st_size > 1000


def _splits(node: Node) -> bool:
    return len(DIAGRAM.outgoing[node.id]) > 1


def _choices() -> Iterator[Flow]:
    """The flows somebody has to choose between."""
    return (f for f in DIAGRAM.flows.values() if DIAGRAM.nodes[f.source].kind == "exclusiveGateway" and _splits(DIAGRAM.nodes[f.source]))


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_each_task_says_who_does_it_with_what_and_how_long(task: Node) -> None:
    said = task.settings
    assert said["form"]["key"] in PACKAGE.forms
    assert said["assign"]["unit"] in {*RULES, "reporter"}
    assert set(said["assign"]["post"].split(",")) <= {*POSTS, "reporter"}
    assert set(filter(None, said["assign"].get("exclude", "").split(","))) <= {"settler", "checker", "caller"}
    assert said.get("status", {}).get("value", "处置中") in CODES["case_status"]
    limit = said.get("deadline", {})
    for text in (t for t in limit.values() if t.startswith("=")):
        compile_expression(text[1:])
    assert "unit" not in limit or limit["unit"].startswith("=") or limit["unit"] in set(LimitUnit)


def test_lookups_are_answered_and_end_states_exist() -> None:
    assert {n.lookup for n in DIAGRAM.nodes.values() if n.lookup} <= LOOKUPS.keys()
    ends = {n.settings["status"]["value"] for n in DIAGRAM.nodes.values() if n.kind == "endEvent" and "status" in n.settings}
    assert ends == {"已结案", "已撤回", "不予受理"}


def test_handler_checker_and_caller_are_three_people() -> None:
    excluded = {t.id: set(t.settings["assign"].get("exclude", "").split(",")) for t in TASKS}
    actors = {t.id: t.settings["actor"]["as"] for t in TASKS if "actor" in t.settings}
    assert set(actors.values()) == {"first_receiver", "settler", "dispatcher", "checker", "caller"}
    assert all({"settler", "caller"} <= excluded[task] for task, actor in actors.items() if actor == "checker")
    assert all({"settler", "checker"} <= excluded[task] for task, actor in actors.items() if actor == "caller")
    judging = ("approve_extension", "approve_shelving", "review_shelved", "sign_explanation", "evaluate_for_reporter")
    assert all("settler" in excluded[task] for task in judging)


def test_the_clock_stops_only_where_the_rules_stop_it() -> None:
    paused = {t.id for t in TASKS if t.settings.get("clock", {}).get("paused") == "true"}
    assert paused == {"supplement_report", "approve_extension", "watch_shelved", "review_shelved", "await_resolution"}


def test_the_limits_are_those_of_the_code_list() -> None:
    def first(table: str, **data: Any) -> Any:
        return PACKAGE.tables[table].decide(data, Life(PACKAGE, lambda _: None).now)

    assert [first("accept_limits", priority=p)["accept_amount"] for p in ("P1", "P2", "P3", "P4")] == [0.25, 1, 4, 4]
    assert [first("tier_limits", priority="P3", tier=t)["step_amount"] for t in range(1, 7)] == [1, 2, 2, 3, 5, 7]
    assert first("limits", priority="P4")["limit_amount"] == 15
    urgent = {c["code"]: flag for c in CODES["categories"] for flag in c["flags"] if flag in ("P1", "P2")}
    assert {c: first("grading", category=c, public_safety=False)["priority"] for c in urgent} == urgent
    assert {first("refusal_codes", refuse_reason=r)["close_code"] for r in CODES["refuse_reasons"]} <= set(CODES["close_codes"])


# ---- the forms -----------------------------------------------------------------------------------------------------


def test_every_form_is_used_by_some_step() -> None:
    used = {n.settings["form"]["key"] for n in DIAGRAM.nodes.values() if "form" in n.settings}
    assert used == set(PACKAGE.forms)


@pytest.mark.parametrize("key", PACKAGE.forms)
def test_each_form_is_a_lawful_schema(key: str) -> None:
    form = PACKAGE.forms[key]
    Draft202012Validator.check_schema(dict(form))
    for name, field in form["properties"].items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name) and field["title"] and field["x-ui"]["widget"], name
        assert field["type"] != "string" or "oneOf" in field or "maxLength" in field, name
        assert field["type"] != "array" or "maxItems" in field, name
        for condition in ("visible", "required"):
            if condition in field["x-ui"]:
                assert compile_expression(field["x-ui"][condition]).names <= {*form["properties"], "anonymous"}, name
    if form.get("x-ui", {}).get("opinion"):
        compile_expression(form["x-ui"]["opinion"])


@pytest.mark.parametrize("key", OUTCOMES)
def test_each_button_leads_somewhere_of_its_own(key: str) -> None:
    """A condition reads every button but at most one, which the default flow is for."""
    form = OUTCOMES[key]
    assert sum(f["x-ui"]["widget"] == "outcome" for f in form["properties"].values()) == 1
    texts = [f.condition or "" for f in DIAGRAM.flows.values()] + [n.loop.condition or "" for n in DIAGRAM.nodes.values() if n.loop]
    named = {b for b in buttons(form) for t in texts if re.search(rf'(["\']){b}\1', t) and _reads(key, t)}
    assert len(set(buttons(form)) - named) <= 1
    assert named


def _reads(key: str, condition: str) -> bool:
    """Whether the condition reads the form's outcome: itself, noted as the request, or gathered from several units."""
    gathered = {"respond_whistle": "whistle_results", "co_handle_case": "co_results"}
    return outcome(OUTCOMES[key]) in condition or "special_kind" in condition or gathered.get(key, "-") in condition


def test_personal_data_is_marked() -> None:
    marked = {name for form in PACKAGE.forms.values() for name, field in form["properties"].items() if field["x-ui"].get("personal")}
    assert marked == {"contact_name", "contact_mobile", "parties"}


# ---- the scenarios -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", PACKAGE.scenarios, ids=lambda s: s.name)
def test_the_scenario_plays(scenario: Scenario) -> None:
    assert play(PACKAGE.program, scenario).failures == ()


@pytest.mark.parametrize("scenario", PACKAGE.scenarios, ids=lambda s: s.name)
def test_the_scenario_fills_in_its_forms_as_they_ask(scenario: Scenario) -> None:
    for step in (s for s in scenario.steps if "complete" in s):
        form = PACKAGE.forms[DIAGRAM.nodes[step["complete"].partition("#")[0]].settings["form"]["key"]]
        Draft202012Validator(dict(form)).validate(step["data"])
        assert set(step["data"]) <= set(form["properties"]), step
        seen = {**dict.fromkeys(form["properties"]), "anonymous": scenario.start["data"].get("anonymous", False), **step["data"]}
        assert _shown(form, seen) == {}, step


def _shown(form: Form, seen: dict[str, Any]) -> dict[str, str]:
    """What is filled in though hidden, or left out though required."""
    wrong: dict[str, str] = {}
    for name, field in form["properties"].items():
        ui = field["x-ui"]
        visible = _is(ui.get("visible"), seen, True)
        if not visible and seen[name] is not None and name != "anonymous":
            wrong[name] = "hidden"
        if visible and _is(ui.get("required"), seen, False) and seen[name] is None:
            wrong[name] = "missing"
    return wrong


def _is(expression: str | None, data: dict[str, Any], absent: bool) -> bool:
    return absent if expression is None else bool(compile_expression(expression).evaluate(data, Life(PACKAGE, lambda _: None).now))


def untaken(scenarios: tuple[Scenario, ...]) -> set[str]:
    """The flows that no scenario takes."""
    taken = {step.element for s in scenarios for step in play(PACKAGE.program, s).events if step.kind == "taken"}
    return set(DIAGRAM.flows) - taken


def test_the_scenarios_take_every_flow() -> None:
    assert len(PACKAGE.scenarios) >= 20
    assert len({s.name for s in PACKAGE.scenarios}) == len(PACKAGE.scenarios)
    assert untaken(PACKAGE.scenarios) == set()


def test_a_missing_scenario_would_be_noticed() -> None:
    fewer = tuple(s for s in PACKAGE.scenarios if "撤销" not in s.name)
    assert "notice_outcome_to_note_revoked" in untaken(fewer)


# ---- every life ----------------------------------------------------------------------------------------------------

FORWARD = {
    "accept_case": "refuse",
    "grade_case": "handle",
    "supplement_report": "supplied",
    "mediate_case": "agreed",
    "handle_at_tier": "settled",
    "assist_case": "done",
    "assess_at_street": "self",
    "respond_whistle": "present",
    "handle_at_street": "settled",
    "rework_case": "settled",
    "dispatch_case": "dispatch",
    "acknowledge_case": "acknowledge",
    "review_return": "refuse",
    "decide_return": "designate",
    "contact_reporter": "reached",
    "co_handle_case": "done",
    "undertake_case": "settled",
    "approve_extension": "refuse",
    "approve_shelving": "refuse",
    "watch_shelved": "resume",
    "review_shelved": "resume",
    "await_resolution": "resolved",
    "check_case": "pass",
    "reply_to_reporter": "replied",
    "evaluate_case": "decline",
    "evaluate_for_reporter": "solved",
    "call_back": "objective",
    "sign_explanation": "agree",
    "close_case": "close",
    "issue_notice": "revoke",
    "plan_rectification": "submit",
    "rectify": "done",
    "check_rectification": "pass",
    "propose_accountability": "refer",
    "issue_supervision": "dismiss",
    "reply_supervision": "report",
    "confirm_supervision": "confirm",
}
"""What each form's user presses who wants the case over."""
MESSAGES: dict[str, list[dict[str, Any]]] = {
    "reporter_withdraws": [{}],
    "supervise": [{"instruction": "限期办结", "supervision_days": 2}, {"instruction": ""}],
    "deadline_passed": [
        {"deadline_stage": stage, "deadline_task": task}
        for stage in ("due_soon", "overdue", "red")
        for task in ("handle_at_tier#1", "reply_supervision_at_tier#1")
    ],
    "reported_again": [{}],
    "resolution_reached": [{"resolution_text": "已有决议"}],
    "deliberation_declined": [{}],
}
BEGINNINGS: list[tuple[str | None, dict[str, Any]]] = [
    (None, {"category": "0301", "place_unit": "unit-b", "channel": "居民自报(网页/小程序)"}),
    (None, {"place_unit": "unit-b", "anonymous": True}),
    (None, {"category": "0305", "place_unit": "unit-b", "self_found": True, "channel": "网格员巡查"}),
    (None, {"category": "0402", "place_unit": "unit-b", "public_safety": True}),
    ("resolution_assigned", {"category": "0108", "place_unit": "unit-b", "channel": "议事决议转办"}),
    ("circular_issued", {"lead_unit": "unit-2", "place_unit": "unit-district"}),
]


def test_forward_knows_every_form() -> None:
    assert FORWARD.keys() == OUTCOMES.keys()
    assert all(FORWARD[key] in buttons(form) for key, form in OUTCOMES.items())


@pytest.mark.parametrize("beginning", BEGINNINGS, ids=str)
@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_may_come_at_the_first_moment(beginning: tuple[str | None, dict[str, Any]], name: str) -> None:
    for told in MESSAGES[name]:
        life = Life(PACKAGE, lambda _: {})
        life.start(beginning[1], beginning[0])
        if name in life.awaited():
            life.message(name, told)
        keeps(life)


def lived(data: st.DataObject, most: int = 45) -> Life:
    """A life of at most `most` random steps, brought to its end by people who want it over."""
    life = Life(PACKAGE, data.draw)
    event, known = data.draw(st.sampled_from(BEGINNINGS))
    life.start(known, event)
    for _ in range(data.draw(st.integers(0, most))):
        if life.machine.finished:
            break
        step(life, data)
        keeps(life)
    for _ in range(120):
        if life.machine.finished:
            return life
        tasks = life.machine.open()
        life.complete(tasks[0], FORWARD[DIAGRAM.nodes[tasks[0].element].settings["form"]["key"]]) if tasks else life.fire()
        keeps(life)
    raise AssertionError(f"does not end: {life.machine.open()}")


def step(life: Life, data: st.DataObject) -> None:
    """Somebody finishes a task, a timer is due, or a message arrives, whether or not anybody waits for it."""
    tasks = life.machine.open()
    what = data.draw(st.sampled_from(["task"] * 6 * bool(tasks) + ["timer"] * life.timers() + ["message"]))
    if what == "task":
        life.complete(data.draw(st.sampled_from(tasks)))
    elif what == "timer":
        life.fire()
    else:
        name = data.draw(st.sampled_from(sorted(MESSAGES)))
        if name in life.awaited():
            life.message(name, data.draw(st.sampled_from(MESSAGES[name])))
        else:
            before = life.machine.snapshot()
            with pytest.raises(NothingWaits):
                life.machine.message(name, {}, life.now)
            assert life.machine.snapshot() == before


def keeps(life: Life) -> None:
    """What holds at every moment of rest."""
    machine, data = life.machine, life.machine.data
    elements = {task.element for task in machine.open()}
    assert machine.finished or elements or life.timers() or "resolution_reached" in life.awaited()
    assert data["reopen_n"] <= 2 and data["extension_n"] <= 1 and data["sent_back_n"] <= 1
    assert sum(after < before for before, after in pairwise(life.tiers)) <= data["sent_back_n"]
    if data["tier"] == 6 and elements & {"acknowledge_case", "contact_reporter", "undertake_case"}:
        assert isinstance(data["lead_unit"], str) and data["lead_unit"]
    if not data["evaluated"]:
        assert data.get("resolved") is None and data.get("satisfaction") is None
    if elements & {"check_by_upper_tier", "check_by_dispatcher"}:
        assert data["settler"], "whoever checks must know whom to leave out"
    if elements & {"check_by_upper_tier", "check_by_dispatcher", "reply_to_reporter", "evaluate_case", "call_back", "close_case"}:
        assert "reporter_withdraws" not in life.awaited()
    if "call_back" in elements:
        assert data["settler"] and data["evaluated"]


def ended(life: Life) -> None:
    """What holds when all is over."""
    data = life.machine.data
    assert data["close_code"] in CODES["close_codes"]
    assert data["close_summary"] and data["reply_text"]
    assert ("withdrawn" in life.machine.ended_at) == (data["close_code"] == WITHDRAWN) or "closed" in life.machine.ended_at
    if "closed" in life.machine.ended_at and data.get("evaluated_by") == "community":
        assert data["satisfaction"] is None


SLOWLY = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@SLOWLY
@given(st.data())
def test_every_life_keeps_the_promises(data: st.DataObject) -> None:
    ended(lived(data))


def test_withdrawing_is_possible_until_the_check() -> None:
    """撤回 is refused once 核查 was reached: the listener goes with the disposal, or says no."""
    scope = next(n for n in DIAGRAM.nodes.values() if n.kind == "boundaryEvent" and n.event.kind == "error")
    assert (scope.attached_to, scope.event.name) == ("disposal", "withdrawn")
    listener = DIAGRAM.nodes["withdrawal_asked"]
    assert (listener.scope, listener.interrupting, DIAGRAM.nodes["withdrawal"].scope) == ("withdrawal", False, "disposal")
