"""Plays scenarios: tests of a process that an official can read, run in memory with a frozen clock."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson

from engine.diagram import Node
from engine.errors import EngineError, NoSuchTask, NothingWaits, SeveralTasksOpen, StepFailed, Unreadable
from engine.log import Command
from engine.machine import Machine, Waiting
from engine.moments import Duration
from engine.program import Data, Program, Step
from engine.replay import carry_out, retried
from engine.scenario_files import VERBS, Scenario
from engine.scenario_names import Names

_V = TypeVar("_V")
EPOCH = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
MAX_FIRINGS = 20_000
MAX_STEPS = 50_000
"""How far the diagram goes by itself in scenarios that are played one after the other: some seconds."""
STRIDE = 50


@dataclass(frozen=True)
class Failure:
    """What a scenario expected and did not see; step 0 is the start."""

    step: int
    message: str


@dataclass(frozen=True)
class Played:
    """The outcome of one scenario."""

    name: str
    failures: tuple[Failure, ...]
    events: tuple[Step, ...]
    open: tuple[str, ...]
    finished: bool
    data: Mapping[str, Any]
    cost: int
    """How many steps the diagram took."""

    @property
    def passed(self) -> bool:
        return not self.failures


Deadlines = Callable[[Node, Mapping[str, Any], datetime], datetime | None]
"""Until when a task that opens must be done, by its settings and the data it sees; None for no limit."""


Titles = Mapping[str, str]
"""What the forms call the data."""


def play(
    program: Program, scenario: Scenario, deadlines: Deadlines | None = None, steps: int = MAX_STEPS, titles: Titles | None = None
) -> Played:
    """Runs one scenario to its end, to the first step that cannot be carried out, or until the diagram has taken so many steps."""
    return _Player(program, scenario, deadlines, steps, titles or {}).run()


@dataclass(frozen=True)
class OpenTask:
    """A task that is open where a scenario stands, with the data it sees."""

    key: str
    element: str
    due: datetime | None
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Stand:
    """Where a scenario stands after its last step. `stopped`: the step that cannot be carried out; `asked`: how often each lookup was."""

    at: datetime
    open: tuple[OpenTask, ...]
    waiting: tuple[Waiting, ...]
    incidents: tuple[StepFailed, ...]
    asked: Mapping[str, int]
    data: Mapping[str, Any]
    finished: bool
    ended_at: tuple[str, ...]
    stopped: Failure | None


def stand(program: Program, scenario: Scenario, deadlines: Deadlines | None = None) -> Stand:
    """Runs a scenario that is still being written, and says where it stands."""
    player = _Player(program, scenario, deadlines, MAX_STEPS, {})
    player.run()
    return player.stand()


@dataclass
class _Incident:
    """A command that could not be carried out, and whether the scenario said so."""

    failed: StepFailed
    command: Command
    step: int
    expected: bool = False


class _Player:
    def __init__(self, program: Program, scenario: Scenario, deadlines: Deadlines | None, steps: int, titles: Titles) -> None:
        self.program = program
        self.names = Names(program.diagram, titles)
        self.steps, self.left = steps, steps
        self.deadlines = deadlines
        self.due: dict[str, datetime] = {}
        self.scenario = scenario
        self.now: datetime = scenario.start.get("at", EPOCH)
        self.machine = Machine(program, self.now, self.lookup)
        self.asked: Counter[str] = Counter()
        self.puzzled: dict[str, int] = {}
        """Lookups without an answer, also those that made a command fail."""
        self.before: dict[str, tuple[bytes, datetime]] = {}
        self.incidents: list[_Incident] = []
        self.happened: list[_Incident] = []
        self.events: list[Step] = []
        self.failures: list[Failure] = []
        self.step = 0
        self.stopped: Failure | None = None
        self.firings = 0
        self.remember()

    def lookup(self, _key: str, name: str, _data: Mapping[str, Any]) -> Data:
        """The scenario's answers are used up in order; the last is given again."""
        if name not in self.scenario.facts:
            self.puzzled[name] = 1
        answers = self.scenario.facts.get(name, [{}])
        answer: Data = answers[min(self.asked[name], len(answers) - 1)]
        self.asked[name] += 1
        return dict(answer)

    def run(self) -> Played:
        scenario = self.scenario
        start = scenario.start
        try:
            self.carry("start", start.get("message") or start.get("signal"), start.get("data"), start.get("by"))
            self.fire_until(self.now)
            for number, step in enumerate(scenario.steps, 1):
                self.step = number
                verb = next(v for v in VERBS if v in step)
                getattr(self, f"do_{verb}")(step[verb], step)
                self.fire_until(self.now)
        except EngineError as error:
            self.fail(str(error))
            self.stopped = self.failures[-1]
        for unexpected in (i for i in self.happened if not i.expected):
            failed = unexpected.failed
            message = f"出现未预期的异常：{failed.message}（环节“{self.names.step(failed.element)}”，规则 {failed.rule}）"
            self.failures.append(Failure(unexpected.step, message))
        machine = self.machine
        return Played(
            scenario.name,
            tuple(self.failures),
            tuple(self.events),
            tuple(task.element for task in machine.open()),
            machine.finished,
            machine.data,
            self.steps - self.left,
        )

    def stand(self) -> Stand:
        machine = self.machine
        tasks = ((task, machine.tree.tasks[task.key]) for task in machine.open())
        return Stand(
            self.now,
            tuple(OpenTask(open.key, open.element, self.due.get(open.key), machine.visible_to(task)) for open, task in tasks),
            machine.waiting(),
            tuple(incident.failed for incident in self.incidents),
            self.puzzled | self.asked,
            machine.data,
            machine.finished,
            tuple(machine.ended_at),
            self.stopped,
        )

    def fail(self, message: str) -> None:
        self.failures.append(Failure(self.step, message))

    # ---- commands -------------------------------------------------------------------------------------------

    def carry(self, kind: str, key: str | None = None, data: Mapping[str, Any] | None = None, by: Mapping[str, Any] | None = None) -> None:
        self.carry_out(Command(kind, self.now, by or {}, data or {}, key))

    def carry_out(self, command: Command) -> None:
        """Carries out a command whole, or leaves the instance as it was and opens an incident."""
        if len(self.since) >= STRIDE:
            self.remember()
        try:
            carry_out(self.machine, command, self.past)
            self.since.append(command)
        except StepFailed as failed:
            self.spend()
            self.go_back()
            self.incidents.append(_Incident(failed, command, self.step))
            self.happened.append(self.incidents[-1])
        else:
            self.incidents = [i for i in self.incidents if self.still_open(i, command)]
        for opened in (step for step in self.machine.steps if step.kind == "opened"):
            self.set_deadline(opened)
        self.events.extend(self.machine.steps)
        self.spend()

    def spend(self) -> None:
        """Counts the steps just taken, and forgets them."""
        self.left -= len(self.machine.steps)
        self.machine.steps.clear()
        if self.left < 0:
            raise Unreadable(f"场景中流程自动运行的步数合计超过上限 {MAX_STEPS} 步。")

    def remember(self) -> None:
        self.kept = (orjson.dumps(self.machine.state()), self.machine.now, Counter(self.asked))
        self.since: list[Command] = []

    def go_back(self) -> None:
        """To where the instance was before a command failed: from the last state kept, on by what was done since."""
        state, clock, self.asked = self.kept[0], self.kept[1], Counter(self.kept[2])
        self.machine = Machine.restore(self.program, orjson.loads(state), clock, self.lookup)
        for command in self.since:
            carry_out(self.machine, command, self.past)
        self.spend()

    def past(self, key: str) -> tuple[Data, datetime]:
        state, then = self.before[key]
        return orjson.loads(state), then

    def still_open(self, incident: _Incident, done: Command) -> bool:
        """An incident is over when its command succeeds after all, or when what it was about is gone."""
        if done.kind == "rewind" or self.machine.finished:
            return False
        failed = incident.command
        if failed.kind in ("complete", "timer"):
            return failed.task_key in self.machine.tree.tasks
        return (failed.kind, failed.task_key) != (done.kind, done.task_key)

    def set_deadline(self, opened: Step) -> None:
        """A limit begins when its task opens."""
        task = self.machine.tree.tasks.get(opened.key)
        if self.deadlines and task is not None:
            node = self.program.diagram.nodes[opened.element]
            due = self.deadlines(node, self.machine.visible_to(task), opened.at)
            self.due |= {opened.key: due} if due else {}

    def fire_until(self, until: datetime) -> None:
        """Fires what is due in order of its instant; a timer that failed rests until its incident is over."""
        waiting = [(w.due_at, w.key) for w in self.machine.waiting() if w.due_at and w.due_at <= until]
        heapq.heapify(waiting)
        while waiting:
            self.firings += 1
            if self.firings > MAX_FIRINGS:
                raise Unreadable(f"定时器连续触发超过 {MAX_FIRINGS} 次。")
            due, key = heapq.heappop(waiting)
            if self.machine.due(key) != due or key in {i.command.task_key for i in self.incidents if i.command.kind == "timer"}:
                continue
            self.now = max(self.now, due)
            seen = len(self.events)
            self.carry("timer", key)
            for armed in {key, *(step.key for step in self.events[seen:] if step.kind == "armed")}:
                again = self.machine.due(armed)
                if again and again <= until:
                    heapq.heappush(waiting, (again, armed))

    # ---- what a step does -----------------------------------------------------------------------------------

    def do_complete(self, key: str, step: Mapping[str, Any]) -> None:
        try:
            task = self.machine.find(key)
        except (NoSuchTask, SeveralTasksOpen) as error:
            if step["refused"]:
                return
            raise self.named(error) from error
        if step["refused"]:
            self.fail(f"“{self.names.step(key)}”本应被拒绝，却可以办理。")
        self.before[task.id] = (orjson.dumps(self.machine.state()), self.now)
        self.carry("complete", task.id, step["data"], step["by"])

    def named(self, error: NoSuchTask | SeveralTasksOpen) -> EngineError:
        """The same error, with the step by its name."""
        if isinstance(error, SeveralTasksOpen):
            return SeveralTasksOpen(self.names.step(error.element), error.keys)
        return NoSuchTask(self.names.step(error.key))

    def do_wait(self, span: Duration, _: Mapping[str, Any]) -> None:
        try:
            until = span.after(self.now)
        except ValueError as error:
            raise Unreadable(str(error)) from error
        self.fire_until(until)
        self.now = until

    def do_message(self, what: Mapping[str, Any], step: Mapping[str, Any]) -> None:
        self.carry("message", what["name"], what["data"], step["by"])

    def do_signal(self, what: Mapping[str, Any], step: Mapping[str, Any]) -> None:
        """A signal that nobody waits for is lost."""
        with suppress(NothingWaits):
            self.carry("signal", what["name"], what["data"], step["by"])

    def do_service(self, what: Mapping[str, Any], _: Mapping[str, Any]) -> None:
        self.carry("service_result", what["name"], what["data"])

    def do_rewind(self, what: Mapping[str, Any], step: Mapping[str, Any]) -> None:
        key = what["to"]
        if key not in self.before:
            keys = [k for k in self.before if k.partition("#")[0] == key]
            if not keys:
                raise Unreadable(f"无法退回到“{self.names.step(key)}”：该环节没有办理过。")
            key = keys[-1]
        self.events.append(Step("rewound", key.partition("#")[0], self.now, key))
        self.carry("rewind", None, {"to": key}, step["by"])

    def do_incident(self, what: Mapping[str, Any], _: Mapping[str, Any]) -> None:
        """Tries again now; what is mended wins over what the failed command said."""
        if not self.incidents:
            raise Unreadable("当前没有异常可以重试。")
        incident = self.incidents.pop()
        incident.expected = True
        for command in retried(incident.command, what["data"], {}, self.now):
            self.carry_out(command)

    # ---- what a step expects --------------------------------------------------------------------------------

    def do_expect(self, what: Mapping[str, Any], _: Mapping[str, Any]) -> None:
        for name, wanted in what.items():
            getattr(self, f"see_{name}")(wanted)

    def same(self, label: str, wanted: _V, seen: _V, show: Callable[[_V], str]) -> bool:
        if not _same(wanted, seen):
            self.fail(f"{label}应为 {show(wanted)}，实际为 {show(seen)}。")
        return _same(wanted, seen)

    def see_open(self, wanted: list[str]) -> None:
        tasks = self.machine.open()
        named = Counter(wanted)
        seen = Counter(t.key if t.key in named else t.element for t in tasks)
        self.same("待办", sorted(named.elements()), sorted(seen.elements()), self.names.steps)

    def see_overdue(self, wanted: list[str]) -> None:
        late = [t for t in self.machine.open() if t.key in self.due and self.due[t.key] < self.now]
        self.same("超期的待办", sorted(wanted), sorted(t.element for t in late), self.names.steps)

    def see_waiting(self, wanted: list[str]) -> None:
        self.same("等待中的事件", sorted(set(wanted)), sorted({w.element for w in self.machine.waiting()}), self.names.steps)

    def see_finished(self, wanted: bool) -> None:
        self.same("流程结束", wanted, self.machine.finished, _show)

    def see_ended_at(self, wanted: list[str]) -> None:
        missing = [end for end in wanted if end not in self.machine.ended_at]
        if missing:
            self.fail(f"应当到达结束事件 {self.names.steps(missing)}，实际到达 {self.names.steps(self.machine.ended_at)}。")

    def see_data(self, wanted: Mapping[str, Any]) -> None:
        for name, value in wanted.items():
            if name in self.machine.data:
                self.same(f"数据“{self.names.data(name)}”", value, self.machine.data[name], _show)
            else:
                self.fail(f"数据“{self.names.data(name)}”应为 {_show(value)}，实际没有填写。")

    def see_incidents(self, wanted: list[Mapping[str, str]]) -> None:
        seen = [{"element": i.failed.element, "rule": i.failed.rule} for i in self.incidents]
        trimmed = [{k: s[k] for k in w} for s, w in zip(seen, wanted, strict=False)]
        if self.same("异常", [dict(one) for one in wanted], trimmed if len(seen) == len(wanted) else seen, self.names.incidents):
            for incident in self.incidents:
                incident.expected = True


def _same(left: object, right: object) -> bool:
    """JSON's equality: 1 is 1.0 and not true."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return isinstance(left, bool) is isinstance(right, bool) and left == right


def _show(value: object) -> str:
    if isinstance(value, list):
        return "[" + "、".join(_show(v) for v in value) + "]"
    if value is None:
        return "空"
    if isinstance(value, bool):
        return "是" if value else "否"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
