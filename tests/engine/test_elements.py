"""Every element that runs, each with a scenario of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.diagram import read_diagram
from engine.packages import DIAGRAM, frozen_package
from engine.program import Program
from engine.scenario_files import read_scenario
from engine.scenarios import play
from engine.validator import check, check_package, publishable
from tests.diagrams import Drawing, event, started, timer

SIGNAL = '<signal id="sig" name="sig"/>'
MESSAGE = '<message id="msg" name="msg"/>'
ERROR = '<error id="err" errorCode="err"/>'
ESCALATION = '<escalation id="esc" escalationCode="esc"/>'
CASES: dict[str, tuple[Callable[[], Drawing], str]] = {}


def scenario(text: str) -> Callable[[Callable[[], Drawing]], Callable[[], Drawing]]:
    def register(draw: Callable[[], Drawing]) -> Callable[[], Drawing]:
        CASES[draw.__name__] = (draw, text)
        return draw

    return register


@scenario("steps: [{expect: {open: [u]}}, {complete: u}, {expect: {finished: true, ended_at: [e]}}]")
def user_task() -> Drawing:
    return started("u", "e").users("u").ends("e")


@scenario("steps: [{complete: u}, {expect: {finished: true}}]")
def manual_task() -> Drawing:
    return started("u", "e").node("manualTask", "u").ends("e")


@scenario("start: {data: {n: 2}}\nsteps: [{expect: {finished: true, data: {n: 2, m: 3, k: 6}}}]")
def script_task() -> Drawing:
    return started("x", "e").node("scriptTask", "x", "<script>m = n + 1\nk = m * n</script>").ends("e")


@scenario("steps: [{expect: {waiting: [x]}}, {message: {name: msg, data: {a: 1}}}, {expect: {finished: true, data: {a: 1}}}]")
def receive_task() -> Drawing:
    return started("x", "e").node("receiveTask", "x", messageRef="msg").ends("e").beside(MESSAGE)


@scenario("steps: [{expect: {waiting: [x]}}, {service: {name: x, data: {ok: true}}}, {expect: {finished: true, data: {ok: true}}}]")
def service_task() -> Drawing:
    inner = '<extensionElements><wz:service name="register"/></extensionElements>'
    return started("x", "e").node("serviceTask", "x", inner).ends("e")


@scenario("steps: [{expect: {finished: true}}]")
def send_task() -> Drawing:
    return started("x", "e").node("sendTask", "x", messageRef="msg").ends("e").beside(MESSAGE)


@scenario("start: {data: {n: 5}}\nsteps: [{expect: {open: [b]}}, {complete: b}, {expect: {ended_at: [eb]}}]")
def exclusive_gateway() -> Drawing:
    d = started("g").node("exclusiveGateway", "g", default="f_g_b").users("a", "b").ends("ea", "eb")
    return d.flow("g", "a", "n < 5").flow("g", "b").flow("a", "ea").flow("b", "eb")


@scenario("steps: [{complete: a}, {expect: {open: [b]}}, {complete: b}, {expect: {open: [v]}}, {complete: v}, {expect: {finished: true}}]")
def parallel_gateway() -> Drawing:
    d = started("g").node("parallelGateway", "g").node("parallelGateway", "j").users("a", "b", "v").ends("e")
    return d.chain("g", "a", "j", "v", "e").chain("g", "b", "j")


@scenario(
    "start: {data: {n: 2}}\nsteps: [{expect: {open: [a, b]}}, {complete: a}, {expect: {open: [b]}}, {complete: b}, "
    "{expect: {open: [v]}}, {complete: v}, {expect: {finished: true}}]"
)
def inclusive_gateway() -> Drawing:
    d = started("g").node("inclusiveGateway", "g", default="f_g_c").node("inclusiveGateway", "j").users("a", "b", "c", "v").ends("e")
    d.flow("g", "a", "n > 0").flow("g", "b", "n > 1").flow("g", "c")
    return d.chain("a", "j", "v", "e").flow("b", "j").flow("c", "j")


@scenario(
    "steps: [{complete: u, data: {again: true}}, {expect: {open: ['u#2']}}, {complete: u, data: {again: false}}, {expect: {finished: true}}]"
)
def loop_back_without_gateway() -> Drawing:
    d = started("u", "g").users("u").node("exclusiveGateway", "g", default="f_g_e").ends("e")
    return d.flow("g", "u", "again").flow("g", "e")


@scenario("steps: [{expect: {waiting: [long, short]}}, {wait: P1D}, {expect: {finished: true, ended_at: [es]}}]")
def event_gateway_with_two_timers() -> Drawing:
    d = started("g").node("eventBasedGateway", "g")
    d.node("intermediateCatchEvent", "long", timer("duration", "P10D"))
    d.node("intermediateCatchEvent", "short", timer("duration", "P1D")).ends("el", "es")
    return d.chain("g", "long", "el").chain("g", "short", "es")


@scenario("steps: [{signal: {name: sig}}, {expect: {finished: true, waiting: [], ended_at: [es]}}]")
def event_gateway_with_signal() -> Drawing:
    d = started("g").node("eventBasedGateway", "g").beside(SIGNAL)
    d.node("intermediateCatchEvent", "long", timer("duration", "P10D"))
    d.node("intermediateCatchEvent", "short", event("signal", "sig")).ends("el", "es")
    return d.chain("g", "long", "el").chain("g", "short", "es")


@scenario("steps: [{wait: PT2H}, {expect: {open: [late], waiting: []}}, {complete: late}, {expect: {finished: true}}]")
def interrupting_timer() -> Drawing:
    d = started("u", "e").users("u", "late").ends("e", "e2")
    d.node("boundaryEvent", "b", timer("duration", "PT2H"), attachedToRef="u")
    return d.chain("b", "late", "e2")


@scenario("steps: [{wait: PT5H}, {expect: {open: [u, late, late, late], waiting: []}}, {complete: u}, {expect: {finished: false}}]")
def repeating_timer() -> Drawing:
    d = started("u", "e").users("u", "late").ends("e", "e2")
    d.node("boundaryEvent", "b", timer("cycle", "R3/PT1H"), attachedToRef="u", cancelActivity="false")
    return d.chain("b", "late", "e2")


@scenario(
    "start: {data: {due: '2026-03-05T09:00+08:00'}}\nsteps: [{wait: P2D}, {expect: {finished: false}}, {wait: P1D}, {expect: {finished: true}}]"
)
def computed_timer() -> Drawing:
    return started("t", "e").node("intermediateCatchEvent", "t", timer("date", "=due")).ends("e")


@scenario("steps: [{expect: {open: [after]}}, {complete: after}, {expect: {finished: true}}]")
def link_events() -> Drawing:
    d = started("lt").node("intermediateThrowEvent", "lt", '<linkEventDefinition name="A"/>')
    d.node("intermediateCatchEvent", "lc", '<linkEventDefinition name="A"/>').users("after").ends("e")
    return d.chain("lc", "after", "e")


@scenario("steps: [{expect: {open: [u]}}, {complete: u, data: {flag: true}}, {expect: {finished: true}}]")
def conditional_catch_sees_other_branches() -> Drawing:
    inner = "<conditionalEventDefinition><condition>flag</condition></conditionalEventDefinition>"
    d = started("g").node("parallelGateway", "g").users("u").ends("e", "e2")
    return d.chain("g", "u", "e").node("intermediateCatchEvent", "c", inner).chain("g", "c", "e2")


@scenario("steps: [{complete: i}, {expect: {finished: true, ended_at: [e2]}}]")
def error_boundary() -> Drawing:
    body = started("i", "te").users("i").node("endEvent", "te", event("error", "err"))
    d = started("sp", "e").node("subProcess", "sp", body=_inner(body)).ends("e", "e2").beside(ERROR)
    return d.node("boundaryEvent", "b", event("error", "err"), attachedToRef="sp").flow("b", "e2")


@scenario("steps: [{complete: i}, {expect: {open: [after, copy]}}]")
def escalation_beside_the_flow() -> Drawing:
    body = started("i", "t", "after", "ie").users("i", "after").ends("ie")
    body.node("intermediateThrowEvent", "t", event("escalation", "esc"))
    d = started("sp", "e").node("subProcess", "sp", body=_inner(body)).users("copy").ends("e", "e2").beside(ESCALATION)
    d.node("boundaryEvent", "b", event("escalation", "esc"), attachedToRef="sp", cancelActivity="false")
    return d.chain("b", "copy", "e2")


@scenario(
    "steps: [{signal: {name: sig}}, {expect: {open: [u, watch]}}, {complete: u}, {expect: {finished: false}}, {complete: watch}, {expect: {finished: true}}]"
)
def event_subprocess_beside_the_flow() -> Drawing:
    return _event_subprocess(interrupting=False)


@scenario("steps: [{signal: {name: sig}}, {expect: {open: [watch], waiting: []}}, {complete: watch}, {expect: {finished: true}}]")
def event_subprocess_across_the_flow() -> Drawing:
    return _event_subprocess(interrupting=True)


def _event_subprocess(*, interrupting: bool) -> Drawing:
    body = Drawing().node("startEvent", "ws", event("signal", "sig"), isInterrupting=str(interrupting).lower())
    body.users("watch").ends("we").chain("ws", "watch", "we")
    return started("u", "e").users("u").ends("e").node("subProcess", "esp", body=body, triggeredByEvent="true").beside(SIGNAL)


@scenario("steps: [{complete: i}, {expect: {open: [v], data: {x: 1}}}, {complete: v}, {expect: {finished: true}}]")
def call_activity() -> Drawing:
    called = Drawing().node("startEvent", "cs").users("i").node("scriptTask", "ci", "<script>x = 1</script>").ends("ce")
    called.chain("cs", "i", "ci", "ce")
    return started("c", "v", "e").node("callActivity", "c", calledElement="sub").users("v").ends("e").beside(called.as_process("sub"))


@scenario(
    "start: {data: {depts: [a, b]}}\nsteps: [{expect: {open: ['h#1', 'h#2']}}, {complete: 'h#2', data: {r: 2}}, {complete: 'h#1', data: {r: 1}}, "
    "{expect: {finished: true, data: {rs: [1, 2]}}}]"
)
def parallel_multi_instance() -> Drawing:
    inner = (
        "<multiInstanceLoopCharacteristics><loopDataInputRef>depts</loopDataInputRef><loopDataOutputRef>rs</loopDataOutputRef>"
        '<inputDataItem id="dept"/><outputDataItem id="r"/></multiInstanceLoopCharacteristics>'
    )
    return started("h", "e").node("userTask", "h", inner).ends("e")


@scenario("steps: [{expect: {open: ['h#1']}}, {complete: h}, {expect: {open: ['h#2']}}, {complete: h}, {expect: {finished: true}}]")
def sequential_multi_instance_with_completion_condition() -> Drawing:
    inner = (
        '<multiInstanceLoopCharacteristics isSequential="true"><loopCardinality>5</loopCardinality>'
        "<completionCondition>numberOfCompletedInstances &gt;= 2</completionCondition></multiInstanceLoopCharacteristics>"
    )
    return started("h", "e").node("userTask", "h", inner).ends("e")


@scenario("steps: [{complete: h}, {complete: h}, {expect: {finished: true}}]")
def standard_loop() -> Drawing:
    return started("h", "e").node("userTask", "h", '<standardLoopCharacteristics loopMaximum="2"/>').ends("e")


@scenario("steps: [{complete: a}, {expect: {finished: true, ended_at: [t]}}]")
def terminate_end() -> Drawing:
    d = started("g").node("parallelGateway", "g").users("a", "b").node("endEvent", "t", event("terminate")).ends("e")
    return d.chain("g", "a", "t").chain("g", "b", "e")


@scenario("steps: [{complete: i}, {expect: {open: [undo]}}]")
def transaction_cancelled() -> Drawing:
    body = started("i", "ce").users("i").node("endEvent", "ce", event("cancel"))
    d = started("tr", "e").node("transaction", "tr", body=_inner(body)).users("undo").ends("e", "e2")
    return d.node("boundaryEvent", "b", event("cancel"), attachedToRef="tr").chain("b", "undo", "e2")


@scenario(
    "steps: [{complete: u}, {expect: {finished: false, open: [u], incidents: [{element: g, rule: missing_variable}]}}, {incident: {data: {n: 1}}}, {expect: {finished: true, incidents: []}}]"
)
def missing_variable_is_an_incident() -> Drawing:
    d = started("u", "g").users("u").node("exclusiveGateway", "g", default="f_g_e2").ends("e", "e2")
    return d.flow("g", "e", "n > 0").flow("g", "e2")


@scenario(
    "steps: [{complete: u}, {complete: v}, {rewind: {to: 'u#1', reason: 填错}}, {expect: {open: ['u#2']}}, {complete: u}, {expect: {open: [v]}}]"
)
def rewind() -> Drawing:
    return started("u", "v", "w", "e").users("u", "v", "w").ends("e")


@scenario("facts: {holder: [{unit: g1}, {unit: g2}]}\nsteps: [{expect: {data: {unit: g1}}}, {complete: u}, {expect: {data: {unit: g2}}}]")
def lookup_outside() -> Drawing:
    return started("x", "u", "y", "v").rule("x", lookup="holder").users("u", "v").rule("y", lookup="holder").flow("v", "e").ends("e")


@scenario(
    "steps: [{complete: u, by: {person: p1, unit: g1}}, {expect: {data: {settler: {person: p1, unit: g1}}}}, {expect: {finished: true}}]"
)
def records_its_actor() -> Drawing:
    return started("u", "e").node("userTask", "u", '<extensionElements><wz:actor as="settler"/></extensionElements>').ends("e")


@scenario("""
steps:
- complete: u
- wait: PT30M
- complete: v
- wait: PT10H
- rewind: {to: v}
- wait: PT1H
- expect: {open: ["v#2"]}
- wait: PT1H
- expect: {open: [w]}
""")
def a_rewound_limit_has_as_long_left_as_it_had() -> Drawing:
    drawing = started("u", "v", "w", "e").users("u", "v", "w").ends("e")
    return drawing.node("boundaryEvent", "b", timer("duration", "PT2H"), attachedToRef="v").flow("b", "w")


def _inner(body: Drawing) -> Drawing:
    """Gives a nested drawing's start event an id of its own."""
    body.parts = [
        part.replace('id="s"', 'id="is"').replace('sourceRef="s"', 'sourceRef="is"').replace("f_s_", "f_is_") for part in body.parts
    ]
    return body


