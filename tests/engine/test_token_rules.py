"""Who takes a token where the BPMN 2.0.2 text is easy to misread."""

from __future__ import annotations

import pytest

from engine.activities import MAX_DEPTH
from engine.diagram import Diagram, read_diagram
from engine.errors import NothingWaits, StepFailed
from engine.machine import Machine
from engine.program import Program
from engine.scenario_files import read_scenario
from engine.scenarios import EPOCH, play
from engine.tree import scopes_of
from engine.validator import check
from tests.diagrams import Drawing, event, started

BESIDE = (
    '<message id="msg" name="msg"/><signal id="sig" name="sig"/><error id="err" errorCode="err"/>'
    '<escalation id="esc" escalationCode="esc"/>'
)


def read(drawing: Drawing) -> Diagram:
    return read_diagram((drawing if BESIDE in drawing.outside else drawing.beside(BESIDE)).xml())


def plays(drawing: Drawing, text: str) -> None:
    """The diagram may be published and the scenario passes."""
    diagram = read(drawing)
    assert [p for p in check(diagram, bare=True) if p.severity == "error"] == []
    assert play(Program(diagram), read_scenario(f"name: x\n{text}")).failures == ()


def refused(drawing: Drawing) -> set[tuple[str, str]]:
    return {(p.rule, p.element) for p in check(read(drawing), bare=True) if p.severity == "error"}


def body(start: str, *path: str, **attrs: str) -> Drawing:
    """The inside of a subprocess, with a start event of its own."""
    return Drawing().node("startEvent", f"{path[0]}_s", start, **attrs).chain(f"{path[0]}_s", *path)


def thrown(kind: str, ref: str) -> Drawing:
    """Throws, and would go on to `a`; an event subprocess beside it opens `w`."""
    d = started("t", "a", "e").node("intermediateThrowEvent", "t", event(kind, ref)).users("a").ends("e")
    return d.node("subProcess", "h", body=body(event(kind, ref), "w", "we").users("w").ends("we"), triggeredByEvent="true")


@pytest.mark.parametrize("kind, ref", [("signal", "sig"), ("escalation", "esc")])
def test_an_interrupting_event_subprocess_stops_the_token_that_threw(kind: str, ref: str) -> None:
    plays(thrown(kind, ref), "steps: [{expect: {open: [w]}}, {complete: w}, {expect: {finished: true, ended_at: [we]}}]")


def test_the_innermost_handler_wins_though_it_names_no_error() -> None:
    inner = body("", "i", "te").users("i").node("endEvent", "te", event("error", "err"))
    inner.node("subProcess", "h", body=body(event("error"), "in", "he").users("in").ends("he"), triggeredByEvent="true")
    d = started("sp", "e").node("subProcess", "sp", body=inner).ends("e", "e2").users("out")
    d.node("boundaryEvent", "b", event("error", "err"), attachedToRef="sp").chain("b", "out", "e2")
    plays(d, "steps: [{complete: i}, {expect: {open: [in]}}]")


def test_a_link_counts_as_a_flow_for_an_inclusive_join() -> None:
    d = started("g").node("inclusiveGateway", "g", default="f_g_a").node("inclusiveGateway", "j").users("a", "b", "z").ends("e")
    d.node("intermediateThrowEvent", "lt", '<linkEventDefinition name="A"/>')
    d.node("intermediateCatchEvent", "lc", '<linkEventDefinition name="A"/>')
    d.flow("g", "a").flow("g", "b", "n > 0").flow("g", "c", "n > 0").users("c").chain("c", "j")
    d.chain("a", "j").chain("b", "lt").chain("lc", "j", "z", "e")
    plays(d, "start: {data: {n: 1}}\nsteps: [{complete: c}, {expect: {open: [b]}}, {complete: b}, {expect: {open: [z]}}]")


def test_an_event_subprocess_does_not_take_what_it_throws_itself() -> None:
    inner = body(event("escalation", "esc"), "t2", "w", "we", isInterrupting="false").users("w").ends("we")
    inner.node("intermediateThrowEvent", "t2", event("escalation", "esc"))
    d = started("t", "a", "e").node("intermediateThrowEvent", "t", event("escalation", "esc")).users("a").ends("e")
    plays(d.node("subProcess", "h", body=inner, triggeredByEvent="true"), "steps: [{expect: {open: [a, w]}}]")


# ---- cancel, errors and calls that nobody takes --------------------------------------------------------------------


def transaction() -> Drawing:
    inner = body("", "i", "ce").users("i").node("endEvent", "ce", event("cancel"))
    return started("tr", "e").node("transaction", "tr", body=inner).ends("e")


def test_cancel_needs_somebody_to_take_it() -> None:
    assert refused(transaction()) == {("cancel_uncaught", "ce")}
    machine = Machine(Program(read_diagram(transaction().xml())), EPOCH)
    machine.start({}, EPOCH)
    with pytest.raises(StepFailed) as failed:
        machine.complete("i", {}, EPOCH)
    assert (failed.value.element, failed.value.rule) == ("ce", "cancel_uncaught")


def calling(called: str) -> Drawing:
    return started("c", "e").node("callActivity", "c", calledElement="q").ends("e").beside(called)


def test_only_a_process_with_a_plain_start_can_be_called() -> None:
    assert refused(calling('<process id="q"/>')) == {("call_without_start", "c")}
    by_message = body(event("message", "msg"), "u", "qe").users("u").ends("qe")
    assert refused(calling(by_message.as_process("q"))) == {("call_without_start", "c")}


