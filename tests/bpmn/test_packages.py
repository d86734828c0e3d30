"""What every shipped package keeps: it can be published, says who acts by when with which form, and plays its scenarios."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bpmn import beginning, shipped
from engine.diagram import Flow, Node
from engine.expressions import compile_expression
from engine.packages import Package, frozen_package, read_package
from engine.scenario_files import Scenario
from engine.scenarios import play
from engine.validator import check_package
from governance.calendar.rules import Unit as LimitUnit
from governance.forms.rules import fields, read_form
from governance.people.rules import POSTS
from governance.workflow.assignment import RULES, STARTER_SELF
from tests.bpmn.plays import Form, buttons, holds, outcome, untaken

TEMPLATE = frozen_package(beginning("request", "process_request", "申请"))
PACKAGES = {key: read_package(folder) for key, folder in shipped().items()} | {"request": TEMPLATE}
TASKS = {
    f"{key}/{node.id}": (package, node)
    for key, package in PACKAGES.items()
    for node in package.diagram.nodes.values()
    if node.kind == "userTask"
}
FORMS = {f"{key}/{name}": (package, name) for key, package in PACKAGES.items() for name in package.forms}
OUTCOMES = {id: found for id, found in FORMS.items() if found[1] not in ("report_case", "request")}
SCENARIOS = {f"{key}/{scenario.name}": (package, scenario) for key, package in PACKAGES.items() for scenario in package.scenarios}
BESIDE = {"anonymous", "matter_tier"}
"""What the conditions of a form may read that is known from the start."""
BEGAN = {"submitter", "editors", "starter"}
"""Who began an instance is in its data from the start."""
GATHERED = {"respond_whistle": "whistle_results", "co_handle_case": "co_results", "carry_out_task": "task_results"}
"""Where the outcomes of a form that several units fill in at once are put together."""

each_package = pytest.mark.parametrize("package", PACKAGES.values(), ids=PACKAGES)


# ---- the diagram ---------------------------------------------------------------------------------------------------


@each_package
def test_it_is_publishable_without_a_remark(package: Package) -> None:
    assert check_package(package) == ()


@pytest.mark.parametrize("key", PACKAGES)
def test_each_part_is_named_in_chinese(key: str) -> None:
    package = PACKAGES[key]
    nodes = package.diagram.nodes.values()
    unnamed = [n.id for n in nodes if not n.name and "Gateway" not in n.kind and n.id != "disposal_started"]
    assert unnamed == []
    assert [f.id for f in _choices(package) if not f.name] == []
    splits = [n for n in nodes if n.kind == "exclusiveGateway" and _splits(package, n)]
    assert [n.id for n in splits if not n.name.endswith("？")] == []


@pytest.mark.parametrize("folder", shipped().values(), ids=shipped())
def test_it_says_what_it_is_for(folder: Path) -> None:
    assert (folder / "README.md").stat().st_size > 1000


def _splits(package: Package, node: Node) -> bool:
    return len(package.diagram.outgoing[node.id]) > 1


def _choices(package: Package) -> Iterator[Flow]:
    """The flows somebody has to choose between."""
    for flow in package.diagram.flows.values():
        source = package.diagram.nodes[flow.source]
        if source.kind == "exclusiveGateway" and _splits(package, source):
            yield flow


@pytest.mark.parametrize(("package", "task"), TASKS.values(), ids=TASKS)
def test_each_task_says_who_does_it_with_what_and_how_long(package: Package, task: Node) -> None:
    said = task.settings
    assert said["form"]["key"] in package.forms
    assert said["assign"]["unit"] in {*RULES, "reporter"}
    assert set(filter(None, said["assign"].get("post", "").split(","))) <= {*POSTS, "reporter"}
    assert "post" in said["assign"] or said["assign"]["unit"] == STARTER_SELF
    noted = BEGAN | {node.settings["actor"]["as"] for node in package.diagram.nodes.values() if "actor" in node.settings}
    assert set(filter(None, said["assign"].get("exclude", "").split(","))) <= noted
    limit = said.get("deadline", {})
    for text in (t for t in limit.values() if t.startswith("=")):
        compile_expression(text[1:])
    assert "unit" not in limit or limit["unit"].startswith("=") or limit["unit"] in set(LimitUnit)


# ---- the forms -----------------------------------------------------------------------------------------------------


@each_package
def test_every_form_is_used_by_some_step(package: Package) -> None:
    used = {n.settings["form"]["key"] for n in package.diagram.nodes.values() if "form" in n.settings}
    assert used == set(package.forms)


@pytest.mark.parametrize(("package", "key"), FORMS.values(), ids=FORMS)
def test_what_a_process_counts_on_cannot_be_emptied(package: Package, key: str) -> None:
    """A text that begins with what it was is asked for wherever it is shown: scripts and conditions read it."""
    form = package.forms[key]
    blank, _ = read_form(form, {field.name: [""] for field in fields(form)})
    emptied = [field for field in fields(form) if blank.get(field.name, "") is None]
    assert [f.name for f in emptied if not f.is_required and not (f.required and f.required == f.visible)] == []


@pytest.mark.parametrize(("package", "key"), FORMS.values(), ids=FORMS)
def test_each_form_is_a_lawful_schema(package: Package, key: str) -> None:
    form = package.forms[key]
    Draft202012Validator.check_schema(dict(form))
    assert set(form.get("required", ())) <= set(form["properties"])
    for name, field in form["properties"].items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name) and field["title"] and field["x-ui"]["widget"], name
        assert field["type"] != "string" or "oneOf" in field or "maxLength" in field, name
        assert field["type"] != "array" or "maxItems" in field, name
        for condition in ("visible", "required"):
            if condition in field["x-ui"]:
                assert compile_expression(field["x-ui"][condition]).names <= {*form["properties"], *BESIDE}, name
    if form.get("x-ui", {}).get("opinion"):
        compile_expression(form["x-ui"]["opinion"])


@pytest.mark.parametrize(("package", "key"), OUTCOMES.values(), ids=OUTCOMES)
def test_each_button_leads_somewhere_of_its_own(package: Package, key: str) -> None:
    """Of several buttons, the diagram reads every one but at most one, which the default flow is for."""
    form = package.forms[key]
    assert sum(f["x-ui"]["widget"] == "outcome" for f in form["properties"].values()) == 1
    texts = [text for text in _read(package) if outcome(form) in text or "special_kind" in text or GATHERED.get(key, "-") in text]
    named = {b for b in buttons(form) for t in texts if re.search(rf'(["\']){b}\1', t)}
    assert len(set(buttons(form)) - named) <= 1
    assert named or len(buttons(form)) == 1


def _read(package: Package) -> Iterator[str]:
    """The conditions and scripts of a diagram, and the conditions under which a button is there."""
    yield from (f.condition for f in package.diagram.flows.values() if f.condition)
    for node in package.diagram.nodes.values():
        yield from filter(None, (node.script, node.loop.condition if node.loop else None))
    for form in package.forms.values():
        for choice in (c for field in form["properties"].values() for c in field.get("oneOf", ())):
            yield choice.get("x-ui", {}).get("visible", "")


# ---- the scenarios -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("package", "scenario"), SCENARIOS.values(), ids=SCENARIOS)
def test_the_scenario_plays(package: Package, scenario: Scenario) -> None:
    assert play(package.program, scenario).failures == ()


@pytest.mark.parametrize(("package", "scenario"), SCENARIOS.values(), ids=SCENARIOS)
def test_the_scenario_fills_in_its_forms_as_they_ask(package: Package, scenario: Scenario) -> None:
    for step in (s for s in scenario.steps if "complete" in s):
        form = package.forms[package.diagram.nodes[step["complete"].partition("#")[0]].settings["form"]["key"]]
        Draft202012Validator(dict(form)).validate(step["data"])
        assert set(step["data"]) <= set(form["properties"]), step
        known = {name: scenario.start["data"].get(name, False) for name in BESIDE}
        seen = {**dict.fromkeys(form["properties"]), **known, **step["data"]}
        assert _shown(form, seen) == {}, step


def _shown(form: Form, seen: dict[str, Any]) -> dict[str, str]:
    """What is filled in though hidden, or left out though required."""
    wrong: dict[str, str] = {}
    for name, field in form["properties"].items():
        ui = field["x-ui"]
        visible = holds(ui.get("visible"), seen, absent=True)
        if not visible and seen[name] is not None and name not in BESIDE:
            wrong[name] = "hidden"
        if visible and holds(ui.get("required"), seen, absent=False) and seen[name] is None:
            wrong[name] = "missing"
    return wrong


@each_package
def test_the_scenarios_take_every_flow(package: Package) -> None:
    assert len({s.name for s in package.scenarios}) == len(package.scenarios)
    assert untaken(package, package.scenarios) == set()


def test_a_missing_scenario_would_be_noticed() -> None:
    package = PACKAGES["issue_disposal"]
    fewer = tuple(s for s in package.scenarios if "撤销" not in s.name)
    assert "notice_outcome_to_note_revoked" in untaken(package, fewer)


def test_a_form_filled_in_wrongly_would_be_noticed() -> None:
    form = PACKAGES["issue_disposal"].forms["check_case"]
    seen = dict.fromkeys(form["properties"])
    assert _shown(form, {**seen, "check_result": "rework"}) == {"rework_reason": "missing"}
    assert _shown(form, {**seen, "check_result": "pass", "rework_reason": "未清理"}) == {"rework_reason": "hidden"}
