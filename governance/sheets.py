"""Reads the sheets people bring (Excel or CSV) into rows of text that know their line."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from governance.errors import SheetRejected

MAX_BYTES = 5_000_000
MAX_UNPACKED = 60_000_000
MAX_ROWS = 20_000
MAX_CELL = 500


@dataclass(frozen=True)
class Row:
    """A line of a sheet; what it does not say is the empty text."""

    line: int
    cells: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")


def read_sheet(content: bytes, required: Sequence[str]) -> list[Row]:
    """The rows of an .xlsx or CSV file; raises `SheetRejected` naming the line."""
    if len(content) > MAX_BYTES:
        _reject(f"文件超过 {MAX_BYTES // 1_000_000} MB")
    lines = _excel(content) if content[:2] == b"PK" else _csv(content)
    numbered = ((number, [cell.strip() for cell in cells]) for number, cells in enumerate(lines, 1))
    header = next(numbered, (1, []))[1]
    missing = [name for name in required if name not in header]
    if missing:
        _reject("缺少列：" + "、".join(missing))
    rows = [Row(number, dict(zip(header, cells, strict=False))) for number, cells in numbered if any(cells)]
    if len(rows) > MAX_ROWS:
        _reject(f"超过 {MAX_ROWS} 行，请分批导入")
    long = next((row.line for row in rows if any(len(cell) > MAX_CELL for cell in row.cells.values())), None)
    if long:
        _reject(f"有单元格超过 {MAX_CELL} 个字", long)
    return rows


def _csv(content: bytes) -> Iterator[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return csv.reader(io.StringIO(text))
    _reject("不是 Excel 或 CSV 表格")
    raise AssertionError


def _excel(content: bytes) -> Iterable[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MAX_UNPACKED:
                _reject("表格展开后过大")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        return [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True, max_row=MAX_ROWS + 2)]
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError) as error:
        raise SheetRejected(((1, "不是可以读取的 Excel 表格"),)) from error


def _reject(sentence: str, line: int = 1) -> None:
    raise SheetRejected(((line, sentence),))