@pytest.mark.parametrize("name", CASES)
def test_element_runs(name: str) -> None:
    draw, text = CASES[name]
    diagram = read_diagram(draw().xml())
    assert publishable(check(diagram, bare=True)), check(diagram, bare=True)
    played = play(Program(diagram), read_scenario(f"name: {name}\n{text}"))
    assert played.passed, played.failures


def test_a_decision_table_writes_what_it_finds() -> None:
    package = frozen_package({DIAGRAM: started("x", "e").rule("x", decision="limits").ends("e").xml(), "tables/limits.dmn": LIMITS})
    played = play(package.program, read_scenario("start: {data: {priority: P1}}\nsteps: [{expect: {finished: true, data: {days: 7}}}]"))
    assert played.passed, played.failures
    assert publishable(check_package(package))


def test_a_table_the_package_lacks_is_named() -> None:
    package = frozen_package({DIAGRAM: started("x", "e").rule("x", decision="limits").ends("e").xml()})
    assert [(p.rule, p.element) for p in check_package(package)] == [("table_unknown", "x")]


LIMITS = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:t">
<decision id="limits" name="limits"><decisionTable id="t" hitPolicy="FIRST">
<input id="i"><inputExpression id="ie"><text>priority</text></inputExpression></input><output id="o" name="days"/>
<rule id="r1"><inputEntry id="c1"><text>"P1","P2"</text></inputEntry><outputEntry id="c2"><text>7</text></outputEntry></rule>
<rule id="r2"><inputEntry id="c3"><text>-</text></inputEntry><outputEntry id="c4"><text>15</text></outputEntry></rule>
</decisionTable></decision></definitions>"""
