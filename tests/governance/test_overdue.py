"""超期处理 on SQLite and PostgreSQL: escalated or finished once, in the log, and never over what somebody has done."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Row, select, update

from engine.errors import InstanceAtRest, TaskClosed
from engine.log import Entry, dumps, entries, loads
from engine.outcomes import Ending
from engine.packages import Package, frozen_package
from engine.plans import Plan
from engine.rehearsal import rehearse
from engine.schema import incidents, task_candidates, tasks
from engine.schema import instances as instance_rows
from engine.versions import programs, publish
from engine.world import SYSTEM
from governance.calendar.commands import set_day
from governance.calendar.models import DayKind
from governance.calendar.queries import working_calendar
from governance.context import Actor, Context
from governance.errors import NotAllowed, Refused
from governance.inbox.queries import done, todo, trail
from governance.organisation.commands import note_reorganised
from governance.organisation.models import Unit
from governance.organisation.queries import unit, way_up
from governance.people.models import Appointment
from governance.starting.commands import begin
from governance.starting.models import Started
from governance.studio.rules import problems_of
from governance.workflow.commands import Escalated, claim, complete
from governance.workflow.limits import remind
from governance.workflow.overdue import retry
from governance.workflow.rules import outcomes_alone, planned_due
from governance.workflow.world import instances
from tests.district import MONDAY, District
from tests.faults.test_together import together
from tests.governance.meeting_world import Hall
from tests.governance.test_starting import ASKED, GRID, leave

LIMIT = b'<wz:deadline amount="2" unit="work_days" />'
COMMUNITY = "500199001001"
_keys = (f"process_overdue{n}" for n in itertools.count())


def overdue(setting: str, *changes: tuple[bytes, bytes], key: str = "process_leave") -> Package:
    """The template whose step 审批 says so of being overdue."""
    return leave((LIMIT, LIMIT.replace(b" />", f' overdue="{setting}" />'.encode())), *changes, key=key)


@dataclass
class Asked:
    """A request that waits for its approval."""

    district: District
    held: int

    def task(self, context: Context) -> Row[Any]:
        query = select(tasks).where(tasks.c.instance_id == self.instance(context)).order_by(tasks.c.id.desc())
        return context.session.connection().execute(query).first()  # type: ignore[return-value]

    def instance(self, context: Context) -> int:
        return context.session.get_one(Started, self.held).instance_id or 0

    def log(self) -> list[Entry]:
        with self.district.office.work() as context:
            return entries(context.session.connection(), self.instance(context))

    @property
    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.log()]

    @property
    def row(self) -> Row[Any]:
        with self.district.office.work() as context:
            return self.task(context)

    def with_whom(self) -> list[str]:
        with self.district.office.work() as context:
            return list(
                context.session.connection().scalars(
                    select(task_candidates.c.principal).where(task_candidates.c.task_id == self.task(context).id)
                )
            )

    def passes(self, **span: float) -> None:
        self.district.clock.pass_by(**span)
        self.district.tick()


@pytest.fixture(autouse=True)
def monday(district: District) -> None:
    district.clock.at = MONDAY


def asked(district: District, setting: str, *changes: tuple[bytes, bytes], amount: Mapping[str, Any] | None = None) -> Asked:
    """`amount` is one more field of the form."""
    key = next(_keys)
    with district.office.work() as context:
        made = overdue(setting, *changes, key=key)
        form = made.forms["approve"]
        fuller = {**form, "properties": {**form["properties"], "amount": amount}} if amount else form
        made = frozen_package({**made.files, "forms/approve.json": dumps(fuller).encode()})
        publish(context.session.connection(), context.new_id(), made, context.now(), by="system", reason="试行")
        held = begin(context, worker(district, context), key, ASKED, key)
        return Asked(district, held.id)


def holder(district: District, context: Context, post: str, code: str) -> Actor:
    return Hall(district, context).holder(post, code)


def worker(district: District, context: Context) -> Actor:
    return holder(district, context, "grid_worker", GRID)


def sector(context: Context) -> str:
    """The code of the sector that the grid lies in."""
    grid = context.session.scalars(select(Unit.id).where(Unit.code == GRID)).one()
    return unit(context.session, way_up(context.session, grid)[1].id).code


def principals(district: District, post: str, code: str = "") -> list[str]:
    with district.office.work() as context:
        return [f"post:{post}@{Hall(district, context).unit(code or sector(context)).id}"]


# ---- 转由上级办理 ---------------------------------------------------------------------------------------------------


def test_an_overdue_step_goes_to_who_stands_above_and_its_limit_begins_anew(district: District) -> None:
    one = asked(district, "escalate")
    one.passes(days=2)
    assert one.kinds == ["start"] and one.with_whom() == principals(district, "grid_lead", GRID)
    one.passes(days=1)
    assert one.kinds == ["start", "notice", "notice", "escalate"]
    assert one.with_whom() == principals(district, "sector_lead")
    last, row = one.log()[-1], one.row
    assert last.actor == SYSTEM and last.opinion == "超期" and last.data and last.data["principals"] == one.with_whom()
    assert (row.due_at, row.notice_stage, row.claimed_by) == (datetime.fromisoformat("2026-03-09T18:00+08:00"), 0, None)


def test_it_climbs_a_unit_at_a_time_and_at_the_top_stays_red(district: District) -> None:
    one, way = asked(district, "escalate"), []
    for _ in range(30):
        one.passes(days=1)
        way += [whom for whom in one.with_whom() if whom not in way]
    posts = [whom.partition(":")[2].partition("@")[0] for whom in way]
    assert posts[:4] == ["grid_lead", "sector_lead", "community_lead", "command_lead"]
    assert {*posts[4:]} == {"joint_office_lead", "district_leader"}
    assert one.kinds.count("escalate") == 4
    stages = [entry.data["deadline_stage"] for entry in one.log() if entry.kind == "notice" and entry.data]
    assert stages == ["due_soon", "overdue"] * 5 + ["red"] and one.row.due_at < district.clock()


def test_who_had_it_sees_that_it_was_taken_and_cannot_do_it_any_more(district: District) -> None:
    one = asked(district, "escalate")
    with district.office.work() as context:
        claim(context, holder(district, context, "grid_lead", GRID), one.task(context).id)
    one.passes(days=3)
    with district.office.work() as context:
        lead, above, task = (
            holder(district, context, "grid_lead", GRID),
            holder(district, context, "sector_lead", sector(context)),
            one.task(context),
        )
        lines = [line for line in done(context, lead).lines if line.task_id == task.id]
        assert [line.escalated_at for line in lines] == [district.clock()]
        assert task.id not in [line.task_id for line in todo(context, lead).lines]
        assert [line.opened_at for line in todo(context, above).lines if line.task_id == task.id] == [district.clock()]
        for act in (claim, partial(complete, data={"decision": "agree"})):
            with pytest.raises(Escalated, match="已转由上级办理"):
                act(context, lead, task.id)
        with pytest.raises(NotAllowed) as refusal:
            complete(context, worker(district, context), task.id, {"decision": "agree"})
        assert refusal.type is NotAllowed
        complete(context, above, task.id, {"decision": "agree"})
        told = trail(context, one.instance(context))[-1]
        assert told.kind == "complete" and told.opened_at == district.clock() and not told.was_late
    assert one.kinds[-1] == "complete"


def test_what_was_taken_is_paged_together_with_what_was_done(district: District) -> None:
    many = [asked(district, "escalate") for _ in range(3)]
    many[0].passes(days=3)
    with district.office.work() as context:
        lead = holder(district, context, "grid_lead", GRID)
        pages, after = list[int](), None
        for _ in range(99):
            page = done(context, lead, after=after, limit=1)
            pages += [line.task_id for line in page.lines]
            if (after := page.after) is None:
                break
        assert pages == [line.task_id for line in done(context, lead, limit=99).lines]
        assert {one.task(context).id for one in many} <= set(pages) and len(pages) == len(set(pages))


def test_who_must_stand_back_is_passed_over(district: District) -> None:
    one = asked(district, "escalate")
    with district.office.work() as context:
        above = Hall(district, context).unit(sector(context)).id
        held = context.session.scalars(select(Appointment.id).where(Appointment.unit_id == above, Appointment.to_date.is_(None))).all()
        context.session.execute(update(Appointment).where(Appointment.unit_id == above).values(to_date=date(2026, 3, 1)))
        note_reorganised(context.session)
    one.passes(days=3)
    assert one.with_whom() == principals(district, "community_lead", COMMUNITY)
    with district.office.work() as context:
        context.session.execute(update(Appointment).where(Appointment.id.in_(held)).values(to_date=None))
        note_reorganised(context.session)


def test_who_was_late_is_not_whom_it_goes_to_under_another_post(district: District) -> None:
    with district.office.work() as context:
        lead, above = holder(district, context, "grid_lead", GRID), Hall(district, context).unit(sector(context)).id
        theirs = select(Appointment.id).where(
            Appointment.unit_id == above, Appointment.post == "sector_lead", Appointment.to_date.is_(None)
        )
        held = {one: context.session.get_one(Appointment, one).person_id for one in context.session.scalars(theirs)}
        context.session.execute(update(Appointment).where(Appointment.id.in_(held)).values(person_id=lead.person_id))
        note_reorganised(context.session)
    one = asked(district, "escalate")
    one.passes(days=3)
    assert one.with_whom() == principals(district, "community_lead", COMMUNITY)
    assert any("就是原办理人" in step for step in loads(one.row.assignment)["why"]["steps"])
    with district.office.work() as context:
        for appointment, person in held.items():
            context.session.execute(update(Appointment).where(Appointment.id == appointment).values(person_id=person))
        note_reorganised(context.session)


def test_a_limit_that_began_anew_follows_the_calendar_from_then(district: District) -> None:
    one = asked(district, "escalate")
    one.passes(days=3)
    with district.office.work() as context:
        set_day(context.session, date(2026, 3, 6), DayKind.REST, "停水停电", by="张三")
    district.tick()
    assert one.row.due_at == datetime.fromisoformat("2026-03-10T18:00+08:00")


# ---- 自动办结 -------------------------------------------------------------------------------------------------------


def test_an_overdue_step_is_finished_with_the_outcome_that_the_diagram_names(district: District) -> None:
    one = asked(district, "finish:agree")
    one.passes(days=3)
    last = one.log()[-1]
    assert one.kinds == ["start", "notice", "notice", "complete"]
    assert (last.actor, last.opinion, last.data) == (SYSTEM, "超期自动办结", {"decision": "agree"})
    assert (one.row.outcome, one.row.closed_by) == ("completed", None)
    with district.office.work() as context:
        assert context.session.get_one(Started, one.held).ended == "已同意"
        with pytest.raises(InstanceAtRest):
            complete(context, holder(district, context, "grid_lead", GRID), one.task(context).id, {"decision": "agree"})


def test_a_form_that_has_come_to_ask_for_more_stops_once_and_is_done_by_hand(district: District) -> None:
    amount = {"title": "金额", "type": "number", "x-ui": {"required": "starter.post == 'grid_worker'"}}
    one = asked(district, "finish:agree", amount=amount)
    one.passes(days=3)
    one.passes(days=3)
    assert one.kinds == ["start", "notice", "notice", "incident", "notice"]
    with district.office.work() as context:
        told = (
            context.session.connection().scalars(select(incidents.c.message).where(incidents.c.instance_id == one.instance(context))).all()
        )
        assert told == ["“审批”超期，但不能自动办结：请填写金额。"]
        incident = (
            context.session.connection().scalars(select(incidents.c.id).where(incidents.c.instance_id == one.instance(context))).one()
        )
        with pytest.raises(Refused, match="请填写金额"):
            retry(context, incident, SYSTEM)
        complete(context, holder(district, context, "grid_lead", GRID), one.task(context).id, {"decision": "agree", "amount": 3})
        found = (
            context.session.connection()
            .scalars(select(incidents.c.resolved_at).where(incidents.c.instance_id == one.instance(context)))
            .all()
        )
        assert found == [district.clock()]


def test_an_administrator_says_what_is_missing_and_lets_it_be_finished(district: District) -> None:
    one = asked(district, "finish:agree", amount={"title": "金额", "type": "number", "x-ui": {"required": "starter.post == 'grid_worker'"}})
    one.passes(days=3)
    with district.office.work() as context:
        incident = (
            context.session.connection().scalars(select(incidents.c.id).where(incidents.c.instance_id == one.instance(context))).one()
        )
        assert retry(context, incident, {"person": "1"}, {"amount": 3}).stopped is None
    assert one.kinds[-3:] == ["incident", "correct", "complete"] and one.row.outcome == "completed"


def test_what_was_claimed_is_finished_all_the_same(district: District) -> None:
    one = asked(district, "finish:agree")
    with district.office.work() as context:
        claim(context, holder(district, context, "grid_lead", GRID), one.task(context).id)
    one.passes(days=3)
    assert one.kinds[-1] == "complete"


@pytest.mark.parametrize("setting", ["escalate", "finish:agree"])
def test_what_somebody_has_done_and_an_incident_keeps_is_left_alone(district: District, setting: str) -> None:
    fails = b'<bpmn:sequenceFlow id="to_decision" sourceRef="approve_request" targetRef="count" /><bpmn:scriptTask id="count" name="x"><bpmn:script>n = missing + 1</bpmn:script></bpmn:scriptTask><bpmn:sequenceFlow id="on" sourceRef="count" targetRef="request_agreed" />'
    one = asked(
        district, setting, (b'<bpmn:sequenceFlow id="to_decision" sourceRef="approve_request" targetRef="request_agreed" />', fails)
    )
    with district.office.work() as context:
        complete(context, holder(district, context, "grid_lead", GRID), one.task(context).id, {"decision": "agree"})
    one.passes(days=3)
    assert one.kinds == ["start", "incident", "notice", "notice"]
    assert one.with_whom() == principals(district, "grid_lead", GRID)


# ---- once, and cleanly --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["escalate", "finish:agree"])
def test_two_runners_at_once_do_it_once(district: District, setting: str) -> None:
    one = asked(district, setting)
    task = one.row.id
    district.clock.pass_by(days=3)
    for _ in range(2):
        together(district, *[partial(remind, task_id=task)] * 4)
    assert [kind for kind in one.kinds if kind != "notice"] == ["start", {"escalate": "escalate", "finish:agree": "complete"}[setting]]
    assert one.kinds.count("notice") == 2


@pytest.mark.parametrize("setting", ["escalate", "finish:refuse"])
def test_who_finishes_at_that_moment_is_first_or_is_told(district: District, setting: str) -> None:
    for _ in range(3):
        district.clock.at = MONDAY
        one = asked(district, setting)
        task = one.row.id
        district.clock.pass_by(days=2, hours=3)
        district.tick()
        district.clock.pass_by(days=1)

        def finish(context: Context, task: int = task) -> None:
            complete(context, holder(district, context, "grid_lead", GRID), task, {"decision": "agree"})

        said = together(district, finish, partial(remind, task_id=task))
        assert one.kinds.count("complete") == 1 if setting != "escalate" else one.kinds.count("complete") + one.kinds.count("escalate") == 1
        assert said[0] is None or isinstance(said[0], TaskClosed | InstanceAtRest | Escalated)


def test_a_crash_before_the_commit_leaves_nothing_and_it_is_done_again(district: District) -> None:
    one = asked(district, "escalate")
    task = one.row.id
    district.clock.pass_by(days=3)
    with pytest.raises(RuntimeError), district.office.work() as context:
        remind(context, task)
        remind(context, task)
        raise RuntimeError("killed")
    assert one.kinds == ["start"]
    district.tick()
    assert one.kinds == ["start", "notice", "notice", "escalate"]


def test_a_suspended_instance_waits(district: District) -> None:
    one = asked(district, "escalate")
    with district.office.work() as context:
        instances(context).suspend(one.instance(context), SYSTEM, "涉诉")
    one.passes(days=9)
    assert one.kinds == ["start", "suspend"]


def test_what_was_finished_by_itself_is_rehearsed_like_anything_else(district: District) -> None:
    one = asked(district, "finish:agree")
    one.passes(days=3)
    with district.office.work() as context:
        connection = context.session.connection()
        version = connection.scalar(select(instance_rows.c.version_id).where(instance_rows.c.id == one.instance(context)))
        log, known = entries(connection, one.instance(context)), programs(connection)
        found = rehearse(known, version, known(version), log, Plan(), planned_due(working_calendar(context.session)))
        assert (found.ending, found.finished, found.ended_at) == (Ending.SAME, True, ("agreed",))
        assert [due.shift for due in found.dues] == [timedelta()]


# ---- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "rule"),
    [
        ("shout", "overdue_unknown"),
        ("finish", "overdue_unknown"),
        ("finish:", "overdue_unknown"),
        ("=escalate", "overdue_unknown"),
        ("finish:maybe", "overdue_outcome"),
        ("escalate&quot; until=&quot;=due_at", "overdue_until"),
    ],
)
def test_a_setting_that_could_not_be_carried_out_is_refused(setting: str, rule: str) -> None:
    assert rule in {problem.rule for problem in problems_of(overdue(setting.replace("&quot;", '"')))}


@pytest.mark.parametrize("unit", [b'unit="starter_self"', b'unit="reporter" post="reporter"'])
def test_one_person_has_nobody_above(unit: bytes) -> None:
    assign = b'post="grid_lead,sector_lead,community_lead,command_lead,department_lead,joint_office_lead,district_leader" unit="starter"'
    assert "overdue_without_superior" in {problem.rule for problem in problems_of(overdue("escalate", (assign, unit)))}
    assert not {problem.rule for problem in problems_of(overdue("finish:agree", (assign, unit)))} & {"overdue_without_superior"}


def test_a_step_without_a_limit_is_never_overdue() -> None:
    made = leave((LIMIT, b'<wz:deadline overdue="escalate" />'))
    assert {problem.rule for problem in problems_of(made)} == {"overdue_without_limit"}


def test_who_is_looked_for_later_must_have_been_somebody() -> None:
    made = overdue(
        "finish:agree",
        (b'<wz:assign unit="starter_self" />', b'<wz:assign unit="settler" post="grid_lead" />'),
        (b'as="approver"', b'as="settler"'),
    )
    assert {problem.rule for problem in problems_of(made)} == {"overdue_nobody"}


def test_a_step_that_keeps_nobody_may_be_finished_and_a_broken_form_is_told_by_itself() -> None:
    assert problems_of(overdue("finish:agree", (b'<wz:actor as="approver" />', b""))) == ()
    made = overdue("finish:agree")
    broken = frozen_package({**made.files, "forms/approve.json": b'{"properties": {"decision": 5}}'})
    assert not any(problem.rule.startswith("overdue") for problem in problems_of(broken))


def test_only_outcomes_that_ask_for_nothing_else_are_offered() -> None:
    outcome = {
        "title": "结果",
        "oneOf": [{"const": "agree", "title": "同意"}, {"const": "refuse", "title": "不同意"}],
        "x-ui": {"widget": "outcome"},
    }
    reason = {"title": "理由", "type": "string", "x-ui": {"visible": "decision == 'refuse'"}}
    form = {"properties": {"decision": outcome, "reason": reason}, "required": ["decision", "reason"]}
    assert outcomes_alone(form) == {"agree": "同意"}
    assert outcomes_alone({"properties": {"text": {"type": "string"}}}) == {}
