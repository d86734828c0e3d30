"""Overlaps and gaps of decision tables: what is found is what a search over all cases finds."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from itertools import combinations, product
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpmn import shipped
from engine.coverage import Coverage, Gap, Overlap, coverage
from engine.decisions import DecisionTable, read_table
from engine.packages import read_package

NOW = datetime(2026, 3, 2, tzinfo=UTC)
NUMBERS = [n / 2 for n in range(-3, 14)]
TEXTS = ["a", "b", "c", "other"]
SPACE = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def made(*rows: tuple[str, ...], inputs: tuple[str, ...] = ("n",), policy: str = "UNIQUE", default: str = "") -> DecisionTable:
    def entry(kind: str, text: str) -> str:
        return f"<{kind}><text>{escape(text)}</text></{kind}>"

    columns = "".join(f'<input label="{name}"><inputExpression><text>{name}</text></inputExpression></input>' for name in inputs)
    spare = entry("defaultOutputEntry", default) if default else ""
    rules = "".join(
        "<rule>" + "".join(entry("inputEntry", c) for c in row[: len(inputs)]) + entry("outputEntry", row[len(inputs)]) + "</rule>"
        for row in rows
    )
    body = f'<decisionTable hitPolicy="{policy}">{columns}<output name="out">{spare}</output>{rules}</decisionTable>'
    return read_table(f'<definitions xmlns="{SPACE}"><decision id="t" name="t">{body}</decision></definitions>'.encode())


numbers = st.integers(0, 5)
number_cells = st.one_of(
    st.just("-"),
    st.builds("{} {}".format, st.sampled_from(["<", "<=", ">", ">="]), numbers),
    st.builds(
        lambda a, b, left, right: f"{left}{min(a, b)}..{max(a, b)}{right}", numbers, numbers, st.sampled_from("[("), st.sampled_from("])")
    ),
    st.lists(numbers, min_size=1, max_size=3).map(lambda each: ", ".join(map(str, each))),
    st.builds("not({})".format, numbers),
)
text_cells = st.one_of(
    st.just("-"),
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=2).map(lambda each: ", ".join(f'"{text}"' for text in each)),
    st.sampled_from(['not("a")', 'not("b", "c")']),
)
truth_cells = st.sampled_from(["-", "true", "false"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(number_cells, text_cells, truth_cells, st.just("1")), min_size=1, max_size=6))
def test_what_is_found_is_what_a_search_over_all_cases_finds(rows: list[tuple[str, ...]]) -> None:
    table = made(*rows, inputs=("n", "s", "b"))
    twice, uncovered = set[tuple[int, int]](), set[tuple[Any, ...]]()
    truths = [True, False] if any(row[2] != "-" for row in rows) else [True]
    for case in product(NUMBERS, TEXTS, truths):
        hits = table.hits(dict(zip("nsb", case, strict=True)), NOW)
        twice |= set(combinations(hits, 2))
        uncovered |= set() if hits else {case}
    found = coverage(table)
    assert {overlap.rules for overlap in found.overlaps} == twice
    if len(found.gaps) < 20:
        assert {case for case in product(NUMBERS, TEXTS, truths) if any(within(gap, case) for gap in found.gaps)} == uncovered
    else:
        assert all(within_any(gap, uncovered) for gap in found.gaps)


@lru_cache
def filling(gap: Gap) -> DecisionTable:
    """Read by the table language itself: what is told of a gap is a row that would fill it."""
    cells = dict(gap.where)
    return made((*(cells.get(name, "-") for name in "nsb"), "1"), inputs=("n", "s", "b"))


def within(gap: Gap, case: tuple[Any, ...]) -> bool:
    return filling(gap).hits(dict(zip("nsb", case, strict=True)), NOW) == (1,)


def within_any(gap: Gap, cases: set[tuple[Any, ...]]) -> bool:
    return any(within(gap, case) for case in cases)


def test_days_are_put_in_order() -> None:
    found = coverage(made(('< date("2026-05-01")', "1"), ('> date("2026-05-03")', "2"), ('date("2026-05-01")', "3")))
    assert found == Coverage(gaps=(Gap((("n", '(date("2026-05-01")..date("2026-05-03")]'),)),))


def test_only_what_differs_is_told_of_a_table_whose_rules_may_agree() -> None:
    rows = (("> 1", "1.0"), ("> 2", "1"), ("> 3", "x"), ("> 4", "x"), ("> 5", "2"))
    found = {overlap.rules for overlap in coverage(made(*rows, policy="ANY")).overlaps}
    assert found == set(combinations(range(1, 6), 2)) - {(1, 2), (3, 4)}


def test_a_table_of_the_first_hit_may_overlap_but_not_leave_out() -> None:
    found = coverage(made(("> 1", "1"), ("> 0", "2"), policy="FIRST"))
    assert found == Coverage(gaps=(Gap((("n", "<= 0"),)),))
    assert coverage(made(("> 1", "1"), policy="COLLECT")) == Coverage()
    assert coverage(made(("> 1", "1"), default="9")) == Coverage()


@pytest.mark.parametrize(
    ("rows", "inputs", "unclear"),
    [
        ([("1", "1"), ('"a"', "2")], ("n",), ("n",)),
        ([("true", "1"), ("1", "2")], ("n",), ("n",)),
        ([('> "a"', "1")], ("n",), ("n",)),
        ([("> 1", "1")], ("n + 1",), ("n + 1",)),
        ([("> 1", "< 1", "1")], ("n", "n"), ("n",)),
        ([("> 1", "-", "1")], ("n", "len(n)"), ("n", "len(n)")),
    ],
)
def test_what_cannot_be_judged_is_said(rows: list[tuple[str, ...]], inputs: tuple[str, ...], unclear: tuple[str, ...]) -> None:
    assert coverage(made(*rows, inputs=inputs)) == Coverage(unclear=unclear)


def test_a_table_with_too_many_regions_ends_in_time() -> None:
    rows = [(*tuple(f"{column}" if column == row % 25 else f"not({row})" for column in range(25)), "1") for row in range(60)]
    found = coverage(made(*rows, inputs=tuple(f"n{column}" for column in range(25))))
    assert found.too_large or len(found.gaps) == 20


def test_the_shipped_tables_decide_nothing_twice() -> None:
    tables = [table for key in shipped() for table in read_package(shipped()[key]).tables.values()]
    assert [overlap for table in tables for overlap in coverage(table).overlaps] == []
    assert Overlap((1, 2), ()) in coverage(made(("-", "1"), ("-", "2"))).overlaps
