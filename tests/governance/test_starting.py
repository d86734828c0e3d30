"""Starting a process by oneself, on SQLite and PostgreSQL: once, by those who may, and back to whoever asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update

from bpmn import beginning
from engine.errors import StepFailed
from engine.log import entries, loads
from engine.packages import DIAGRAM, Package, frozen_package
from engine.schema import instances as instance_rows
from engine.schema import process_versions, tasks
from engine.versions import Version, latest_versions, publish, retire
from engine.world import CANCELLED, Opening
from governance.context import Actor
from governance.errors import NotAllowed, NotFound, Refused
from governance.organisation.commands import note_reorganised
from governance.people.models import Appointment
from governance.starting.commands import begin
from governance.starting.errors import NoLongerStarted
from governance.starting.models import Started
from governance.starting.queries import mine, shown, startable
from governance.starting.rules import title_of
from governance.studio.rules import problems_of
from governance.workflow.assignment import find
from governance.workflow.commands import complete
from governance.workflow.world import instances
from tests.district import MONDAY, District
from tests.governance.meeting_world import Hall

DISTRICT, GRID = "500199", "50019900100100001"
KEY = "process_leave"
ASKED = {"reason": "回乡探亲", "from_date": "2026-03-09", "to_date": "2026-03-13"}
START = b'<wz:form key="request" />'


def leave(*changes: tuple[bytes, bytes], key: str = KEY) -> Package:
    """The template as a process of its own, changed a little."""
    files = dict(beginning("request", key, "请假"))
    for old, new in changes:
        assert old in files[DIAGRAM]
        files[DIAGRAM] = files[DIAGRAM].replace(old, new, 1)
    return frozen_package(files)


class Office(Hall):
    """A grid worker who asks, the lead who decides, and the process between them."""

    @property
    def worker(self) -> Actor:
        return self.holder("grid_worker", GRID)

    @property
    def lead(self) -> Actor:
        return self.holder("grid_lead", GRID)

    def publish(self, package: Package | None = None) -> Version:
        context, made = self.context, package or leave()
        assert problems_of(made) == ()
        return publish(context.session.connection(), context.new_id(), made, context.now(), by="system", reason="试行")

    def begun(self, who: Actor | None = None, key: str = "k1", data: Mapping[str, Any] = ASKED) -> Started:
        return begin(self.context, who or self.worker, KEY, data, key)

    def open(self, held: Started) -> Any:
        waiting = select(tasks).where(tasks.c.instance_id == held.instance_id, tasks.c.closed_at.is_(None))
        return self.context.session.connection().execute(waiting).one()

    def do(self, held: Started, who: Actor, opinion: str = "", **data: Any) -> None:
        complete(self.context, who, self.open(held).id, data, opinion=opinion)


@pytest.fixture
def office(district: District) -> Iterator[Office]:
    """A unit of work; nothing of it is kept."""
    district.clock.at = MONDAY
    with district.office.work() as context, context.session.begin_nested() as savepoint:
        yield Office(district, context)
        savepoint.rollback()


# ---- who may start what --------------------------------------------------------------------------------------------


def test_only_processes_with_a_form_at_their_start_are_there_to_start(office: Office) -> None:
    assert startable(office.context.session, office.worker) == []
    office.publish(leave((START, b""), key="process_silent"))
    assert startable(office.context.session, office.worker) == []
    version = office.publish()
    found = startable(office.context.session, office.worker)
    assert [one.version for one in found] == [version] and found[0].form["title"] == "申请"


def test_what_ships_is_not_started_past_its_subject(office: Office) -> None:
    with pytest.raises(NotFound):
        begin(office.context, office.worker, "issue_disposal", {"text": "x"}, "k1")
    with pytest.raises(NotFound):
        begin(office.context, office.worker, "no_such_process", ASKED, "k1")


def test_a_start_for_some_posts_is_for_nobody_else(office: Office) -> None:
    office.publish(leave((START, b'<wz:assign post="grid_lead" />' + START)))
    assert startable(office.context.session, office.lead)
    assert startable(office.context.session, office.holder("auditor", DISTRICT)) == []
    with pytest.raises(NotAllowed):
        office.begun(office.holder("auditor", DISTRICT))


def test_who_may_start_under_another_of_their_posts_starts_under_that(office: Office) -> None:
    office.publish(leave((START, b'<wz:assign post="grid_lead" />' + START)))
    lead, other = office.lead, office.worker.acting
    assert lead.acting and other
    both = Actor(lead.person_id, lead.name, other, (other, lead.acting))
    first = entries(office.context.session.connection(), office.begun(both).instance_id or 0)[0]
    assert first.actor["post"] == "grid_lead" == (first.data or {})["starter"]["post"]


def test_nobody_starts_without_a_post(office: Office) -> None:
    office.publish()
    with pytest.raises(NotAllowed):
        office.begun(Actor(office.worker.person_id, "已离任", None))


def test_a_retired_process_says_so_and_what_runs_goes_on(office: Office) -> None:
    office.publish()
    held = office.begun()
    retire(office.context.session.connection(), KEY, office.context.now(), by="system", reason="不再使用")
    assert startable(office.context.session, office.worker) == []
    with pytest.raises(NoLongerStarted):
        office.begun(key="k2")
    assert office.begun().id == held.id
    office.do(held, office.lead, decision="agree")
    assert held.ended == "已同意"


def test_new_ones_start_on_the_latest_version(office: Office) -> None:
    first, second = office.publish(), office.publish(leave((b'amount="2"', b'amount="1"')))
    assert second in latest_versions(office.context.session.connection()) and first not in latest_versions(
        office.context.session.connection()
    )
    on = select(instance_rows.c.version_id).where(instance_rows.c.id == office.begun().instance_id)
    assert office.context.session.scalar(on) == second.id


# ---- from the start to the end -------------------------------------------------------------------------------------


def test_it_goes_to_the_lead_comes_back_and_ends(office: Office) -> None:
    office.publish()
    held = office.begun()
    first = entries(office.context.session.connection(), held.instance_id or 0)[0]
    unit, person = str(office.unit(GRID).id), str(office.worker.person_id)
    known = {"starter": {"person": person, "post": "grid_worker", "unit": unit}, "place_unit": unit}
    assert first.data == {**ASKED, **known} and first.actor == known["starter"]
    assert loads(office.open(held).assignment)["principals"] == [f"post:grid_lead@{unit}"]
    with pytest.raises(NotAllowed):
        office.do(held, office.worker, decision="agree")
    with pytest.raises(Refused, match="请填写意见"):
        office.do(held, office.lead, decision="return")
    office.do(held, office.lead, "时间太长", decision="return")
    back = loads(office.open(held).assignment)
    assert (back["principals"], back["why"]["steps"]) == ([f"person:{person}"], ["由发起人本人办理"])
    office.do(held, office.worker, **{**ASKED, "to_date": "2026-03-11"})
    assert held.ended is None
    office.do(held, office.lead, decision="agree")
    assert held.ended == "已同意"
    assert [(one.title, one.status, one.ended) for one in mine(office.context.session, office.worker)] == [
        (f"请假 · {office.worker.name} · {office.context.today}", "finished", "已同意")
    ]
    assert mine(office.context.session, office.worker, "没有的") == [] == mine(office.context.session, office.lead)
    assert office.district.findings() == []


def test_a_lead_who_asks_does_not_decide(office: Office) -> None:
    office.publish()
    held = office.begun(office.lead)
    assert f"post:grid_lead@{office.unit(GRID).id}" not in loads(office.open(held).assignment)["principals"]


def test_what_is_ended_from_outside_has_no_end(office: Office) -> None:
    office.publish()
    held = office.begun()
    instances(office.context).cancel(held.instance_id or 0, {"system": True}, "重复")
    assert [(one.status, one.ended) for one in mine(office.context.session, office.worker)] == [(CANCELLED, None)]


def test_the_same_submission_starts_once_and_another_persons_key_is_theirs(office: Office) -> None:
    office.publish()
    held = office.begun()
    assert office.begun().id == held.id and office.begun(data={}).id == held.id
    assert len({held.id, office.begun(office.lead).id, office.begun(key="k2").id}) == 3
    assert len(mine(office.context.session, office.worker)) == 2


def test_presses_at_the_same_time_start_once(district: District) -> None:
    with district.office.work() as context:
        package = leave((START, b'<wz:assign post="command_lead" />' + START), key="process_together")
        publish(context.session.connection(), context.new_id(), package, context.now(), by="system", reason="试行")

    def press(_number: int) -> int:
        with district.office.work() as context:
            return begin(context, Hall(district, context).holder("command_lead", "500199001"), "process_together", ASKED, "same").id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(press, range(8)))) == 1
    with district.office.work() as context:
        on = process_versions.c.key == "process_together"
        begun = select(instance_rows.c.id).join(process_versions, process_versions.c.id == instance_rows.c.version_id).where(on)
        assert len(context.session.connection().execute(begun).all()) == 1
    assert district.findings() == []


def test_what_is_filled_in_wrongly_starts_nothing(office: Office) -> None:
    office.publish()
    for data, fields in (
        ({}, {"reason", "from_date", "to_date"}),
        ({**ASKED, "from_date": "2026-13-01"}, {"from_date"}),
        ({**ASKED, "reason": "长" * 501}, {"reason"}),
        ({**ASKED, "starter": {"person": "1"}}, {"starter"}),
        ({**ASKED, **{f"f{n}": "x" for n in range(500)}}, {f"f{n}" for n in range(500)}),
    ):
        with pytest.raises(Refused) as refusal:
            office.begun(data=data)
        assert refusal.value.errors.keys() == fields
    assert mine(office.context.session, office.worker) == []


def test_a_title_that_was_filled_in_is_what_it_is_known_by(office: Office) -> None:
    day = date(2026, 3, 2)
    assert title_of("请假", office.worker, {"title": "三月" + "长" * 200}, day) == "三月" + "长" * 78
    assert title_of("请假", office.worker, {"title": ""}, day) == f"请假 · {office.worker.name} · 2026-03-02"


# ---- who reads it --------------------------------------------------------------------------------------------------


def test_its_starter_those_with_a_task_in_it_and_auditors_read_it(office: Office) -> None:
    office.publish()
    held = office.begun()
    for reader in (office.worker, office.lead, office.holder("auditor", DISTRICT)):
        assert shown(office.context.session, reader, held.id).title == f"请假 · {office.worker.name} · {office.context.today}"
    for stranger in (office.holder("community_lead"), office.holder("system_administrator", DISTRICT)):
        with pytest.raises(NotFound):
            shown(office.context.session, stranger, held.id)
    with pytest.raises(NotFound):
        shown(office.context.session, office.holder("auditor", DISTRICT), held.instance_id or 0)


# ---- the rules by which it comes back ------------------------------------------------------------------------------


def opening(office: Office, **data: Any) -> Opening:
    settings = {"assign": {"unit": "starter_self"}}
    return Opening(1, "started:1", "t#1", "t", "修改申请", settings, data, MONDAY)


def test_who_has_left_is_stood_in_for_by_whoever_is_above(office: Office) -> None:
    worker = office.worker
    session, starter = office.context.session, {"starter": dict(worker.record())}
    assert find(session, opening(office, **starter), office.context.today).principals == [f"person:{worker.person_id}"]
    left = update(Appointment).where(Appointment.person_id == worker.person_id)
    session.execute(left.values(to_date=office.context.today.replace(year=2025)))
    note_reorganised(session)
    found = find(session, opening(office, **starter), office.context.today)
    assert found.principals == [f"post:grid_lead@{office.unit(GRID).id}"]


def test_what_nobody_started_cannot_go_back(office: Office) -> None:
    with pytest.raises(StepFailed):
        find(office.context.session, opening(office), office.context.today)


# ---- what may be published -----------------------------------------------------------------------------------------

WORSE = {
    "a post nobody can hold": (START, b'<wz:assign post="king" />' + START, "post_unknown"),
    "a form that is not there": (START, b'<wz:form key="other" />', "form_unknown"),
}


def test_no_form_may_say_who_has_started(office: Office) -> None:
    files = dict(beginning("request", KEY, "请假"))
    files["forms/approve.json"] = files["forms/approve.json"].replace(b'"properties": {', b'"properties": {"starter": {"type": "string"},')
    assert [(p.rule, p.element) for p in problems_of(frozen_package(files))] == [("field_reserved", "approve")]


@pytest.mark.parametrize(("old", "new", "rule"), WORSE.values(), ids=WORSE)
def test_a_start_that_names_what_is_not_there_is_found(old: bytes, new: bytes, rule: str) -> None:
    assert [(p.rule, p.element) for p in problems_of(leave((old, new)))] == [(rule, "request_made")]
