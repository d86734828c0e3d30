"""The calendar in a real session: seeding, correcting, importing, changing hours."""

from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path

import pytest
from sqlalchemy import Table, create_engine, func, select
from sqlalchemy.orm import Session

import wuzhang.models  # noqa: F401
from engine.database import open_database
from governance.base import Base
from governance.calendar import commands, sheets
from governance.calendar.errors import CalendarError, PeriodRejected, ShiftsRejected, YearNotPublished
from governance.calendar.models import CalendarChange, CalendarDay, DayKind, WorkShift
from governance.calendar.queries import missing_next_year, working_calendar
from governance.calendar.rules import DEFAULT_SHIFTS, SHANGHAI, Unit
from governance.errors import SheetRejected
from governance.organisation.models import OrganisationChange

SUMMER = ((time(8), time(12)), (time(15), time(18)))


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    for model in (CalendarDay, CalendarChange, WorkShift, OrganisationChange):
        assert isinstance(model.__table__, Table)
        model.__table__.create(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(CalendarDay)) or 0


def problems_of(content: str | bytes) -> tuple[tuple[int, str], ...]:
    with pytest.raises(SheetRejected) as rejected:
        sheets.read_days(content.encode() if isinstance(content, str) else content)
    return rejected.value.problems


def test_a_seeded_year_is_whole_and_knows_make_up_days(session: Session) -> None:
    assert commands.seed_year(session, 2026) == 365
    calendar = working_calendar(session)
    assert calendar.is_working(date(2026, 2, 28))
    assert not calendar.is_working(date(2026, 10, 7))
    due = calendar.add(datetime(2026, 9, 30, 17, tzinfo=SHANGHAI), 3, Unit.WORK_DAYS)
    assert due == datetime(2026, 10, 10, 18, tzinfo=SHANGHAI)


def test_seeding_again_keeps_what_people_decided(session: Session) -> None:
    commands.seed_year(session, 2026)
    commands.set_day(session, date(2026, 11, 23), DayKind.REST, "停电", by="张三")
    assert commands.seed_year(session, 2026) == 0
    row = session.get_one(CalendarDay, date(2026, 11, 23))
    assert (row.kind, row.source, row.note) == ("rest", "人工：张三", "停电")
    assert not working_calendar(session).is_working(date(2026, 11, 23))


@pytest.mark.parametrize("year", [0, 1999, 2099, 9999, 10_000])
def test_a_year_without_a_notice_cannot_be_seeded(session: Session, year: int) -> None:
    with pytest.raises(YearNotPublished, match="尚未公布"):
        commands.seed_year(session, year)
    assert count(session) == 0


def test_next_year_is_missed_from_november(session: Session) -> None:
    assert not missing_next_year(session, date(2025, 10, 31))
    assert missing_next_year(session, date(2025, 11, 1))
    commands.set_day(session, date(2026, 6, 1), DayKind.REST, by="张三")
    assert missing_next_year(session, date(2025, 12, 31))
    commands.seed_year(session, 2026)
    assert not missing_next_year(session, date(2025, 11, 1))


def test_a_notice_is_imported(session: Session) -> None:
    content = "日期,类型,说明\r\n2027-01-01,休息日,元旦\r\n\r\n2027/1/3,工作日,\r\n2027年2月6日,休息日,春节\r\n"
    assert commands.import_days(session, content.encode(), by="李四") == 3
    calendar = working_calendar(session)
    assert calendar.is_working(date(2027, 1, 3))
    assert not calendar.undecided(date(2027, 5, 5))
    assert session.get_one(CalendarDay, date(2027, 1, 1)).source == "导入：李四"


def test_an_import_replaces_what_was_there(session: Session) -> None:
    commands.seed_year(session, 2026)
    commands.import_days(session, "日期,类型\n2026-11-23,休息日\n".encode(), by="李四")
    assert not working_calendar(session).is_working(date(2026, 11, 23))
    assert count(session) == 365


def test_one_wrong_line_and_nothing_is_written(session: Session) -> None:
    with pytest.raises(SheetRejected) as rejected:
        commands.import_days(session, "日期,类型,说明\n2027-01-01,休息日,\n2027-02-30,休息日,\n2027-01-01,工作日,\n".encode(), by="李四")
    assert rejected.value.problems == ((3, "日期“2027-02-30”不存在。"), (4, "日期 2027-01-01 与第 2 行重复。"))
    assert "第 3 行" in str(rejected.value)
    assert count(session) == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_the_encodings_spreadsheets_save(encoding: str) -> None:
    (row,) = sheets.read_days("日期,类型,说明\n2027-01-01,休息日,元旦\n".encode(encoding))
    assert (row.day, row.kind, row.note) == (date(2027, 1, 1), DayKind.REST, "元旦")


