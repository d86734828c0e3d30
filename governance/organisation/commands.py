"""Changes the tree, one unit or one sheet at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from governance.errors import Refused, SheetRejected
from governance.organisation.models import LABELS, Kind, OrganisationChange, Unit
from governance.organisation.queries import organisation_kept
from governance.organisation.rules import code_problem, may_hold
from governance.sheets import Row

NAME_LENGTH = 80
_COUNTED = "reorganisation counted in"


@dataclass(frozen=True)
class NewUnit:
    """A unit as an administrator describes it; codes name its parent and estate."""

    kind: Kind
    code: str
    name: str
    parent: str | None = None
    estate: str | None = None
    households: int | None = None
    external_code: str | None = None


def add_unit(session: Session, new: NewUnit, unit_id: int, today: date) -> Unit:
    """Adds a unit; raises `Refused`."""
    parent = _by_code(session, new.parent)
    estate = _by_code(session, new.estate)
    problem = _problem(new, parent, estate, bool(_by_code(session, new.code)))
    if problem:
        raise Refused({"unit": problem})
    unit = Unit(
        id=unit_id,
        kind=new.kind,
        code=new.code,
        external_code=new.external_code,
        name=new.name,
        parent_id=parent.id if parent else None,
        path=f"{parent.path if parent else '/'}{unit_id}/",
        estate_id=estate.id if estate else None,
        households=new.households,
        valid_from=today,
    )
    session.add(unit)
    note_reorganised(session)
    return unit


def rename_unit(session: Session, unit: Unit, name: str) -> None:
    """Gives a unit another name; raises `Refused`."""
    if not 1 <= len(name) <= NAME_LENGTH:
        raise Refused({"name": f"名称应为 1 至 {NAME_LENGTH} 个字"})
    unit.name = name
    note_reorganised(session)


def close_unit(session: Session, unit: Unit, today: date) -> None:
    """Ends a unit's validity; raises `Refused` while valid units lie in it."""
    if session.scalar(select(Unit.id).where(Unit.parent_id == unit.id, Unit.valid_to.is_(None)).limit(1)):
        raise Refused({"unit": f"“{unit.name}”下面还有在用的单位，请先处理"})
    unit.valid_to = today
    note_reorganised(session)


def note_reorganised(session: Session) -> None:
    """Counts a change of the tree or of who holds its posts, once a transaction, so that every process reads anew."""
    session.flush()
    within = session.get_nested_transaction() or session.get_transaction()
    if session.info.get(_COUNTED) is not within:
        session.execute(update(OrganisationChange).values(count=OrganisationChange.count + 1))
        session.info[_COUNTED] = within
        organisation_kept.note_change(session)


def import_units(session: Session, rows: Sequence[Row], new_id: Callable[[], int], today: date) -> int:
    """Adds the units of a sheet (类型, 编码, 名称, 上级编码, 小区编码, 户数, 外部编码), all or none; raises `SheetRejected`."""
    problems: list[tuple[int, str]] = []
    added = 0
    with session.begin_nested() as attempt:
        for row in rows:
            try:
                add_unit(session, _described(row), new_id(), today)
                added += 1
            except Refused as refused:
                problems.append((row.line, str(refused)))
        if problems:
            attempt.rollback()
    if problems:
        raise SheetRejected(tuple(problems))
    return added


def _described(row: Row) -> NewUnit:
    kind = next((kind for kind, label in LABELS.items() if label == row["类型"]), None)
    if kind is None:
        raise Refused({"unit": f"类型“{row['类型']}”应为{'、'.join(LABELS.values())}之一"})
    households = row["户数"]
    if households and not (households.isdecimal() and int(households) < 1_000_000):
        raise Refused({"unit": f"户数“{households}”应为整数"})
    return NewUnit(
        kind,
        row["编码"],
        row["名称"],
        row["上级编码"] or None,
        row["小区编码"] or None,
        int(households) if households else None,
        row["外部编码"] or None,
    )


def _problem(new: NewUnit, parent: Unit | None, estate: Unit | None, taken: bool) -> str | None:
    if problem := code_problem(new.code):
        return problem
    if taken:
        return f"编码“{new.code}”已经存在"
    if not 1 <= len(new.name) <= NAME_LENGTH:
        return f"名称应为 1 至 {NAME_LENGTH} 个字"
    if new.parent and parent is None:
        return f"上级编码“{new.parent}”不存在"
    if not may_hold(parent.kind if parent else None, new.kind):
        return f"{new.kind.label}不能直接设在{Kind(parent.kind).label if parent else '最上级'}之下"
    if new.estate and (estate is None or estate.kind != Kind.ESTATE):
        return f"小区编码“{new.estate}”不是已有的小区"
    return None


def _by_code(session: Session, code: str | None) -> Unit | None:
    return session.scalar(select(Unit).where(Unit.code == code)) if code else None
