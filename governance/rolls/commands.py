"""Opens roll books and fills them from sheets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import delete, insert, select

from governance.context import Actor, Context
from governance.errors import NotAllowed, Refused, SheetRejected
from governance.identity.models import Account
from governance.organisation.models import Unit
from governance.rolls.models import RollBook, RollMember
from governance.rolls.queries import hold_book, may_keep
from governance.rolls.rules import REQUIRED, Listed, RollKind, read_members
from governance.sheets import read_sheet

BATCH = 500


def open_book(
    context: Context, actor: Actor, unit: Unit, kind: str, name: str, valid_from: date | None = None, valid_to: date | None = None
) -> RollBook:
    """An empty book of a unit; raises `Refused`, `NotAllowed`."""
    if not may_keep(actor, unit):
        raise NotAllowed
    if kind not in set(RollKind):
        raise Refused({"kind": "请选择名册种类"})
    if not 1 <= len(name) <= 80:
        raise Refused({"name": "名册名称应为 1 至 80 个字"})
    first = valid_from or context.today
    if valid_to and valid_to < first:
        raise Refused({"valid_to": "有效期的截止日期早于起始日期"})
    book = RollBook(
        id=context.new_id(),
        unit=unit,
        kind=kind,
        name=name,
        members_n=0,
        changed_at=context.now(),
        changed_by=actor.person_id,
        valid_from=first,
        valid_to=valid_to,
    )
    context.session.add(book)
    context.session.flush()
    return book


def end_book(context: Context, book: RollBook, last_day: date) -> None:
    """The last day on which votes can be called on a book; raises `Refused`."""
    if last_day < book.valid_from:
        raise Refused({"valid_to": "有效期的截止日期早于起始日期"})
    book.valid_to = last_day
    context.session.flush()


def import_members(context: Context, actor: Actor, book: RollBook, content: bytes) -> int:
    """Replaces the members of a book by those of a sheet (姓名, 手机, 户号, 面积, 业主编号, 用户名), all or none; raises `SheetRejected`.

    Votes that are under way keep the roll they were called on.
    """
    listed = read_members(RollKind(book.kind), read_sheet(content, REQUIRED))
    people, session, seal = _people(context, listed), context.session, context.sealer.seal
    hold_book(session, book.id, to_change=True)
    session.execute(delete(RollMember).where(RollMember.book_id == book.id))
    session.execute(
        insert(RollMember),
        [
            {
                "book_id": book.id,
                "number": number,
                "name": seal(member.name),
                "mobile": seal(member.mobile) if member.mobile else None,
                "household": member.household,
                "heads": 1,
                "area_dm2": member.area_dm2,
                "person_id": people.get(member.username),
            }
            for number, member in enumerate(listed, 1)
        ],
    )
    book.members_n, book.changed_at, book.changed_by = len(listed), context.now(), actor.person_id
    session.flush()
    return len(listed)


def _people(context: Context, listed: Sequence[Listed]) -> dict[str, int]:
    """Whose accounts the sheet names; raises `SheetRejected`."""
    named = {member.username: member.line for member in listed if member.username}
    found: dict[str, int] = {}
    names = list(named)
    for begin in range(0, len(names), BATCH):
        query = select(Account.username, Account.person_id).where(Account.username.in_(names[begin : begin + BATCH]))
        found |= {row.username: row.person_id for row in context.session.execute(query)}
    if unknown := [(line, f"没有用户名为“{name[:60]}”的账号") for name, line in named.items() if name not in found]:
        raise SheetRejected(tuple(unknown))
    return found