def test_a_mark_at_the_head_of_a_text_is_no_part_of_it() -> None:
    assert len(sheets.read_days("\ufeff日期,类型\n2027-01-01,休息日\n".encode())) == 1


def test_columns_may_come_in_any_order_and_notes_over_lines() -> None:
    rows = sheets.read_days('说明,类型,日期\n"春节,\n第一天",休息日,2027-02-06\n,工作日,2027-02-20\n'.encode())
    assert [row.note for row in rows] == ["春节,\n第一天", ""]


def test_a_line_after_a_note_over_lines_keeps_its_number() -> None:
    assert problems_of('说明,类型,日期\n"春节,\n第一天",休息日,2027-02-06\n,工作,2027-02-20\n')[0][0] == 4


@pytest.mark.parametrize(
    ("content", "line", "sentence"),
    [
        ("", 1, "空的"),
        ("\n\n", 1, "空的"),
        ("日期,类型,说明\n", 2, "没有任何日期"),
        ("日期,说明\n2027-01-01,元旦\n", 1, "类型"),
        ("日期,日期,类型\n2027-01-01,2027-01-01,工作日\n", 1, "重复"),
        ("日期,类型\n2027-01-01\n", 2, "类型"),
        ("日期,类型\n2027-01-01,work\n", 2, "应为“工作日”或“休息日”"),
        ("日期,类型\n01/02/2027,工作日\n", 2, "2027-01-01 的样子"),
        ("日期,类型\n２０２７-01-01,工作日\n", 2, "2027-01-01 的样子"),
        ("日期,类型\n1027-01-01,工作日\n", 2, "年份"),
        ("日期,类型,说明\n2027-01-01,工作日," + "长" * 201 + "\n", 2, "说明"),
        ('日期,类型,说明\n2027-01-01,工作日,"' + "长" * 200_000 + '"\n', 2, "CSV"),
        (b"\xff\xfe\x00", 1, "表格"),
        (b"\x00" * 50, 1, "表格"),
        (b" " * 5_000_001, 1, "超过 5 MB"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(content: str | bytes, line: int, sentence: str) -> None:
    (problem,) = problems_of(content)
    assert problem[0] == line
    assert sentence in problem[1]


def test_a_report_has_an_end() -> None:
    problems = problems_of("日期,类型\n" + "错,错\n" * 5_000)
    assert len(problems) == 101
    assert "未检查" in problems[-1][1]


def test_hours_are_the_usual_ones_until_someone_sets_them(session: Session) -> None:
    assert working_calendar(session).shifts_on(date(2026, 7, 1)) == DEFAULT_SHIFTS
    commands.set_shifts(session, DEFAULT_SHIFTS, date(2020, 1, 1))
    commands.set_shifts(session, SUMMER, date(2026, 6, 1), date(2026, 9, 30))
    calendar = working_calendar(session)
    assert calendar.shifts_on(date(2026, 7, 1)) == SUMMER
    assert calendar.shifts_on(date(2026, 10, 1)) == DEFAULT_SHIFTS


def test_hours_set_again_for_the_same_day_replace_the_former(session: Session) -> None:
    commands.set_shifts(session, SUMMER, date(2026, 6, 1))
    commands.set_shifts(session, DEFAULT_SHIFTS, date(2026, 6, 1))
    assert working_calendar(session).shifts_on(date(2026, 7, 1)) == DEFAULT_SHIFTS


def test_hours_that_cannot_be_worked_are_refused(session: Session) -> None:
    with pytest.raises(ShiftsRejected, match="班次无效"):
        commands.set_shifts(session, (), date(2026, 6, 1))
    with pytest.raises(PeriodRejected):
        commands.set_shifts(session, SUMMER, date(2026, 6, 1), date(2026, 5, 1))


def test_every_error_has_a_sentence() -> None:
    assert str(CalendarError()) == "工作日历无法执行该操作。"


def test_what_was_rolled_back_is_not_kept(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'c.db'}")
    Base.metadata.create_all(database)
    with Session(database) as session, session.begin():
        commands.set_day(session, date(2026, 5, 4), DayKind.REST, by="张三")
    with Session(database) as session:
        commands.set_day(session, date(2026, 5, 5), DayKind.REST, by="张三")
        assert not working_calendar(session).is_working(date(2026, 5, 5))
        session.rollback()
    with Session(database) as session, session.begin():
        commands.set_day(session, date(2026, 5, 6), DayKind.REST, by="张三")
    with Session(database) as session:
        calendar = working_calendar(session)
        assert calendar.is_working(date(2026, 5, 5)) and not calendar.is_working(date(2026, 5, 6))
        assert working_calendar(session) is calendar
    database.dispose()
