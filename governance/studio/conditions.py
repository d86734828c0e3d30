"""Conditions as a person would say them: comparisons of fields, by the names that the forms give them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from engine.expressions import CONSTANTS, ExpressionError, compile_expression
from engine.form_files import form_problems
from engine.packages import Package
from engine.wording import shown
from governance.forms.rules import Field, fields

COMPARED: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "“{}”是“{}”",
    ast.NotEq: "“{}”不是“{}”",
    ast.Lt: "“{}”小于“{}”",
    ast.LtE: "“{}”不超过“{}”",
    ast.Gt: "“{}”大于“{}”",
    ast.GtE: "“{}”不少于“{}”",
}


def usable_forms(package: Package) -> Mapping[str, Mapping[str, Any]]:
    """The forms of which there is no doubt what they mean."""
    return {key: form for key, form in package.forms.items() if not any(form_problems(form))}


class Conditions:
    """What the data of a process is called in its forms."""

    def __init__(self, package: Package) -> None:
        self._fields: dict[str, Field] = {}
        for form in usable_forms(package).values():
            self._fields.update({field.name: field for field in fields(form) if field.name not in self._fields})

    def told(self, expression: str) -> str:
        """The condition in words; one of another kind than comparisons stays as it is written."""
        try:
            return self._said(compile_expression(expression).tree)
        except (ExpressionError, ValueError):
            return f"“{shown(expression)}”成立"

    def title(self, name: str) -> str:
        """What a field is called."""
        return shown(self._fields[name].title if name in self._fields else name)

    def _said(self, node: ast.expr) -> str:
        match node:
            case ast.BoolOp(op, parts) if not any(isinstance(part, ast.BoolOp) for part in parts):
                first, *others = map(self._said, parts)
                return "，".join([first, *(f"并且{told}" if isinstance(op, ast.And) else f"或者{told}" for told in others)])
            case ast.Compare(left, [op], [right]):
                return self._compared(left, op, right)
            case ast.UnaryOp(ast.Not(), ast.Name(name)):
                return f"“{self.title(name)}”是“否”"
            case ast.UnaryOp(ast.Not(), ast.Call(ast.Name("defined"), [ast.Name(name)])):
                return f"“{self.title(name)}”还没有数据"
            case ast.Call(ast.Name("defined"), [ast.Name(name)]):
                return f"“{self.title(name)}”已有数据"
            case ast.Name(name) if name not in CONSTANTS:
                return f"“{self.title(name)}”是“是”"
        raise ValueError(node)

    def _compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> str:
        match left, op, right:
            case ast.Name(name), ast.In(), ast.List(values):
                return f"“{self.title(name)}”是“{'、'.join(self._values(name, values))}”之一"
            case ast.Name(name), ast.NotIn(), ast.List(values):
                return f"“{self.title(name)}”不是“{'、'.join(self._values(name, values))}”之一"
            case value, ast.In(), ast.Name(name):
                return f"“{self.title(name)}”包含“{self._value(name, value)}”"
            case value, ast.NotIn(), ast.Name(name):
                return f"“{self.title(name)}”不包含“{self._value(name, value)}”"
            case ast.Name(name), _, value if type(op) in COMPARED:
                return COMPARED[type(op)].format(self.title(name), self._value(name, value))
        raise ValueError(op)

    def _values(self, name: str, values: list[ast.expr]) -> Iterator[str]:
        return (self._value(name, value) for value in values)

    def _value(self, name: str, node: ast.expr) -> str:
        """A value as the field's options call it; another field by its name."""
        if isinstance(node, ast.Name):
            return shown(CONSTANTS[node.id]) if node.id in CONSTANTS else self.title(node.id)
        value = ast.literal_eval(node)
        choices = self._fields[name].choices if name in self._fields else ()
        return shown(next((choice.title for choice in choices if choice.value == str(value)), value))
