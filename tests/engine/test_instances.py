"""Durable instances on SQLite and PostgreSQL: one truth, once, under every kind of trouble."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Row, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from engine.audit import verify
from engine.database import writing
from engine.errors import (
    ClaimedByOther,
    InstanceAtRest,
    NoSuchTask,
    NothingToWithdraw,
    StaleRevision,
    TakenBack,
    TaskClosed,
    VersionRefused,
)
from engine.log import entries
from engine.schema import commands, incidents, instances, outbox, process_versions, task_candidates, tasks, timers
from engine.world import Advance
from tests.diagrams import Drawing, started, timer
from tests.engine.durable import LI, ZHANG, Bench, hold, package


@pytest.fixture
def bench(database: Engine) -> Bench:
    return Bench(database)


def two_steps() -> Drawing:
    return started("u", "v", "e").users("u", "v").ends("e")


def fragile() -> Drawing:
    drawing = started("u", "x").users("u", "v", "w").node("exclusiveGateway", "x").ends("e")
    return drawing.flow("x", "v", "amount > 10").flow("x", "w", "amount < 5").flow("v", "e").flow("w", "e")


def whole(bench: Bench, instance: int) -> bool:
    with bench.database.connect() as connection:
        return verify(connection, instance) == ()


def open_keys(bench: Bench) -> list[str]:
    with bench.database.connect() as connection:
        return list(connection.scalars(select(tasks.c.key).where(tasks.c.closed_at.is_(None)).order_by(tasks.c.id)))


def task_row(bench: Bench, key: str) -> Row[Any]:
    with bench.database.connect() as connection:
        return connection.execute(select(tasks).where(tasks.c.key == key)).one()


def listed(bench: Bench, key: str) -> list[str]:
    query = select(task_candidates.c.principal).join(tasks, tasks.c.id == task_candidates.c.task_id).where(tasks.c.key == key)
    with bench.database.connect() as connection:
        return list(connection.scalars(query))


def test_a_case_runs_to_its_end_and_its_log_tells_it(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())), {"title": "水管漏水"})
    bench.complete(begun.instance_id, "u#1", {"a": 1}, opinion="同意")
    done = bench.complete(begun.instance_id, "v#1", actor=LI)
    assert done.status == "finished" and done.data == {"title": "水管漏水", "a": 1}
    with bench.database.connect() as connection:
        log = entries(connection, begun.instance_id)
        row = connection.execute(select(instances)).one()
        closed = connection.execute(select(tasks.c.closed_by, tasks.c.closed_post).order_by(tasks.c.id)).all()
        left = connection.scalar(select(func.count()).select_from(task_candidates))
    assert [(e.kind, e.task_key, e.opinion) for e in log] == [("start", None, None), ("complete", "u#1", "同意"), ("complete", "v#1", None)]
    assert [tuple(row) for row in closed] == [("zhang", "grid_lead@g1"), ("li", "grid_lead@g1")]
    assert row.state is None and row.status == "finished" and left == 0
    assert log[0].facts["opened"]["u#1"]["why"] == {"rule": "grid_lead"}
    assert whole(bench, begun.instance_id)


def test_the_world_is_told_of_every_advance(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))
    bench.complete(begun.instance_id, "u#1")
    assert [(a.kind, a.open_elements, a.closed) for a in bench.world.advances] == [("start", ("u",), ()), ("complete", ("v",), ("u#1",))]


def test_the_log_refuses_change_and_loss(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))
    attempts = [
        update(commands).values(kind="complete"),
        update(commands).values(data=None),
        delete(commands),
        update(process_versions).values(name="x"),
        delete(process_versions),
    ]
    for attempt in attempts:
        with pytest.raises(DBAPIError), writing(bench.database) as connection:
            connection.execute(attempt)
    assert whole(bench, begun.instance_id)


def test_erasing_a_payload_leaves_the_chain_whole(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))
    bench.complete(begun.instance_id, "u#1", opinion="家住三楼的王女士")
    with writing(bench.database) as connection:
        connection.execute(update(commands).where(commands.c.seq == 2).values(opinion=None, erasure='{"opinion":"依申请删除"}'))
        assert entries(connection, begun.instance_id)[1].opinion is None
    assert whole(bench, begun.instance_id)


@pytest.mark.parametrize(
    "column, value",
    [("kind", "'claim'"), ("data", "'[\"00\",{}]'"), ("actor", "'{}'"), ("facts", "'{}'"), ("at", "'2026-03-02 05:00:00+00:00'")],
)
def test_verify_names_the_row_that_was_forged(bench: Bench, column: str, value: str) -> None:
    begun = bench.start(bench.publish(package(two_steps())))
    bench.complete(begun.instance_id, "u#1", {"a": 1})
    with writing(bench.database) as connection:
        drop = "DROP TRIGGER commands_freeze" + (" ON commands" if connection.dialect.name == "postgresql" else "")
        connection.execute(text(drop))
        connection.execute(text(f"UPDATE commands SET {column} = {value} WHERE seq = 2"))
        assert [finding.seq for finding in verify(connection, begun.instance_id)] == [2]


def test_verify_notices_a_forged_state(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))
    with writing(bench.database) as connection:
        connection.execute(update(instances).values(state=func.replace(instances.c.state, "u#1", "v#1")))
        assert [f.reason for f in verify(connection, begun.instance_id)] != []


def test_a_truncated_log_is_noticed(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))
    bench.complete(begun.instance_id, "u#1")
    with writing(bench.database) as connection:
        connection.execute(text("DROP TRIGGER commands_keep" + (" ON commands" if connection.dialect.name == "postgresql" else "")))
        connection.execute(delete(commands).where(commands.c.seq == 2))
        assert [(f.seq, f.reason) for f in verify(connection, begun.instance_id)] == [(2, "末尾记录缺失或哈希链头不符")]


def test_the_same_click_twice_acts_once(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))
    first = bench.complete(begun.instance_id, "u#1", idempotency_key="click-1")
    again = bench.complete(begun.instance_id, "u#1", idempotency_key="click-1")
    assert (first.repeated, again.repeated, again.seq) == (False, True, first.seq)
    assert open_keys(bench) == ["v#1"]


def test_a_late_click_learns_who_was_faster(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))
    bench.complete(begun.instance_id, "u#1", actor=LI)
    with pytest.raises(TaskClosed) as closed:
        bench.complete(begun.instance_id, "u#1")
    assert (closed.value.by, closed.value.at) == ("li", bench.clock())
    with pytest.raises(NoSuchTask):
        bench.complete(begun.instance_id, "u#7")


def test_of_many_at_once_exactly_one_completes(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))

    def attempt(number: int) -> bool:
        try:
            bench.complete(begun.instance_id, "u#1", actor={"person": f"p{number}", "post": "grid_lead", "unit": "g1"})
        except TaskClosed:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(attempt, range(32)))
    assert sum(won) == 1 and open_keys(bench) == ["v#1"] and whole(bench, begun.instance_id)


def test_a_claimed_task_is_its_owners(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))
    with bench.instances() as run:
        run.claim(hold(run, begun.instance_id, "u#1"), ZHANG)
        run.claim(hold(run, begun.instance_id, "u#1"), ZHANG)
    with pytest.raises(ClaimedByOther) as other:
        bench.complete(begun.instance_id, "u#1", actor=LI)
    assert other.value.by == "zhang"
    with bench.database.connect() as connection:
        assert list(connection.scalars(select(task_candidates.c.principal))) == ["person:zhang"]
    with bench.instances() as run:
        run.release(hold(run, begun.instance_id, "u#1"), ZHANG)
    bench.complete(begun.instance_id, "u#1", actor=LI)
    assert whole(bench, begun.instance_id)


def test_a_transferred_task_leaves_its_first_owner(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))
    with bench.instances() as run:
        run.claim(hold(run, begun.instance_id, "u#1"), ZHANG)
        run.transfer(hold(run, begun.instance_id, "u#1"), ZHANG, "post:building_lead@b1", "在其楼栋")
    with bench.database.connect() as connection:
        assert list(connection.scalars(select(task_candidates.c.principal))) == ["post:building_lead@b1"]
        assert entries(connection, begun.instance_id)[-1].opinion == "在其楼栋"
    assert whole(bench, begun.instance_id)


def test_a_diagram_that_cannot_go_on_becomes_an_incident_and_loses_nothing(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(fragile())))
    stopped = bench.complete(begun.instance_id, "u#1", {"amount": 7}, opinion="请核实")
    assert stopped.stopped and (stopped.stopped.element, stopped.stopped.rule) == ("x", "no_flow_taken")
    assert open_keys(bench) == ["u#1"] and whole(bench, begun.instance_id)
    with bench.instances() as run:
        again = run.retry(stopped.stopped.incident_id, LI)
    assert again.stopped and open_keys(bench) == ["u#1"]
    done = bench.complete(begun.instance_id, "u#1", {"amount": 70})
    assert done.stopped is None and open_keys(bench) == ["v#1"] and whole(bench, begun.instance_id)
    with bench.database.connect() as connection:
        assert connection.scalar(select(func.count()).where(incidents.c.resolved_at.is_(None))) == 0


def test_an_incident_is_retried_after_correction_as_the_one_who_acted(bench: Bench) -> None:
    drawing = started("u", "x", "e").users("u").node("scriptTask", "x", "<script>total = price * 2</script>").ends("e")
    begun = bench.start(bench.publish(package(drawing)))
    stopped = bench.complete(begun.instance_id, "u#1").stopped
    assert stopped and (stopped.element, stopped.rule) == ("x", "missing_variable")
    with bench.instances() as run:
        done = run.retry(stopped.incident_id, LI, {"price": 4})
    assert done.status == "finished" and done.data == {"price": 4, "total": 8} and whole(bench, begun.instance_id)
    with bench.database.connect() as connection:
        last = entries(connection, begun.instance_id)[-1]
    assert (last.kind, last.actor["person"], last.facts["retried_by"]["person"]) == ("complete", "zhang", "li")


def test_what_is_mended_wins_over_what_was_said(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(fragile())))
    stopped = bench.complete(begun.instance_id, "u#1", {"amount": 7}).stopped
    assert stopped
    with bench.instances() as run:
        done = run.retry(stopped.incident_id, LI, {"amount": 70})
    assert done.stopped is None and done.data["amount"] == 70 and open_keys(bench) == ["v#1"] and whole(bench, begun.instance_id)
    with bench.database.connect() as connection:
        assert entries(connection, begun.instance_id)[-1].facts["corrected"] == ["amount"]


def open_incidents(bench: Bench) -> int:
    with bench.database.connect() as connection:
        return connection.scalar(select(func.count()).where(incidents.c.resolved_at.is_(None))) or 0


def test_mending_one_incident_leaves_the_others_open(bench: Bench) -> None:
    drawing = started("g").node("parallelGateway", "g").users("u", "v").ends("e", "e2")
    for task, price, end in (("u", "a", "e"), ("v", "b", "e2")):
        drawing.node("scriptTask", f"x{task}", f"<script>t = {price} * 2</script>").chain("g", task, f"x{task}", end)
    begun = bench.start(bench.publish(package(drawing)))
    first = bench.complete(begun.instance_id, "u#1").stopped
    assert first and bench.complete(begun.instance_id, "v#1").stopped and open_incidents(bench) == 2
    with bench.instances() as run:
        assert run.retry(first.incident_id, LI, {"a": 1}).stopped is None
    assert open_incidents(bench) == 1


def test_a_rewind_or_an_interruption_ends_an_incident(bench: Bench) -> None:
    late = fragile().node("boundaryEvent", "b", timer("duration", "PT2H"), attachedToRef="u").flow("b", "v")
    version = bench.publish(package(late))
    begun = bench.start(version)
    assert bench.complete(begun.instance_id, "u#1", {"amount": 7}).stopped and open_incidents(bench) == 1
    bench.clock.pass_by(timedelta(hours=2))
    with bench.instances() as run:
        assert run.fire(begun.instance_id, "b#1")
    assert open_incidents(bench) == 0 and open_keys(bench) == ["v#1"]
    with bench.instances() as run:
        run.rewind(begun.instance_id, 1, LI, "重办")
    assert bench.complete(begun.instance_id, "u#2", {"amount": 7}).stopped and open_incidents(bench) == 1
    with bench.instances() as run:
        run.rewind(begun.instance_id, 1, LI, "重办")
    assert open_incidents(bench) == 0 and whole(bench, begun.instance_id)


def test_a_start_that_fails_is_kept_and_can_be_retried(bench: Bench) -> None:
    drawing = started("x", "u", "e").node("scriptTask", "x", "<script>total = price * 2</script>").users("u").ends("e")
    begun = bench.start(bench.publish(package(drawing)))
    assert begun.stopped
    with bench.instances() as run:
        done = run.retry(begun.stopped.incident_id, LI, {"price": 4})
    assert done.data["total"] == 8 and open_keys(bench) == ["u#1"] and whole(bench, begun.instance_id)


def test_timers_fire_when_due_and_once(bench: Bench) -> None:
    drawing = two_steps().node("boundaryEvent", "b", timer("duration", "PT2H"), attachedToRef="u").flow("b", "v")
    begun = bench.start(bench.publish(package(drawing)))

    def fire() -> Advance | None:
        with bench.instances() as run:
            return run.fire(begun.instance_id, "b#1")

    assert fire() is None
    bench.clock.pass_by(timedelta(hours=2))
    fired = fire()
    assert fired and fired.open_elements == ("v",) and fire() is None
    with bench.database.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(timers)) == 0
        assert connection.execute(select(tasks.c.outcome).where(tasks.c.key == "u#1")).scalar() == "cancelled"
    assert whole(bench, begun.instance_id)


def test_a_timer_that_cannot_go_on_is_parked(bench: Bench) -> None:
    drawing = started("u", "e").users("u").ends("e").node("scriptTask", "x", "<script>total = price * 2</script>").flow("x", "e")
    drawing = drawing.node("boundaryEvent", "b", timer("duration", "PT2H"), attachedToRef="u", cancelActivity="false").flow("b", "x")
    begun = bench.start(bench.publish(package(drawing)))
    bench.clock.pass_by(timedelta(hours=3))
    with bench.instances() as run:
        fired = run.fire(begun.instance_id, "b#1")
        assert fired and fired.stopped
        assert run.fire(begun.instance_id, "b#1") is None
    assert whole(bench, begun.instance_id)
    with bench.instances() as run:
        assert run.retry(fired.stopped.incident_id, LI, {"price": 3}).stopped is None
    assert whole(bench, begun.instance_id)


def test_rewinding_goes_back_and_the_log_goes_on(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())), {"a": 0})
    bench.complete(begun.instance_id, "u#1", {"a": 1})
    with bench.instances() as run:
        back = run.rewind(begun.instance_id, 1, LI, "填错了")
    assert back.data == {"a": 0} and open_keys(bench) == ["u#2"] and whole(bench, begun.instance_id)
    bench.complete(begun.instance_id, "u#2", {"a": 2})
    bench.complete(begun.instance_id, "v#2")
    assert whole(bench, begun.instance_id)


def test_what_was_just_done_is_taken_back_and_stands_as_before(bench: Bench) -> None:
    drawing = started("g").node("parallelGateway", "g").users("u", "v", "w").ends("e", "e2")
    begun = bench.start(
        bench.publish(package(drawing.flow("g", "u").flow("g", "v").flow("u", "w").chain("w", "e").flow("v", "e2"))), {"a": 0}
    )
    with bench.instances() as run:
        run.claim(hold(run, begun.instance_id, "u#1"), ZHANG)
    before = task_row(bench, "u#1")
    bench.clock.pass_by(timedelta(hours=1))
    bench.complete(begun.instance_id, "u#1", {"a": 1})
    with bench.instances() as run:
        back = run.withdraw(hold(run, begun.instance_id, "u#1"), ZHANG, "填错了", before.notice_at)
    assert back.data == {"a": 0} and sorted(open_keys(bench)) == ["u#1", "v#1"] and task_row(bench, "u#1") == before
    assert listed(bench, "u#1") == ["person:zhang"] and listed(bench, "v#1") == ["post:grid_lead@g1"] and whole(bench, begun.instance_id)
    bench.complete(begun.instance_id, "u#1", {"a": 2})
    assert sorted(open_keys(bench)) == ["v#1", "w#2"] and whole(bench, begun.instance_id)
    with bench.database.connect() as connection:
        last = entries(connection, begun.instance_id)[3]
    assert (last.kind, last.task_key, last.data, last.opinion) == ("withdraw", "u#1", {"to": 2}, "填错了")


def test_what_somebody_has_followed_or_was_told_of_is_not_taken_back(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))
    bench.complete(begun.instance_id, "u#1")

    def back(key: str, who: dict[str, str] = ZHANG) -> None:
        with pytest.raises(NothingToWithdraw), bench.instances() as run:
            run.withdraw(hold(run, begun.instance_id, key), who, "填错了", None)

    back("u#1", LI)
    back("v#1")
    with bench.instances() as run:
        run.claim(hold(run, begun.instance_id, "v#1"), LI)
    back("u#1")
    bench.complete(begun.instance_id, "v#1", actor=LI)
    with pytest.raises(InstanceAtRest), bench.instances() as run:
        run.withdraw(hold(run, begun.instance_id, "v#1"), LI, "填错了", None)
    asks = '<extensionElements><wz:service name="sms"/></extensionElements>'
    telling = started("u", "t", "v", "e").users("u", "v").ends("e").node("serviceTask", "t", asks)
    begun = bench.start(bench.publish(package(telling)))
    bench.complete(begun.instance_id, "u#1")
    back("u#1")
    assert whole(bench, begun.instance_id)


def test_limits_go_on_as_if_nothing_had_been_done(bench: Bench) -> None:
    drawing = two_steps().node("boundaryEvent", "b", timer("duration", "PT2H"), attachedToRef="u").flow("b", "v")
    begun = bench.start(bench.publish(package(drawing)))
    with bench.database.connect() as connection:
        due = connection.scalar(select(timers.c.due_at))
    bench.clock.pass_by(timedelta(hours=1))
    bench.complete(begun.instance_id, "u#1")
    with bench.instances() as run:
        run.withdraw(hold(run, begun.instance_id, "u#1"), ZHANG, "填错了", None)
    with bench.database.connect() as connection:
        assert connection.scalar(select(timers.c.due_at)) == due
    assert whole(bench, begun.instance_id)


def test_what_ended_other_tasks_stays_done(bench: Bench) -> None:
    loop = "<loopCardinality>3</loopCardinality><completionCondition>nrOfCompletedInstances &gt;= 2</completionCondition>"
    several = f"<multiInstanceLoopCharacteristics>{loop}</multiInstanceLoopCharacteristics>"
    drawing = started("u").node("userTask", "u", several).users("v").ends("e").flow("u", "v").flow("v", "e")
    begun = bench.start(bench.publish(package(drawing)))
    first, second, _ = sorted(open_keys(bench))
    bench.complete(begun.instance_id, first)
    bench.complete(begun.instance_id, second)
    with pytest.raises(NothingToWithdraw), bench.instances() as run:
        run.withdraw(hold(run, begun.instance_id, second), ZHANG, "填错了", None)
    assert open_keys(bench) == ["v#1"] and whole(bench, begun.instance_id)


def test_an_old_page_is_told_that_what_it_sent_was_taken_back(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))

    def send() -> None:
        with bench.instances() as run:
            run.complete(hold(run, begun.instance_id, "u#1"), {"a": 1}, ZHANG, idempotency_key="page")

    send()
    send()
    with bench.instances() as run:
        run.withdraw(hold(run, begun.instance_id, "u#1"), ZHANG, "填错了", None)
    with pytest.raises(TakenBack):
        send()
    assert open_keys(bench) == ["u#1"] and whole(bench, begun.instance_id)


def test_an_old_page_cannot_rewind_what_has_moved_on(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))
    bench.complete(begun.instance_id, "u#1")
    with pytest.raises(StaleRevision), bench.instances() as run:
        run.rewind(begun.instance_id, 1, LI, "填错了", revision=1)


def test_a_suspended_instance_rests_until_resumed(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))
    with bench.instances() as run:
        run.suspend(begun.instance_id, LI, "涉诉")
    with pytest.raises(InstanceAtRest):
        bench.complete(begun.instance_id, "u#1")
    with bench.instances() as run:
        run.resume(begun.instance_id, LI, "判决已生效")
    bench.complete(begun.instance_id, "u#1")
    assert whole(bench, begun.instance_id)


def test_a_cancelled_instance_is_over_but_not_gone(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))
    with bench.instances() as run:
        assert run.cancel(begun.instance_id, LI, "重复登记").status == "cancelled"
    assert open_keys(bench) == [] and whole(bench, begun.instance_id)
    with pytest.raises(InstanceAtRest), bench.instances() as run:
        run.rewind(begun.instance_id, 1, LI, "恢复")


def test_lookups_are_asked_once_and_replayed_from_the_record(bench: Bench) -> None:
    bench.world.answers = {"holder": {"unit": "g1"}}
    begun = bench.start(bench.publish(package(started("x", "u", "e").rule("x", lookup="holder").users("u").ends("e"))))
    bench.world.answers = {"holder": {"unit": "g9"}}
    assert begun.data == {"unit": "g1"} and whole(bench, begun.instance_id)


def test_foreseeing_writes_nothing(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))
    with bench.instances() as run:
        seen = run.foresee(begun.instance_id, "u#1", {"a": 1}, ZHANG)
    assert [(opening.element, assignment.principals) for opening, assignment in seen.next] == [("v", ("post:grid_lead@g1",))]
    assert open_keys(bench) == ["u#1"] and whole(bench, begun.instance_id)


def test_what_is_thrown_leaves_through_the_outbox(bench: Bench) -> None:
    drawing = started("x", "e").node("serviceTask", "x", '<extensionElements><wz:service name="sms"/></extensionElements>').ends("e")
    begun = bench.start(bench.publish(package(drawing)), {"text": "已受理"})
    with bench.database.connect() as connection:
        sent = connection.execute(select(outbox.c.kind, outbox.c.name, outbox.c.body)).one()
    assert tuple(sent) == ("service", "x", '{"text":"已受理"}')
    with bench.instances() as run:
        assert run.service_result(begun.instance_id, "x", {"sent": True}).status == "finished"
    assert whole(bench, begun.instance_id)


def test_an_unpublishable_package_is_refused(bench: Bench) -> None:
    with pytest.raises(VersionRefused) as refused:
        bench.publish(package(started("u").users("u")))
    assert [p.rule for p in refused.value.problems] == ["dead_end"]


def test_a_crash_before_the_commit_leaves_nothing(bench: Bench) -> None:
    begun = bench.start(bench.publish(package(two_steps())))
    with pytest.raises(RuntimeError), bench.instances() as run:
        run.complete(hold(run, begun.instance_id, "u#1"), {}, ZHANG)
        raise RuntimeError
    assert open_keys(bench) == ["u#1"] and whole(bench, begun.instance_id)


def test_a_task_is_read_as_it_is_once_its_instance_is_free(database: Engine) -> None:
    """Who waits for the lock sees what its holder did to the task, and neither blocks the other."""
    if database.dialect.name == "sqlite":
        pytest.skip("writers follow each other on SQLite")
    bench = Bench(database)
    task = next(iter(bench.start(bench.publish(package(two_steps()))).opened))
    with ThreadPoolExecutor(1) as somebody:
        with bench.instances() as run:
            holding = run.hold(task)
            seen = somebody.submit(_claimed_by, bench, task)
            _until_somebody_waits(database)
            run.claim(holding, ZHANG)
        assert seen.result(timeout=10) == ZHANG["person"]


def _claimed_by(bench: Bench, task: int) -> object:
    with bench.instances() as run:
        return run.hold(task).task["claimed_by"]


def _until_somebody_waits(database: Engine) -> None:
    with database.connect() as connection:
        for _ in range(200):
            if connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                return
            time.sleep(0.02)
    raise AssertionError("nobody waited")
