"""What is stored of the organisation."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from governance.base import Base


class Kind(StrEnum):
    """What a unit is."""

    DISTRICT = "district"
    SUBDISTRICT = "subdistrict"
    COMMUNITY = "community"
    SECTOR = "sector"
    GRID = "grid"
    BUILDING = "building"
    ESTATE = "estate"
    DEPARTMENT = "department"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    Kind.DISTRICT: "区",
    Kind.SUBDISTRICT: "街道",
    Kind.COMMUNITY: "社区",
    Kind.SECTOR: "片区",
    Kind.GRID: "网格",
    Kind.BUILDING: "楼栋",
    Kind.ESTATE: "小区",
    Kind.DEPARTMENT: "部门",
}


class Unit(Base):
    """A place in the tree. `path` holds the ids from the root down, so that a subtree is a prefix."""

    __tablename__ = "units"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[Kind] = mapped_column(String(12))
    code: Mapped[str] = mapped_column(String(30), unique=True)
    external_code: Mapped[str | None] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(80))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    path: Mapped[str] = mapped_column(String(240), index=True)
    estate_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    households: Mapped[int | None]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class OrganisationChange(Base):
    """How often the tree or who holds its posts has changed: what was read stays good until this moves."""

    __tablename__ = "organisation_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int]
