"""What residents do to a matter from beside its tasks: suggest, support, object, evaluate."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError

from engine.errors import InstanceAtRest, NothingWaits
from engine.versions import latest_version
from governance.base import inserting
from governance.cases.commands import digest
from governance.cases.models import Case
from governance.context import Actor, Context
from governance.errors import GovernanceError, Refused
from governance.matters.models import TIERS, Matter, MatterEvaluation, MatterNumber, Objection, Stage, Support, Tier
from governance.matters.queries import basis, objections, running_notice, support_of
from governance.matters.rules import Backing, must_be_taken_up, number
from governance.organisation.models import Kind, Unit
from governance.organisation.queries import nearest, upwards
from governance.privacy import is_mobile
from governance.workflow.world import instances

PROCESS = "deliberation"
SUPPORT_REACHED, OBJECTION_RAISED, WITHDRAWS = "support_reached", "objection_raised", "suggester_withdraws"
TITLE, TEXT, NAME, HOUSEHOLD, COMMENT = 80, 2000, 40, 40, 500


class AlreadyGiven(GovernanceError):
    """您已经表达过了，每人一次。"""


class NotOpen(GovernanceError):
    """这件议题现在不在这一步，不能再提交。"""


@dataclass(frozen=True)
class Suggestion:
    """建议: what somebody would have discussed, and by whom it is made."""

    unit: Unit
    title: str
    problem: str
    wish: str
    submission_key: str
    contact_name: str = ""
    contact_mobile: str = ""
    suggested_by: int | None = None
    case: Case | None = None


@dataclass(frozen=True)
class Resident:
    """Who speaks, without an account: the mobile number tells one person from another."""

    name: str
    mobile: str
    household: str = ""


def suggest(context: Context, suggestion: Suggestion, actor: Actor | None = None) -> tuple[Matter, str | None]:
    """建议. The matter and its follow-up secret; the same submission again gives the matter without the secret. Raises `Refused`."""
    if known := _known(context, suggestion):
        return known, None
    if errors := _errors(suggestion):
        raise Refused(errors)
    secret = secrets.token_urlsafe(18)
    try:
        with context.session.begin_nested():
            matter = _register(context, suggestion, secret)
    except IntegrityError:
        if known := _known(context, suggestion):
            return known, None
        raise
    by: Mapping[str, Any] = actor.record() if actor else {"reporter": f"matter:{matter.id}"}
    version = latest_version(context.session.connection(), PROCESS)
    instances(context).start(version, _start_data(matter), by, business_key=f"matter:{matter.id}")
    return matter, secret


def support(context: Context, matter: Matter, resident: Resident) -> None:
    """附议: one voice a person; enough of them oblige the committee to take the matter up. Raises `Refused`, `AlreadyGiven`, `NotOpen`."""
    _identified(resident, needs_household=True)
    _hold(context, matter, Stage.SUGGESTION)
    given = inserting(context.session, Support).values(
        matter_id=matter.id,
        voice=_voice(context, resident),
        name=context.sealer.seal(resident.name),
        household=resident.household,
        given_at=context.now(),
    )
    if not context.session.execute(given.on_conflict_do_nothing().returning(Support.voice)).first():
        raise AlreadyGiven
    if not matter.is_compulsory and is_owed(context, matter):
        _message(context, matter, SUPPORT_REACHED, {"supports_n": support_of(context.session, [matter.id])[matter.id].people})


def is_owed(context: Context, matter: Matter) -> bool:
    """Whether the support found so far obliges the committee to take the matter up."""
    backing = support_of(context.session, [matter.id]).get(matter.id, Backing())
    return must_be_taken_up(backing, basis(context.session, matter.unit))


def withdraw(context: Context, matter: Matter, reason: str) -> None:
    """撤回 by the suggester, as long as the matter has not been taken up. Raises `NotOpen`, `Refused`."""
    said = reason.strip()
    if not 1 <= len(said) <= COMMENT:
        raise Refused({"reason": f"请写明原因，不超过 {COMMENT} 个字"})
    _message(context, matter, WITHDRAWS, {}, opinion=said)


def object_to(context: Context, matter: Matter, resident: Resident, text: str, submission_key: str) -> tuple[Objection, str | None]:
    """异议 while the notice is up. The objection and its secret; the same submission again gives none. Raises `Refused`, `NotOpen`."""
    known = context.session.scalar(select(Objection).where(Objection.submission_key == submission_key))
    if known:
        return known, None
    _identified(resident)
    said = text.strip()
    if not 1 <= len(said) <= TEXT:
        raise Refused({"text": f"请写明异议和理由，不超过 {TEXT} 个字"})
    if matter.instance_id is None:
        raise NotOpen
    instances(context).hold_instance(matter.instance_id)
    notice = running_notice(context.session, matter.id)
    if notice is None or notice.ends_at < context.now():
        raise NotOpen
    secret = secrets.token_urlsafe(18)
    raised = Objection(
        matter_id=matter.id,
        number=len(objections(context.session, matter.id)) + 1,
        notice_id=notice.id,
        submission_key=submission_key,
        text=said,
        name=context.sealer.seal(resident.name),
        contact_mobile=context.sealer.seal(resident.mobile),
        follow_digest=digest(secret),
        raised_at=context.now(),
    )
    context.session.add(raised)
    context.session.flush()
    _message(context, matter, OBJECTION_RAISED, {"objection_n": raised.number})
    return raised, secret


def evaluate(context: Context, matter: Matter, resident: Resident, satisfaction: int, comment: str) -> None:
    """评价 of what came of it: one a person. Raises `Refused`, `AlreadyGiven`, `NotOpen`."""
    _identified(resident)
    if not 1 <= satisfaction <= 5 or len(comment) > COMMENT:
        raise Refused({"satisfaction": "请选择满意程度"} if not 1 <= satisfaction <= 5 else {"comment": f"评语不能超过 {COMMENT} 个字"})
    _hold(context, matter, Stage.EVALUATION)
    given = inserting(context.session, MatterEvaluation).values(
        matter_id=matter.id,
        voice=_voice(context, resident),
        satisfaction=satisfaction,
        comment=comment.strip(),
        given_at=context.now(),
    )
    if not context.session.execute(given.on_conflict_do_nothing().returning(MatterEvaluation.voice)).first():
        raise AlreadyGiven


def tier_of(unit: Unit) -> Tier | None:
    """Whose matters those of a unit are."""
    return next((tier for tier, (_, kind) in TIERS.items() if kind == unit.kind), None)


def _register(context: Context, suggestion: Suggestion, secret: str) -> Matter:
    tier = tier_of(suggestion.unit)
    district = nearest(upwards(context.session, suggestion.unit), Kind.DISTRICT)
    seal = context.sealer.seal
    matter = Matter(
        id=context.new_id(),
        number=number(district.code if district else "000000", context.today.year, _running_number(context)),
        tier=tier,
        unit_id=suggestion.unit.id,
        case_id=suggestion.case.id if suggestion.case else None,
        title=suggestion.title.strip(),
        problem=suggestion.problem.strip(),
        wish=suggestion.wish.strip(),
        suggested_at=context.now(),
        suggested_by=suggestion.suggested_by,
        contact_name=seal(suggestion.contact_name) if suggestion.contact_name else None,
        contact_mobile=seal(suggestion.contact_mobile) if suggestion.contact_mobile else None,
        follow_digest=digest(secret),
        submission_key=suggestion.submission_key,
        status="待审查",
        stage=Stage.SUGGESTION,
        moved_at=context.now(),
        is_compulsory=False,
        consultation_n=0,
    )
    context.session.add(matter)
    context.session.flush()
    return matter


def _start_data(matter: Matter) -> dict[str, Any]:
    """What the process works on; who suggested stays outside of it."""
    return {
        "matter_id": str(matter.id),
        "matter_number": matter.number,
        "matter_tier": str(matter.tier),
        "matter_unit": str(matter.unit_id),
        "place_unit": str(matter.unit_id),
        "topic_title": matter.title,
        "is_compulsory": False,
        "supports_n": 0,
        "from_case": matter.case_id is not None,
    }


def _errors(suggestion: Suggestion) -> dict[str, str]:
    errors = {}
    if tier_of(suggestion.unit) is None:
        errors["unit"] = "请选择小区、社区、街道或全区"
    for field, value, limit, name in (
        ("title", suggestion.title, TITLE, "议题名称"),
        ("problem", suggestion.problem, TEXT, "要解决的问题"),
        ("wish", suggestion.wish, TEXT, "您的建议"),
    ):
        if not 1 <= len(value.strip()) <= limit:
            errors[field] = f"请填写{name}，不超过 {limit} 个字"
    if len(suggestion.contact_name) > NAME:
        errors["contact_name"] = f"称呼不能超过 {NAME} 个字"
    if suggestion.contact_mobile and not is_mobile(suggestion.contact_mobile):
        errors["contact_mobile"] = "请填写正确的手机号码，或者留空"
    return errors


def _identified(resident: Resident, *, needs_household: bool = False) -> None:
    errors = {}
    if not 1 <= len(resident.name) <= NAME:
        errors["name"] = "请填写姓名"
    if not is_mobile(resident.mobile):
        errors["mobile"] = "请填写正确的手机号码"
    if needs_household and not 1 <= len(resident.household) <= HOUSEHOLD:
        errors["household"] = "请填写房号，例如 3 栋 2 单元 501"
    if errors:
        raise Refused(errors)


def _voice(context: Context, resident: Resident) -> str:
    """The same person's is the same for every matter, so that the support of merged matters can be counted together."""
    return context.sealer.mark("voice", resident.mobile)


