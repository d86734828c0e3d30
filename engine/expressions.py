"""The expression language of diagrams: Python's expression syntax over JSON data, pure and bounded.

An expression sees the instance's data and the command's instant, nothing else. A dot is a dictionary key, never an
attribute; there are no methods, lambdas, comprehensions, powers or patterns. Source, steps, nesting and the size of
every value are limited, so that no diagram can stop or escape the engine.
"""

from __future__ import annotations

import ast
import copy
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

from engine.moments import parse_duration, parse_instant

MAX_SOURCE = 2_000
MAX_STEPS = 5_000
MAX_LENGTH = 10_000
MAX_INTEGER = 10**18
MAX_NESTING = 40
MAX_DIGITS = 19
CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}


class ExpressionError(Exception):
    """表达式有误。"""


class ExpressionRefused(ExpressionError):
    """表达式不符合语法规定。"""


class ExpressionFailed(ExpressionError):
    """表达式无法计算。"""


class MissingVariable(ExpressionFailed):
    """表达式用到的数据还没有填写。"""

    def __init__(self, name: str) -> None:
        super().__init__(f"数据“{name}”还没有填写。")
        self.name = name


class BudgetExceeded(ExpressionFailed):
    """表达式的计算量或结果过大。"""


@dataclass(frozen=True)
class Expression:
    """A checked expression."""

    source: str
    tree: ast.expr

    @cached_property
    def names(self) -> frozenset[str]:
        """The data it reads."""
        called = {id(n.func) for n in ast.walk(self.tree) if isinstance(n, ast.Call)}
        found = {n.id for n in ast.walk(self.tree) if isinstance(n, ast.Name) and id(n) not in called}
        return frozenset(found - CONSTANTS.keys())

    def evaluate(self, data: Mapping[str, Any], now: datetime) -> Any:
        """Its value over `data` at the instant `now`; raises `ExpressionFailed`."""
        return copy.deepcopy(_Run(data, now).value(self.tree))


@dataclass(frozen=True)
class Script:
    """A checked list of assignments."""

    lines: tuple[tuple[str, Expression], ...]

    def run(self, data: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """The assigned names and values; `data` is left as it was."""
        seen, assigned = dict(data), dict[str, Any]()
        for name, expression in self.lines:
            assigned[name] = seen[name] = expression.evaluate(seen, now)
        _measure(assigned)
        return assigned


@lru_cache(maxsize=4096)
def compile_expression(source: str) -> Expression:
    """Checks an expression; raises `ExpressionRefused` with the reason."""
    tree = _parse(source.strip(), "eval")
    assert isinstance(tree, ast.Expression)
    _allow(tree.body)
    return Expression(source, tree.body)


@lru_cache(maxsize=1024)
def compile_script(source: str) -> Script:
    """Checks a script of `name = expression` lines; raises `ExpressionRefused`."""
    tree = _parse(source.strip(), "exec")
    assert isinstance(tree, ast.Module)
    lines = []
    for statement in tree.body:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            raise ExpressionRefused("脚本每一行只能写“名称 = 表达式”。")
        target = statement.targets[0]
        if not isinstance(target, ast.Name) or target.id.startswith("_") or target.id in FUNCTIONS or target.id in CONSTANTS:
            raise ExpressionRefused("脚本等号左边只能是一个普通名称。")
        _allow(statement.value)
        lines.append((target.id, Expression(ast.unparse(statement.value), statement.value)))
    return Script(tuple(lines))


def _parse(source: str, mode: str) -> ast.AST:
    if not source:
        raise ExpressionRefused("表达式是空的。")
    if len(source) > MAX_SOURCE:
        raise ExpressionRefused(f"表达式超过 {MAX_SOURCE} 个字符。")
    if _brackets(source) > MAX_NESTING:
        raise ExpressionRefused("表达式嵌套过深。")
    try:
        return ast.parse(source, mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionRefused(f"“{source[:60]}”不是有效的表达式。") from error


def _brackets(source: str) -> int:
    depth = deepest = 0
    for char in source:
        depth += (char in "([{") - (char in ")]}")
        deepest = max(deepest, depth)
    return deepest


ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: lambda a, b: type(a) is type(b) and a == b,
    ast.IsNot: lambda a, b: type(a) is not type(b) or a != b,
}


def _add_duration(moment: str, span: str) -> str:
    return parse_duration(span).after(parse_instant(moment)).astimezone(UTC).isoformat()


def _get(holder: Any, key: Any, default: Any = None) -> Any:
    return holder.get(key, default) if isinstance(holder, dict) else default


def _range_safe_int(value: Any) -> int:
    if isinstance(value, str) and len(value) > MAX_DIGITS:
        raise BudgetExceeded("数字过长。")
    return int(value)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "len": len,
    "min": min,
    "max": max,
    "sum": sum,
    "abs": abs,
    "int": _range_safe_int,
    "float": float,
    "str": str,
    "bool": bool,
    "any": any,
    "all": all,
    "round": round,
    "sorted": sorted,
    "get": _get,
    "add_duration": _add_duration,
}
SPECIAL = frozenset({"now", "defined"})


