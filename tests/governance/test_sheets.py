"""Sheets from people: all or nothing, and the line is named."""

from __future__ import annotations

import io
import zipfile

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from governance.context import Context
from governance.errors import SheetRejected
from governance.organisation.commands import import_units
from governance.organisation.models import Unit
from governance.people.commands import import_appointments
from governance.people.models import Appointment
from governance.sheets import MAX_BYTES, read_sheet

COLUMNS = ("类型", "编码", "名称", "上级编码")
GOOD = "类型,编码,名称,上级编码\n社区,500199001009,新桥社区,500199001\n网格,50019900100900001,第一网格,500199001009\n"


def excel(*rows: tuple[object, ...]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    assert book.active
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def units(context: Context) -> int:
    return context.session.scalar(select(func.count()).select_from(Unit)) or 0


@pytest.mark.parametrize("content", [GOOD.encode(), GOOD.encode("utf-8-sig"), GOOD.encode("gb18030")])
def test_a_csv_in_any_usual_encoding(context: Context, content: bytes) -> None:
    before = units(context)
    assert import_units(context.session, read_sheet(content, COLUMNS), context.new_id, context.today) == 2
    assert units(context) == before + 2
    added = context.session.scalars(select(Unit).where(Unit.code == "50019900100900001")).one()
    parent = context.session.get_one(Unit, added.parent_id)
    assert parent.name == "新桥社区" and added.path == f"{parent.path}{added.id}/"


def test_an_excel_file(context: Context) -> None:
    rows = read_sheet(excel(COLUMNS, ("社区", 500199001009, "新桥社区", 500199001)), COLUMNS)
    assert import_units(context.session, rows, context.new_id, context.today) == 1


def test_one_wrong_line_and_nothing_is_written(context: Context) -> None:
    before = units(context)
    text = (
        GOOD
        + "村,1,x,500199001\n网格,50019900100900001,重复,500199001009\n楼栋,5001990010090000100001,1栋,500199001\n网格,g-9,第九网格,没有\n"
    )
    with pytest.raises(SheetRejected) as rejected:
        import_units(context.session, read_sheet(text.encode(), COLUMNS), context.new_id, context.today)
    assert [line for line, _ in rejected.value.problems] == [4, 5, 6, 7]
    assert units(context) == before


def test_appointments_name_their_mistakes(context: Context) -> None:
    before = context.session.scalar(select(func.count()).select_from(Appointment))
    text = "姓名,手机,岗位,单位编码\n赵一,13800000000,网格长,50019900100100001\n钱二,,市长,500199\n孙三,,社区长,50019900100100001\n"
    with pytest.raises(SheetRejected) as rejected:
        import_appointments(context.session, read_sheet(text.encode(), ("姓名", "岗位", "单位编码")), context.new_id, context.today)
    assert [line for line, _ in rejected.value.problems] == [3, 4]
    assert context.session.scalar(select(func.count()).select_from(Appointment)) == before


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 70_000_000)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x01\x02\xff\xfe",
        b"PK\x03\x04not a zip",
        "编码,名称\n1,2\n".encode(),
        b"x" * (MAX_BYTES + 1),
        bomb(),
        ("类型,编码,名称,上级编码\n" + "社" * 600).encode(),
    ],
    ids=["empty", "binary", "broken zip", "missing columns", "too large", "zip bomb", "long cell"],
)
def test_what_is_no_sheet_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(SheetRejected):
        read_sheet(content, COLUMNS)
