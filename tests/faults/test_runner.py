"""The runner: what is due happens once, what fails rests, and the record stays whole."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from engine.log import entries
from engine.schema import incidents, tasks, timers
from engine.schema import instances as instance_rows
from engine.versions import publish
from governance.context import Context
from governance.workflow.world import instances
from jobs.runner import BATCH, MOST
from tests.diagrams import started, timer
from tests.district import District
from tests.engine.durable import package
from tests.faults.people import report

ACTOR = {"person": "1", "post": "grid_worker", "unit": "1"}


def reported(district: District) -> tuple[int, int]:
    """The instance and the first task of a fresh case."""
    report(district.app())
    with district.office.database.connect() as connection:
        row = connection.execute(select(tasks.c.instance_id, tasks.c.id).where(tasks.c.closed_at.is_(None))).one()
    return row.instance_id, row.id


def kinds(district: District, instance: int) -> list[str]:
    with district.office.database.connect() as connection:
        return [e.kind for e in entries(connection, instance)]


def test_each_reminder_comes_once(district: District) -> None:
    instance, _task = reported(district)
    district.clock.pass_by(days=10)
    for _ in range(3):
        district.tick()
    assert kinds(district, instance) == ["start", "message", "message", "message"] and district.findings() == []


def test_a_closed_task_reminds_nobody(district: District) -> None:
    instance, task = reported(district)
    with district.office.work() as context:
        run = instances(context)
        run.complete(run.hold(task), {"accept_result": "accept", "category": "0205"}, ACTOR | {"unit": _place(context, instance)})
        context.session.connection().execute(update(tasks).where(tasks.c.id == task).values(notice_at=district.clock()))
    before = len(kinds(district, instance))
    district.office.runner.tick()
    assert len(kinds(district, instance)) == before


def test_a_suspended_instance_is_left_alone(district: District) -> None:
    instance, _task = reported(district)
    with district.office.work() as context:
        instances(context).suspend(instance, ACTOR, "涉诉")
    district.tick()
    district.clock.pass_by(days=10)
    assert district.office.runner.tick() == 0 and kinds(district, instance) == ["start", "suspend"]


def test_what_fails_rests_and_leaves_the_record_whole(district: District) -> None:
    instance, task = reported(district)
    with district.office.work() as context:
        run = instances(context)
        asked = {"accept_result": "supplement", "category": "0205", "supplement_wanted": "请说明楼层"}
        run.complete(run.hold(task), asked, {"person": "1", "post": "grid_worker", "unit": _place(context, instance)})
    district.clock.pass_by(days=4)
    runner, tries = district.office.runner, []

    def fails(context: Context) -> None:
        tries.append(context.now())
        raise RuntimeError("disk full")

    with district.office.database.connect() as connection:
        armed = connection.execute(select(timers)).one()
    for _ in range(3):
        assert runner._alone("timer", (armed.instance_id, armed.key), None, fails) == 0
    assert len(tries) == 1 and district.findings() == []
    district.clock.at += timedelta(minutes=2)
    runner._alone("timer", (armed.instance_id, armed.key), None, fails)
    assert len(tries) == 2
    district.tick()
    assert "timer" in kinds(district, instance) and district.findings() == []


def test_a_clock_put_back_makes_nothing_rest_longer(district: District) -> None:
    runner, tries = district.office.runner, []

    def fails(context: Context) -> None:
        tries.append(context.now())
        raise RuntimeError("broken")

    for hours in (0, -5):
        district.clock.pass_by(hours=hours)
        runner._alone("timer", 1, None, fails)
    assert len(tries) == 2


def test_what_fails_for_want_of_a_database_rests_only_a_moment(district: District) -> None:
    runner, tries = district.office.runner, []

    def away(context: Context) -> None:
        tries.append(context.now())
        raise OperationalError("SELECT", {}, Exception("the server closed the connection"))

    for seconds in (0, 1, 2):
        district.clock.pass_by(seconds=seconds)
        runner._alone("timer", 1, None, away)
    assert len(tries) == 2


def test_more_that_are_stuck_than_a_runner_looks_at_hide_nobody(district: District) -> None:
    drawn = started("t", "e").node("intermediateCatchEvent", "t", timer("duration", "PT1H")).ends("e")
    with district.office.work() as context:
        version = publish(context.session.connection(), context.new_id(), package(drawn), context.now(), by="test", reason="test")
        ids = [instances(context).start(version, {}, ACTOR, business_key="t").instance_id for _ in range(BATCH + 5)]
        stuck = instance_rows.c.id.in_(ids[:-1])
        kept = context.session.connection().scalar(select(instance_rows.c.state).where(instance_rows.c.id == ids[0]))
        context.session.connection().execute(update(instance_rows).where(stuck).values(state="{"))
    district.clock.pass_by(hours=2)
    runner = district.office.runner
    for _ in range(2):
        runner.steps["timers"]()
    assert kinds(district, ids[-1]) == ["start", "timer"] and kinds(district, ids[0]) == ["start"]
    with district.office.work() as context:
        context.session.connection().execute(update(instance_rows).where(stuck).values(state=kept))
    district.clock.pass_by(minutes=2)
    district.tick()
    assert district.findings() == []


def test_what_fails_again_and_again_becomes_an_incident_that_can_be_retried(district: District) -> None:
    drawn = started("t", "e").node("intermediateCatchEvent", "t", timer("duration", "PT1H")).ends("e")
    with district.office.work() as context:
        version = publish(context.session.connection(), context.new_id(), package(drawn), context.now(), by="test", reason="test")
        poisoned = instances(context).start(version, {}, ACTOR, business_key="t").instance_id
        row = instance_rows.c.id == poisoned
        kept = context.session.connection().scalar(select(instance_rows.c.state).where(row))
        context.session.connection().execute(update(instance_rows).where(row).values(state="{"))
    district.clock.pass_by(hours=2)
    runner = district.office.runner
    for _ in range(MOST + 1):
        runner.tick()
        district.clock.pass_by(minutes=2)
    assert kinds(district, poisoned) == ["start", "incident"]
    with district.office.work() as context:
        connection = context.session.connection()
        incident = connection.execute(select(incidents)).one()
        assert incident.rule == "timer_failed" and incident.element == "t" and connection.execute(select(timers)).first() is None
        connection.execute(update(instance_rows).where(row).values(state=kept))
        assert instances(context).retry(incident.id, ACTOR).status == "finished"
    assert district.findings() == []


def _place(context: Context, instance: int) -> str:
    from engine.log import loads

    state = context.session.connection().scalar(select(instance_rows.c.state).where(instance_rows.c.id == instance))
    return str(loads(state or "{}")["data"]["place_unit"])
