"""What a rehearsal costs: a thousand recorded cases of the shipped process on an edited package, beside plain replay of the same logs."""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path
from typing import Any

from bpmn import shipped
from engine.outcomes import Ending, Tally
from engine.packages import DIAGRAM, Package, frozen_package, read_package
from engine.plans import Plan
from engine.rehearsal import rehearse
from engine.replay import replay
from governance.calendar.notices import planning_calendar
from governance.workflow.rules import planned_due
from tests.bench.measure import cpu
from tests.bpmn.recorded import recorded

CASES = 1_000


def edited(package: Package) -> Package:
    """受理登记 has another id, and a step that is new follows it."""
    flow = '<bpmn:sequenceFlow id="accept_case_to_accept_outcome" sourceRef="accept_case" targetRef="accept_outcome" />'
    more = (
        '<bpmn:sequenceFlow id="accept_case_to_accept_outcome" sourceRef="accept_case" targetRef="second_look" />'
        '<bpmn:userTask id="second_look" name="复核登记"><bpmn:extensionElements><wz:assign post="grid_lead" unit="place" />'
        "</bpmn:extensionElements></bpmn:userTask>"
        '<bpmn:sequenceFlow id="second_look_to_accept_outcome" sourceRef="second_look" targetRef="accept_outcome" />'
    )
    xml = package.files[DIAGRAM].decode().replace(flow, more).replace('"accept_case"', '"register_case"')
    xml = xml.replace('<wz:form key="register_case"', '<wz:form key="accept_case"')
    return frozen_package({**package.files, DIAGRAM: xml.encode()})


def rehearsal(_kind: str, _folder: Path) -> dict[str, Any]:
    """No database takes part."""
    package = read_package(shipped()["issue_disposal"])
    draft, deadlines = edited(package), planned_due(planning_calendar(range(2020, 2031)))
    logs = list(islice(cycle(recorded(package, deadlines)), CASES))
    plan, tally = Plan({"accept_case": "register_case"}, passed=frozenset(["second_look"])), Tally()

    def rehearse_all() -> None:
        for log in logs:
            tally.add(rehearse(lambda _: package.program, 1, draft.program, log, plan, deadlines))

    def replay_all() -> None:
        for log in logs:
            replay(lambda _: package.program, 1, log)

    replayed, rehearsed = cpu(replay_all), cpu(rehearse_all)
    return {
        "cases": len(logs),
        "commands": sum(map(len, logs)),
        "ending_the_same": tally.endings[Ending.SAME] + tally.endings[Ending.REROUTED],
        "cpu_seconds": round(rehearsed / 1000, 2),
        "replay_cpu_seconds": round(replayed / 1000, 2),
        "ratio_to_replay": round(rehearsed / replayed, 2),
    }
