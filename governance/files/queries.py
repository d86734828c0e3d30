"""Reads the files of forms."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from governance.errors import NotFound
from governance.files.models import FormFile
from governance.files.rules import FITTING


def fitting(session: Session, values: Collection[str], instance_id: int, starter: int | None) -> Mapping[str, set[str]]:
    """Which of these values name a file of the instance, or one that waits for its starter, by the fields that may name it."""
    digests = {value.partition("/")[0] for value in values if "/" in value}
    found = session.scalars(select(FormFile).where(_of(instance_id, starter), FormFile.digest.in_(digests))).all() if digests else ()
    return {widget: {file.value for file in found if file.kind in kinds} for widget, kinds in FITTING.items()}


def file_of(session: Session, instance_id: int, starter: int | None, digest: str, name: str) -> FormFile:
    """A file of the instance, or one that waits for its starter; raises `NotFound`."""
    named = select(FormFile).where(_of(instance_id, starter), FormFile.digest == digest, FormFile.name == name)
    found = session.scalars(named.order_by(FormFile.id)).first()
    if found is None:
        raise NotFound
    return found


def sizes(session: Session, digests: Collection[str]) -> Mapping[str, int]:
    """How large files are; what has this digest has this size."""
    query = select(FormFile.digest, FormFile.size).where(FormFile.digest.in_(digests)).distinct()
    return {row.digest: row.size for row in session.execute(query)} if digests else {}


def _of(instance_id: int, starter: int | None) -> ColumnElement[bool]:
    if starter is None:
        return FormFile.instance_id == instance_id
    return and_(FormFile.instance_id.is_(None), FormFile.added_by == starter)
