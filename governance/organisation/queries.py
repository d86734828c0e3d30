"""Reads the tree."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from governance.errors import NotFound
from governance.organisation.models import Kind, Unit


def unit(session: Session, unit_id: int | str) -> Unit:
    """The unit; raises `NotFound`."""
    found = session.get(Unit, int(unit_id)) if str(unit_id).isdecimal() and int(unit_id) < 2**63 else None
    if found is None:
        raise NotFound
    return found


def names(session: Session, unit_ids: Collection[int]) -> dict[int, str]:
    """Names by id."""
    return {row.id: row.name for row in session.execute(select(Unit.id, Unit.name).where(Unit.id.in_(unit_ids)))}


def upwards(session: Session, unit: Unit) -> list[Unit]:
    """The unit, its estate when it has one, and everything above, the nearest first."""
    ids = [int(part) for part in unit.path.strip("/").split("/")]
    wanted = {*ids, *([unit.estate_id] if unit.estate_id else [])}
    found = {u.id: u for u in session.scalars(select(Unit).where(Unit.id.in_(wanted)))}
    chain = [found[i] for i in reversed(ids)]
    return [chain[0], found[unit.estate_id], *chain[1:]] if unit.estate_id else chain


def nearest(chain: Iterable[Unit], kind: Kind) -> Unit | None:
    """The first unit of a kind on the way up."""
    return next((u for u in chain if u.kind == kind), None)


def within(paths: Iterable[str]) -> ColumnElement[bool]:
    """Whether a unit lies in one of these subtrees."""
    return or_(False, *(Unit.path.startswith(path, autoescape=True) for path in paths))


def of_kind(session: Session, *kinds: Kind, below: str = "/") -> Sequence[Unit]:
    """All units of these kinds below a path, by code."""
    query = select(Unit).where(Unit.kind.in_(kinds), Unit.path.startswith(below, autoescape=True)).order_by(Unit.code)
    return session.scalars(query).all()


def children(session: Session, parent_id: int | None) -> Sequence[Unit]:
    """What lies directly in a unit, by code."""
    return session.scalars(select(Unit).where(Unit.parent_id == parent_id).order_by(Unit.kind, Unit.code)).all()


def full_name(chain: Sequence[Unit]) -> str:
    """The place as people write it, from the subdistrict down."""
    return "".join(u.name for u in reversed(chain) if u.kind not in (Kind.DISTRICT, Kind.ESTATE, Kind.SECTOR))


REPORTED_AT = (Kind.SUBDISTRICT, Kind.COMMUNITY, Kind.GRID, Kind.BUILDING)


def place(session: Session, named: str) -> Unit | None:
    """The place that a code or an id stands for; None unless matters are reported there."""
    found = session.scalar(select(Unit).where(Unit.code == named, Unit.valid_to.is_(None)))
    if found is None and named.isdecimal() and int(named) < 2**63:
        found = session.get(Unit, int(named))
    return found if found and found.kind in REPORTED_AT else None


def named(session: Session, unit: Unit) -> str:
    """A unit's name; below a community with the names from the community down."""
    if unit.kind not in (Kind.GRID, Kind.BUILDING, Kind.SECTOR):
        return unit.name
    chain = [u for u in upwards(session, unit) if u.kind in (Kind.COMMUNITY, Kind.GRID, Kind.BUILDING) or u is unit]
    return "".join(u.name for u in reversed(chain))
