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
MAX_COLUMNS = 60
UNREADABLE = (
    zipfile.BadZipFile,
    InvalidFileException,
    KeyError,
    ValueError,
    IndexError,
    SyntaxError,
    RuntimeError,
    NotImplementedError,
    TypeError,
)
"""What a file that is no workbook, or a broken one, makes its reader raise."""


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
    if content[:4] in (b"%PDF", b"\xd0\xcf\x11\xe0", b"\x89PNG", b"\xff\xd8\xff\xe0"):
        _reject("只支持 .xlsx 或 CSV 文件")
    lines = enumerate(_excel(content), 1) if content[:2] == b"PK" else _csv(content)
    written = ((number, [cell.strip() for cell in cells]) for number, cells in lines if any(cell.strip() for cell in cells))
    at, header = next(written, (1, []))
    if not header:
        _reject("文件是空的")
    missing = [name for name in required if header.count(name) != 1]
    if missing:
        _reject("缺少或重复了列：" + "、".join(missing), at)
    rows: list[Row] = []
    for number, cells in written:
        rows.append(Row(number, dict(zip(header, cells, strict=False))))
        if len(rows) > MAX_ROWS:
            _reject(f"超过 {MAX_ROWS} 行，请分批导入", number)
        if any(len(cell) > MAX_CELL for cell in cells):
            _reject(f"有单元格超过 {MAX_CELL} 个字", number)
    return rows


def _csv(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Lines with their number. UTF-8 first: GB18030 takes almost anything, UTF-8 almost nothing by accident."""
    reader = csv.reader(io.StringIO(_decoded(content), newline=""))
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise SheetRejected(((line, "不是有效的 CSV"),)) from error


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    _reject("不是 Excel 或 CSV 表格")
    raise AssertionError


def _excel(content: bytes) -> Iterable[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MAX_UNPACKED:
                _reject("表格展开后过大")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        return [
            ["" if cell is None else str(cell) for cell in row]
            for row in sheet.iter_rows(values_only=True, max_row=MAX_ROWS + 2, max_col=MAX_COLUMNS)
        ]
    except UNREADABLE as error:
        raise SheetRejected(((1, "不是可以读取的 Excel 表格"),)) from error


def _reject(sentence: str, line: int = 1) -> None:
    raise SheetRejected(((line, sentence),))
