"""People named in forms, on SQLite and PostgreSQL: who may be, and that the step is theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest
from sqlalchemy import update

from bpmn import beginning
from engine.errors import StepFailed
from engine.log import loads
from engine.packages import DIAGRAM, Package, frozen_package
from engine.validator import check_package
from engine.world import RUNNING, Opening
from governance.errors import NotAllowed, NotFound, Refused
from governance.forms.rules import Field, fields
from governance.organisation.commands import note_reorganised
from governance.people.models import Appointment
from governance.starting.queries import shown
from governance.studio.rules import problems_of
from governance.workflow.assignment import Found, find
from governance.workflow.commands import foresee
from governance.workflow.persons import nameable
from tests.district import MONDAY, District
from tests.governance.meeting_world import OTHER
from tests.governance.test_starting import ASKED, DISTRICT, GRID, KEY, Office

PERSON: dict[str, Any] = {"title": "协助人", "type": "string", "maxLength": 40, "x-ui": {"widget": "person"}}
APPROVES = b'<wz:assign post="grid_lead,sector_lead,community_lead,command_lead,department_lead,joint_office_lead,district_leader" '
APPROVES += b'unit="starter" exclude="starter" />'


CHOSEN = b'<wz:assign unit="chosen" person="helper" />'
SPOT: dict[str, Any] = {"type": "object", "title": "现场", "x-ui": {"widget": "location"}}


def helped(person: Mapping[str, Any] = PERSON, assign: bytes = CHOSEN, key: str = KEY, **ui: str) -> Package:
    """A request whose form names who decides on it, and where it is about."""
    files = dict(beginning("request", key, "请假"))
    form = json.loads(files["forms/request.json"])
    form["properties"]["helper"] = {**person, "x-ui": {**person["x-ui"], **ui}}
    form["properties"]["spot"] = SPOT
    form["required"] = [*form["required"], "helper"]
    files["forms/request.json"] = json.dumps(form, ensure_ascii=False).encode()
    assert APPROVES in files[DIAGRAM]
    files[DIAGRAM] = files[DIAGRAM].replace(APPROVES, assign)
    return frozen_package(files)


SEVERAL: dict[str, Any] = {
    "title": "协助人",
    "type": "array",
    "items": {"type": "string", "maxLength": 40},
    "uniqueItems": True,
    "x-ui": {"widget": "person"},
}


@pytest.fixture
def office(district: District) -> Iterator[Office]:
    """A unit of work; nothing of it is kept."""
    district.clock.at = MONDAY
    with district.office.work() as context, context.session.begin_nested() as savepoint:
        yield Office(district, context)
        savepoint.rollback()


def field(**ui: str) -> Field:
    return fields({"properties": {"helper": {**PERSON, "x-ui": {"widget": "person", **ui}}}})[0]


def leave_office(office: Office, person_id: int) -> None:
    left = update(Appointment).where(Appointment.person_id == person_id)
    office.context.session.execute(left.values(to_date=date(2025, 6, 1)))
    note_reorganised(office.context.session)


# ---- who is offered ------------------------------------------------------------------------------------------------


def test_near_are_those_on_the_way_up_and_in_the_community(office: Office) -> None:
    place = {"place_unit": str(office.unit(GRID).id)}
    near = {one.id for one in nameable(office.context, field(among="place"), place)}
    assert {office.worker.person_id, office.lead.person_id, office.holder().person_id} <= near
    assert office.holder("joint_office", DISTRICT).person_id in near and office.holder("community_lead", OTHER).person_id not in near
    everybody = {one.id for one in nameable(office.context, field(among="district"), place)}
    assert near < everybody and office.holder("community_lead", OTHER).person_id in everybody


def test_only_those_in_office_with_the_posts_are_offered_and_each_once(office: Office) -> None:
    leads = nameable(office.context, field(among="district", posts="grid_lead, community_lead"), {})
    assert {one.post for one in leads} == {"grid_lead", "community_lead"} and len({one.id for one in leads}) == len(leads)
    session, lead = office.context.session, office.lead
    session.add(
        Appointment(
            id=office.context.new_id(),
            person_id=lead.person_id,
            post="grid_lead",
            unit_id=office.unit(OTHER).id,
            from_date=date(2025, 1, 1),
        )
    )
    assert [one.id for one in nameable(office.context, field(among="district", posts="grid_lead,community_lead"), {})].count(
        lead.person_id
    ) == 1
    leave_office(office, lead.person_id)
    assert lead.person_id not in {one.id for one in nameable(office.context, field(among="district"), {})}


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("网格长 临江社区第一网格", True),
        ("临江社区 网格长", True),
        ("第一网格", True),
        ("社区长", False),
        ("码头社区 网格长", False),
        ("%", False),
        ("' or 1=1 --", False),
    ],
)
def test_people_are_found_by_name_unit_and_post(office: Office, q: str, found: bool) -> None:
    lead = office.lead
    sought = {one.id for one in nameable(office.context, field(among="district"), {}, q=q)}
    assert (lead.person_id in sought) is found
    assert lead.person_id in {one.id for one in nameable(office.context, field(among="district"), {}, q=lead.name)}


# ---- what is accepted ----------------------------------------------------------------------------------------------


def refused(office: Office, helper: Any) -> dict[str, str]:
    with pytest.raises(Refused) as refusal:
        office.begun(data={**ASKED, "helper": helper})
    return dict(refusal.value.errors)


@pytest.mark.parametrize(
    "odd",
    [
        "0",
        "-1",
        "999999999",
        str(10**30),
        "१",
        "<script>",
        "reporter",
        "1 or 1=1",
        7,
        10**30,
        1.5,
        True,
        None,
        [],
        ["1"],
        {"person": "1"},
        [[]],
    ],
    ids=str,
)
def test_what_is_no_person_on_offer_is_refused(office: Office, odd: Any) -> None:
    office.publish(helped())
    assert refused(office, odd).keys() == {"helper"}


def test_somebody_of_another_post_from_elsewhere_or_out_of_office_is_refused(office: Office) -> None:
    office.publish(helped(posts="grid_lead", among="place"))
    strangers = [office.worker.person_id, office.holder("community_lead", OTHER).person_id]
    gone = office.lead.person_id
    leave_office(office, gone)
    for person_id in (*strangers, gone):
        assert refused(office, str(person_id)) == {"helper": "协助人中有不能选的人员"}


def test_among_several_one_stranger_is_too_many(office: Office) -> None:
    office.publish(helped(SEVERAL, among="place"))
    assert refused(office, [str(office.lead.person_id), str(office.holder("community_lead", OTHER).person_id)]).keys() == {"helper"}
    assert refused(office, []) == {"helper": "请选择协助人"}
    assert refused(office, [str(office.lead.person_id)] * 2).keys() == {"helper"}


def test_who_is_not_offered_is_not_foreseen_either(office: Office) -> None:
    office.publish(helped(posts="grid_lead", among="place"))
    held = office.begun(data={**ASKED, "helper": str(office.lead.person_id)})
    office.do(held, office.lead, opinion="请写清楚", decision="return")
    stranger = str(office.holder("community_lead", OTHER).person_id)
    for helper in (stranger, "5", str(10**30)):
        with pytest.raises(Refused):
            foresee(office.context, office.worker, office.open(held).id, {**ASKED, "helper": helper})
    found = foresee(office.context, office.worker, office.open(held).id, {**ASKED, "helper": str(office.lead.person_id)})
    assert [given.principals for _opening, given in found.next] == [(f"person:{office.lead.person_id}",)]


# ---- whose step it is ----------------------------------------------------------------------------------------------


def test_the_step_is_for_whom_the_form_named_and_for_nobody_else(office: Office) -> None:
    office.publish(helped())
    held = office.begun(data={**ASKED, "helper": str(office.lead.person_id)})
    task = office.open(held)
    assignment = loads(task.assignment)
    assert assignment["principals"] == [f"person:{office.lead.person_id}"] and assignment["why"]["steps"] == ["由表单中选定的人员办理"]
    with pytest.raises(NotAllowed):
        office.do(held, office.holder(), decision="agree")
    office.do(held, office.lead, decision="agree")
    assert held.ended == "已同意"


def test_of_several_any_may_do_it(office: Office) -> None:
    office.publish(helped(SEVERAL))
    both = [str(office.lead.person_id), str(office.holder().person_id)]
    held = office.begun(data={**ASKED, "helper": both})
    assert loads(office.open(held).assignment)["principals"] == [f"person:{one}" for one in both]
    office.do(held, office.holder(), decision="agree")


def assigned(office: Office, helper: Any, **more: Any) -> Found:
    setting = {"unit": "chosen", "person": "helper", **more.pop("setting", {})}
    opening = Opening(1, "started:1", "t#1", "t", "协助", {"assign": setting}, {"helper": helper, **more}, MONDAY)
    return find(office.context.session, opening, office.context.today)


def test_who_has_left_or_must_stand_aside_is_stood_in_for_by_whoever_is_above(office: Office) -> None:
    worker, lead = office.worker, office.lead
    starter = {"starter": dict(worker.record())}
    aside = assigned(office, str(worker.person_id), setting={"exclude": "starter"}, **starter)
    assert aside.principals == [f"post:grid_lead@{office.unit(GRID).id}"] and aside.why[0] == "选定的人员已离任或须回避"
    two = [str(worker.person_id), str(lead.person_id)]
    assert assigned(office, two, setting={"exclude": "starter"}, **starter).principals == [f"person:{lead.person_id}"]
    leave_office(office, worker.person_id)
    assert assigned(office, str(worker.person_id)).principals == [f"post:grid_lead@{office.unit(GRID).id}"]


@pytest.mark.parametrize("nobody", [None, "", [], "x", [None], ["1", "<script>"], 5, {"person": "5"}, "9" * 30, "12345"], ids=str)
def test_where_nobody_was_named_the_step_stops_with_a_sentence(office: Office, nobody: Any) -> None:
    with pytest.raises(StepFailed, match="“协助”") as failed:
        assigned(office, nobody)
    assert failed.value.rule == "assignment_failed"


# ---- what may be published -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("assign", "rule"),
    [
        (b'<wz:assign unit="chosen" />', "person_unnamed"),
        (b'<wz:assign unit="chosen" person="nobody" />', "person_unknown"),
        (b'<wz:assign unit="chosen" person="reason" />', "person_unknown"),
    ],
)
def test_a_rule_that_names_no_field_of_people_is_found(assign: bytes, rule: str) -> None:
    assert [(p.rule, p.element) for p in check_package(helped(assign=assign))] == [(rule, "approve_request")]


def test_a_repetition_may_name_its_item(office: Office) -> None:
    each = b'<wz:assign unit="chosen" person="each" />'
    package = helped(SEVERAL, assign=each)
    loop = b'<bpmn:multiInstanceLoopCharacteristics><bpmn:loopDataInputRef>helper</bpmn:loopDataInputRef><bpmn:inputDataItem id="each" />'
    loop += b"</bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>"
    repeated = frozen_package({**package.files, DIAGRAM: package.files[DIAGRAM].replace(b"</bpmn:userTask>", loop, 1)})
    assert "person_unknown" not in {p.rule for p in check_package(repeated)}
    assert assigned(office, None, setting={"person": "each"}, each=str(office.lead.person_id)).principals == [
        f"person:{office.lead.person_id}"
    ]


@pytest.mark.parametrize(
    ("person", "rule"),
    [
        ({**PERSON, "x-ui": {"widget": "person", "posts": "mayor"}}, "post_unknown"),
        ({**PERSON, "x-ui": {"widget": "person", "among": "planet"}}, "form_refused"),
        ({**PERSON, "x-ui": {"widget": "person", "posts": ["grid_lead"]}}, "form_refused"),
        ({**PERSON, "type": "integer"}, "form_refused"),
        ({**SEVERAL, "items": {"type": "integer"}}, "form_refused"),
        ({**PERSON, "type": "object"}, "form_refused"),
        ({"type": "string", "x-ui": {"widget": "location"}}, "form_refused"),
    ],
)
def test_a_malformed_field_is_found(person: dict[str, Any], rule: str) -> None:
    found = problems_of(helped(person, assign=APPROVES))
    assert {(p.rule, p.element) for p in found} == {(rule, "request")}


def test_residents_are_not_asked_to_choose_people() -> None:
    package = helped()
    asked = package.files[DIAGRAM].replace(b'<wz:assign unit="starter_self" />', b'<wz:assign post="reporter" unit="reporter" />')
    found = problems_of(frozen_package({**package.files, DIAGRAM: asked}))
    assert [(p.rule, p.element) for p in found] == [("person_for_reporter", "revise_request")]


def test_who_is_named_reads_what_was_started(office: Office) -> None:
    office.publish(helped(among="district"))
    other = office.holder("community_lead", OTHER)
    held = office.begun(data={**ASKED, "helper": str(other.person_id)})
    assert shown(office.context.session, other, held.id).status == RUNNING
    with pytest.raises(NotFound):
        shown(office.context.session, office.holder(), held.id)
