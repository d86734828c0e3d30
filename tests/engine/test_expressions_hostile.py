"""Escapes leave no effect and bombs stay within their steps: the corpus that attacks the expression language."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expressions import (
    MAX_INTEGER,
    MAX_LENGTH,
    MAX_STEPS,
    Budget,
    BudgetExceeded,
    ExpressionError,
    ExpressionFailed,
    ExpressionRefused,
    MissingVariable,
    compile_expression,
    compile_script,
)
from tests.engine.hostile import BOMBS, DATA, NOW, POWERLESS, REFUSED


class Spy:
    """A live object that tells when anything of it is touched."""

    touched: list[str] = []  # noqa: RUF012

    def _touch(self, *_: object) -> Any:
        Spy.touched.append("touched")
        return 1

    __bool__ = __len__ = __call__ = __iter__ = __add__ = __radd__ = __lt__ = __gt__ = __getitem__ = _touch
    __eq__ = __hash__ = __str__ = __repr__ = __int__ = __float__ = __contains__ = __getattr__ = __deepcopy__ = _touch  # type: ignore[assignment]


def attempt(source: str, data: dict[str, Any] = DATA) -> Any:
    """The value or the named error; never more steps than the budget, nor a value that JSON cannot hold."""
    budget = Budget()
    try:
        result = compile_expression(source).evaluate(data, NOW, budget)
    except ExpressionError as error:
        str(error).encode()
        assert str(error).endswith("。") and "\0" not in str(error)
        return error
    assert 0 <= budget.left < MAX_STEPS
    assert len(json.dumps(result, allow_nan=False, ensure_ascii=False).encode()) < 40 * MAX_LENGTH
    return result


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_escape_does_not_compile(number: int) -> None:
    with pytest.raises(ExpressionRefused):
        compile_expression(REFUSED[number])


@pytest.mark.parametrize("source", POWERLESS)
def test_escape_reaches_nothing(source: str) -> None:
    assert isinstance(attempt(source), ExpressionFailed)


@pytest.mark.parametrize("number", range(len(BOMBS)))
def test_bomb_is_bounded(number: int) -> None:
    attempt(BOMBS[number])


@pytest.mark.parametrize(
    "source",
    [
        *(
            "x",
            "x.a",
            "x[0]",
            "x == x",
            "x in [x]",
            "[x]",
            "{'k': x}",
            "x + 1",
            "not x",
            "x and 1",
            "1 if x else 2",
            "len(x)",
            "str(x)",
        ),
        *(
            "h",
            "h == h",
            "h in [h]",
            "[h]",
            "any(h)",
            "all(h)",
            "sum(h)",
            "min(h)",
            "sorted(h)",
            "h[0]",
            "h + h",
            "1 in h",
            "get(k, 'x')",
        ),
        *(
            "k",
            "k.x",
            "k == k",
            "int(x)",
            "float(x)",
            "bool(x)",
            "round(x)",
            "abs(x)",
            "x < 1",
            "max(x, x)",
            "add_duration(x, x)",
        ),
    ],
)
def test_live_object_in_the_data_is_not_touched(source: str) -> None:
    Spy.touched.clear()
    data = {"x": Spy(), "h": [Spy(), Spy()], "k": {"x": Spy()}}
    assert isinstance(attempt(source, data), ExpressionFailed)
    assert Spy.touched == []


NOT_JSON = [(1,), {1}, b"x", 1j, NOW, float("nan"), float("inf"), 10**19, "\ud800", "\0", {1: 2}, {"\ud800": 1}]


@pytest.mark.parametrize("value", NOT_JSON)
def test_what_json_cannot_hold_is_not_returned(value: Any) -> None:
    for data in ({"x": value}, {"x": [value]}, {"x": {"k": value}}):
        assert isinstance(attempt("x", data), ExpressionFailed)


def test_shared_structure_does_not_grow_without_bound() -> None:
    with pytest.raises(BudgetExceeded):
        compile_script("a = [1, 1, 1, 1]\n" + "a = [a, a, a, a]\n" * 30).run({}, NOW)


def test_lines_of_a_script_share_one_budget() -> None:
    with pytest.raises(BudgetExceeded):
        compile_script("\n".join(f"b{n} = many" for n in range(150))).run(DATA, NOW)


@pytest.mark.parametrize("call", ["sorted(m)", "max(m)", "m == m", "'x' in m"])
def test_long_texts_in_lists_cost_steps(call: str) -> None:
    assert isinstance(attempt(call, {"m": ["中" * 9_999] * 100}), BudgetExceeded)


@pytest.mark.parametrize("name", ["a\nb", "\ud800", "x" * 9_000, "\0"])
def test_messages_can_be_stored(name: str) -> None:
    missing = attempt("d[x]", {"d": {}, "x": name})
    assert isinstance(missing, ExpressionFailed)
    assert len(str(missing)) < 300
    assert MissingVariable(name).name.encode().count(b"\0") == 0


ATOMS = [*("a", "s", "l", "d", "none", "f", "n", "d.k", "1", "0", "-1", "1.5", "'x'", "true", "null", "[]", "now()")]
SIGNS = [*("+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", "in", "is", "and", "or")]
ONE = [*("len", "min", "max", "sum", "abs", "int", "float", "str", "bool", "any", "all", "round", "sorted")]
TWO = [*("get", "min", "max", "round", "add_duration", "int", "str")]
NODES = st.recursive(
    st.sampled_from([*ATOMS, "zz"]),
    lambda parts: st.one_of(
        st.tuples(parts, st.sampled_from(SIGNS), parts).map("({0[0]} {0[1]} {0[2]})".format),
        st.tuples(st.sampled_from(ONE), parts).map("{0[0]}({0[1]})".format),
        st.tuples(st.sampled_from(TWO), parts, parts).map("{0[0]}({0[1]}, {0[2]})".format),
        st.tuples(parts, parts).map("{0[0]}[{0[1]}]".format),
        st.tuples(parts, parts).map("{0[0]}[{0[1]}:]".format),
        st.tuples(parts, parts).map("[{0[0]}, {0[1]}]".format),
        st.tuples(parts, parts).map("{{{0[0]}: {0[1]}}}".format),
        parts.map("(not {})".format),
        parts.map("(-{})".format),
    ),
    max_leaves=12,
)


@settings(max_examples=500, deadline=None)
@given(NODES)
def test_any_expression_gives_a_value_or_a_named_error(source: str) -> None:
    data = {key: DATA[key] for key in ("a", "s", "l", "d", "none", "f", "n")}
    before = copy.deepcopy(data)
    result = attempt(source, data)
    assert data == before
    if type(result) is int:
        assert abs(result) <= MAX_INTEGER


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_a_value_or_a_named_error(source: str) -> None:
    attempt(source)
