"""Reads the inbox and the trail. Each principal's tasks are read by themselves with a limit, so that a million open tasks cost nothing."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    Subquery,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
)

from engine.diagram import Node
from engine.ids import first_id_after
from engine.log import Entry, entries, loads
from engine.packages import Package
from engine.plans import MOVES, as_then
from engine.replay import Trace, trace
from engine.schema import NO_DUE, Id, Instant, commands, process_versions, task_candidates, task_formers, tasks
from engine.schema import instances as instance_rows
from engine.versions import package_of, programs
from governance.cases.models import Case
from governance.cases.queries import matching
from governance.context import Actor, Context
from governance.errors import NotFound
from governance.matters.models import Matter
from governance.matters.queries import matching as matching_matters
from governance.organisation.models import Kind, Unit
from governance.organisation.queries import names as unit_names
from governance.people.models import Appointment
from governance.people.queries import holders, names
from governance.people.rules import POSTS, principal
from governance.workflow.rules import limited_since
from governance.workflow.urging import Urged, urged

PAGE = 30
COUNTED = 99
NAMED = (Kind.COMMUNITY, Kind.GRID, Kind.BUILDING)
"""The levels that tell a reader of the inbox where something is."""
NO_FORM: Mapping[str, Any] = {"properties": {}}


@dataclass(frozen=True)
class Line:
    """One row of the inbox."""

    task_id: int
    task_name: str
    key: str
    opened_at: datetime
    due_at: datetime | None
    limit: Mapping[str, str]
    claimed_by: str | None
    closed_at: datetime | None
    case_id: int | None
    matter_id: int | None
    number: str
    title: str
    status: str
    priority: str | None
    place: str
    case_due_at: datetime | None
    principals: tuple[str, ...] = ()
    escalated_at: datetime | None = None
    """When it was taken from whoever reads this, and given to somebody above them."""
    urged: Urged | None = None


@dataclass(frozen=True)
class Page:
    """Rows in order, and where the next page begins."""

    lines: tuple[Line, ...]
    after: str | None


LINE = (
    tasks.c.id,
    tasks.c.name,
    tasks.c.key,
    tasks.c.opened_at,
    tasks.c.due_at,
    tasks.c.assignment,
    tasks.c.claimed_by,
    tasks.c.closed_at,
    Case.id.label("case_id"),
    Matter.id.label("matter_id"),
    func.coalesce(Case.number, Matter.number, "").label("number"),
    func.coalesce(Case.title, Matter.title, instance_rows.c.title, process_versions.c.name).label("title"),
    func.coalesce(Case.status, Matter.status, "").label("status"),
    Case.priority,
    Case.due_at.label("case_due_at"),
    Case.paused_at,
    Unit.path.label("place_path"),
)


_URGENT = (task_candidates.c.due_at, task_candidates.c.task_id)
"""The order of the inbox, which is that of the key."""


def todo(context: Context, actor: Actor, *, q: str = "", overdue: bool = False, after: str | None = None, limit: int = PAGE) -> Page:
    """待办: what the actor may do, the most urgent first."""
    start, mine = read_position(after), actor.principals
    shape = _Shape(len(mine), overdue, start is not None, None if q else limit + 1)
    query = _lines(shape, limit + 1)
    if q:
        query = query.where(named(q))
    rows = context.session.connection().execute(query, _asked(context, mine, start)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return page_of(context, rows[:limit], position_after(last.due_at or NO_DUE, last.id) if last else None)


def following(context: Context, actor: Actor, due_at: datetime | None, task_id: int, *, q: str = "", overdue: bool = False) -> int | None:
    """The task that comes after one that has just been done, else the first there is."""
    for after in (position_after(due_at or NO_DUE, task_id), None):
        if lines := todo(context, actor, q=q, overdue=overdue, after=after, limit=1).lines:
            return lines[0].task_id
    return None


def done(context: Context, actor: Actor, *, q: str = "", after: str | None = None, limit: int = PAGE) -> Page:
    """已办: what the actor finished, and what was taken from them overdue, the latest first."""
    mine = _had(actor, read_position(after), None if q else limit + 1)
    query = with_subject(select(*LINE, mine.c.at, mine.c.was_taken)).join(mine, mine.c.task_id == tasks.c.id)
    if q:
        query = query.where(named(q))
    rows = context.session.connection().execute(query.order_by(mine.c.at.desc(), mine.c.task_id.desc()).limit(limit + 1)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return page_of(context, rows[:limit], position_after(last.at, last.id) if last else None)


def _had(actor: Actor, start: tuple[datetime, int] | None, limit: int | None) -> Subquery:
    """The tasks that the actor finished or that were taken from them, and when: of each kind the latest, which the keys give."""
    finished = select(tasks.c.id.label("task_id"), tasks.c.closed_at.label("at"), literal(False).label("was_taken"))
    taken = select(task_formers.c.task_id, task_formers.c.at, literal(True).label("was_taken")).distinct()
    parts = [
        (finished.where(tasks.c.closed_by == str(actor.person_id)), tasks.c.closed_at, tasks.c.id),
        (taken.where(task_formers.c.principal.in_(actor.principals)), task_formers.c.at, task_formers.c.task_id),
    ]
    wanted = [part.where(comes_before(at, id, start)).order_by(at.desc(), id.desc()).limit(limit).subquery() for part, at, id in parts]
    return union_all(*(select(part) for part in wanted)).subquery()


def comes_before(moment: SQLColumnExpression[Any], id: SQLColumnExpression[Any], start: tuple[datetime, int] | None) -> ColumnElement[bool]:
    return or_(moment < start[0], and_(moment == start[0], id < start[1])) if start else true()


def started(context: Context, actor: Actor, *, q: str = "", after: str | None = None, limit: int = PAGE) -> list[Case]:
    """我发起: what the actor reported, the latest first."""
    query = select(Case).where(Case.reported_by == actor.person_id).order_by(Case.id.desc()).limit(limit)
    if q:
        query = query.where(matching(q))
    if after and after.isdecimal() and len(after) < 19:
        query = query.where(Case.id < int(after))
    return list(context.session.scalars(query))


def counts(context: Context, actor: Actor) -> dict[str, int]:
    """How many wait, and how many of them are overdue; counted no further than 99."""
    mine = actor.principals
    todo, overdue = context.session.connection().execute(_both_counts(len(mine)), _asked(context, mine)).one()
    return {"todo": todo, "overdue": overdue}


@dataclass(frozen=True)
class _Shape:
    """What a question about somebody's open tasks looks like; questions of one shape are one statement, built once."""

    principals: int
    overdue: bool = False
    continued: bool = False
    limit: int | None = COUNTED + 1


