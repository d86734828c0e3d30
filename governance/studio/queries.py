"""What there is of drafts, and how they differ from what runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.difference import difference, is_redrawn
from engine.errors import NoSuchVersion
from engine.log import Entry, entries
from engine.packages import Package, frozen_package
from engine.schema import instances, process_versions
from engine.versions import Version, latest_version, package_of, retired_up_to, versions, whole_package
from engine.wording import Change
from governance.errors import NotFound
from governance.studio.description import described
from governance.studio.models import Draft, DraftRevision
from governance.studio.rules import files_of
from governance.workflow.rules import SETTING_WORDS


def draft(session: Session, draft_id: int, *, lock: bool = False) -> Draft:
    """One draft; raises `NotFound`."""
    found = session.get(Draft, draft_id, with_for_update=lock or None, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def open_drafts(session: Session) -> Sequence[Draft]:
    """The drafts that somebody works on or that wait for approval, the latest edited first."""
    return session.scalars(select(Draft).where(Draft.ended_at.is_(None)).order_by(Draft.edited_at.desc(), Draft.id.desc())).all()


def drafts_published(session: Session) -> dict[int, int]:
    """By version, the draft that it was published from."""
    made = select(Draft.published_id, Draft.id).where(Draft.published_id.is_not(None))
    return {version_id: draft_id for version_id, draft_id in session.execute(made) if version_id is not None}


def revisions(session: Session, draft_id: int) -> Sequence[DraftRevision]:
    """What the draft has been, the latest first."""
    return session.scalars(select(DraftRevision).where(DraftRevision.draft_id == draft_id).order_by(DraftRevision.number.desc())).all()


def editors(session: Session, draft_id: int) -> Sequence[int]:
    """The people who had a hand in a draft."""
    return session.scalars(
        select(DraftRevision.saved_by).where(DraftRevision.draft_id == draft_id).distinct().order_by(DraftRevision.saved_by)
    ).all()


def package_of_draft(held: Draft) -> Package:
    """The package that the draft's files make."""
    return frozen_package(files_of(held.files))


def base_of(session: Session, held: Draft) -> Package | None:
    """The package that the draft began as; none for a new process."""
    return whole_package(session.connection(), held.base_id) if held.base_id else None


@dataclass(frozen=True)
class Compared:
    """How two packages differ, in sentences; `is_redrawn` says that the drawing does."""

    changes: tuple[Change, ...]
    is_redrawn: bool

    @property
    def sentences(self) -> list[str]:
        return [change.message for change in self.changes]

    @property
    def parts(self) -> list[str]:
        """What each sentence is about."""
        return [change.part for change in self.changes]


def compared(old: Package | None, new: Package) -> Compared:
    """The difference of two packages; of a new process, all that it is."""
    if old is None:
        return Compared(described(new), is_redrawn=False)
    return Compared(difference(old, new, SETTING_WORDS), is_redrawn(old, new))


def current(session: Session, key: str) -> Version | None:
    """The version that new instances start on; none when there is none, or the process is retired."""
    try:
        return latest_version(session.connection(), key)
    except NoSuchVersion:
        return None


@dataclass(frozen=True)
class Published:
    """A process with its versions, the newest first, and how many instances still run on each."""

    key: str
    versions: tuple[Version, ...]
    running: dict[int, int]
    is_retired: bool

    @property
    def latest(self) -> Version:
        return self.versions[0]


def published(session: Session) -> list[Published]:
    """All processes by their names."""
    connection = session.connection()
    over, by_key = retired_up_to(connection), dict[str, list[Version]]()
    for version in versions(connection):
        by_key.setdefault(version.key, []).append(version)
    on = select(instances.c.version_id, func.count()).where(instances.c.ended_at.is_(None)).group_by(instances.c.version_id)
    running: dict[int, int] = dict(connection.execute(on).all())
    found = [Published(k, tuple(of), {v.id: running.get(v.id, 0) for v in of}, over.get(k, 0) >= of[0].number) for k, of in by_key.items()]
    return sorted(found, key=lambda one: one.key)


@dataclass(frozen=True)
class UnderWay:
    """A change that is neither in effect nor given up."""

    instance_id: int
    title: str
    since: datetime


