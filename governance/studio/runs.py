"""试算与迁移: what would have become of past cases on a draft, and how running ones come to a new version. In the background, in steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine.diagram import Diagram, Node
from engine.errors import EngineError
from engine.instances import Instances
from engine.log import dumps, entries, loads
from engine.outcomes import Due, Ending, Outcome, Parting, Stop, Tally
from engine.packages import Package, frozen_package
from engine.plans import Plan
from engine.rehearsal import rehearse
from engine.schema import incidents, process_versions
from engine.schema import instances as instance_rows
from engine.versions import package_of, programs
from engine.world import Stopped
from governance.calendar.queries import working_calendar
from governance.calendar.rules import SHANGHAI
from governance.cases.models import Case
from governance.context import Actor, Context
from governance.errors import GovernanceError, NotFound, Refused
from governance.matters.models import Matter
from governance.organisation.models import Unit
from governance.studio import queries
from governance.studio.commands import permit
from governance.studio.errors import InstanceFailed, NothingChosen, RunOver, StillRunning
from governance.studio.models import Run, RunResult
from governance.studio.rules import REASON, files_of
from governance.workflow.overdue import REFUSED, retry
from governance.workflow.rules import planned_due
from governance.workflow.world import instances

REHEARSE, PREVIEW, MOVE, UNDO = "rehearse", "preview", "move", "undo"
STRIDE = 10
"""How many instances are done in one transaction: on SQLite nobody else writes meanwhile."""
MOST = 5_000
CAN, CANNOT, MOVED, UNDONE, FAILED = "can", "cannot", "moved", "undone", "failed"
WORKED = frozenset(["userTask", "manualTask", "receiveTask", "serviceTask"])
"""Steps that somebody or something outside finishes."""


# ---- which cases -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Filters:
    """What, besides their time, tells the instances of a process apart: cases have a category, cases and matters a place."""

    by_category: bool
    by_unit: bool


def filters(session: Session, key: str) -> Filters:
    """By what the instances of a process can be chosen."""
    of_process = _of_process(key)
    cases, matters = (session.scalar(select(kind.id).where(kind.instance_id.in_(of_process)).limit(1)) for kind in (Case, Matter))
    return Filters(cases is not None, cases is not None or matters is not None)


@dataclass(frozen=True)
class Choice:
    """Which instances are rehearsed: the last so many, of a period, a category, a unit and those below it."""

    last: int = 200
    since: date | None = None
    until: date | None = None
    category: str = ""
    unit_code: str = ""


def _chosen(session: Session, key: str, choice: Choice) -> list[int]:
    """The instances of a process that are meant, the latest first."""
    query = _of_process(key)
    if choice.since:
        query = query.where(instance_rows.c.started_at >= datetime.combine(choice.since, time(), SHANGHAI))
    if choice.until:
        query = query.where(instance_rows.c.started_at < datetime.combine(choice.until + timedelta(days=1), time(), SHANGHAI))
    if choice.category:
        query = query.where(_of(Case, Case.category.startswith(choice.category, autoescape=True)))
    if choice.unit_code:
        within = _within(session, choice.unit_code)
        query = query.where(_of(Case, Case.place_id.in_(within)) | _of(Matter, Matter.unit_id.in_(within)))
    return list(session.scalars(query.order_by(instance_rows.c.started_at.desc(), instance_rows.c.id.desc()).limit(choice.last)))


def _of_process(key: str) -> Select[Any]:
    joined = select(instance_rows.c.id).join(process_versions, process_versions.c.id == instance_rows.c.version_id)
    return joined.where(process_versions.c.key == key)


def _of(kind: type[Case | Matter], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return instance_rows.c.id.in_(select(kind.instance_id).where(condition))


def _within(session: Session, code: str) -> Select[Any]:
    """A unit and those below it."""
    unit = session.scalar(select(Unit).where(Unit.code == code))
    if unit is None:
        raise Refused({"unit": "没有这个编码的单位"})
    return select(Unit.id).where(Unit.path.startswith(unit.path, autoescape=True))


# ---- what has to be said of the difference -----------------------------------------------------------------------


@dataclass(frozen=True)
class Gap:
    """Steps that only one of two diagrams has: what was done at `gone` must go somewhere, what is `come` nobody has done."""

    gone: tuple[Node, ...]
    come: tuple[Node, ...]

    @property
    def plan(self) -> Plan:
        """What is right as a rule: what is no more is left aside, what is new counts as done where history has passed it."""
        return Plan({}, frozenset(node.id for node in self.gone), frozenset(node.id for node in self.come))


def gap(old: Diagram, new: Diagram) -> Gap:
    """What two diagrams do not have in common, as far as a history speaks of it."""
    heard = (node for node in old.nodes.values() if node.id not in new.nodes and (node.kind in WORKED or node.events))
    come = (node for node in new.nodes.values() if node.id not in old.nodes and node.kind in WORKED)
    return Gap(tuple(heard), tuple(come))


def gap_of_versions(session: Session, version_id: int) -> Gap:
    """What the running instances' versions and this one do not have in common."""
    connection = session.connection()
    new = package_of(connection, version_id).diagram
    gone, come = dict[str, Node](), dict[str, Node]()
    for old_id in session.scalars(_open_ones(session, version_id, instance_rows.c.version_id).distinct()):
        found = gap(package_of(connection, old_id).diagram, new)
        gone |= {node.id: node for node in found.gone}
        come |= {node.id: node for node in found.come}
    return Gap(tuple(gone.values()), tuple(come.values()))


