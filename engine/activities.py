"""Activities: tasks, subprocesses and calls, from their beginning until the token moves on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from SpiffWorkflow.task import Task

from engine.diagram import SUBPROCESSES, Event, Node
from engine.errors import StepFailed
from engine.expressions import ExpressionError, compile_script
from engine.throwing import Throwing
from engine.tokens import stopped
from engine.tree import STARTED, scopes_of

MAX_DEPTH = 40


class Activities(Throwing):
    """Tokens at work."""

    def _enter_activity(self, node: Node, scope: Task) -> None:
        task = self._new(node, scope, STARTED)
        self._arm_boundary(node, task)
        self._perform(node, task)

    def _perform(self, node: Node, task: Task) -> None:
        self._note("entered", node.id, task.id)
        if node.kind in ("userTask", "manualTask", "task"):
            task.internal_data["open"] = True
            self._note("opened", node.id, task.id)
        elif node.kind == "receiveTask":
            self._arm(task, Event("message", node.reference))
        elif node.kind == "serviceTask" and "service" in node.settings:
            self._arm(task, Event("service", node.id))
            self.sent.append(("service", node.id, self.visible_to(task)))
        elif node.kind in SUBPROCESSES:
            self._open_scope(task, node.id, self.diagram.starts(node.id))
        elif node.kind == "callActivity":
            self._call(node, task)
        else:
            self._run(node, task)
            self._later(self._leave, task)

    def _run(self, node: Node, task: Task) -> None:
        if node.kind == "scriptTask":
            try:
                self._write(task, compile_script(node.script or "").run(self.visible_to(task), self.now, self.effort))
            except ExpressionError as error:
                raise stopped(node, error) from error
        elif node.kind == "businessRuleTask":
            self._write(task, self._answer(node, task))
        elif node.kind == "sendTask":
            self._throw(Event("message", node.reference), task, node)

    def _answer(self, node: Node, task: Task) -> Mapping[str, Any]:
        """What a business-rule task learns: from its decision table, or from the world outside."""
        seen = self.visible_to(task)
        if node.lookup:
            answer: Any = self.lookup(task.id, node.lookup, seen) if self.lookup else None
        elif node.decision and node.decision in self.program.tables:
            try:
                answer = self.program.tables[node.decision].decide(seen, self.now, self.effort)
            except ExpressionError as error:
                raise stopped(node, error, "decision_failed") from error
        else:
            answer = None
        return {node.result or node.decision or "": answer} if isinstance(answer, list) else answer or {}

    # ---- scopes ---------------------------------------------------------------------------------------------

    def _call(self, node: Node, task: Task) -> None:
        if sum(1 for _ in scopes_of(task)) > MAX_DEPTH:
            raise StepFailed(node.id, "call_too_deep", f"“{node.label}”的调用层数超过 {MAX_DEPTH} 层。")
        called = node.called or ""
        if called not in self.diagram.processes:
            raise StepFailed(node.id, "call_unknown", f"“{node.label}”调用的流程“{called}”不存在。")
        self._open_scope(task, called, [n for n in self.diagram.starts(called) if not n.events])

    def _open_scope(self, scope: Task, holder: str, starts: Sequence[Node]) -> None:
        scope.internal_data["body"] = holder
        for handler in (n for n in self.diagram.inside[holder] if n.triggered_by_event):
            self._listen(handler, scope)
        for node in starts[:1] or self.diagram.entries(holder):
            self._later(self._begin_at, node, scope)

    def _scope_done(self, scope: Task) -> None:
        for listener in list(scope.children):
            self.tree.remove(listener)
        self._note("completed", scope.task_spec.name, scope.id)
        if scope.internal_data.get("handler"):
            outer = scope.parent
            self.tree.remove(scope)
            self._later(self._close_if_empty, outer)
        else:
            self._leave(scope)

    # ---- the end --------------------------------------------------------------------------------------------

    def _leave(self, task: Task) -> None:
        """An activity is done: its listeners go, and the token moves on."""
        node, scope = self._node(task), task.parent
        for listener in self._hosted(task):
            self.tree.remove(listener)
        self.tree.remove(task)
        self._follow(node, scope)
