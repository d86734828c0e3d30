"""The posts there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from governance.organisation.models import Kind
from governance.people.models import Appointment


@dataclass(frozen=True)
class Post:
    """岗位: a role in a kind of unit. `sees` says how far its holder reads: own tasks, the unit's subtree, or all."""

    code: str
    name: str
    unit: Kind
    sees: str = "subtree"


POSTS = {
    post.code: post
    for post in (
        Post("building_lead", "楼栋长", Kind.BUILDING),
        Post("property_lead", "物业长", Kind.ESTATE),
        Post("estate_party_secretary", "小区党支部书记", Kind.ESTATE),
        Post("owners_committee_lead", "业委会主任", Kind.ESTATE),
        Post("grid_lead", "网格长", Kind.GRID),
        Post("grid_worker", "网格员", Kind.GRID),
        Post("grid_adviser", "网格指导员", Kind.GRID),
        Post("sector_lead", "片区长", Kind.SECTOR),
        Post("community_lead", "社区长", Kind.COMMUNITY),
        Post("community_worker", "首问接待员", Kind.COMMUNITY),
        Post("community_party_secretary", "社区党组织书记", Kind.COMMUNITY),
        Post("committee_director", "居委会主任", Kind.COMMUNITY),
        Post("legal_adviser", "法律顾问", Kind.COMMUNITY),
        Post("mediator", "人民调解员", Kind.COMMUNITY),
        Post("command_centre", "指挥中心值守员", Kind.SUBDISTRICT),
        Post("command_lead", "指挥长", Kind.SUBDISTRICT),
        Post("street_party_secretary", "街道党工委书记", Kind.SUBDISTRICT),
        Post("judicial_office", "司法所长", Kind.SUBDISTRICT),
        Post("joint_office", "联席办派单员", Kind.DISTRICT),
        Post("joint_office_lead", "联席办主任", Kind.DISTRICT),
        Post("district_leader", "联系领导", Kind.DISTRICT),
        Post("department_dispatcher", "分拨员", Kind.DEPARTMENT, "tasks"),
        Post("department_handler", "承办人", Kind.DEPARTMENT, "tasks"),
        Post("department_lead", "负责人", Kind.DEPARTMENT, "tasks"),
        Post("auditor", "审计员", Kind.DISTRICT, "all"),
        Post("system_administrator", "系统管理员", Kind.DISTRICT, "tasks"),
        Post("process_designer", "流程设计员", Kind.DISTRICT, "tasks"),
    )
}

TIER_POSTS: dict[Kind, tuple[str, ...]] = {
    Kind.BUILDING: ("building_lead", "property_lead"),
    Kind.GRID: ("grid_lead",),
    Kind.SECTOR: ("sector_lead",),
    Kind.COMMUNITY: ("community_lead",),
    Kind.SUBDISTRICT: ("command_centre",),
    Kind.DISTRICT: ("joint_office",),
}
"""Who handles a case at each tier."""


INDISPENSABLE = ("system_administrator", "auditor")
"""Posts that must never be empty: nobody could fill them again, or watch."""

OVERSEERS = ("auditor", "system_administrator", "process_designer")
"""Posts that handle no cases."""
HANDLERS = tuple(code for code in POSTS if code not in OVERSEERS)
"""Those that do."""

STAFFED = (
    "joint_office",
    "joint_office_lead",
    "district_leader",
    "command_centre",
    "community_lead",
    "sector_lead",
    "grid_lead",
    "grid_worker",
    "department_dispatcher",
    "department_handler",
    "property_lead",
    "building_lead",
)
"""Posts that somebody should hold in every unit of their kind, the most missed first."""


def principal(post: str, unit_id: int) -> str:
    """The post of a unit, as tasks are addressed to it."""
    return f"post:{post}@{unit_id}"


def principals(appointments: Iterable[Appointment]) -> list[str]:
    """Everything addressed to somebody who holds these appointments."""
    held = list(appointments)
    people = dict.fromkeys(f"person:{a.person_id}" for a in held)
    return [*people, *dict.fromkeys(principal(a.post, a.unit_id) for a in held)]
