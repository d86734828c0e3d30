"""What the district decides about the flow, beside the diagrams, and who has asked for what to be done soon."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.schema import tasks
from governance.base import Base


class CategoryDepartment(Base):
    """职责清单: which department leads on a category; a major category stands for all of its own."""

    __tablename__ = "category_departments"

    category: Mapped[str] = mapped_column(String(8), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))


class Urge(Base):
    """催办: how often somebody has urged a task, and when last. The words are in the instance's log."""

    __tablename__ = "urges"

    task_id: Mapped[int] = mapped_column(ForeignKey(tasks.c.id), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    times: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[datetime]
