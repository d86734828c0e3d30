"""The models' common base: one metadata with the engine's tables, so that all of it commits together."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy.orm import DeclarativeBase

from engine import schema


class Base(DeclarativeBase):
    """Every stored thing of the domain."""

    metadata = schema.metadata
    type_annotation_map: ClassVar[dict[Any, Any]] = {int: schema.Id, datetime: schema.Instant}
