"""Reads a calendar table (日期,类型,说明) as people save it from a spreadsheet. Knows no database."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from governance.calendar.errors import ImportRejected
from governance.calendar.models import DayKind

LARGEST_FILE = 1_000_000
MOST_DAYS = 4_000
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


def read_days(content: str | bytes) -> tuple[SheetDay, ...]:
    """Every line, or a report on all that are wrong."""
    days: dict[date, tuple[int, SheetDay]] = {}
    problems: list[tuple[int, str]] = []
    for line, row in _rows(_decoded(content)):
        try:
            found = _read(row)
            if found.day in days:
                raise ValueError(f"日期 {found.day} 与第 {days[found.day][0]} 行重复。")
            days[found.day] = (line, found)
        except ValueError as wrong:
            problems.append((line, str(wrong)))
        if len(problems) >= MOST_PROBLEMS:
            problems.append((line, "错误过多，其后各行未检查。"))
            break
        if len(days) > MOST_DAYS:
            raise ImportRejected(((line, f"文件超过 {MOST_DAYS} 天，请分批导入。"),))
    if problems:
        raise ImportRejected(tuple(problems))
    if not days:
        raise ImportRejected(((2, "文件里没有任何日期。"),))
    return tuple(found for _, found in days.values())


def _decoded(content: str | bytes) -> str:
    """UTF-8 first: GB18030 accepts almost anything, UTF-8 almost nothing by accident."""
    if len(content) > LARGEST_FILE:
        raise ImportRejected(((1, "文件过大，最多 1 MB。"),))
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ImportRejected(((1, "文件编码无法识别，请另存为 UTF-8 或 GBK 编码的 CSV。"),))


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Lines below the header with their number, by column name; blank lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""))
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if header is None and any(cells):
                header = _checked_header(line, cells)
            elif header is not None and any(cells):
                yield line, dict(zip(header, cells, strict=False))
            line = reader.line_num + 1
    except csv.Error:
        raise ImportRejected(((line, "这一行不是有效的 CSV。"),)) from None
    if header is None:
        raise ImportRejected(((1, "文件是空的。"),))


def _checked_header(line: int, cells: list[str]) -> list[str]:
    missing = [name for name in COLUMNS[:2] if cells.count(name) != 1]
    if missing:
        raise ImportRejected(((line, f"表头缺少或重复了“{'、'.join(missing)}”，应为：{','.join(COLUMNS)}。"),))
    return cells


def _read(row: dict[str, str]) -> SheetDay:
    kind = KINDS.get(row.get("类型", ""))
    note = row.get("说明", "")
    day = _read_date(row.get("日期", ""))
    if kind is None:
        raise ValueError(f"类型“{row.get('类型', '')[:20]}”应为“工作日”或“休息日”。")
    if len(note) > LONGEST_NOTE:
        raise ValueError(f"说明超过 {LONGEST_NOTE} 字。")
    return SheetDay(day, kind, note)


def _read_date(text: str) -> date:
    found = _DATE.fullmatch(text)
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
