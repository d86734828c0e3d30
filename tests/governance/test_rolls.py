"""Roll books: what a sheet becomes, what is wrong with it line by line, and how fast."""

from __future__ import annotations

import io
import time

import pytest
from openpyxl import Workbook
from sqlalchemy import Engine, func, select

from governance.context import Actor
from governance.errors import NotAllowed, NotFound, Refused, SheetRejected
from governance.organisation.models import Unit
from governance.rolls.commands import end_book, import_members, open_book
from governance.rolls.models import RollBook, RollMember
from governance.rolls.queries import book as book_of
from governance.rolls.queries import books, books_of, members
from governance.rolls.rules import RollKind, read_members
from governance.sheets import read_sheet
from tests.votes import HEAD, Community, owners, residents, sheet


def problems(kind: RollKind, *lines: str) -> tuple[tuple[int, str], ...]:
    with pytest.raises(SheetRejected) as rejected:
        read_members(kind, read_sheet(sheet(lines), ("姓名",)))
    return rejected.value.problems


def test_every_wrong_line_has_its_sentence() -> None:
    assert problems(
        RollKind.OWNERS,
        "张三,,1-101,88.5,甲,",
        ",,1-102,88,,",
        "李四,12,1-103,88,,",
        "王五,,,88,,",
        "赵六,,1-101,88,,",
        "钱七,,1-105,八十,,",
        "孙八,,1-106,88.123,,",
        "周九,,1-107,0,,",
        "吴十,,1-108,88,甲,",
    ) == (
        (3, "姓名应为 1 至 40 个字"),
        (4, "手机号码应为 7 至 15 位数字，或者留空"),
        (5, "没有填写户号"),
        (6, "户号与第 2 行重复"),
        (7, "面积“八十”应为大于零的平方米数，最多两位小数"),
        (8, "面积“88.123”应为大于零的平方米数，最多两位小数"),
        (9, "面积“0”应为大于零的平方米数，最多两位小数"),
        (10, "业主编号与第 2 行相同，姓名却不同"),
    )
    assert problems(RollKind.RESIDENTS, "张三,,,,,zhang", "李四,,,,,zhang") == ((3, "用户名与第 2 行重复"),)
    assert problems(RollKind.RESIDENTS) == ((2, "名册里没有任何人。"),)


def test_a_buyer_with_several_properties_is_one_head() -> None:
    lines = ("张三,13800000001,1-101,88.5,甲,", "李四,,1-102,90,,", "张三,,1-103,11.55,甲,", "李四,,1-104,60,,", "张三,,车位 3,,甲,")
    first, second, third = read_members(RollKind.OWNERS, read_sheet(sheet(lines), ("姓名",)))
    assert (first.household, first.area_dm2, first.mobile) == ("1-101、1-103、车位 3", None, "13800000001"), "one is not measured"
    assert (second.area_dm2, third.area_dm2) == (9000, 6000), "the same name is not the same buyer"
    assert read_members(RollKind.OWNERS, read_sheet(sheet(lines[:3]), ("姓名",)))[0].area_dm2 == 10005


def test_a_book_is_replaced_whole_and_shows_nobody_plainly(database: Engine) -> None:
    town = Community(database)
    book = town.book("owners", owners("88", "90", "101.5"))
    with pytest.raises(SheetRejected):
        town.as_lead(import_members, book, sheet(["张三,,1,88,,nobody"]))
    with town.work() as context:
        kept = context.session.get_one(RollBook, book.id)
        assert kept.members_n == 3
        assert [(m.number, m.name, m.mobile, m.area_dm2) for m in members(context, kept, 1)] == [
            (2, "业**", "139****0002", 9000),
            (3, "业**", "139****0003", 10150),
        ]
        stored = context.session.execute(select(RollMember.name, RollMember.mobile)).all()
        assert not any("业主" in name or "139" in (mobile or "") for name, mobile in stored)
        assert import_members(context, town.lead(context), kept, sheet(owners("70"))) == 1
        assert context.session.scalar(select(func.count()).select_from(RollMember)) == 1


def test_a_book_is_its_units_own(database: Engine) -> None:
    town = Community(database)
    book = town.book("residents", residents(2))
    with town.work() as context:
        stranger = Actor(9, "别人", None, ())
        assert [b.id for b in books(context.session, town.lead(context))] == [book.id]
        assert list(books(context.session, stranger)) == []
        with pytest.raises(NotFound):
            book_of(context.session, book.id, stranger)
        with pytest.raises(NotAllowed):
            open_book(context, stranger, context.session.get_one(Unit, town.unit_id), "residents", "名册")
        kept = book_of(context.session, book.id, town.lead(context))
        with pytest.raises(Refused):
            end_book(context, kept, kept.valid_from.replace(year=2020))
        end_book(context, kept, context.today)
        assert [b.id for b in books_of(context.session, [town.unit_id], context.today)] == [book.id]
        assert list(books_of(context.session, [town.unit_id], context.today.replace(year=2027))) == []


def test_twenty_thousand_members_are_taken_in_within_seconds(database: Engine) -> None:
    town = Community(database)
    page = Workbook(write_only=True)
    lines = page.create_sheet()
    lines.append(HEAD.split(","))
    for i in range(20_000):
        lines.append([f"业主{i}", f"139{i:08d}", f"{i}-101", 88.25, "", ""])
    content = io.BytesIO()
    page.save(content)
    with town.work() as context:
        book = open_book(context, town.lead(context), context.session.get_one(Unit, town.unit_id), "owners", "名册")
        begun = time.process_time()
        assert import_members(context, town.lead(context), book, content.getvalue()) == 20_000
        assert time.process_time() - begun < 20
