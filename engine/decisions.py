"""Decision tables: reads DMN (1.1 to 1.5) and decides.

Input expressions and output cells are our expression language; input cells are S-FEEL unary tests over literals.
Whatever a table says that this file would not carry out is refused when the table is read. Dates are ISO texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import NoReturn, TypeAlias

from lxml import etree

from engine.diagram import parse_safely
from engine.errors import EngineError, Unreadable
from engine.expressions import (
    CONSTANTS,
    JSON,
    MAX_INTEGER,
    MAX_LENGTH,
    MAX_SOURCE,
    ORDER,
    Budget,
    BudgetExceeded,
    Expression,
    ExpressionError,
    ExpressionFailed,
    compile_expression,
    shown,
)

MAX_RULES = 500
MAX_COLUMNS = 30
MAX_STEPS = 12_000
MAX_BYTES = 250_000


class TableRejected(EngineError):
    """决策表不能使用：{where}{reason}。"""

    def __init__(self, reason: str, rule: str = "", cell: str = "") -> None:
        where = f"规则“{rule}”的{cell}：" if rule else f"{cell}：" if cell else ""
        super().__init__((type(self).__doc__ or "{where}{reason}").format(where=where, reason=reason))
        self.reason = reason
        self.rule = rule
        self.cell = cell


class SeveralRulesHit(ExpressionFailed):
    """决策表只允许命中一条规则，却同时命中了：{reason}。"""

    def __init__(self, rules: tuple[str, ...]) -> None:
        super().__init__("、".join(rules))
        self.rules = rules


# ---- what callers hold ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class UnaryTest:
    """One alternative of an input cell: every bound must hold."""

    bounds: tuple[tuple[str, JSON], ...]


@dataclass(frozen=True)
class Cell:
    """An input cell: any of its tests; `otherwise` turns it round; no tests means any value."""

    tests: tuple[UnaryTest, ...] = ()
    otherwise: bool = False

    def holds(self, value: JSON) -> bool:
        """Whether the value passes; raises `ExpressionFailed` when it cannot be compared."""
        return not self.tests or any(_passes(test, value) for test in self.tests) is not self.otherwise


@dataclass(frozen=True)
class Input:
    """An input column; `allowed` are the values it may have."""

    label: str
    expression: Expression
    allowed: Cell


@dataclass(frozen=True)
class Output:
    """An output column; `default` answers when no rule is hit."""

    name: str
    default: Expression | None


@dataclass(frozen=True)
class Rule:
    """A row; an empty output cell is None."""

    id: str
    inputs: tuple[Cell, ...]
    outputs: tuple[Expression | None, ...]


@dataclass(frozen=True)
class DecisionTable:
    """A checked decision table."""

    id: str
    name: str
    policy: str
    aggregation: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]

    def decide(self, data: Mapping[str, JSON], now: datetime, within: Budget | None = None) -> JSON:
        """What the table says of `data`: a dict, a list of them, or None; raises `ExpressionFailed`."""
        return _Decision(self, data, now, Budget(MAX_STEPS, within)).result()

    def hits(self, data: Mapping[str, JSON], now: datetime) -> tuple[int, ...]:
        """The rules that `data` hits, by their number from 1; raises `ExpressionFailed`."""
        found = {rule.id for rule in _Decision(self, data, now, Budget(MAX_STEPS)).hits()}
        return tuple(number for number, rule in enumerate(self.rules, 1) if rule.id in found)

    @property
    def names(self) -> frozenset[str]:
        """The data it reads."""
        cells = [cell for rule in self.rules for cell in rule.outputs] + [output.default for output in self.outputs]
        sources = [column.expression for column in self.inputs] + [cell for cell in cells if cell]
        return frozenset[str]().union(*(source.names for source in sources))


def read_table(xml: bytes) -> DecisionTable:
    """Reads and checks a DMN file with one decision table; raises `TableRejected`."""
    try:
        root = parse_safely(xml, MAX_BYTES)
    except Unreadable as error:
        raise TableRejected(str(error).rstrip("。")) from error
    return _Reader(root).table()


# ---- deciding ------------------------------------------------------------------------------------------------------


class _Decision:
    """One question put to a table, with one budget for all its cells."""

    def __init__(self, table: DecisionTable, data: Mapping[str, JSON], now: datetime, budget: Budget) -> None:
        self.table = table
        self.data = data
        self.now = now
        self.budget = budget
        self.left = MAX_LENGTH

    def result(self) -> JSON:
        hits = self.hits()
        match self.table.policy:
            case "COLLECT" if self.table.aggregation:
                return self.aggregate([self.answer(rule) for rule in hits])
            case "COLLECT" | "RULE ORDER":
                return [self.answer(rule) for rule in hits]
        return self.single(hits) if hits else self.default()

    def hits(self) -> list[Rule]:
        values = [self.input(column) for column in self.table.inputs]
        found = (rule for rule in self.table.rules if self.hit(rule, values))
        return list(islice(found, 1)) if self.table.policy == "FIRST" else list(found)

    def input(self, column: Input) -> JSON:
        value = column.expression.evaluate(self.data, self.now, self.budget)
        if value is not None and not column.allowed.holds(value):
            raise ExpressionFailed(f"“{column.label}”的取值“{value}”不在决策表允许的范围内")
        return value

    def hit(self, rule: Rule, values: list[JSON]) -> bool:
        self.budget.spend()
        for column, cell, value in zip(self.table.inputs, rule.inputs, values, strict=True):
            self.budget.spend(1 + len(cell.tests))
            try:
                if not cell.holds(value):
                    return False
            except ExpressionFailed as error:
                raise ExpressionFailed(f"规则“{rule.id}”的“{column.label}”：{error.reason}") from error
        return True

    def single(self, hits: list[Rule]) -> JSON:
        if len(hits) == 1:
            return self.answer(hits[0])
        answers = [self.answer(rule) for rule in hits] if self.table.policy == "ANY" else []
        if not answers or any(_key(answer) != _key(answers[0]) for answer in answers):
            raise SeveralRulesHit(tuple(rule.id for rule in hits))
        return answers[0]

    def default(self) -> JSON:
        if not any(output.default for output in self.table.outputs):
            return None
        return {output.name: self.output(output.default) for output in self.table.outputs}

    def answer(self, rule: Rule) -> dict[str, JSON]:
        cells = zip(self.table.outputs, rule.outputs, strict=True)
        return {output.name: self.output(cell) for output, cell in cells}

    def output(self, cell: Expression | None) -> JSON:
        value = cell.evaluate(self.data, self.now, self.budget) if cell else None
        self.left -= _leaves(value)
        if self.left < 0:
            raise BudgetExceeded("决策表的结果过大")
        return value

    def aggregate(self, answers: list[dict[str, JSON]]) -> dict[str, JSON]:
        name = self.table.outputs[0].name
        values = [answer[name] for answer in answers]
        if self.table.aggregation == "COUNT":
            return {name: len(values)}
        if any(type(value) not in (int, float) for value in values):
            raise ExpressionFailed(f"“{name}”要汇总，每条命中规则的结果都必须是数字")
        return {name: _total(self.table.aggregation, values)}


def _total(aggregation: str, values: list[JSON]) -> JSON:
    if aggregation == "SUM":
        total = sum(values)
        if abs(total) > MAX_INTEGER:
            raise BudgetExceeded("合计数字过大")
        return total
    pick: Callable[..., JSON] = min if aggregation == "MIN" else max
    return pick(values, default=None)


def _key(value: JSON) -> JSON:
    """Stands for the value in comparisons where 1 is not true."""
    if isinstance(value, dict):
        return {key: _key(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_key(part) for part in value]
    return (isinstance(value, bool), value)


def _leaves(value: JSON) -> int:
    if isinstance(value, str):
        return 1 + len(value) // 16
    if isinstance(value, dict):
        return 1 + len(value) + sum(_leaves(part) for part in value.values())
    return 1 + sum(_leaves(part) for part in value) if isinstance(value, list) else 1


def _passes(test: UnaryTest, value: JSON) -> bool:
    return all(_within(sign, end, value) for sign, end in test.bounds)


def _within(sign: str, end: JSON, value: JSON) -> bool:
    if sign == "=":
        return bool(value == end) and isinstance(value, bool) is isinstance(end, bool)
    if value is None:
        return False
    if _kind(value) != _kind(end):
        raise ExpressionFailed(f"“{shown(str(value), 40)}”与“{end}”不能比较大小")
    return bool(_ORDER[sign](value, end))


def _kind(value: JSON) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__


_ORDER = dict(zip(("<", "<=", ">", ">="), ORDER.values(), strict=True))


# ---- input cells ---------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<date>date(?:\ and\ time)?\s*\(\s*"(?P<iso>[^"]*)"\s*\))
  | (?P<number>-?(?:[0-9]{1,18}(?:\.[0-9]{1,15})?|\.[0-9]{1,15}))(?!\w|\.[0-9])
  | "(?P<text>(?:[^"\\]|\\["\\nt])*)"
  | (?P<word>[^\W\d]\w*)
  | (?P<sign><=|>=|<|>|\.\.|[-,()\[\]=])
    )""",
    re.VERBOSE,
)
_ESCAPES = {'\\"': '"', "\\\\": "\\", "\\n": "\n", "\\t": "\t"}
_HINTS = {
    "“": "文字要用英文引号",
    "”": "文字要用英文引号",
    "，": "请用英文逗号",
    "（": "请用英文括号",
    "）": "请用英文括号",
}

