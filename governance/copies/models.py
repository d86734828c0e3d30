"""What is stored of what was copied to people: to whom, by whom, and when they read it. The words are in the instance's log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.schema import instances, tasks
from governance.base import Base

_UNREAD = text("read_at IS NULL")


class Copy(Base):
    """抄送: a task whose instance somebody may read, because whoever had it wished so. `seq` is its entry in the log."""

    __tablename__ = "copies"
    __table_args__ = (
        Index(None, "instance_id", "person_id"),
        Index(None, "person_id", "at", "task_id"),
        Index("ix_copies_unread", "person_id", sqlite_where=_UNREAD, postgresql_where=_UNREAD),
    )

    task_id: Mapped[int] = mapped_column(ForeignKey(tasks.c.id), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey(instances.c.id))
    seq: Mapped[int] = mapped_column(Integer)
    sender_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
