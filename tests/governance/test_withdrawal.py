"""取回 on SQLite and PostgreSQL: who has just finished a task has it back as it was, until somebody goes on from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.errors import InstanceAtRest, NothingToWithdraw
from engine.log import entries
from engine.schema import tasks
from governance.errors import NotAllowed, Refused
from governance.starting.models import Started
from governance.workflow.commands import claim, complete, desk
from governance.workflow.rules import ACTIONS
from governance.workflow.withdrawal import filled_before, may_withdraw, withdraw
from governance.workflow.world import has_acted
from tests.district import MONDAY, District
from tests.governance.test_starting import Office, leave

ALLOW = b'<wz:actions allow="transfer,withdraw,urge,copy" />'


@pytest.fixture
def office(district: District) -> Iterator[Office]:
    """A unit of work with a request that waits for its approval; nothing of it is kept."""
    district.clock.at = MONDAY
    with district.office.work() as context, context.session.begin_nested() as savepoint:
        made = Office(district, context)
        made.publish()
        yield made
        savepoint.rollback()


def returned(office: Office) -> tuple[Started, int]:
    """A request that its lead has just sent back, and the task by which they did."""
    held = office.begun()
    task = office.open(held)
    complete(office.context, office.lead, task.id, {"decision": "return"}, opinion="改到周三")
    return held, task.id


def test_what_was_just_done_is_open_again_with_what_was_filled_in(office: Office) -> None:
    held = office.begun()
    before = office.open(held)
    office.district.clock.pass_by(hours=3)
    complete(office.context, office.lead, before.id, {"decision": "return"}, opinion="改到周三")
    assert may_withdraw(office.context, office.lead, desk(office.context, before.id))
    withdraw(office.context, office.lead, before.id, " 填错了 ")
    assert office.open(held) == before, "its limit, its reminders and those who may do it, too"
    assert filled_before(office.context, desk(office.context, before.id)) == {"decision": ["return"], "opinion": ["改到周三"]}
    last = entries(office.context.session.connection(), held.instance_id or 0)[-1]
    assert (last.kind, last.opinion, last.actor["post"]) == ("withdraw", "填错了", "grid_lead")
    complete(office.context, office.lead, before.id, {"decision": "agree"})
    assert held.ended == "已同意" and office.district.findings() == []


def test_nobody_else_takes_it_back_and_a_reason_is_given(office: Office) -> None:
    _, task_id = returned(office)
    with pytest.raises(NotAllowed):
        withdraw(office.context, office.worker, task_id, "填错了")
    assert not may_withdraw(office.context, office.worker, desk(office.context, task_id))
    for reason in ("  ", "长" * 301):
        with pytest.raises(Refused, match="请写明原因"):
            withdraw(office.context, office.lead, task_id, reason)


def test_once_the_next_has_begun_it_is_too_late(office: Office) -> None:
    held, task_id = returned(office)
    claim(office.context, office.worker, office.open(held).id)
    assert not may_withdraw(office.context, office.lead, desk(office.context, task_id))
    with pytest.raises(NothingToWithdraw, match="不能取回"):
        withdraw(office.context, office.lead, task_id, "填错了")


def test_what_has_ended_stays_ended(office: Office) -> None:
    held = office.begun()
    task = office.open(held)
    complete(office.context, office.lead, task.id, {"decision": "agree"})
    assert not may_withdraw(office.context, office.lead, desk(office.context, task.id))
    with pytest.raises(InstanceAtRest):
        withdraw(office.context, office.lead, task.id, "填错了")


def test_where_the_diagram_does_not_allow_it_nobody_has_anything_back(office: Office) -> None:
    office.publish(leave((ALLOW, b'<wz:actions allow="transfer" />')))
    _, task_id = returned(office)
    assert not may_withdraw(office.context, office.lead, desk(office.context, task_id))
    with pytest.raises(NotAllowed):
        withdraw(office.context, office.lead, task_id, "填错了")


def test_what_has_acted_outside_stays_done(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    _, task_id = returned(office)
    done = entries(office.context.session.connection(), desk(office.context, task_id).task["instance_id"])[-1]
    assert not has_acted(done) and not has_acted(replace(done, facts={"answers": [["x#1", "first_tier", {}]]}))
    assert has_acted(replace(done, facts={"answers": [["x#1", "turn_into_case", {}]]}))
    monkeypatch.setattr("governance.workflow.withdrawal.has_acted", lambda entry: entry == done)
    assert not may_withdraw(office.context, office.lead, desk(office.context, task_id))
    with pytest.raises(NothingToWithdraw):
        withdraw(office.context, office.lead, task_id, "填错了")


def test_it_is_taken_back_once(office: Office) -> None:
    _, task_id = returned(office)
    withdraw(office.context, office.lead, task_id, "填错了")
    with pytest.raises(NotAllowed):
        withdraw(office.context, office.lead, task_id, "填错了")


def test_who_was_to_go_on_is_told_that_it_was_taken_back(office: Office) -> None:
    held, task_id = returned(office)
    taken = office.open(held).id
    withdraw(office.context, office.lead, task_id, "填错了")
    row = office.context.session.connection().execute(tasks.select().where(tasks.c.id == taken)).one()
    assert row.outcome == "cancelled" and row.closed_at is not None
    assert ACTIONS["withdraw"] == "取回"
