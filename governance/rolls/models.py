"""What is stored of the books on which votes are called."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from governance.base import Base
from governance.organisation.models import Unit


class RollBook(Base):
    """名册: the people of a unit who may vote on one kind of thing."""

    __tablename__ = "roll_books"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(80))
    members_n: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]

    unit: Mapped[Unit] = relationship(lazy="joined")


class RollMember(Base):
    """Somebody who may vote. Name and mobile are sealed; the area is in hundredths of a square metre."""

    __tablename__ = "roll_members"
    __table_args__ = ({"sqlite_with_rowid": False},)

    book_id: Mapped[int] = mapped_column(ForeignKey("roll_books.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    mobile: Mapped[str | None] = mapped_column(Text)
    household: Mapped[str] = mapped_column(String(80))
    heads: Mapped[int] = mapped_column(default=1)
    area_dm2: Mapped[int | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
