"""How tokens move along flows: splitting and joining at gateways, and where a scope comes to its end."""

from __future__ import annotations

from abc import ABC, abstractmethod

from SpiffWorkflow.task import Task

from engine.diagram import ACTIVITIES, Flow, Node
from engine.errors import StepFailed
from engine.tokens import Tokens
from engine.tree import WAITING, node_of

NOWHERE = frozenset[str]()


class Gateways(Tokens, ABC):
    """Tokens that follow flows."""

    def _take(self, flow: Flow, scope: Task) -> None:
        self._note("taken", flow.id)
        self._arrive(self.diagram.nodes[flow.target], scope, flow)

    def _begin_at(self, node: Node, scope: Task) -> None:
        self._arrive(node, scope, None)

    def _arrive(self, node: Node, scope: Task, flow: Flow | None) -> None:
        """A token comes to a node."""
        if node.kind == "parallelGateway":
            self._arrive_parallel(node, scope, flow)
        elif node.kind == "inclusiveGateway" and len(self.diagram.incoming[node.id]) > 1:
            self._arrive_inclusive(node, scope, flow)
        elif node.kind in ACTIVITIES:
            self._enter_activity(node, scope)
        else:
            self._enter_plain(node, scope)

    @abstractmethod
    def _enter_activity(self, node: Node, scope: Task) -> None:
        """A token comes to an activity."""

    @abstractmethod
    def _enter_plain(self, node: Node, scope: Task) -> None:
        """A token comes to an event or a gateway that joins nothing."""

    # ---- splitting ------------------------------------------------------------------------------------------

    def _follow(self, node: Node, scope: Task) -> None:
        """The token leaves by every flow that may be taken; an implicit split is an inclusive one."""
        flows = self.diagram.outgoing[node.id]
        if node.kind == "parallelGateway":
            chosen = list(flows)
        elif node.kind == "exclusiveGateway":
            chosen = self._chosen(node, scope)[:1]
        else:
            chosen = self._chosen(node, scope)
        if flows and not chosen:
            raise StepFailed(node.id, "no_flow_taken", f"“{node.label}”之后没有一个条件成立，流程无法继续。")
        for flow in chosen:
            self._later(self._take, flow, scope)
        if not flows:
            self._later(self._close_if_empty, scope)

    def _chosen(self, node: Node, scope: Task) -> list[Flow]:
        flows = self.diagram.outgoing[node.id]
        first_only = node.kind == "exclusiveGateway"
        chosen: list[Flow] = []
        for flow in flows:
            if flow.id == node.default:
                continue
            if flow.condition is None or self._evaluate(flow.condition, scope, node):
                chosen.append(flow)
                if first_only:
                    return chosen
        return chosen or [f for f in flows if f.id == node.default]

    # ---- joining --------------------------------------------------------------------------------------------

    def _arrive_parallel(self, node: Node, scope: Task, flow: Flow | None) -> None:
        incoming = self.diagram.incoming[node.id]
        if flow is None or len(incoming) < 2:
            self._follow(node, scope)
            return
        join = self._join(node, scope)
        arrived = join.internal_data["arrived"]
        arrived[flow.id] = arrived.get(flow.id, 0) + 1
        if all(arrived.get(f.id) for f in incoming):
            self._consume(join, {f.id for f in incoming})
            self._follow(node, scope)

    def _arrive_inclusive(self, node: Node, scope: Task, flow: Flow | None) -> None:
        arrived = self._join(node, scope).internal_data["arrived"]
        if flow is not None:
            arrived[flow.id] = arrived.get(flow.id, 0) + 1

    def _join(self, node: Node, scope: Task) -> Task:
        existing = next((t for t in scope.children if t.task_spec.name == node.id), None)
        return existing or self._new(node, scope, WAITING, arrived={})

    def _consume(self, join: Task, flows: set[str]) -> None:
        arrived = join.internal_data["arrived"]
        left = {f: n - (f in flows) for f, n in arrived.items() if n - (f in flows) > 0}
        if left:
            join.internal_data["arrived"] = left
        else:
            self.tree.remove(join)

    def _fire_inclusive_join(self) -> bool:
        for task in self._live() if self.program.reaches else ():
            node = node_of(task)
            if node and node.kind == "inclusiveGateway" and "arrived" in task.internal_data and self._complete_join(task, node):
                scope = task.parent
                self._consume(task, set(task.internal_data["arrived"]))
                self._follow(node, scope)
                return True
        return False

    def _complete_join(self, join: Task, node: Node) -> bool:
        """BPMN 2.0.2, 13.4.3: no other token can still reach an empty incoming flow that it would not reach filled."""
        filled = {f for f, n in join.internal_data["arrived"].items() if n}
        for token in self._tokens(join.parent):
            into = self.program.reaches[node.id].get(token.task_spec.name, NOWHERE)
            if token is not join and into - filled and not into & filled:
                return False
        return True

    # ---- the end of a scope ---------------------------------------------------------------------------------

    def _close_if_empty(self, scope: Task) -> None:
        if scope is not self.tree.task_tree and not self._tokens(scope) and not self._moving(scope):
            self._scope_done(scope)

    def _moving(self, scope: Task) -> bool:
        """Whether a token of this scope is still on its way along a flow."""
        return any(act in (self._take, self._begin_at, self._follow) and args[-1] is scope for act, args in self._queue)

    @abstractmethod
    def _scope_done(self, scope: Task) -> None:
        """No token is left in a subprocess, a called process or an event subprocess."""
