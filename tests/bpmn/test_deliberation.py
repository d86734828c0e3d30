"""The shipped deliberation process keeps what its regulation promises, at every tier and in every life it can have."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpmn import shipped
from engine.machine import Machine
from engine.packages import read_package
from engine.scenarios import play
from governance.organisation.models import Kind
from governance.people.rules import POSTS
from governance.workflow.assignment import CLIMBING, RULES
from tests.bpmn.plays import NINE, Life, buttons, holds

PACKAGE = read_package(shipped()["deliberation"])
DIAGRAM = PACKAGE.diagram
TASKS = [n for n in DIAGRAM.nodes.values() if n.kind == "userTask"]
TIERS = {
    "estate": {Kind.ESTATE, Kind.COMMUNITY, Kind.SUBDISTRICT, Kind.DISTRICT},
    "community": {Kind.COMMUNITY, Kind.SUBDISTRICT, Kind.DISTRICT},
    "quarter": {Kind.SUBDISTRICT, Kind.DISTRICT},
    "city": {Kind.DISTRICT},
}
"""On whose way up the posts of a tier are looked for."""
STAGES = ["suggestion", "proposal", "consultation", "review", "resolution", "publicity", "delivery", "evaluation", "closed"]
DECLINED = {"merged", "turned_into_case", "mediated", "rejected", "not_adopted", "withdrawn"}


# ---- the package ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("task", [t for t in TASKS if t.settings["assign"]["unit"] == "matter"], ids=lambda task: task.id)
def test_at_each_tier_a_post_is_found_on_the_way_up(tier: str, task: Any) -> None:
    kinds = {POSTS[post].unit for post in task.settings["assign"]["post"].split(",")}
    assert kinds & TIERS[tier]


def test_the_search_begins_at_the_unit_of_the_matter_and_climbs() -> None:
    assert {t.settings["assign"]["unit"] for t in TASKS} == {"matter", "own_task"} <= RULES.keys()
    assert "matter" in CLIMBING and "own_task" not in CLIMBING


def test_whoever_judges_is_not_whoever_did_it() -> None:
    left_out = {t.id: t.settings["assign"]["exclude"] for t in TASKS if "exclude" in t.settings["assign"]}
    assert left_out == {
        "give_legal_opinion": "proposer",
        "confirm_result": "vote_caller",
        "answer_objection": "poster",
        "confirm_delivery": "planner",
        "supervise_rectification": "rectifier",
    }


def test_what_the_domain_answers_and_checks() -> None:
    assert {n.lookup for n in DIAGRAM.nodes.values() if n.lookup} == {
        "turn_into_case",
        "open_vote",
        "close_vote",
        "open_notice",
        "close_notice",
        "start_implementation",
        "count_evaluations",
    }
    checks = {t.id: t.settings["check"]["name"] for t in TASKS if "check" in t.settings}
    assert checks == {
        "examine_topic": "topic_decision",
        "call_review_vote": "vote_terms",
        "call_resolution_vote": "vote_terms",
        "post_notice": "notice_terms",
        "plan_implementation": "implementation_plan",
        "publish_result": "notice_terms",
    }


def test_each_step_has_its_limit_and_its_status() -> None:
    assert all({"deadline", "status", "form", "actions"} <= t.settings.keys() for t in TASKS)
    limits = {t.id: (t.settings["deadline"]["amount"], t.settings["deadline"]["unit"]) for t in TASKS}
    assert limits["examine_topic"] == ("5", "work_days")
    assert limits["answer_objection"] == ("3", "calendar_days")
    ends = {n.settings["status"]["value"] for n in DIAGRAM.nodes.values() if n.kind == "endEvent" and "status" in n.settings}
    assert ends == {"已撤回", "未列入议题", "未形成决议", "已归档"}


def test_with_enough_support_only_three_reasons_refuse_a_topic() -> None:
    reasons = PACKAGE.forms["examine_topic"]["properties"]["reject_reason"]["oneOf"]

    def offered(is_compulsory: bool) -> list[str]:
        data = {"is_compulsory": is_compulsory}
        return [r["const"] for r in reasons if holds(r.get("x-ui", {}).get("visible"), data, absent=True)]

    assert offered(True) == ["违法违规", "属私人纠纷", "超出自治范围"]
    assert offered(False) == [*offered(True), "重复议题", "其他"]


def test_the_announced_result_is_the_one_that_was_counted() -> None:
    choices = PACKAGE.forms["confirm_result"]["properties"]["decision"]["oneOf"]

    def offered(result: str) -> list[str]:
        return [c["const"] for c in choices if holds(c["x-ui"]["visible"], {"vote_result": result}, absent=True)]

    assert offered("passed") == ["adopted"]
    assert offered("failed") == ["consult", "drop"]
    assert offered("no_quorum") == ["again", "consult", "drop"]


def test_there_is_a_scenario_of_each_tier_that_is_archived() -> None:
    archived = {s.start["data"]["matter_tier"] for s in PACKAGE.scenarios if play(PACKAGE.program, s).data["outcome"] == "archived"}
    assert archived == TIERS.keys()


# ---- every life ----------------------------------------------------------------------------------------------------

FORWARD = {
    "examine_topic": "accept",
    "mediate_matter": "settled",
    "draft_proposal": "submit",
    "give_legal_opinion": "lawful",
    "hold_consultation": "agreed",
    "call_vote": "call",
    "confirm_result": "drop",
    "draft_resolution": "submit",
    "record_decision": "adopted",
    "post_notice": "posted",
    "answer_objection": "dismissed",
    "plan_implementation": "done",
    "carry_out_task": "done",
    "confirm_delivery": "confirmed",
    "publish_result": "published",
    "rectify_delivery": "done",
    "supervise_rectification": "explain",
    "archive_matter": "archive",
}
"""What each form's user presses who wants the matter over."""
MESSAGES: dict[str, dict[str, Any]] = {
    "suggester_withdraws": {},
    "support_reached": {"supports_n": 60},
    "objection_raised": {"objection_n": 7},
    "implementation_delivered": {},
}