def _open_ones(session: Session, version_id: int, wanted: Any) -> Select[Any]:
    """The running instances of other versions of the same process."""
    key = queries.version_of(session, version_id).key
    joined = select(wanted).select_from(instance_rows).join(process_versions, process_versions.c.id == instance_rows.c.version_id)
    return joined.where(process_versions.c.key == key, instance_rows.c.ended_at.is_(None), instance_rows.c.version_id != version_id)


# ---- beginning and ending ----------------------------------------------------------------------------------------


def begin_rehearsal(context: Context, actor: Actor, draft_id: int, choice: Choice, plan: Plan | None = None) -> Run:
    """试算: tries a draft on past cases; raises `Refused`, `NothingChosen`, `PlanRefused`."""
    permit(actor)
    session = context.session
    held = queries.draft(session, draft_id)
    if not 1 <= choice.last <= MOST:
        raise Refused({"last": f"试算的件数应为 1 至 {MOST}"})
    package, latest = queries.package_of_draft(held), queries.current(session, held.key)
    if latest is None:
        raise NothingChosen
    old = package_of(session.connection(), held.base_id or latest.id).diagram
    agreed = plan or gap(old, package.diagram).plan
    return _begin(
        context, actor, Run(kind=REHEARSE, key=held.key, draft_id=held.id, files=held.files), agreed, _chosen(session, held.key, choice)
    )


def begin_preview(context: Context, actor: Actor, version_id: int, plan: Plan | None = None, only: int | None = None) -> Run:
    """Says of each running instance of an older version whether it can come to this one; raises `NothingChosen`."""
    permit(actor)
    session = context.session
    query = _open_ones(session, version_id, instance_rows.c.id).order_by(instance_rows.c.id)
    ids = session.scalars(query if only is None else query.where(instance_rows.c.id == only)).all()
    run = Run(kind=PREVIEW, key=queries.version_of(session, version_id).key, version_id=version_id)
    return _begin(context, actor, run, plan or gap_of_versions(session, version_id).plan, ids)


def begin_move(context: Context, actor: Actor, preview_id: int, reason: str) -> Run:
    """迁移: moves those of which a preview said that they can; raises `StillRunning`, `NothingChosen`, `Refused`."""
    before = _finished(context, actor, preview_id, PREVIEW)
    run = Run(kind=MOVE, key=before.key, version_id=before.version_id, of_id=before.id, reason=_reason(reason))
    return _begin(context, actor, run, Plan.of(loads(before.plan)), _those(context.session, before.id, CAN))


def begin_undo(context: Context, actor: Actor, move_id: int, reason: str) -> Run:
    """Takes back the moves of a run, as far as nothing has happened since; raises `StillRunning`, `NothingChosen`, `Refused`."""
    before = _finished(context, actor, move_id, MOVE)
    run = Run(kind=UNDO, key=before.key, version_id=before.version_id, of_id=before.id, reason=_reason(reason))
    return _begin(context, actor, run, Plan.of(loads(before.plan)), _those(context.session, before.id, MOVED))


