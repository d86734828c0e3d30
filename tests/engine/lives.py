"""Six structurally different diagrams in which random lives are lived: loops, parallel branches, several instances,
calls with boundary timers, racing timers, event subprocesses beside the flow."""

from __future__ import annotations

from tests.diagrams import Drawing, event, started, timer


def rework() -> Drawing:
    d = started("u", "g").users("u").node("exclusiveGateway", "g", default="f_g_e").ends("e")
    return d.flow("g", "u", "n % 3 > 0").flow("g", "e")


def parallel_rework() -> Drawing:
    d = started("m", "sp").node("exclusiveGateway", "m").node("parallelGateway", "sp").node("parallelGateway", "j")
    d.users("a", "c", "v").ends("e").node("exclusiveGateway", "g", default="f_g_e")
    d.chain("sp", "a", "j", "v", "g").chain("sp", "c", "j")
    return d.flow("g", "m", "n % 4 > 0").flow("g", "e")


def instances() -> Drawing:
    inner = "<multiInstanceLoopCharacteristics><loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics>"
    d = started("h", "g").node("userTask", "h", inner).node("exclusiveGateway", "g", default="f_g_e").ends("e")
    return d.flow("g", "h", "n % 2 > 0").flow("g", "e")


def called() -> Drawing:
    sub = Drawing().node("startEvent", "cs").users("x", "y").ends("ce").chain("cs", "x", "y", "ce")
    d = started("c", "g").node("callActivity", "c", calledElement="sub").ends("e", "late").beside(sub.as_process("sub"))
    d.node("boundaryEvent", "b", timer("duration", "P2D"), attachedToRef="c").flow("b", "late")
    return d.node("exclusiveGateway", "g", default="f_g_e").flow("g", "c", "n % 2 > 0").flow("g", "e")


def race() -> Drawing:
    d = started("u", "r").users("u").node("eventBasedGateway", "r").node("exclusiveGateway", "g", default="f_g_e").ends("e")
    d.node("intermediateCatchEvent", "long", timer("duration", "P3D")).node("intermediateCatchEvent", "short", timer("duration", "PT5H"))
    d.chain("r", "long", "u").chain("r", "short", "g")
    return d.flow("g", "u", "n % 2 > 0").flow("g", "e")


def watched() -> Drawing:
    body = (
        Drawing()
        .node("startEvent", "ws", timer("cycle", "R/P1D"), isInterrupting="false")
        .users("watch")
        .ends("we")
        .chain("ws", "watch", "we")
    )
    d = started("u", "i").users("u", "w", "z").node("inclusiveGateway", "i", default="f_i_w").node("inclusiveGateway", "k").ends("e")
    d.flow("i", "w").flow("i", "z", "n % 2 > 0").flow("w", "k").flow("z", "k").flow("k", "q").node("exclusiveGateway", "q", default="f_q_e")
    d.flow("q", "u", "n % 3 > 0").flow("q", "e").node("subProcess", "esp", body=body, triggeredByEvent="true")
    return d.node("boundaryEvent", "b", event("signal", "sig"), attachedToRef="u").flow("b", "e").beside('<signal id="sig" name="sig"/>')


DRAWINGS = (rework, parallel_rework, instances, called, race, watched)
