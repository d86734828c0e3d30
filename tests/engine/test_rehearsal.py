"""What a rehearsal says of real histories on a draft."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from bpmn import shipped
from engine.diagram import Node
from engine.errors import PlanRefused
from engine.log import Command, Recorded
from engine.machine import Machine
from engine.outcomes import Ending, Outcome, Parting, Tally
from engine.packages import DIAGRAM, frozen_package, read_package
from engine.plans import Plan
from engine.program import Program
from engine.rehearsal import rehearse
from engine.replay import carry_out
from engine.ways import Visit
from tests.bench.rehearsal import edited
from tests.bpmn.plays import NINE
from tests.bpmn.recorded import Line, recorded
from tests.diagrams import Drawing, event, started, timer

DAY = timedelta(days=1)


def program(drawing: Drawing) -> Program:
    return frozen_package({DIAGRAM: drawing.xml()}).program


def history(drawing: Drawing, *commands: tuple[str, str | None, dict[str, Any]], answers: Any = None) -> list[Line]:
    """What the log holds after these commands, a day apart; tasks are due two days after they opened."""
    log: list[Line] = []

    def lookup(key: str, name: str, _: Any) -> dict[str, Any]:
        given.append([key, name, answers])
        return dict(answers)

    machine = Machine(program(drawing), NINE, lookup)
    for seq, (kind, key, data) in enumerate(commands, 1):
        given: list[Any] = []
        at, before = NINE + (seq - 1) * DAY, {task.key for task in machine.open()}
        if kind not in ("suspend", "resume"):
            carry_out(machine, Command(kind, at, {"person": "zhang"}, data, key), _never)
        due = {"due_at": (at + 2 * DAY).isoformat()}
        facts: dict[str, Any] = {"opened": {task.key: due for task in machine.open() if task.key not in before}}
        log.append(Line(seq, kind, at, key, data, facts | ({"answers": given} if given else {})))
    return log


def _never(_: Any) -> Any:
    raise AssertionError("no rewind here")


def rehearsed(was: Drawing, now: Drawing, log: list[Line], plan: Plan = Plan(), limit: timedelta | None = None) -> Outcome:  # noqa: B008
    def deadlines(_: Node, _data: Mapping[str, Any], at: datetime) -> datetime | None:
        return at + limit if limit else None

    old = program(was)
    entries: list[Recorded] = [*log]
    return rehearse(lambda _: old, 1, program(now), entries, plan, deadlines)


START: tuple[str, str | None, dict[str, Any]] = ("start", None, {})


def done(key: str, **data: Any) -> tuple[str, str | None, dict[str, Any]]:
    return "complete", key, data


def line(*steps: str) -> Drawing:
    """The steps one after the other."""
    return started(*steps, "e").users(*steps).ends("e")


def choice(condition: str) -> Drawing:
    """After `a`, `b` when the condition holds, else `c`."""
    d = started("a", "g").users("a", "b", "c").node("exclusiveGateway", "g", default="f_g_c").ends("e")
    return d.flow("g", "b", condition).flow("g", "c").chain("b", "e").chain("c", "e")


def test_the_same_diagram_ends_the_same() -> None:
    log = history(line("a", "b"), START, done("a#1"), done("b#1"))
    outcome = rehearsed(line("a", "b"), line("a", "b"), log)
    assert (outcome.ending, outcome.finished, outcome.ended_at) == (Ending.SAME, True, ("e",))
    assert outcome.visited == {"s": 1, "a": 1, "b": 1, "e": 1}
    assert outcome.taken == {"f_s_a", "f_a_b", "f_b_e"}


def told(visits: tuple[Visit, ...]) -> list[tuple[int, str, int | None]]:
    return [(visit.seq, visit.node.id, visit.done) for visit in visits]


def test_both_ways_say_what_was_come_to_and_with_what_it_was_finished() -> None:
    log = history(line("a", "b"), START, done("a#1"), done("b#1"))
    outcome = rehearsed(line("a", "b"), line("x", "b"), log, Plan(dropped=frozenset(["a"]), passed=frozenset(["x"])))
    assert told(outcome.was) == [(1, "s", 1), (1, "a", 2), (2, "b", 3), (3, "e", None)]
    assert told(outcome.way) == [(1, "s", 1), (1, "x", 1), (1, "b", 3), (3, "e", None)]
    assert [visit.new for visit in outcome.was] == ["s", None, "b", "e"]
    assert [visit.passed for visit in outcome.way] == [False, True, False, False]


def test_the_way_as_it_was_is_told_to_its_end_also_where_the_draft_stops() -> None:
    log = history(line("a", "b"), START, done("a#1"), done("b#1"))
    outcome = rehearsed(line("a", "b"), line("a", "x", "b"), log)
    assert told(outcome.was)[-2:] == [(2, "b", 3), (3, "e", None)]
    assert told(outcome.way)[-1:] == [(2, "x", None)]


def test_a_limit_that_fires_and_a_message_finish_what_waited_for_them() -> None:
    fired = history(limited("P1D"), START, ("timer", "limit#1", {}), done("late#1"))
    outcome = rehearsed(limited("P1D"), limited("P1D"), fired)
    assert told(outcome.was) == told(outcome.way) == [(1, "s", 1), (1, "a", None), (2, "limit", 2), (2, "late", 3), (3, "over", None)]
    waits = started("c", "a", "e").users("a").ends("e").beside('<message id="m" name="hello"/>')
    waits.node("intermediateCatchEvent", "c", event("message", "m"))
    log = history(waits, START, ("message", "hello", {}))
    outcome = rehearsed(waits, waits, log)
    assert told(outcome.was) == told(outcome.way) == [(1, "s", 1), (1, "c", 2), (2, "a", None)]


def test_a_condition_sends_the_case_another_way() -> None:
    log = history(choice("n > 3"), START, done("a#1", n=5), done("b#1"))
    outcome = rehearsed(choice("n > 3"), choice("n > 7"), log)
    assert (outcome.ending, outcome.parting, outcome.apart) == (Ending.PARTED, Parting("g", "b", "c"), 2)
    assert [(visit.seq, visit.node.id) for visit in outcome.way][:4] == [(1, "s"), (1, "a"), (2, "g"), (2, "c")]
    assert outcome.stop and (outcome.stop.seq, outcome.stop.element) == (3, "c")
    assert outcome.open == ("c",)


def test_a_step_that_is_new_cannot_be_answered_unless_it_counts_as_done() -> None:
    log = history(line("a", "b"), START, done("a#1"), done("b#1"))
    outcome = rehearsed(line("a", "b"), line("a", "x", "b"), log)
    assert outcome.ending is Ending.STOPPED and outcome.stop
    assert (outcome.stop.element, outcome.stop.rule) == ("x", "step_added")
    assert outcome.stop.message == "“x”是新版增加的环节，记录中没有它的办理结果。"
    passed = rehearsed(line("a", "b"), line("a", "x", "b"), log, Plan(passed=frozenset(["x"])))
    assert (passed.ending, passed.finished, passed.come, passed.gone) == (Ending.REROUTED, True, {"x"}, {})


def test_a_step_that_nobody_needed_to_answer_is_told_of() -> None:
    log = history(line("a", "b"), START, done("a#1"), done("b#1"))
    automatic = started("a", "x", "b", "e").users("a", "b").node("scriptTask", "x", "<script>n = 1</script>").ends("e")
    outcome = rehearsed(line("a", "b"), automatic, log)
    assert (outcome.ending, outcome.come, outcome.finished) == (Ending.REROUTED, {"x"}, True)


def test_a_step_that_fell_away_is_told_of_with_its_name() -> None:
    log = history(line("a", "b"), START, done("a#1"), done("b#1"))
    outcome = rehearsed(line("a", "b"), line("b"), log, Plan(dropped=frozenset(["a"])))
    assert (outcome.ending, outcome.gone, outcome.names, outcome.come) == (Ending.REROUTED, {"a": 1}, {"a": "a"}, frozenset())


def test_only_cases_that_came_to_a_step_are_told_that_it_fell_away() -> None:
    def now() -> Drawing:
        d = started("a", "g").users("a", "c").node("exclusiveGateway", "g", default="f_g_c").ends("e")
        return d.flow("g", "e", "n > 3").flow("g", "c").chain("c", "e")

    tally = Tally()
    for n in (2, 5, 6):
        log = history(choice("n > 3"), START, done("a#1", n=n), done("b#1" if n > 3 else "c#1"))
        tally.add(rehearsed(choice("n > 3"), now(), log, Plan(dropped=frozenset(["b"]))))
    assert tally.endings == {Ending.SAME: 1, Ending.REROUTED: 2}
    assert (tally.gone, tally.come, tally.left_out, tally.names) == ({"b": 2}, {}, {"b": 2}, {"b": "b"})


def test_a_gateway_is_no_step() -> None:
    log = history(line("a", "b"), START, done("a#1"), done("b#1"))
    now = started("a", "g", "b", "e").users("a", "b").node("exclusiveGateway", "g").ends("e")
    assert rehearsed(line("a", "b"), now, log).ending is Ending.SAME


def ending(end: str, called: str) -> Drawing:
    d = started("a", end).users("a")
    d.parts.append(f'<endEvent id="{end}" name="{called}"/>')
    return d


def test_a_case_ends_the_same_when_people_call_its_end_the_same() -> None:
    log = history(ending("e", "办结"), START, done("a#1"))
    for same in (ending("e", "归档"), ending("e2", "办结")):
        assert rehearsed(ending("e", "办结"), same, log).ending is Ending.SAME
    outcome = rehearsed(ending("e", "办结"), ending("e2", "归档"), log)
    assert (outcome.ending, outcome.parting, outcome.apart) == (Ending.PARTED, Parting("a", "e", "e2"), 2)
    assert outcome.names == {"e": "办结"}


def test_a_case_on_its_way_stops_at_the_new_step_it_would_be_at() -> None:
    log = history(line("a", "b"), START, done("a#1"))
    outcome = rehearsed(line("a", "b"), line("a", "x", "b"), log)
    assert outcome.stop and (outcome.ending, outcome.stop.element) == (Ending.STOPPED, "x")


def test_a_step_may_have_another_name() -> None:
    log = history(line("a", "b"), START, done("a#1"), done("b#1"))
    renamed = Plan(renamed={"a": "first"})
    assert rehearsed(line("a", "b"), line("first", "b"), log, renamed).ending is Ending.SAME
    outcome = rehearsed(line("a", "b"), line("first", "b"), log)
    assert outcome.stop and outcome.stop.rule == "step_removed"


def test_what_was_said_at_a_step_that_is_no_more_is_still_known() -> None:
    was = started("a", "b", "g").users("a", "b", "c").node("exclusiveGateway", "g", default="f_g_e").ends("e")
    was.flow("g", "c", "n > 3").flow("g", "e").chain("c", "e")
    now = started("a", "c", "g").users("a", "c", "d").node("exclusiveGateway", "g", default="f_g_e").ends("e")
    now.flow("g", "d", "n > 3").flow("g", "e").chain("d", "e")
    log = history(was, START, done("a#1"), done("b#1", n=5), done("c#1"))
    assert rehearsed(was, now, log, Plan(dropped=frozenset(["b"]))).open == ("d",)


def test_a_case_at_a_step_that_is_no_more_goes_ahead() -> None:
    log = history(line("a", "b", "c"), START, done("a#1"))
    outcome = rehearsed(line("a", "b", "c"), line("a", "c"), log, Plan(dropped=frozenset(["b"])))
    assert (outcome.ending, outcome.gone, outcome.open) == (Ending.REROUTED, {"b": 1}, ("c",))


def limited(text: str) -> Drawing:
    d = line("a", "b").users("late").ends("over").chain("late", "over")
    return d.node("boundaryEvent", "limit", timer("duration", text), attachedToRef="a").flow("limit", "late")


def test_a_new_limit_fires_before_whoever_was_slower() -> None:
    log = history(line("a", "b"), START, done("a#1"), done("b#1"))
    outcome = rehearsed(line("a", "b"), limited("PT3H"), log)
    assert outcome.ending is Ending.PARTED and outcome.parting
    assert (outcome.parting.now, outcome.open) == ("limit", ("late",))
    assert rehearsed(line("a", "b"), limited("P3D"), log).ending is Ending.SAME


def test_a_new_limit_rests_while_the_case_rests() -> None:
    log = history(line("a", "b"), START, ("suspend", None, {}), ("start", None, {}), done("a#1"))[:2]
    log += [Line(3, "resume", NINE + DAY), Line(4, "complete", NINE + DAY, "a#1")]
    assert rehearsed(line("a", "b"), limited("PT3H"), log).parting is not None
    assert rehearsed(line("a", "b"), limited("P2D"), log).ending is Ending.SAME


def test_a_limit_that_fired_fires_again_and_one_that_did_not_does_not() -> None:
    fired = history(limited("P1D"), START, ("timer", "limit#1", {}), done("late#1"))
    assert rehearsed(limited("P1D"), limited("P1D"), fired).ended_at == ("over",)
    slow = history(limited("P1D"), START, ("suspend", None, {}), ("resume", None, {}), done("a#1"), done("b#1"))
    assert rehearsed(limited("P1D"), limited("P1D"), slow).ending is Ending.SAME


def test_a_limit_that_is_gone_fires_nothing() -> None:
    fired = history(limited("P1D"), START, ("timer", "limit#1", {}), done("late#1"))
    outcome = rehearsed(limited("P1D"), line("a", "b"), fired)
    assert outcome.stop and outcome.stop.rule == "step_removed"


def asks(name: str, *, before: str = "") -> Drawing:
    d = started(*([before] if before else []), "ask", "a", "e").users("a", *([before] if before else [])).ends("e")
    return d.rule("ask", lookup=name, result="found")


def test_lookups_are_answered_from_the_record() -> None:
    log = history(asks("tier"), START, done("a#1"), answers={"tier": 3})
    assert rehearsed(asks("tier"), asks("tier"), log).ending is Ending.SAME
    moved = rehearsed(asks("tier"), asks("tier", before="x"), log, Plan(passed=frozenset(["x"])))
    assert (moved.ending, moved.come) == (Ending.REROUTED, {"x"})
    outcome = rehearsed(asks("tier"), asks("street"), log)
    assert outcome.stop and (outcome.stop.element, outcome.stop.rule) == ("ask", "lookup_unanswered")


def test_a_message_that_nobody_waits_for_stops_unless_it_is_dropped() -> None:
    def waits(kind: str, name: str) -> Drawing:
        d = started("c", "a", "e").users("a").ends("e").beside(f'<{kind} id="m" name="{name}"/>')
        return d.node("intermediateCatchEvent", "c", event(kind, "m"))

    log = history(waits("message", "hello"), START, ("message", "hello", {"n": 1}), done("a#1"))
    assert rehearsed(waits("message", "hello"), waits("message", "hi"), log, Plan(renamed={"hello": "hi"})).ending is Ending.SAME
    outcome = rehearsed(waits("message", "hello"), waits("message", "hi"), log)
    assert outcome.stop and (outcome.stop.rule, outcome.stop.element) == ("nothing_waits", "c")
    dropped = rehearsed(waits("message", "hello"), line("a"), log, Plan(dropped=frozenset(["hello", "c"])))
    assert (dropped.ending, dropped.gone, dropped.finished) == (Ending.REROUTED, {"c": 1}, True)
    lost = history(waits("signal", "hello"), START, ("signal", "hello", {}), done("a#1"))
    assert rehearsed(waits("signal", "hello"), line("a"), lost).ended_at == ("e",)


def test_instances_that_opened_together_keep_their_order() -> None:
    def several(before: str) -> Drawing:
        inner = "<multiInstanceLoopCharacteristics><loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics>"
        d = started(before, "h", "e") if before else started("h", "e")
        return d.users(*([before] if before else [])).node("userTask", "h", inner).ends("e")

    log = history(several(""), START, done("h#2"), done("h#1"), done("h#3"))
    assert rehearsed(several(""), several("x"), log, Plan(passed=frozenset(["x"]))).finished


def test_due_dates_are_compared_with_those_on_record() -> None:
    log = history(line("a", "b"), START, done("a#1"), done("b#1"))
    outcome = rehearsed(line("a", "b"), line("a", "b"), log, limit=3 * DAY)
    assert [(due.key, due.shift) for due in outcome.dues] == [("a#1", DAY), ("b#1", DAY)]


def test_an_erased_case_says_so() -> None:
    log = history(line("a", "b"), START, done("a#1"))
    erased = [log[0], Line(2, "complete", NINE, "a#1", None)]
    assert rehearsed(line("a", "b"), line("a", "b"), erased).ending is Ending.ERASED


def test_outcomes_add_up() -> None:
    tally = Tally()
    for n in (2, 5, 6, 9):
        log = history(choice("n > 3"), START, done("a#1", n=n), done("b#1" if n > 3 else "c#1"))
        tally.add(rehearsed(choice("n > 3"), choice("n > 7"), log, limit=DAY if n == 9 else 4 * DAY))
    assert tally.endings == {Ending.SAME: 2, Ending.PARTED: 2}
    assert tally.partings == {Parting("g", "b", "c"): 2}
    assert (tally.visited["a"], tally.visited["c"], tally.taken["f_g_b"]) == (4, 3, 1)
    moved = tally.moved()["a"]
    assert (moved.tasks, moved.later, moved.earlier, moved.median) == (4, 3, 1, 2 * DAY)


@pytest.mark.parametrize("kind", ["rewind", "withdraw", "cancel", "correct"])
def test_other_commands_are_carried_out_too(kind: str) -> None:
    log = history(line("a", "b"), START, done("a#1"))
    data = {"rewind": {"to": 1}, "withdraw": {"to": 1}, "correct": {"n": 1}, "cancel": {}}[kind]
    log.append(
        Line(3, kind, NINE + 3 * DAY, "a#1" if kind == "withdraw" else None, data, {"opened": {"a#2": {}}} if kind == "rewind" else {})
    )
    outcome = rehearsed(line("a", "b"), line("first", "b"), log, Plan(renamed={"a": "first"}))
    assert outcome.ending is Ending.SAME
    assert outcome.open == {"rewind": ("first",), "withdraw": ("first",), "correct": ("b",), "cancel": ()}[kind]
    reopened = [(3, "first", None)] if kind in ("rewind", "withdraw") else []
    assert [(visit.seq, visit.new, visit.done) for visit in outcome.was if visit.again] == reopened
    assert told(tuple(visit for visit in outcome.way if visit.again)) == reopened and outcome.visited["first"] == 1


def test_what_was_taken_back_is_finished_twice() -> None:
    log = history(line("a", "b"), START, done("a#1"))
    log += [Line(3, "withdraw", NINE + 3 * DAY, "a#1", {"to": 1}), Line(4, "complete", NINE + 4 * DAY, "a#1", {}, {"opened": {"b#2": {}}})]
    outcome = rehearsed(line("a", "b"), line("first", "b"), log, Plan(renamed={"a": "first"}))
    assert outcome.ending is Ending.SAME
    assert [visit.done for visit in outcome.way if visit.new == "first"] == [2, 4]
    assert [visit.done for visit in outcome.was if visit.new == "first"] == [2, 4]


def test_a_plan_names_what_is_there() -> None:
    old, new = program(line("a", "b")).diagram, program(line("first", "b")).diagram
    Plan({"a": "first"}).check(old, new)
    for wrong in (Plan({"a": "second"}), Plan({"x": "first"}), Plan(passed=frozenset(["a"])), Plan({"a": "first"}, frozenset(["a"]))):
        with pytest.raises(PlanRefused):
            wrong.check(old, new)


def test_plans_follow_one_another() -> None:
    first = Plan({"a": "b", "k": "l"}, frozenset(["x"]), frozenset(["p", "q"]))
    both = first.then(Plan({"b": "c", "p": "r"}, frozenset(["l", "y", "q"]), frozenset(["z"])))
    assert both == Plan({"a": "c", "k": "l", "b": "c", "p": "r"}, frozenset(["x", "k", "l", "y", "q"]), frozenset(["r", "z"]))
    assert [both.new(old) for old in "akxym"] == ["c", None, None, None, "m"]


def test_the_shipped_process_rehearsed_on_an_edited_package() -> None:
    package = read_package(shipped()["issue_disposal"])
    draft = edited(package).program
    for log in recorded(package):
        entries: list[Recorded] = [*log]
        plan = Plan({"accept_case": "register_case"}, passed=frozenset(["second_look"]))
        outcome = rehearse(lambda _: package.program, 1, draft, entries, plan)
        looked = "second_look" in outcome.visited
        assert (outcome.ending, outcome.stop) == (Ending.REROUTED if looked else Ending.SAME, None)
        assert (outcome.gone, outcome.come) == ({}, {"second_look"} if looked else set())
        untold = rehearse(lambda _: package.program, 1, draft, entries, Plan())
        accepted = any(line.kind == "complete" and line.task_key == "accept_case#1" for line in log)
        assert (untold.stop is not None and untold.stop.rule == "step_removed") == accepted