def cancel_run(context: Context, actor: Actor, run_id: int) -> Run:
    """Stops a run; what is done stays done. Raises `RunOver`."""
    permit(actor)
    found = run(context.session, run_id, lock=True)
    if found.ended_at:
        raise RunOver
    found.ended_at, found.cancelled_by = context.now(), actor.person_id
    return found


def _begin(context: Context, actor: Actor, begun: Run, plan: Plan, ids: Sequence[int]) -> Run:
    if not ids:
        raise NothingChosen
    begun.id, begun.plan, begun.reason = context.new_id(), dumps(plan.as_data()), begun.reason or ""
    begun.instance_ids, begun.total, begun.done = dumps(list(ids)), len(ids), 0
    begun.actor, begun.asked_by, begun.asked_at = dumps(dict(actor.record())), actor.person_id, context.now()
    context.session.add(begun)
    context.session.flush()
    return begun


def _finished(context: Context, actor: Actor, run_id: int, kind: str) -> Run:
    permit(actor)
    found = run(context.session, run_id)
    if found.kind != kind:
        raise NotFound
    if found.ended_at is None:
        raise StillRunning
    return found


def _those(session: Session, run_id: int, ending: str) -> Sequence[int]:
    mine = (RunResult.run_id == run_id) & (RunResult.ending == ending)
    return session.scalars(select(RunResult.instance_id).where(mine).order_by(RunResult.instance_id)).all()


def _reason(text: str) -> str:
    if not text.strip() or len(text) > REASON:
        raise Refused({"reason": f"请写明理由，不超过 {REASON} 个字"})
    return text.strip()


# ---- the work ----------------------------------------------------------------------------------------------------


def unfinished() -> Select[Any]:
    """The oldest run that is not over."""
    return select(Run.id).where(Run.ended_at.is_(None)).order_by(Run.id).limit(1)


def advance_run(context: Context, run_id: int) -> list[tuple[int, Exception]]:
    """Does the next few instances of a run; returns those at which something unknown failed: the others go on without them."""
    held = run(context.session, run_id, lock=True)
    if held.ended_at:
        return []
    ids = loads(held.instance_ids)[held.done : held.done + STRIDE]
    work = _Rehearsal(context, held).one if held.kind == REHEARSE else _Mover(context, held).one
    failed = [(instance_id, error) for instance_id in ids if (error := _attempt(context.session, held, work, instance_id))]
    held.done += len(ids)
    if held.done >= held.total:
        held.ended_at = context.now()
    context.session.flush()
    return failed


def _attempt(session: Session, held: Run, work: Callable[[int], RunResult], instance_id: int) -> Exception | None:
    """One instance, wholly or not at all. A database that is away is no fault of the instance: the run tries again later."""
    try:
        with session.begin_nested():
            session.add(work(instance_id))
    except OperationalError:
        raise
    except Exception as error:
        is_known = isinstance(error, EngineError | GovernanceError)
        ending = CANNOT if is_known and held.kind != REHEARSE else FAILED
        told = str(error if is_known else InstanceFailed())
        session.add(RunResult(run_id=held.id, instance_id=instance_id, ending=ending, element=_place(error), message=told, told=dumps({})))
        return None if is_known else error
    return None


def _place(error: Exception) -> str:
    """The element that a named error speaks of."""
    return str(getattr(error, "element", ""))


def give_up_run(context: Context, run_id: int) -> None:
    """Ends a run that fails again and again, so that those behind it have their turn."""
    run(context.session, run_id, lock=True).ended_at = context.now()


class _Rehearsal:
    """One draft, and the logs of many cases."""

    def __init__(self, context: Context, held: Run) -> None:
        self.connection, self.run_id = context.session.connection(), held.id
        self.draft = package_of_run(held)
        self.plan, self.programs = Plan.of(loads(held.plan)), programs(self.connection)
        self.deadlines = planned_due(working_calendar(context.session))

    def one(self, instance_id: int) -> RunResult:
        return self._result(instance_id, self.outcome(instance_id))

    def outcome(self, instance_id: int) -> Outcome:
        version_id = self.connection.scalar(select(instance_rows.c.version_id).where(instance_rows.c.id == instance_id)) or 0
        log = entries(self.connection, instance_id)
        return rehearse(self.programs, version_id, self.draft.program, log, self._plan(version_id), self.deadlines)

    def _plan(self, version_id: int) -> Plan:
        """The plan as far as it speaks of this version: cases of older ones know other steps."""
        names = {n.id for n in self.programs(version_id).diagram.nodes.values()}
        renamed = {old: new for old, new in self.plan.renamed.items() if old in names}
        gone = {node.id for node in gap(self.programs(version_id).diagram, self.draft.diagram).gone}
        return Plan(renamed, (self.plan.dropped & names) | (gone - renamed.keys()), self.plan.passed)

    def _result(self, instance_id: int, outcome: Outcome) -> RunResult:
        element = outcome.parting.element if outcome.parting else outcome.stop.element if outcome.stop else ""
        message = outcome.stop.message if outcome.stop and outcome.ending is Ending.STOPPED else ""
        return RunResult(
            run_id=self.run_id,
            instance_id=instance_id,
            ending=outcome.ending.value,
            element=element,
            message=message,
            told=dumps(_as_json(outcome)),
        )


