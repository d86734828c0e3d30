"""Escapes leave no effect and bombs stay within their steps: the corpus that attacks the expression language."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
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

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DATA: dict[str, Any] = {
    "a": 1,
    "s": "街道",
    "l": [1, 2, 3],
    "d": {"k": {"n": 2}, "items": 5},
    "none": None,
    "f": 1e308,
    "n": 10**18,
    "long": "x" * 9_999,
    "many": list(range(9_000)),
    "rows": [["x" * 90] * 90] * 90,
    "deep": {},
}
for _ in range(900):
    DATA["deep"] = {"deep": DATA["deep"]}


class Spy:
    """A live object that tells when anything of it is touched."""

    touched: list[str] = []  # noqa: RUF012

    def _touch(self, *_: object) -> Any:
        Spy.touched.append("touched")
        return 1

    __bool__ = __len__ = __call__ = __iter__ = __add__ = __radd__ = __lt__ = __gt__ = __getitem__ = _touch
    __eq__ = __hash__ = __str__ = __repr__ = __int__ = __float__ = __contains__ = __getattr__ = __deepcopy__ = _touch  # type: ignore[assignment]


# What Python could do if it were asked; none of it may even compile.
REFUSED = [
    *(
        "__import__('os').system('touch /tmp/proof')",
        "__builtins__",
        "__name__",
        "__file__",
        "_a",
        "__class__",
        "__debug__",
    ),
    *(
        "().__class__",
        "().__class__.__bases__[0].__subclasses__()",
        "''.__class__.__mro__",
        "a.__class__",
        "l.__len__",
        "d._k",
    ),
    *(
        "s.__class__.__base__",
        "d.k.__dict__",
        "d.__init__.__globals__",
        "now.__globals__",
        "min.__self__",
        "len.__call__(l)",
    ),
    *(
        "(1).__add__(1)",
        "(1).bit_length()",
        "1 .real()",
        "''.join(l)",
        "s.format(a)",
        "'{0.__class__}'.format(a)",
        "s.upper()",
    ),
    *(
        "s.encode()",
        "l.append(1)",
        "l.pop()",
        "l.sort()",
        "d.clear()",
        "d.update(d)",
        "d.items()",
        "d['items']()",
        "d.k()",
    ),
    *(
        "f'{a}'",
        "f'{a.__class__}'",
        "f'{a!r:>99999999}'",
        "b'x'",
        "1j",
        "...",
        "{1, 2}",
        "{*l}",
        "[*l]",
        "{**d}",
        "*l",
        "(*l,)",
    ),
    *(
        "lambda: 1",
        "(lambda: 1)()",
        "(lambda x: x)(a)",
        "[x for x in l]",
        "{x for x in l}",
        "{x: 1 for x in l}",
        "(x for x in l)",
    ),
    *(
        "sum(x for x in l)",
        "[y for y in l if y]",
        "(y := 1)",
        "[z := 2, z]",
        "await a",
        "yield",
        "(yield)",
        "(yield from l)",
    ),
    *("a ** 2", "9 ** 9 ** 9", "2 ** -1", "1 << 9", "1 >> 9", "a | 1", "a & 1", "a ^ 1", "~a", "+a", "l @ l"),
    *(
        "open('/etc/passwd')",
        "eval('1')",
        "exec('1')",
        "compile('1', '', 'eval')",
        "globals()",
        "locals()",
        "vars()",
        "dir()",
    ),
    *(
        "getattr(a, 'real')",
        "setattr(d, 'k', 1)",
        "delattr(d, 'k')",
        "hasattr(a, 'b')",
        "type(a)",
        "type('X', (), {})",
        "object()",
    ),
    *(
        "print(1)",
        "input()",
        "help()",
        "breakpoint()",
        "exit()",
        "quit()",
        "super()",
        "id(a)",
        "hash(a)",
        "repr(a)",
        "chr(97)",
    ),
    *(
        "ord('a')",
        "range(9)",
        "list(l)",
        "dict(d)",
        "set(l)",
        "tuple(l)",
        "map(len, l)",
        "filter(len, l)",
        "zip(l, l)",
        "iter(l)",
    ),
    *(
        "next(l)",
        "memoryview(l)",
        "bytes(9)",
        "bytearray(9)",
        "pow(2, 9)",
        "divmod(1, 1)",
        "format(a, '999')",
        "slice(1)",
    ),
    *(
        "os.system('id')()",
        "len(*l)",
        "len(obj=l)",
        "len(**d)",
        "sorted(l, key=len)",
        "max(l, default=a.b())",
        "min(l, key=eval)",
    ),
    *("len(l)(1)", "(len)(l)(1)", "[len][0](l)", "(len if a else eval)('1')", "(a or eval)('1')", "defined(eval('1'))"),
    *(
        "defined(a.b)",
        "defined('a.b')",
        "defined(a, a)",
        "defined()",
        "defined(true)",
        "defined('')",
        "now(1)",
        "now(tz=1)",
    ),
    *(
        "a; a",
        "a = 1",
        "a += 1",
        "a\nb",
        "import os",
        "from os import system",
        "del a",
        "assert a",
        "raise a",
        "pass",
        "return 1",
    ),
    *(
        "if a: b",
        "while 1: 1",
        "for x in l: x",
        "def f(): 1",
        "class X: 1",
        "with a: 1",
        "try: 1\nfinally: 1",
        "global a",
        "@a",
    ),
    *(
        "",
        " ",
        "#",
        "\x00",
        "a\x00b",
        "\ud800",
        "'\ud800'",
        "'\\ud800'",
        "'\\x00'",
        "a if",
        "a..b",
        "$a",
        "a?b",
        "`a`",
        "a!b",
    ),
    *(
        "＿a",
        "ｅｖａｌ('1')",
        "a.＿＿class＿＿",
        "\N{MATHEMATICAL BOLD SMALL E}val('1')",
        "a[1:2, 3:4].x()",
        "a[lambda: 1]",
    ),
]
# What compiles must not reach live objects, types or attributes when it runs.
POWERLESS = [
    *(
        "eval",
        "open",
        "len",
        "print",
        "os",
        "sys",
        "self",
        "Exception",
        "NotImplemented",
        "a.real",
        "s.upper",
        "l.append",
    ),
    *(
        "d.keys",
        "d.get",
        "d['__class__']",
        "s['__class__']",
        "l['append']",
        "none.x",
        "get(a, '__class__').x",
        "get(s, 'upper').x",
    ),
    *(
        "now().tzinfo",
        "now()['year']",
        "max.x",
        "d[len]",
        "defined(a).real",
        "d.k.n.real",
        "deep == l.deep",
        "s.format_map",
    ),
]
# Each must end within its steps, whatever it ends as.
BOMBS = [
    *(
        "'x' * 10",
        "[1] * 10",
        "10 * 'x'",
        "l * 9",
        "s * n",
        "n * n",
        "n * n * n * n",
        "-n - n",
        "9" * 30,
        "9" * 1999,
        "0x" + "f" * 1990,
    ),
    *(
        "1e999",
        "-1e999",
        "1e308 * 10",
        "f + f",
        "f // 1e-308",
        "f * f - f * f",
        "float('nan')",
        "float('inf')",
        "float('-Infinity')",
    ),
    *(
        "int('" + "9" * 1900 + "')",
        "int(long)",
        "float(long)",
        "int(f)",
        "int('9' * 5000)",
        "round(5, -1000000000)",
        "round(5, n)",
    ),
    *(
        "round(1.5, -n)",
        "round(n, 400)",
        "round(f, true)",
        "'%0999999999d' % a",
        "'%s' % long",
        "1 / 0",
        "1 // 0",
        "1 % 0",
        "1.0 % 0.0",
    ),
    *(
        "(" * 900 + "1" + ")" * 900,
        "-" * 1999 + "1",
        "not " * 400 + "a",
        "a" + "+1" * 990,
        "[" * 500 + "]" * 500,
        "[" * 39 + "]" * 39,
    ),
    *(
        "{'a':" * 39 + "1" + "}" * 39,
        "a" + ".b" * 900,
        "l" + "[0]" * 600,
        "abs(" * 300 + "1" + ")" * 300,
        "a if a else " * 160 + "a",
    ),
    *(
        "lambda: " * 240 + "1",
        "a and " * 330 + "a",
        "a < " * 400 + "a",
        "long + long",
        "(long + 'x') + 'y'",
        "many + many",
        "x" * 3000,
    ),
    *(
        "[" + "many," * 390 + "]",
        "[" + "long," * 390 + "]",
        "[" + "rows," * 300 + "]",
        "many == many",
        "[" + "many == many," * 150 + "]",
    ),
    *(
        "deep == deep",
        "deep in [deep, deep]",
        "deep",
        "[deep]",
        "rows == rows and " * 110 + "a",
        "many in [many, many, many]",
        "rows",
    ),
    *(
        "sum([" + "many," * 300 + "])",
        "sum([l, l])",
        "sum(['a', 'b'])",
        "sorted(rows)",
        "sorted([1, 'a'])",
        "max(rows)",
        "min([none])",
    ),
    *(
        "[" + "sorted(many)," * 150 + "]",
        "[" + "sum(many)," * 150 + "]",
        "[" + "len(str(long))," * 130 + "]",
        "str(rows)",
        "str(many)",
    ),
    *(
        "[" + "many[::-1]," * 180 + "]",
        "[" + "long[::-1]," * 180 + "]",
        "many[::n]",
        "l[::0]",
        "l[n:]",
        "l[f]",
        "long[1:n:1]",
        "l[9]",
    ),
    *(
        "[" + "long in long," * 150 + "]",
        "any(many)",
        "all([" + "many," * 300 + "])",
        "{'a': rows, 'b': rows, 'c': rows}",
        "{l: 1}",
    ),
    *(
        "add_duration(now(), 'P9999Y')",
        "add_duration(now(), 'PT999999999S')",
        "add_duration(long, long)",
        "add_duration(now(), long)",
    ),
    *(
        "add_duration('0001-01-01T00:00+14:00', 'PT0S')",
        "add_duration('9999-12-31T23:59-14:00', 'PT0S')",
        "add_duration(1, 2)",
    ),
    *(
        "s < 1",
        "none < 1",
        "d < d",
        "l < l",
        "s + 1",
        "-s",
        "1 in 1",
        "1 in s",
        "l in d",
        "{1: 2}",
        "{none: 1}",
        "abs(s)",
        "len(a)",
    ),
    *(
        "max()",
        "max([])",
        "min(1)",
        "len()",
        "len(l, l)",
        "int('x')",
        "int(l)",
        "int('1_000_')",
        "get(d)",
        "get(d, l)",
        "d[l]",
        "l[true]",
    ),
]


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


def test_the_corpus_is_large() -> None:
    assert len({*REFUSED, *POWERLESS}) >= 100
    assert len(set(BOMBS)) >= 40


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
