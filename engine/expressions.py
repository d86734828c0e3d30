"""The expression language of diagrams: Python's expression syntax over JSON data, pure and bounded.

An expression sees the instance's data and the command's instant, nothing else. A dot is a dictionary key, never an
attribute; there are no methods, lambdas, comprehensions, powers or patterns. Source, steps, nesting and the size of
every value are limited, so that no diagram can stop or escape the engine. Equality is JSON's: 1 is not true.
"""

from __future__ import annotations

import ast
import math
import operator
import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, NoReturn, TypeAlias

from engine.moments import parse_duration, parse_instant

MAX_SOURCE = 2_000
MAX_STEPS = 5_000
MAX_LENGTH = 10_000
MAX_INTEGER = 10**18
MAX_DEPTH = 40
MAX_DIGITS = 40
MAX_DECIMALS = 12
ITEMS_A_STEP = 10
PARTS_A_STEP = 4
LETTERS_A_STEP = 100
LETTERS_AN_ITEM = 16
LETTERS_A_LOOK = 1_000

JSON: TypeAlias = Any
CONSTANTS: dict[str, JSON] = {"true": True, "false": False, "null": None}


# ---- errors: a docstring is the sentence people read ---------------------------------------------------------------


class ExpressionError(Exception):
    """表达式有误：{reason}。"""

    def __init__(self, reason: str) -> None:
        self.reason = shown(reason)
        super().__init__((type(self).__doc__ or "{reason}").format(reason=self.reason))


class ExpressionRefused(ExpressionError):
    """表达式不符合规定：{reason}。"""


class ExpressionFailed(ExpressionError):
    """表达式无法计算：{reason}。"""


class MissingVariable(ExpressionFailed):
    """数据“{reason}”还没有填写。"""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = self.reason


class BudgetExceeded(ExpressionFailed):
    """表达式的计算量或结果过大：{reason}。"""


def shown(text: str, limit: int = 120) -> str:
    """Text that is safe to store and print inside a message."""
    clean = "".join(c if c.isprintable() else " " for c in text[:limit])
    return clean + ("…" if len(text) > limit else "")


# ---- what callers hold ---------------------------------------------------------------------------------------------


class Budget:
    """The steps that one evaluation, or several together, may spend; they count `within` a larger budget, too."""

    def __init__(self, steps: int = MAX_STEPS, within: Budget | None = None) -> None:
        self.left = steps
        self.within = within

    def spend(self, steps: int = 1) -> None:
        """Takes steps; raises `BudgetExceeded` when none are left."""
        self.left -= steps
        if self.left < 0:
            raise BudgetExceeded("步骤太多")
        if self.within:
            self.within.spend(steps)


@dataclass(frozen=True)
class Expression:
    """A checked expression."""

    source: str
    tree: ast.expr

    @cached_property
    def names(self) -> frozenset[str]:
        """The data it reads."""
        calls = [n for n in ast.walk(self.tree) if isinstance(n, ast.Call)]
        called = {id(call.func) for call in calls}
        asked = {_asked(call) for call in calls if _calls(call, "defined")}
        found = {n.id for n in ast.walk(self.tree) if isinstance(n, ast.Name) and id(n) not in called}
        return frozenset((found | asked) - CONSTANTS.keys())

    def evaluate(self, data: Mapping[str, JSON], now: datetime, budget: Budget | None = None) -> JSON:
        """Its value over `data` at the instant `now`, sharing nothing with `data`; raises `ExpressionFailed`."""
        run = _Run(data, now, budget or Budget())
        return run.copy(run.value(self.tree))


@dataclass(frozen=True)
class Script:
    """A checked list of assignments."""

    lines: tuple[tuple[str, Expression], ...]

    def run(self, data: Mapping[str, JSON], now: datetime, within: Budget | None = None) -> dict[str, JSON]:
        """The assigned names and values; `data` is left as it was."""
        seen, assigned, budget = dict(data), dict[str, JSON](), Budget(within=within)
        for name, expression in self.lines:
            assigned[name] = seen[name] = expression.evaluate(seen, now, budget)
        copied: dict[str, JSON] = _Run({}, now, Budget(within=within)).copy(assigned)
        return copied


@lru_cache(maxsize=256)
def compile_expression(source: str) -> Expression:
    """Checks an expression; raises `ExpressionRefused` with the reason."""
    tree = _parse(source.strip(), "eval")
    assert isinstance(tree, ast.Expression)
    _allow(tree.body)
    return Expression(source, tree.body)


