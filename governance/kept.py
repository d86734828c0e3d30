"""What rarely changes and is asked at every step, read once by each process.

A subject keeps a count in the database that moves with every change of it; what was read stays good while the count stands.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

Read = TypeVar("Read")
_HELD, _CHANGED = "counts", "changed"
_subjects: dict[str, InstrumentedAttribute[int]] = {}


class Kept:
    """What this process has read of one subject, by key; `count` is the column that says when to forget it."""

    def __init__(self, subject: str, count: InstrumentedAttribute[int], most: int = 40_000) -> None:
        self.subject, self.most = subject, most
        self._read: dict[tuple[str, int], dict[Hashable, object]] = {}
        _subjects[subject] = count

    def get(self, session: Session, key: Hashable, read: Callable[[], Read]) -> Read:
        """What was read under this key, read now if it must be; a session that has changed the subject reads for itself."""
        count = _counts(session)[self.subject]
        if count is None or self.subject in session.info.get(_CHANGED, ()):
            return read()
        stands = (str(session.get_bind().engine.url), count)
        good = self._read.get(stands)
        if good is None or len(good) >= self.most:
            self._read = {stands: (good := {})}
        if key not in good:
            good[key] = read()
        return cast(Read, good[key])

    def note_change(self, session: Session) -> None:
        """Marks that this session has changed the subject: what it reads may yet be rolled back, and is not kept."""
        session.info[_CHANGED] = {self.subject, *session.info.get(_CHANGED, ())}


def _counts(session: Session) -> dict[str, Any]:
    """The counts of all subjects as this transaction first saw them."""
    connection, held = session.connection(), session.info.get(_HELD)
    if held is None or held[0] is not session.get_transaction():
        held = (session.get_transaction(), dict(connection.execute(_query(len(_subjects))).mappings().one()))
        session.info[_HELD] = held
    found: dict[str, Any] = held[1]
    return found


@cache
def _query(_subjects_known: int) -> Select[Any]:
    """All counts in one statement, built once for as many subjects as there are."""
    return select(*(select(count).scalar_subquery().label(name) for name, count in _subjects.items()))
