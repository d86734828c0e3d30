"""Repeated activities: a container holds the iterations of a loop or the instances of a multi-instance activity."""

from __future__ import annotations

import copy
from typing import Any

from SpiffWorkflow.task import Task

from engine.activities import Activities
from engine.diagram import Node
from engine.errors import StepFailed
from engine.program import Data
from engine.tree import STARTED

MAX_INSTANCES = 1_000


class Repetition(Activities):
    """Tokens whose activity is carried out several times."""

    def _enter_activity(self, node: Node, scope: Task) -> None:
        if node.loop is None:
            super()._enter_activity(node, scope)
        elif node.loop.kind == "standard":
            self._begin_loop(node, scope)
        else:
            self._begin_instances(node, scope)

    def _iterate(self, node: Node, container: Task, local: Data) -> None:
        task = self._new(node, container, STARTED, iteration=True, local=local)
        self._perform(node, task)

    def _leave(self, task: Task) -> None:
        if task.internal_data.get("iteration"):
            self._iteration_done(task, self._node(task))
        else:
            super()._leave(task)

    def _iteration_done(self, task: Task, node: Node) -> None:
        container = task.parent
        local = task.internal_data["local"]
        self.tree.remove(task)
        container.internal_data["done"] += 1
        assert node.loop
        if node.loop.kind == "standard":
            self._write(container, {k: v for k, v in local.items() if k != "loopCounter"})
            if self._again(container, node):
                self._iterate(node, container, {"loopCounter": container.internal_data["done"] + 1})
            else:
                self._leave(container)
            return
        self._collect(container, node, local)
        if self._enough(container, node, local) or container.internal_data["done"] == len(container.internal_data["items"]):
            self._instances_done(container, node)
        elif node.loop.kind == "sequential":
            self._next_instance(container, node)

    # ---- loops ----------------------------------------------------------------------------------------------

    def _begin_loop(self, node: Node, scope: Task) -> None:
        container = self._new(node, scope, STARTED, "@", done=0)
        self._arm_boundary(node, container)
        if node.loop and node.loop.test_before and not self._again(container, node):
            self._later(self._leave, container)
        else:
            self._iterate(node, container, {"loopCounter": 1})

    def _again(self, container: Task, node: Node) -> bool:
        assert node.loop
        done = container.internal_data["done"]
        if node.loop.maximum is not None and done >= node.loop.maximum:
            return False
        if node.loop.condition is None:
            return node.loop.maximum is not None
        return bool(self._evaluate(node.loop.condition, container, node, {"loopCounter": done}))

    # ---- several instances ----------------------------------------------------------------------------------

    def _begin_instances(self, node: Node, scope: Task) -> None:
        assert node.loop
        items = self._items(node, scope)
        container = self._new(node, scope, STARTED, "@", done=0, items=items, next=0, results=[None] * len(items))
        self._arm_boundary(node, container)
        if not items:
            self._instances_done(container, node)
        for _ in items if node.loop.kind == "parallel" else items[:1]:
            self._next_instance(container, node)

    def _items(self, node: Node, scope: Task) -> list[Any]:
        assert node.loop
        if node.loop.collection:
            items = self._evaluate(node.loop.collection, scope, node)
        else:
            count = self._evaluate(node.loop.cardinality or "1", scope, node)
            items = list(range(count)) if type(count) is int and 0 <= count <= MAX_INSTANCES else None
        if isinstance(items, dict):
            items = list(items.values())
        if not isinstance(items, list) or len(items) > MAX_INSTANCES:
            raise StepFailed(node.id, "instances_refused", f"“{node.label}”的多实例数量必须是 0 至 {MAX_INSTANCES} 项的列表或整数。")
        return items

    def _next_instance(self, container: Task, node: Node) -> None:
        own = container.internal_data
        index = own["next"]
        own["next"] = index + 1
        local: Data = {"loopCounter": index + 1}
        if node.loop and node.loop.item and node.loop.collection:
            local[node.loop.item] = copy.deepcopy(own["items"][index])
        self._iterate(node, container, local)

    def _collect(self, container: Task, node: Node, local: Data) -> None:
        assert node.loop
        hidden = {"loopCounter", node.loop.item}
        if node.loop.output:
            hidden.add(node.loop.output_item)
            container.internal_data["results"][local["loopCounter"] - 1] = [local.get(node.loop.output_item or "")]
        self._write(container, {k: v for k, v in local.items() if k not in hidden})

    def _enough(self, container: Task, node: Node, local: Data) -> bool:
        """The completion condition sees the instance just done, the results so far, and the numbers BPMN names."""
        if not (node.loop and node.loop.condition):
            return False
        own, total = container.internal_data, len(container.internal_data["items"])
        done, active = own["done"], own["next"] - own["done"]
        numbers = {
            "numberOfInstances": total,
            "numberOfCompletedInstances": done,
            "numberOfActiveInstances": active,
            "numberOfTerminatedInstances": 0,
            "nrOfInstances": total,
            "nrOfCompletedInstances": done,
            "nrOfActiveInstances": active,
        }
        return bool(self._evaluate(node.loop.condition, container, node, local | self._results(container, node) | numbers))

    def _results(self, container: Task, node: Node) -> Data:
        """The output collection: what the instances that are done answered, in the order of their items."""
        if not (node.loop and node.loop.output):
            return {}
        return {node.loop.output: [given[0] for given in container.internal_data["results"] if given]}

    def _instances_done(self, container: Task, node: Node) -> None:
        for rest in list(container.children):
            self._cancel(rest)
        self._write(container, self._results(container, node))
        self._later(self._leave, container)
