"""What a vote decides, as exact arithmetic: no database, no clock, never a float.

“以上” includes the number itself (民法典第 1259 条), “过半” does not. What nobody handed in is never a yes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import orjson

from governance.errors import Refused
from governance.rolls.rules import RollKind

LONGEST_PERIOD = 365
_SHARE = re.compile(r"([0-9]{1,6})(?:/([0-9]{1,6}))?")


class Choice(StrEnum):
    """What a ballot says; only paper can be invalid."""

    YES = "yes"
    NO = "no"
    ABSTAIN = "abstain"
    INVALID = "invalid"


class Mark(StrEnum):
    """What became of a roll entry: how it voted, that it only came, or nothing."""

    YES = "yes"
    NO = "no"
    ABSTAIN = "abstain"
    INVALID = "invalid"
    ATTENDED = "attended"
    UNRETURNED = "unreturned"


OUTSTANDING = (Mark.ATTENDED, Mark.UNRETURNED)
"""From these a ballot may still come."""


class Measure(StrEnum):
    """What is counted: 人数 or 专有部分面积."""

    HEADS = "heads"
    AREA = "area"


class Base(StrEnum):
    """Of whom a share is taken."""

    TOTAL = "total"
    PARTICIPATING = "participating"
    PRESENT = "present"
    INTERESTED = "interested"


class Sign(StrEnum):
    """How a share is compared: 过, 以上, 全部."""

    MORE = ">"
    LEAST = ">="
    ALL = "=="


@dataclass(frozen=True)
class Weight:
    """So many heads, with so much area in square metres."""

    heads: int = 0
    area: Decimal = Decimal(0)

    def __add__(self, other: Weight) -> Weight:
        return Weight(self.heads + other.heads, self.area + other.area)

    def of(self, measure: Measure) -> Fraction:
        return Fraction(self.heads if measure is Measure.HEADS else self.area)


@dataclass(frozen=True)
class Threshold:
    """A condition: of what, of whom, at least or more than which share."""

    measure: Measure
    base: Base
    sign: Sign
    share: Fraction

    def met(self, part: Fraction, whole: Fraction) -> bool:
        """A share of nobody is met by nobody."""
        wanted = self.share * whole
        held = {Sign.MORE: part > wanted, Sign.LEAST: part >= wanted, Sign.ALL: part == wanted}
        return whole > 0 and held[self.sign]


@dataclass(frozen=True)
class Rule:
    """表决规则: what a vote of a body needs. `attended_by` says what counts as attendance: handing in a ballot, or being there."""

    code: str
    name: str
    roll_kind: RollKind
    attend: tuple[Threshold, ...]
    passing: tuple[Threshold, ...]
    attended_by: Base = Base.PARTICIPATING
    participating: frozenset[Mark] = frozenset({Mark.YES, Mark.NO, Mark.ABSTAIN})
    present: frozenset[Mark] = frozenset({Mark.YES, Mark.NO, Mark.ABSTAIN, Mark.INVALID, Mark.ATTENDED})
    notice_days: int = 0
    publish_days: int = 0
    proxy_limit: int = 0
    may_be_secret: bool = False
    source: str = ""
    unconfirmed: str = ""
    valid_from: date = date.min
    valid_to: date | None = None

    @property
    def needs_area(self) -> bool:
        return any(threshold.measure is Measure.AREA for threshold in (*self.attend, *self.passing))

    def is_valid(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True)
class Tally:
    """How a whole roll stands, each entry under one mark."""

    weights: Mapping[Mark, Weight] = field(default_factory=dict)

    def __getitem__(self, mark: Mark) -> Weight:
        return self.weights.get(mark, Weight())

    def sum(self, marks: Iterable[Mark]) -> Weight:
        return sum((self[mark] for mark in marks), Weight())

    def moved(self, source: Iterable[Mark], target: Mark) -> Tally:
        """The tally were everything under these marks handed in so."""
        marks = list(source)
        left = {mark: weight for mark, weight in self.weights.items() if mark not in marks}
        return Tally(left | {target: self[target] + self.sum(m for m in marks if m != target)})


@dataclass(frozen=True)
class Condition:
    """One condition with its numbers."""

    threshold: Threshold
    what: str
    part: Fraction
    whole: Fraction
    holds: bool

    @property
    def words(self) -> str:
        """参与表决的人数占全体 200/300 ≥ 2/3"""
        sign, base = SIGNS[self.threshold.sign], BASES[self.threshold.base]
        return f"{self.what}占{base} {plain(self.part)}/{plain(self.whole)} {sign} {self.threshold.share}"


class Result(StrEnum):
    """How a vote ends: 通过, 未通过, 参与未达法定比例."""

    PASSED = "passed"
    FAILED = "failed"
    NO_QUORUM = "no_quorum"


@dataclass(frozen=True)
class Verdict:
    """What the rule says of a tally, condition by condition."""

    quorum: bool
    passed: bool
    conditions: tuple[Condition, ...]

    @property
    def result(self) -> Result:
        return Result.PASSED if self.passed else Result.FAILED if self.quorum else Result.NO_QUORUM


class Outlook(StrEnum):
    """Whether what has been handed in decides already."""

    CERTAIN = "certain"
    IMPOSSIBLE = "impossible"
    OPEN = "open"


SIGNS = {Sign.MORE: ">", Sign.LEAST: "≥", Sign.ALL: "="}
BASES = {Base.TOTAL: "全体", Base.PARTICIPATING: "参与表决者", Base.PRESENT: "到会者", Base.INTERESTED: "有利害关系的业主"}
ATTENDING = {
    (Base.PARTICIPATING, Measure.HEADS): "参与表决的人数",
    (Base.PARTICIPATING, Measure.AREA): "参与表决的专有部分面积",
    (Base.PRESENT, Measure.HEADS): "到会的人数",
    (Base.PRESENT, Measure.AREA): "到会者的专有部分面积",
}
CAME = {Base.PARTICIPATING: "参与表决", Base.PRESENT: "到会"}
AGREEING = {Measure.HEADS: "同意的人数", Measure.AREA: "同意的专有部分面积"}
RESULTS = {Result.PASSED: "表决通过", Result.FAILED: "表决未通过", Result.NO_QUORUM: "参与未达到规定比例，表决未通过"}


def judge(rule: Rule, tally: Tally) -> Verdict:
    """What the rule says of this tally."""
    bases = {
        Base.TOTAL: tally.sum(Mark),
        Base.INTERESTED: tally.sum(Mark),
        Base.PARTICIPATING: tally.sum(rule.participating),
        Base.PRESENT: tally.sum(rule.present),
    }

    def condition(threshold: Threshold, what: str, part: Weight) -> Condition:
        held, whole = part.of(threshold.measure), bases[threshold.base].of(threshold.measure)
        return Condition(threshold, what, held, whole, threshold.met(held, whole))

    attend = [condition(t, ATTENDING[rule.attended_by, t.measure], bases[rule.attended_by]) for t in rule.attend]
    passing = [condition(t, AGREEING[t.measure], tally[Mark.YES]) for t in rule.passing]
    quorum = all(c.holds for c in attend)
    return Verdict(quorum, quorum and all(c.holds for c in passing), (*attend, *passing))


def outlook(rule: Rule, tally: Tally) -> Outlook:
    """Certain when no ballot that may still come can change it; silence is no more than a no, and nothing is more than a yes."""
    now = judge(rule, tally)
    if now.passed and judge(rule, tally.moved(OUTSTANDING, Mark.NO)).passed:
        return Outlook.CERTAIN
    return Outlook.OPEN if judge(rule, tally.moved(OUTSTANDING, Mark.YES)).passed else Outlook.IMPOSSIBLE


def summary(rule: Rule, tally: Tally) -> str:
    """One sentence with the numbers, as the record and the notice give it."""
    everybody, absent, verdict = tally.sum(Mark), tally.sum(OUTSTANDING), judge(rule, tally)
    came = tally.sum(rule.present if rule.attended_by is Base.PRESENT else rule.participating)
    said = [f"应参加 {everybody.heads} 人，{CAME[rule.attended_by]} {came.heads} 人"]
    votes = [tally[mark] for mark in (Mark.YES, Mark.NO, Mark.ABSTAIN, Mark.INVALID)]
    yes, no, abstain, invalid = (weight.heads for weight in votes)
    said.append(f"同意 {yes} 人，反对 {no} 人，弃权 {abstain} 人，无效 {invalid} 人，未表决 {absent.heads} 人")
    if rule.needs_area:
        said.append(f"全体专有部分面积 {_area(everybody)} 平方米，参与表决 {_area(came)} 平方米")
        agreed, against, abstained, spoilt = map(_area, votes)
        said.append(f"同意 {agreed} 平方米，反对 {against} 平方米，弃权 {abstained} 平方米，无效 {spoilt} 平方米")
    return "；".join([*said, RESULTS[verdict.result]])


def _area(weight: Weight) -> str:
    return plain(weight.of(Measure.AREA))


def in_words(rule: Rule) -> tuple[str, ...]:
    """The rule as people read it, a sentence a condition."""
    attend = ((ATTENDING[rule.attended_by, t.measure], t) for t in rule.attend)
    return tuple(_in_words(what, t) for what, t in (*attend, *((AGREEING[t.measure], t) for t in rule.passing)))


def _in_words(what: str, threshold: Threshold) -> str:
    base = BASES[threshold.base]
    if threshold.share == 1:
        return f"{what}须占{base}的百分之百"
    if threshold.sign is Sign.MORE:
        return f"{what}须超过{base}的 {threshold.share}"
    return f"{what}须达到{base}的 {threshold.share}"


def plain(amount: Fraction) -> str:
    """A head count or an area, without zeros that say nothing."""
    if amount.denominator == 1:
        return str(amount.numerator)
    return f"{Decimal(amount.numerator) / Decimal(amount.denominator):f}"


def tally_opinions(opinions: Iterable[str], voters: int) -> Tally:
    """A tally of countersigning (会签、票签), one head an opinion: what is none of the choices is invalid, silence is no yes."""
    counted: dict[Mark, int] = {}
    for opinion in opinions:
        mark = Mark(opinion) if opinion in set(Choice) else Mark.INVALID
        counted[mark] = counted.get(mark, 0) + 1
    left = {Mark.UNRETURNED: max(voters - sum(counted.values()), 0)}
    return Tally({mark: Weight(heads) for mark, heads in (counted | left).items()})


# ---- what is wrong with a rule -----------------------------------------------------------------------------------


def contradictions(rule: Rule) -> dict[str, str]:
    """What cannot be meant, a sentence a field; empty when the rule can be voted under."""
    found = {
        "attend": _contradictory(rule.attend, "参与条件") or _attendance(rule),
        "pass": _contradictory(rule.passing, "通过条件") or ("" if rule.passing else "至少要有一个通过条件"),
        "participating": _counted(rule.participating),
        "present": _counted(rule.present) or ("未表决且未到会的不能算作到会" if Mark.UNRETURNED in rule.present else ""),
        "notice_days": _period(rule.notice_days),
        "publish_days": _period(rule.publish_days),
        "proxy_limit": _proxies(rule),
        "may_be_secret": "按面积计票的表决，选票上的面积会暴露投票人，不能秘密表决" if rule.may_be_secret and rule.needs_area else "",
        "roll_kind": "只有业主名册登记面积，按面积计票须使用业主名册" if rule.needs_area and rule.roll_kind is not RollKind.OWNERS else "",
        "valid_to": "有效期的截止日期早于起始日期" if rule.valid_to and rule.valid_to < rule.valid_from else "",
    }
    return {name: sentence for name, sentence in found.items() if sentence}


def _contradictory(thresholds: Sequence[Threshold], where: str) -> str:
    for threshold in thresholds:
        if not 0 < threshold.share <= 1:
            return f"{where}的比例须大于 0、不超过 1"
        if threshold.sign is Sign.MORE and threshold.share == 1:
            return f"{where}不能要求超过全部"
        if threshold.sign is Sign.ALL and threshold.share != 1:
            return f"{where}的“等于”只能用于全部"
    if len({(t.measure, t.base) for t in thresholds}) < len(thresholds):
        return f"{where}对同一基数写了两个比例，请只保留一个"
    return ""


def _attendance(rule: Rule) -> str:
    if any(threshold.base is not Base.TOTAL for threshold in rule.attend):
        return "参与条件的基数只能是全体"
    return "" if rule.attended_by in (Base.PARTICIPATING, Base.PRESENT) else "参与只能按参与表决或到会计算"


def _counted(marks: frozenset[Mark]) -> str:
    return "" if marks >= {Mark.YES, Mark.NO} else "同意和反对的都必须计算在内"


def _period(days: int) -> str:
    return "" if 0 <= days <= LONGEST_PERIOD else f"天数应为 0 至 {LONGEST_PERIOD}"


def _proxies(rule: Rule) -> str:
    if rule.proxy_limit < 0:
        return "每人受托的人数不能是负数"
    return "党员大会不能委托他人表决" if rule.proxy_limit and rule.roll_kind is RollKind.PARTY_MEMBERS else ""


# ---- rules as data -----------------------------------------------------------------------------------------------


def dump_rule(rule: Rule) -> dict[str, Any]:
    """The rule as it is stored and kept by a vote."""
    return {
        "code": rule.code,
        "name": rule.name,
        "roll_kind": rule.roll_kind.value,
        "attend": [[t.measure.value, t.sign.value, str(t.share)] for t in rule.attend],
        "pass": [[t.measure.value, t.base.value, t.sign.value, str(t.share)] for t in rule.passing],
        "attended_by": rule.attended_by.value,
        "participating": sorted(rule.participating),
        "present": sorted(rule.present),
        "notice_days": rule.notice_days,
        "publish_days": rule.publish_days,
        "proxy_limit": rule.proxy_limit,
        "may_be_secret": rule.may_be_secret,
        "source": rule.source,
        "unconfirmed": rule.unconfirmed,
        "valid_from": rule.valid_from.isoformat(),
        "valid_to": rule.valid_to.isoformat() if rule.valid_to else None,
    }


def read_rule(data: Mapping[str, Any]) -> Rule:
    """The rule that this data says; raises `Refused` naming the field that cannot be read."""
    return Rule(
        code=_text(data, "code", "编号", 40),
        name=_text(data, "name", "表决机构", 80),
        roll_kind=_one_of(RollKind, data.get("roll_kind"), "roll_kind", "名册种类"),
        attend=tuple(_threshold(["attend", row[0], Base.TOTAL, *row[1:]]) for row in _rows(data, "attend", 3)),
        passing=tuple(_threshold(["pass", *row]) for row in _rows(data, "pass", 4)),
        attended_by=_one_of(Base, data.get("attended_by", Base.PARTICIPATING), "attended_by", "参与方式"),
        participating=_marks(data, "participating", Rule.participating),
        present=_marks(data, "present", Rule.present),
        notice_days=_number(data, "notice_days", "提前通知天数"),
        publish_days=_number(data, "publish_days", "公示天数"),
        proxy_limit=_number(data, "proxy_limit", "每人受托人数"),
        may_be_secret=data.get("may_be_secret") in (True, "true"),
        source=str(data.get("source") or ""),
        unconfirmed=str(data.get("unconfirmed") or ""),
        valid_from=_day(data.get("valid_from"), "valid_from", "起始日期") or date.min,
        valid_to=_day(data.get("valid_to"), "valid_to", "截止日期"),
    )


@cache
def shipped_rules() -> tuple[Rule, ...]:
    """The rules the product comes with."""
    return tuple(map(read_rule, orjson.loads((files(__package__) / "rules.json").read_bytes())))


Kind = TypeVar("Kind", bound=StrEnum)


def _rows(data: Mapping[str, Any], name: str, width: int) -> list[list[str]]:
    rows = data.get(name) or []
    if not isinstance(rows, list) or any(not isinstance(row, list) or len(row) != width for row in rows):
        raise Refused({name: "条件填写不完整"})
    return rows


def _threshold(row: Sequence[Any]) -> Threshold:
    name, measure, base, sign, share = row
    return Threshold(
        _one_of(Measure, measure, name, "计算方式"),
        _one_of(Base, base, name, "基数"),
        _one_of(Sign, sign, name, "比较方式"),
        _share(share, name),
    )


def _share(text: Any, name: str) -> Fraction:
    found = _SHARE.fullmatch(str(text))
    if not found or (found[2] is not None and not int(found[2])):
        raise Refused({name: "比例应写成 2/3 的样子"})
    return Fraction(int(found[1]), int(found[2] or 1))


def _one_of(kind: type[Kind], value: Any, name: str, label: str) -> Kind:
    try:
        return kind(value)
    except ValueError:
        raise Refused({name: f"{label}不在可选范围内"}) from None


def _marks(data: Mapping[str, Any], name: str, default: frozenset[Mark]) -> frozenset[Mark]:
    return frozenset(_one_of(Mark, mark, name, "计算在内的选票") for mark in data[name]) if name in data else default


def _text(data: Mapping[str, Any], name: str, label: str, longest: int) -> str:
    text = str(data.get(name) or "").strip()
    if not text:
        raise Refused({name: f"请填写{label}"})
    if len(text) > longest:
        raise Refused({name: f"{label}不能超过 {longest} 个字"})
    return text


def _number(data: Mapping[str, Any], name: str, label: str) -> int:
    text = str(data.get(name) or 0)
    if not re.fullmatch("-?[0-9]{1,6}", text):
        raise Refused({name: f"{label}填写不正确"})
    return int(text)


def _day(value: Any, name: str, label: str) -> date | None:
    try:
        return date.fromisoformat(str(value)) if value else None
    except ValueError:
        raise Refused({name: f"{label}填写不正确"}) from None
