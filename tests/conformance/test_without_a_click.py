"""What is due happens once, at both sizes, whatever becomes of the broker, of a worker, or of a second beat."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from sqlalchemy import func, select

from engine.schema import commands, outbox, timers
from governance.calendar.models import CalendarChange
from governance.cases.models import Case
from tests.conformance.conftest import Deployment, end, until
from tests.district import District
from tests.journeys.matters import Matter, place, reported

MATTERS = 24


def asked(district: District, number: int) -> Matter:
    """A matter whose reporter was asked for more, months ago: its timer and its reminders are due."""
    found = reported(district, place(1 + number % 9), f"第 {number} 处路灯不亮。")
    return found.do(accept_result="supplement", category="0202", supplement_wanted="请问是哪一盏？")


def kinds(district: District, matter: Matter) -> Counter[str]:
    """How often the log says what; reminders by their stage."""
    with district.office.work() as context:
        instance_id = context.session.get_one(Case, matter.case_id).instance_id
        rows = context.session.connection().execute(select(commands.c.kind).where(commands.c.instance_id == instance_id))
        return Counter(row.kind for row in rows)


def is_quiet(district: District) -> bool:
    """Nothing is due any more."""
    with district.office.work() as context:
        connection = context.session.connection()
        waiting = connection.scalar(select(func.count()).select_from(timers)) or 0
        unsent = connection.scalar(select(func.count()).select_from(outbox).where(outbox.c.done_at.is_(None))) or 0
        changes = context.session.get_one(CalendarChange, 1)
        return waiting + unsent == 0 and changes.followed == changes.count


def test_what_is_due_happens_once(deployment: Deployment) -> None:
    matters = [asked(deployment.district, n) for n in range(6)]
    deployment.serve()
    until(lambda: is_quiet(deployment.district))
    assert [kinds(deployment.district, matter)["timer"] for matter in matters] == [1] * len(matters)
    assert deployment.district.findings() == []


def test_two_workers_and_two_beats_do_everything_once(production: Deployment) -> None:
    matters = [asked(production.district, n) for n in range(MATTERS)]
    production.serve()
    production.start("worker")
    production.start("beat")
    until(lambda: is_quiet(production.district))
    assert [kinds(production.district, matter)["timer"] for matter in matters] == [1] * MATTERS
    assert production.district.findings() == []


def test_a_lost_broker_delays_nothing_beyond_the_next_poll(production: Deployment) -> None:
    broker = production.start_redis()
    production.start("worker")
    production.start("beat")
    first = asked(production.district, 1)
    until(lambda: kinds(production.district, first)["timer"] == 1)
    end(broker)
    second = asked(production.district, 2)
    begun = time.monotonic()
    until(lambda: kinds(production.district, second)["timer"] == 1)
    assert time.monotonic() - begun < 20
    production.start_redis()
    third = asked(production.district, 3)
    until(lambda: kinds(production.district, third)["timer"] == 1)
    assert production.district.findings() == []


@pytest.mark.parametrize("seconds", [1.0, 2.5])
def test_a_killed_worker_leaves_its_work_to_the_next(production: Deployment, seconds: float) -> None:
    matters = [asked(production.district, n) for n in range(MATTERS)]
    production.start_redis()
    killed = production.start("worker")
    production.start("beat")
    time.sleep(seconds)
    end(killed)
    production.start("worker")
    until(lambda: is_quiet(production.district))
    assert [kinds(production.district, matter)["timer"] for matter in matters] == [1] * MATTERS
    assert production.district.findings() == []
