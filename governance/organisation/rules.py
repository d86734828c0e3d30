"""Which unit may lie in which, and how codes are built."""

from __future__ import annotations

import re

from governance.organisation.models import Kind

PARENTS: dict[Kind, tuple[Kind, ...]] = {
    Kind.DISTRICT: (),
    Kind.SUBDISTRICT: (Kind.DISTRICT,),
    Kind.COMMUNITY: (Kind.SUBDISTRICT,),
    Kind.SECTOR: (Kind.COMMUNITY,),
    Kind.GRID: (Kind.SECTOR, Kind.COMMUNITY),
    Kind.BUILDING: (Kind.GRID,),
    Kind.ESTATE: (Kind.COMMUNITY,),
    Kind.DEPARTMENT: (Kind.DISTRICT,),
}
"""片区 is optional: a grid may lie in a sector or directly in its community."""

TIERS: tuple[Kind, ...] = (Kind.BUILDING, Kind.GRID, Kind.SECTOR, Kind.COMMUNITY, Kind.SUBDISTRICT, Kind.DISTRICT)
"""The tiers a case climbs, tier 1 first."""

_CODE = re.compile(r"[0-9A-Za-z-]{2,30}")


def may_hold(parent: Kind | None, child: Kind) -> bool:
    """Whether a unit of kind `child` may lie in one of kind `parent`; the district lies in nothing."""
    return parent in PARENTS[child] if parent else not PARENTS[child]


def code_problem(code: str) -> str | None:
    """What is wrong with a unit code; None when nothing is."""
    return None if _CODE.fullmatch(code) else f"编码“{code}”应为 2 至 30 位字母、数字或短横线"
