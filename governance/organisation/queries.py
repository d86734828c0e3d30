"""Reads the tree."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, TypeVar

from sqlalchemy import ColumnElement, and_, literal, or_, select
from sqlalchemy.orm import Session

from governance.errors import NotFound, Refused
from governance.kept import Kept
from governance.organisation.models import Kind, OrganisationChange, Unit

BELOW_COMMUNITY = (Kind.GRID, Kind.BUILDING, Kind.SECTOR)
PAGE, LONG_ID = 100, 19
"""Rows of a page; digits that no id of ours has."""
NAMING = (Kind.COMMUNITY, Kind.GRID)
"""The levels by whose names people tell apart what lies in them."""


class Station(NamedTuple):
    """A unit on the way up, as far as finding who acts needs it."""

    id: int
    kind: Kind
    name: str


Standing = TypeVar("Standing", Unit, Station)
organisation_kept = Kept("organisation", OrganisationChange.count)


def unit(session: Session, unit_id: int | str) -> Unit:
    """The unit; raises `NotFound`."""
    found = session.get(Unit, int(unit_id)) if str(unit_id).isdecimal() and len(str(unit_id)) < LONG_ID else None
    if found is None:
        raise NotFound
    return found


def names(session: Session, unit_ids: Collection[int]) -> dict[int, str]:
    """Names by id; what lies below a community is named with it, for every community has a 第一网格."""
    found = session.execute(select(Unit.id, Unit.name, Unit.kind, Unit.path).where(Unit.id.in_(unit_ids))).all()
    below = {row.id: [int(part) for part in row.path.strip("/").split("/")] for row in found if row.kind in BELOW_COMMUNITY}
    above = session.execute(
        select(Unit.id, Unit.name).where(Unit.id.in_({i for ids in below.values() for i in ids}), Unit.kind.in_(NAMING))
    )
    prefix = {row.id: row.name for row in above} if below else {}
    return {row.id: "".join(prefix.get(i, "") for i in below.get(row.id, [])[:-1]) + row.name for row in found}


def upwards(session: Session, unit: Unit) -> list[Unit]:
    """The unit, its estate when it has one, and everything above, the nearest first."""
    ids = [int(part) for part in unit.path.strip("/").split("/")]
    wanted = {*ids, *([unit.estate_id] if unit.estate_id else [])}
    found = {u.id: u for u in session.scalars(select(Unit).where(Unit.id.in_(wanted)))}
    chain = [found[i] for i in reversed(ids)]
    return [chain[0], found[unit.estate_id], *chain[1:]] if unit.estate_id else chain


def way_up(session: Session, unit_id: int | str) -> tuple[Station, ...]:
    """`upwards` from a unit, kept until the organisation changes; raises `NotFound`."""
    return organisation_kept.get(session, ("way up", str(unit_id)), lambda: _stations(session, unit_id))


def _stations(session: Session, unit_id: int | str) -> tuple[Station, ...]:
    return tuple(Station(u.id, Kind(u.kind), u.name) for u in upwards(session, unit(session, unit_id)))


def nearest(chain: Iterable[Standing], kind: Kind) -> Standing | None:
    """The first unit of a kind on the way up."""
    return next((u for u in chain if u.kind == kind), None)


def within(paths: Iterable[str]) -> ColumnElement[bool]:
    """Whether a unit lies in one of these subtrees."""
    return or_(False, *(Unit.path.startswith(path, autoescape=True) for path in paths))


def around(session: Session, unit_id: int | str) -> ColumnElement[bool]:
    """Whether a unit lies on the way up from a place, or in its community; raises `NotFound`."""
    chain = upwards(session, unit(session, unit_id))
    community = nearest(chain, Kind.COMMUNITY)
    return or_(Unit.id.in_([u.id for u in chain]), within([community.path] if community else []))


def of_kind(session: Session, *kinds: Kind, below: str = "/") -> Sequence[Unit]:
    """All units of these kinds below a path, by code."""
    query = select(Unit).where(Unit.kind.in_(kinds), Unit.path.startswith(below, autoescape=True)).order_by(Unit.code)
    return session.scalars(query).all()


def units_like(session: Session, text: str, kind: Kind, limit: int = 20) -> Sequence[Unit]:
    """Units of a kind in use that a typed code or name may mean; 临江社区第三 finds 第三网格 of 临江社区."""
    paths, rest = ["/"], text
    while above := _called(session, rest, paths, kind):
        paths, rest = [unit.path for unit in above], rest.removeprefix(above[0].name).strip()
    means = or_(Unit.code.startswith(text, autoescape=True), and_(within(paths), Unit.name.contains(rest, autoescape=True)))
    query = select(Unit).where(Unit.kind == kind, Unit.valid_to.is_(None), means).order_by(Unit.code).limit(limit)
    return session.scalars(query).all()


def areas_like(session: Session, text: str, limit: int = 20) -> Sequence[str]:
    """The paths of what a typed name may mean; 临江社区第三网格 is 第三网格 of 临江社区."""
    paths, rest = ["/"], text
    while above := _called(session, rest, paths, None):
        paths, rest = [unit.path for unit in above], rest.removeprefix(above[0].name).strip()
    if not rest:
        return paths
    return session.scalars(select(Unit.path).where(within(paths), Unit.name.contains(rest, autoescape=True)).limit(limit)).all()


def _called(session: Session, text: str, paths: Sequence[str], kind: Kind | None) -> list[Unit]:
    """The units within these paths by whose name, the longest there is, a text begins."""
    begins = literal(text).startswith(Unit.name)
    query = select(Unit).where(begins, within(paths), Unit.kind != kind, Unit.path.not_in(paths))
    found = [unit for unit in session.scalars(query) if text.startswith(unit.name)]
    longest = max((len(unit.name) for unit in found), default=0)
    return [unit for unit in found if len(unit.name) == longest]


def units_in_use(session: Session, kind: Kind | None, path: str, q: str = "", after: str = "") -> tuple[Sequence[Unit], str | None]:
    """Units in use below a path by code, and the code after which the next page begins."""
    query = select(Unit).where(Unit.valid_to.is_(None), Unit.path.startswith(path, autoescape=True), Unit.code > after)
    if kind:
        query = query.where(Unit.kind == kind)
    if q:
        query = query.where(or_(Unit.code.startswith(q, autoescape=True), Unit.name.contains(q, autoescape=True)))
    found = session.scalars(query.order_by(Unit.code).limit(PAGE + 1)).all()
    return found[:PAGE], found[PAGE - 1].code if len(found) > PAGE else None


def unit_meant(session: Session, text: str, kind: Kind) -> Unit:
    """The one unit of a kind that a person means by a code or a name; raises `Refused`."""
    if not text:
        raise Refused({"unit": f"请填写{kind.label}的名称或编码"})
    found = units_like(session, text, kind)
    exact = [u for u in found if text in (u.code, u.name)] or found
    if not exact:
        raise Refused({"unit": f"没有名称或编码为“{text}”的{kind.label}"})
    if len(exact) > 1:
        raise Refused({"unit": f"有多个{kind.label}符合“{text}”，请填写编码，或者在名称前加上所在社区"})
    return exact[0]


def children(session: Session, parent_id: int | None) -> Sequence[Unit]:
    """What lies directly in a unit, by code."""
    return session.scalars(select(Unit).where(Unit.parent_id == parent_id).order_by(Unit.kind, Unit.code)).all()


def full_name(chain: Sequence[Unit]) -> str:
    """The place as people write it, from the subdistrict down; the way there is named as far as it tells where that is."""
    passed = (Kind.DISTRICT, Kind.ESTATE, Kind.SECTOR)
    return "".join(u.name for u in reversed(chain) if u is chain[0] or u.kind not in passed)


REPORTED_AT = (Kind.SUBDISTRICT, Kind.COMMUNITY, Kind.GRID, Kind.BUILDING)


def place(session: Session, named: str) -> Unit | None:
    """The place that a code or an id stands for; None unless it is in use and matters are reported there."""
    found = session.scalar(select(Unit).where(Unit.code == named, Unit.valid_to.is_(None)))
    if found is None and named.isdecimal() and len(named) < LONG_ID:
        found = session.get(Unit, int(named))
    return found if found and found.kind in REPORTED_AT and found.valid_to is None else None


def named(session: Session, unit: Unit) -> str:
    """A unit's name; below a community with the names from the community down."""
    return names(session, [unit.id])[unit.id]
