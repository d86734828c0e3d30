"""Moves the tokens of one instance by the rules of BPMN 2.0, and nothing else.

A machine is a deterministic function of its diagram and the commands it was given: it reads no clock, no database
and no chance. A command that cannot be carried out raises `StepFailed`; the caller throws the machine away and loads
the last snapshot, so no instance is ever half-stepped.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.task import Task

from engine.decisions import DecisionTable
from engine.diagram import ACTIVITIES, SUBPROCESSES, Diagram, Event, Flow, Node
from engine.errors import NoSuchTask, NothingWaits, SeveralTasksOpen, StepFailed
from engine.expressions import ExpressionError, MissingVariable, compile_expression, compile_script
from engine.moments import parse_cycle, parse_duration, parse_instant
from engine.tree import STARTED, WAITING, Tree, node_of, scopes_of, specify

MAX_AUTOMATIC_STEPS = 5_000
MAX_DEPTH = 40
MAX_INSTANCES = 1_000
MAX_LIVE_TASKS = 5_000
NOWHERE = frozenset[str]()

Data = dict[str, Any]
Lookup = Callable[[str, str, Data], Data]
"""What the world outside answers: `(key, name, data) -> facts`. Asked once; a replay gives the recorded answer."""


@dataclass(frozen=True)
class Step:
    """One thing that happened inside the instance."""

    kind: str
    element: str
    at: datetime
    key: str = ""


@dataclass(frozen=True)
class Open:
    """A user task waiting for a person."""

    key: str
    element: str


@dataclass(frozen=True)
class Waiting:
    """An armed timer or catch event. `due_at` is set for timers."""

    key: str
    element: str
    kind: str
    name: str | None
    due_at: datetime | None


@dataclass(frozen=True)
class Program:
    """A diagram prepared for running; shared by all instances of a version."""

    diagram: Diagram
    tables: Mapping[str, DecisionTable] = field(default_factory=dict)

    @cached_property
    def spec(self) -> WorkflowSpec:
        return specify(self.diagram)

    @cached_property
    def conditional(self) -> bool:
        """Whether any event of the diagram waits for a condition."""
        return any(event.kind == "conditional" for node in self.diagram.nodes.values() for event in node.events)

    @cached_property
    def reaches(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """For each inclusive join: which of its incoming flows can be reached from a node without passing the join."""
        joins = [n.id for n in self.diagram.nodes.values() if n.kind == "inclusiveGateway"]
        return {join: self.diagram.flows_into(join) for join in joins}


class Machine:
    """One instance in memory."""

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
        self._queue: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()

    # ---- snapshot -------------------------------------------------------------------------------------------

    def snapshot(self) -> Data:
        """The instance's whole state as a small JSON document, its own."""
        return copy.deepcopy(self.state())

    def state(self) -> Data:
        """The same, still shared with the machine: for writing down at once."""
        return {
            "tasks": self.tree.dump(),
            "data": self.data,
            "counts": self.counts,
            "finished": self.finished,
            "ended_at": self.ended_at,
        }

    @classmethod
    def restore(cls, program: Program, state: Data, now: datetime, lookup: Lookup | None = None) -> Machine:
        """The machine in this state, which becomes its own."""
        machine = cls(program, now, lookup)
        machine.tree = Tree.load(program.spec, state["tasks"])
        machine.data, machine.counts = state["data"], state["counts"]
        machine.finished, machine.ended_at = state["finished"], state["ended_at"]
        return machine

    # ---- what can be seen -----------------------------------------------------------------------------------

    def open(self) -> tuple[Open, ...]:
        """The user tasks that wait for a person, in order of their activation."""
        return tuple(Open(t.id, t.task_spec.name) for t in self._live() if t.internal_data.get("open"))

    def occupied(self) -> frozenset[str]:
        """The elements at which tokens are, calls and subprocesses around them included; listeners are no tokens."""
        return frozenset(t.task_spec.name for t in self._live() if not t.internal_data.get("listener"))

    def waiting(self) -> tuple[Waiting, ...]:
        """Armed timers, catch events and services."""
        return tuple(self._waiting(t, a) for t in self._live() for a in t.internal_data.get("armed", ()))

    def due(self, key: str) -> datetime | None:
        """When the timer of this key fires next; None when it is not armed."""
        armed = self.tree.tasks[key].internal_data.get("armed", ()) if key in self.tree.tasks else ()
        return next((datetime.fromisoformat(a["due"]) for a in armed if "due" in a), None)

    def _waiting(self, task: Task, armed: Data) -> Waiting:
        due = armed.get("due")
        return Waiting(task.id, task.task_spec.name, armed["kind"], armed.get("name"), datetime.fromisoformat(due) if due else None)

    def visible_to(self, task: Task) -> Data:
        """The data an expression of this task sees: the process's, overlaid by those of its repeated scopes."""
        seen = dict(self.data)
        for scope in reversed([t for t in scopes_of(task) if "local" in t.internal_data]):
            seen.update(scope.internal_data["local"])
        return seen

    def _live(self) -> list[Task]:
        return self.tree.below(self.tree.task_tree)

    # ---- commands -------------------------------------------------------------------------------------------

    def start(self, data: Mapping[str, Any], now: datetime, event: str | None = None) -> None:
        """Begins the process at its none start, or at the start event that waits for message or signal `event`."""
        self.now = now
        self.data.update(copy.deepcopy(dict(data)))
        process = self.diagram.main.id
        self._note("started", process)
        starts = self.diagram.starts(process)
        if event is None:
            chosen = [n for n in starts if not n.events] or list(starts)
        elif not (chosen := [n for n in starts if event in {e.name for e in n.events}]):
            raise NothingWaits(event)
        self._open_scope(self.tree.task_tree, process, chosen)
        self._settle()

    def complete(self, key: str, data: Mapping[str, Any], now: datetime, actor: Data | None = None) -> str:
        """Finishes an open task, named by key or, when it is the only one, by element id; returns its key.

        A task that asks for it (`wz:actor as="settler"`) leaves who finished it in the data.
        """
        self.now = now
        task = self.find(key)
        self._write(task, data)
        if "actor" in self._node(task).settings:
            self._write(task, {self._node(task).settings["actor"]["as"]: actor or {}})
        self._note("completed", task.task_spec.name, task.id)
        self._leave(task)
        self._settle()
        return str(task.id)

    def find(self, key: str) -> Task:
        """The open task a person means by `key`."""
        matches = [t for t in self._live() if t.internal_data.get("open") and key in (t.id, t.task_spec.name)]
        if not matches:
            raise NoSuchTask(key)
        if len(matches) > 1:
            raise SeveralTasksOpen(key, tuple(t.id for t in matches))
        return matches[0]

    def fire(self, key: str, due_at: datetime) -> None:
        """A timer is due: the firing is a command that carries its instant."""
        self.now = due_at
        task = self.tree.tasks.get(key)
        armed = next((a for a in (task.internal_data.get("armed", ()) if task else ()) if "due" in a), None)
        if task is None or armed is None:
            raise NoSuchTask(key)
        self._note("fired", task.task_spec.name, task.id)
        self._caught(task, armed, {})
        self._settle()

    def message(self, name: str, data: Mapping[str, Any], now: datetime) -> None:
        """A message from outside; exactly one catcher takes it."""
        self._deliver("message", name, data, now, once=True)

    def signal(self, name: str, data: Mapping[str, Any], now: datetime) -> None:
        """A signal; everyone who waits for it takes it."""
        self._deliver("signal", name, data, now, once=False)

    def service_result(self, element: str, data: Mapping[str, Any], now: datetime) -> None:
        """What an outside service answered."""
        self._deliver("service", element, data, now, once=True)

    def _deliver(self, kind: str, name: str, data: Mapping[str, Any], now: datetime, *, once: bool) -> None:
        self.now = now
        if not self._broadcast(kind, name, data, once=once):
            raise NothingWaits(name)
        self._settle()

    def _broadcast(self, kind: str, name: str | None, data: Mapping[str, Any], *, once: bool) -> bool:
        heard = [(t, a) for t in self._live() for a in t.internal_data.get("armed", ()) if (a["kind"], a["name"]) == (kind, name)]
        for task, armed in heard[:1] if once else heard:
            if task.id in self.tree.tasks:
                self._note("fired", task.task_spec.name, task.id)
                self._caught(task, armed, data)
        return bool(heard)

    def rewind(self, past: Data, then: datetime, now: datetime) -> None:
        """Takes the instance back to the snapshot `past` of the instant `then`.

        What reopens is a new activation, and a running limit has as long left as it had then.
        """
        current = set(self.tree.tasks)
        for open_task in self.open():
            self._note("cancelled", open_task.element, open_task.key)
        counts = {k: max(self.counts.get(k, 0), past["counts"].get(k, 0)) for k in {*self.counts, *past["counts"]}}
        state = copy.deepcopy(past) | {"counts": counts}
        _renumber(state["tasks"], counts)
        shift = now - then
        for row in state["tasks"]:
            for armed in row[4].get("armed", ()):
                if "due" in armed and not armed.get("fixed"):
                    armed["due"] = (datetime.fromisoformat(armed["due"]) + shift).isoformat()
        fresh = Machine.restore(self.program, state, now)
        self.now, self.tree, self.data, self.counts = now, fresh.tree, fresh.data, fresh.counts
        self.finished, self.ended_at = fresh.finished, fresh.ended_at
        for open_task in self.open():
            assert open_task.key not in current
            self._note("opened", open_task.element, open_task.key)

    def correct(self, data: Mapping[str, Any], now: datetime) -> None:
        """Mends the process's data from outside, after an incident."""
        self.now = now
        self.data.update(copy.deepcopy(dict(data)))
        self._settle()

    def cancel(self, now: datetime) -> None:
        """Ends the instance from outside: every token is taken back."""
        self.now = now
        self._halt(self.tree.task_tree)
        self.finished = True
        self._note("finished", self.diagram.main.id)

    # ---- the run to rest ------------------------------------------------------------------------------------

    def _later(self, act: Callable[..., None], *args: Any) -> None:
        """Queues a step of the task or scope that `args` end with; it is dropped when that is taken back meanwhile."""
        self._queue.append((act, args))

    def _settle(self) -> None:
        """Runs everything automatic until only people, events and services are waited for."""
        for _ in range(MAX_AUTOMATIC_STEPS):
            if self._queue:
                act, args = self._queue.popleft()
                if self._alive(args[-1]):
                    act(*args)
            elif not (self._fire_inclusive_join() or self._fire_condition()):
                self._finish()
                return
        last = self.steps[-1].element if self.steps else self.diagram.main.id
        raise StepFailed(last, "endless_loop", "流程自动运行的步数过多，可能存在没有人工环节的死循环。")

    def _finish(self) -> None:
        root = self.tree.task_tree
        if not self.finished and not self._tokens(root):
            for task in list(root.children):
                self.tree.remove(task)
            self.finished = True
            self._note("finished", self.diagram.main.id)

    def _tokens(self, scope: Task) -> list[Task]:
        """Tokens at rest: boundary and event-subprocess listeners keep no scope alive."""
        return [t for t in scope.children if not t.internal_data.get("listener")]

    def _moving(self, scope: Task) -> bool:
        """Whether a token of this scope is still on its way along a flow."""
        return any(act in (self._take, self._begin_at, self._follow) and args[-1] is scope for act, args in self._queue)

    def _halt(self, scope: Task) -> None:
        """Takes back every token of the scope, resting or moving."""
        self._queue = deque((act, args) for act, args in self._queue if args[-1] is not scope)
        for task in list(scope.children):
            if self._alive(task):
                self._cancel(task)

    def _note(self, kind: str, element: str, key: str = "") -> None:
        self.steps.append(Step(kind, element, self.now, key))

    # ---- tokens ---------------------------------------------------------------------------------------------

    def _new(self, node: Node, scope: Task, state: int, mark: str = "#", **own: Any) -> Task:
        if len(self.tree.tasks) >= MAX_LIVE_TASKS:
            raise StepFailed(node.id, "too_many_tasks", f"“{node.label}”同时进行的环节过多。")
        count = self.counts[node.id + mark] = self.counts.get(node.id + mark, 0) + 1
        task = self.tree.add(f"{node.id}{mark}{count}", self.program.spec.task_specs[node.id], scope, state)
        task.internal_data = own
        return task

    def _alive(self, task: Task) -> bool:
        return self.tree.tasks.get(task.id) is task

    def _cancel(self, task: Task) -> None:
        """Takes a token back, with all that it holds and listens to."""
        for gone in [*self._hosted(task), *self.tree.below(task), task]:
            if gone.internal_data.get("open"):
                self._note("cancelled", gone.task_spec.name, gone.id)
        for listener in self._hosted(task):
            self.tree.remove(listener)
        self.tree.remove(task)

    def _hosted(self, host: Task) -> list[Task]:
        return [t for t in host.parent.children if t.internal_data.get("host") == host.id] if host.parent else []

    def _take(self, flow: Flow, scope: Task) -> None:
        self._note("taken", flow.id)
        self._arrive(self.diagram.nodes[flow.target], scope, flow)

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

    def _close_if_empty(self, scope: Task) -> None:
        if scope is not self.tree.task_tree and not self._tokens(scope) and not self._moving(scope):
            self._scope_done(scope)

    # ---- expressions ----------------------------------------------------------------------------------------

    def _evaluate(self, source: str, task: Task, node: Node, beside: Mapping[str, Any] | None = None) -> Any:
        """The value of an expression that sees the task's data, and what is given `beside` it."""
        try:
            return compile_expression(source).evaluate({**self.visible_to(task), **(beside or {})}, self.now)
        except MissingVariable as error:
            raise StepFailed(node.id, "missing_variable", f"“{node.label}”：{error}") from error
        except ExpressionError as error:
            raise StepFailed(node.id, "expression_refused", f"“{node.label}”：{error}") from error

    def _write(self, task: Task, data: Mapping[str, Any]) -> None:
        """Writes to the nearest repeated scope, else to the process."""
        local = next((t.internal_data["local"] for t in scopes_of(task) if "local" in t.internal_data), self.data)
        local.update(copy.deepcopy(dict(data)))

    # ---- gateways -------------------------------------------------------------------------------------------

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

    # ---- activities -----------------------------------------------------------------------------------------

    def _enter_activity(self, node: Node, scope: Task) -> None:
        if node.triggered_by_event:
            raise StepFailed(node.id, "flow_into_event_subprocess", f"“{node.label}”由事件启动，不能有连线进入。")
        if node.loop is None:
            self._begin(node, scope)
        elif node.loop.kind == "standard":
            self._begin_loop(node, scope)
        else:
            self._begin_instances(node, scope)

    def _begin(self, node: Node, scope: Task) -> None:
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
                self._write(task, compile_script(node.script or "").run(self.visible_to(task), self.now))
            except MissingVariable as error:
                raise StepFailed(node.id, "missing_variable", f"“{node.label}”：{error}") from error
            except ExpressionError as error:
                raise StepFailed(node.id, "expression_refused", f"“{node.label}”：{error}") from error
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
                answer = self.program.tables[node.decision].decide(seen, self.now)
            except ExpressionError as error:
                rule = "missing_variable" if isinstance(error, MissingVariable) else "decision_failed"
                raise StepFailed(node.id, rule, f"“{node.label}”：{error}") from error
        else:
            answer = None
        return {node.result or node.decision or "": answer} if isinstance(answer, list) else answer or {}

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

    def _begin_at(self, node: Node, scope: Task) -> None:
        self._arrive(node, scope, None)

    def _leave(self, task: Task) -> None:
        """An activity is done: its listeners go, and the token moves on, or the repetition does."""
        node, scope = self._node(task), task.parent
        if task.internal_data.get("iteration"):
            self._iteration_done(task, node)
            return
        for listener in self._hosted(task):
            self.tree.remove(listener)
        self.tree.remove(task)
        self._follow(node, scope)

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

    def _node(self, task: Task) -> Node:
        return self.diagram.nodes[task.task_spec.name]

    # ---- repetition -----------------------------------------------------------------------------------------

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

    def _iterate(self, node: Node, container: Task, local: Data) -> None:
        task = self._new(node, container, STARTED, iteration=True, local=local)
        self._perform(node, task)

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

    # ---- events: throwing and passing -----------------------------------------------------------------------

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

    # ---- events: catching -----------------------------------------------------------------------------------

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
        except (ValueError, OverflowError) as error:
            raise StepFailed(node.id, "timer_unreadable", f"“{node.label}”的时间无法读取：{error}") from error
        first = cycle.first or cycle.interval.after(self.now)
        return {"due": first.astimezone(UTC).isoformat(), "cycle": text, "left": cycle.count}

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
        armed["due"] = parse_cycle(armed["cycle"]).interval.after(datetime.fromisoformat(armed["due"])).isoformat()

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
            holds = bool(compile_expression(armed["condition"] or "false").evaluate(self.visible_to(task), self.now))
        except MissingVariable:
            holds = False
        except ExpressionError as error:
            raise StepFailed(task.task_spec.name, "expression_refused", f"“{self._node(task).label}”：{error}") from error
        turned = holds and not armed.get("was")
        armed["was"] = holds
        return turned


def _renumber(rows: list[list[Any]], counts: dict[str, int]) -> None:
    """Gives the tokens of a past state new activation numbers, and mends what refers to them."""
    root, renamed = rows[0][0], dict[str, str]()
    for row in rows[1:]:
        mark = "@" if "@" in row[0].removeprefix(row[1]) else "#"
        counts[row[1] + mark] = counts.get(row[1] + mark, 0) + 1
        renamed[row[0]] = f"{row[1]}{mark}{counts[row[1] + mark]}"
    for row in rows[1:]:
        row[0] = renamed[row[0]]
        row[2] = row[2] if row[2] == root else renamed[row[2]]
        if "host" in row[4]:
            row[4]["host"] = renamed[row[4]["host"]]
