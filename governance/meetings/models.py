"""What is stored of meetings. Moments say how far a meeting has come; nothing else does."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from governance.base import Base
from governance.organisation.models import Unit
from governance.people.models import Person


class MeetingRule(Base):
    """What the rules of a body ask of its meetings, and where that is written. `quorum` is a share like 2/3, or more than it."""

    __tablename__ = "meeting_rules"

    body: Mapped[str] = mapped_column(String(20), primary_key=True)
    notice_days: Mapped[int]
    may_be_urgent: Mapped[bool]
    quorum: Mapped[str | None] = mapped_column(String(10))
    is_quorum_over: Mapped[bool]
    takes_extra_items: Mapped[bool]
    source: Mapped[str] = mapped_column(String(200))
    is_confirmed: Mapped[bool]


class Meeting(Base):
    """会议. It keeps the rule it was noticed under, so that a later change of the rule changes nothing about it."""

    __tablename__ = "meetings"

    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(String(20))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    title: Mapped[str] = mapped_column(String(80))
    place: Mapped[str] = mapped_column(String(200))
    link: Mapped[str] = mapped_column(String(300))
    starts_at: Mapped[datetime] = mapped_column(index=True)
    convener_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    convener_post: Mapped[str] = mapped_column(String(40))
    convener_unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime]
    notice_days: Mapped[int]
    quorum: Mapped[str | None] = mapped_column(String(10))
    is_quorum_over: Mapped[bool]
    takes_extra_items: Mapped[bool]
    source: Mapped[str] = mapped_column(String(200))
    is_confirmed: Mapped[bool]
    urgent_reason: Mapped[str | None] = mapped_column(String(300))
    secret_digest: Mapped[str] = mapped_column(String(64), unique=True)
    sealed_secret: Mapped[str] = mapped_column(Text)
    noticed_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None] = mapped_column(String(300))

    unit: Mapped[Unit] = relationship(foreign_keys=[unit_id])
    convener_unit: Mapped[Unit] = relationship(foreign_keys=[convener_unit_id])
    convener: Mapped[Person] = relationship(foreign_keys=[convener_id])


class AgendaItem(Base):
    """议题; `is_extra` when it came after the notice (临时议题). `matter_id` names a matter of deliberation."""

    __tablename__ = "meeting_items"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meetings.id"), index=True)
    position: Mapped[int]
    text: Mapped[str] = mapped_column(String(300))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), index=True)
    matter_id: Mapped[int | None] = mapped_column(index=True)
    is_extra: Mapped[bool]
    added_at: Mapped[datetime]
    result: Mapped[str | None] = mapped_column(Text)


class Attendee(Base):
    """参会人员. Staff are named plainly; a resident's name is sealed, as is the code by which anybody signs in by phone."""

    __tablename__ = "meeting_attendees"
    __table_args__ = (UniqueConstraint("meeting_id", "person_id"), UniqueConstraint("meeting_id", "number"))

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meetings.id"), index=True)
    number: Mapped[int]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    name: Mapped[str | None] = mapped_column(String(40))
    sealed_name: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str] = mapped_column(String(80))
    role: Mapped[str] = mapped_column(String(12))
    sealed_code: Mapped[str] = mapped_column(Text)
    is_code_mobile: Mapped[bool]
    added_at: Mapped[datetime]
    failures: Mapped[int]
    signed_in_at: Mapped[datetime | None]
    ticked_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class Minutes(Base):
    """会议记录: one version, never changed; its digest covers the version before."""

    __tablename__ = "meeting_minutes"
    __table_args__ = (UniqueConstraint("meeting_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meetings.id"))
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    written_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    written_at: Mapped[datetime]


class MeetingFile(Base):
    """附件: kept by the digest of its content."""

    __tablename__ = "meeting_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meetings.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(8))
    digest: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int]
    added_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    added_at: Mapped[datetime]


class Signature(Base):
    """签名: an attendee signed this version; on paper when `file_id` shows the sheet. A newer version makes it void."""

    __tablename__ = "minutes_signatures"
    __table_args__ = (UniqueConstraint("minutes_id", "attendee_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    minutes_id: Mapped[int] = mapped_column(ForeignKey("meeting_minutes.id"))
    attendee_id: Mapped[int] = mapped_column(ForeignKey("meeting_attendees.id"))
    signed_at: Mapped[datetime]
    recorded_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    file_id: Mapped[int | None] = mapped_column(ForeignKey("meeting_files.id"))


class Decision(Base):
    """议定事项: what was decided, who sees to it until when; confirmed, it runs as a process of its own."""

    __tablename__ = "meeting_decisions"
    __table_args__ = (UniqueConstraint("meeting_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meetings.id"))
    number: Mapped[int]
    text: Mapped[str] = mapped_column(String(500))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    due_on: Mapped[date]
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), index=True)
    matter_id: Mapped[int | None] = mapped_column(index=True)
    added_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    added_at: Mapped[datetime]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    confirmed_at: Mapped[datetime | None]
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("instances.id"), unique=True)

    unit: Mapped[Unit] = relationship(foreign_keys=[unit_id])
