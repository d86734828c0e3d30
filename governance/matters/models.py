"""What is stored of matters beside the log of their process."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from governance.base import Base
from governance.organisation.models import Kind, Unit


class Tier(StrEnum):
    """四事: whose matter it is."""

    ESTATE = "estate"
    COMMUNITY = "community"
    QUARTER = "quarter"
    CITY = "city"

    @property
    def label(self) -> str:
        return TIERS[self][0]


TIERS: Mapping[Tier, tuple[str, Kind]] = {
    Tier.ESTATE: ("小区事", Kind.ESTATE),
    Tier.COMMUNITY: ("社区事", Kind.COMMUNITY),
    Tier.QUARTER: ("街区事", Kind.SUBDISTRICT),
    Tier.CITY: ("城区事", Kind.DISTRICT),
}
"""The name of each tier, and the kind of unit whose matters it holds."""


class Stage(StrEnum):
    """五议, and what follows the resolution."""

    SUGGESTION = "suggestion"
    PROPOSAL = "proposal"
    CONSULTATION = "consultation"
    REVIEW = "review"
    RESOLUTION = "resolution"
    PUBLICITY = "publicity"
    DELIVERY = "delivery"
    EVALUATION = "evaluation"
    CLOSED = "closed"

    @property
    def label(self) -> str:
        return STAGES[self]


STAGES: Mapping[Stage, str] = {
    Stage.SUGGESTION: "建议",
    Stage.PROPOSAL: "提议",
    Stage.CONSULTATION: "商议",
    Stage.REVIEW: "审议",
    Stage.RESOLUTION: "决议",
    Stage.PUBLICITY: "公示",
    Stage.DELIVERY: "落实",
    Stage.EVALUATION: "评价",
    Stage.CLOSED: "已结束",
}


class Matter(Base):
    """议题. Its columns follow the data of its process; who suggested it stays outside of the log."""

    __tablename__ = "matters"
    __table_args__ = (Index("ix_matters_unit_id_id", "unit_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    tier: Mapped[Tier] = mapped_column(String(10))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("instances.id"), unique=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), unique=True)
    title: Mapped[str] = mapped_column(String(80))
    problem: Mapped[str] = mapped_column(Text)
    wish: Mapped[str] = mapped_column(Text)
    suggested_at: Mapped[datetime]
    suggested_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    contact_name: Mapped[str | None] = mapped_column(Text)
    contact_mobile: Mapped[str | None] = mapped_column(Text)
    follow_digest: Mapped[str] = mapped_column(String(64), unique=True)
    submission_key: Mapped[str] = mapped_column(String(80), unique=True)
    status: Mapped[str] = mapped_column(String(20))
    stage: Mapped[Stage] = mapped_column(String(14), index=True)
    moved_at: Mapped[datetime]
    is_compulsory: Mapped[bool] = mapped_column(default=False)
    plan: Mapped[str | None] = mapped_column(Text)
    budget: Mapped[int | None]
    consultation_n: Mapped[int] = mapped_column(default=0)
    resolution_text: Mapped[str | None] = mapped_column(Text)
    resolution_no: Mapped[str | None] = mapped_column(String(60))
    reply_text: Mapped[str | None] = mapped_column(Text)
    result_text: Mapped[str | None] = mapped_column(Text)
    merged_into: Mapped[str | None] = mapped_column(String(24))
    outcome: Mapped[str | None] = mapped_column(String(20))
    closed_at: Mapped[datetime | None]

    unit: Mapped[Unit] = relationship()

    @property
    def tier_name(self) -> str:
        return Tier(self.tier).label

    @property
    def stage_name(self) -> str:
        return Stage(self.stage).label

    @property
    def album(self) -> dict[str, int]:
        """Whose pictures a matter's pictures are."""
        return {"matter_id": self.id}


class MatterNumber(Base):
    """The last number given out in a year."""

    __tablename__ = "matter_numbers"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class Support(Base):
    """附议: one voice of one person. `voice` is what makes the person the same one: a digest, never the number itself."""

    __tablename__ = "supports"

    matter_id: Mapped[int] = mapped_column(ForeignKey("matters.id"), primary_key=True)
    voice: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    household: Mapped[str] = mapped_column(String(40))
    given_at: Mapped[datetime]


class PublicNotice(Base):
    """公示: what was posted where, from when until when."""

    __tablename__ = "public_notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    matter_id: Mapped[int] = mapped_column(ForeignKey("matters.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    text: Mapped[str] = mapped_column(Text)
    place: Mapped[str] = mapped_column(String(200))
    posted_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Objection(Base):
    """异议 against what is on public notice. Who objects, and in which words, stays outside of the log."""

    __tablename__ = "objections"

    matter_id: Mapped[int] = mapped_column(ForeignKey("matters.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("public_notices.id"))
    submission_key: Mapped[str] = mapped_column(String(80), unique=True)
    text: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    contact_mobile: Mapped[str | None] = mapped_column(Text)
    follow_digest: Mapped[str] = mapped_column(String(64), unique=True)
    raised_at: Mapped[datetime]
    is_upheld: Mapped[bool | None]
    answer: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None]


class ImplementationTask(Base):
    """落实: one thing that a resolution asks somebody to do, perhaps as a case of its own."""

    __tablename__ = "implementation_tasks"

    matter_id: Mapped[int] = mapped_column(ForeignKey("matters.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    due_at: Mapped[datetime | None]
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), unique=True)
    settled_at: Mapped[datetime | None]

    unit: Mapped[Unit] = relationship()


class MatterEvaluation(Base):
    """评价 of what came of a resolution: one a person."""

    __tablename__ = "matter_evaluations"

    matter_id: Mapped[int] = mapped_column(ForeignKey("matters.id"), primary_key=True)
    voice: Mapped[str] = mapped_column(String(64), primary_key=True)
    satisfaction: Mapped[int]
    comment: Mapped[str] = mapped_column(Text)
    given_at: Mapped[datetime]
