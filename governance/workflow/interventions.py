"""What people do to a case from beside its tasks: the reporter withdraws, a leader supervises, a handler asks for the contact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from engine.errors import InstanceAtRest, NothingWaits
from engine.schema import task_candidates, tasks
from engine.world import Advance
from governance.cases.models import Case
from governance.context import Actor, Context
from governance.errors import GovernanceError, NotAllowed, Refused
from governance.workflow.rules import given_reason
from governance.workflow.world import instances

LEAST_REASON = 4
WITHDRAWS, SUPERVISE = "reporter_withdraws", "supervise"
SUPERVISORS = ("district_leader", "joint_office_lead")
CONFIDENTIAL_FOR = ("grid_worker", "community_worker", "joint_office")
"""Who may contact a reporter that asked for secrecy: who receives the report, and who calls back; never who handles it."""


class TooLate(GovernanceError):
    """事项已进入核查或已办结，不能再进行此操作。"""


class NoContact(GovernanceError):
    """反映人没有留下联系方式。"""


@dataclass(frozen=True)
class Contact:
    """How to reach the reporter."""

    name: str
    mobile: str


def withdraw(context: Context, case: Case, reason: str) -> Advance:
    """撤回 by the reporter; whether it is granted, the process decides. Raises `TooLate`, `Refused`."""
    return _message(context, case, WITHDRAWS, {}, {"reporter": str(case.id)}, given_reason(reason))


def supervise(context: Context, actor: Actor, case: Case, instruction: str, days: int) -> Advance:
    """督办: a leader gives an instruction that must be answered within so many working days; raises `NotAllowed`, `TooLate`."""
    if not actor.holds(*SUPERVISORS):
        raise NotAllowed
    if not 1 <= days <= 30:
        raise Refused({"days": "回复期限应为 1 至 30 个工作日"})
    said = given_reason(instruction)
    return _message(context, case, SUPERVISE, {"instruction": said, "supervision_days": days}, actor.record(), said)


def reveal_contact(context: Context, actor: Actor, case: Case, reason: str) -> Contact:
    """The reporter's contact, for who has a task of the case; every look is written into its log. Raises `NotAllowed`, `NoContact`."""
    if not may_contact(actor, case) or not _works_on(context, actor, case):
        raise NotAllowed
    if case.contact_mobile is None or case.instance_id is None:
        raise NoContact
    why = given_reason(reason)
    if len(why) < LEAST_REASON:
        raise Refused({"reason": f"请写明原因，至少 {LEAST_REASON} 个字"})
    instances(context).note(case.instance_id, "reveal", actor.record(), opinion=why)
    unseal = context.sealer.unseal
    return Contact(unseal(case.contact_name) if case.contact_name else "", unseal(case.contact_mobile))


def may_contact(actor: Actor, case: Case) -> bool:
    """Whether the posts of somebody who works on the case let them see the reporter's contact."""
    return not case.is_confidential or actor.holds(*CONFIDENTIAL_FOR)


def _works_on(context: Context, actor: Actor, case: Case) -> bool:
    mine = (
        select(tasks.c.id)
        .join(task_candidates, task_candidates.c.task_id == tasks.c.id)
        .where(tasks.c.instance_id == case.instance_id, task_candidates.c.principal.in_(actor.principals))
    )
    return context.session.connection().scalar(mine.limit(1)) is not None


def _message(context: Context, case: Case, name: str, data: Mapping[str, Any], actor: Mapping[str, Any], opinion: str) -> Advance:
    if case.instance_id is None:
        raise TooLate
    try:
        return instances(context).message(case.instance_id, name, data, actor, opinion=opinion)
    except (NothingWaits, InstanceAtRest) as error:
        raise TooLate from error
