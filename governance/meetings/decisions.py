"""议定事项: from a decision to somebody's task, and what has become of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import select

from engine.log import entries
from engine.plans import lasting
from engine.schema import instances as instance_rows
from engine.schema import tasks
from engine.versions import latest_version
from engine.world import FINISHED
from governance.calendar.rules import SHANGHAI
from governance.context import Actor, Context
from governance.errors import NotFound, Refused
from governance.meetings.commands import named, require, told
from governance.meetings.errors import NotNow
from governance.meetings.models import Decision, Meeting
from governance.meetings.queries import decisions, held_by, next_number, responsible_units
from governance.meetings.rules import Body, Status
from governance.workflow.world import instances

PROCESS, CARRY_OUT, CHECK = "decision_task", "carry_out_decision", "check_decision"
TEXT, TITLE, MOST, LONGEST = 500, 80, 50, 3 * 366
END_OF_DAY = time(23, 59, 59)


@dataclass(frozen=True)
class Resolved:
    """What was decided, as it is written down."""

    text: str
    unit_id: str
    due_on: date | None
    case_number: str = ""


def record(context: Context, actor: Actor, meeting_id: int, resolved: Resolved) -> Decision:
    """记下 what a meeting that had its quorum decided; raises `NotNow`, `Refused`."""
    held, session = held_by(context.session, meeting_id, actor), context.session
    require(held, Status.OPEN, Status.CLOSED)
    offered = {str(unit.id): unit for _group, units in responsible_units(session, held.unit) for unit in units}
    errors = _errors(context, resolved)
    if resolved.unit_id not in offered:
        errors["unit"] = "请选择责任单位"
    number = next_number(session, Decision.number, held.id)
    if number > MOST:
        errors["text"] = f"议定事项最多 {MOST} 项"
    if errors or resolved.due_on is None:
        raise Refused(errors)
    about = named(context, actor, held, resolved.case_number)
    decision = Decision(
        id=context.new_id(),
        meeting_id=held.id,
        number=number,
        text=resolved.text.strip(),
        unit=offered[resolved.unit_id],
        due_on=resolved.due_on,
        **about.ids,
        added_by=actor.person_id,
        added_at=context.now(),
    )
    session.add(decision)
    session.flush()
    return decision


def _errors(context: Context, resolved: Resolved) -> dict[str, str]:
    errors: dict[str, str] = {}
    try:
        told(resolved.text, TEXT, "text", "议定事项")
    except Refused as refused:
        errors |= refused.errors
    if resolved.due_on is None:
        errors["due_on"] = "请填写完成期限"
    elif resolved.due_on <= context.today:
        errors["due_on"] = "完成期限应在今天之后"
    elif (resolved.due_on - context.today).days > LONGEST:
        errors["due_on"] = "完成期限不能超过三年"
    return errors


def confirm(context: Context, actor: Actor, meeting_id: int, decision_id: int) -> Decision:
    """交办: from now on the responsible unit has a task, which the convener checks. Raises `NotNow`, `NotFound`."""
    held = held_by(context.session, meeting_id, actor)
    decision = _decision(context, held, decision_id)
    if decision.confirmed_at or decision.due_on < context.today:
        raise NotNow
    decision.confirmed_at, decision.confirmed_by = context.now(), actor.person_id
    version = latest_version(context.session.connection(), PROCESS)
    context.session.flush()
    known = {"business_key": f"decision:{decision.id}", "title": decision.text[:TITLE]}
    advance = instances(context).start(version, _start_data(held, decision), actor.record(), **known)
    decision.instance_id = advance.instance_id
    context.session.flush()
    return decision


def drop(context: Context, actor: Actor, meeting_id: int, decision_id: int) -> None:
    """Takes back what was written down and is not yet handed over; raises `NotNow`, `NotFound`."""
    held = held_by(context.session, meeting_id, actor)
    decision = _decision(context, held, decision_id)
    if decision.confirmed_at:
        raise NotNow
    context.session.delete(decision)
    context.session.flush()


def _decision(context: Context, held: Meeting, decision_id: int) -> Decision:
    found = context.session.get(Decision, decision_id)
    if found is None or found.meeting_id != held.id:
        raise NotFound
    return found


def _start_data(held: Meeting, decision: Decision) -> dict[str, Any]:
    due_at = datetime.combine(decision.due_on, END_OF_DAY, SHANGHAI)
    return {
        "decision_id": str(decision.id),
        "decision_text": decision.text,
        "meeting_id": str(held.id),
        "meeting_title": held.title,
        "meeting_body": Body(held.body).label,
        "place_unit": str(held.unit_id),
        "responsible_unit": str(decision.unit_id),
        "due_at": due_at.isoformat(),
        "convener": {"person": str(held.convener_id), "post": held.convener_post, "unit": str(held.convener_unit_id)},
    }


@dataclass(frozen=True)
class Delivery:
    """What has become of a decision: in words, since when, and what its unit reported last."""

    decision: Decision
    words: str
    is_over: bool
    is_late: bool
    result: str = ""


def deliveries(context: Context, meeting_id: int) -> list[Delivery]:
    """The decisions of a meeting with what has become of them."""
    found = decisions(context.session, meeting_id)
    ids = [d.instance_id for d in found if d.instance_id]
    connection = context.session.connection()
    rows = {row.id: row for row in connection.execute(select(instance_rows).where(instance_rows.c.id.in_(ids)))}
    waiting = select(tasks.c.instance_id, tasks.c.element, tasks.c.due_at)
    open_now = {
        row.instance_id: row for row in connection.execute(waiting.where(tasks.c.instance_id.in_(ids), tasks.c.closed_at.is_(None)))
    }
    return [_delivery(context, d, rows.get(d.instance_id), open_now.get(d.instance_id)) for d in found]


def _delivery(context: Context, decision: Decision, instance: Any, task: Any) -> Delivery:
    if instance is None:
        return Delivery(decision, "待交办", is_over=False, is_late=False)
    done = [e for e in lasting(entries(context.session.connection(), instance.id)) if e.kind == "complete" and e.data]
    told_so_far = [(e.data or {}).get("result_text", "") for e in done]
    result = next((text for text in reversed(told_so_far) if text), "")
    if task is None:
        return Delivery(decision, "已落实" if instance.status == FINISHED else "已终止", is_over=True, is_late=False, result=result)
    is_late = task.due_at is not None and task.due_at < context.now()
    return Delivery(decision, {CARRY_OUT: "落实中", CHECK: "待核查"}[task.element], is_over=False, is_late=is_late, result=result)
