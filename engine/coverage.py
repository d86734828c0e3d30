"""Finds what a decision table decides twice, and what it leaves undecided.

The values of a column fall into pieces that no cell tells apart: each value that is written, and what lies between. Over these
pieces the answer is exact. Where columns depend on one another, or hold more than comparisons of one kind, nothing is claimed.
Empty data is left aside: whether a form asks for it is not the table's matter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations, islice

from engine.decisions import Cell, DecisionTable, Input, Rule
from engine.expressions import JSON, Expression, ExpressionError

MOST = 20
"""So many findings are told; whoever mends them asks again."""
MAX_REGIONS = 200_000
NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NOW = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Overlap:
    """Two rules, by their number from 1, that one case hits; `where` is such a case in the language of the cells."""

    rules: tuple[int, int]
    where: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Gap:
    """A case that no rule is for: columns and their values in the language of the cells; other columns may hold anything."""

    where: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Coverage:
    """What was found. `unclear` names the columns for which nothing can be said; then nothing else is."""

    overlaps: tuple[Overlap, ...] = ()
    gaps: tuple[Gap, ...] = ()
    unclear: tuple[str, ...] = ()
    too_large: bool = False


def coverage(table: DecisionTable) -> Coverage:
    """Overlaps of a table that allows one rule or only agreeing ones, and gaps of one that gives one answer."""
    if unclear := tuple(dict.fromkeys(_unclear(table))):
        return Coverage(unclear=unclear)
    axes = [_Axis(column, [rule.inputs[n] for rule in table.rules]) for n, column in enumerate(table.inputs)]
    overlaps = tuple(islice(_overlaps(table, axes), MOST)) if table.policy in ("UNIQUE", "ANY") else ()
    if table.policy not in ("UNIQUE", "ANY", "FIRST") or any(output.default for output in table.outputs):
        return Coverage(overlaps)
    try:
        return Coverage(overlaps, tuple(islice(_Gaps(axes, len(table.rules)).all(), MOST)))
    except _TooLargeError:
        return Coverage(overlaps, too_large=True)


class _TooLargeError(Exception):
    """The regions are too many to be looked at."""


# ---- what can be judged ----------------------------------------------------------------------------------------------


def _unclear(table: DecisionTable) -> Iterator[str]:
    for number, column in enumerate(table.inputs):
        others = [other for other in table.inputs if other is not column]
        cells = [column.allowed, *(rule.inputs[number] for rule in table.rules)]
        alone = NAME.fullmatch(column.expression.source.strip()) and not any(column.expression.names & o.expression.names for o in others)
        if not (alone and _comparable(cells)):
            yield column.label


def _bounds(cells: list[Cell]) -> list[tuple[str, JSON]]:
    return [bound for cell in cells for test in cell.tests for bound in test.bounds if bound[1] is not None]


def _comparable(cells: list[Cell]) -> bool:
    """Values of one kind; texts that are put in order must be days, between which there is always something."""
    bounds = _bounds(cells)
    kinds = {float if type(value) in (int, float) else type(value) for _sign, value in bounds}
    ordered_texts = str in kinds and any(sign != "=" for sign, _value in bounds)
    return len(kinds) < 2 and (not ordered_texts or all(DAY.fullmatch(value) for _sign, value in bounds))


# ---- the pieces of a column ------------------------------------------------------------------------------------------


class _Axis:
    """A column as numbered pieces: even ones lie between the written values, odd ones are these values; sets of them are bits."""

    def __init__(self, column: Input, cells: list[Cell]) -> None:
        self.label = column.label
        bounds = _bounds([column.allowed, *cells])
        self.ordered = any(sign != "=" for sign, _value in bounds)
        self.truth = any(isinstance(value, bool) for _sign, value in bounds)
        values = [False, True] if self.truth else list(dict.fromkeys(value for _sign, value in bounds))
        self.values: list[JSON] = sorted(values)
        self.all = self.pieces(column.allowed, self._possible())
        self.cells = [self.pieces(cell, self.all) for cell in cells]

    def _possible(self) -> int:
        count = len(self.values)
        if self.truth:
            return 0b1010
        between = sum(1 << 2 * k for k in (range(count + 1) if self.ordered else (0,)))
        return between | sum(1 << 2 * k + 1 for k in range(count))

    def pieces(self, cell: Cell, among: int) -> int:
        """Those of the pieces that the cell lets through."""
        if not cell.tests:
            return among
        passed = sum(1 << piece for piece in _bits(among) if any(self._passes(test.bounds, piece) for test in cell.tests))
        return among & ~passed if cell.otherwise else passed

    def _passes(self, bounds: tuple[tuple[str, JSON], ...], piece: int) -> bool:
        return all(value is not None and self._within(sign, 2 * self.values.index(value) + 1, piece) for sign, value in bounds)

    def _within(self, sign: str, end: int, piece: int) -> bool:
        return {"=": piece == end, "<": piece < end, "<=": piece <= end, ">": piece > end, ">=": piece >= end}[sign]

    def words(self, pieces: int) -> str:
        """The pieces as a cell would be written."""
        if self.ordered:
            return ", ".join(self._run(first, last) for first, last in _runs(pieces))
        if pieces & 1:
            rest = [_written(value) for k, value in enumerate(self.values) if not pieces >> 2 * k + 1 & 1]
            return f"not({', '.join(rest)})" if rest else "-"
        return ", ".join(_written(value) for k, value in enumerate(self.values) if pieces >> 2 * k + 1 & 1)

    def _run(self, first: int, last: int) -> str:
        low = self.values[(first - 1) // 2] if first else None
        high = self.values[last // 2] if last // 2 < len(self.values) else None
        if low is None or high is None:
            sign, end = ("<" if last % 2 == 0 else "<=", high) if low is None else (">" if first % 2 == 0 else ">=", low)
            return "-" if end is None else f"{sign} {_written(end)}"
        if first == last and first % 2:
            return _written(low)
        return f"{'[' if first % 2 else '('}{_written(low)}..{_written(high)}{']' if last % 2 else ')'}"


def _written(value: JSON) -> str:
    if isinstance(value, str) and DAY.fullmatch(value):
        return f'date("{value}")'
    return json.dumps(value, ensure_ascii=False)


def _bits(pieces: int) -> Iterator[int]:
    return (piece for piece in range(pieces.bit_length()) if pieces >> piece & 1)


def _runs(pieces: int) -> Iterator[tuple[int, int]]:
    """Pieces that follow one another, as their first and last."""
    first = None
    for piece in range(pieces.bit_length() + 1):
        if pieces >> piece & 1:
            first = piece if first is None else first
        elif first is not None:
            yield first, piece - 1
            first = None


def _said(axes: list[_Axis], chosen: list[int]) -> tuple[tuple[str, str], ...]:
    return tuple((axis.label, axis.words(pieces)) for axis, pieces in zip(axes, chosen, strict=True) if pieces != axis.all)


# ---- overlaps and gaps -----------------------------------------------------------------------------------------------


def _overlaps(table: DecisionTable, axes: list[_Axis]) -> Iterator[Overlap]:
    for one, other in combinations(range(len(table.rules)), 2):
        common = [axis.cells[one] & axis.cells[other] for axis in axes]
        if all(common) and not (table.policy == "ANY" and _agree(table.rules[one], table.rules[other])):
            yield Overlap((one + 1, other + 1), _said(axes, common))


def _agree(one: Rule, other: Rule) -> bool:
    """Whether two rules answer the same whatever the case; answers that depend on it agree when they are written alike."""
    return all(_meaning(a) == _meaning(b) for a, b in zip(one.outputs, other.outputs, strict=True))


def _meaning(cell: Expression | None) -> tuple[str, str]:
    if cell is None:
        return "value", "null"
    try:
        value = cell.evaluate({}, _NOW) if "now" not in cell.source else cell.source
    except ExpressionError:
        return "source", cell.source
    number = type(value) in (int, float) and value == int(value)
    return "value", json.dumps(int(value) if number else value, sort_keys=True)


class _Gaps:
    """Walks the regions of all columns; a region that no rule reaches is a gap, whatever the columns to come hold."""

    def __init__(self, axes: list[_Axis], rules: int) -> None:
        self.axes = axes
        self.rules = (1 << rules) - 1
        self.left = MAX_REGIONS
        self.whole: set[tuple[int, int]] = set()
        self.reached = [{piece: _reached(axis, piece) for piece in _bits(axis.all)} for axis in axes]

    def all(self) -> Iterator[Gap]:
        return self.below(0, self.rules, [])

    def below(self, column: int, alive: int, chosen: list[int]) -> Iterator[Gap]:
        if not alive:
            yield Gap(_said(self.axes[:column], chosen))
        elif column < len(self.axes) and (column, alive) not in self.whole:
            found = 0
            for region, pieces in self.regions(column, alive).items():
                for gap in self.below(column + 1, region, [*chosen, pieces]):
                    found += 1
                    yield gap
            if not found:
                self.whole.add((column, alive))

    def regions(self, column: int, alive: int) -> dict[int, int]:
        """The pieces of a column, those together that the same rules reach."""
        together: dict[int, int] = {}
        for piece, rules in self.reached[column].items():
            self.left -= 1
            together[alive & rules] = together.get(alive & rules, 0) | 1 << piece
        if self.left < 0:
            raise _TooLargeError
        return together


def _reached(axis: _Axis, piece: int) -> int:
    return sum(1 << rule for rule, pieces in enumerate(axis.cells) if pieces >> piece & 1)
