"""What is stored of a case. The log of its instance is the truth; most of this follows it in the same transaction."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from governance.base import Base
from governance.organisation.models import Unit


class Case(Base):
    """事项. `clock_opened_at` moves with pauses, `reported_at` never does."""

    __tablename__ = "cases"
    __table_args__ = (Index("ix_cases_place_id_category", "place_id", "category"), Index("ix_cases_status_due_at", "status", "due_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("instances.id"), unique=True)
    channel: Mapped[str] = mapped_column(String(30))
    title: Mapped[str] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(String(8))
    priority: Mapped[str | None] = mapped_column(String(4))
    status: Mapped[str] = mapped_column(String(20))
    place_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    address: Mapped[str] = mapped_column(String(200))
    is_anonymous: Mapped[bool]
    is_confidential: Mapped[bool]
    is_self_found: Mapped[bool]
    reported_at: Mapped[datetime]
    reported_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    contact_name: Mapped[str | None] = mapped_column(Text)
    contact_mobile: Mapped[str | None] = mapped_column(Text)
    follow_digest: Mapped[str] = mapped_column(String(64), unique=True)
    submission_key: Mapped[str] = mapped_column(String(80), unique=True)
    lead_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    tier: Mapped[int | None]
    rework_n: Mapped[int] = mapped_column(default=0)
    reopen_n: Mapped[int] = mapped_column(default=0)
    return_n: Mapped[int] = mapped_column(default=0)
    extension_n: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    due_unit: Mapped[str | None] = mapped_column(String(14))
    clock_opened_at: Mapped[datetime]
    paused_at: Mapped[datetime | None]
    reply_text: Mapped[str | None] = mapped_column(Text)
    replied_at: Mapped[datetime | None]
    resolved: Mapped[str | None] = mapped_column(String(20))
    satisfaction: Mapped[int | None]
    close_code: Mapped[str | None] = mapped_column(String(20))
    closed_at: Mapped[datetime | None]

    place: Mapped[Unit] = relationship(foreign_keys=[place_id])

    @property
    def album(self) -> dict[str, int]:
        """Whose pictures a case's pictures are."""
        return {"case_id": self.id}


class CaseNumber(Base):
    """The last number given out on a day."""

    __tablename__ = "case_numbers"

    day: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int]


class Photo(Base):
    """A picture, kept by the digest of its re-encoded content."""

    __tablename__ = "photos"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), index=True)
    matter_id: Mapped[int | None] = mapped_column(ForeignKey("matters.id"), index=True)
    task_key: Mapped[str | None] = mapped_column(String(140))
    digest: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    added_at: Mapped[datetime]
    added_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