def test_forward_knows_every_form() -> None:
    assert FORWARD.keys() == PACKAGE.forms.keys()
    assert all(FORWARD[key] in buttons(form) for key, form in PACKAGE.forms.items())


def domain(life: Life, name: str, data: dict[str, Any]) -> dict[str, Any]:
    """Votes, notices and evaluations with any result."""
    soon = (life.now + timedelta(days=7)).isoformat()
    tasks = [{"title": t["title"], "unit": t["unit"], "due": t["due"]} for t in data.get("implementation_tasks", []) if t["how"] == "own"]
    answers: dict[str, list[dict[str, Any]]] = {
        "turn_into_case": [{"case_number": "1"}],
        "open_vote": [{"vote_id": "v", "vote_closes_at": soon}],
        "close_vote": [{"vote_result": r, "vote_summary": "", "vote_digest": ""} for r in ("passed", "passed", "failed", "no_quorum")],
        "open_notice": [{"notice_id": "n", "notice_ends_at": soon}],
        "close_notice": [{}],
        "start_implementation": [{"case_tasks_n": len(data.get("implementation_tasks", [])) - len(tasks), "own_tasks": tasks}],
        "count_evaluations": [{"evaluations_n": 4, "satisfied_n": n, "dissatisfied_n": 4 - n} for n in range(5)],
    }
    return life.draw(st.sampled_from(answers[name]))  # type: ignore[no-any-return]


def lived(data: st.DataObject, most: int = 40) -> Life:
    """A life of at most `most` random steps, brought to its end by people who want it over."""
    life = Life(PACKAGE, data.draw, domain)
    tier = data.draw(st.sampled_from(sorted(TIERS)))
    life.start({"matter_id": "1", "matter_number": "YS1", "matter_tier": tier, "matter_unit": "unit-1"})
    for _ in range(data.draw(st.integers(0, most))):
        if life.machine.finished:
            break
        step(life, data)
        keeps(life)
    for _ in range(80):
        if life.machine.finished:
            return life
        onward(life)
        keeps(life)
    raise AssertionError(f"does not end: {life.machine.open()}")


def step(life: Life, data: st.DataObject) -> None:
    """Somebody finishes a task, a timer is due, or a message arrives that is awaited."""
    tasks, awaited = life.machine.open(), [name for name in MESSAGES if name in life.awaited()]
    what = data.draw(st.sampled_from(["task"] * 8 * bool(tasks) + ["timer"] * life.timers() * 4 + ["message"] * bool(awaited)))
    if what == "task":
        life.complete(data.draw(st.sampled_from(tasks)))
    elif what == "timer":
        life.fire()
    else:
        name = data.draw(st.sampled_from(awaited))
        life.message(name, MESSAGES[name])


def onward(life: Life) -> None:
    tasks = life.machine.open()
    if tasks:
        life.complete(tasks[0], FORWARD[DIAGRAM.nodes[tasks[0].element].settings["form"]["key"]])
    elif life.timers():
        life.fire()
    else:
        life.message("implementation_delivered", {})


