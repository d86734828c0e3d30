"""Reads the settings of a task: limits with their computed parts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from engine.diagram import Node
from engine.errors import StepFailed
from engine.expressions import ExpressionError, compile_expression
from engine.world import Opening
from governance.calendar.errors import CalendarError
from governance.calendar.rules import LABELS, WorkCalendar, moment_told
from governance.calendar.rules import Unit as LimitUnit
from governance.errors import Refused
from governance.forms.rules import fields, shown_fields
from governance.people.rules import POSTS

REASON = 300
WITHDRAW = "withdraw"
ACTIONS = {
    "transfer": "转办",
    WITHDRAW: "取回",
    "urge": "催办",
    "communicate": "沟通",
    "copy": "抄送",
    "co_sign": "会签",
    "send_back": "退回",
}
OFFERED_ACTIONS = ("transfer", WITHDRAW, "urge", "copy")
"""What whoever draws a process can allow; diagrams that name others stay what they are."""
UNIT_RULES = {
    "place": "事项所在的单位",
    "matter": "提出议事的单位",
    "tier": "办到的那一级",
    "street": "所在街道",
    "district": "区",
    "liaison_leader": "区联系领导",
    "lead_unit": "牵头单位",
    "co_unit": "协办单位",
    "own_task": "落实任务交给的单位",
    "responsible_unit": "责任单位",
    "settler": "办结人所在的单位",
    "dispatcher": "派单人所在的单位",
    "first_receiver": "首问接待人所在的单位",
    "convener": "召集人所在的单位",
    "starter": "发起人所在的单位",
    "starter_self": "发起人本人",
    "chosen": "表单中选定的人员",
    "reporter": "反映人本人",
}
"""How the unit is found whose posts do a task, in the words of whoever draws the process."""
ESCALATE, FINISH = "escalate", "finish"
OVERDUE = {ESCALATE: "转由上级办理", FINISH: "自动办结"}
"""超期处理: what becomes of a task that is not done in time; `finish:agree` finishes it with that value of its form's outcome."""
EVER = datetime(2100, 1, 1, tzinfo=UTC)
ACTOR_NAMES = {
    "starter": "发起人",
    "settler": "办结人",
    "dispatcher": "派单人",
    "first_receiver": "首问接待人",
    "convener": "召集人",
    "executor": "落实人",
    "submitter": "提交人",
    "editors": "修改过草稿的人",
    "approver": "审批人",
    "checker": "核查人",
    "proposer": "提议人",
    "examiner": "审查人",
    "drafter": "起草人",
    "legal_reviewer": "法律审查人",
    "recorder": "记录人",
    "supervisor": "督办人",
    "rectifier": "整改人",
    "publisher": "公示人",
}
"""How those are called who did something that a later step refers to: `wz:actor as`, `wz:assign exclude`."""
SETTING_WORDS = (
    {code: post.name for code, post in POSTS.items()}
    | {unit.value: name for unit, name in LABELS.items()}
    | ACTIONS
    | UNIT_RULES
    | OVERDUE
    | {"paused:true": "暂停"}
    | {f"{attribute}:{code}": name for attribute in ("as", "exclude") for code, name in ACTOR_NAMES.items()}
)
"""What the codes in a task's settings are called; where an attribute gives its codes another meaning, under its name and theirs."""
AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}|/[0-9]{1,9})?")


def given_reason(text: str) -> str:
    """Why somebody does what is not an ordinary step; raises `Refused`."""
    said = text.strip()
    if not 1 <= len(said) <= REASON:
        raise Refused({"reason": f"请写明原因，不超过 {REASON} 个字"})
    return said


@dataclass(frozen=True)
class Limit:
    """办理时限: so much of a unit."""

    amount: Fraction
    unit: LimitUnit


def setting(text: str, data: Mapping[str, Any], at: datetime) -> Any:
    """A setting's value; what begins with `=` is computed. Raises `ExpressionError`."""
    return compile_expression(text[1:]).evaluate(data, at) if text.startswith("=") else text


