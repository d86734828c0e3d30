"""Reads roll books, as far as the reader keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from governance.context import Actor, Context
from governance.errors import NotFound
from governance.organisation.models import Unit
from governance.organisation.queries import within
from governance.privacy import masked_mobile, masked_name
from governance.rolls.models import RollBook, RollMember

ADMINISTRATOR = "system_administrator"
KEEPERS = (
    "estate_party_secretary",
    "owners_committee_lead",
    "community_party_secretary",
    "committee_director",
    "community_lead",
    "street_party_secretary",
    "command_centre",
    "joint_office",
    "joint_office_lead",
)
"""Posts that keep the rolls of their unit and of what lies in it, and run votes there: all that call votes are among them."""
PAGE = 100


def may_keep(actor: Actor, unit: Unit) -> bool:
    """Whether the actor keeps the rolls of this unit."""
    return actor.holds(ADMINISTRATOR) or any(unit.path.startswith(path) for path in _kept(actor))


def _kept(actor: Actor) -> list[str]:
    return [a.unit.path for a in actor.appointments if a.post in KEEPERS]


def kept_units(actor: Actor) -> ColumnElement[bool]:
    """Whether a unit's rolls are the actor's to keep."""
    return within(["/"] if actor.holds(ADMINISTRATOR) else _kept(actor))


def valid_on(day: date) -> ColumnElement[bool]:
    """Whether votes can be called on a book."""
    return and_(RollBook.valid_from <= day, or_(RollBook.valid_to.is_(None), RollBook.valid_to >= day))


def books(session: Session, actor: Actor) -> Sequence[RollBook]:
    """The books the actor keeps."""
    return session.scalars(select(RollBook).join(Unit).where(kept_units(actor)).order_by(Unit.path, RollBook.name, RollBook.id)).all()


def books_of(session: Session, unit_ids: Sequence[int], day: date) -> Sequence[RollBook]:
    """The books of these units on which a vote can be called."""
    query = select(RollBook).where(RollBook.unit_id.in_(unit_ids), valid_on(day)).order_by(RollBook.name, RollBook.id)
    return session.scalars(query).all()


def book(session: Session, book_id: int, actor: Actor) -> RollBook:
    """A book the actor keeps; raises `NotFound`."""
    found = session.scalar(select(RollBook).join(Unit).where(RollBook.id == book_id, kept_units(actor)))
    if found is None:
        raise NotFound
    return found


def hold_book(session: Session, book_id: int, *, to_change: bool) -> None:
    """Nobody changes a book's members until the commit; who only reads them does not keep others from reading."""
    session.execute(select(RollBook.id).where(RollBook.id == book_id).with_for_update(read=not to_change))


def book_name(context: Context, book_id: str) -> str:
    """What a book is called; nothing when there is none of this id."""
    found = context.session.get(RollBook, int(book_id)) if book_id.isdecimal() and len(book_id) < 19 else None
    return found.name if found else ""


@dataclass(frozen=True)
class MemberShown:
    """A member, masked."""

    number: int
    name: str
    mobile: str
    household: str
    area_dm2: int | None
    is_linked: bool


def members(context: Context, book: RollBook, after: int = 0) -> list[MemberShown]:
    """A page of a book's members, masked."""
    query = select(RollMember).where(RollMember.book_id == book.id, RollMember.number > after).order_by(RollMember.number).limit(PAGE)
    unseal = context.sealer.unseal
    return [
        MemberShown(
            row.number,
            masked_name(unseal(row.name)),
            masked_mobile(unseal(row.mobile)) if row.mobile else "",
            row.household,
            row.area_dm2,
            row.person_id is not None,
        )
        for row in context.session.scalars(query)
    ]