def keeps(life: Life) -> None:
    """What holds at every moment of rest."""
    data, awaited = life.machine.data, life.awaited()
    elements = {task.element for task in life.machine.open()}
    stage = STAGES.index(data["stage"])
    assert life.machine.finished or elements or life.timers() or "implementation_delivered" in awaited
    assert ("suggester_withdraws" in awaited) == (data["stage"] == "suggestion")
    assert "objection_raised" not in awaited or data["stage"] == "publicity"
    if 2 <= stage < 8 and (data["budget"] > 0 or data["matter_kind"] == "owners_special"):
        assert data["legal_result"] == "lawful"
    if 3 <= stage < 8:
        assert data["consultation_n"] >= 1
    if 4 <= stage < 8:
        assert data["review_rule"]
    if 5 <= stage < 8:
        assert data["decision"] == "adopted" and data["resolution_text"]
        assert data["vote_result"] == "passed" or data["call_result"] == "by_document"
    if 6 <= stage < 8:
        assert data["publicity_result"] == "effective" and "resolution_reached" in life.told
    if data["stage"] == "evaluation":
        assert (data["implementation_tasks"] and data["rectify_n"] <= 2) or "supervisor" in data


def ended(life: Life) -> None:
    """What holds when all is over: nobody who suggested something is left without an answer."""
    data = life.machine.data
    assert data["stage"] == "closed"
    if data["outcome"] == "archived":
        assert life.machine.ended_at[-1] == "archived" and data["result_text"]
        assert "deliberation_declined" not in life.told
    else:
        assert data["outcome"] in DECLINED and data["reply_text"]
        assert life.told[-1] == "deliberation_declined"


SLOWLY = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@SLOWLY
@given(st.data())
def test_every_life_keeps_the_promises(data: st.DataObject) -> None:
    ended(lived(data))


def test_objections_that_are_open_together_keep_their_numbers() -> None:
    machine = on_the_notice_board()
    for number in (1, 2):
        machine.message("objection_raised", {"objection_n": number}, NINE)
    for task in reversed(machine.open()):
        machine.complete(task.key, {"objection_answer": "已说明", "objection_result": "dismissed"}, NINE)
    assert [a["objection_n"] for a in machine.data["objection_answers"]] == [2, 1]


def test_the_notice_period_lasts_until_every_objection_is_answered() -> None:
    machine = on_the_notice_board()
    machine.message("objection_raised", {"objection_n": 1}, NINE)
    machine.fire(next(w.key for w in machine.waiting() if w.due_at), NINE + timedelta(days=8))
    (task,) = machine.open()
    assert task.element == "answer_objection"
    machine.complete(task.key, {"objection_answer": "属实", "objection_result": "upheld", "objection_consequence": "revote"}, NINE)
    assert [t.element for t in machine.open()] == ["record_decision"]


def on_the_notice_board() -> Machine:
    """A matter whose resolution is on the notice board."""
    answers: dict[str, dict[str, Any]] = {
        "open_vote": {"vote_id": "v", "vote_closes_at": NINE.isoformat()},
        "close_vote": {"vote_result": "passed"},
        "close_notice": {},
        "open_notice": {"notice_id": "n", "notice_ends_at": (NINE + timedelta(days=8)).isoformat()},
    }
    machine = Machine(PACKAGE.program, NINE, lambda _key, name, _data: answers[name])
    machine.start({"matter_id": "1", "matter_tier": "city", "matter_unit": "u"}, NINE)
    agreed: list[tuple[str, dict[str, Any]]] = [
        ("examine_topic", {"topic_title": "停车", "topic_result": "accept"}),
        ("draft_proposal", {"plan": "方案", "budget": 0, "funding": "无", "proposal_result": "submit"}),
        ("hold_consultation", {"plan": "方案", "consultation_result": "agreed"}),
        ("call_review_vote", {"call_result": "call"}),
    ]
    for task, filled in agreed:
        machine.complete(task, filled, NINE)
    machine.fire(next(w.key for w in machine.waiting() if w.due_at), NINE)
    announced: list[tuple[str, dict[str, Any]]] = [
        ("confirm_result", {"decision": "adopted"}),
        ("record_decision", {"decision": "adopted", "resolution_text": "同意"}),
        ("post_notice", {"notice_days": 7}),
    ]
    for task, filled in announced:
        machine.complete(task, filled, NINE)
    return machine