Came = tuple[str, str, str, Mapping[str, Any]]
"""What it came to for one instance: how it ended, where, why, and the rest that is told."""


class _Mover:
    """One version, and the instances that come to it or go back."""

    def __init__(self, context: Context, held: Run) -> None:
        self.context, self.held = context, held
        self.run: Instances = instances(context)
        self.plan, self.actor = Plan.of(loads(held.plan)), loads(held.actor)
        self.version = queries.version_of(context.session, held.version_id or 0)

    def one(self, instance_id: int) -> RunResult:
        act = {PREVIEW: self._preview, MOVE: self._move, UNDO: self._undo}[self.held.kind]
        ending, element, message, told = act(instance_id)
        return RunResult(run_id=self.held.id, instance_id=instance_id, ending=ending, element=element, message=message, told=dumps(told))

    def _plan(self, instance_id: int) -> Plan:
        connection = self.context.session.connection()
        version_id = connection.scalar(select(instance_rows.c.version_id).where(instance_rows.c.id == instance_id)) or 0
        names = package_of(connection, version_id).diagram.nodes.keys()
        return Plan({old: new for old, new in self.plan.renamed.items() if old in names}, self.plan.dropped & names, self.plan.passed)

    def _preview(self, instance_id: int) -> Came:
        prospect = self.run.preview_move(instance_id, self.version, self._plan(instance_id))
        if prospect.refusal is not None:
            return CANNOT, _place(prospect.refusal), str(prospect.refusal), {}
        opened = "、".join(f"“{opening.name}”" for opening, _ in prospect.opened)
        return CAN, "", f"将产生待办{opened}" if opened else "", {}

    def _move(self, instance_id: int) -> Came:
        seq = self.run.move(instance_id, self.version, self._plan(instance_id), self.actor, self.held.reason).seq
        left = [self._retried(incident_id) for incident_id in self._incidents(instance_id)]
        stopped = next((stop for stop in left if stop), None)
        return MOVED, stopped.element if stopped else "", stopped.message if stopped else "", {"seq": seq}

    def _retried(self, incident_id: int) -> Stopped | None:
        """Why an incident stays; one whose form still asks for more stays as it is."""
        try:
            return retry(self.context, incident_id, self.actor).stopped
        except Refused as refused:
            return Stopped(incident_id, "", REFUSED, str(refused))

    def _undo(self, instance_id: int) -> Came:
        """Only the move of that run is taken back, not one that another run has made since."""
        made = self.context.session.get_one(RunResult, (self.held.of_id, instance_id))
        self.run.undo_move(instance_id, self.actor, self.held.reason, seq=loads(made.told).get("seq"))
        return UNDONE, "", "", {}

    def _incidents(self, instance_id: int) -> Sequence[int]:
        """What had failed is tried again on the new version."""
        failed = (incidents.c.instance_id == instance_id) & incidents.c.resolved_at.is_(None)
        return self.context.session.scalars(select(incidents.c.id).where(failed).order_by(incidents.c.id)).all()


# ---- what came of it ---------------------------------------------------------------------------------------------


