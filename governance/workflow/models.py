"""What the district decides about the flow, beside the diagrams."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from governance.base import Base


class CategoryDepartment(Base):
    """职责清单: which department leads on a category; a major category stands for all of its own."""

    __tablename__ = "category_departments"

    category: Mapped[str] = mapped_column(String(8), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
