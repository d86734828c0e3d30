"""Looks for hangs: plays the bare token game of one scope and finds states from which nothing can move.

Decisions are taken to be free, so a hang reported here needs only an unlucky choice. The search is bounded; where the
bound is reached nothing is claimed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import combinations

from engine.diagram import ACTIVITIES, Diagram, Flow, Node

State = frozenset[tuple[str, int]]
MAX_STATES = 4_000
MAX_TOKENS = 3


def hanging_joins(diagram: Diagram, scope: str) -> set[str]:
    """Ids of parallel joins of `scope` that can wait for ever."""
    return _Game(diagram, scope).play()


class _Game:
    def __init__(self, diagram: Diagram, scope: str) -> None:
        self.diagram = diagram
        self.nodes = diagram.inside[scope]

    def play(self) -> set[str]:
        starts = [n for n in self.nodes if n.kind == "startEvent"] or [
            n for n in self.nodes if not self.diagram.incoming[n.id] and n.kind in ACTIVITIES and not n.triggered_by_event
        ]
        seen: set[State] = set()
        stuck: set[str] = set()
        pending = deque(frozenset(_count(out)) for start in starts for out in self.outs(start))
        while pending and len(seen) < MAX_STATES:
            state = pending.popleft()
            if state in seen:
                continue
            seen.add(state)
            following = list(self.moves(state))
            pending.extend(following)
            if state and not following:
                stuck |= {self.diagram.flows[flow].target for flow, _ in state}
        return {node for node in stuck if self.diagram.nodes[node].kind == "parallelGateway"}

    def moves(self, state: State) -> Iterator[State]:
        tokens = dict(state)
        for node in self.nodes:
            into = [f.id for f in self.diagram.incoming[node.id] if tokens.get(f.id)]
            if not into:
                continue
            if node.kind == "parallelGateway":
                if len(into) == len(self.diagram.incoming[node.id]):
                    yield from self.step(tokens, into, node)
            elif node.kind == "inclusiveGateway":
                if not self.inclusive_waits(tokens, node, set(into)):
                    yield from self.step(tokens, into, node)
            else:
                for flow in into:
                    yield from self.step(tokens, [flow], node)

    def step(self, tokens: dict[str, int], taken: list[str], node: Node) -> Iterator[State]:
        if node.kind == "endEvent" and node.event.kind in ("terminate", "error", "cancel"):
            yield frozenset()
            return
        left = dict(tokens)
        for flow in taken:
            left[flow] -= 1
        for out in self.outs(node):
            after = dict(left)
            for flow in out:
                after[flow] = after.get(flow, 0) + 1
            if max(after.values(), default=0) <= MAX_TOKENS:
                yield frozenset((f, n) for f, n in after.items() if n)

    def outs(self, node: Node) -> Iterator[list[str]]:
        flows = [f.id for f in self.diagram.outgoing[node.id]]
        if node.kind == "endEvent":
            yield []
        elif node.kind == "intermediateThrowEvent" and node.event.kind == "link":
            for catch in (n for n in self.nodes if n.kind == "intermediateCatchEvent" and n.event == node.event):
                yield [f.id for f in self.diagram.outgoing[catch.id]]
        elif node.kind in ("exclusiveGateway", "eventBasedGateway"):
            yield from ([flow] for flow in flows)
        else:
            normal = list(_splits(node, self.diagram.outgoing[node.id]))
            yield from normal
            for event in self.diagram.boundary.get(node.id, ()):
                beside = [f.id for f in self.diagram.outgoing[event.id]]
                yield from [beside] if event.interrupting else ([*out, *beside] for out in normal)

    def inclusive_waits(self, tokens: dict[str, int], join: Node, filled: set[str]) -> bool:
        for flow, count in tokens.items():
            if count and flow not in filled:
                into = self.diagram.flows_into(self.diagram.flows[flow].target, join.id)
                if into - filled and not into & filled:
                    return True
        return False


def _count(flows: list[str]) -> Iterator[tuple[str, int]]:
    return ((flow, flows.count(flow)) for flow in set(flows))


def _splits(node: Node, flows: tuple[Flow, ...]) -> Iterator[list[str]]:
    """The sets of flows a token may leave by; conditions are taken to be free."""
    free = [f.id for f in flows if node.kind != "parallelGateway" and (f.condition is not None) and f.id != node.default]
    fixed = [f.id for f in flows if f.id not in free and f.id != node.default]
    if len(free) > 6:
        free = free[:6]
    for size in range(len(free) + 1):
        for chosen in combinations(free, size):
            out = [*fixed, *chosen]
            if out or not flows:
                yield out
    if node.default in {f.id for f in flows}:
        yield [node.default] if node.default else []
