"""What is stored of people and their appointments."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from governance.base import Base
from governance.organisation.models import Unit


class Person(Base):
    """Somebody who works with the system."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    mobile: Mapped[str | None] = mapped_column(String(20))


class Appointment(Base):
    """任职: a person holds a post of a unit for a term; a deputy steps in while nobody else holds it."""

    __tablename__ = "appointments"
    __table_args__ = (Index("ix_appointments_post_unit_id", "post", "unit_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    post: Mapped[str] = mapped_column(String(40))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    is_deputy: Mapped[bool] = mapped_column(default=False)
    from_date: Mapped[date]
    to_date: Mapped[date | None]

    person: Mapped[Person] = relationship(lazy="joined")
    unit: Mapped[Unit] = relationship(lazy="joined")