def _allow(tree: ast.expr) -> None:
    """Refuses every form that is not on the list."""
    for node in ast.walk(tree):
        _allow_node(node)
    if _depth(tree) > MAX_NESTING:
        raise ExpressionRefused("表达式嵌套过深。")


_PLAIN_NODES = (
    ast.List,
    ast.Tuple,
    ast.BoolOp,
    ast.And,
    ast.Or,
    ast.Not,
    ast.USub,
    ast.Compare,
    ast.IfExp,
    ast.Subscript,
    ast.Slice,
    ast.Load,
    *COMPARISONS,
    *ARITHMETIC,
)


def _allow_node(node: ast.AST) -> None:
    match node:
        case ast.Constant(value=value):
            _plain(value, ExpressionRefused)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            if name.startswith("_"):
                raise ExpressionRefused(f"名称“{name}”不能以下划线开头。")
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in FUNCTIONS or name in SPECIAL:
            if name == "defined" and not (len(node.args) == 1 and isinstance(node.args[0], ast.Name)):
                raise ExpressionRefused("defined( ) 的括号里只能是一个名称。")
        case ast.Call(func=ast.Name(id=name)):
            raise ExpressionRefused(f"没有函数“{name}”。")
        case ast.Dict(keys=keys):
            if any(key is None for key in keys):
                raise ExpressionRefused("表达式中不允许展开字典。")
        case ast.BinOp(op=op) if type(op) not in ARITHMETIC:
            raise ExpressionRefused("表达式中不允许乘方和位运算。")
        case ast.UnaryOp(op=ast.Not() | ast.USub()) | ast.BinOp():
            return
        case _ if isinstance(node, _PLAIN_NODES):
            return
        case _:
            raise ExpressionRefused(f"表达式中不允许 {type(node).__name__} 这种写法。")


