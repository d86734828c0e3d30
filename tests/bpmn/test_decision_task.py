"""The process that carries out a decision of a meeting."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from bpmn import shipped
from engine.packages import read_package
from engine.scenario_files import Scenario
from engine.scenarios import play
from engine.validator import check_package
from governance.meetings.decisions import CARRY_OUT, CHECK, PROCESS
from governance.people.rules import POSTS
from governance.workflow.assignment import RULES

FOLDER = shipped()[PROCESS]
PACKAGE = read_package(FOLDER)
NODES = PACKAGE.diagram.nodes


def test_it_is_publishable_without_a_remark() -> None:
    assert check_package(PACKAGE) == ()


def test_its_tasks_are_those_the_meetings_know() -> None:
    tasks = {node.id: node.settings for node in NODES.values() if node.kind == "userTask"}
    assert tasks.keys() == {CARRY_OUT, CHECK}
    assert all(set(said["assign"]["post"].split(",")) <= POSTS.keys() and said["assign"]["unit"] in RULES for said in tasks.values())
    assert tasks[CHECK]["assign"]["exclude"] == tasks[CARRY_OUT]["actor"]["as"], "nobody checks what they did themselves"


@pytest.mark.parametrize("scenario", PACKAGE.scenarios, ids=lambda s: s.name)
def test_the_scenario_plays(scenario: Scenario) -> None:
    assert play(PACKAGE.program, scenario).failures == ()
    for step in (s for s in scenario.steps if "complete" in s):
        form = PACKAGE.forms[NODES[step["complete"]].settings["form"]["key"]]
        Draft202012Validator(dict(form)).validate(step["data"])


def test_the_scenarios_take_every_flow() -> None:
    taken = {step.element for scenario in PACKAGE.scenarios for step in play(PACKAGE.program, scenario).events if step.kind == "taken"}
    assert taken == PACKAGE.diagram.flows.keys()
