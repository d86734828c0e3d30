"""What is stored of the files that came with forms."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.schema import instances
from governance.base import Base
from governance.files.rules import value_of


class FormFile(Base):
    """A file of an instance, kept by the digest of its content; without an instance, it waits for its person to start one.

    Until the record names it, nobody needs it.
    """

    __tablename__ = "form_files"
    __table_args__ = (Index(None, "added_by", "instance_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int | None] = mapped_column(ForeignKey(instances.c.id), index=True)
    task_key: Mapped[str | None] = mapped_column(String(140))
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(8))
    digest: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int]
    added_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    added_at: Mapped[datetime]
    named_at: Mapped[datetime | None]

    @property
    def value(self) -> str:
        """How forms and the log name it."""
        return value_of(self.digest, self.name)