def _hold(context: Context, matter: Matter, stage: Stage) -> None:
    """Keeps a matter where it is until the commit, so that nothing is taken that does not count any more; raises `NotOpen`."""
    if matter.instance_id is not None:
        instances(context).hold_instance(matter.instance_id)
        context.session.refresh(matter)
    if matter.stage != stage or matter.instance_id is None:
        raise NotOpen


def _message(context: Context, matter: Matter, name: str, data: Mapping[str, Any], *, opinion: str | None = None) -> None:
    if matter.instance_id is None:
        raise NotOpen
    try:
        instances(context).message(matter.instance_id, name, data, {"reporter": f"matter:{matter.id}"}, opinion=opinion)
    except (NothingWaits, InstanceAtRest) as error:
        raise NotOpen from error


def _known(context: Context, suggestion: Suggestion) -> Matter | None:
    """The matter that this very submission made, perhaps a moment ago in another request; a case is handed over once."""
    same = [Matter.submission_key == suggestion.submission_key]
    if suggestion.case:
        same.append(Matter.case_id == suggestion.case.id)
    return context.session.scalar(select(Matter).where(or_(*same)))


def _running_number(context: Context) -> int:
    statement = inserting(context.session, MatterNumber).values(year=context.today.year, last=1)
    counted = statement.on_conflict_do_update(index_elements=["year"], set_={"last": MatterNumber.last + 1})
    return int(context.session.execute(counted.returning(MatterNumber.last)).scalar_one())
