"""指派: who may do a task, and why."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update

from engine.errors import StepFailed
from engine.world import Opening
from governance.context import Context
from governance.organisation.commands import note_reorganised
from governance.organisation.models import Kind, Unit
from governance.people.models import Appointment
from governance.workflow.assignment import Found, find
from tests.district import MONDAY

GRID = "50019900100100001"
BUILDING = GRID + "00001"


def unit(context: Context, code: str) -> Unit:
    return context.session.scalars(select(Unit).where(Unit.code == code)).one()


def assigned(context: Context, assign: dict[str, str], **data: Any) -> Found:
    given = {"place_unit": str(unit(context, BUILDING).id), **data}
    return find(context.session, Opening(1, "77", "t#1", "t", "环节", {"assign": assign}, given, MONDAY), context.today)


def vacate(context: Context, *posts: str) -> None:
    context.session.execute(update(Appointment).where(Appointment.post.in_(posts)).values(to_date=date(2025, 6, 1)))
    note_reorganised(context.session)


def holder(context: Context, post: str, code: str) -> str:
    held = context.session.scalars(
        select(Appointment).where(Appointment.post == post, Appointment.unit_id == unit(context, code).id)
    ).first()
    assert held
    return str(held.person_id)


def test_the_nearest_unit_that_has_the_post_gets_it(context: Context) -> None:
    found = assigned(context, {"post": "grid_lead", "unit": "place"})
    assert found.principals == [f"post:grid_lead@{unit(context, GRID).id}"] and found.why == ["第一网格网格长"]


def test_the_estate_of_a_building_counts_as_near(context: Context) -> None:
    found = assigned(context, {"post": "property_lead", "unit": "place"})
    assert found.principals == [f"post:property_lead@{unit(context, '500199001001-E1').id}"]


def test_a_vacant_post_climbs_to_whoever_stands_above_and_says_so(context: Context) -> None:
    vacate(context, "grid_lead", "sector_lead")
    found = assigned(context, {"post": "grid_lead", "unit": "place"})
    assert found.principals == [f"post:community_lead@{unit(context, '500199001001').id}"]
    assert found.why == ["第一网格网格长空缺", "第二片区片区长空缺", "临江社区社区长", "原岗位空缺，由上级临江社区代为办理"]


def test_a_deputy_stands_in(context: Context) -> None:
    grid = unit(context, GRID).id
    context.session.execute(update(Appointment).where(Appointment.post == "grid_lead", Appointment.unit_id == grid).values(is_deputy=True))
    note_reorganised(context.session)
    assert assigned(context, {"post": "grid_lead", "unit": "place"}).why == ["第一网格网格长（代理）"]


def test_whoever_must_step_aside_does_not_get_it(context: Context) -> None:
    handler = {"person": holder(context, "grid_lead", GRID), "post": "grid_lead", "unit": str(unit(context, GRID).id)}
    found = assigned(context, {"post": "grid_lead", "unit": "place", "exclude": "settler"}, settler=handler)
    assert "第一网格网格长须回避" in found.why and found.principals[0].startswith("post:sector_lead@")


def test_of_several_holders_the_others_get_it_in_person(context: Context) -> None:
    district = unit(context, "500199").id
    first = {"person": holder(context, "joint_office", "500199"), "post": "joint_office", "unit": str(district)}
    found = assigned(context, {"post": "joint_office", "unit": "district", "exclude": "checker"}, checker=first)
    assert len(found.principals) == 2 and all(p.startswith("person:") for p in found.principals)
    assert f"person:{first['person']}" not in found.principals


def test_what_goes_back_goes_to_the_post_that_acted(context: Context) -> None:
    grid = unit(context, GRID)
    settler = {"person": "1", "post": "grid_lead", "unit": str(grid.id)}
    found = assigned(context, {"post": "grid_worker,grid_lead", "unit": "settler"}, settler=settler)
    assert found.principals == [f"post:grid_lead@{grid.id}"]


def test_a_matter_is_for_the_first_post_on_the_way_up_from_its_unit(context: Context) -> None:
    estate, community = unit(context, "500199001001-E1"), unit(context, "500199001001")
    vacate(context, "estate_party_secretary")
    found = assigned(context, {"post": "estate_party_secretary,community_lead", "unit": "matter"}, matter_unit=str(estate.id))
    assert found.principals == [f"post:community_lead@{community.id}"]
    assert found.why[0].endswith("小区党支部书记空缺")


def test_a_task_without_a_case_is_for_the_unit_it_was_given_to(context: Context) -> None:
    grid = unit(context, GRID)
    task = {"title": "清理楼道", "unit": str(grid.id), "due": "2026-03-31T18:00+08:00"}
    found = assigned(context, {"post": "grid_lead,community_lead", "unit": "own_task"}, own_task=task)
    assert found.principals == [f"post:grid_lead@{grid.id}"]


def test_when_nobody_is_left_the_joint_office_decides(context: Context) -> None:
    vacate(context, "grid_lead", "sector_lead", "community_lead", "command_centre", "joint_office")
    found = assigned(context, {"post": "grid_lead", "unit": "place"})
    assert found.principals == [f"post:joint_office_lead@{unit(context, '500199').id}"]


def test_the_reporter_is_addressed_by_their_case(context: Context) -> None:
    assert assigned(context, {"post": "reporter", "unit": "reporter"}).principals == ["reporter:77"]


@pytest.mark.parametrize(
    "assign, rule", [({"post": "x", "unit": "nowhere"}, "assignment_unknown"), ({"post": "x", "unit": "lead_unit"}, "assignment_failed")]
)
def test_a_setting_that_leads_nowhere_is_an_incident(context: Context, assign: dict[str, str], rule: str) -> None:
    with pytest.raises(StepFailed) as failed:
        assigned(context, assign, lead_unit="no number")
    assert failed.value.rule == rule


def test_every_kind_of_unit_can_be_found_by_its_tier(context: Context) -> None:
    from governance.workflow.world import District as World

    world = World(context)
    seen = []
    data: dict[str, Any] = {"place_unit": str(unit(context, BUILDING).id), "tier": 0}
    while answer := world.lookup("next_tier", data, MONDAY):
        seen.append(answer["tier_kind"])
        data |= answer
    assert seen == [Kind.BUILDING, Kind.GRID, Kind.SECTOR, Kind.COMMUNITY, Kind.SUBDISTRICT, Kind.DISTRICT]


def test_a_post_that_does_not_exist_is_named(context: Context) -> None:
    with pytest.raises(StepFailed, match="办理岗位“mayor”不存在"):
        assigned(context, {"post": "grid_lead, mayor", "unit": "place"})