@lru_cache(maxsize=64)
def compile_script(source: str) -> Script:
    """Checks a script of `name = expression` lines; raises `ExpressionRefused`."""
    tree = _parse(source.strip(), "exec")
    assert isinstance(tree, ast.Module)
    if not tree.body:
        raise ExpressionRefused("脚本中没有赋值")
    if any(after.lineno <= (before.end_lineno or 0) for before, after in pairwise(tree.body)):
        raise ExpressionRefused("脚本每一行只能写一个“名称 = 表达式”")
    return Script(tuple(_assignment(statement) for statement in tree.body))


# ---- checking ------------------------------------------------------------------------------------------------------


_parsing = threading.Lock()


def _parse(source: str, mode: str) -> ast.AST:
    if not source:
        raise ExpressionRefused("内容是空的")
    if len(source) > MAX_SOURCE:
        raise ExpressionRefused(f"内容超过 {MAX_SOURCE} 个字符")
    if brackets(source) > MAX_DEPTH:
        raise ExpressionRefused("括号嵌套过深")
    try:
        # What is valid must not depend on the process's warning filters; these are global, hence the lock.
        with _parsing, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source, filename="", mode=mode)  # Python looks for a wrong line in the file of that name
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionRefused(f"“{shown(source, 60)}”的写法有误") from error


def brackets(source: str) -> int:
    """How deep brackets are nested at the most; a parser that is not asked cannot be overwhelmed."""
    depth = deepest = 0
    for char in source:
        depth = max(depth + (char in "([{") - (char in ")]}"), 0)
        deepest = max(deepest, depth)
    return deepest


def _assignment(statement: ast.stmt) -> tuple[str, Expression]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=tree):
            _allow(tree)
            if name.startswith("_") or name in FUNCTIONS or name in SPECIAL or name in CONSTANTS:
                raise ExpressionRefused(f"“{name}”不能用作数据名称")
            return name, Expression(ast.unparse(tree), tree)
    raise ExpressionRefused("脚本每一行只能写“名称 = 表达式”，等号左边只能是一个名称")


def _allow(tree: ast.expr) -> None:
    if _depth(tree) > MAX_DEPTH:
        raise ExpressionRefused("嵌套过深")
    for node in ast.walk(tree):
        _allow_node(node)


