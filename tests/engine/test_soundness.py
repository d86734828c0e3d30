"""Hangs are found however big the diagram, sound diagrams pass, and what cannot be judged is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

import pytest

from engine.diagram import Diagram, read_diagram
from engine.handlers import Handlers
from engine.net import Net
from engine.soundness import Effort, _Game, _TooMuch
from engine.validator import Problem, check
from tests.diagrams import Drawing, event, started

KINDS = ("parallelGateway", "exclusiveGateway", "inclusiveGateway", "userTask")


def errors(drawing: Drawing) -> set[tuple[str, str]]:
    return {(p.rule, p.element) for p in problems(drawing) if p.severity == "error"}


def problems(drawing: Drawing) -> tuple[Problem, ...]:
    return check(read_diagram(drawing.xml()), bare=True)


# ---- what hangs ----------------------------------------------------------------------------------------------------


def two_joins_in_a_circle() -> Drawing:
    d = started("sp").node("parallelGateway", "sp").node("inclusiveGateway", "j1").node("inclusiveGateway", "j2").users("a", "b")
    d.node("exclusiveGateway", "x1", default="f_x1_e1").node("exclusiveGateway", "x2", default="f_x2_e2").ends("e1", "e2")
    d.chain("sp", "j1", "a", "x1", "e1").chain("sp", "j2", "b", "x2", "e2")
    return d.flow("x1", "j2", "n > 0").flow("x2", "j1", "n > 0")


def beyond(branches: int) -> Drawing:
    """A hanging join after many parallel branches."""
    d = started("sp").node("parallelGateway", "sp").node("parallelGateway", "jn").users("u", "a", "b").ends("e")
    for n in range(branches):
        d.users(f"p{n}", f"q{n}").chain("sp", f"p{n}", f"q{n}", "jn")
    d.chain("jn", "u", "x").node("exclusiveGateway", "x", default="f_x_b").node("parallelGateway", "j")
    return d.flow("x", "a", "n > 0").flow("x", "b").chain("a", "j", "e").flow("b", "j")


def token_beside_a_timer() -> Drawing:
    d = started("a", "j", "e").users("a").node("parallelGateway", "j").ends("e")
    return d.node("boundaryEvent", "b", event("signal", "sig"), attachedToRef="a", cancelActivity="false").flow("b", "j").beside(SIGNAL)


SIGNAL = '<signal id="sig" name="sig"/>'


@pytest.mark.parametrize(
    "draw, joins",
    [
        (two_joins_in_a_circle, {"j1", "j2"}),
        (lambda: beyond(3), {"j"}),
        (lambda: beyond(40), {"j"}),
        (token_beside_a_timer, {"j"}),
    ],
)
def test_joins_that_can_wait_for_ever_are_refused(draw: Callable[[], Drawing], joins: set[str]) -> None:
    assert errors(draw()) == {("join_may_hang", join) for join in joins}


# ---- what never ends -----------------------------------------------------------------------------------------------


def circle() -> Drawing:
    return started("a", "b", "a").users("a", "b")


def handler(inner: str, *, interrupting: bool) -> Drawing:
    body = Drawing().node("startEvent", "hs", inner, isInterrupting=str(interrupting).lower()).users("w").ends("we")
    return body.chain("hs", "w", "we")


def test_a_circle_needs_a_way_out() -> None:
    assert errors(circle()) == {("no_way_to_end", "a"), ("no_way_to_end", "b")}


def test_what_runs_beside_is_no_way_out() -> None:
    beside = circle().node("subProcess", "h", body=handler(event("signal", "sig"), interrupting=False), triggeredByEvent="true")
    assert ("no_way_to_end", "a") in errors(beside.beside(SIGNAL))
    reminded = circle().node("boundaryEvent", "b1", event("signal", "sig"), attachedToRef="a", cancelActivity="false").flow("b1", "e")
    assert ("no_way_to_end", "a") in errors(reminded.ends("e").beside(SIGNAL))


def test_what_interrupts_is_a_way_out() -> None:
    across = circle().node("subProcess", "h", body=handler(event("signal", "sig"), interrupting=True), triggeredByEvent="true")
    assert errors(across.beside(SIGNAL)) == set()


def test_a_task_that_always_starts_itself_again_never_ends() -> None:
    assert errors(started("a", "a").users("a", "b").flow("a", "b", "x").flow("b", "e").ends("e")) == {("no_way_to_end", "a")}


# ---- what is sound -------------------------------------------------------------------------------------------------


def escalated(kind: str) -> Drawing:
    """One branch may escalate out of a parallel block: whoever takes it interrupts the block."""
    body = Drawing().node("startEvent", "bs").node("parallelGateway", "g").node("parallelGateway", "j").users("a", "b").ends("be")
    body.node("exclusiveGateway", "q", default="f_q_j").node("endEvent", "te", event("escalation", "esc"))
    body.chain("bs", "g", "a", "q").flow("q", "te", "bad").flow("q", "j").chain("j", "be").chain("g", "b", "j")
    if kind == "inside":
        body.node("subProcess", "h", body=handler(event("escalation", "esc"), interrupting=True), triggeredByEvent="true")
    d = started("o", "e").node("subProcess", "o", body=body).ends("e").beside('<escalation id="esc" escalationCode="esc"/>')
    return d if kind == "inside" else d.node("boundaryEvent", "x", event("escalation", "esc"), attachedToRef="o").flow("x", "e")


def box_of_tasks() -> Drawing:
    return started("o", "e").node("subProcess", "o", body=Drawing().users("i", "k")).ends("e")


def box_that_begins_with_a_gateway() -> Drawing:
    body = Drawing().node("parallelGateway", "g").users("i", "k").ends("oe").chain("g", "i", "oe").chain("g", "k", "oe")
    return started("o", "e").node("subProcess", "o", body=body).ends("e")


@pytest.mark.parametrize("draw", [lambda: escalated("inside"), lambda: escalated("boundary"), box_of_tasks, box_that_begins_with_a_gateway])
def test_sound_diagrams_pass(draw: Callable[[], Drawing]) -> None:
    assert errors(draw()) == set()


def test_an_interrupting_event_subprocess_is_judged_past_what_it_throws_itself() -> None:
    body = Drawing().node("startEvent", "hs", event("signal", "sig")).node("intermediateThrowEvent", "t", event("signal", "sig"))
    body.node("exclusiveGateway", "x", default="f_x_b").node("parallelGateway", "j").users("a", "b").ends("he")
    body.chain("hs", "t", "x").flow("x", "a", "n > 0").flow("x", "b").chain("a", "j", "he").flow("b", "j")
    d = started("u", "e").users("u").ends("e").node("subProcess", "h", body=body, triggeredByEvent="true").beside(SIGNAL)
    assert errors(d) == {("join_may_hang", "j")}


# ---- what it costs -------------------------------------------------------------------------------------------------


def wide(branches: int, tasks: int) -> Drawing:
    """Parallel branches that each choose among tasks, all meeting in one inclusive join."""
    d = started("sp").node("parallelGateway", "sp").node("inclusiveGateway", "jn").ends("e").flow("jn", "e")
    for n in range(branches):
        d.node("inclusiveGateway", f"g{n}", default=f"d{n}").flow("sp", f"g{n}").flow(f"g{n}", "jn", id=f"d{n}")
        for k in range(tasks):
            d.users(f"t{n}_{k}").flow(f"g{n}", f"t{n}_{k}", f"n > {k}").flow(f"t{n}_{k}", "jn")
    return d


def dense(gateways: int, flows: int) -> Drawing:
    """Gateways that lead anywhere."""
    random = Random(1)
    d = started("g0").ends("e").flow(f"g{gateways - 1}", "e", "n > 1")
    for n in range(gateways):
        d.node("inclusiveGateway", f"g{n}")
        for k in range(flows):
            d.flow(f"g{n}", f"g{random.randrange(gateways)}", "n > 1", id=f"q{n}_{k}")
    return d


@pytest.mark.parametrize(
    "draw, verdict",
    [(lambda: wide(5, 6), set()), (lambda: wide(30, 8), set()), (lambda: dense(50, 10), None), (lambda: dense(100, 9), None)],
)
def test_a_big_diagram_is_judged_quickly_or_refused(draw: Callable[[], Drawing], verdict: set[tuple[str, str]] | None) -> None:
    diagram = read_diagram(draw().xml())
    begun = time.process_time()
    found = {(p.rule, p.element) for p in check(diagram, bare=True) if p.severity == "error"}
    assert time.process_time() - begun < 1
    assert found == verdict if verdict is not None else found


# ---- reducing and ordering lose nothing ----------------------------------------------------------------------------


def graph(random: Random, nodes: int) -> Diagram:
    """A random graph of gateways and tasks in which everything lies on a way from start to end."""
    names = [f"n{i}" for i in range(nodes)]
    d = started("n0").ends("e")
    edges = [(a, b) for a, b in zip(names, [*names[1:], "e"], strict=True)]
    edges += [(random.choice(names), random.choice([*names[1:], "e"])) for _ in range(nodes // 2)]
    for name in names:
        kind, out = random.choice(KINDS), [b for a, b in edges if a == name]
        free = kind in ("exclusiveGateway", "inclusiveGateway")
        d.node(kind, name, **({"default": f"{name}_0"} if free and len(out) > 1 else {}))
        for k, target in enumerate(out):
            d.flow(name, target, "x" if free and k else None, id=f"{name}_{k}")
    return read_diagram(d.xml())


def hangs(diagram: Diagram, *, plainly: bool) -> bool | None:
    net = Net(diagram, "p", Handlers(diagram))
    if not plainly:
        net.reduce()
    effort = Effort()
    effort.left = 20_000
    game = _Game(net, effort)
    if plainly:
        game.near = dict.fromkeys(net.target, 0).keys()
    try:
        game.played()
    except _TooMuch:
        return True if game.hanging else None
    return bool(game.hanging)


def test_reducing_and_ordering_change_no_verdict() -> None:
    random, compared = Random(7), 0
    for _ in range(500):
        diagram = graph(random, random.randint(3, 8))
        plain = hangs(diagram, plainly=True)
        if plain is not None:
            assert hangs(diagram, plainly=False) == plain, [*diagram.nodes.values(), *diagram.flows.values()]
            compared += 1
    assert compared > 350