Token: TypeAlias = tuple[str, JSON]


class _Malformed(Exception):
    """单元格写法有误。"""


def _cell(text: str) -> Cell:
    if len(text) > MAX_SOURCE:
        raise _Malformed(f"内容超过 {MAX_SOURCE} 个字符")
    tokens = list(_tokens(text.strip()))
    if tokens in ([], [("sign", "-")]):
        return Cell()
    if tokens[:2] == [("word", "not"), ("sign", "(")] and tokens[-1] == ("sign", ")"):
        return Cell(_Tests(tokens[2:-1]).all(), otherwise=True)
    return Cell(_Tests(tokens).all())


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            rest = text[at:].strip()
            raise _Malformed(_HINTS.get(rest[:1], f"“{shown(rest, 40)}”看不懂"))
        yield _token(found)
        at = found.end()


def _token(found: re.Match[str]) -> Token:
    if found["date"] is not None:
        return "literal", _iso(found["iso"])
    if found["number"] is not None:
        number = found["number"]
        return "literal", float(number) if "." in number else int(number)
    if found["text"] is not None:
        return "literal", re.sub(r'\\["\\nt]', lambda escape: _ESCAPES[escape[0]], found["text"])
    if found["word"] in CONSTANTS:
        return "literal", CONSTANTS[found["word"]]
    return ("word", found["word"]) if found["word"] else ("sign", found["sign"])


