"""Decision tables decide as DMN says, and refuse at reading what they would not carry out."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decisions import DecisionTable, SeveralRulesHit, TableRejected, read_table
from engine.expressions import ExpressionFailed, MissingVariable

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DMN13 = "https://www.omg.org/spec/DMN/20191111/MODEL/"
VERSIONS = [
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    DMN13,
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
]
Row = tuple[list[str], list[str]]


def xml(rows: list[Row], inputs: str = "a", outputs: str = "r", attributes: str = "", **extra: str) -> bytes:
    """A DMN file; `inputs` and `outputs` are blank-separated."""

    def text(tag: str, content: str) -> str:
        return f"<{tag}><text>{escape(content)}</text></{tag}>"

    columns = "".join(f"<input>{text('inputExpression', e)}{extra.get('values', '')}</input>" for e in inputs.split())
    columns += "".join(f'<output name="{name}">{extra.get("default", "")}</output>' for name in outputs.split())
    rules = "".join(
        f'<rule id="r{n}">{"".join(text("inputEntry", t) for t in tests)}{"".join(text("outputEntry", c) for c in cells)}</rule>'
        for n, (tests, cells) in enumerate(rows, 1)
    )
    table = f"<decisionTable {attributes}>{columns}{rules}</decisionTable>"
    body = f'{extra.get("before", "")}<decision id="grade" name="分级">{table}</decision>{extra.get("after", "")}'
    return f'<definitions xmlns="{extra.get("space", DMN13)}" {extra.get("root", "")}>{body}</definitions>'.encode()


def table(rows: list[Row], **extra: Any) -> DecisionTable:
    return read_table(xml(rows, **extra))


def passes(cell: str, value: Any) -> bool:
    return bool(table([([cell], ["1"])]).decide({"a": value}, NOW))


@pytest.mark.parametrize(
    ("cell", "yes", "no"),
    [
        ("", [1, None, "x"], []),
        ("-", [1, None, "x"], []),
        ("1", [1, 1.0], [2, "1", True, None]),
        ("-1.5", [-1.5], [1.5]),
        ("= 3", [3], [4]),
        ('"街道"', ["街道"], ["社区", None, 1]),
        ('"a\\"b"', ['a"b'], ["ab"]),
        ("true", [True], [False, 1, "true"]),
        ("false", [False], [True, 0, None]),
        ("null", [None], [0, "", False]),
        ("< 3", [2, 2.9], [3, None]),
        ("<=3", [3], [3.1]),
        ("> -3", [-2], [-3]),
        (">= 3", [3], [2]),
        ("[1..3]", [1, 3], [0, 4, None]),
        ("]1..3]", [2, 3], [1]),
        ("(1..3)", [2], [1, 3]),
        ("[1..3[", [1], [3]),
        ("[1.5..3)", [1.5], [3]),
        ("1, 2,[5..6]", [1, 2, 5], [3]),
        ("not(1)", [2, None, "1"], [1]),
        ("not(1,2)", [3], [1, 2]),
        ('not("a", "b")', ["c"], ["a"]),
        ("not ([1..3])", [4], [2]),
        ('date("2026-05-01")', ["2026-05-01"], ["2026-05-02"]),
        ('>= date("2026-05-01")', ["2026-05-01", "2026-12-31"], ["2026-04-30"]),
        ('[date("2026-01-01")..date("2026-12-31")]', ["2026-06-01"], ["2027-01-01"]),
        ('date and time("2026-05-01T09:00:00+08:00")', ["2026-05-01T09:00:00+08:00"], ["x"]),
        ('"a,b"', ["a,b"], ["a"]),
        ('"not(1)"', ["not(1)"], [1]),
    ],
)
def test_unary_tests(cell: str, yes: list[Any], no: list[Any]) -> None:
    assert [passes(cell, value) for value in yes] == [True] * len(yes)
    assert [passes(cell, value) for value in no] == [False] * len(no)


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "urgent",
            "街道",
            "“街道”",
            "1，2",
            "（1..3）",
            "1 2",
            "1,",
            ",1",
            "<",
            "< true",
            "> null",
            "[1..]",
            "[1..3",
            "[3..1]",
        ),
        *(
            '[1.."a"]',
            "not(",
            "not()",
            "not",
            "not(1),2",
            "not(-)",
            "- 5",
            "1-3",
            "1e5",
            "1.2.3",
            "3x",
            '"a',
            "'a'",
            "== 1",
            "!= 1",
        ),
        *(
            'date("2026-13-01")',
            "date(2026)",
            "time(1)",
            "a > 1",
            "f(1)",
            "?",
            "--",
            "1..3",
            "[1..2..3]",
            "1" * 40,
            "1," * 2000,
        ),
    ],
)
def test_malformed_cell_is_named(cell: str) -> None:
    with pytest.raises(TableRejected) as rejected:
        table([(["1"], ["1"]), ([cell], ["2"])])
    assert (rejected.value.rule, rejected.value.cell) == ("r2", "输入第 1 列")
    assert str(rejected.value).endswith("。") and "r2" in str(rejected.value)


@pytest.mark.parametrize("cell", ["-", "街道 街道", "__import__('os')", "x.append(1)", "date('2026-05-01')", "= 1"])
def test_malformed_output_is_named(cell: str) -> None:
    with pytest.raises(TableRejected) as rejected:
        table([(["1"], [cell])])
    assert (rejected.value.rule, rejected.value.cell) == ("r1", "输出第 1 列")


@pytest.mark.parametrize("value", ["三", True, [1], {}])
def test_order_of_unlike_values_fails(value: Any) -> None:
    with pytest.raises(ExpressionFailed, match="r1"):
        passes("> 3", value)


OVERLAP: list[Row] = [(["> 1"], ["1"]), (["> 2"], ["a"]), (["> 9"], ["10"])]


@pytest.mark.parametrize(
    ("attributes", "at_2", "at_3", "at_0"),
    [
        ('hitPolicy="FIRST"', {"r": 1}, {"r": 1}, None),
        ('hitPolicy="RULE ORDER"', [{"r": 1}], [{"r": 1}, {"r": 3}], []),
        ('hitPolicy="COLLECT"', [{"r": 1}], [{"r": 1}, {"r": 3}], []),
        ('hitPolicy="COLLECT" aggregation="SUM"', {"r": 1}, {"r": 4}, {"r": 0}),
        ('hitPolicy="COLLECT" aggregation="MIN"', {"r": 1}, {"r": 1}, {"r": None}),
        ('hitPolicy="COLLECT" aggregation="MAX"', {"r": 1}, {"r": 3}, {"r": None}),
        ('hitPolicy="COLLECT" aggregation="COUNT"', {"r": 1}, {"r": 2}, {"r": 0}),
    ],
)
def test_hit_policies(attributes: str, at_2: Any, at_3: Any, at_0: Any) -> None:
    decided = table(OVERLAP, attributes=attributes)
    assert [decided.decide({"a": a}, NOW) for a in (2, 3, 0)] == [at_2, at_3, at_0]


def test_unique_names_the_rules_it_hit() -> None:
    with pytest.raises(SeveralRulesHit) as hit:
        table(OVERLAP).decide({"a": 3}, NOW)
    assert hit.value.rules == ("r1", "r2")
    assert table(OVERLAP).decide({"a": 0}, NOW) is None


def test_any_needs_equal_answers() -> None:
    rows: list[Row] = [(["> 1"], ["1"]), (["> 2"], ["1"]), (["> 3"], ["true"])]
    decided = table(rows, attributes='hitPolicy="ANY"')
    assert decided.decide({"a": 3}, NOW) == {"r": 1}
    with pytest.raises(SeveralRulesHit):
        decided.decide({"a": 4}, NOW)


def test_several_columns() -> None:
    decided = table([(["> 1", '"x"'], ["a + 1", "b.k"])], inputs="a b.k", outputs="level note")
    assert decided.decide({"a": 2, "b": {"k": "x"}}, NOW) == {"level": 3, "note": "x"}
    assert decided.names == {"a", "b"}


def test_default_answers_when_no_rule_is_hit() -> None:
    default = "<defaultOutputEntry><text>'社区'</text></defaultOutputEntry>"
    assert table([(["1"], [""])], default=default).decide({"a": 2}, NOW) == {"r": "社区"}
    assert table([(["1"], [""])], default=default).decide({"a": 1}, NOW) == {"r": None}


def test_value_outside_the_allowed_ones_fails() -> None:
    decided = table([(["-"], ["1"])], values='<inputValues><text>"x","y"</text></inputValues>')
    assert decided.decide({"a": "y"}, NOW) == {"r": 1}
    with pytest.raises(ExpressionFailed, match="允许的范围"):
        decided.decide({"a": "z"}, NOW)


def test_missing_input_is_named() -> None:
    with pytest.raises(MissingVariable, match="“a”还没有填写"):
        table([(["1"], ["1"])]).decide({}, NOW)


@pytest.mark.parametrize("space", VERSIONS)
def test_every_version_reads(space: str) -> None:
    assert table([(["1"], ["1"])], space=space).decide({"a": 1}, NOW) == {"r": 1}


@pytest.mark.parametrize(
    "extra",
    [
        {"attributes": 'hitPolicy="PRIORITY"'},
        {"attributes": 'hitPolicy="OUTPUT ORDER"'},
        {"attributes": 'hitPolicy="FIRST" aggregation="SUM"'},
        {"attributes": 'hitPolicy="COLLECT" aggregation="AVG"'},
        {"attributes": 'hitPolicy="COLLECT" aggregation="SUM"', "outputs": "r s"},
        {"after": '<decision id="other"/>'},
        {"after": "<businessKnowledgeModel/>"},
        {"before": "<import/>"},
        {"root": 'expressionLanguage="groovy"'},
        {"inputs": "a b"},
        {"inputs": "open('x')"},
        {"outputs": "r r"},
        {"default": "<outputValues><text>1</text></outputValues>"},
        {"values": "<inputValues><text>x</text></inputValues>"},
    ],
)
def test_what_is_not_carried_out_is_refused(extra: dict[str, str]) -> None:
    with pytest.raises(TableRejected) as rejected:
        table([(["1"], ["1"])], **extra)
    assert str(rejected.value).startswith("决策表不能使用：") and str(rejected.value).endswith("。")


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"<a",
        b"<definitions/>",
        b'<!DOCTYPE d [<!ENTITY e "x">]><definitions>&e;</definitions>',
        b'<!DOCTYPE d SYSTEM "file:///etc/passwd"><definitions/>',
        b'<definitions><decision id="d"><literalExpression/></decision></definitions>',
        b"<definitions>" + b" " * 1_000_001 + b"</definitions>",
        xml([(["1"], ["1"])] * 501),
        xml([(["1"], ["1"])]).replace(b"<text>1</text>", b"<text>1<b/>2</text>"),
        xml([(["1"], ["1"])]).replace(b"<inputEntry><text>1</text>", b"<inputEntry><expression/>"),
    ],
)
def test_unreadable_file_is_refused(file: bytes) -> None:
    with pytest.raises(TableRejected):
        read_table(file)


def test_all_cells_share_one_budget() -> None:
    heavy = "[" + ",".join(["l"] * 9) + "]"
    decided = table([(["-"], [heavy])] * 500, attributes='hitPolicy="COLLECT"')
    with pytest.raises(ExpressionFailed, match="过大"):
        decided.decide({"a": 1, "l": [0] * 1000}, NOW)


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-60, 60))
def test_intervals_agree_with_comparisons(low: int, high: int, value: int) -> None:
    if low <= high:
        assert passes(f"[{low}..{high}]", value) == (low <= value <= high) != passes(f"not([{low}..{high}])", value)
        assert passes(f"({low}..{high})", value) == (low < value < high)


@settings(max_examples=300, deadline=None)
@given(
    st.text(alphabet='0123456789.,-<>=[]()"notdate truefalsenull，“', max_size=30),
    st.sampled_from([1, "a", None, True]),
)
def test_any_cell_is_carried_out_or_refused(cell: str, value: Any) -> None:
    try:
        assert passes(cell, value) in (True, False)
    except (TableRejected, ExpressionFailed) as error:
        assert str(error).endswith("。")
