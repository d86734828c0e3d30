"""Reads a calendar table (日期,类型,说明) as people save it from a spreadsheet. Knows no database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from governance.calendar.models import DayKind
from governance.errors import SheetRejected
from governance.sheets import Row, read_sheet

MOST_PROBLEMS = 100
LONGEST_NOTE = 200
KINDS = {"工作日": DayKind.WORK, "休息日": DayKind.REST}
COLUMNS = ("日期", "类型", "说明")
# Spreadsheets rewrite 2027-01-01 in their own way; month before day, always.
_DATE = re.compile(r"(\d{4})(?:[-/.]|年)(\d{1,2})(?:[-/.]|月)(\d{1,2})日?", re.ASCII)
_YEARS = range(2000, 2100)


@dataclass(frozen=True)
class SheetDay:
    """One good line of the table."""

    day: date
    kind: DayKind
    note: str


def read_days(content: bytes) -> tuple[SheetDay, ...]:
    """Every line, or a report on all that are wrong; raises `SheetRejected`."""
    days: dict[date, tuple[int, SheetDay]] = {}
    problems: list[tuple[int, str]] = []
    for row in read_sheet(content, COLUMNS[:2]):
        try:
            found = _read(row)
            if found.day in days:
                raise ValueError(f"日期 {found.day} 与第 {days[found.day][0]} 行重复。")
            days[found.day] = (row.line, found)
        except ValueError as wrong:
            problems.append((row.line, str(wrong)))
        if len(problems) >= MOST_PROBLEMS:
            problems.append((row.line, "错误过多，其后各行未检查。"))
            break
    if problems:
        raise SheetRejected(tuple(problems))
    if not days:
        raise SheetRejected(((2, "文件里没有任何日期。"),))
    return tuple(found for _, found in days.values())


def _read(row: Row) -> SheetDay:
    kind, note = KINDS.get(row["类型"]), row["说明"]
    day = _read_date(row["日期"])
    if kind is None:
        raise ValueError(f"类型“{row['类型'][:20]}”应为“工作日”或“休息日”。")
    if len(note) > LONGEST_NOTE:
        raise ValueError(f"说明超过 {LONGEST_NOTE} 字。")
    return SheetDay(day, kind, note)


def _read_date(text: str) -> date:
    found = _DATE.fullmatch(text.removesuffix(" 00:00:00"))
    if not found:
        raise ValueError(f"日期“{text[:20]}”应写成 2027-01-01 的样子。")
    year, month, day = (int(part) for part in found.groups())
    try:
        read = date(year, month, day)
    except ValueError:
        raise ValueError(f"日期“{text}”不存在。") from None
    if year not in _YEARS:
        raise ValueError(f"日期“{text}”的年份超出范围。")
    return read