def _iso(text: str) -> str:
    try:
        datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        raise _Malformed(f"“{shown(text, 40)}”不是日期（例如 2026-05-01）") from None
    return text


class _Tests:
    """Reads the alternatives of a cell from its tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def all(self) -> tuple[UnaryTest, ...]:
        tests = [self.test()]
        while self.at < len(self.tokens):
            if self.take() != ("sign", ","):
                raise _Malformed("几个取值之间要用英文逗号隔开")
            tests.append(self.test())
        return tuple(tests)

    def take(self) -> Token:
        if self.at >= len(self.tokens):
            raise _Malformed("内容没有写完")
        self.at += 1
        return self.tokens[self.at - 1]

    def test(self) -> UnaryTest:
        kind, value = self.take()
        if kind == "literal":
            return UnaryTest((("=", value),))
        if kind == "sign" and value in ("<", "<=", ">", ">=", "="):
            return UnaryTest(((value, self.literal() if value == "=" else self.end()),))
        if kind == "sign" and value in ("[", "(", "]"):
            return self.interval(">=" if value == "[" else ">")
        if kind == "word":
            raise _Malformed(f"“{shown(value, 40)}”如果是文字，请加英文引号")
        raise _Malformed(f"“{value}”的位置不对")

    def interval(self, sign: str) -> UnaryTest:
        low = self.end()
        if self.take() != ("sign", ".."):
            raise _Malformed("区间的两端之间要写“..”")
        high = self.end()
        closing = self.take()
        if closing not in (("sign", "]"), ("sign", ")"), ("sign", "[")):
            raise _Malformed("区间没有写完")
        if _kind(low) != _kind(high) or low > high:
            raise _Malformed("区间的起点必须不大于终点，两端类型要一致")
        return UnaryTest(((sign, low), ("<=" if closing[1] == "]" else "<", high)))

    def end(self) -> JSON:
        value = self.literal()
        if value is None or isinstance(value, bool):
            raise _Malformed("真假和空值不能比较大小")
        return value

    def literal(self) -> JSON:
        kind, value = self.take()
        if kind == "word":
            raise _Malformed(f"“{shown(value, 40)}”如果是文字，请加英文引号")
        if kind != "literal":
            raise _Malformed("这里要写数字、文字或日期")
        return value


# ---- reading -------------------------------------------------------------------------------------------------------

_POLICIES = ("UNIQUE", "FIRST", "ANY", "RULE ORDER", "COLLECT")
_UNSUPPORTED = ("businessKnowledgeModel", "decisionService", "import")


class _Reader:
    """Walks one DMN file, in its root's namespace only."""

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.space = etree.QName(root).namespace

    def table(self) -> DecisionTable:
        decision = self.decision()
        element = self.body(decision)
        policy, aggregation = self.policy(element)
        inputs = tuple(self.input(n, el) for n, el in enumerate(self.children(element, "input"), 1))
        outputs = self.outputs(element, decision)
        rules = self.children(element, "rule")
        if not inputs or len(inputs) + len(outputs) > MAX_COLUMNS or len(rules) > MAX_RULES:
            _reject(f"要有输入列，列数不超过 {MAX_COLUMNS}，规则不超过 {MAX_RULES} 条")
        if aggregation and len(outputs) != 1:
            _reject("汇总（SUM、MIN、MAX、COUNT）的表只能有一个输出列")
        read = tuple(self.rule(n, el, (len(inputs), len(outputs))) for n, el in enumerate(rules, 1))
        if len({rule.id for rule in read}) != len(read):
            _reject("规则编号有重复")
        key, name = decision.get("id", ""), decision.get("name", "")
        return DecisionTable(key, name or key, policy, aggregation, inputs, outputs, read)

    def children(self, element: etree._Element, name: str) -> list[etree._Element]:
        tag = etree.QName(self.space, name) if self.space else etree.QName(name)
        return element.findall(tag.text)

    def decision(self) -> etree._Element:
        for element in self.root.iter(etree.Element):
            language = element.get("expressionLanguage", "")
            if language and "feel" not in language.lower():
                _reject(f"不支持表达式语言“{shown(language)}”")
        if any(self.children(self.root, name) for name in _UNSUPPORTED):
            _reject("不支持业务知识模型、决策服务和引入其他文件")
        decisions = self.children(self.root, "decision")
        if len(decisions) != 1:
            _reject(f"文件中必须正好有一个决策，现有 {len(decisions)} 个")
        return decisions[0]

    def body(self, decision: etree._Element) -> etree._Element:
        tables = self.children(decision, "decisionTable")
        if len(tables) != 1:
            _reject("决策中必须正好有一张决策表")
        return tables[0]

    def policy(self, table: etree._Element) -> tuple[str, str]:
        policy, aggregation = table.get("hitPolicy", "UNIQUE"), table.get("aggregation", "")
        if policy not in _POLICIES:
            _reject(f"不支持命中策略“{shown(policy)}”")
        if aggregation not in ("", "SUM", "MIN", "MAX", "COUNT") or (aggregation and policy != "COLLECT"):
            _reject(f"不支持汇总方式“{shown(aggregation)}”")
        return policy, aggregation

    def text(self, element: etree._Element | None) -> str:
        if element is None:
            return ""
        texts = self.children(element, "text")
        notes = self.children(element, "description") + self.children(element, "extensionElements")
        if any(len(text) for text in texts) or len(element) > len(texts) + len(notes):
            _reject("单元格里只能是文字")
        return "".join(text.text or "" for text in texts).strip()

    def first(self, element: etree._Element, name: str) -> etree._Element | None:
        return next(iter(self.children(element, name)), None)

    def input(self, number: int, element: etree._Element) -> Input:
        source = self.text(self.first(element, "inputExpression"))
        label = shown(element.get("label") or source)
        expression = _expression(source, "", f"输入第 {number} 列")
        allowed = self.text(self.first(element, "inputValues"))
        return Input(label, expression, _tests(allowed, "", f"输入第 {number} 列的取值"))

    def outputs(self, table: etree._Element, decision: etree._Element) -> tuple[Output, ...]:
        elements = self.children(table, "output")
        spare = decision.get("id", "") if len(elements) == 1 else ""
        outputs = tuple(self.output(n, el, spare) for n, el in enumerate(elements, 1))
        if not outputs or len({output.name for output in outputs}) != len(outputs):
            _reject("要有输出列，各列名称不能重复")
        return outputs

    def output(self, number: int, element: etree._Element, spare: str) -> Output:
        where = f"输出第 {number} 列"
        name = (element.get("name") or spare).strip()
        if not name:
            _reject("没有名称", "", where)
        if self.text(self.first(element, "outputValues")):
            _reject("不支持限定输出取值", "", where)
        default = self.text(self.first(element, "defaultOutputEntry"))
        return Output(name, _expression(default, "", f"{where}的默认值") if default else None)

    def rule(self, number: int, element: etree._Element, width: tuple[int, int]) -> Rule:
        key = element.get("id") or f"{number}"
        tests = [self.text(el) for el in self.children(element, "inputEntry")]
        cells = [self.text(el) for el in self.children(element, "outputEntry")]
        if (len(tests), len(cells)) != width:
            _reject("单元格数量与列数不符", key, "整行")
        return Rule(
            key,
            tuple(_tests(text, key, f"输入第 {n} 列") for n, text in enumerate(tests, 1)),
            tuple(_expression(text, key, f"输出第 {n} 列") if text else None for n, text in enumerate(cells, 1)),
        )


def _reject(reason: str, rule: str = "", cell: str = "") -> NoReturn:
    raise TableRejected(reason, shown(rule), cell)


def _expression(source: str, rule: str, cell: str) -> Expression:
    try:
        return compile_expression(source)
    except ExpressionError as error:
        return _reject(str(error).rstrip("。"), rule, cell)


def _tests(text: str, rule: str, cell: str) -> Cell:
    try:
        return _cell(text)
    except _Malformed as error:
        return _reject(f"“{shown(text, 60)}”写法有误，{error}", rule, cell)
