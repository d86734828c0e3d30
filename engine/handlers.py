"""Who takes what a diagram throws: an error or escalation goes outwards, and the innermost fitting handler has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.diagram import Diagram, Event, Node

Takers = frozenset[str | None]
"""The events that take it, by the ways a scope is reached; None where nobody does."""


class Handlers:
    """The event subprocesses and boundary events of a diagram."""

    def __init__(self, diagram: Diagram) -> None:
        self.diagram = diagram
        self.known: dict[tuple[str, Event], Takers] = {}

    def takers(self, scope: str, event: Event) -> Takers:
        """What would take an error, escalation or cancel thrown in `scope`."""
        if (scope, event) not in self.known:
            self.known[scope, event] = self._sought(scope, event)
        return self.known[scope, event]

    def ends(self, node: Node) -> bool:
        """Whether what the node throws always ends the scope it is in."""
        return any(e.kind in ("terminate", "error", "cancel") or self._interrupts(node.scope, e) for e in node.events)

    def _sought(self, scope: str, event: Event) -> Takers:
        for around, beside, on in self._outwards(scope):
            if taker := _fitting(beside, event) or _fitting(on, event):
                return Takers([taker])
            scope = around
        return self._callers(scope, event)

    def _outwards(self, scope: str) -> Iterator[tuple[str, tuple[Node, ...], tuple[Node, ...]]]:
        """The scopes around what is thrown, as far as the process, with the event subprocesses and boundary events that listen.

        An event subprocess never takes what it throws itself; one that interrupts has silenced those beside it.
        """
        inside, silenced = "", False
        while True:
            beside = () if silenced else tuple(s for n in self.diagram.inside[scope] for s in self._starts(n) if n.id != inside)
            yield scope, beside, self.diagram.boundary.get(scope, ())
            holder = self.diagram.nodes.get(scope)
            if holder is None:
                return
            inside, silenced, scope = holder.id, any(s.interrupting for s in self._starts(holder)), holder.scope

    def _callers(self, process: str, event: Event) -> Takers:
        calls = [n for n in self.diagram.nodes.values() if n.called == process]
        found = [_fitting(self.diagram.boundary[n.id], event) for n in calls]
        outside = [Takers([taker]) if taker else self.takers(n.scope, event) for n, taker in zip(calls, found, strict=True)]
        return Takers([None]) if not calls else Takers().union(*outside)

    def _starts(self, node: Node) -> tuple[Node, ...]:
        return self.diagram.starts(node.id) if node.triggered_by_event else ()

    def _interrupts(self, scope: str, event: Event) -> bool:
        if event.kind == "escalation":
            return all(taker is not None and self.diagram.nodes[taker].interrupting for taker in self.takers(scope, event))
        listening = [n for _, beside, on in self._outwards(scope) for n in (*beside, *on)]
        return event.kind == "signal" and any(event in n.events and n.interrupting for n in listening)


def _fitting(handlers: Iterable[Node], event: Event) -> str | None:
    """The named before the general."""
    armed = [(n.id, e.name) for n in handlers for e in n.events if e.kind == event.kind]
    return next((id for wanted in (event.name, None) for id, name in armed if name == wanted), None)
