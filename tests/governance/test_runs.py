"""Rehearsing past cases on a draft, and moving running ones, in the background: nothing is written before it is confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from lxml import etree
from sqlalchemy import func, select

from engine.log import Command, append, dumps, loads
from engine.outcomes import Ending
from engine.packages import DIAGRAM
from engine.plans import Plan
from engine.schema import commands, incidents, tasks
from engine.schema import instances as instance_rows
from engine.versions import latest_version, publish
from governance.errors import NotAllowed, NotFound, Refused
from governance.studio import runs
from governance.studio.commands import save
from governance.studio.errors import InstanceFailed, NothingChosen, RunOver, StillRunning
from governance.studio.models import Draft, Run
from governance.studio.queries import package_of_draft
from governance.studio.runs import (
    Choice,
    advance_run,
    begin_move,
    begin_preview,
    begin_rehearsal,
    begin_undo,
    cancel_run,
    endings,
    give_up_run,
    outcome_of,
    rehearsed,
    results,
    tally,
    unfinished,
)
from governance.workflow.world import instances
from tests.district import MONDAY, District
from tests.governance.test_studio import KEY, Studio
from tests.governance.test_studio import SLOWER as LIMIT

ADDED = """<bpmn:userTask id="legal_review" name="法律审查"><bpmn:extensionElements>
<wz:assign post="grid_lead,community_lead" unit="responsible_unit" /><wz:form key="carry_out_decision" />
<wz:deadline amount="1" unit="work_days" /><wz:status value="审查中" /></bpmn:extensionElements></bpmn:userTask>
<bpmn:sequenceFlow id="to_legal" sourceRef="carry_out_decision" targetRef="legal_review" />"""

FLOW = 'sourceRef="accept_case" targetRef="accept_outcome"'
NOTED = (
    FLOW,
    'sourceRef="accept_case" targetRef="noted" /><bpmn:scriptTask id="noted" name="自动登簿"><bpmn:script>booked = true</bpmn:script>'
    f'</bpmn:scriptTask><bpmn:sequenceFlow id="booked" {FLOW.replace("accept_case", "noted")}',
)
"""A step that runs by itself, in the process of issues."""


class Court(Studio):
    """Decisions of meetings on their way, and drafts that would treat them otherwise."""

    def begin(self, n: int = 3) -> list[int]:
        """So many instances of the process: the first stands at its check, the others at their first step."""
        context, unit = self.context, self.unit()
        connection = context.session.connection()
        lead = self.holder()
        data = {
            "decision_text": "清理楼道",
            "meeting_title": "三月联席会议",
            "place_unit": str(unit.id),
            "responsible_unit": str(unit.id),
            "due_at": (MONDAY + timedelta(days=9)).isoformat(),
            "convener": dict(lead.record()),
        }
        run, ids = instances(context), []
        for number in range(n):
            version, title = latest_version(connection, KEY), f"第 {number} 件"
            advance = run.start(version, data, lead.record(), business_key=f"none:{number}", title=title)
            ids.append(advance.instance_id)
        task = connection.scalar(select(tasks.c.id).where(tasks.c.instance_id == ids[0]))
        run.complete(run.hold(task or 0), {"result_text": "已清理", "carry_result": "done"}, lead.record())
        return ids

    def with_a_step(self) -> Draft:
        """A draft with a step between carrying out and checking."""
        held = self.begun()
        old = 'sourceRef="carry_out_decision" targetRef="check_decision"'
        text = self.diagram(held)
        assert old in text
        new = text.replace(old, 'sourceRef="legal_review" targetRef="check_decision"').replace(
            "</bpmn:process>", f"{ADDED}</bpmn:process>", 1
        )
        save(self.context, self.maker, held.id, held.revision, {DIAGRAM: new})
        return held

    def without_a_step(self) -> Draft:
        """A draft that goes to the check at once."""
        held, gone = self.begun(), "carry_out_decision"
        flow = f"{gone}_to_check_decision"
        root = etree.fromstring(self.diagram(held).encode())
        for element in [*root.iter(etree.Element)]:
            named = {element.get("id"), element.get("bpmnElement"), element.text}
            if element.get("targetRef") == gone:
                element.set("targetRef", "check_decision")
            parent = element.getparent()
            if parent is not None and named & {gone, flow}:
                parent.remove(element)
        save(self.context, self.maker, held.id, held.revision, {DIAGRAM: etree.tostring(root).decode()})
        return held

    def publish(self, held: Draft) -> int:
        connection = self.context.session.connection()
        return publish(connection, self.context.new_id(), package_of_draft(held), self.context.now(), by="test", reason="试").id

    def finish(self, run: Run) -> dict[str, int]:
        self.failed: list[tuple[int, Exception]] = []
        while run.ended_at is None:
            self.failed += advance_run(self.context, run.id)
        return dict(endings(self.context.session, run.id))

    def spoil(self, instance_id: int) -> None:
        """A command that nothing can make sense of."""
        held = instances(self.context).hold_instance(instance_id)
        senseless = Command("rewind", self.context.now(), self.maker.record(), {"nowhere": 1})
        head = append(self.context.session.connection(), instance_id, held.revision + 1, held.head, senseless)
        values = {"head": head, "revision": held.revision + 1}
        self.context.session.connection().execute(instance_rows.update().where(instance_rows.c.id == instance_id).values(values))

    def written(self) -> int:
        return self.context.session.connection().scalar(select(func.count()).select_from(commands)) or 0

    def versions(self, ids: list[int]) -> set[int]:
        query = select(instance_rows.c.version_id).where(instance_rows.c.id.in_(ids))
        return set(self.context.session.connection().scalars(query))


@pytest.fixture
def court(district: District) -> Iterator[Court]:
    district.clock.at = MONDAY
    with district.office.work() as context, context.session.begin_nested() as savepoint:
        yield Court(district, context)
        savepoint.rollback()


def test_a_rehearsal_counts_what_would_have_happened_and_writes_no_command(court: Court) -> None:
    court.begin()
    held = court.begun()
    save(court.context, court.maker, held.id, held.revision, {DIAGRAM: court.diagram(held).replace(*LIMIT)})
    before = court.written()
    run = begin_rehearsal(court.context, court.maker, held.id, Choice())
    assert court.finish(run) == {Ending.SAME: 3} and court.written() == before
    total = tally(court.context.session, run.id)
    assert total.visited["carry_out_decision"] == 3 and total.moved()["check_decision"].later == 1
    assert [result.ending for result, _case in results(court.context.session, run.id, ending="same")] == ["same"] * 3


def test_a_new_step_stops_a_case_unless_it_counts_as_done(court: Court) -> None:
    court.begin()
    held = court.with_a_step()
    asked = begin_rehearsal(court.context, court.maker, held.id, Choice(), Plan())
    assert court.finish(asked) == {Ending.STOPPED: 1, Ending.SAME: 2}
    stopped = results(court.context.session, asked.id, ending="stopped")[0][0]
    assert stopped.element == "legal_review" and "法律审查" in stopped.message
    passed = begin_rehearsal(court.context, court.maker, held.id, Choice())
    assert loads(passed.plan)["passed"] == ["legal_review"]
    assert court.finish(passed) == {Ending.SAME: 2, Ending.REROUTED: 1}
    total = tally(court.context.session, passed.id)
    assert (total.come, total.gone, total.added) == ({"legal_review": 1}, {}, {"legal_review"})
    session = court.context.session
    assert [outcome_of(result).come for result, _case in results(session, passed.id, "rerouted", "legal_review")] == [{"legal_review"}]
    assert results(session, passed.id, "rerouted", "check_decision") == []


def test_a_step_that_falls_away_is_told_of_by_case(court: Court) -> None:
    ids = court.begin()
    run = begin_rehearsal(court.context, court.maker, court.without_a_step().id, Choice())
    assert court.finish(run) == {Ending.REROUTED: 3}
    total = tally(court.context.session, run.id)
    assert (total.gone, total.left_out, total.come) == ({"carry_out_decision": 3}, {"carry_out_decision": 3}, {})
    assert total.names == {"carry_out_decision": "落实议定事项"}
    found = results(court.context.session, run.id, "rerouted", "carry_out_decision", limit=2)
    assert [result.instance_id for result, _case in found] == sorted(ids, reverse=True)[:2]


def test_what_was_rehearsed_before_ways_were_told_apart_still_reads(court: Court) -> None:
    court.begin(1)
    run = begin_rehearsal(court.context, court.maker, court.begun().id, Choice())
    court.finish(run)
    result = results(court.context.session, run.id)[0][0]
    result.told = dumps({name: part for name, part in loads(result.told).items() if name not in ("gone", "come", "names")})
    court.context.session.flush()
    assert tally(court.context.session, run.id).endings == {Ending.SAME: 1}


def test_one_case_is_tried_once_more_as_the_run_did(court: Court) -> None:
    ids = court.begin()
    held = court.with_a_step()
    run = begin_rehearsal(court.context, court.maker, held.id, Choice(last=2), Plan())
    court.finish(run)
    before, there = court.written(), [result.instance_id for result, _case in results(court.context.session, run.id)]
    again = {id: rehearsed(court.context, run, id).ending for id in there}
    assert again == {result.instance_id: result.ending for result, _case in results(court.context.session, run.id)}
    assert court.written() == before
    preview = begin_preview(court.context, court.maker, court.publish(held), only=there[0])
    court.finish(preview)
    for other, instance_id in ((run, (set(ids) - set(there)).pop()), (run, 5), (preview, there[0])):
        with pytest.raises(NotFound):
            rehearsed(court.context, other, instance_id)


def test_the_draft_is_rehearsed_as_it_was_when_it_began(court: Court) -> None:
    court.begin()
    held = court.with_a_step()
    run = begin_rehearsal(court.context, court.maker, held.id, Choice(), Plan())
    save(court.context, court.maker, held.id, held.revision, {DIAGRAM: court.diagram(court.begun())})
    assert court.finish(run)[Ending.STOPPED] == 1


def test_cases_are_chosen_by_their_number_and_period(court: Court) -> None:
    court.begin(12)
    held, context = court.begun(), court.context
    assert begin_rehearsal(context, court.maker, held.id, Choice(last=5)).total == 5
    run = begin_rehearsal(context, court.maker, held.id, Choice(since=context.today, until=context.today))
    assert run.total == 12
    advance_run(context, run.id)
    assert run.done == runs.STRIDE and run.ended_at is None
    for choice in (Choice(since=context.today + timedelta(days=1)), Choice(category="03"), Choice(unit_code="500199")):
        with pytest.raises(NothingChosen):
            begin_rehearsal(context, court.maker, held.id, choice)
    for choice in (Choice(last=0), Choice(last=runs.MOST + 1), Choice(unit_code="nowhere")):
        with pytest.raises(Refused):
            begin_rehearsal(context, court.maker, held.id, choice)


def test_a_run_is_cancelled_between_its_steps(court: Court) -> None:
    court.begin(12)
    run = begin_rehearsal(court.context, court.maker, court.begun().id, Choice())
    advance_run(court.context, run.id)
    cancel_run(court.context, court.maker, run.id)
    advance_run(court.context, run.id)
    assert run.done == runs.STRIDE and court.context.session.scalar(unfinished()) is None
    with pytest.raises(RunOver):
        cancel_run(court.context, court.maker, run.id)
    other = begin_rehearsal(court.context, court.maker, court.begun().id, Choice())
    give_up_run(court.context, other.id)
    assert other.ended_at and court.context.session.scalar(unfinished()) is None


def test_an_instance_at_which_something_unknown_fails_is_named_and_the_others_go_on(court: Court) -> None:
    context, ids = court.context, court.begin()
    court.spoil(ids[1])
    run = begin_rehearsal(context, court.maker, court.without_a_step().id, Choice())
    assert court.finish(run) == {Ending.REROUTED: 2, runs.FAILED: 1} and run.done == 3
    [(result, subject)] = results(context.session, run.id, ending=runs.FAILED)
    assert (result.instance_id, result.message, subject.title) == (ids[1], str(InstanceFailed()), "第 1 件")
    assert tally(context.session, run.id).endings == {Ending.REROUTED: 2}
    with pytest.raises(InstanceFailed):
        rehearsed(context, run, ids[1])
    preview = begin_preview(context, court.maker, court.publish(court.with_a_step()))
    assert court.finish(preview) == {runs.CAN: 2, runs.FAILED: 1}


def test_what_fails_in_the_middle_of_a_move_leaves_nothing_behind(court: Court) -> None:
    """The move is done when the retry of what had failed before meets something unknown."""
    context, ids = court.context, court.begin(2)
    old, connection = court.versions(ids), context.session.connection()
    run = instances(context)
    run.timer_failed(ids[1], "carry_out_decision#1", "试")
    connection.execute(incidents.update().where(incidents.c.instance_id == ids[1]).values(command="{"))
    preview = _previewed(court, court.publish(court.with_a_step()))
    moved = begin_move(context, court.maker, preview, "换版")
    assert court.finish(moved) == {runs.MOVED: 1, runs.FAILED: 1}
    assert court.versions(ids[1:]) == old and court.district.findings() == []
    assert [(id, repr(error)[:15]) for id, error in court.failed] == [(ids[1], "JSONDecodeError")]


def test_running_instances_are_previewed_moved_and_taken_back(court: Court) -> None:
    context, ids = court.context, court.begin()
    old = court.versions(ids)
    version = court.publish(court.with_a_step())
    before = court.written()
    preview = begin_preview(context, court.maker, version)
    with pytest.raises(StillRunning):
        begin_move(context, court.maker, preview.id, "换版")
    assert court.finish(preview) == {runs.CAN: 3}
    assert court.written() == before and court.versions(ids) == old
    for reason in ("", "长" * 501):
        with pytest.raises(Refused):
            begin_move(context, court.maker, preview.id, reason)
    due = dict(_dues(court, ids))
    moved = begin_move(context, court.maker, preview.id, "换版")
    assert court.finish(moved) == {runs.MOVED: 3} and court.versions(ids) == {version}
    assert dict(_dues(court, ids)) == due
    assert court.district.findings() == []
    undone = begin_undo(context, court.maker, moved.id, "退回")
    assert court.finish(undone) == {runs.UNDONE: 3} and court.versions(ids) == old
    assert court.district.findings() == []


def test_a_run_takes_back_its_own_moves_and_nobody_elses(court: Court) -> None:
    context, ids = court.context, court.begin(2)
    second = court.publish(court.with_a_step())
    moved = begin_move(context, court.maker, _previewed(court, second), "换版")
    court.finish(moved)
    third = court.publish(court.begun())
    again = begin_move(context, court.maker, _previewed(court, third), "再换版")
    assert court.finish(again) == {runs.MOVED: 2}
    early = begin_undo(context, court.maker, moved.id, "退回")
    assert court.finish(early) == {runs.CANNOT: 2} and court.versions(ids) == {third}
    assert court.finish(begin_undo(context, court.maker, again.id, "退回")) == {runs.UNDONE: 2} and court.versions(ids) == {second}
    assert court.finish(begin_undo(context, court.maker, moved.id, "退回")) == {runs.UNDONE: 2} and court.versions(ids).isdisjoint(
        {second, third}
    )


def test_what_cannot_move_says_where_and_stays(court: Court) -> None:
    context, ids = court.context, court.begin()
    version = court.publish(court.with_a_step())
    preview = begin_preview(context, court.maker, version, Plan())
    assert court.finish(preview) == {runs.CAN: 3}
    opened = next(r for r, _ in results(context.session, preview.id) if r.instance_id == ids[0])
    assert "法律审查" in opened.message
    only = begin_preview(context, court.maker, version, only=ids[1])
    assert only.total == 1


def test_a_move_takes_what_has_failed_up_again(court: Court) -> None:
    context = court.context
    held = court.begun()
    broken = court.diagram(held).replace('check_result == "pass"', 'nothing_known == "pass"')
    save(context, court.maker, held.id, held.revision, {DIAGRAM: broken})
    court.publish(held)
    ids = court.begin(1)
    run, connection = instances(context), context.session.connection()
    open_now = select(tasks.c.id).where(tasks.c.instance_id == ids[0], tasks.c.closed_at.is_(None))
    lead = court.holder()
    advance = run.complete(run.hold(connection.scalar(open_now) or 0), {"check_note": "x", "check_result": "pass"}, lead.record())
    assert advance.stopped and advance.stopped.element == "check_outcome"
    healthy = court.begun()
    save(context, court.maker, healthy.id, healthy.revision, {DIAGRAM: broken.replace("nothing_known", "check_result")})
    preview = begin_preview(context, court.maker, court.publish(healthy))
    assert court.finish(preview) == {runs.CAN: 1}
    assert court.finish(begin_move(context, court.maker, preview.id, "改正条件")) == {runs.MOVED: 1}
    assert connection.scalar(select(func.count()).select_from(incidents).where(incidents.c.resolved_at.is_(None))) == 0
    assert connection.scalar(select(instance_rows.c.status).where(instance_rows.c.id == ids[0])) == "finished"
    assert court.district.findings() == []


def test_only_makers_of_processes_run_anything(court: Court) -> None:
    court.begin(1)
    held = court.begun()
    for actor in (court.holder(), court.holder("auditor", "500199")):
        with pytest.raises(NotAllowed):
            begin_rehearsal(court.context, actor, held.id, Choice())
    with pytest.raises(NothingChosen):
        begin_preview(court.context, court.maker, latest_version(court.context.session.connection(), KEY).id)


def test_the_runner_goes_on_with_a_run_until_it_is_over(district: District) -> None:
    with district.office.work() as context:
        court = Court(district, context)
        court.begin(runs.STRIDE + 2)
        run_id = begin_rehearsal(context, court.maker, court.begun().id, Choice(last=runs.STRIDE + 2)).id
    district.tick()
    district.tick()
    with district.office.work() as context:
        run = runs.run(context.session, run_id)
        assert run.ended_at and run.done == runs.STRIDE + 2


def _dues(court: Court, ids: list[int]) -> list[tuple[int, object]]:
    query = select(tasks.c.id, tasks.c.due_at).where(tasks.c.instance_id.in_(ids), tasks.c.closed_at.is_(None))
    return [(row.id, row.due_at) for row in court.context.session.connection().execute(query)]


def _previewed(court: Court, version: int) -> int:
    preview = begin_preview(court.context, court.maker, version)
    assert court.finish(preview) == {runs.CAN: preview.total}
    return preview.id