def _mine(shape: _Shape) -> Subquery:
    """The open tasks of some principals, each once: of every principal the most urgent, which the key gives without looking at others."""
    wanted: list[ColumnElement[bool]] = []
    if shape.overdue:
        wanted.append(task_candidates.c.due_at < bindparam("now", type_=Instant))
    if shape.continued:
        wanted.append(tuple_(*_URGENT) > tuple_(bindparam("due", type_=Instant), bindparam("id", type_=Id)))
    parts = [select(*_URGENT).where(task_candidates.c.principal == bindparam(f"of_{n}"), *wanted) for n in range(shape.principals)]
    if shape.limit is not None:
        parts = [select(part.order_by(*_URGENT).limit(shape.limit).subquery()) for part in parts]
    mine = union_all(*parts).subquery()
    once = select(mine.c.task_id, mine.c.due_at).distinct()
    return once.order_by(mine.c.due_at, mine.c.task_id).limit(shape.limit).subquery() if shape.limit else once.subquery()


@lru_cache(256)
def _lines(shape: _Shape, limit: int) -> Select[Any]:
    mine = _mine(shape)
    lines = with_subject(select(*LINE)).join(mine, mine.c.task_id == tasks.c.id)
    return lines.order_by(mine.c.due_at, tasks.c.id).limit(limit)


@lru_cache(64)
def _both_counts(principals: int) -> Select[Any]:
    shapes = (_Shape(principals), _Shape(principals, overdue=True))
    return select(*(select(func.count()).select_from(_mine(shape)).scalar_subquery() for shape in shapes))


def _asked(context: Context, principals: Sequence[str], start: tuple[datetime, int] | None = None) -> dict[str, Any]:
    """What the statements are told; each takes what it asks for."""
    due, task_id = start or (NO_DUE, 0)
    return {"now": context.now(), "due": due, "id": task_id, **{f"of_{n}": one for n, one in enumerate(principals)}}


def waiting_for(context: Context, held: Appointment) -> int:
    """How many tasks wait for a post that nobody else holds; counted no further than 99."""
    others = [a for a in holders(context.session, held.post, held.unit_id, context.today) if a.id != held.id]
    if others:
        return 0
    mine = select(task_candidates.c.task_id).where(task_candidates.c.principal == principal(held.post, held.unit_id)).limit(COUNTED + 1)
    return context.session.connection().scalar(select(func.count()).select_from(mine.subquery())) or 0


