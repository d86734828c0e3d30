"""Moves the tokens of one instance by the rules of BPMN 2.0, and nothing else.

A machine is a deterministic function of its diagram and the commands it was given: it reads no clock, no database
and no chance. A command that cannot be carried out raises `StepFailed`; the caller throws the machine away and loads
the last snapshot, so no instance is ever half-stepped.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from SpiffWorkflow.task import Task

from engine.errors import NoSuchTask, NothingWaits, SeveralTasksOpen, StepFailed
from engine.expressions import Budget
from engine.program import Data, Lookup, Program
from engine.repetition import Repetition
from engine.tokens import MAX_EFFORT
from engine.tree import Tree

MAX_AUTOMATIC_STEPS = 5_000


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


class Machine(Repetition):
    """One instance in memory."""

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
        self._done(task)
        return str(task.id)

    def skip(self, key: str, now: datetime) -> None:
        """Passes an open task by: it is done without data and by nobody."""
        self.now = now
        self._done(self.find(key))

    def _done(self, task: Task) -> None:
        self._note("completed", task.task_spec.name, task.id)
        self._leave(task)
        self._settle()

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

    def rewind(self, past: Data, then: datetime, now: datetime) -> None:
        """Takes the instance back to the snapshot `past` of the instant `then`.

        What reopens is a new activation, and a running limit has as long left as it had then.
        """
        current = set(self.tree.tasks)
        for open_task in self.open():
            self._note("cancelled", open_task.element, open_task.key)
        state = self._as_then(past)
        _renumber(state["tasks"], state["counts"])
        shift = now - then
        for row in state["tasks"]:
            for armed in row[4].get("armed", ()):
                if "due" in armed and not armed.get("fixed"):
                    armed["due"] = (datetime.fromisoformat(armed["due"]) + shift).isoformat()
        self._stand(state, now)
        for open_task in self.open():
            assert open_task.key not in current
            self._note("opened", open_task.element, open_task.key)

    def take_back(self, past: Data, now: datetime) -> None:
        """Undoes the last command: all stands as at the snapshot before it, under the same keys, with the limits it had."""
        before = self.open()
        self._stand(self._as_then(past), now)
        after = self.open()
        for kind, tasks, others in (("cancelled", before, after), ("opened", after, before)):
            for task in tasks:
                if task not in others:
                    self._note(kind, task.element, task.key)

    def _as_then(self, past: Data) -> Data:
        """A past state; numbers that were given since are not given again."""
        counts = {k: max(self.counts.get(k, 0), past["counts"].get(k, 0)) for k in {*self.counts, *past["counts"]}}
        return copy.deepcopy(past) | {"counts": counts}

    def _stand(self, state: Data, now: datetime) -> None:
        fresh = Machine.restore(self.program, state, now)
        self.now, self.tree, self.data, self.counts = now, fresh.tree, fresh.data, fresh.counts
        self.finished, self.ended_at = fresh.finished, fresh.ended_at

    def correct(self, data: Mapping[str, Any], now: datetime) -> None:
        """Mends the process's data from outside, after an incident."""
        self.now = now
        self.data.update(copy.deepcopy(dict(data)))
        self._settle()

    def begin_anew(self, key: str, now: datetime) -> None:
        """Lets the limits of a token begin now, as if it had just come."""
        self.now = now
        task = self.tree.tasks[key]
        running = [armed for armed in task.internal_data.get("armed", ()) if armed["kind"] == "timer"]
        events = [event for event in self._node(task).events if event.kind == "timer"] if running else []
        for armed, event in zip(running, events, strict=False):
            armed |= self._due(event, task)

    def cancel(self, now: datetime) -> None:
        """Ends the instance from outside: every token is taken back."""
        self.now = now
        self._halt(self.tree.task_tree)
        self.finished = True
        self._note("finished", self.diagram.main.id)

    # ---- the run to rest ------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Runs everything automatic until only people, events and services are waited for."""
        for _ in range(MAX_AUTOMATIC_STEPS):
            if self._queue:
                act, args = self._queue.popleft()
                if self._alive(args[-1]):
                    act(*args)
            elif not (self._fire_inclusive_join() or self._fire_condition()):
                self._finish()
                self.effort = Budget(MAX_EFFORT)
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


def _renumber(rows: list[list[Any]], counts: dict[str, int]) -> None:
    """Gives the tokens of a past state new activation numbers."""
    renamed = dict[str, str]()
    for row in rows[1:]:
        mark = "@" if "@" in row[0].removeprefix(row[1]) else "#"
        counts[row[1] + mark] = counts.get(row[1] + mark, 0) + 1
        renamed[row[0]] = f"{row[1]}{mark}{counts[row[1] + mark]}"
    rekeyed(rows, renamed)


def rekeyed(rows: list[list[Any]], renamed: Mapping[str, str]) -> None:
    """Gives the tokens of a state other keys, and mends what refers to them."""
    root = rows[0][0]
    for row in rows[1:]:
        row[0] = renamed[row[0]]
        row[2] = row[2] if row[2] == root else renamed[row[2]]
        if "host" in row[4]:
            row[4]["host"] = renamed[row[4]["host"]]
