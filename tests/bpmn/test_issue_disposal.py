"""The shipped issue-disposal process keeps what its regulation promises, in every life it can have."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpmn import shipped
from engine.errors import NothingWaits
from engine.packages import read_package
from governance.workflow.world import LOOKUPS
from tests.bpmn.plays import NINE, Life, buttons

FOLDER = shipped()["issue_disposal"]
PACKAGE = read_package(FOLDER)
DIAGRAM = PACKAGE.diagram
CODES = json.loads((Path(__file__).parents[2] / "governance/cases/codes.json").read_text("utf-8"))
TASKS = [n for n in DIAGRAM.nodes.values() if n.kind == "userTask"]
OUTCOMES = {key: form for key, form in PACKAGE.forms.items() if key != "report_case"}
WITHDRAWN = "居民撤回"


# ---- the package ---------------------------------------------------------------------------------------------------


def test_each_status_is_one_of_the_code_list() -> None:
    given = {task.settings["status"]["value"] for task in TASKS if "status" in task.settings}
    assert given <= set(CODES["case_status"])


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
        return PACKAGE.tables[table].decide(data, NINE)

    assert [first("accept_limits", priority=p)["accept_amount"] for p in ("P1", "P2", "P3", "P4")] == [0.25, 1, 4, 4]
    assert [first("tier_limits", priority="P3", tier=t)["step_amount"] for t in range(1, 7)] == [1, 2, 2, 3, 5, 7]
    assert first("limits", priority="P4")["limit_amount"] == 15
    urgent = {c["code"]: flag for c in CODES["categories"] for flag in c["flags"] if flag in ("P1", "P2")}
    assert {c: first("grading", category=c, public_safety=False)["priority"] for c in urgent} == urgent
    assert {first("refusal_codes", refuse_reason=r)["close_code"] for r in CODES["refuse_reasons"]} <= set(CODES["close_codes"])


def test_personal_data_is_marked() -> None:
    marked = {name for form in PACKAGE.forms.values() for name, field in form["properties"].items() if field["x-ui"].get("personal")}
    assert marked == {"contact_name", "contact_mobile", "parties"}


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
        life = Life(PACKAGE, lambda _: {}, organisation)
        life.start(beginning[1], beginning[0])
        if name in life.awaited():
            life.message(name, told)
        keeps(life)


def lived(data: st.DataObject, most: int = 45) -> Life:
    """A life of at most `most` random steps, brought to its end by people who want it over."""
    life = Life(PACKAGE, data.draw, organisation)
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


def organisation(life: Life, name: str, data: dict[str, Any]) -> dict[str, Any]:
    """An organisation with posts vacant anywhere."""
    if name in ("first_tier", "next_tier"):
        above = range(data["tier"] + 1 if name == "next_tier" else 1, 7)
        return life.draw(st.sampled_from([{}, *({"tier": t, "tier_unit": f"unit-tier-{t}"} for t in above)]))  # type: ignore[no-any-return]
    if name == "lower_tier":
        below = range(1, data["tier"])
        return life.draw(st.sampled_from([{}, *({"tier": t, "tier_unit": f"unit-tier-{t}"} for t in below)]))  # type: ignore[no-any-return]
    answers: dict[str, dict[str, Any]] = {
        "street": {"tier": 5, "tier_unit": "unit-tier-5"},
        "suggest_department": {"suggested_unit": "unit-2"},
        "draw_sample": {"sampled": True},
        "liaison_leader": {"liaison_unit": "unit-district"},
    }
    return life.draw(st.sampled_from([{}, answers[name]]))  # type: ignore[no-any-return]


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
