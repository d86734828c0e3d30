"""How a meeting is convened, noticed, opened and closed, and what is on its agenda. Every command finds the meeting under lock."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from governance.cases.commands import digest
from governance.cases.models import Case
from governance.cases.queries import concerning as concerning_cases
from governance.context import Actor, Context
from governance.errors import NotAllowed, NotFound, Refused
from governance.matters.models import Matter
from governance.matters.queries import concerning as concerning_matters
from governance.meetings.errors import AgendaFrozen, NoExtraItems, NoQuorum, NotNow
from governance.meetings.models import AgendaItem, Meeting, MeetingRule
from governance.meetings.queries import (
    agenda,
    convening,
    held_by,
    host_units,
    may_convene,
    next_number,
    numbered,
    quorum_of,
    rules,
)
from governance.meetings.rules import DOORS_OPEN, LONGEST_NOTICE, MEETS_IN, Body, Status, earliest, is_short, share, status
from governance.organisation.models import Kind
from governance.organisation.queries import LONG_ID
from governance.organisation.queries import unit as unit_of
from governance.people.models import Appointment

TITLE, PLACE, LINK, REASON, ITEM, RESULT, SOURCE = 80, 200, 300, 300, 300, 2000, 200
MOST_ITEMS = 50


@dataclass(frozen=True)
class Plan:
    """What somebody writes down who convenes a meeting; `convener` is the appointment of who convenes it."""

    body: str
    unit_id: str
    title: str
    starts_at: datetime | None
    convener: str
    place: str = ""
    link: str = ""


def convene(context: Context, actor: Actor, plan: Plan) -> Meeting:
    """召集: the draft of a meeting; raises `NotAllowed`, `Refused`."""
    secret = secrets.token_urlsafe(18)
    held = Meeting(
        id=context.new_id(),
        created_by=actor.person_id,
        created_at=context.now(),
        secret_digest=digest(secret),
        sealed_secret=context.sealer.seal(secret),
    )
    _write(context, actor, held, plan)
    context.session.add(held)
    context.session.flush()
    return held


def replan(context: Context, actor: Actor, meeting_id: int, plan: Plan) -> Meeting:
    """Changes the draft of a meeting; raises `NotNow`, `Refused`."""
    held = _drafted(context, actor, meeting_id)
    _write(context, actor, held, plan)
    context.session.flush()
    return held


def _write(context: Context, actor: Actor, held: Meeting, plan: Plan) -> None:
    errors = _errors(plan)
    unit = unit_of(context.session, plan.unit_id) if plan.unit_id else None
    if unit is None:
        errors["unit"] = "请选择召开单位"
    elif not may_convene(actor, unit):
        raise NotAllowed
    elif plan.body in set(Body) and unit.kind not in MEETS_IN[Body(plan.body)]:
        errors["body"] = f"{Kind(unit.kind).label}不召开{Body(plan.body).label}"
    convener = _convener(context, actor, plan.convener)
    if convener is None:
        errors["convener"] = "请选择召集人"
    if errors or unit is None or convener is None or plan.starts_at is None:
        raise Refused(errors)
    held.body, held.unit, held.unit_id = plan.body, unit, unit.id
    held.title, held.place, held.link, held.starts_at = plan.title, plan.place, plan.link, plan.starts_at
    held.convener, held.convener_id, held.convener_post = convener.person, convener.person_id, convener.post
    held.convener_unit, held.convener_unit_id = convener.unit, convener.unit_id
    _follow_rule(held, rules(context.session)[Body(plan.body)])


def _convener(context: Context, actor: Actor, chosen: str) -> Appointment | None:
    """The appointment under which somebody convenes: one of today, in a unit whose meetings the actor arranges."""
    units = {unit.id for unit in host_units(context.session, actor)}
    found = context.session.get(Appointment, int(chosen)) if chosen.isdecimal() and len(chosen) < LONG_ID else None
    holds = found is not None and found.from_date <= context.today and (found.to_date is None or found.to_date >= context.today)
    return found if found is not None and holds and found.unit_id in units else None


def _errors(plan: Plan) -> dict[str, str]:
    errors = {}
    if plan.body not in set(Body):
        errors["body"] = "请选择会议类别"
    if not plan.title:
        errors["title"] = "请填写会议名称"
    if plan.starts_at is None:
        errors["starts_at"] = "请填写开会时间"
    if not plan.place and not plan.link:
        errors["place"] = "请填写会议地点，或者线上会议的链接"
    if plan.link and not plan.link.startswith(("https://", "http://")):
        errors["link"] = "线上会议的链接应以 https:// 开头"
    for field, value, limit, name in (
        ("title", plan.title, TITLE, "会议名称"),
        ("place", plan.place, PLACE, "会议地点"),
        ("link", plan.link, LINK, "线上会议的链接"),
    ):
        if len(value) > limit:
            errors[field] = f"{name}不能超过 {limit} 个字"
    return errors


def _follow_rule(held: Meeting, rule: MeetingRule) -> None:
    held.notice_days, held.quorum, held.is_quorum_over = rule.notice_days, rule.quorum, rule.is_quorum_over
    held.takes_extra_items, held.source, held.is_confirmed = rule.takes_extra_items, rule.source, rule.is_confirmed


def give_notice(context: Context, actor: Actor, meeting_id: int, urgent_reason: str = "") -> Meeting:
    """发出会议通知: from now on agenda and list stand. Raises `NotNow`, `Refused` when it comes too late or something is missing."""
    held, now = _drafted(context, actor, meeting_id), context.now()
    rule, reason = rules(context.session)[Body(held.body)], urgent_reason.strip()
    _follow_rule(held, rule)
    if not agenda(context.session, held.id):
        raise Refused({"items": "请先写明议题"})
    if not quorum_of(context.session, held).due:
        raise Refused({"attendees": "请先列出参会人员"})
    if held.starts_at <= now:
        raise Refused({"starts_at": "开会时间已过，请先修改"})
    if is_short(now, held.starts_at, held.notice_days):
        if not rule.may_be_urgent:
            raise Refused(
                {"starts_at": f"{Body(held.body).label}应提前 {held.notice_days} 日通知，最早可于 {earliest(now, held.notice_days)} 召开"}
            )
        if not reason:
            soonest = earliest(now, held.notice_days)
            raise Refused({"urgent_reason": f"不足 {held.notice_days} 日，最早可于 {soonest} 召开；确需紧急召开的，请写明原因"})
        held.urgent_reason = told(reason, REASON, "urgent_reason", "原因")
    held.noticed_at = now
    context.session.flush()
    return held


def cancel(context: Context, actor: Actor, meeting_id: int, reason: str) -> Meeting:
    """取消 a meeting that has not begun; raises `NotNow`, `Refused`."""
    held = held_by(context.session, meeting_id, actor)
    require(held, Status.DRAFT, Status.NOTICED)
    held.cancel_reason, held.cancelled_at = told(reason, REASON, "reason", "取消的原因"), context.now()
    context.session.flush()
    return held


def open_meeting(context: Context, actor: Actor, meeting_id: int) -> Meeting:
    """宣布开会: what is decided from now on was decided by enough people. Raises `NotNow`, `NoQuorum`."""
    held = held_by(context.session, meeting_id, actor)
    require(held, Status.NOTICED)
    if context.now() < held.starts_at - DOORS_OPEN:
        raise NotNow
    if not (found := quorum_of(context.session, held)).is_met:
        raise NoQuorum(found)
    held.opened_at = context.now()
    context.session.flush()
    return held


def close_meeting(context: Context, actor: Actor, meeting_id: int) -> Meeting:
    """宣布散会; raises `NotNow`."""
    held = held_by(context.session, meeting_id, actor)
    require(held, Status.OPEN)
    held.closed_at = context.now()
    context.session.flush()
    return held


# ---- the agenda --------------------------------------------------------------------------------------------------


def add_item(context: Context, actor: Actor, meeting_id: int, text: str = "", case_number: str = "") -> AgendaItem:
    """列入议题: words, a case, or a matter; after the notice it is marked as 临时议题. Raises `NotNow`, `NoExtraItems`, `Refused`."""
    held, session = held_by(context.session, meeting_id, actor), context.session
    require(held, Status.DRAFT, Status.NOTICED, Status.OPEN)
    is_extra = held.noticed_at is not None
    if is_extra and not held.takes_extra_items:
        raise NoExtraItems
    position = next_number(session, AgendaItem.position, held.id)
    if position > MOST_ITEMS:
        raise Refused({"text": f"议题最多 {MOST_ITEMS} 项"})
    about = named(context, actor, held, case_number)
    if about.case and about.case.is_confidential and not text.strip():
        raise Refused({"text": "保密事项的标题不上会议通知，请另写议题"})
    item = AgendaItem(
        id=context.new_id(),
        meeting_id=held.id,
        position=position,
        text=told(text or about.title, ITEM, "text", "议题"),
        **about.ids,
        is_extra=is_extra,
        added_at=context.now(),
    )
    session.add(item)
    session.flush()
    return item


def remove_item(context: Context, actor: Actor, meeting_id: int, item_id: int) -> None:
    """Takes an item off the agenda of a draft; raises `AgendaFrozen`, `NotFound`."""
    held = held_by(context.session, meeting_id, actor)
    if status(held) != Status.DRAFT:
        raise AgendaFrozen
    context.session.delete(_item(context, held, item_id))
    context.session.flush()


def note_result(context: Context, actor: Actor, meeting_id: int, item_id: int, result: str) -> AgendaItem:
    """What came of an item; raises `NotNow`, `NotFound`, `Refused`."""
    held = held_by(context.session, meeting_id, actor)
    require(held, Status.OPEN, Status.CLOSED)
    item = _item(context, held, item_id)
    item.result = told(result, RESULT, "result", "审议结果")
    context.session.flush()
    return item


@dataclass(frozen=True)
class Named:
    """What a typed number stands for."""

    case: Case | None = None
    matter: Matter | None = None

    @property
    def title(self) -> str:
        named = self.case or self.matter
        return named.title if named else ""

    @property
    def ids(self) -> dict[str, int | None]:
        """As an item or a decision keeps it."""
        return {"case_id": self.case.id if self.case else None, "matter_id": self.matter.id if self.matter else None}


def named(context: Context, actor: Actor, held: Meeting, number: str) -> Named:
    """The case or the matter of a number, which both the actor and the convener may see; nothing without one. Raises `Refused`."""
    typed, readers = number.strip(), (actor, convening(context, held))
    session = context.session
    case, matter = (
        numbered(session, Case, concerning_cases, typed, *readers),
        numbered(session, Matter, concerning_matters, typed, *readers),
    )
    found = Named(case, matter)
    if typed and not (found.case or found.matter):
        raise Refused({"case_number": "没有这个编号的事项或议题，或者召集人无权查看"})
    return found


def _item(context: Context, held: Meeting, item_id: int) -> AgendaItem:
    found = context.session.get(AgendaItem, item_id)
    if found is None or found.meeting_id != held.id:
        raise NotFound
    return found


def _drafted(context: Context, actor: Actor, meeting_id: int) -> Meeting:
    held = held_by(context.session, meeting_id, actor)
    require(held, Status.DRAFT)
    return held


def require(held: Meeting, *wanted: Status) -> None:
    """Lets pass only a meeting that has come so far; raises `NotNow`."""
    if status(held) not in wanted:
        raise NotNow


def told(text: str, limit: int, field: str, name: str) -> str:
    """A text that must be there, and not too long; raises `Refused`."""
    said = text.strip()
    if not said:
        raise Refused({field: f"请填写{name}"})
    if len(said) > limit:
        raise Refused({field: f"{name}不能超过 {limit} 个字"})
    return said


# ---- the rules ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewRule:
    """The rule of a body as an administrator writes it."""

    notice_days: int
    may_be_urgent: bool
    quorum: str
    is_quorum_over: bool
    takes_extra_items: bool
    source: str
    is_confirmed: bool


def change_rule(session: Session, body: Body, new: NewRule) -> None:
    """Changes what a body's rules ask; meetings already noticed keep theirs. Raises `Refused`."""
    errors = {}
    if not 0 <= new.notice_days <= LONGEST_NOTICE:
        errors["notice_days"] = f"提前通知的天数应为 0 至 {LONGEST_NOTICE}"
    if new.quorum:
        try:
            share(new.quorum)
        except ValueError:
            errors["quorum"] = "法定人数应写成 2/3、1/2 的样子，或者留空"
    if not 1 <= len(new.source) <= SOURCE:
        errors["source"] = f"请写明依据，不超过 {SOURCE} 个字"
    if errors:
        raise Refused(errors)
    rule = rules(session)[body]
    rule.notice_days, rule.may_be_urgent, rule.quorum = new.notice_days, new.may_be_urgent, new.quorum or None
    rule.is_quorum_over, rule.takes_extra_items = new.is_quorum_over, new.takes_extra_items
    rule.source, rule.is_confirmed = new.source, new.is_confirmed
    session.flush()
