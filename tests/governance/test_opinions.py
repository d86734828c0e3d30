"""会签 in a process: several give their opinions side by side, and the way goes by the rules of votes."""

from __future__ import annotations

from typing import Any

import pytest

from engine.diagram import read_diagram
from engine.errors import StepFailed
from engine.machine import Machine
from engine.program import Program
from engine.validator import check
from governance.context import Context
from governance.workflow.world import District
from tests.diagrams import Drawing, started

EACH = (
    '<extensionElements><wz:assign post="department_lead" unit="co_unit"/></extensionElements>'
    "<multiInstanceLoopCharacteristics><loopDataInputRef>departments</loopDataInputRef><loopDataOutputRef>opinions</loopDataOutputRef>"
    '<inputDataItem id="department"/><outputDataItem id="opinion"/></multiInstanceLoopCharacteristics>'
)


def countersigning() -> Drawing:
    drawn = started("countersign", "count", "decided").node("userTask", "countersign", EACH).rule("count", lookup="count_opinions")
    drawn.node("exclusiveGateway", "decided", default="no").flow("decided", "agreed", 'opinions_result == "passed"')
    return drawn.flow("decided", "rejected", id="no").ends("agreed", "rejected")


def ended(context: Context, rule: str, *opinions: str) -> tuple[list[str], dict[str, Any]]:
    world = District(context)
    program, now = Program(read_diagram(countersigning().xml())), context.now()
    machine = Machine(program, now, lambda _key, name, data: world.lookup(name, data, now))
    machine.start({"departments": ["甲", "乙", "丙"], "voters_n": 3, "vote_rule": rule}, now)
    for number, opinion in enumerate(opinions, 1):
        machine.complete(f"countersign#{number}", {"opinion": opinion}, now)
    ends = {step.element for step in machine.steps} & {"agreed", "rejected"}
    return sorted(ends), dict(machine.data)


def test_the_drawing_is_sound() -> None:
    assert check(read_diagram(countersigning().xml())) == ()


@pytest.mark.parametrize(
    ("rule", "opinions", "end", "result"),
    [
        ("COUNTERSIGN", ("yes", "yes", "yes"), "agreed", "passed"),
        ("COUNTERSIGN", ("yes", "yes", "abstain"), "rejected", "failed"),
        ("COUNTERSIGN_MAJORITY", ("yes", "no", "yes"), "agreed", "passed"),
        ("COUNTERSIGN_MAJORITY", ("yes", "abstain", "no"), "rejected", "failed"),
        ("TWO_COMMITTEES", ("yes", "yes", "maybe"), "agreed", "passed"),
    ],
)
def test_the_way_goes_by_the_count(context: Context, rule: str, opinions: tuple[str, ...], end: str, result: str) -> None:
    where, data = ended(context, rule, *opinions)
    assert (where, data["opinions_result"]) == ([end], result)
    assert f"同意 {opinions.count('yes')} 人" in data["opinions_summary"]


def test_without_the_rule_the_process_stops_at_the_gateway(context: Context) -> None:
    with pytest.raises(StepFailed) as failed:
        ended(context, "NOBODY", "yes", "yes", "yes")
    assert failed.value.element == "decided"


def test_opinions_may_be_objects_and_silence_is_no_yes(context: Context) -> None:
    world, asked = District(context), {"vote_rule": "COUNTERSIGN_MAJORITY", "voters_n": 4}
    said = world.lookup("count_opinions", asked | {"opinions": [{"opinion": "yes", "why": "好"}, "yes", {}]}, context.now())
    assert said["opinions_result"] == "failed"
    assert world.lookup("count_opinions", asked, context.now()) == {}
