"""Plays scenarios: tests of a process that an official can read, run in memory with a frozen clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import yaml

from engine.diagram import Node
from engine.errors import EngineError, StepFailed, Unreadable
from engine.machine import Machine, Program, Step
from engine.moments import parse_duration, parse_instant

EPOCH = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
MAX_FIRINGS = 2_000
VERBS = ("complete", "wait", "message", "signal", "service", "rewind", "incident", "expect")


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

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass(frozen=True)
class Scenario:
    """A scenario as written."""

    name: str
    start: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Mapping[str, Any], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def read_scenario(text: str) -> Scenario:
    """Reads a scenario file; raises `Unreadable` with a Chinese sentence."""
    try:
        raw = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable("场景文件不是有效的 YAML。") from error
    if not isinstance(raw, dict):
        raise Unreadable("场景文件应当写明 name、start 和 steps。")
    start, steps, facts = raw.get("start") or {}, raw.get("steps") or [], raw.get("facts") or {}
    if not isinstance(start, dict) or not isinstance(steps, list) or not all(isinstance(s, dict) for s in steps):
        raise Unreadable("场景文件的 start 应为对象，steps 应为步骤列表。")
    if not isinstance(facts, dict):
        raise Unreadable("场景文件的 facts 应为对象：查询名称和它的答复。")
    for number, step in enumerate(steps, 1):
        if sum(verb in step for verb in VERBS) != 1:
            raise Unreadable(f"场景第 {number} 步应当且只能写一个动作：{'、'.join(VERBS)}。")
    return Scenario(str(raw.get("name") or "未命名场景"), start, tuple(steps), facts)


Deadlines = Callable[[Node, Mapping[str, Any], datetime], datetime | None]
"""Until when a task that opens must be done, by its settings and the data it sees; None for no limit."""


def play(program: Program, scenario: Scenario, deadlines: Deadlines | None = None) -> Played:
    """Runs one scenario to its end, or to the first step that cannot be carried out."""
    return _Player(program, scenario, deadlines).run()


class _Player:
    def __init__(self, program: Program, scenario: Scenario, deadlines: Deadlines | None) -> None:
        self.program = program
        self.deadlines = deadlines
        self.due: dict[str, datetime] = {}
        self.scenario = scenario
        self.now = EPOCH
        self.machine = Machine(program, EPOCH, self.lookup)
        self.asked: Counter[str] = Counter()
        self.before: dict[str, tuple[dict[str, Any], datetime]] = {}
        self.incidents: list[tuple[StepFailed, Callable[[], None]]] = []
        self.expected_incidents = False
        self.events: list[Step] = []
        self.failures: list[Failure] = []
        self.step = 0

    def lookup(self, _key: str, name: str, _data: Mapping[str, Any]) -> dict[str, Any]:
        """The scenario's answer: always the same, or a list that is used up in order and ends with its last."""
        answers = self.scenario.facts.get(name) or {}
        if isinstance(answers, list):
            answers = answers[min(self.asked[name], len(answers) - 1)]
            self.asked[name] += 1
        return dict(answers)

    def run(self) -> Played:
        scenario = self.scenario
        try:
            if at := scenario.start.get("at"):
                self.now = _instant(at)
            event = scenario.start.get("message") or scenario.start.get("signal")
            self.command(lambda: self.machine.start(scenario.start.get("data") or {}, self.now, event))
            for number, step in enumerate(scenario.steps, 1):
                self.step = number
                self.one(step)
        except (EngineError, ValueError) as error:
            self.fail(str(error))
        if self.incidents and not self.expected_incidents:
            failed = self.incidents[-1][0]
            self.fail(f"出现未预期的异常：{failed.message}（环节 {failed.element}，规则 {failed.rule}）")
        machine = self.machine
        return Played(
            scenario.name,
            tuple(self.failures),
            tuple(self.events),
            tuple(task.element for task in machine.open()),
            machine.finished,
            machine.data,
        )

    def fail(self, message: str) -> None:
        self.failures.append(Failure(self.step, message))

    def command(self, act: Callable[[], object]) -> None:
        """Carries out a command whole, or leaves the instance as it was and opens an incident."""
        state, clock = self.machine.snapshot(), self.machine.now
        try:
            act()
        except StepFailed as failed:
            self.machine = Machine.restore(self.program, state, clock, self.lookup)
            self.incidents.append((failed, lambda: self.command(act)))
        self.events.extend(self.machine.steps)
        self.machine.steps.clear()
        if self.deadlines:
            self.set_deadlines(self.deadlines)

    def set_deadlines(self, deadlines: Deadlines) -> None:
        """A limit begins when its task opens, and ends with it."""
        tasks = self.machine.open()
        self.due = {key: due for key, due in self.due.items() if key in {t.key for t in tasks}}
        for task in (t for t in tasks if t.key not in self.due):
            node, seen = self.program.diagram.nodes[task.element], self.machine.visible_to(self.machine.tree.tasks[task.key])
            if due := deadlines(node, seen, self.machine.now):
                self.due[task.key] = due

    def one(self, step: Mapping[str, Any]) -> None:
        verb = next(v for v in VERBS if v in step)
        getattr(self, f"do_{verb}")(step[verb], step)

    def do_complete(self, key: Any, step: Mapping[str, Any]) -> None:
        try:
            task = self.machine.find(str(key))
        except EngineError as error:
            if step.get("refused"):
                return
            raise error
        if step.get("refused"):
            self.fail(f"“{key}”本应被拒绝，却可以办理。")
        self.before[task.id] = (self.machine.snapshot(), self.now)
        actor = step.get("by") if isinstance(step.get("by"), dict) else None
        self.command(lambda: self.machine.complete(task.id, step.get("data") or {}, self.now, actor))

    def do_wait(self, span: Any, _: Mapping[str, Any]) -> None:
        until = parse_duration(str(span)).after(self.now)
        for _firing in range(MAX_FIRINGS):
            due = sorted((w.due_at, w.key) for w in self.machine.waiting() if w.due_at and w.due_at <= until)
            if not due or self.incidents:
                break
            self.now = max(self.now, due[0][0])
            key, at = due[0][1], self.now
            self.command(lambda key=key, at=at: self.machine.fire(key, at))  # type: ignore[misc]
        else:
            raise Unreadable(f"等待 {span} 期间定时器触发超过 {MAX_FIRINGS} 次。")
        self.now = until

    def do_message(self, what: Any, _: Mapping[str, Any]) -> None:
        name, data = _named(what)
        self.command(lambda: self.machine.message(name, data, self.now))

    def do_signal(self, what: Any, _: Mapping[str, Any]) -> None:
        name, data = _named(what)
        self.command(lambda: self.machine.signal(name, data, self.now))

    def do_service(self, what: Any, _: Mapping[str, Any]) -> None:
        name, data = _named(what)
        self.command(lambda: self.machine.service_result(name, data, self.now))

    def do_rewind(self, what: Any, _: Mapping[str, Any]) -> None:
        key = str(what.get("to") if isinstance(what, dict) else what)
        if key not in self.before:
            keys = [k for k in self.before if k.partition("#")[0] == key]
            if not keys:
                raise Unreadable(f"无法退回到“{key}”：该环节没有办理过。")
            key = keys[-1]
        self.events.append(Step("rewound", key.partition("#")[0], self.now, key))
        self.command(lambda: self.machine.rewind(*self.before[key], self.now))

    def do_incident(self, what: Any, _: Mapping[str, Any]) -> None:
        if not self.incidents:
            raise Unreadable("当前没有异常可以重试。")
        if isinstance(what, dict):
            self.machine.data.update(what.get("data") or {})
        _failed, retry = self.incidents.pop()
        retry()

    def do_expect(self, what: Any, _: Mapping[str, Any]) -> None:
        if not isinstance(what, dict):
            raise Unreadable("expect 应当写明要核对的内容。")
        for name, wanted in what.items():
            check = getattr(self, f"see_{name}", None)
            if check is None:
                raise Unreadable(f"expect 中的“{name}”不是可以核对的内容。")
            check(wanted)

    def same(self, label: str, wanted: object, seen: object) -> None:
        if wanted != seen:
            self.fail(f"{label}应为 {_show(wanted)}，实际为 {_show(seen)}。")

    def see_open(self, wanted: list[str] | None) -> None:
        tasks = self.machine.open()
        named = Counter(str(w) for w in wanted or [])
        seen = Counter(t.key if t.key in named else t.element for t in tasks)
        self.same("待办", sorted(named.elements()), sorted(seen.elements()))

    def see_overdue(self, wanted: list[str] | None) -> None:
        late = [t for t in self.machine.open() if t.key in self.due and self.due[t.key] < self.now]
        self.same("超期的待办", sorted(wanted or []), sorted(t.element for t in late))

    def see_waiting(self, wanted: list[str] | None) -> None:
        self.same("等待中的事件", sorted(set(wanted or [])), sorted({w.element for w in self.machine.waiting()}))

    def see_finished(self, wanted: bool) -> None:
        self.same("流程结束", wanted, self.machine.finished)

    def see_ended_at(self, wanted: list[str]) -> None:
        missing = [end for end in wanted if end not in self.machine.ended_at]
        if missing:
            self.fail(f"应当到达结束事件 {_show(missing)}，实际到达 {_show(self.machine.ended_at)}。")

    def see_data(self, wanted: Mapping[str, Any]) -> None:
        for name, value in wanted.items():
            self.same(f"数据 {name} ", value, self.machine.data.get(name))

    def see_incidents(self, wanted: list[Mapping[str, str]] | None) -> None:
        self.expected_incidents = True
        seen = [{"element": f.element, "rule": f.rule} for f, _ in self.incidents]
        trimmed = [{k: s[k] for k in w} for s, w in zip(seen, wanted or [], strict=False)]
        self.same("异常", list(wanted or []), trimmed if len(seen) == len(wanted or []) else seen)


def _named(what: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(what, dict):
        return str(what.get("name") or what.get("element") or ""), what.get("data") or {}
    return str(what), {}


def _instant(value: object) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return parse_instant(str(value))


def _show(value: object) -> str:
    if isinstance(value, list):
        return "[" + "、".join(_show(v) for v in value) + "]"
    return {True: "是", False: "否"}.get(value, str(value)) if isinstance(value, bool) else str(value)
