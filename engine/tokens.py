"""The tokens of one instance: where they are, what they see and write, and how they are taken back.

A token is a task in the tree while it rests, and an entry in the queue while it moves. `Tokens` is the ground on which
the layers stand: `Gateways`, `Catching`, `Throwing`, `Activities`, `Repetition`, and on top the `Machine`.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from SpiffWorkflow.task import Task

from engine.diagram import Node
from engine.errors import StepFailed
from engine.expressions import Budget, ExpressionError, MissingVariable, compile_expression
from engine.program import Data, Lookup, Program, Step
from engine.tree import Tree, scopes_of

MAX_LIVE_TASKS = 5_000
MAX_EFFORT = 60_000
"""The steps that all expressions of one command may take together."""


class Tokens:
    """One instance's tokens and data."""

    def __init__(self, program: Program, now: datetime, lookup: Lookup | None = None) -> None:
        self.program = program
        self.lookup = lookup
        self.diagram = program.diagram
        self.now = now
        self.data: Data = {}
        self.counts: dict[str, int] = {}
        self.tree = Tree(program.spec)
        self.finished = False
        self.ended_at: list[str] = []
        self.steps: list[Step] = []
        self.sent: list[tuple[str, str | None, Data]] = []
        self.effort = Budget(MAX_EFFORT)
        self._queue: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()

    # ---- resting and moving ---------------------------------------------------------------------------------

    def _new(self, node: Node, scope: Task, state: int, mark: str = "#", **own: Any) -> Task:
        if len(self.tree.tasks) >= MAX_LIVE_TASKS:
            raise StepFailed(node.id, "too_many_tasks", f"“{node.label}”同时进行的环节过多。")
        count = self.counts[node.id + mark] = self.counts.get(node.id + mark, 0) + 1
        task = self.tree.add(f"{node.id}{mark}{count}", self.program.spec.task_specs[node.id], scope, state)
        task.internal_data = own
        return task

    def _later(self, act: Callable[..., None], *args: Any) -> None:
        """Queues a step of the task or scope that `args` end with; it is dropped when that is taken back meanwhile."""
        self._queue.append((act, args))

    def _live(self) -> list[Task]:
        return self.tree.below(self.tree.task_tree)

    def _alive(self, task: Task) -> bool:
        return self.tree.tasks.get(task.id) is task

    def _tokens(self, scope: Task) -> list[Task]:
        """Tokens at rest: boundary and event-subprocess listeners keep no scope alive."""
        return [t for t in scope.children if not t.internal_data.get("listener")]

    def _hosted(self, host: Task) -> list[Task]:
        return [t for t in host.parent.children if t.internal_data.get("host") == host.id] if host.parent else []

    def _node(self, task: Task) -> Node:
        return self.diagram.nodes[task.task_spec.name]

    def _note(self, kind: str, element: str, key: str = "") -> None:
        self.steps.append(Step(kind, element, self.now, key))

    # ---- taking back ----------------------------------------------------------------------------------------

    def _halt(self, scope: Task) -> None:
        """Takes back every token of the scope, resting or moving."""
        self._queue = deque((act, args) for act, args in self._queue if args[-1] is not scope)
        for task in list(scope.children):
            if self._alive(task):
                self._cancel(task)

    def _cancel(self, task: Task) -> None:
        """Takes a token back, with all that it holds and listens to."""
        for gone in [*self._hosted(task), *self.tree.below(task), task]:
            if gone.internal_data.get("open"):
                self._note("cancelled", gone.task_spec.name, gone.id)
        for listener in self._hosted(task):
            self.tree.remove(listener)
        self.tree.remove(task)

    # ---- data -----------------------------------------------------------------------------------------------

    def visible_to(self, task: Task) -> Data:
        """The data an expression of this task sees: the process's, overlaid by those of its repeated scopes."""
        seen = dict(self.data)
        for scope in reversed([t for t in scopes_of(task) if "local" in t.internal_data]):
            seen.update(scope.internal_data["local"])
        return seen

    def _write(self, task: Task, data: Mapping[str, Any]) -> None:
        """Writes to the nearest repeated scope, else to the process."""
        local = next((t.internal_data["local"] for t in scopes_of(task) if "local" in t.internal_data), self.data)
        local.update(copy.deepcopy(dict(data)))

    def _evaluate(self, source: str, task: Task, node: Node, beside: Mapping[str, Any] | None = None) -> Any:
        """The value of an expression that sees the task's data, and what is given `beside` it."""
        try:
            return compile_expression(source).evaluate({**self.visible_to(task), **(beside or {})}, self.now, Budget(within=self.effort))
        except ExpressionError as error:
            raise stopped(node, error) from error


def stopped(node: Node, error: ExpressionError, rule: str = "expression_refused") -> StepFailed:
    """What an expression of a node could not say."""
    return StepFailed(node.id, "missing_variable" if isinstance(error, MissingVariable) else rule, f"“{node.label}”：{error}")