def _depth(tree: ast.AST) -> int:
    level, depth = [tree], 0
    while level and depth <= MAX_NESTING:
        depth += 1
        level = [child for node in level for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    return depth


def _plain(value: Any, error: type[ExpressionError] = ExpressionFailed) -> Any:
    """A JSON value within bounds."""
    if type(value) not in (type(None), bool, int, float, str, list, tuple, dict):
        raise error("表达式只能使用文字、数字、真假、列表和字典。")
    if type(value) is int and abs(value) > MAX_INTEGER:
        raise BudgetExceeded("数字过大。") if error is ExpressionFailed else error("数字过大。")
    if type(value) is float and not math.isfinite(value):
        raise error("数字不是有限的数。")
    if isinstance(value, str):
        if len(value) > MAX_LENGTH:
            raise BudgetExceeded("文字过长。")
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise error("文字含有无效字符。")
    return list(value) if isinstance(value, tuple) else value


def _measure(value: Any) -> None:
    """Refuses values that are too big or too deep, however they share their parts."""
    left, pending = MAX_LENGTH, [(value, 0)]
    while pending:
        item, depth = pending.pop()
        left -= 1
        if left < 0 or depth > MAX_NESTING:
            raise BudgetExceeded("结果过大。")
        if isinstance(item, dict):
            if not all(isinstance(key, str) for key in item):
                raise ExpressionFailed("字典的键必须是文字。")
            pending.extend((part, depth + 1) for part in item.values())
        elif isinstance(item, list):
            pending.extend((part, depth + 1) for part in item)
        else:
            _plain(item)
            if isinstance(item, str):
                left -= len(item) // 16


class _Run:
    """One evaluation with its budget."""

    def __init__(self, data: Mapping[str, Any], now: datetime) -> None:
        self.data = data
        self.now = now
        self.left = MAX_STEPS

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise BudgetExceeded("表达式的计算量过大。")

    def value(self, node: ast.expr) -> Any:
        self.spend()
        try:
            found = self.raw(node)
        except ExpressionError:
            raise
        except ZeroDivisionError as error:
            raise ExpressionFailed("除数为零。") from error
        except (KeyError, IndexError) as error:
            raise ExpressionFailed("要取的项不存在。") from error
        except (TypeError, ValueError, OverflowError, AttributeError, RecursionError) as error:
            raise ExpressionFailed("数据类型不合，无法计算。") from error
        found = _plain(found)
        if isinstance(found, list | dict) and not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            _measure(found)
        return found

    def raw(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.variable(name)
            case ast.Attribute(value=holder, attr=key):
                return self.part(self.value(holder), key)
            case ast.Subscript(value=holder, slice=ast.Slice(lower=lower, upper=upper, step=step)):
                return self.value(holder)[slice(*(self.value(n) if n else None for n in (lower, upper, step)))]
            case ast.Subscript(value=holder, slice=key):
                return self.value(holder)[self.value(key)]
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
                return -self.number(self.value(operand))
            case ast.BinOp(left=left, op=op, right=right):
                return self.arithmetic(type(op), self.value(left), self.value(right))
            case ast.Compare():
                return self.compare(node)
            case ast.Call(func=ast.Name(id=name), args=args):
                return self.call(name, args)
        raise ExpressionRefused("表达式中有不允许的写法。")

    def variable(self, name: str) -> Any:
        if name in self.data:
            return self.data[name]
        if name in CONSTANTS:
            return CONSTANTS[name]
        raise MissingVariable(name)

    def part(self, holder: Any, key: str) -> Any:
        if not isinstance(holder, dict) or key not in holder:
            raise MissingVariable(key)
        return holder[key]

    def either(self, values: list[ast.expr], *, stop_at: bool) -> Any:
        found: Any = None
        for item in values:
            found = self.value(item)
            if bool(found) is stop_at:
                return found
        return found

    def number(self, value: Any) -> Any:
        if type(value) not in (int, float, bool):
            raise ExpressionFailed("只有数字可以做算术。")
        return value

    def arithmetic(self, op: type[ast.operator], left: Any, right: Any) -> Any:
        if op is ast.Add and type(left) is type(right) and isinstance(left, str | list):
            if len(left) + len(right) > MAX_LENGTH:
                raise BudgetExceeded("结果过大。")
            self.spend((len(left) + len(right)) // 100)
            return left + right
        return ARITHMETIC[op](self.number(left), self.number(right))

    def compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for op, item in zip(node.ops, node.comparators, strict=True):
            right = self.value(item)
            self.spend(_weight(left) + _weight(right))
            if not COMPARISONS[type(op)](left, right):
                return False
            left = right
        return True

    def call(self, name: str, args: list[ast.expr]) -> Any:
        if name == "now" and not args:
            return self.now.isoformat()
        if name == "defined":
            return isinstance(args[0], ast.Name) and args[0].id in self.data
        values = [self.value(arg) for arg in args]
        self.spend(sum(_weight(value) for value in values))
        return FUNCTIONS[name](*values)


def _weight(value: Any) -> int:
    """What walking over a value costs."""
    if isinstance(value, str):
        return len(value) // 100
    return len(value) if isinstance(value, list | dict) else 0
