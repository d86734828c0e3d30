"""The live tokens of one instance, held as SpiffWorkflow tasks.

SpiffWorkflow gives the task tree, the task states and their transitions. A task here is one activation of an element,
its parent is the scope it runs in, and a finished task leaves the tree: what happened is in the log, not in memory.
Ids are `element#n` (the n-th activation), so that a replay gives the same ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.specs.base import TaskSpec
from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.workflow import Workflow

from engine.diagram import Diagram, Node

WAITING = TaskState.WAITING
READY = TaskState.READY
STARTED = TaskState.STARTED


class ElementSpec(TaskSpec):  # type: ignore[misc]
    """What SpiffWorkflow calls the specification of a task: here one flow node of the diagram."""

    def __init__(self, spec: WorkflowSpec, name: str, node: Node | None) -> None:
        super().__init__(spec, name, inputs=[], outputs=[], data={}, defines={})
        self.node = node

    def test(self) -> None:
        """Connections are the validator's business."""

    def _predict(self, *_: object, **__: object) -> None:
        """The diagram is the prediction; no future tasks are kept."""


def specify(diagram: Diagram) -> WorkflowSpec:
    """The specification shared by all instances of a process version."""
    spec = WorkflowSpec(diagram.main.id)
    spec.start = ElementSpec(spec, diagram.main.id, None)
    for node in diagram.nodes.values():
        ElementSpec(spec, node.id, node)
    return spec


class Tree(Workflow):  # type: ignore[misc]
    """One instance's tokens."""

    def __init__(self, spec: WorkflowSpec) -> None:
        super().__init__(spec, deserializing=True)
        self.task_tree = self.add(spec.name, spec.start, None, STARTED)

    def _task_completed_notify(self, task: Task) -> None:
        """Nothing polls: the machine moves tokens on itself."""

    def add(self, key: str, spec: TaskSpec, scope: Task | None, state: int) -> Task:
        task = Task(self, spec, scope, state=state, id=key)
        task.internal_data = {}
        return task

    def remove(self, task: Task) -> None:
        self._remove_task(task.id)

    def below(self, scope: Task) -> list[Task]:
        """All tasks under `scope`, outermost first."""
        found = [self.tasks[key] for key in scope._children]
        for task in found:
            found += [self.tasks[key] for key in task._children]
        return found

    def dump(self) -> list[list[Any]]:
        """The tree as JSON: `[key, element, scope, state, own data]`, scopes before what they hold."""
        return [[t.id, t.task_spec.name, t._parent, t.state, t.internal_data] for t in [self.task_tree, *self.below(self.task_tree)]]

    @classmethod
    def load(cls, spec: WorkflowSpec, rows: list[list[Any]]) -> Tree:
        tree = cls(spec)
        tree.task_tree.internal_data = rows[0][4]
        for key, element, scope, state, own in rows[1:]:
            tree.add(key, spec.task_specs[element], tree.tasks[scope], state).internal_data = own
        return tree


def node_of(task: Task) -> Node | None:
    """The flow node a task activates; None for the root."""
    spec = task.task_spec
    return spec.node if isinstance(spec, ElementSpec) else None


def scopes_of(task: Task | None) -> Iterator[Task]:
    """The task's scopes, innermost first, the root last."""
    while task is not None:
        yield task
        task = task.parent
