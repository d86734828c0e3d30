"""Rehearsal: what would have become of real cases on a draft, had people decided as the record says.

Nothing is written and nothing is asked: a rehearsal is a function of logs and two programs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from engine.diagram import Diagram, Node
from engine.errors import Diverged, Erased, StepFailed, Unanswered
from engine.expressions import ExpressionError
from engine.log import Recorded
from engine.machine import Machine
from engine.outcomes import Due, Ending, Outcome, Parting, Stop
from engine.plans import MOVES, Plan, planned
from engine.program import Program, Step
from engine.replay import lived
from engine.walk import Walk
from engine.ways import Visit, Way, first_beyond, is_step, source

Deadlines = Callable[[Node, Mapping[str, Any], datetime], datetime | None]
"""Until when a task that opens must be done, by its settings and the data it sees; None for no limit."""


def rehearse(
    programs: Callable[[int], Program],
    version_id: int,
    draft: Program,
    log: Sequence[Recorded],
    plan: Plan,
    deadlines: Deadlines | None = None,
) -> Outcome:
    """One case, of version `version_id` now, on the draft; limits that history knows nothing of fire when they are due."""
    return _Rehearsal(programs, version_id, draft, log, plan, deadlines).run()


@dataclass
class _Before:
    """The case as it was, until the draft stops: its visits, where it rests in the words of the draft, and the ends it came to."""

    visits: list[Visit] = field(default_factory=list)
    rested: frozenset[str | None] = frozenset()
    ends: tuple[Node, ...] = ()


class _Rehearsal:
    def __init__(
        self,
        programs: Callable[[int], Program],
        version_id: int,
        draft: Program,
        log: Sequence[Recorded],
        plan: Plan,
        deadlines: Deadlines | None,
    ) -> None:
        self.programs, self.version_id = programs, version_id
        self.before, self.draft, self.plan = programs(version_id), draft, plan
        self.log, self.deadlines = log, deadlines
        self.walk = Walk(self.before, draft, plan, new_limits(self.before.diagram, draft.diagram, plan))
        self.steps: list[Step] = []
        self.was, self.way = Way(), Way(passed=plan.passed)
        self.dues: list[Due] = []

    def run(self) -> Outcome:
        try:
            stop = self._on_the_draft()
            was = self._as_it_was(stop)
        except Erased:
            return Outcome(Ending.ERASED)
        except Diverged as error:
            return Outcome(Ending.STOPPED, stop=Stop(error.seq, "", "diverged", str(error)))
        machine = self.walk.machine
        stop = stop or self._waiting_where_nobody_was(machine)
        parting, apart = self._parting(was, stop) or self._another_end(was, stop) or (None, None)
        gone, come = Counter(visit.node.id for visit in was.visits if visit.new is None and is_step(visit.node)), self._added()
        same = Ending.REROUTED if gone or come else Ending.SAME
        return Outcome(
            Ending.PARTED if parting else Ending.STOPPED if stop else same,
            parting,
            stop,
            machine.finished,
            tuple(machine.ended_at),
            tuple(task.element for task in machine.open()),
            Counter(self._elements()),
            frozenset(step.element for step in self.steps if step.kind == "taken"),
            tuple(self.dues),
            tuple(self.was.visits),
            tuple(self.way.visits),
            apart,
            gone,
            come,
            {visit.node.id: visit.node.label for visit in was.visits if visit.new is None},
        )

    def _on_the_draft(self) -> Stop | None:
        try:
            for entry, machine in self.walk.along(self.log):
                self._went(entry.seq, entry.kind, machine)
                for key, step in self.walk.opened:
                    self._due(entry, key, step)
        except Unanswered as error:
            self._went(error.seq, "", self.walk.machine)
            return Stop(error.seq, error.element, error.rule, error.message)
        return None

    def _went(self, seq: int, kind: str, machine: Machine) -> None:
        self.steps += machine.steps
        self.way.goes_on(seq, kind, machine.steps, self.draft.diagram)
        machine.steps.clear()

    def _elements(self) -> list[str]:
        """The nodes of the draft it came to; what a rewind opens anew it had come to before."""
        return [visit.node.id for visit in self.way.visits if not visit.again]

    def _as_it_was(self, stop: Stop | None) -> _Before:
        was, plans = _Before(), {entry.seq: plan for entry, plan in planned(self.log, self.plan)}
        try:
            for entry, machine in lived(self.programs, self.version_id, self.log):
                plan = plans[entry.seq]
                if entry.kind not in MOVES:
                    self.was.naming = partial(self._on_draft, plan)
                    self.was.goes_on(entry.seq, entry.kind, machine.steps, machine.diagram)
                if stop is None or entry.seq < stop.seq:
                    was.rested, was.ends = frozenset(map(plan.new, machine.occupied())), _ends(machine)
        except (Erased, Diverged) as error:
            if stop is None or error.seq < stop.seq:
                raise
        was.visits = [visit for visit in self.was.visits if not visit.again and (stop is None or visit.seq < stop.seq)]
        return was

    def _on_draft(self, plan: Plan, element: str) -> str | None:
        new = plan.new(element)
        return new if new in self.draft.diagram.nodes else None

    def _due(self, entry: Recorded, key: str | None, step: Step) -> None:
        """Compares when a task is due; a limit that cannot be computed on the draft stops it like any step."""
        task = self.walk.machine.tree.tasks.get(step.key)
        if self.deadlines is None or task is None:
            return
        node, written = self.draft.diagram.nodes[step.element], entry.facts["opened"][key].get("due_at") if key else None
        try:
            now = self.deadlines(node, self.walk.machine.visible_to(task), step.at)
        except (StepFailed, ExpressionError) as error:
            raise Unanswered(entry.seq, node.id, "limit_unreadable", str(error)) from error
        was = datetime.fromisoformat(written) if written else None
        if was or now:
            self.dues.append(Due(step.key, step.element, was, now))

    def _waiting_where_nobody_was(self, machine: Machine) -> Stop | None:
        """A case still on its way that on the draft stands at a step it never came to."""
        known = {*self.before.diagram.nodes, *self.plan.renamed.values()}
        added = next((task.element for task in machine.open() if task.element not in known), None)
        if added is None:
            return None
        return Stop(self.log[-1].seq, added, "step_added", f"“{self.walk.label(added)}”是新版增加的环节，记录中没有它的办理结果。")

    def _known(self) -> set[str | None]:
        """What of the draft history knows, and the limits that have fired without it."""
        return {*map(self.plan.new, self.before.diagram.nodes), *self.walk.limits}

    def _added(self) -> frozenset[str]:
        known = self._known()
        return frozenset(visit.node.id for visit in self.way.visits if visit.node.id not in known and is_step(visit.node))

    def _parting(self, was: _Before, stop: Stop | None) -> tuple[Parting, int] | None:
        """The first place that only one of the two ways comes to, and with which command. A stop, or a step that is no more,
        explains one that lags behind."""
        both = [(visit.seq, visit.new) for visit in was.visits if visit.new]
        ways, known = ([new for _, new in both], self._elements()), self._known()
        there, here = Counter(ways[0]), Counter(element for element in ways[1] if element in known)
        skipped = not was.rested <= self.draft.diagram.nodes.keys()
        now, lost = first_beyond(ways[1], here - there), first_beyond(ways[0], there - here)
        if now is not None and not skipped:
            parting = Parting(source(self.draft.diagram, ways[1], now), None if lost is None else ways[0][lost], ways[1][now])
            return parting, self._seq(now)
        if lost is not None and not stop:
            return Parting(source(self.draft.diagram, ways[0], lost), ways[0][lost], None), both[lost][0]
        return None

    def _another_end(self, was: _Before, stop: Stop | None) -> tuple[Parting, int] | None:
        """A case that was over comes to an end that it did not know, instead of one that is no more. Ends are the same when
        people call them the same."""
        there = {self.plan.new(end.id): end for end in was.ends}
        here = {end.id: end for end in _ends(self.walk.machine)}
        names = {end.name for end in there.values()}, {end.name for end in here.values()}
        lost = next((end.id for new, end in there.items() if new not in here and end.name not in names[1]), None)
        instead = next((end.id for id, end in here.items() if id not in there and end.name not in names[0]), None)
        if stop or lost is None or instead is None:
            return None
        way = self._elements()
        at = way.index(instead)
        return Parting(source(self.draft.diagram, way, at), lost, instead), self._seq(at)

    def _seq(self, index: int) -> int:
        """With which command the draft comes to a node of its way."""
        return [visit.seq for visit in self.way.visits if not visit.again][index]


def _ends(machine: Machine) -> tuple[Node, ...]:
    """The ends of the process that an instance which is over came to."""
    nodes = (machine.diagram.nodes[element] for element in machine.ended_at if machine.finished)
    return tuple(node for node in nodes if node.scope == machine.diagram.main.id)


def new_limits(old: Diagram, new: Diagram, plan: Plan) -> frozenset[str]:
    """The timers of the new diagram that the old has not, or has with another text."""
    before = {plan.new(node.id): _timers(node) for node in old.nodes.values()}
    return frozenset(node.id for node in new.nodes.values() if _timers(node) and before.get(node.id) != _timers(node))


def _timers(node: Node) -> Iterable[str | None]:
    return [event.text for event in node.events if event.kind == "timer"]
