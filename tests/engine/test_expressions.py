"""The expression language computes what it says; `test_expressions_hostile` attacks it."""

from __future__ import annotations

import copy
import warnings
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.expressions import ExpressionFailed, ExpressionRefused, MissingVariable, compile_expression, compile_script

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DATA: dict[str, Any] = {"a": 1, "s": "街道", "l": [1, 2, 3], "d": {"k": {"n": 2}, "items": 5}, "none": None, "t": True}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.sampled_from("abc"), parts, max_size=3),
    max_leaves=20,
)


def value(source: str, data: dict[str, Any] | None = None) -> Any:
    return compile_expression(source).evaluate(DATA if data is None else data, NOW)


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("a + 1 == 2", True),
        ("s == '街道' and not none", True),
        ("d.k.n * 2", 4),
        ("d['items'] + d.items", 10),
        ("l[1:] + [l[-1]]", [2, 3, 3]),
        ("s[0] + s[::-1]", "街道街"),
        ("2 in l and 9 not in l and 'k' in d and '街' in s", True),
        ("1 < a + 1 < 3", True),
        ("'大' if t else '小'", "大"),
        ("none or 'x'", "x"),
        ("len(l) + max(l) + sum(l) + min(4, 2) + len(s) + len(d)", 18),
        ("sorted([3, 1, 2]) == l and sorted(['b', 'a']) == ['a', 'b']", True),
        ("defined(a) and not defined(zz) and defined('a')", True),
        ("get(d, 'none', 7)", 7),
        ("get(none, 'k')", None),
        ("true and not false and null is null", True),
        ("True is not none", True),
        ("[1 == true, 0 == false, 1 == 1.0, [1] == [true], {'x': 1} == {'x': 1.0}]", [False, False, True, False, True]),
        (
            "[str(1), str(1.5), str(true), str(null), int('12'), float('1.5'), int(2.9), bool(l)]",
            ["1", "1.5", "true", "null", 12, 1.5, 2, True],
        ),
        ("[round(2.567, 2), round(2.4), abs(-a), any([none, 1]), all(l)]", [2.57, 2, 1, True, True]),
        ("add_duration('2026-03-02T09:00+08:00', 'P1D')", "2026-03-03T01:00:00+00:00"),
        ("add_duration(now(), 'P1M') > now()", True),
        ("now()", "2026-03-02T01:00:00+00:00"),
        ("{'x': [1, 2], 'y': (1, 2)}", {"x": [1, 2], "y": [1, 2]}),
        ("7 // 2 % 2 + 6 / 4 - -a", 3.5 - 1 + 1 - 0.0),
    ],
)
def test_computes(source: str, result: Any) -> None:
    found = value(source)
    assert found == result
    assert type(found) is type(result)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("1 / 0", "表达式无法计算：除数为零。"),
        ("l[9]", "表达式无法计算：列表中没有这一项。"),
        ("s < 1", "表达式无法计算：只有数字与数字、文字与文字之间可以比较大小。"),
        ("s + 1", "表达式无法计算：只有数字可以做算术。"),
        ("zz > 1", "数据“zz”还没有填写。"),
        ("d.k.level", "数据“d.k.level”还没有填写。"),
        ("d['level']", "数据“d['level']”还没有填写。"),
        ("none.level", "数据“none.level”还没有填写。"),
        ("a.level", "表达式无法计算：“a.level”不存在，圆点前面不是字典。"),
        ("add_duration(now(), '1天')", "表达式无法计算：“1天”不是 ISO 8601 时长（例如 P7D、PT2H）。"),
        ("10 ** 18 if a else 1", "表达式不符合规定：不允许乘方、位运算和矩阵运算。"),
        ("10 * 1000000000000000000", "表达式的计算量或结果过大：数字过大。"),
        ("s.upper()", "表达式不符合规定：不允许调用方法。"),
        ("open('x')", "表达式不符合规定：没有函数“open”。"),
        ("a >", "表达式不符合规定：“a >”的写法有误。"),
    ],
)
def test_errors_are_sentences(source: str, sentence: str) -> None:
    with pytest.raises((ExpressionFailed, ExpressionRefused)) as error:
        value(source)
    assert str(error.value) == sentence