def _depth(tree: ast.expr) -> int:
    level: list[ast.AST] = [tree]
    depth = 0
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [child for node in level for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    return depth


def _allow_node(node: ast.AST) -> None:
    match node:
        case ast.Constant(value=value):
            _allow_constant(value)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            if name.startswith("_"):
                raise ExpressionRefused(f"名称“{name}”不能以下划线开头")
        case ast.Call():
            _allow_call(node)
        case ast.Dict(keys=keys):
            if any(key is None for key in keys):
                raise ExpressionRefused("不允许展开字典")
        case ast.BinOp(op=op):
            if type(op) not in ARITHMETIC:
                raise ExpressionRefused("不允许乘方、位运算和矩阵运算")
        case _ if not isinstance(node, _PLAIN_NODES):
            raise ExpressionRefused(_WORDS.get(type(node), f"不允许 {type(node).__name__} 这种写法"))


def _allow_constant(value: object) -> None:
    try:
        _plain(value)
    except ExpressionFailed as error:
        raise ExpressionRefused(error.reason) from error


def _allow_call(call: ast.Call) -> None:
    if not isinstance(call.func, ast.Name):
        raise ExpressionRefused("不允许调用方法")
    name = call.func.id
    if name not in FUNCTIONS and name not in SPECIAL:
        raise ExpressionRefused(f"没有函数“{name}”")
    if call.keywords or any(isinstance(arg, ast.Starred) for arg in call.args):
        raise ExpressionRefused(f"函数“{name}”的参数只能依次填写")
    if name == "now" and call.args:
        raise ExpressionRefused("函数“now”没有参数")
    if name == "defined" and not _asked(call):
        raise ExpressionRefused("函数“defined”的括号里只能是一个名称")


def _calls(call: ast.Call, name: str) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == name


def _asked(call: ast.Call) -> str:
    """The name that `defined(name)` or `defined("name")` asks for."""
    match call.args:
        case [ast.Name(id=name)] if name not in CONSTANTS:
            return name
        case [ast.Constant(value=str(name))] if name.isidentifier():
            return name
    return ""


# ---- values --------------------------------------------------------------------------------------------------------


def _fail(reason: str) -> NoReturn:
    raise ExpressionFailed(reason)


def _plain(value: JSON) -> JSON:
    """The value itself if, seen from outside, it is JSON within bounds."""
    kind = type(value)
    if kind not in (type(None), bool, int, float, str, list, dict):
        _fail("只能使用文字、数字、真假、列表和字典")
    if kind is int and abs(value) > MAX_INTEGER:
        raise BudgetExceeded("数字过大")
    if kind is float and not math.isfinite(value):
        _fail("数字不是有限的数")
    if kind in (str, list, dict) and len(value) > MAX_LENGTH:
        raise BudgetExceeded(f"内容超过 {MAX_LENGTH} 项或 {MAX_LENGTH} 个字符")
    if kind is str and not _storable(value):
        _fail("文字含有无效字符")
    return value


def _storable(text: str) -> bool:
    """Neither UTF-8 nor JSONB takes lone surrogates; JSONB takes no NUL."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _walked(value: JSON) -> int:
    """What going once over a value's outermost items costs."""
    if type(value) is str:
        return len(value) // LETTERS_A_STEP
    return len(value) // ITEMS_A_STEP if type(value) in (list, dict) else 0


def _read(value: JSON) -> int:
    """What going once over a value and the texts in it costs."""
    texts = (item for item in value if type(item) is str) if type(value) is list else ()
    return _walked(value) + sum(map(len, texts)) // LETTERS_A_STEP


def _size(value: JSON) -> int:
    """Counts parts however they are shared; refuses what is too big, too deep or not JSON."""
    size, pending = 0, [(value, 0)]
    while pending:
        item, depth = pending.pop()
        _plain(item)
        size += 1 + (len(item) // LETTERS_AN_ITEM if type(item) is str else 0)
        if size > MAX_LENGTH or depth > MAX_DEPTH:
            raise BudgetExceeded("结果过大或嵌套过深")
        if parts := _parts(item):
            pending.extend((part, depth + 1) for part in parts)
    return size


def _parts(value: JSON) -> list[JSON]:
    if type(value) is dict:
        if not all(type(key) is str for key in value):
            _fail("字典的键必须是文字")
        return [*value, *value.values()]
    return value if type(value) is list else []


def _copied(value: JSON) -> JSON:
    """A copy that shares nothing; of values that `_size` has passed."""
    if type(value) is dict:
        return {key: _copied(part) for key, part in value.items()}
    return [_copied(part) for part in value] if type(value) is list else value


def _number(value: JSON) -> JSON:
    return value if type(value) in (int, float, bool) else _fail("只有数字可以做算术")


def _listed(value: JSON) -> list[JSON]:
    if type(value) is not list:
        _fail("这里需要一个列表")
    items: list[JSON] = value
    return items


def _ordered(items: list[JSON]) -> list[JSON]:
    """The items, when they have an order among themselves: all numbers or all texts."""
    if all(type(item) is str for item in items) or all(type(item) in (int, float, bool) for item in items):
        for item in items:
            _plain(item)
        return items
    return _fail("只有数字与数字、文字与文字之间可以比较大小")


# ---- functions -----------------------------------------------------------------------------------------------------


def _len(value: JSON) -> int:
    return len(value) if type(value) in (str, list, dict) else _fail("只有文字、列表和字典有长度")


def _extreme(pick: Callable[[list[JSON]], JSON]) -> Callable[..., JSON]:
    def choose(*values: JSON) -> JSON:
        items = _listed(values[0]) if len(values) == 1 else list(values)
        return pick(_ordered(items)) if items else _fail("空列表没有最大值和最小值")

    return choose


def _sum(items: JSON) -> JSON:
    return sum(_number(item) for item in _listed(items))


def _int(value: JSON) -> int:
    if type(value) is str and len(value) > MAX_DIGITS:
        raise BudgetExceeded("数字过长")
    return int(value) if type(value) is str else int(_number(value))


def _float(value: JSON) -> float:
    if type(value) is str and len(value) > MAX_DIGITS:
        raise BudgetExceeded("数字过长")
    return float(value) if type(value) is str else float(_number(value))


def _str(value: JSON) -> str:
    if type(value) in (list, dict):
        _fail("列表和字典不能转成文字")
    return {None: "null", True: "true", False: "false"}[value] if value is None or type(value) is bool else str(value)


def _round(value: JSON, places: JSON = None) -> JSON:
    # round(5, -10**9) computes 10**10**9: the places are limited before they reach Python.
    if places is not None and (type(places) is not int or not 0 <= places <= MAX_DECIMALS):
        _fail(f"保留的小数位数只能是 0 至 {MAX_DECIMALS}")
    return round(_number(value), places)


def _get(holder: JSON, key: JSON, default: JSON = None) -> JSON:
    if type(key) is not str:
        _fail("函数“get”的第二个参数必须是文字")
    return holder.get(key, default) if type(holder) is dict else default


def _add_duration(moment: JSON, span: JSON) -> str:
    if type(moment) is not str or type(span) is not str:
        _fail("时刻和时长必须是文字")
    try:
        duration, start = parse_duration(span), parse_instant(moment)
    except ValueError as error:
        raise ExpressionFailed(str(error).rstrip("。")) from error
    return duration.after(start).astimezone(UTC).isoformat()


FUNCTIONS: dict[str, Callable[..., JSON]] = {
    "len": _len,
    "min": _extreme(min),
    "max": _extreme(max),
    "sum": _sum,
    "abs": lambda value: abs(_number(value)),
    "int": _int,
    "float": _float,
    "str": _str,
    "bool": bool,
    "any": lambda items: any(bool(_plain(item)) for item in _listed(items)),
    "all": lambda items: all(bool(_plain(item)) for item in _listed(items)),
    "round": _round,
    "sorted": lambda items: sorted(_ordered(_listed(items))),
    "get": _get,
    "add_duration": _add_duration,
}
SPECIAL = frozenset({"now", "defined"})
ARITHMETIC: dict[type[ast.operator], Callable[[JSON, JSON], JSON]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
ORDER: dict[type[ast.cmpop], Callable[[JSON, JSON], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_SAME: tuple[type[ast.cmpop], ...] = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)
_PLAIN_NODES: tuple[type[ast.AST], ...] = (
    *(ast.List, ast.Tuple, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare, ast.IfExp),
    *(ast.Subscript, ast.Slice, ast.Load, ast.In, ast.NotIn),
    *(*_SAME, *ORDER, *ARITHMETIC),
)
_WORDS: dict[type[ast.AST], str] = {
    ast.Lambda: "不允许定义函数",
    ast.ListComp: "不允许推导式",
    ast.SetComp: "不允许推导式",
    ast.DictComp: "不允许推导式",
    ast.GeneratorExp: "不允许推导式",
    ast.JoinedStr: "不允许 f 开头的文字",
    ast.NamedExpr: "不允许在表达式里赋值",
    ast.Set: "不允许集合，请用方括号写列表",
    ast.Starred: "不允许用星号展开",
}


# ---- running -------------------------------------------------------------------------------------------------------


class _Run:
    """One evaluation."""

    def __init__(self, data: Mapping[str, JSON], now: datetime, budget: Budget) -> None:
        self.data = data
        self.now = now
        self.spend = budget.spend

    def value(self, node: ast.expr) -> JSON:
        self.spend()
        try:
            found = _plain(self.raw(node))
        except ExpressionError:
            raise
        except ZeroDivisionError as error:
            raise ExpressionFailed("除数为零") from error
        except IndexError as error:
            raise ExpressionFailed("列表中没有这一项") from error
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError) as error:
            raise ExpressionFailed("数据类型或取值不合") from error
        if type(found) is str:
            self.spend(len(found) // LETTERS_A_LOOK)
        if isinstance(node, ast.List | ast.Tuple | ast.Dict | ast.BinOp):
            self.measure(found)
        return found

    def measure(self, value: JSON) -> None:
        self.spend(_size(value) // PARTS_A_STEP)

    def copy(self, value: JSON) -> JSON:
        self.measure(value)
        return _copied(value)

    def raw(self, node: ast.expr) -> JSON:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.variable(name)
            case ast.Attribute(value=holder, attr=key):
                return self.part(node, self.value(holder), key)
            case ast.Subscript(value=holder, slice=ast.Slice() as cut):
                return self.slice(self.value(holder), cut)
            case ast.Subscript(value=holder, slice=key):
                return self.item(node, self.value(holder), self.value(key))
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self.value(item) for item in items]
            case ast.Dict(keys=keys, values=values):
                return {self.value(k): self.value(v) for k, v in zip(keys, values, strict=True) if k}
            case ast.IfExp(test=test, body=body, orelse=other):
                return self.value(body if self.value(test) else other)
            case ast.BoolOp(op=op, values=values):
                return self.either(values, stop_at=isinstance(op, ast.Or))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.value(operand)
            case ast.UnaryOp(operand=operand):
                return -_number(self.value(operand))
            case ast.BinOp(left=left, op=op, right=right):
                return self.arithmetic(type(op), self.value(left), self.value(right))
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self.compare(left, ops, others)
            case ast.Call(func=ast.Name(id=name)):
                return self.call(name, node)
        return _fail("有不允许的写法")

    def variable(self, name: str) -> JSON:
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in self.data:
            return self.data[name]
        raise MissingVariable(name)

    def part(self, node: ast.expr, holder: JSON, key: str) -> JSON:
        if type(holder) is dict and key in holder:
            return holder[key]
        if holder is None or type(holder) is dict:
            raise MissingVariable(ast.unparse(node))
        return _fail(f"“{ast.unparse(node)}”不存在，圆点前面不是字典")

    def item(self, node: ast.expr, holder: JSON, key: JSON) -> JSON:
        if type(holder) is dict and type(key) is str:
            return self.part(node, holder, key)
        if type(holder) in (list, str) and type(key) is int:
            return holder[key]
        return _fail("方括号里，字典要写文字，列表要写序号")

    def slice(self, holder: JSON, cut: ast.Slice) -> JSON:
        ends = [self.value(end) if end else None for end in (cut.lower, cut.upper, cut.step)]
        if type(holder) not in (list, str) or any(type(end) not in (int, type(None)) for end in ends):
            _fail("只有列表和文字可以截取，起止要写序号")
        self.spend(_walked(holder))
        return holder[slice(*ends)]

    def either(self, values: list[ast.expr], *, stop_at: bool) -> JSON:
        found: JSON = None
        for item in values:
            found = self.value(item)
            if bool(found) is stop_at:
                return found
        return found

    def arithmetic(self, op: type[ast.operator], left: JSON, right: JSON) -> JSON:
        if op is ast.Add and type(left) is type(right) and type(left) in (str, list):
            if len(left) + len(right) > MAX_LENGTH:
                raise BudgetExceeded("结果过长")
            self.spend(_walked(left) + _walked(right))
            return left + right
        return ARITHMETIC[op](_number(left), _number(right))

    def compare(self, first: ast.expr, ops: list[ast.cmpop], others: list[ast.expr]) -> bool:
        left = self.value(first)
        for op, other in zip(ops, others, strict=True):
            right = self.value(other)
            if not self.holds(op, left, right):
                return False
            left = right
        return True

    def holds(self, op: ast.cmpop, left: JSON, right: JSON) -> bool:
        self.spend(_walked(left) + _walked(right))
        if isinstance(op, _SAME):
            return self.same(left, right) is isinstance(op, ast.Eq | ast.Is)
        if isinstance(op, ast.In | ast.NotIn):
            return self.contains(right, left) is isinstance(op, ast.In)
        a, b = _ordered([left, right])
        return ORDER[type(op)](a, b)

    def contains(self, holder: JSON, item: JSON) -> bool:
        if type(holder) is list:
            return any(self.same(part, item) for part in holder)
        if type(holder) in (str, dict) and type(item) is str:
            return item in holder
        return _fail("“in”的右边要是列表、字典或文字")

    def same(self, left: JSON, right: JSON) -> bool:
        """JSON's equality, walked by us so that it is counted and calls nobody's `__eq__`."""
        kinds = {type(_plain(left)), type(_plain(right))}
        self.spend(_walked(left))
        if kinds == {list}:
            self.spend(len(left))
            return len(left) == len(right) and all(self.same(a, b) for a, b in zip(left, right, strict=True))
        if kinds == {dict}:
            self.spend(len(left))
            return left.keys() == right.keys() and all(self.same(left[key], right[key]) for key in left)
        return bool(left == right) if len(kinds) == 1 or kinds == {int, float} else False

    def call(self, name: str, node: ast.Call) -> JSON:
        if name == "now":
            return self.instant()
        if name == "defined":
            return _asked(node) in self.data
        values = [self.value(arg) for arg in node.args]
        if name not in ("len", "get"):
            self.spend(sum(_read(value) for value in values))
        return FUNCTIONS[name](*values)

    def instant(self) -> str:
        return self.now.astimezone(UTC).isoformat() if self.now.tzinfo else _fail("当前时刻没有写明时区")
