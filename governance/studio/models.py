"""What is stored of processes in the making. Moments and references say how far a draft has come; nothing else does."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.schema import instances, process_versions
from governance.base import Base


class Draft(Base):
    """草稿: the files of a process in the making. `base_id` is the version it began as; `change_id` the change it is submitted as."""

    __tablename__ = "process_drafts"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), index=True)
    name: Mapped[str] = mapped_column(String(200))
    base_id: Mapped[int | None] = mapped_column(ForeignKey(process_versions.c.id))
    files: Mapped[str] = mapped_column(Text)
    revision: Mapped[int]
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime]
    edited_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    edited_at: Mapped[datetime]
    held_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    held_until: Mapped[datetime | None]
    change_id: Mapped[int | None] = mapped_column(ForeignKey(instances.c.id), unique=True)
    published_id: Mapped[int | None] = mapped_column(ForeignKey(process_versions.c.id))
    ended_at: Mapped[datetime | None]


class DraftRevision(Base):
    """What a draft was after an edit; edits of one person that follow each other closely are one revision."""

    __tablename__ = "process_draft_revisions"

    draft_id: Mapped[int] = mapped_column(ForeignKey(Draft.id), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    files: Mapped[str] = mapped_column(Text)
    saved_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    began_at: Mapped[datetime]
    saved_at: Mapped[datetime]


class Run(Base):
    """Something that is done to many instances in the background, one after the other.

    `kind` says what: `rehearse` on a draft whose files are `files`, `preview` or `move` to the version `version_id`, `undo` of the
    moves of the run `of_id`. `instance_ids` are those to come, in order; results say which are done.
    """

    __tablename__ = "process_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    key: Mapped[str] = mapped_column(String(80), index=True)
    draft_id: Mapped[int | None] = mapped_column(ForeignKey(Draft.id), index=True)
    files: Mapped[str | None] = mapped_column(Text)
    version_id: Mapped[int | None] = mapped_column(ForeignKey(process_versions.c.id))
    of_id: Mapped[int | None] = mapped_column(ForeignKey("process_runs.id"))
    plan: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    instance_ids: Mapped[str] = mapped_column(Text)
    total: Mapped[int]
    done: Mapped[int]
    actor: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    cancelled_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))

    @property
    def is_broken_off(self) -> bool:
        """It ended before its end, and nobody has wanted that."""
        return self.ended_at is not None and self.cancelled_by is None and self.done < self.total


class RunResult(Base):
    """What a run came to for one instance: how it ended, where, and why in a sentence; `told` holds the rest."""

    __tablename__ = "process_run_results"

    run_id: Mapped[int] = mapped_column(ForeignKey(Run.id), primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey(instances.c.id), primary_key=True)
    ending: Mapped[str] = mapped_column(String(10))
    element: Mapped[str] = mapped_column(String(100))
    message: Mapped[str] = mapped_column(Text)
    told: Mapped[str] = mapped_column(Text)