def test_an_error_subprocess_does_not_take_its_own_error_again() -> None:
    inner = body(event("error", "err"), "w", "we").users("w").node("endEvent", "we", event("error", "err"))
    d = started("a", "te").users("a").node("endEvent", "te", event("error", "err"))
    assert refused(d.node("subProcess", "h", body=inner, triggeredByEvent="true")) == {("error_uncaught", "we")}


def test_an_error_must_be_taken_whoever_calls() -> None:
    called = body("", "u", "te").users("u").node("endEvent", "te", event("error", "err")).as_process("q")
    d = started("g").node("exclusiveGateway", "g", default="f_g_c2").ends("e").beside(called).flow("g", "c1", "x").flow("g", "c2")
    d.node("callActivity", "c1", calledElement="q").node("callActivity", "c2", calledElement="q").flow("c1", "e").flow("c2", "e")
    d.node("boundaryEvent", "b", event("error", "err"), attachedToRef="c1").flow("b", "e")
    assert refused(d) == {("error_uncaught", "te")}
    d.node("boundaryEvent", "b2", event("error"), attachedToRef="c2").flow("b2", "e")
    assert refused(d) == set()


# ---- repetition ----------------------------------------------------------------------------------------------------


def repeated(inner: str) -> Drawing:
    return started("u", "z", "e").node("userTask", "u", inner).users("z").ends("e")


def collecting(condition: str = "") -> Drawing:
    inner = (
        '<loopDataInputRef>xs</loopDataInputRef><loopDataOutputRef>rs</loopDataOutputRef><inputDataItem id="x"/><outputDataItem id="r"/>'
    )
    more = f"<completionCondition>{condition}</completionCondition>" if condition else ""
    return repeated(f"<multiInstanceLoopCharacteristics>{inner}{more}</multiInstanceLoopCharacteristics>")


def test_a_loop_condition_sees_how_often_it_has_run() -> None:
    inner = "<standardLoopCharacteristics><loopCondition>loopCounter &lt; 3</loopCondition></standardLoopCharacteristics>"
    plays(repeated(inner), "steps: [{complete: u}, {complete: u}, {complete: u}, {expect: {open: [z]}}]")


THREE = "start: {data: {xs: [a, b, c]}}\nsteps: "


def test_results_keep_their_places() -> None:
    done = "{complete: u#3, data: {r: 3}}, {complete: u#1, data: {r: 1}}, {complete: u#2, data: {r: null}}"
    plays(collecting(), f"{THREE}[{done}, {{expect: {{open: [z], data: {{rs: [1, null, 3]}}}}}}]")


@pytest.mark.parametrize("condition", ["r == 2", "len(rs) == 2", "x == 'b'", "numberOfCompletedInstances == 2"])
def test_a_completion_condition_sees_what_was_answered(condition: str) -> None:
    done = "{complete: u#3, data: {r: 1}}, {expect: {open: [u, u]}}, {complete: u#2, data: {r: 2}}"
    plays(collecting(condition), f"{THREE}[{done}, {{expect: {{open: [z], data: {{rs: [2, 1]}}}}}}]")


# ---- starting ------------------------------------------------------------------------------------------------------


def test_a_process_starts_by_any_of_its_events_and_by_no_other() -> None:
    d = Drawing().node("startEvent", "s", event("message", "msg") + event("signal", "sig")).users("a").ends("e").chain("s", "a", "e")
    program = Program(read(d))
    Machine(program, EPOCH).start({}, EPOCH, "sig")
    with pytest.raises(NothingWaits):
        Machine(program, EPOCH).start({}, EPOCH, "other")


DEEPEST = 800
"""How deep a tree of tokens never becomes."""


def depth(machine: Machine) -> int:
    return max(sum(1 for _ in scopes_of(task)) for task in machine.tree.tasks.values())


def test_a_process_that_calls_itself_stops_long_before_its_tree_is_too_deep() -> None:
    called = Drawing().node("startEvent", "cs").node("callActivity", "again", calledElement="q").ends("ce").chain("cs", "again", "ce")
    drawn = started("c", "e").node("callActivity", "c", calledElement="q").ends("e").beside(called.as_process("q"))
    machine = Machine(Program(read(drawn)), EPOCH)
    with pytest.raises(StepFailed) as failed:
        machine.start({}, EPOCH)
    assert failed.value.rule == "call_too_deep" and MAX_DEPTH < depth(machine) < DEEPEST


def test_subprocesses_in_each_other_as_deep_as_a_diagram_may_hold_them_leave_nothing_behind() -> None:
    body = Drawing().node("startEvent", "s0").users("u").ends("e0").chain("s0", "u", "e0")
    for level in range(1, 98):
        body = Drawing().node("startEvent", f"s{level}").node("subProcess", f"p{level}", body=body).ends(f"e{level}")
        body.chain(f"s{level}", f"p{level}", f"e{level}")
    drawn = started("outer", "e").node("subProcess", "outer", body=body).ends("e")
    assert [problem for problem in check(read(drawn), bare=True) if problem.severity == "error"] == []
    machine = Machine(Program(read(drawn)), EPOCH)
    machine.start({}, EPOCH)
    assert 98 < depth(machine) < DEEPEST
    machine.complete("u", {}, EPOCH)
    assert machine.finished and machine.tree.below(machine.tree.task_tree) == []