def under_way(session: Session, key: str) -> UnderWay | None:
    """The change of a process that is being approved or waits for its moment."""
    of_drafts = select(Draft.change_id).where(Draft.key == key, Draft.change_id.is_not(None))
    mine = (instances.c.business_key == change_key(key)) | instances.c.id.in_(of_drafts)
    going_on = select(instances.c.id, instances.c.title, instances.c.started_at).where(mine, instances.c.ended_at.is_(None)).limit(1)
    row = session.connection().execute(going_on).one_or_none()
    return UnderWay(*row) if row else None


def change_key(of: str) -> str:
    """The business key of a change: of a draft by its id, of a retirement by the process."""
    return f"process_change:{of}"


def version_of(session: Session, version_id: int) -> Version:
    """One published version; raises `NotFound`."""
    row = session.connection().execute(select(process_versions.c.key).where(process_versions.c.id == version_id)).one_or_none()
    found = next((v for v in versions(session.connection(), row.key) if v.id == version_id), None) if row else None
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class Decided:
    """What became of a change: who submitted it and why, who decided what, and why it did not come into effect."""

    instance_id: int
    submitted_at: datetime
    submitter: int
    name: str
    act: str
    draft_id: int | None
    reason: str
    effective_at: datetime | None
    changes: tuple[str, ...]
    parts: tuple[str, ...] = ()
    """What each of the changes is about; nothing is said of that by what was submitted before it was noted."""
    scenarios_given_up: tuple[str, ...] = ()
    scenarios_reason: str = ""
    approver: int | None = None
    decided_at: datetime | None = None
    decision: str = ""
    opinion: str = ""
    lapse: str = ""
    status: str = ""

    @property
    def title(self) -> str:
        """What is to be done to which process."""
        return f"{'停用' if self.act == 'retire' else '发布'}流程“{self.name}”"

    @property
    def standing(self) -> str:
        """How far it has come, in a word."""
        if self.lapse:
            return "未能生效"
        if self.status == "cancelled":
            return "已撤回"
        if self.decision == "return":
            return "已退回"
        return "已生效" if self.status == "finished" else ("待生效" if self.decision else "待审批")


def change_of(session: Session, instance_id: int) -> Decided | None:
    """The change that an instance is; none when it is something else."""
    connection = session.connection()
    query = select(instances.c.status).where(instances.c.id == instance_id, instances.c.business_key.startswith(change_key("")))
    status = connection.scalar(query)
    return _decided(instance_id, status, entries(connection, instance_id)) if status else None


def changes_of(session: Session, of: str) -> list[Decided]:
    """The changes that a draft was submitted as, or the retirements of a process, the latest first."""
    connection = session.connection()
    rows = connection.execute(
        select(instances.c.id, instances.c.status).where(instances.c.business_key == change_key(of)).order_by(instances.c.id.desc())
    )
    return [_decided(row.id, row.status, entries(connection, row.id)) for row in rows]


def _decided(instance_id: int, status: str, log: Sequence[Entry]) -> Decided:
    first, answers = log[0], [a for entry in log for a in entry.facts.get("answers", ())]
    data = first.data or {}
    given = next((entry for entry in log if entry.kind == "complete"), None)
    lapse = next((str(answer["lapse_reason"]) for _key, name, answer in answers if name == "carry_out_change"), "")
    known: dict[str, Any] = {
        "submitter": int(first.actor["person"]),
        "name": data.get("process_name", ""),
        "act": data.get("act", ""),
        "draft_id": int(data["draft_id"]) if data.get("draft_id") else None,
        "reason": data.get("change_reason", ""),
        "effective_at": datetime.fromisoformat(data["effective_at"]) if data.get("effective_at") else None,
        "changes": tuple(data.get("changes", ())),
        "parts": tuple(data.get("parts", ())),
        "scenarios_given_up": tuple(data.get("scenarios_given_up", ())),
        "scenarios_reason": data.get("scenarios_reason", ""),
        "lapse": lapse,
        "status": status,
    }
    if given is not None:
        decision = (given.data or {}).get("change_decision", "")
        known |= {"approver": int(given.actor["person"]), "decided_at": given.at, "decision": decision, "opinion": given.opinion or ""}
    return Decided(instance_id, first.at, **known)


def used(session: Session, setting: str, part: str) -> list[str]:
    """What the processes in use say in one part of a setting: the names of their services, the statuses of their steps."""
    connection, found = session.connection(), set[str]()
    for process in published(session):
        nodes = package_of(connection, process.latest.id, process.latest.digest).diagram.nodes.values()
        found |= {node.settings[setting][part] for node in nodes if setting in node.settings}
    return sorted(found)
