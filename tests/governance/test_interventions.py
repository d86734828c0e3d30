"""Beside the tasks: withdrawal, supervision, and looks at a reporter's contact."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine.log import entries
from engine.schema import tasks
from governance.cases.commands import Report
from governance.cases.models import Case
from governance.context import Actor, Context
from governance.errors import NotAllowed, Refused
from governance.identity.models import Account
from governance.intake.commands import report
from governance.organisation.models import Unit
from governance.people.queries import appointments_of
from governance.workflow.commands import complete
from governance.workflow.interventions import NoContact, TooLate, reveal_contact, supervise, withdraw


def somebody(context: Context, username: str) -> Actor:
    person = context.session.scalars(select(Account).where(Account.username == username)).one().person
    held = tuple(appointments_of(context.session, person.id, context.today))
    return Actor(person.id, person.name, held[0], held)


def a_case(context: Context, *, mobile: str = "13800001234", confidential: bool = False) -> Case:
    place = context.session.scalars(select(Unit).where(Unit.code == "5001990010010000100001")).one()
    key = f"k-{context.new_id()}"
    return report(
        context, Report("水管漏水", place, "居民自报", key, contact_name="王女士", contact_mobile=mobile, is_confidential=confidential)
    )[0]


def open_task(context: Context, case: Case) -> int:
    found = context.session.connection().scalar(
        select(tasks.c.id).where(tasks.c.instance_id == case.instance_id, tasks.c.closed_at.is_(None))
    )
    assert found
    return int(found)


def test_a_reporter_withdraws_before_the_check(context: Context) -> None:
    case = a_case(context)
    withdraw(context, case, "已经自己修好了")
    assert (case.status, case.close_code, case.reply_text) == ("已撤回", "居民撤回", "已按您的申请撤回。")
    with pytest.raises(TooLate):
        withdraw(context, case, "再撤一次")


def test_a_reason_is_asked_for(context: Context) -> None:
    with pytest.raises(Refused):
        withdraw(context, a_case(context), " ")


def test_who_works_on_a_case_sees_the_contact_and_the_log_says_so(context: Context) -> None:
    case = a_case(context)
    contact = reveal_contact(context, somebody(context, "wanggeyuan"), case, "联系核实地址")
    assert (contact.name, contact.mobile) == ("王女士", "13800001234")
    assert case.instance_id
    last = entries(context.session.connection(), case.instance_id)[-1]
    assert (last.kind, last.opinion) == ("reveal", "联系核实地址")
    stored = context.session.scalars(select(Case.contact_mobile).where(Case.id == case.id)).one()
    assert stored and "13800001234" not in stored


@pytest.mark.parametrize("username", ["bumen", "wangge05", "guanli", "shenji"])
def test_who_does_not_work_on_it_does_not(context: Context, username: str) -> None:
    with pytest.raises(NotAllowed):
        reveal_contact(context, somebody(context, username), a_case(context), "想看看")


def test_a_confidential_reporter_is_known_to_few(context: Context) -> None:
    case = a_case(context, confidential=True)
    worker = somebody(context, "wanggeyuan")
    assert reveal_contact(context, worker, case, "电话核实").mobile == "13800001234"
    for result in (
        {"accept_result": "accept", "category": "0205"},
        {"grade_result": "handle", "category": "0205", "priority": "P3", "level": "tiered"},
    ):
        complete(context, worker, open_task(context, case), result)
    with pytest.raises(NotAllowed):
        reveal_contact(context, somebody(context, "loudong"), case, "联系")


def test_an_anonymous_reporter_cannot_be_reached(context: Context) -> None:
    with pytest.raises(NoContact):
        reveal_contact(context, somebody(context, "wanggeyuan"), a_case(context, mobile=""), "联系")


def test_a_leader_supervises_beside_the_flow(context: Context) -> None:
    case = a_case(context)
    advance = supervise(context, somebody(context, "lingdao"), case, "请三日内办结并回复。", 3)
    assert "accept_case" in advance.open_elements and len(advance.open_elements) == 2
    with pytest.raises(NotAllowed):
        supervise(context, somebody(context, "wangge"), case, "快办", 3)


def test_identities_never_reach_the_log(context: Context) -> None:
    case = a_case(context)
    assert case.instance_id
    told = [str((e.data, e.actor, e.facts)) for e in entries(context.session.connection(), case.instance_id)]
    assert not [text for text in told if "13800001234" in text or "王女士" in text]
