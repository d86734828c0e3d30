"""Events that are waited for: arming them, and what happens when one comes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from SpiffWorkflow.task import Task

from engine.diagram import ACTIVITIES, Event, Node
from engine.errors import StepFailed
from engine.expressions import Budget, ExpressionError, MissingVariable, compile_expression
from engine.gateways import Gateways
from engine.moments import parse_cycle, parse_duration, parse_instant
from engine.program import Data
from engine.tokens import stopped
from engine.tree import STARTED, WAITING


class Catching(Gateways):
    """Tokens that wait for events, and the listeners on boundaries and of event subprocesses."""

    # ---- arming ---------------------------------------------------------------------------------------------

    def _wait_here(self, node: Node, scope: Task, race: str | None = None) -> None:
        task = self._new(node, scope, WAITING, **({"race": race} if race else {}))
        if node.kind == "receiveTask":
            self._arm(task, Event("message", node.reference))
        for event in node.events:
            self._arm(task, event)

    def _race(self, node: Node, scope: Task) -> None:
        count = self.counts[node.id + "#"] = self.counts.get(node.id + "#", 0) + 1
        for flow in self.diagram.outgoing[node.id]:
            self._wait_here(self.diagram.nodes[flow.target], scope, f"{node.id}#{count}/{flow.id}")

    def _arm_boundary(self, node: Node, host: Task) -> None:
        for event_node in self.diagram.boundary.get(node.id, ()):
            task = self._new(event_node, host.parent, WAITING, host=host.id, listener=True)
            for event in event_node.events:
                self._arm(task, event)

    def _listen(self, handler: Node, scope: Task) -> None:
        start = self.diagram.starts(handler.id)[0]
        task = self._new(start, scope, WAITING, handler_of=handler.id, listener=True)
        for event in start.events:
            self._arm(task, event)

    def _arm(self, task: Task, event: Event) -> None:
        armed: Data = {"kind": event.kind, "name": event.name}
        if event.kind == "timer":
            armed |= self._due(event, task)
        elif event.kind == "conditional":
            armed["condition"] = event.text
        task.internal_data.setdefault("armed", []).append(armed)
        self._note("armed", task.task_spec.name, task.id)

    def _due(self, event: Event, task: Task) -> Data:
        node, text = self._node(task), event.text or ""
        if text.startswith("="):
            text = str(self._evaluate(text[1:], task, node))
        try:
            if event.timer == "date":
                return {"due": parse_instant(text).isoformat(), "fixed": True}
            if event.timer == "duration":
                return {"due": parse_duration(text).after(self.now).astimezone(UTC).isoformat()}
            cycle = parse_cycle(text)
            first = max(cycle.first or cycle.interval.after(self.now), self.now)  # what is past is not made up for, round by round
            return {"due": first.astimezone(UTC).isoformat(), "cycle": text, "left": cycle.count}
        except (ValueError, OverflowError) as error:
            raise StepFailed(node.id, "timer_unreadable", f"“{node.label}”的时间无法读取：{error}") from error

    # ---- what comes -----------------------------------------------------------------------------------------

    def _caught(self, task: Task, armed: Data, data: Mapping[str, Any]) -> None:
        node, own = self._node(task), task.internal_data
        if "handler_of" in own:
            self._handle(task, armed, data)
        elif "host" in own:
            self._boundary_caught(task, node, armed, data)
        elif node.kind in ACTIVITIES and "race" not in own:
            self._write(task, data)
            self._later(self._leave, task)
        else:
            self._write(task, data)
            scope = task.parent
            rivals = own.get("race", "").rpartition("/")[0]
            if rivals:
                self._note("taken", own["race"].rpartition("/")[2])
            for other in [t for t in scope.children if rivals and t.internal_data.get("race", "").startswith(rivals + "/")]:
                self.tree.remove(other)
            if self._alive(task):
                self.tree.remove(task)
            self._follow(node, scope)

    def _boundary_caught(self, task: Task, node: Node, armed: Data, data: Mapping[str, Any]) -> None:
        scope = task.parent
        self._write(scope, data)
        if node.interrupting:
            self._cancel(self.tree.tasks[task.internal_data["host"]])
        else:
            self._rearm(task, armed)
        self._follow(node, scope)

    def _handle(self, task: Task, armed: Data, data: Mapping[str, Any]) -> None:
        start, scope = self._node(task), task.parent
        handler = self.diagram.nodes[task.internal_data["handler_of"]]
        self._write(scope, data)
        if start.interrupting:
            self._halt(scope)
        else:
            self._rearm(task, armed)
        body = self._new(handler, scope, STARTED, handler=True)
        self._note("entered", handler.id, body.id)
        self._open_scope(body, handler.id, [start])

    def _rearm(self, task: Task, armed: Data) -> None:
        """After a non-interrupting catch: timers run out or come again, other events stay armed."""
        if armed["kind"] == "conditional":
            armed["was"] = True
        if armed["kind"] != "timer":
            return
        left = armed.get("left", 1)
        if "cycle" not in armed or (left is not None and left <= 1):
            self.tree.remove(task)
            return
        armed["left"] = None if left is None else left - 1
        try:
            armed["due"] = parse_cycle(armed["cycle"]).interval.after(datetime.fromisoformat(armed["due"])).isoformat()
        except ValueError as error:
            raise StepFailed(task.task_spec.name, "timer_unreadable", f"“{self._node(task).label}”：{error}") from error

    @abstractmethod
    def _open_scope(self, scope: Task, holder: str, starts: Sequence[Node]) -> None:
        """Begins what a subprocess, a process or an event subprocess holds."""

    @abstractmethod
    def _leave(self, task: Task) -> None:
        """An activity is done."""

    # ---- conditions -----------------------------------------------------------------------------------------

    def _fire_condition(self) -> bool:
        """A conditional event fires when its condition turns true; what is not known yet is not true."""
        for task in self._live() if self.program.conditional else ():
            for armed in task.internal_data.get("armed", ()):
                if armed["kind"] == "conditional" and self._turned_true(task, armed):
                    self._note("fired", task.task_spec.name, task.id)
                    self._caught(task, armed, {})
                    return True
        return False

    def _turned_true(self, task: Task, armed: Data) -> bool:
        try:
            condition = compile_expression(armed["condition"] or "false")
            holds = bool(condition.evaluate(self.visible_to(task), self.now, Budget(within=self.effort)))
        except MissingVariable:
            holds = False
        except ExpressionError as error:
            raise stopped(self._node(task), error) from error
        turned = holds and not armed.get("was")
        armed["was"] = holds
        return turned