def run(session: Session, run_id: int, *, lock: bool = False) -> Run:
    """One run; raises `NotFound`."""
    found = session.get(Run, run_id, with_for_update=lock or None, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def runs_of_draft(session: Session, draft_id: int) -> Sequence[Run]:
    """The rehearsals of a draft, the latest first."""
    return session.scalars(select(Run).where(Run.draft_id == draft_id).order_by(Run.id.desc())).all()


def runs_to(session: Session, version_id: int) -> Sequence[Run]:
    """The previews, moves and undoings that concern a version, the latest first."""
    return session.scalars(select(Run).where(Run.version_id == version_id).order_by(Run.id.desc())).all()


def endings(session: Session, run_id: int) -> Mapping[str, int]:
    """How many instances ended how."""
    counted = select(RunResult.ending, func.count()).where(RunResult.run_id == run_id).group_by(RunResult.ending)
    return dict(session.execute(counted).all())


class Subject(NamedTuple):
    """What an instance is about: a case, or something that has but a title."""

    case: Case | None
    title: str


def results(session: Session, run_id: int, ending: str = "", element: str = "", limit: int = 100) -> list[tuple[RunResult, Subject]]:
    """The results of a run with what they are about; of those whose way is another, `element` fell away or is new on it."""
    query = (
        select(RunResult, Case, instance_rows.c.title)
        .join(instance_rows, instance_rows.c.id == RunResult.instance_id)
        .outerjoin(Case, Case.instance_id == RunResult.instance_id)
        .where(RunResult.run_id == run_id)
    )
    if ending:
        query = query.where(RunResult.ending == ending)
    by_way = bool(element) and ending == Ending.REROUTED
    if element and not by_way:
        query = query.where(RunResult.element == element)
    rows = session.execute(query.order_by(RunResult.instance_id.desc()).limit(None if by_way else limit))
    found = [(result, Subject(case, title)) for result, case, title in rows if not by_way or _concerns(element, outcome_of(result))]
    return found[:limit]


def _concerns(element: str, outcome: Outcome) -> bool:
    return element in outcome.gone or element in outcome.come


def subject_of(session: Session, instance_id: int) -> Subject:
    """What an instance is about."""
    query = select(Case, instance_rows.c.title).select_from(instance_rows).outerjoin(Case, Case.instance_id == instance_rows.c.id)
    return Subject(*session.execute(query.where(instance_rows.c.id == instance_id)).one())


def rehearsed(context: Context, held: Run, instance_id: int) -> Outcome:
    """One case of a rehearsal, tried once more to be looked at; raises `NotFound`, `InstanceFailed`."""
    result = context.session.get(RunResult, (held.id, instance_id))
    if held.kind != REHEARSE or result is None:
        raise NotFound
    if result.ending == FAILED:
        raise InstanceFailed
    return _Rehearsal(context, held).outcome(instance_id)


def tally(session: Session, run_id: int) -> Tally:
    """All outcomes of a rehearsal together."""
    total = Tally()
    query = select(RunResult.ending, RunResult.told).where(RunResult.run_id == run_id, RunResult.ending != FAILED)
    for told in session.execute(query):
        total.add(_outcome(told.ending, loads(told.told)))
    return total


def outcome_of(result: RunResult) -> Outcome:
    """What a rehearsal came to for one case, as far as it was kept."""
    return _outcome(result.ending, loads(result.told))


def package_of_run(held: Run) -> Package:
    """The draft as it was when its rehearsal began."""
    return frozen_package(files_of(held.files or "{}"))


def _as_json(outcome: Outcome) -> dict[str, Any]:
    parting, stop = outcome.parting, outcome.stop
    return {
        "parting": [parting.element, parting.was, parting.now] if parting else None,
        "stop": [stop.seq, stop.element, stop.rule, stop.message] if stop else None,
        "visited": dict(outcome.visited),
        "taken": sorted(outcome.taken),
        "gone": dict(outcome.gone),
        "come": sorted(outcome.come),
        "names": dict(outcome.names),
        "dues": [[due.key, due.element, due.was and due.was.isoformat(), due.now and due.now.isoformat()] for due in outcome.dues],
    }


def _outcome(ending: str, told: Mapping[str, Any]) -> Outcome:
    """Of runs before ways were told apart, nothing is known of what fell away or was new."""
    instant = datetime.fromisoformat
    dues = (Due(key, element, was and instant(was), now and instant(now)) for key, element, was, now in told["dues"])
    return Outcome(
        Ending(ending),
        Parting(*told["parting"]) if told["parting"] else None,
        Stop(*told["stop"]) if told["stop"] else None,
        visited=told["visited"],
        taken=frozenset(told["taken"]),
        dues=tuple(dues),
        gone=told.get("gone", {}),
        come=frozenset(told.get("come", ())),
        names=told.get("names", {}),
    )