def test_missing_variable_is_named() -> None:
    with pytest.raises(MissingVariable) as missing:
        value("level > 1")
    assert missing.value.name == "level"


def test_constants_cannot_be_overridden_by_data() -> None:
    assert value("[true, false, null]", {"true": False, "false": True, "null": 1}) == [True, False, None]


def test_now_is_the_instant_in_utc() -> None:
    beijing = datetime(2026, 3, 2, 9, 0, tzinfo=timezone(timedelta(hours=8)))
    assert compile_expression("now()").evaluate({}, beijing) == "2026-03-02T01:00:00+00:00"
    with pytest.raises(ExpressionFailed):
        compile_expression("now()").evaluate({}, datetime(2026, 3, 2))


@pytest.mark.parametrize("source", ["'\\d' == '\\d'", "1if a else 2"])
def test_what_is_valid_does_not_depend_on_warning_filters(source: str) -> None:
    for action in ("error", "ignore"):
        with warnings.catch_warnings():
            warnings.simplefilter(action)  # type: ignore[arg-type]
            compile_expression.cache_clear()
            assert value(source) in (True, 1)


def test_script_assigns_and_leaves_its_input_alone() -> None:
    before = copy.deepcopy(DATA)
    assert compile_script("b = a + 1\n\n# note\nc = (b *\n 2)\na = c").run(DATA, NOW) == {"b": 2, "c": 4, "a": 4}
    assert before == DATA


def test_script_shares_nothing_with_its_input() -> None:
    data: dict[str, Any] = {"l": [[1]]}
    result = compile_script("x = l\ny = x").run(data, NOW)
    result["x"][0].append(2)
    assert (data, result["y"]) == ({"l": [[1]]}, [[1]])


@pytest.mark.parametrize(
    "source",
    [
        *(
            "a.b = 1",
            "a[0] = 1",
            "a, b = 1, 2",
            "_a = 1",
            "len = 1",
            "true = 1",
            "now = 1",
            "import os",
            "a += 1",
            "if a: b = 1",
        ),
        *(
            "print(1)",
            "a: int = 1",
            "a = b = 1",
            "a = 1; b = 2",
            "a = (1,\n2); b = 2",
            "(a) = lambda: 1",
            "del a",
            "",
            "# note",
            "1",
        ),
        *(
            "*a, = l",
            "[a] = l",
            "def f(): pass",
            "a = (b := 1)",
            "async def f(): pass",
            "global a",
            "a = 1\n b = 2",
            "＿a = 1",
        ),
    ],
)
def test_script_is_assignments_only(source: str) -> None:
    with pytest.raises(ExpressionRefused):
        compile_script(source)


def test_names_are_known_before_running() -> None:
    assert compile_expression("len(l) > a and true and d.k[b] and defined('z') and defined(y)").names == {*"ladbzy"}


def test_expressions_are_compiled_once() -> None:
    assert compile_expression("a + 1") is compile_expression("a + 1")


@given(JSON)
def test_json_comes_back_equal_and_unshared(data: Any) -> None:
    back = value("x", {"x": data})
    assert back == data and repr(back) == repr(data)
    assert back is not data or not isinstance(data, list | dict)
    assert value("x == y and x in [y] and not x != y", {"x": data, "y": back}) is True


@given(st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_arithmetic_is_pythons(a: int, b: int) -> None:
    assert value("[a + b, a - b, a * b, a < b, a >= b]", {"a": a, "b": b}) == [a + b, a - b, a * b, a < b, a >= b]
    if b:
        assert value("[a // b, a % b, a / b]", {"a": a, "b": b}) == [a // b, a % b, a / b]
