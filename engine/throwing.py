"""Events that are thrown, by the nodes a token only passes: who takes them, and what ends with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.task import Task

from engine.catching import Catching
from engine.diagram import Event, Node
from engine.errors import StepFailed
from engine.tree import scopes_of


class Throwing(Catching):
    """Tokens that come to events."""

    def _enter_plain(self, node: Node, scope: Task) -> None:
        self._note("entered", node.id)
        if node.kind == "endEvent":
            self._end(node, scope)
        elif node.kind == "intermediateCatchEvent":
            if node.event.kind == "link":
                self._follow(node, scope)
            else:
                self._wait_here(node, scope)
        elif node.kind == "eventBasedGateway":
            self._race(node, scope)
        elif node.id in self.diagram.link_target:
            self._later(self._begin_at, self.diagram.link_target[node.id], scope)
        else:
            self._later(self._follow, node, scope)
            if node.kind == "intermediateThrowEvent":
                self._throw_all(node, scope)

    def _end(self, node: Node, scope: Task) -> None:
        self._note("ended", node.id)
        self.ended_at.append(node.id)
        self._later(self._close_if_empty, scope)
        self._throw_all(node, scope)

    def _throw_all(self, node: Node, scope: Task) -> None:
        for event in node.events:
            self._throw(event, scope, node)

    def _throw(self, event: Event, scope: Task, node: Node) -> None:
        if event.kind == "terminate":
            self._halt(scope)
            self._later(self._close_if_empty, scope)
        elif event.kind == "message":
            self.sent.append(("message", event.name, self.visible_to(scope)))
        elif event.kind == "signal":
            self._broadcast("signal", event.name, {}, once=False)
            self.sent.append(("signal", event.name, self.visible_to(scope)))
        elif event.kind != "none" and not self._interrupt_with(scope, event) and event.kind != "escalation":
            raise StepFailed(node.id, f"{event.kind}_uncaught", f"“{node.label}”抛出的“{event.name or '取消'}”没有环节处理。")

    def _broadcast(self, kind: str, name: str | None, data: Mapping[str, Any], *, once: bool) -> bool:
        heard = [(t, a) for t in self._live() for a in t.internal_data.get("armed", ()) if (a["kind"], a["name"]) == (kind, name)]
        for task, armed in heard[:1] if once else heard:
            if task.id in self.tree.tasks:
                self._note("fired", task.task_spec.name, task.id)
                self._caught(task, armed, data)
        return bool(heard)

    def _interrupt_with(self, scope: Task, event: Event) -> bool:
        """Offers an error, escalation or cancel to the handlers around `scope`: the innermost first, the named before the general.

        An event subprocess may throw its own trigger again: it goes to those further out.
        """
        thrower = ""
        for around in list(scopes_of(scope)):
            inner = [t for t in around.children if t.internal_data.get("handler_of", thrower) != thrower]
            if self._offer(event, inner) or self._offer(event, self._hosted(around)):
                return True
            thrower = around.task_spec.name
        return False

    def _offer(self, event: Event, handlers: list[Task]) -> bool:
        armed = [(t, a) for t in handlers for a in t.internal_data.get("armed", ()) if a["kind"] == event.kind]
        fits = [(t, a) for name in (event.name, None) for t, a in armed if a["name"] == name]
        if fits:
            self._note("fired", fits[0][0].task_spec.name, fits[0][0].id)
            self._caught(*fits[0], {})
        return bool(fits)
