"""What people do with drafts of processes, until one is submitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from bpmn import TEMPLATES, beginning, shipped
from engine.errors import StepFailed, VersionRefused
from engine.packages import DIAGRAM, Package, frozen_package, read_archive
from engine.validator import Problem, publishable
from engine.versions import hold_process, latest_version, whole_package
from engine.world import Advance
from governance.calendar.queries import working_calendar
from governance.context import Actor, Context
from governance.errors import NotAllowed, NotFound, Refused
from governance.people.queries import names
from governance.studio import queries
from governance.studio.errors import (
    AlreadyUnderWay,
    BehindPublished,
    DraftChanged,
    DraftClosed,
    DraftHeld,
    NeverRetired,
    NothingChanged,
    ScenarioFailed,
)
from governance.studio.models import Draft, DraftRevision
from governance.studio.rules import (
    AT_A_STRETCH,
    FARTHEST,
    HOLD,
    MAX_REVISIONS,
    REASON,
    Edits,
    edited,
    failed_scenarios,
    files_of,
    problems_of,
    stored,
)
from governance.workflow.rules import planned_due
from governance.workflow.world import instances

MAKERS = ("process_designer", "system_administrator")
PROCESS = "process_change"
NAME = 60
KEY = 60


# ---- where a draft comes from ------------------------------------------------------------------------------------


def draft_version(context: Context, actor: Actor, version_id: int) -> Draft:
    """A draft that begins as a published version, in use or old; raises `NotFound`."""
    permit(actor)
    version = queries.version_of(context.session, version_id)
    latest = queries.current(context.session, version.key)
    package = whole_package(context.session.connection(), version.id)
    return _begin(context, actor, package, latest.id if latest else version.id)


def draft_new(context: Context, actor: Actor, name: str, template: str = "blank") -> Draft:
    """A draft of a new process that begins as a template; raises `Refused`."""
    permit(actor)
    name = name.strip()
    if not name or len(name) > NAME:
        raise Refused({"name": f"请填写流程的名称，不超过 {NAME} 个字"})
    if template not in TEMPLATES:
        raise Refused({"template": "请选择从哪里开始"})
    files = beginning(template, f"process_{context.new_id()}", name)
    return _begin(context, actor, frozen_package(files), None)


def draft_import(context: Context, actor: Actor, content: bytes) -> Draft:
    """A draft that begins as a zip file or a bare diagram; a process known by its key becomes a change of it.

    Raises `Unreadable`, `Refused`.
    """
    permit(actor)
    package = read_archive(content) if content.startswith(b"PK") else frozen_package({DIAGRAM: content})
    latest = queries.current(context.session, package.diagram.main.id)
    return _begin(context, actor, package, latest.id if latest else None)


def _begin(context: Context, actor: Actor, package: Package, base_id: int | None) -> Draft:
    now, main = context.now(), package.diagram.main
    if len(main.id) > KEY:
        raise Refused({"files": f"流程的编号不能超过 {KEY} 个字符"})
    held = Draft(
        id=context.new_id(),
        key=main.id,
        name=(main.name or main.id)[:200],
        base_id=base_id,
        files=stored(package.whole),
        revision=1,
        created_by=actor.person_id,
        created_at=now,
        edited_by=actor.person_id,
        edited_at=now,
    )
    context.session.add(held)
    context.session.flush()
    _keep(context, held)
    return held


# ---- editing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Saved:
    """What a draft is after an edit, and what is wrong with it."""

    draft: Draft
    package: Package
    problems: tuple[Problem, ...]


def hold(context: Context, actor: Actor, draft_id: int, *, take_over: bool = False) -> None:
    """Says that the actor edits the draft, now and for a while; raises `DraftHeld` while somebody else does, `DraftClosed`."""
    held = _open_draft(context, actor, draft_id)
    if not take_over:
        _respect(context, actor, held)
    held.held_by, held.held_until = actor.person_id, context.now() + HOLD


def release(context: Context, actor: Actor, draft_id: int) -> None:
    """Says that the actor no longer edits the draft."""
    held = queries.draft(context.session, draft_id, lock=True)
    if held.held_by == actor.person_id:
        held.held_by = held.held_until = None


def save(context: Context, actor: Actor, draft_id: int, revision: int, edits: Edits) -> Saved:
    """Keeps what was edited on top of `revision`; raises `DraftChanged`, `DraftHeld`, `DraftClosed`, `Refused`, `Unreadable`."""
    held = _open_draft(context, actor, draft_id)
    _respect(context, actor, held)
    if held.revision != revision:
        raise _changed(context, held, revision)
    return _write(context, actor, held, frozen_package(edited(files_of(held.files), edits)))


def restore(context: Context, actor: Actor, draft_id: int, number: int) -> Saved:
    """Makes the draft what it was at an earlier revision; raises `NotFound`, `DraftHeld`, `DraftClosed`."""
    held = _open_draft(context, actor, draft_id)
    _respect(context, actor, held)
    past = context.session.get(DraftRevision, (draft_id, number))
    if past is None:
        raise NotFound
    return _write(context, actor, held, frozen_package(files_of(past.files)))


def rebase(context: Context, actor: Actor, draft_id: int) -> Draft:
    """Declares, after a look at the difference, that the draft is to follow the version in use; raises `DraftHeld`, `DraftClosed`."""
    held = _open_draft(context, actor, draft_id)
    _respect(context, actor, held)
    latest = queries.current(context.session, held.key)
    held.base_id = latest.id if latest else held.base_id
    return held


def discard(context: Context, actor: Actor, draft_id: int) -> None:
    """Gives a draft up; raises `DraftHeld`, `DraftClosed`."""
    held = _open_draft(context, actor, draft_id)
    _respect(context, actor, held)
    held.ended_at = context.now()


def _write(context: Context, actor: Actor, held: Draft, package: Package) -> Saved:
    main = package.diagram.main
    if main.id != held.key:
        raise Refused({"files": f"流程的编号应保持为 {held.key}"})
    held.files, held.name = stored(package.whole), (main.name or main.id)[:200]
    held.revision, held.edited_by, held.edited_at = held.revision + 1, actor.person_id, context.now()
    held.held_by, held.held_until = actor.person_id, context.now() + HOLD
    context.session.flush()
    _keep(context, held)
    return Saved(held, package, problems_of(package))


def _keep(context: Context, held: Draft) -> None:
    """What one person edits in a row is one revision of the history, which grows only so long."""
    session, mine = context.session, DraftRevision.draft_id == held.id
    last = session.scalar(select(DraftRevision).where(mine).order_by(DraftRevision.number.desc()).limit(1))
    now = held.edited_at
    if last and last.number > 1 and last.saved_by == held.edited_by and now - last.began_at < AT_A_STRETCH:
        session.delete(last)
        session.flush()
        began_at = last.began_at
    else:
        began_at = now
    session.add(
        DraftRevision(draft_id=held.id, number=held.revision, files=held.files, saved_by=held.edited_by, began_at=began_at, saved_at=now)
    )
    session.flush()
    kept = select(DraftRevision.number).where(mine).order_by(DraftRevision.number.desc()).limit(MAX_REVISIONS).subquery()
    oldest = session.scalar(select(func.min(kept.c.number)))
    session.execute(delete(DraftRevision).where(mine, DraftRevision.number < oldest, DraftRevision.number > 1))


def _open_draft(context: Context, actor: Actor, draft_id: int) -> Draft:
    permit(actor)
    held = queries.draft(context.session, draft_id, lock=True)
    if held.ended_at or held.change_id:
        raise DraftClosed
    return held


def permit(actor: Actor) -> None:
    """Lets those pass who make processes; raises `NotAllowed`."""
    if not actor.holds(*MAKERS):
        raise NotAllowed


def _respect(context: Context, actor: Actor, held: Draft) -> None:
    if held.held_by not in (None, actor.person_id) and held.held_until and held.held_until > context.now():
        raise DraftHeld(_name(context.session, held.held_by))


def _changed(context: Context, held: Draft, seen: int) -> DraftChanged:
    """What somebody else made of the draft since the actor saw it, in sentences."""
    session = context.session
    earlier = select(DraftRevision).where(DraftRevision.draft_id == held.id, DraftRevision.number <= min(seen, held.revision))
    before = session.scalar(earlier.order_by(DraftRevision.number.desc()).limit(1))
    new = queries.package_of_draft(held)
    told = queries.compared(frozen_package(files_of(before.files)), new).sentences if before else []
    return DraftChanged(_name(session, held.edited_by), held.edited_at, told)


def _name(session: Session, person_id: int | None) -> str:
    return names(session, {person_id}).get(person_id, "") if person_id else ""


# ---- submitting --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proposal:
    """Why a change is to be made, and from when on; at once when no moment is set. Scenarios that fail are given up for a reason only."""

    reason: str
    effective_at: datetime | None = None
    scenarios_reason: str = ""


def submit(context: Context, actor: Actor, draft_id: int, revision: int, proposal: Proposal) -> Advance:
    """提交审批: starts the change that somebody else decides on.

    Raises `Refused`, `VersionRefused`, `ScenarioFailed`, `NothingChanged`, `BehindPublished`, `AlreadyUnderWay`,
    `DraftChanged`, `DraftHeld`, `DraftClosed`, and `StepFailed` when the change itself cannot begin.
    """
    held = _open_draft(context, actor, draft_id)
    _respect(context, actor, held)
    if held.revision != revision:
        raise _changed(context, held, revision)
    _read(context, proposal)
    _alone(context, held.key)
    package = queries.package_of_draft(held)
    latest = queries.current(context.session, held.key)
    if latest and latest.id != held.base_id:
        raise BehindPublished(latest.number)
    told = queries.compared(whole_package(context.session.connection(), latest.id) if latest else None, package)
    if not told.changes and not told.is_redrawn:
        raise NothingChanged
    given_up = _look_through(context, package, proposal)
    if given_up:
        package = _write(context, actor, held, frozen_package({n: t for n, t in package.whole.items() if n not in given_up})).package
    data = {
        "draft_id": str(held.id),
        "act": "publish",
        "digest": package.digest,
        "base_number": latest.number if latest else 0,
        "editors": [{"person": str(person_id)} for person_id in queries.editors(context.session, held.id)],
        "changes": told.sentences,
        "parts": told.parts,
        "scenarios_given_up": sorted(given_up.values()),
        "scenarios_reason": proposal.scenarios_reason.strip() if given_up else "",
    }
    advance = _start(context, actor, queries.change_key(str(held.id)), held.key, held.name, proposal, data)
    held.change_id, held.held_by, held.held_until = advance.instance_id, None, None
    context.session.flush()
    return advance


def submit_retirement(context: Context, actor: Actor, key: str, proposal: Proposal) -> Advance:
    """Starts the change by which nothing starts on a process any more; raises `NeverRetired`, `AlreadyUnderWay`, `NoSuchVersion`."""
    permit(actor)
    if key in shipped():
        raise NeverRetired
    latest = latest_version(context.session.connection(), key)
    _read(context, proposal)
    _alone(context, key)
    data = {"draft_id": "", "act": "retire", "digest": latest.digest, "base_number": latest.number, "changes": [f"停用流程“{latest.name}”"]}
    return _start(context, actor, queries.change_key(key), key, latest.name, proposal, data)


def withdraw(context: Context, actor: Actor, change_id: int, reason: str) -> Advance:
    """撤回 what one has submitted oneself and is not in effect yet; raises `NotAllowed`, `InstanceAtRest`."""
    run = instances(context)
    submitted = run.hold_instance(change_id)
    if submitted.data.get("submitter", {}).get("person") != str(actor.person_id):
        raise NotAllowed
    return run.cancel(change_id, actor.record(), reason.strip() or "提交人撤回")


def _look_through(context: Context, package: Package, proposal: Proposal) -> Mapping[str, str]:
    """Lets only what may be published pass; returns the scenarios that are given up, their names by their files."""
    problems = problems_of(package)
    if not publishable(problems):
        raise VersionRefused(problems)
    failed = failed_scenarios(package, planned_due(working_calendar(context.session)))
    if failed and not proposal.scenarios_reason.strip():
        raise ScenarioFailed(list(failed.values()))
    return failed


def _read(context: Context, proposal: Proposal) -> None:
    errors = {}
    if not proposal.reason.strip():
        errors["reason"] = "请写明变更的理由"
    elif len(proposal.reason) > REASON:
        errors["reason"] = f"理由不能超过 {REASON} 个字"
    if len(proposal.scenarios_reason) > REASON:
        errors["scenarios_reason"] = f"理由不能超过 {REASON} 个字"
    if proposal.effective_at and not context.now() < proposal.effective_at < context.now() + FARTHEST:
        errors["effective_at"] = "生效时刻应在现在之后、一年之内"
    if errors:
        raise Refused(errors)


def _alone(context: Context, key: str) -> None:
    hold_process(context.session.connection(), key)
    if queries.under_way(context.session, key):
        raise AlreadyUnderWay


def _start(context: Context, actor: Actor, business_key: str, key: str, name: str, proposal: Proposal, data: Mapping[str, Any]) -> Advance:
    acting = actor.record()
    known = {
        "process_key": key,
        "process_name": name,
        "change_reason": proposal.reason.strip(),
        "effective_at": proposal.effective_at.isoformat() if proposal.effective_at else "",
        "place_unit": acting["unit"],
        "submitter": dict(acting),
    }
    version = latest_version(context.session.connection(), PROCESS)
    title = f"{'停用' if data['act'] == 'retire' else '发布'}流程“{name}”"
    advance = instances(context).start(version, {**known, **data}, acting, business_key=business_key, title=title)
    if advance.stopped:
        raise StepFailed(advance.stopped.element, advance.stopped.rule, advance.stopped.message)
    return advance