def arrived(context: Context, actor: Actor, since: datetime) -> int:
    """How many of the actor's open tasks opened after a moment; counted no further than 99."""
    fresh = task_candidates.c.task_id >= first_id_after(since)
    query = select(task_candidates.c.task_id).where(fresh, task_candidates.c.principal.in_(actor.principals)).distinct().limit(COUNTED + 1)
    return context.session.connection().scalar(select(func.count()).select_from(query.subquery())) or 0


@dataclass(frozen=True)
class Mark:
    """流转轨迹: one thing that was done, by whom, under which post, and whether in time. `element` is its node on the diagram.

    `about` names the step that a notice of the clock speaks of.
    """

    seq: int
    at: datetime
    kind: str
    element: str
    name: str
    about: str
    by: str
    person: str
    post: str
    opinion: str | None
    data: Mapping[str, Any]
    form: Mapping[str, Any]
    opened_at: datetime | None
    due_at: datetime | None
    limit: Mapping[str, str]

    @property
    def was_late(self) -> bool:
        return self.due_at is not None and self.at > self.due_at


def trail(context: Context, instance_id: int) -> list[Mark]:
    """Everything that happened to an instance, the first first."""
    connection = context.session.connection()
    log = entries(connection, instance_id)
    rows = {row.key: row for row in connection.execute(select(tasks).where(tasks.c.instance_id == instance_id))}
    people = names(context.session, {int(e.actor["person"]) for e in log if str(e.actor.get("person", "")).isdecimal()})
    units = {int(e.actor["unit"]) for e in log if str(e.actor.get("unit", "")).isdecimal()}
    places = unit_names(context.session, units)
    read = cache(lambda version_id: package_of(connection, version_id))
    return [
        _mark(entry, rows.get(key or ""), people, places, read(version_id), _node(entry, read(version_id)))
        for entry, version_id, key in as_then(log, _version(context, instance_id))
    ]


def _version(context: Context, instance_id: int) -> int:
    """The version an instance is on; raises `NotFound`."""
    version_id: int | None = context.session.scalar(select(instance_rows.c.version_id).where(instance_rows.c.id == instance_id))
    if version_id is None:
        raise NotFound
    return version_id


def _node(entry: Entry, package: Package) -> Node | None:
    """The node that a log entry is about: that of its task or timer, the one that listens to its message, or the start."""
    if entry.kind == "start":
        starts = (n for n in package.diagram.nodes.values() if n.kind == "startEvent" and n.scope == package.diagram.main.id)
        return next((n for n in starts if entry.task_key in ({e.name for e in n.events} or {None})), None)
    element = (entry.task_key or "").partition("#")[0]
    return package.diagram.nodes.get(element) or package.diagram.heard.get(element)


def _mark(
    entry: Entry,
    task: Row[Any] | None,
    people: Mapping[int, str],
    places: Mapping[int, str],
    package: Package,
    node: Node | None,
) -> Mark:
    person = entry.actor.get("person")
    post, unit = POSTS.get(entry.actor.get("post", "")), entry.actor.get("unit")
    by = "person" if person else ("reporter" if "reporter" in entry.actor else "system")
    form = node.settings.get("form", {}).get("key") if node else None
    why = loads(task.assignment)["why"] if task else {}
    late = package.diagram.nodes.get(str((entry.data or {}).get("deadline_task", "")).partition("#")[0])
    return Mark(
        entry.seq,
        entry.at,
        entry.kind,
        node.id if node else "",
        task.name if task else (node.label if node else ""),
        late.label if late else "",
        by,
        people.get(int(person), "") if person else _stranger(entry, by),
        f"{places.get(int(unit), '')}{post.name}" if post and unit else "",
        entry.opinion,
        entry.data or {},
        package.forms.get(form, NO_FORM) if form else NO_FORM,
        limited_since(task.opened_at, why) if task else None,
        task.due_at if task else None,
        why.get("limit", {}),
    )


def _stranger(entry: Entry, by: str) -> str:
    """Who acts without an account: who reported a case, or any resident where many may speak."""
    if by == "system":
        return "系统"
    return "反映人" if str(entry.actor["reporter"]).isdecimal() else "居民"


@dataclass(frozen=True)
class Stage:
    """A task that opened, as far as anybody may know: when, what the case's status became, and which units do it (none: the reporter)."""

    at: datetime
    status: str
    units: tuple[int, ...]
    is_reporters: bool


