"""Instances that move to another version, and back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from engine.audit import verify
from engine.errors import InstanceAtRest, NothingToUndo, PlanRefused, Unanswered, WrongVersion
from engine.log import entries, loads
from engine.plans import Plan
from engine.replay import replay, trace
from engine.schema import incidents, instances, metadata, outbox, task_candidates, tasks, timers
from engine.versions import Version, programs
from tests.diagrams import Drawing, started, timer
from tests.engine.durable import LI, ZHANG, Bench, hold, package

DAY = timedelta(days=1)


def line(*steps: str) -> Drawing:
    return started(*steps, "e").users(*steps).ends("e")


def limited(text: str) -> Drawing:
    d = line("a", "b").users("late").ends("over").chain("late", "over")
    return d.node("boundaryEvent", "limit", timer("duration", text), attachedToRef="a").flow("limit", "late")


class Town(Bench):
    """A bench whose instances are asked what is in their rows."""

    def ask(self, query: Any) -> list[Any]:
        with self.database.connect() as connection:
            return list(connection.execute(query))

    def versions(self, *drawings: Drawing) -> list[Version]:
        return [self.publish(package(drawing)) for drawing in drawings]

    def move(self, instance: int, version: Version, plan: Plan = Plan()) -> Any:  # noqa: B008
        with self.instances() as run:
            return run.move(instance, version, plan, LI, "流程改版")

    def undo(self, instance: int) -> Any:
        with self.instances() as run:
            return run.undo_move(instance, LI, "改错了")

    def preview(self, instance: int, version: Version, plan: Plan = Plan()) -> Any:  # noqa: B008
        with self.instances() as run:
            return run.preview_move(instance, version, plan)

    def open(self) -> dict[str, Any]:
        return {row.key: row for row in self.ask(select(tasks).where(tasks.c.closed_at.is_(None)).order_by(tasks.c.id))}

    def armed(self) -> dict[str, Any]:
        return {row.key: row.due_at for row in self.ask(select(timers))}

    def state(self, instance: int) -> Any:
        return loads(self.ask(select(instances.c.state).where(instances.c.id == instance))[0].state)

    def all_rows(self) -> dict[str, list[Any]]:
        return {table.name: self.ask(select(table).order_by(*table.primary_key)) for table in metadata.tables.values()}

    def living_rows(self) -> list[Any]:
        """What can still be acted on."""
        columns = [column for column in tasks.c if column.name != "notice_stage"]
        living = self.ask(select(*columns).where(tasks.c.closed_at.is_(None)).order_by(tasks.c.id))
        return [living, *(self.ask(select(t).order_by(*t.primary_key)) for t in (task_candidates, timers, incidents))]

    def whole(self, instance: int) -> None:
        with self.database.connect() as connection:
            assert verify(connection, instance) == ()


@pytest.fixture
def town(database: Engine) -> Town:
    return Town(database)


def test_a_task_that_goes_on_keeps_its_row(town: Town) -> None:
    old, new = town.versions(line("a", "b"), line("first", "x", "b"))
    instance = town.start(old).instance_id
    with town.instances() as run:
        run.claim(hold(run, instance, "a#1"), ZHANG)
    before = town.open()["a#1"]
    town.clock.pass_by(DAY)
    advance = town.move(instance, new, Plan({"a": "first"}))
    after = town.open()["first#1"]
    assert (after.id, after.due_at, after.claimed_by, after.opened_at) == (before.id, before.due_at, "zhang", before.opened_at)
    assert (after.element, after.name) == ("first", "first")
    assert (advance.version_id, advance.open_elements, advance.closed) == (new.id, ("first",), ())
    town.whole(instance)
    town.complete(instance, "first#1")
    assert list(town.open()) == ["x#1"]
    town.whole(instance)


def test_where_it_stands_is_what_its_history_gives(town: Town) -> None:
    old, new = town.versions(line("a", "b", "c"), line("a", "x", "c"))
    instance = town.start(old).instance_id
    town.complete(instance, "a#1", {"n": 1})
    prospect = town.preview(instance, new)
    assert (prospect.kept, prospect.closed, [o.key for o, _ in prospect.opened]) == ((), ("b#1",), ["x#1"])
    advance = town.move(instance, new)
    assert (advance.closed, list(town.open())) == (("b#1",), ["x#1"])
    assert [row.task_id for row in town.ask(select(task_candidates))] == [town.open()["x#1"].id]
    assert town.state(instance)["data"] == {"n": 1}
    town.whole(instance)


def test_a_step_that_counts_as_done_is_passed(town: Town) -> None:
    old, new = town.versions(line("a", "b"), line("a", "x", "b"))
    instance = town.start(old).instance_id
    town.complete(instance, "a#1")
    row = town.open()["b#1"]
    town.move(instance, new, Plan(passed=frozenset(["x"])))
    assert town.open() == {"b#1": row}
    town.whole(instance)


def test_a_running_limit_keeps_its_instant_and_a_new_one_begins_now(town: Town) -> None:
    old, longer, without = town.versions(limited("P2D"), limited("P9D"), line("a", "b"))
    instance = town.start(old).instance_id
    due = town.armed()
    town.clock.pass_by(DAY)
    town.move(instance, longer)
    assert town.armed() == due
    town.move(instance, without)
    assert town.armed() == {}
    town.clock.pass_by(DAY)
    town.move(instance, longer)
    assert town.armed() == {"limit#2": town.clock() + 9 * DAY}
    town.whole(instance)


def test_why_an_instance_cannot_move(town: Town) -> None:
    old, removed, shorter = town.versions(line("a", "b", "c"), line("b", "c"), line("a"))
    instance = town.start(old).instance_id
    town.complete(instance, "a#1")
    rows = town.all_rows()
    for version, rule in ((removed, "step_removed"), (shorter, "ends")):
        assert town.preview(instance, version).refusal.rule == rule
        with pytest.raises(Unanswered, match="新版"):
            town.move(instance, version)
    with pytest.raises(PlanRefused):
        town.move(instance, removed, Plan({"a": "z"}))
    with pytest.raises(WrongVersion):
        town.move(instance, old)
    other = town.publish(package(_other()))
    with pytest.raises(WrongVersion):
        town.move(instance, other)
    rows["process_versions"] = town.all_rows()["process_versions"]
    assert town.all_rows() == rows
    town.move(instance, removed, Plan(dropped=frozenset(["a"])))
    town.whole(instance)


def _other() -> Drawing:
    class Other(Drawing):
        def xml(self, process: str = "q") -> bytes:
            return super().xml(process)

    d = Other().node("startEvent", "s").users("a").ends("e")
    return d.chain("s", "a", "e")


def test_what_has_ended_stays_where_it_is(town: Town) -> None:
    old, new = town.versions(line("a"), line("b"))
    instance = town.start(old).instance_id
    town.complete(instance, "a#1")
    with pytest.raises(InstanceAtRest):
        town.move(instance, new)


def test_an_undone_move_leaves_all_as_it_was(town: Town) -> None:
    old, new = town.versions(limited("P2D"), line("first", "x", "b"))
    instance = town.start(old).instance_id
    with town.instances() as run:
        run.claim(hold(run, instance, "a#1"), ZHANG)
    rows, state = town.living_rows(), town.state(instance)
    for plan in (Plan({"a": "first"}), Plan()):
        town.move(instance, new, plan)
        assert town.living_rows() != rows
        town.whole(instance)
        advance = town.undo(instance)
        assert (advance.version_id, town.living_rows()) == (old.id, rows)
        back = town.state(instance)
        assert {**back, "counts": 0} == {**state, "counts": 0} and back["counts"].items() >= state["counts"].items()
        town.whole(instance)
    with pytest.raises(NothingToUndo):
        town.undo(instance)
    town.complete(instance, "a#1")
    assert list(town.open()) == ["b#1"]
    town.whole(instance)


def test_a_move_is_final_once_something_has_happened(town: Town) -> None:
    old, new, newest = town.versions(line("a", "b"), line("a", "b", "c"), line("a", "b", "d"))
    instance = town.start(old).instance_id
    town.move(instance, new)
    town.move(instance, newest)
    town.undo(instance)
    with town.instances() as run:
        run.claim(hold(run, instance, "a#1"), ZHANG)
    town.complete(instance, "a#1")
    with pytest.raises(NothingToUndo):
        town.undo(instance)
    town.whole(instance)


def test_a_rewind_may_go_back_beyond_a_move(town: Town) -> None:
    old, new = town.versions(line("a", "b", "c"), line("first", "x", "b", "c"))
    instance = town.start(old).instance_id
    town.complete(instance, "a#1", {"n": 1})
    town.move(instance, new, Plan({"a": "first"}, passed=frozenset(["x"])))
    town.complete(instance, "b#1", {"n": 2})
    with town.instances() as run:
        run.rewind(instance, 1, LI, "重办")
    assert list(town.open()) == ["first#2"]
    assert town.state(instance)["data"] == {}
    town.whole(instance)
    town.complete(instance, "first#2")
    assert list(town.open()) == ["x#2"]
    town.whole(instance)


def test_a_rewind_into_an_undone_move_finds_the_old_version(town: Town) -> None:
    old, new = town.versions(line("a", "b"), line("x", "b"))
    instance = town.start(old).instance_id
    town.move(instance, new)
    town.undo(instance)
    town.complete(instance, "a#1")
    with town.instances() as run:
        run.rewind(instance, 2, LI, "重办")
    assert list(town.open()) == ["a#2"]
    town.whole(instance)


def test_the_past_is_seen_on_the_version_of_then(town: Town) -> None:
    old, new = town.versions(line("a", "b"), line("first", "b"))
    instance = town.start(old).instance_id
    town.move(instance, new, Plan({"a": "first"}))
    with town.database.connect() as connection:
        log, known = entries(connection, instance), programs(connection)
        assert [task.key for task in replay(known, new.id, log, 1).open()] == ["a#1"]
        assert [task.key for task in replay(known, new.id, log, 2).open()] == ["first#1"]
        assert trace(known, new.id, log).visited == {"s": 1, "first": 1}
    town.undo(instance)
    with town.database.connect() as connection:
        assert trace(programs(connection), old.id, entries(connection, instance)).visited == {"s": 1, "a": 1}


def stuck(condition: str, *, name: str = "a") -> Drawing:
    d = started(name, "g").users(name, "b").node("exclusiveGateway", "g", default="f_g_e").ends("e")
    return d.flow("g", "b", condition).flow("g", "e").chain("b", "e")


def test_a_corrected_diagram_resolves_what_had_stopped(town: Town) -> None:
    old, new = town.versions(stuck("missing > 1"), stuck("n > 1", name="first"))
    instance = town.start(old).instance_id
    stopped = town.complete(instance, "a#1", {"n": 5}).stopped
    assert stopped
    town.move(instance, new, Plan({"a": "first"}))
    town.whole(instance)
    with town.instances() as run:
        run.retry(stopped.incident_id, LI)
    assert list(town.open()) == ["b#1"]
    assert town.ask(select(instances.c.has_incident))[0].has_incident is False
    town.whole(instance)


def test_an_incident_the_move_gets_past_is_over_until_it_is_undone(town: Town) -> None:
    old, new = town.versions(stuck("missing > 1"), line("z", "b"))
    instance = town.start(old).instance_id
    town.complete(instance, "a#1", {"n": 5})
    town.clock.pass_by(DAY)
    rows = town.living_rows()
    town.move(instance, new)
    assert town.ask(select(instances.c.has_incident))[0].has_incident is False
    town.undo(instance)
    assert town.living_rows() == rows
    assert town.ask(select(instances.c.has_incident))[0].has_incident is True
    town.whole(instance)


def test_a_start_that_failed_starts_on_the_corrected_version(town: Town) -> None:
    def begins(condition: str) -> Drawing:
        d = started("g").users("b").node("exclusiveGateway", "g", default="f_g_e").ends("e")
        return d.flow("g", "b", condition).flow("g", "e").chain("b", "e")

    old, new = town.versions(begins("missing > 1"), begins("n > 1"))
    advance = town.start(old, {"n": 5})
    assert advance.stopped
    town.move(advance.instance_id, new)
    town.undo(advance.instance_id)
    town.move(advance.instance_id, new)
    with town.instances() as run:
        run.retry(advance.stopped.incident_id, LI)
    assert list(town.open()) == ["b#1"]
    town.whole(advance.instance_id)


def test_a_service_is_asked_where_it_is_waited_for(town: Town) -> None:
    asks = '<extensionElements><wz:service name="sms"/></extensionElements>'

    def served(name: str) -> Drawing:
        return started(name, "b", "e").node("serviceTask", name, asks).users("b").ends("e")

    old, renamed, without = town.versions(served("tell"), served("inform"), line("x", "b"))
    instance = town.start(old).instance_id

    def waiting() -> list[str]:
        return [row.name for row in town.ask(select(outbox).where(outbox.c.done_at.is_(None), outbox.c.kind == "service"))]

    town.move(instance, renamed, Plan({"tell": "inform"}))
    assert waiting() == ["inform"]
    town.move(instance, without)
    assert waiting() == []
    town.undo(instance)
    assert waiting() == ["inform"]
    with town.instances() as run:
        run.service_result(instance, "inform", {})
    assert list(town.open()) == ["b#1"]
    town.whole(instance)


def written(engine: Engine, act: Callable[[], object]) -> list[str]:
    """The statements of `act` that are no mere reading."""
    seen: list[str] = []

    def look(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement.split()[0].upper())

    event.listen(engine, "before_cursor_execute", look)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", look)
    return [verb for verb in seen if verb not in ("SELECT", "BEGIN", "PRAGMA")]


def test_a_preview_only_reads(town: Town) -> None:
    old, new = town.versions(line("a", "b"), line("a", "x", "b"))
    instance = town.start(old).instance_id
    town.complete(instance, "a#1")
    assert written(town.database, lambda: town.preview(instance, new)) == []
    assert "INSERT" in written(town.database, lambda: town.move(instance, new))
