"""The models' common base: one metadata with the engine's tables, so that all of it commits together."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import DeclarativeBase, Session

from engine import schema


class Base(DeclarativeBase):
    """Every stored thing of the domain."""

    metadata = schema.metadata
    type_annotation_map: ClassVar[dict[Any, Any]] = {int: schema.Id, datetime: schema.Instant}


def inserting(session: Session, model: type[Any]) -> Any:
    """An insert that can yield to a row that is there already, in the words of the database at hand."""
    insert = postgres_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    return insert(model)