def due_of(opening: Opening, calendar: WorkCalendar) -> tuple[datetime | None, Limit | None]:
    """Until when a task must be done, and by which limit; raises `StepFailed` when what the diagram says gives none.

    A date that somebody set (`until`) comes before the limit, as long as it lies ahead.
    """
    deadline = opening.settings.get("deadline")
    if deadline is None:
        return None, None
    read = {name: setting(text, opening.data, opening.at) for name, text in deadline.items() if name != "overdue"}
    try:
        until = _instant(read.pop("until", ""))
        if until and until > opening.at:
            return until, None
        limit = Limit(_amount(read["amount"]) * _amount(read.get("factor", 1)), LimitUnit(read["unit"]))
        if limit.amount <= 0:
            raise StepFailed(opening.element, "limit_unreadable", f"“{opening.name}”的办理时限必须大于零。")
        return calendar.add(opening.at, limit.amount, limit.unit), limit
    except (KeyError, ValueError, ZeroDivisionError, OverflowError, CalendarError) as error:
        raise StepFailed(opening.element, "limit_unreadable", f"“{opening.name}”的办理时限设置无法读取。") from error


def limit_kept(why: Mapping[str, Any]) -> Limit | None:
    """The limit that an assignment has noted; none for a task without one, or whose date somebody set."""
    kept = why.get("limit")
    return Limit(Fraction(kept["amount"]), LimitUnit(kept["unit"])) if kept else None


def limited_since(opened_at: datetime, why: Mapping[str, Any]) -> datetime:
    """Since when a task's limit runs: since it opened, or came to those who have it now."""
    return datetime.fromisoformat(why["since"]) if "since" in why else opened_at


def overdue_of(settings: Mapping[str, Mapping[str, str]]) -> str:
    """What becomes of a task with these settings once it is overdue, as the diagram writes it."""
    return settings.get("deadline", {}).get("overdue", "")


def value_finished_with(settings: Mapping[str, Mapping[str, str]]) -> str:
    """The value of the form's outcome by which an overdue task is finished, if it is."""
    kind, _, value = overdue_of(settings).partition(":")
    return value if kind == FINISH else ""


def outcomes_alone(form: Mapping[str, Any]) -> dict[str, str]:
    """The outcomes of a form that ask for nothing else, by value with their titles."""
    field = next((f for f in fields(form) if f.widget == "outcome"), None)
    return {c.value: c.title for c in field.choices if _is_enough(form, {field.name: c.value})} if field else {}


def _is_enough(form: Mapping[str, Any], data: Mapping[str, str]) -> bool:
    return all(field.name in data for field in shown_fields(form, data, {}, EVER) if field.is_required)


def _amount(value: Any) -> Fraction:
    """`1e999999999` is a number, too, and takes all memory there is."""
    if not AMOUNT.fullmatch(str(value)):
        raise ValueError(value)
    return Fraction(str(value))


def _instant(text: Any) -> datetime | None:
    return moment_told(text).astimezone(UTC) if text else None


def planned_due(calendar: WorkCalendar) -> Callable[[Node, Mapping[str, Any], datetime], datetime | None]:
    """Until when a task of a rehearsed process must be done, by this calendar; raises `StepFailed` as a running process would."""

    def due(node: Node, data: Mapping[str, Any], at: datetime) -> datetime | None:
        try:
            return due_of(Opening(0, "", node.id, node.id, node.label, node.settings, data, at), calendar)[0]
        except ExpressionError as error:
            raise StepFailed(node.id, "expression_refused", f"“{node.label}”的设置：{error}") from error

    return due


def allows(settings: Mapping[str, Mapping[str, str]], action: str) -> bool:
    """Whether a task with these settings allows one of the actions."""
    return action in words(settings.get("actions", {}).get("allow", ""))


def words(name: str) -> tuple[str, ...]:
    """A comma list."""
    return tuple(part.strip() for part in name.split(",") if part.strip())
