"""Which unit a person means, and which posts nobody holds."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from governance.context import Context
from governance.errors import Refused
from governance.organisation.commands import close_unit
from governance.organisation.models import Kind, Unit
from governance.organisation.queries import place, unit_meant, units_like, upwards
from governance.people.commands import end_appointment
from governance.people.queries import holders, vacancies


@pytest.mark.parametrize("text", ["临江社区第一网格", "滨江街道临江社区第一网格", "临江社区 第一网格", "50019900100100001"])
def test_a_grid_is_known_by_its_name_within_its_community_or_its_code(context: Context, text: str) -> None:
    found = unit_meant(context.session, text, Kind.GRID)
    assert found.name == "第一网格"
    assert "临江社区" in [above.name for above in upwards(context.session, found)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "请填写网格的名称或编码"),
        ("第一网格", "有多个网格符合“第一网格”，请填写编码，或者在名称前加上所在社区"),
        ("临江社区", "有多个网格符合“临江社区”，请填写编码，或者在名称前加上所在社区"),
        ("没有的社区第一网格", "没有名称或编码为“没有的社区第一网格”的网格"),
        ("%", "没有名称或编码为“%”的网格"),
    ],
)
def test_what_may_mean_several_units_or_none_is_refused(context: Context, text: str, said: str) -> None:
    with pytest.raises(Refused, match=f"^{said}$"):
        unit_meant(context.session, text, Kind.GRID)


def test_only_units_of_the_kind_that_has_the_post_are_offered(context: Context) -> None:
    assert {unit.kind for unit in units_like(context.session, "临江", Kind.COMMUNITY)} == {Kind.COMMUNITY}
    assert units_like(context.session, "临江社区", Kind.DEPARTMENT) == []


def test_a_post_that_is_left_is_vacant_from_the_next_day(context: Context) -> None:
    community = unit_meant(context.session, "临江社区", Kind.COMMUNITY)
    [lead] = holders(context.session, "community_lead", community.id, context.today)

    def is_vacant(day: object) -> bool:
        return any((unit.id, post.code) == (community.id, "community_lead") for unit, post in vacancies(context.session, day))  # type: ignore[arg-type]

    assert not is_vacant(context.today)
    end_appointment(context.session, lead, context.today)
    assert not is_vacant(context.today)
    assert is_vacant(context.today.replace(day=context.today.day + 1))


def test_nothing_is_reported_at_a_place_that_is_closed(context: Context) -> None:
    building = context.session.scalars(select(Unit).where(Unit.code == "5001990010010000100001")).one()
    assert place(context.session, building.code) is building and place(context.session, str(building.id)) is building
    close_unit(context.session, building, context.today)
    assert place(context.session, building.code) is None and place(context.session, str(building.id)) is None
