"""What is stored of what people have started: who, by which submission, and how it ended. The rest is in the instance."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.schema import instances
from governance.base import Base


class Started(Base):
    """发起: what somebody has begun. `ended` is the end it came to, by its name on the diagram."""

    __tablename__ = "started_processes"
    __table_args__ = (UniqueConstraint("person_id", "submission_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    submission_key: Mapped[str] = mapped_column(String(80))
    instance_id: Mapped[int | None] = mapped_column(ForeignKey(instances.c.id), unique=True)
    ended: Mapped[str | None] = mapped_column(String(200))
