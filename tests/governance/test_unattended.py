"""Steps that nobody can do, on SQLite and PostgreSQL: nobody was chosen, or whoever was has left. An administrator chooses somebody else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import select

from bpmn import beginning
from engine.audit import verify
from engine.errors import ClaimedByOther, InstanceAtRest, NoIncident
from engine.log import Entry, entries, loads
from engine.packages import DIAGRAM, Package, frozen_package
from engine.schema import incidents
from engine.versions import publish
from governance.context import Actor
from governance.errors import NotAllowed, NotFound, Refused
from governance.forms.rules import fields
from governance.identity.models import Account
from governance.people.models import Appointment
from governance.starting.models import Started
from governance.workflow.commands import claim, complete
from governance.workflow.mending import choose, chosen_by, unchosen
from governance.workflow.overdue import retry
from governance.workflow.unattended import StillAttended, reassign, unattended, unattended_desk
from tests.district import MONDAY, District
from tests.governance.meeting_world import OTHER
from tests.governance.test_persons import PERSON, SEVERAL, leave_office
from tests.governance.test_starting import DISTRICT, GRID, KEY, Office

WHY = "原来选的人已调离，由接手的人办理。"
SELF = b'<wz:assign unit="starter_self" />'
REVISES = '<bpmn:userTask id="revise_request" name="修改申请">'


def choosing(person: Mapping[str, Any] = PERSON, *changes: tuple[str, str]) -> Package:
    """The template, in which whoever decides may say who revises, and need not."""
    files = dict(beginning("request", KEY, "请假"))
    form = json.loads(files["forms/approve.json"])
    form["properties"]["helper"] = dict(person)
    files["forms/approve.json"] = json.dumps(form, ensure_ascii=False).encode()
    text = files[DIAGRAM].replace(SELF, b'<wz:assign unit="chosen" person="helper" />').decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    files[DIAGRAM] = text.encode()
    return frozen_package(files)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def district(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    url = request.getfixturevalue("empty_postgres")() if request.param == "postgresql" else ""
    made = District(tmp_path_factory.mktemp("unattended"), url)
    yield made
    made.close()


@pytest.fixture
def office(district: District) -> Iterator[Office]:
    """A unit of work; nothing of it is kept."""
    district.clock.at = MONDAY
    with district.office.work() as context, context.session.begin_nested() as savepoint:
        yield Office(district, context)
        savepoint.rollback()


def put(office: Office, package: Package) -> None:
    publish(office.context.session.connection(), office.context.new_id(), package, office.context.now(), by="system", reason="试行")


def administrator(office: Office) -> Actor:
    return office.holder("system_administrator", DISTRICT)


def log(office: Office, held: Started) -> list[Entry]:
    assert held.instance_id
    assert verify(office.context.session.connection(), held.instance_id) == ()
    return list(entries(office.context.session.connection(), held.instance_id))


# ---- nobody was chosen -----------------------------------------------------------------------------------------------


def stopped(office: Office, package: Package) -> tuple[Started, int]:
    """A request that came back without anybody to revise it, and its incident."""
    put(office, package)
    held = office.begun()
    office.do(held, office.lead, opinion="请补充", decision="return")
    found = select(incidents.c.id).where(incidents.c.instance_id == held.instance_id, incidents.c.resolved_at.is_(None))
    return held, office.context.session.connection().execute(found).one().id


def test_somebody_is_chosen_instead_and_the_step_is_theirs(office: Office) -> None:
    held, incident = stopped(office, choosing())
    found = unchosen(office.context, incident)
    assert found.step == "修改申请" and [(f.name, f.title, f.is_required) for f in fields(found.form)] == [("helper", "协助人", True)]
    advance = choose(office.context, administrator(office), incident, {"helper": str(office.worker.person_id)}, WHY)
    assert advance.stopped is None
    assert loads(office.open(held).assignment)["principals"] == [f"person:{office.worker.person_id}"]
    *_, correction, again = log(office, held)
    assert (correction.kind, correction.opinion, correction.data) == ("correct", WHY, {"helper": str(office.worker.person_id)})
    assert correction.actor["person"] == str(administrator(office).person_id)
    assert (again.kind, again.actor["person"], again.facts["corrected"]) == ("complete", str(office.lead.person_id), ["helper"])
    with pytest.raises(NoIncident):
        unchosen(office.context, incident)


def test_several_are_chosen_where_the_field_takes_several(office: Office) -> None:
    held, incident = stopped(office, choosing(SEVERAL))
    both = [str(office.worker.person_id), str(office.lead.person_id)]
    choose(office.context, administrator(office), incident, {"helper": both}, WHY)
    assert loads(office.open(held).assignment)["principals"] == [f"person:{one}" for one in both]


def test_a_step_for_each_of_several_is_mended_by_their_list(office: Office) -> None:
    loop = "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopDataInputRef>helper</bpmn:loopDataInputRef>"
    loop += '<bpmn:inputDataItem id="one" /></bpmn:multiInstanceLoopCharacteristics>'
    package = choosing(SEVERAL, (REVISES, REVISES + loop), ('person="helper"', 'person="one"'))
    assert chosen_by(package, package.diagram.nodes["revise_request"]) == "helper"


@pytest.mark.parametrize(
    "nobody", [{}, {"helper": ""}, {"helper": "5"}, {"helper": "<script>"}, {"helper": ["1"]}, {"starter": {}}], ids=str
)
def test_only_somebody_whom_the_field_offers_is_chosen(office: Office, nobody: dict[str, Any]) -> None:
    _held, incident = stopped(office, choosing())
    with pytest.raises(Refused):
        choose(office.context, administrator(office), incident, nobody, WHY)
    stranger = str(office.holder("community_lead", OTHER).person_id)
    with pytest.raises(Refused, match="协助人中有不能选的人员"):
        choose(office.context, administrator(office), incident, {"helper": stranger}, WHY)
    assert unchosen(office.context, incident)


def test_who_chooses_is_an_administrator_and_says_why(office: Office) -> None:
    _held, incident = stopped(office, choosing())
    chosen = {"helper": str(office.worker.person_id)}
    with pytest.raises(NotAllowed):
        choose(office.context, office.lead, incident, chosen, WHY)
    for why in ("  ", "长" * 301):
        with pytest.raises(Refused, match="请写明原因"):
            choose(office.context, administrator(office), incident, chosen, why)
    with pytest.raises(NoIncident):
        choose(office.context, administrator(office), 5, chosen, WHY)


def test_other_incidents_are_not_mended_by_a_choice(office: Office) -> None:
    office.context.session.connection()
    held, incident = stopped(office, choosing(PERSON, ('unit="chosen" person="helper"', 'post="grid_lead" unit="lead_unit"')))
    with pytest.raises(NotFound):
        unchosen(office.context, incident)
    assert retry(office.context, incident, administrator(office).record()).stopped and log(office, held)


# ---- whoever has it can do nothing -----------------------------------------------------------------------------------


def lonely(office: Office) -> Started:
    """A request that came back to a worker who has left since."""
    put(office, choosing())
    held = office.begun()
    office.do(held, office.lead, opinion="请补充", decision="return", helper=str(office.worker.person_id))
    assert unattended(office.context) == []
    leave_office(office, office.worker.person_id)
    return held


def test_a_task_of_somebody_who_has_left_is_seen_and_goes_to_somebody_else(office: Office) -> None:
    gone = office.worker
    held = lonely(office)
    task = office.open(held)
    [found] = unattended(office.context)
    assert found.task["id"] == task.id and found.principals == [f"person:{gone.person_id}"]
    assert unattended_desk(office.context, task.id).task["name"] == "修改申请"
    reassign(office.context, administrator(office), task.id, office.lead.person_id, WHY)
    assert unattended(office.context) == []
    assignment = loads(office.open(held).assignment)
    assert assignment["principals"] == [f"person:{office.lead.person_id}"]
    assert assignment["why"]["steps"] == ["原来的办理人不能办理，由系统管理员改派"]
    last = log(office, held)[-1]
    assert (last.kind, last.opinion, last.data) == ("reassign", WHY, {"to": f"person:{office.lead.person_id}"})
    complete(office.context, office.lead, task.id, {"reason": "回乡", "from_date": "2026-03-09", "to_date": "2026-03-10"})
    assert office.open(held).element == "approve_request"


def test_a_closed_account_does_nothing_either(office: Office) -> None:
    put(office, choosing())
    held = office.begun()
    office.do(held, office.lead, opinion="请补充", decision="return", helper=str(office.worker.person_id))
    account = office.context.session.scalars(select(Account).where(Account.person_id == office.worker.person_id)).one()
    account.is_disabled = True
    office.context.session.flush()
    assert [found.task["id"] for found in unattended(office.context)] == [office.open(held).id]


def test_a_task_of_a_post_that_nobody_holds_any_more_is_seen(office: Office) -> None:
    put(office, choosing())
    held = office.begun()
    task = office.open(held)
    assert loads(task.assignment)["principals"] == [f"post:grid_lead@{office.unit(GRID).id}"]
    leave_office(office, office.lead.person_id)
    assert [found.task["id"] for found in unattended(office.context)] == [task.id]
    reassign(office.context, administrator(office), task.id, office.holder().person_id, WHY)
    office.do(held, office.holder(), decision="agree")
    assert held.ended == "已同意"


def test_what_somebody_claimed_who_left_is_seen_though_others_hold_the_post(office: Office) -> None:
    put(office, choosing())
    held, lead, other = office.begun(), office.lead, office.holder()
    unit_id = office.unit(GRID).id
    second = Appointment(
        id=office.context.new_id(), person_id=other.person_id, post="grid_lead", unit_id=unit_id, from_date=lead.acting.from_date
    )
    office.context.session.add(second)
    task = office.open(held)
    claim(office.context, lead, task.id)
    leave_office(office, lead.person_id)
    with pytest.raises(ClaimedByOther):
        complete(office.context, Actor(other.person_id, other.name, second, (second,)), task.id, {"decision": "agree"})
    assert [found.task["id"] for found in unattended(office.context)] == [task.id]
    reassign(office.context, administrator(office), task.id, other.person_id, WHY)
    office.do(held, other, decision="agree")
    assert held.ended == "已同意"


def test_what_somebody_can_do_is_left_to_them(office: Office) -> None:
    put(office, choosing())
    held = office.begun()
    task = office.open(held)
    with pytest.raises(StillAttended):
        unattended_desk(office.context, task.id)
    with pytest.raises(StillAttended):
        reassign(office.context, administrator(office), task.id, office.worker.person_id, WHY)
    office.do(held, office.lead, decision="agree")
    with pytest.raises(NotFound):
        unattended_desk(office.context, task.id)
    with pytest.raises(InstanceAtRest):
        reassign(office.context, administrator(office), task.id, office.worker.person_id, WHY)


def test_only_an_administrator_reassigns_to_somebody_who_can_and_says_why(office: Office) -> None:
    gone, held = office.worker.person_id, lonely(office)
    task = office.open(held).id
    with pytest.raises(NotAllowed):
        reassign(office.context, office.lead, task, office.lead.person_id, WHY)
    with pytest.raises(NotFound):
        reassign(office.context, administrator(office), 5, office.lead.person_id, WHY)
    with pytest.raises(Refused, match="请写明原因"):
        reassign(office.context, administrator(office), task, office.lead.person_id, " ")
    for nobody in (0, gone, administrator(office).person_id):
        with pytest.raises(Refused, match="请从可以改派的人员中选择"):
            reassign(office.context, administrator(office), task, nobody, WHY)


def test_who_must_stand_aside_is_not_chosen_instead(office: Office) -> None:
    put(office, choosing())
    worker, held = office.worker, office.begun()
    task = office.open(held).id
    leave_office(office, office.lead.person_id)
    with pytest.raises(Refused, match="请从可以改派的人员中选择"):
        reassign(office.context, administrator(office), task, worker.person_id, WHY)
