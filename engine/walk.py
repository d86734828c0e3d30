"""A history walked on another version of its process: each recorded command goes to the step that is its own there.

What was recorded is all that is known. Where the version asks for something that the record does not answer, the walk
stops and says so; it never guesses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from datetime import datetime

from engine.errors import Erased, NothingWaits, StepFailed, Unanswered
from engine.log import Data, Recorded
from engine.machine import Machine
from engine.plans import BACK, Plan, planned
from engine.program import Program, Step

MAX_PASSED = 1_000
MAX_FIRINGS = 1_000
NO_LIMITS = frozenset[str]()


class Walk:
    """One history on another program. `before` is the program it was made on, for names that only that one has."""

    def __init__(self, before: Program, program: Program, plan: Plan, limits: Collection[str] = NO_LIMITS) -> None:
        self.before = before
        self.program = program
        self.plan = plan
        self.limits = limits
        """Timers that history knows nothing of: they fire when they are due."""
        self.keys: dict[str, str] = {}
        """Which task of the walk a recorded one is."""
        self.pasts: dict[int, tuple[Data, datetime]] = {}
        self.opened: list[tuple[str | None, Step]] = []
        """The tasks that opened with the last command, each with the recorded one that it is."""

    def along(self, log: Iterable[Recorded], wanted: Collection[int] = ()) -> Iterator[tuple[Recorded, Machine]]:
        """The machine as it stands after each command, with the steps it took just then; raises `Unanswered`, `Erased`.

        The snapshots after the commands that are `wanted` are kept.
        """
        entries = planned(log, self.plan)
        wanted = {*wanted, *(entry.data["to"] for entry, _ in entries if entry.kind in BACK and entry.data)}
        self.machine = Machine(self.program, entries[0][0].at)
        self._record = _Record([entry for entry, _ in entries])
        self._resting = False
        for entry, plan in entries:
            self._one(entry, plan)
            if entry.seq in wanted:
                self.pasts[entry.seq] = self.machine.snapshot(), entry.at
            yield entry, self.machine
            self.machine.steps.clear()
            self.machine.sent.clear()

    def _one(self, entry: Recorded, plan: Plan) -> None:
        self._resting = entry.kind == "suspend" or (self._resting and entry.kind != "resume")
        self.opened = []
        if entry.kind == "move":
            kept = entry.facts.get("kept", {})
            self.keys |= {new: self.keys[old] for old, new in kept.items() if old in self.keys}
        if entry.kind not in CARRIED:
            return
        if entry.data is None:
            raise Erased(entry.seq)
        self.machine.lookup = self._record.answering(entry, plan, self._unanswered)
        try:
            if self.limits and not self._resting:
                self._fire_limits(entry.at, plan)
            CARRIED[entry.kind](self, entry, dict(entry.data), plan)
            self._pass_by(plan)
        except StepFailed as failed:
            raise Unanswered(entry.seq, failed.element, failed.rule, failed.message) from failed
        except NothingWaits as error:
            name = str(error.name)
            raise Unanswered(entry.seq, self._held(), "nothing_waits", f"记录的下一步是收到“{name}”，新版此时没有等待它。") from error
        self._pair(entry, plan)

    # ---- commands -------------------------------------------------------------------------------------------

    def _start(self, entry: Recorded, data: Data, plan: Plan) -> None:
        self.machine.start(data, entry.at, entry.task_key and plan.new(entry.task_key))

    def _complete(self, entry: Recorded, data: Data, plan: Plan) -> None:
        key = entry.task_key or ""
        element, _, _ = key.partition("#")
        if plan.new(element) is None:
            self.machine.correct(data, entry.at)
            return
        task = self.task(key, plan)
        if task is None:
            self._stop(entry, element, plan)
        else:
            self.machine.complete(task, data, entry.at, dict(entry.actor))

    def _timer(self, entry: Recorded, _: Data, plan: Plan) -> None:
        """A timer that does not run on this version fires nothing."""
        key = self.timer(entry.task_key or "", plan)
        if key is not None:
            self.machine.fire(key, entry.at)

    def _message(self, entry: Recorded, data: Data, plan: Plan) -> None:
        self._deliver(entry, data, plan, self.machine.message)

    def _signal(self, entry: Recorded, data: Data, plan: Plan) -> None:
        """A signal that nobody waits for is lost."""
        with suppress(NothingWaits):
            self._deliver(entry, data, plan, self.machine.signal)

    def _service_result(self, entry: Recorded, data: Data, plan: Plan) -> None:
        self._deliver(entry, data, plan, self.machine.service_result)

    def _deliver(self, entry: Recorded, data: Data, plan: Plan, take: Callable[[str, Data, datetime], None]) -> None:
        name = plan.new(entry.task_key or "")
        if name is None:
            self.machine.correct(data, entry.at)
        else:
            take(name, data, entry.at)

    def _correct(self, entry: Recorded, data: Data, _: Plan) -> None:
        self.machine.correct(data, entry.at)

    def _rewind(self, entry: Recorded, data: Data, _: Plan) -> None:
        self.machine.rewind(*self.pasts[data["to"]], entry.at)

    def _withdraw(self, entry: Recorded, data: Data, _: Plan) -> None:
        self.machine.take_back(self.pasts[data["to"]][0], entry.at)

    def _cancel(self, entry: Recorded, _data: Data, _plan: Plan) -> None:
        self.machine.cancel(entry.at)

    # ---- what is whose ----------------------------------------------------------------------------------------

    def task(self, key: str, plan: Plan) -> str | None:
        """The open task that a recorded one is here: the one it was found to be when it opened, else by number, else the only one."""
        element, _, number = key.partition("#")
        new = plan.new(element)
        there = [task.key for task in self.machine.open() if task.element == new]
        if self.keys.get(key) in there:
            return self.keys[key]
        others = set(self.keys.values())
        free = [task for task in there if task not in others]
        return f"{new}#{number}" if f"{new}#{number}" in free else free[0] if len(free) == 1 else None

    def timer(self, key: str, plan: Plan) -> str | None:
        """The running timer that a recorded one is here: by number, else the one that is due first."""
        element, _, number = key.partition("#")
        new = plan.new(element)
        there = {w.key: w.due_at for w in self.machine.waiting() if w.element == new and w.due_at}
        return f"{new}#{number}" if f"{new}#{number}" in there else min(there, key=lambda one: (there[one], one), default=None)

    def _pair(self, entry: Recorded, plan: Plan) -> None:
        steps = [step for step in self.machine.steps if step.kind == "opened" and step.element not in plan.passed]
        for key in sorted(entry.facts.get("opened", ()), key=_number):
            new = plan.new(key.partition("#")[0])
            step = next((step for step in steps if step.element == new), None)
            if step:
                steps.remove(step)
                self.keys[key] = step.key
                self.opened.append((key, step))
        self.opened += [(None, step) for step in steps]

    # ---- what history says nothing of ---------------------------------------------------------------------------

    def _pass_by(self, plan: Plan) -> None:
        for _ in range(MAX_PASSED):
            key = next((task.key for task in self.machine.open() if task.element in plan.passed), None)
            if key is None:
                return
            self.machine.skip(key, self.machine.now)
        raise StepFailed(key.partition("#")[0] if key else "", "endless_loop", "视为已办的环节反复出现，可能存在死循环。")

    def _fire_limits(self, until: datetime, plan: Plan) -> None:
        for _ in range(MAX_FIRINGS):
            due = [(w.due_at, w.key) for w in self.machine.waiting() if w.element in self.limits and w.due_at and w.due_at <= until]
            if not due:
                return
            at, key = min(due)
            self.machine.fire(key, at)
            self._pass_by(plan)
        raise StepFailed(key.partition("#")[0], "endless_loop", "新增的时限反复到期，可能存在死循环。")

    def _stop(self, entry: Recorded, element: str, plan: Plan) -> None:
        """The next recorded decision is not asked for here."""
        new, held = plan.new(element), self._held()
        if new not in self.program.diagram.nodes:
            rule, message = "step_removed", f"新版没有“{self.label(element)}”这一步，请说明它改成了哪一步，或者不再需要。"
        elif held not in self.before.diagram.nodes and held not in plan.renamed.values():
            rule, message = "step_added", f"“{self.label(held)}”是新版增加的环节，记录中没有它的办理结果。"
        elif held == new:
            rule, message = "several_open", f"“{self.label(held)}”有多个待办，分不清记录中办结的是哪一个。"
        else:
            rule, message = "step_unanswered", f"记录的下一步是办理“{self.label(element)}”，新版此时停在“{self.label(held)}”。"
        raise Unanswered(entry.seq, held, rule, message)

    def _unanswered(self, element: str) -> StepFailed:
        return StepFailed(element, "lookup_unanswered", f"“{self.label(element)}”要查询的内容，记录中没有答复。")

    def _held(self) -> str:
        """Where the walk waits: at a step that history does not know, when there is one."""
        there = [*(task.element for task in self.machine.open()), *(waiting.element for waiting in self.machine.waiting())]
        known = {*self.before.diagram.nodes, *self.plan.renamed.values()}
        return next((e for e in there if e not in known), there[0] if there else (self.machine.ended_at or [""])[-1])

    def label(self, element: str) -> str:
        """What people call an element, on whichever version has it."""
        node = self.program.diagram.nodes.get(element) or self.before.diagram.nodes.get(element)
        return node.label if node else element


CARRIED: dict[str, Callable[[Walk, Recorded, Data, Plan], None]] = {
    "start": Walk._start,
    "complete": Walk._complete,
    "timer": Walk._timer,
    "message": Walk._message,
    "signal": Walk._signal,
    "service_result": Walk._service_result,
    "correct": Walk._correct,
    "rewind": Walk._rewind,
    "withdraw": Walk._withdraw,
    "cancel": Walk._cancel,
}


class _Record:
    """The answers on record: those of the same command first, then that of the same activation, then the last one before."""

    def __init__(self, log: list[Recorded]) -> None:
        self.log = log

    def answering(self, entry: Recorded, plan: Plan, missing: Callable[[str], StepFailed]) -> Callable[[str, str, Data], Data]:
        left = list(entry.facts.get("answers", ()))

        def answer(key: str, name: str, _: Data) -> Data:
            element = key.partition("#")[0]
            now = [given for given in left if given[1] == name]
            own = next((given for given in now if plan.new(given[0].partition("#")[0]) == element), now[0] if now else None)
            if own is not None:
                left.remove(own)
            found: Data | None = own[2] if own else self._elsewhere(entry, key, name)
            if found is None:
                raise missing(element)
            return found

        return answer

    def _elsewhere(self, entry: Recorded, key: str, name: str) -> Data | None:
        given = [(other.seq, *answer) for other in self.log for answer in other.facts.get("answers", ()) if answer[1] == name]
        same = [answer for _, asked, _, answer in given if asked == key]
        before = [answer for seq, _, _, answer in given if seq <= entry.seq]
        return next(iter(same or before[::-1]), None)


def _number(key: str) -> tuple[str, int]:
    element, _, number = key.partition("#")
    return element, int(number)
