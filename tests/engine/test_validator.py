"""What SpiffWorkflow and others would silently misread is refused with rule and element."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.diagram import read_diagram
from engine.errors import Unreadable
from engine.validator import check, publishable
from tests.diagrams import HEAD, Drawing, event, started, timer


def _compensation() -> Drawing:
    return started("x", "e").node("intermediateThrowEvent", "x", "<compensateEventDefinition/>").ends("e")


def _hanging_join() -> Drawing:
    d = started("g").node("exclusiveGateway", "g", default="f_g_b").users("a", "b").node("parallelGateway", "j").ends("e")
    return d.flow("g", "a", "x").flow("g", "b").chain("a", "j", "e").flow("b", "j")


def _timed(form: str, text: str) -> Drawing:
    return started("t", "e").node("intermediateCatchEvent", "t", timer(form, text)).ends("e")


def _calls_itself() -> Drawing:
    sub = Drawing().node("startEvent", "cs").node("callActivity", "again", calledElement="sub").ends("ce").chain("cs", "again", "ce")
    return started("c", "e").node("callActivity", "c", calledElement="sub").ends("e").beside(sub.as_process("sub"))


def _wrong_condition(source: str) -> Drawing:
    d = started("g").node("exclusiveGateway", "g", default="f_g_e2").ends("e", "e2")
    return d.flow("g", "e", source).flow("g", "e2")


def _two_starts() -> Drawing:
    return started("u", "e").node("startEvent", "s2").flow("s2", "u").users("u").ends("e")


BROKEN: dict[str, tuple[Callable[[], Drawing], str, str]] = {
    "link throw without catch": (
        lambda: started("lt").node("intermediateThrowEvent", "lt", '<linkEventDefinition name="A"/>'),
        "link_without_partner",
        "lt",
    ),
    "compensation": (_compensation, "unsupported_compensation", "x"),
    "complex gateway": (lambda: started("x", "e").node("complexGateway", "x").ends("e"), "unsupported_element", "x"),
    "orphan": (lambda: started("u", "e").users("u", "lost").ends("e"), "unreachable", "lost"),
    "dead end": (lambda: started("u").users("u"), "dead_end", "u"),
    "no start": (lambda: Drawing().users("u").ends("e").flow("u", "e"), "no_start", "p"),
    "two starts": (_two_starts, "several_starts", "s2"),
    "call itself": (_calls_itself, "call_cycle", "again"),
    "call unknown": (lambda: started("c", "e").node("callActivity", "c", calledElement="no").ends("e"), "call_unknown", "c"),
    "quoted timer": (lambda: _timed("duration", '"PT2H"'), "timer_unreadable", "t"),
    "cron": (lambda: _timed("duration", "0 9 * * 1-5"), "timer_unreadable", "t"),
    "naive date": (lambda: _timed("date", "2026-05-01T09:00:00"), "timer_unreadable", "t"),
    "timer without text": (lambda: started("t", "e").node("intermediateCatchEvent", "t", event("timer")).ends("e"), "timer_missing", "t"),
    "condition is python": (lambda: _wrong_condition("__import__('os').system('id')"), "expression_refused", "f_g_e"),
    "condition is empty": (lambda: _wrong_condition("x =="), "expression_refused", "f_g_e"),
    "xor without conditions": (
        lambda: started("g").node("exclusiveGateway", "g").ends("e", "e2").flow("g", "e").flow("g", "e2"),
        "flow_without_condition",
        "f_g_e",
    ),
    "parallel with condition": (
        lambda: started("g").node("parallelGateway", "g").ends("e", "e2").flow("g", "e", "x").flow("g", "e2"),
        "condition_ignored",
        "f_g_e",
    ),
    "join hangs": (_hanging_join, "join_may_hang", "j"),
    "endless instances": (
        lambda: (
            started("h", "e")
            .node(
                "userTask",
                "h",
                "<multiInstanceLoopCharacteristics><loopCardinality>100000</loopCardinality></multiInstanceLoopCharacteristics>",
            )
            .ends("e")
        ),
        "too_many_instances",
        "h",
    ),
    "endless loop": (lambda: started("h", "e").node("userTask", "h", "<standardLoopCharacteristics/>").ends("e"), "loop_without_end", "h"),
    "error nobody handles": (
        lambda: started("e").node("endEvent", "e", event("error", "err")).beside('<error id="err" errorCode="x"/>'),
        "error_uncaught",
        "e",
    ),
    "message without name": (lambda: started("r", "e").node("receiveTask", "r").ends("e"), "event_unnamed", "r"),
    "boundary on nothing": (
        lambda: (
            started("u", "e")
            .users("u")
            .ends("e", "e2")
            .node("boundaryEvent", "b", timer("duration", "P1D"), attachedToRef="x")
            .flow("b", "e2")
        ),
        "boundary_unattached",
        "b",
    ),
    "runs for ever": (lambda: started("u", "v", "u").users("u", "v"), "no_way_to_end", "u"),
    "duplicate": (lambda: started("u", "e").users("u", "u").ends("e"), "duplicate_id", "u"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_diagram_is_refused(name: str) -> None:
    draw, rule, element = BROKEN[name]
    problems = check(read_diagram(draw().xml()), bare=True)
    assert (rule, element) in {(p.rule, p.element) for p in problems if p.severity == "error"}, problems
    assert not publishable(problems)


def _link(kind: str, *flows: tuple[str, str]) -> Drawing:
    d = started("lt").node("intermediateThrowEvent", "lt", LINK).node("intermediateCatchEvent", "lc", LINK).ends("e").flow("lc", "e")
    for source, target in flows:
        d.flow(source, target)
    return d


def _watched(inner: str = "") -> Drawing:
    body = Drawing().node("startEvent", "hs", event("signal", "sig")).ends("he").flow("hs", "he")
    d = started("u", "e").users("u").ends("e").node("subProcess", "h", inner, body=body, triggeredByEvent="true")
    return d.beside('<signal id="sig" name="sig"/>')


def _catching(definition: str) -> Drawing:
    return started("c", "e").node("intermediateCatchEvent", "c", definition).ends("e").beside('<signal id="sig" name="sig"/>')


def _instances(inner: str) -> Drawing:
    return (
        started("h", "e").node("userTask", "h", f"<multiInstanceLoopCharacteristics>{inner}</multiInstanceLoopCharacteristics>").ends("e")
    )


def _event_gateway() -> Drawing:
    d = started("g").node("eventBasedGateway", "g", eventGatewayType="Parallel").ends("e")
    for at in ("c", "d"):
        d.node("intermediateCatchEvent", at, timer("duration", "P1D")).chain("g", at, "e")
    return d


LINK = '<linkEventDefinition name="A"/>'
TWICE = "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>"
OTHER = '<process id="q"{}><startEvent id="qs"/><endEvent id="qe"/><sequenceFlow id="qf" sourceRef="qs" targetRef="qe"/></process>'

DROPPED: dict[str, tuple[Callable[[], Drawing], str, str]] = {
    "flow out of a link": (lambda: _link("out", ("lt", "e")), "flow_at_link", "lt"),
    "flow into a link": (lambda: _link("in", ("s", "lc")), "flow_at_link", "lc"),
    "event subprocess several times": (lambda: _watched(TWICE), "event_subprocess_decorated", "h"),
    "event subprocess with boundary": (
        lambda: _watched().node("boundaryEvent", "b", timer("duration", "P1D"), attachedToRef="h").flow("b", "e"),
        "event_subprocess_decorated",
        "h",
    ),
    "empty condition": (lambda: started("u").users("u").ends("e", "e2").flow("u", "e", "").flow("u", "e2"), "expression_refused", "f_u_e"),
    "event nobody defined": (
        lambda: started("e").node("endEvent", "e", "<eventDefinitionRef>no</eventDefinitionRef>"),
        "reference_unknown",
        "e",
    ),
    "message nobody defined": (lambda: _catching(event("message", "no")), "reference_unknown", "c"),
    "signal is no message": (lambda: _catching(event("message", "sig")), "reference_unknown", "c"),
    "receives what nobody defined": (
        lambda: started("r", "e").node("receiveTask", "r", messageRef="no").ends("e"),
        "reference_unknown",
        "r",
    ),
    "all events at once": (_event_gateway, "unsupported_element", "g"),
    "loop maximum is no number": (
        lambda: (
            started("h", "e")
            .ends("e")
            .node(
                "userTask",
                "h",
                '<standardLoopCharacteristics loopMaximum="x"><loopCondition>y</loopCondition></standardLoopCharacteristics>',
            )
        ),
        "loop_unreadable",
        "h",
    ),
    "two kinds of loop": (
        lambda: started("h", "e").ends("e").node("userTask", "h", TWICE + '<standardLoopCharacteristics loopMaximum="2"/>'),
        "several_loops",
        "h",
    ),
    "second pool that may run": (lambda: _two_pools(' isExecutable="true"'), "several_processes", "p"),
    "process with a node's id": (lambda: started("p", "e").users("p").ends("e"), "duplicate_id", "p"),
    "message with a node's id": (lambda: started("u", "e").users("u").ends("e").beside('<message id="u"/>'), "duplicate_id", "u"),
    "subprocess inside itself": (
        lambda: (
            started("x", "e")
            .ends("e")
            .node("subProcess", "x", body=Drawing().node("subProcess", "x", body=Drawing().node("callActivity", "c", calledElement="p")))
        ),
        "duplicate_id",
        "x",
    ),
    "no id": (lambda: started("u", "e").users("u", "").ends("e"), "id_missing", ""),
    "a timer for ever": (lambda: _timed("duration", "P9999Y"), "timer_unreadable", "t"),
    "instances below nothing": (lambda: _instances("<loopCardinality>-1</loopCardinality>"), "instances_refused", "h"),
    "instances in words": (lambda: _instances("<loopCardinality>'x'</loopCardinality>"), "instances_refused", "h"),
    "half an instance": (lambda: _instances("<loopCardinality>1.5</loopCardinality>"), "instances_refused", "h"),
    "instances of a number": (lambda: _instances("<loopDataInputRef>5</loopDataInputRef>"), "instances_refused", "h"),
    "results of nothing": (
        lambda: _instances("<loopCardinality>2</loopCardinality><loopDataOutputRef>rs</loopDataOutputRef>"),
        "instances_output_unnamed",
        "h",
    ),
}


def _two_pools(attribute: str) -> Drawing:
    return started("u", "e").users("u").ends("e").beside(OTHER.format(attribute))


@pytest.mark.parametrize("name", DROPPED)
def test_what_would_be_dropped_in_silence_is_refused(name: str) -> None:
    draw, rule, element = DROPPED[name]
    found = [(p.rule, p.element) for p in check(read_diagram(draw().xml()), bare=True) if p.severity == "error"]
    assert (rule, element) in found


def test_a_pool_that_only_explains_is_pointed_out() -> None:
    problems = check(read_diagram(_two_pools("").xml()), bare=True)
    assert [(p.rule, p.element, p.severity) for p in problems] == [("not_run", "q", "warning")]


UNREADABLE = {
    "empty": b"",
    "png": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "not xml": "流程".encode("gb18030"),
    "html": b"<html><body/></html>",
    "doctype": b'<!DOCTYPE d [<!ENTITY a "b">]>' + HEAD.encode() + b"</definitions>",
    "huge": b" " * 50_000_000,
    "too many nodes": started("u0", *[f"u{i}" for i in range(1, 400)]).users(*[f"u{i}" for i in range(400)]).xml(),
    "deep": HEAD.encode() + b"<a>" * 5000,
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_file_gets_a_sentence(name: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_diagram(UNREADABLE[name])
    assert str(caught.value).endswith("。")


def test_settings_are_left_aside_for_a_bare_diagram() -> None:
    diagram = read_diagram(started("u", "e").users("u").ends("e").xml())
    assert check(diagram, bare=True) == ()
    assert [p.rule for p in check(diagram)] == ["assignment_missing"]
