"""Random lives among random versions: nothing is written before a move is confirmed, and afterwards the log alone gives the state."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from engine.errors import EngineError, PlanRefused
from engine.log import entries, loads
from engine.packages import DIAGRAM, frozen_package
from engine.plans import Plan
from engine.rehearsal import rehearse
from engine.schema import incidents, instances, task_candidates, tasks, timers
from engine.versions import Version, package_of, programs
from tests.engine.durable import LI, hold
from tests.engine.test_histories import Histories
from tests.engine.test_moves import written

SEEN: Counter[str] = Counter()
ASSIGNED = '<extensionElements><wz:assign post="grid_lead" unit="place"/></extensionElements>'
FLOW = re.compile(r'<sequenceFlow id="([^"]+)" sourceRef="([^"]+)" targetRef="([^"]+)">(.*?)</sequenceFlow>')
STEP = re.compile(r'<userTask id="([^"]+)"')

Edited = tuple[str, Plan]


def renamed(xml: str, draw: Callable[[Any], Any], n: int) -> Edited:
    old = draw(st.sampled_from(STEP.findall(xml)))
    return xml.replace(f'="{old}"', f'="{old}_{n}"'), Plan({old: f"{old}_{n}"})


def inserted(xml: str, draw: Callable[[Any], Any], n: int) -> Edited:
    """A step on a flow, which may count as done."""
    flow = draw(st.sampled_from(list(FLOW.finditer(xml))))
    id, source, target, inner = flow.groups()
    step = f"x_{n}"
    drawn = f'<sequenceFlow id="{id}" sourceRef="{source}" targetRef="{step}">{inner}</sequenceFlow>'
    drawn += f'<userTask id="{step}" name="{step}">{ASSIGNED}</userTask>'
    drawn += f'<sequenceFlow id="f_{step}" sourceRef="{step}" targetRef="{target}"></sequenceFlow>'
    return xml.replace(flow[0], drawn), Plan(passed=frozenset([step]))


def removed(xml: str, draw: Callable[[Any], Any], n: int) -> Edited:
    """A step is no more: who came to it goes on to where it led. The last one stays."""
    del n
    if len(STEP.findall(xml)) == 1:
        return xml, Plan()
    step = draw(st.sampled_from(STEP.findall(xml)))
    leaving = next(flow for flow in FLOW.finditer(xml) if flow[2] == step)
    without = re.sub(rf'<userTask id="{step}".*?</userTask>', "", xml.replace(leaving[0], ""))
    without = re.sub(rf'<boundaryEvent [^>]*attachedToRef="{step}".*?</boundaryEvent>', "", without)
    return without.replace(f'targetRef="{step}"', f'targetRef="{leaving[3]}"'), Plan(dropped=frozenset([step]))


def retimed(xml: str, draw: Callable[[Any], Any], n: int) -> Edited:
    del n
    return re.sub("P2D|PT5H|P3D|P1D", draw(st.sampled_from(["PT1H", "P4D"])), xml), Plan()


def rerouted(xml: str, draw: Callable[[Any], Any], n: int) -> Edited:
    del n
    return re.sub(r"% \d", f"% {draw(st.integers(2, 5))}", xml), Plan()


EDITS = (renamed, inserted, removed, retimed, rerouted)


class Moves(Histories):
    """The lives of `Histories`, with administrators who draw other versions and move the instance there and back."""

    def version(self) -> int:
        return int(self.ask(select(instances.c.version_id))[0].version_id)

    def living(self) -> list[Any]:
        rows = [self.ask(select(t).order_by(*t.primary_key)) for t in (task_candidates, timers, incidents, instances)]
        kept = ("version_id", "status", "has_incident", "ended_at")
        return [
            self.ask(select(tasks).where(tasks.c.closed_at.is_(None)).order_by(tasks.c.id)),
            *rows[:3],
            [[getattr(row, name) for name in kept] for row in rows[3]],
        ]

    def state(self) -> Any:
        found = self.ask(select(instances.c.state))[0].state
        return loads(found) | {"counts": None} if found else None

    @rule(values=st.lists(st.integers(0, 9), min_size=1, max_size=4))
    def work_on(self, values: list[int]) -> None:
        """People do what there is to do, one task after the other."""
        for value in values:
            if keys := self.open():
                self.act(lambda run, key=keys[0], n=value: run.complete(hold(run, self.instance, key), {"n": n}, LI))

    @precondition(lambda self: self.status()[0] in ("running", "suspended"))
    @rule(
        data=st.data(),
        edits=st.lists(st.sampled_from(EDITS), min_size=1, max_size=2, unique=True),
        told=st.booleans(),
        back=st.booleans(),
    )
    def another_version(self, data: st.DataObject, edits: list[Any], told: bool, back: bool) -> None:
        """Somebody draws it, and says what has become of what, or nothing."""
        with self.database.connect() as connection:
            package = package_of(connection, self.version())
        xml, plan = package.files[DIAGRAM].decode(), Plan()
        for edit in edits:
            SEEN["drawn"] += 1
            xml, more = edit(xml, data.draw, SEEN["drawn"])
            plan = plan.then(more)
        try:
            version = self.bench.publish(frozen_package({DIAGRAM: xml.encode()}))
        except EngineError:
            SEEN["refused"] += 1
            return
        nodes = package.diagram.nodes
        said = Plan({old: new for old, new in plan.renamed.items() if old in nodes}, plan.dropped & nodes.keys(), plan.passed)
        self.rehearse(version, said if told else Plan())
        self.move(version, said if told else Plan(), back=back)

    def rehearse(self, version: Version, plan: Plan) -> None:
        def look() -> None:
            with self.database.connect() as connection:
                draft, log = package_of(connection, version.id).program, entries(connection, self.instance)
                if any(entry.kind == "start" for entry in log):
                    SEEN[rehearse(programs(connection), self.version(), draft, log, plan).ending] += 1

        assert written(self.database, look) == []

    def move(self, version: Version, plan: Plan, *, back: bool) -> None:
        previews: list[Any] = []

        def look() -> None:
            with self.bench.instances() as run:
                previews.append(run.preview_move(self.instance, version, plan))

        try:
            assert written(self.database, look) == []
        except PlanRefused:
            SEEN["impossible"] += 1
            return
        prospect, before, was = previews[0], self.living(), self.state()
        if prospect.refusal:
            SEEN["unanswered"] += 1
            self.act(lambda run: run.move(self.instance, version, plan, LI, "改版"))
            assert (self.living(), self.state()) == (before, was)
            return
        with self.bench.instances() as run:
            advance = run.move(self.instance, version, plan, LI, "改版")
        SEEN["moved"] += 1
        assert (list(advance.closed), set(self.open())) == (
            list(prospect.closed),
            {new for _, new in prospect.kept} | {opening.key for opening, _ in prospect.opened},
        )
        self.the_record_is_whole()
        if back:
            with self.bench.instances() as run:
                run.undo_move(self.instance, LI, "撤销")
            assert (self.living(), self.state()) == (before, was)
            SEEN["back"] += 1

    @precondition(lambda self: self.status()[0] in ("running", "suspended"))
    @rule()
    def undo(self) -> None:
        before = self.version()
        self.act(lambda run: run.undo_move(self.instance, LI, "撤销"))
        SEEN["undone"] += self.version() != before


TestMoves = Moves.TestCase
TestMoves.settings = settings(
    max_examples=160,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_enough_was_moved() -> None:
    """Runs after the lives: what they prove is worth what they tried."""
    assert SEEN["moved"] >= 60 and SEEN["back"] >= 20 and SEEN["unanswered"] >= 3, SEEN
    assert all(SEEN[ending] for ending in ("same", "parted", "stopped"))