def stages(context: Context, instance_id: int) -> list[Stage]:
    """The stages of an instance, the first first; tasks that do not change the status, or that were taken back, are not among them."""
    nodes = _nodes(context, instance_id)
    taken_back = select(commands.c.at).where(commands.c.instance_id == instance_id, commands.c.kind == "withdraw")
    lasting = or_(tasks.c.outcome.is_distinct_from("cancelled"), tasks.c.closed_at.not_in(taken_back))
    query = select(tasks.c.element, tasks.c.opened_at, tasks.c.assignment).where(tasks.c.instance_id == instance_id, lasting)
    found = []
    for row in context.session.connection().execute(query.order_by(tasks.c.id)):
        status = nodes[row.element].settings.get("status", {}).get("value") if row.element in nodes else None
        principals = loads(row.assignment)["principals"]
        units = dict.fromkeys(int(p.rpartition("@")[2]) for p in principals if p.startswith("post:"))
        if status:
            found.append(Stage(row.opened_at, status, tuple(units), any(p.startswith("reporter:") for p in principals)))
    return found


def _nodes(context: Context, instance_id: int) -> Mapping[str, Node]:
    """The nodes of the version an instance is on, and those that only an earlier one of its versions has."""
    connection = context.session.connection()
    changed = (
        select(commands.c.data).where(commands.c.instance_id == instance_id, commands.c.kind.in_(MOVES)).order_by(commands.c.seq.desc())
    )
    earlier = [loads(data)[1]["from"] for data in connection.scalars(changed) if data]
    return ChainMap(*(dict(package_of(connection, v).diagram.nodes) for v in dict.fromkeys([_version(context, instance_id), *earlier])))


def way_of(context: Context, instance_id: int) -> Trace:
    """Where an instance has been on the diagram of its own version."""
    connection = context.session.connection()
    return trace(programs(connection), _version(context, instance_id), entries(connection, instance_id))


def open_tasks(context: Context, *instance_ids: int) -> Sequence[Row[Any]]:
    """The open tasks of some instances, in the order they opened, each with the version its instance is on."""
    of_version = select(tasks, instance_rows.c.version_id).join(instance_rows, instance_rows.c.id == tasks.c.instance_id)
    query = of_version.where(tasks.c.instance_id.in_(instance_ids), tasks.c.closed_at.is_(None)).order_by(tasks.c.id)
    return context.session.connection().execute(query).all()


def with_subject(query: Select[Any]) -> Select[Any]:
    """Each task with what it is about: a case, a matter, or the instance alone."""
    joined = (
        query.select_from(tasks)
        .join(instance_rows, instance_rows.c.id == tasks.c.instance_id)
        .join(process_versions, process_versions.c.id == instance_rows.c.version_id)
        .outerjoin(Case, Case.instance_id == tasks.c.instance_id)
        .outerjoin(Matter, Matter.instance_id == tasks.c.instance_id)
    )
    return joined.outerjoin(Unit, Unit.id == func.coalesce(Case.place_id, Matter.unit_id))


def named(q: str) -> ColumnElement[bool]:
    return or_(matching(q), matching_matters(q), instance_rows.c.title.contains(q, autoescape=True))


def page_of(context: Context, rows: Sequence[Row[Any]], after: str | None) -> Page:
    ids = {int(part) for row in rows for part in _parts(row.place_path)}
    found = context.session.execute(select(Unit.id, Unit.name).where(Unit.id.in_(ids), Unit.kind.in_(NAMED)))
    places = {row.id: row.name for row in found}
    pressed = urged(context, [row.id for row in rows if row.closed_at is None])
    return Page(tuple(_line(row, places, pressed.get(row.id)) for row in rows), after)


def _parts(path: str | None) -> list[str]:
    return path.strip("/").split("/") if path else []


def _line(row: Row[Any], places: Mapping[int, str], pressed: Urged | None) -> Line:
    assignment, taken = loads(row.assignment), "was_taken" in row._fields and row.was_taken
    return Line(
        row.id,
        row.name,
        row.key,
        row.opened_at if taken else limited_since(row.opened_at, assignment["why"]),
        row.due_at,
        assignment["why"].get("limit", {}),
        row.claimed_by,
        row.closed_at,
        row.case_id,
        row.matter_id,
        row.number,
        row.title,
        row.status,
        row.priority,
        "".join(places.get(int(part), "") for part in _parts(row.place_path)),
        None if row.paused_at else row.case_due_at,
        tuple(assignment["principals"]),
        row.at if taken else None,
        pressed,
    )


def position_after(moment: datetime, id: int) -> str:
    return f"{moment.isoformat()}~{id}"


def read_position(after: str | None) -> tuple[datetime, int] | None:
    moment, _, id = (after or "").partition("~")
    try:
        at, number = datetime.fromisoformat(moment), int(id)
        return (at, number) if at.tzinfo and (at == NO_DUE or 2000 <= at.year < 9000) and 0 <= number < 2**63 else None
    except ValueError:
        return None
