"""Scenarios are tests: a wrong one says where it is wrong, and none passes that should not."""

from __future__ import annotations

import time

import pytest

from engine.diagram import read_diagram
from engine.errors import Unreadable
from engine.program import Program
from engine.scenario_files import read_scenario
from engine.scenarios import Played, play
from tests.diagrams import Drawing, started, timer

TWO = started("a", "b", "e").users("a", "b").ends("e")


def played(drawing: Drawing, text: str) -> Played:
    return play(Program(read_diagram(drawing.xml())), read_scenario(f"name: x\n{text}", "x.yaml"))


def failures(drawing: Drawing, text: str) -> list[tuple[int, str]]:
    return [(failure.step, failure.message) for failure in played(drawing, text).failures]


# ---- reading -------------------------------------------------------------------------------------------------------

WRONG = [
    ("", "name"),
    ("steps: []", "没有步骤"),
    ("nmae: x\nsteps: [{complete: a}]", "nmae"),
    ("steps: [{complete: a}]\nsteps: [{complete: b}]", "“steps”重复"),
    ("steps: [{complete: a}, {complete: b, dta: {}}]", "第 2 步中的“dta”"),
    ("steps: [{complete: a, wait: P1D}]", "第 1 步应当且只能写一个动作"),
    ("steps: [{complete: [a]}]", "第 1 步 complete 应为文字"),
    ("steps: [{complete: a, data: 3}]", "第 1 步的 data"),
    ("steps: [{complete: a, data: 'xy'}]", "第 1 步的 data"),
    ("steps: [{complete: a, by: 3}]", "第 1 步的 by"),
    ("steps: [{wait: 3}]", "不是 ISO 8601 时长"),
    ("steps: [{message: {}}]", "第 1 步 message 的 name"),
    ("steps: [{rewind: {}}]", "第 1 步 rewind 的 to"),
    ("steps: [{expect: {}}]", "没有写明要核对的内容"),
    ("steps: [{expect: {opne: [a]}}]", "opne"),
    ("steps: [{expect: {open: {a: 1}}}]", "expect 的 open"),
    ("steps: [{expect: {waiting: [{a: 1}]}}]", "expect 的 waiting"),
    ("steps: [{expect: {finished: null}}]", "true 或 false"),
    ("steps: [{expect: {data: [a]}}]", "expect 的 data"),
    ("steps: [{expect: {incidents: 3}}]", "expect 的 incidents"),
    ("start: {at: 2026-03-02 09:00:00}\nsteps: [{complete: a}]", "没有写明时区"),
    ("start: {data: [1]}\nsteps: [{complete: a}]", "start 的 data"),
    ("start: {data: {x: .nan}}\nsteps: [{complete: a}]", "第 1 行"),
    ("start: {data: {x: -.inf}}\nsteps: [{complete: a}]", "第 1 行"),
    ("start: {data: {x: 99999999999999999999}}\nsteps: [{complete: a}]", "第 1 行"),
    ("start: {data: {x: !!set {a, b}}}\nsteps: [{complete: a}]", "set"),
    ("start: {data: {x: !!binary aGVsbG8=}}\nsteps: [{complete: a}]", "第 1 行"),
    ("start: {data: {? [1] : 3}}\nsteps: [{complete: a}]", "第 1 行"),
    ("start: {data: &a {x: *a}}\nsteps: [{complete: a}]", "引用了自己"),
    ("facts: {q: 3}\nsteps: [{complete: a}]", "facts"),
    ("a: b: c", "第 1 行写法有误"),
    ("a: 1\n---\nb: 2", "YAML"),
    ("!!python/object/apply:os.system ['id']", "os.system"),
    ("# " + "x" * 1_000_000, "超过上限"),
    ("start: " + "[" * 9_000, "括号嵌套过深"),
]


@pytest.mark.parametrize("text, said", WRONG, ids=[text[:40] for text, _ in WRONG])
def test_a_wrong_scenario_says_where(text: str, said: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_scenario(text, "试.yaml")
    assert "“试.yaml”" in str(caught.value) and said in str(caught.value) and str(caught.value).endswith("。")


def test_a_bomb_of_aliases_costs_nothing() -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"] + [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    begun = time.process_time()
    with pytest.raises(Unreadable):
        read_scenario("\n".join(lines))
    assert time.process_time() - begun < 1


def test_what_is_written_without_quotes_stays_as_written() -> None:
    text = (
        "start: {data: {day: 2026-03-05, at: 2026-03-05T10:00:00Z, code: 0303, n: 3, r: 1.5, ok: yes, none: null}}\nsteps: [{complete: a}]"
    )
    written = {"day": "2026-03-05", "at": "2026-03-05T10:00:00Z", "code": "0303", "n": 3, "r": 1.5, "ok": True, "none": None}
    assert read_scenario(text).start["data"] == written


# ---- judging -------------------------------------------------------------------------------------------------------


def fragile() -> Drawing:
    """Stops in an incident unless `n` is filled in and greater than 1."""
    d = started("z", "a", "g").users("z", "a").node("exclusiveGateway", "g").ends("e", "e2")
    return d.flow("g", "e", "n > 1").flow("g", "e2", "n > 2")


def test_an_incident_nobody_expected_fails_the_scenario() -> None:
    early = failures(fragile(), "steps: [{complete: z}, {expect: {incidents: []}}, {complete: a}]")
    assert [step for step, _ in early] == [3] and "missing_variable" in early[0][1]
    mended = failures(fragile(), "steps: [{complete: z}, {complete: a}, {complete: a, data: {n: 5}}, {expect: {finished: true}}]")
    assert [step for step, _ in mended] == [2]


EXPECTED = "{complete: z}, {complete: a, data: {n: 0}}, {expect: {incidents: [{element: g}]}}"


@pytest.mark.parametrize(
    "more",
    [
        "{incident: {data: {n: 5}}}, {expect: {finished: true, incidents: [], data: {n: 5}}}",
        "{complete: a, data: {n: 5}}, {expect: {finished: true, incidents: []}}",
        "{rewind: z}, {expect: {open: [z], incidents: []}}",
    ],
)
def test_an_incident_ends_when_it_is_mended_redone_or_taken_back(more: str) -> None:
    assert failures(fragile(), f"steps: [{EXPECTED}, {more}]") == []


def test_a_start_can_be_mended() -> None:
    d = started("g").node("exclusiveGateway", "g").users("a").ends("e").flow("g", "a", "n > 1").flow("g", "e", "n > 2").flow("a", "e")
    expect = "{expect: {incidents: [{element: g}]}}, {incident: {data: {n: 5}}}, {expect: {open: [a], finished: false}}"
    assert failures(d, f"start: {{data: {{n: 0}}}}\nsteps: [{expect}]") == []


def test_only_the_timer_that_failed_rests() -> None:
    d = started("s0").node("parallelGateway", "s0").users("k").ends("e", "e2").node("scriptTask", "x", "<script>m = nn</script>")
    for at, span in (("t", "PT1H"), ("t2", "PT2H")):
        d.node("intermediateCatchEvent", at, timer("duration", span)).flow("s0", at)
    d.chain("t", "x", "e").chain("t2", "k", "e2")
    assert (
        failures(d, "steps: [{wait: PT5H}, {expect: {open: [k], incidents: [{element: x}]}}, {wait: PT5H}, {expect: {waiting: [t]}}]") == []
    )


def test_a_failed_timer_is_tried_again_now() -> None:
    d = started("t", "x", "t2", "a", "e").node("scriptTask", "x", "<script>m = nn</script>").users("a").ends("e")
    d.node("intermediateCatchEvent", "t", timer("duration", "PT1H")).node("intermediateCatchEvent", "t2", timer("duration", "PT1H"))
    steps = "{wait: PT5H}, {expect: {incidents: [{element: x}]}}, {incident: {data: {nn: 1}}}, {wait: PT30M}, {expect: {open: []}}"
    assert failures(d, f"steps: [{steps}, {{wait: PT30M}}, {{expect: {{open: [a]}}}}]") == []


def test_a_date_that_has_passed_is_due_at_once() -> None:
    d = started("t", "a", "e").node("intermediateCatchEvent", "t", timer("date", "2020-01-01T00:00Z")).users("a").ends("e")
    assert failures(d, "steps: [{expect: {open: [a]}}]") == []


def test_a_signal_nobody_waits_for_is_lost_and_a_message_is_missed() -> None:
    assert failures(TWO, "steps: [{signal: sig}, {complete: a}, {expect: {open: b}}]") == []
    assert [step for step, _ in failures(TWO, "steps: [{message: msg}]")] == [1]


def test_a_start_event_nobody_drew_is_missed() -> None:
    assert [step for step, _ in failures(TWO, "start: {message: nope}\nsteps: [{expect: {open: []}}]")] == [0]


@pytest.mark.parametrize("wanted", ["{x: true}", "{y: null}", "{x: '1'}", "{l: [1, true]}", "{o: {a: 1}}"])
def test_data_is_compared_as_json(wanted: str) -> None:
    start = "start: {data: {x: 1, l: [1, 1], o: {a: 1, b: 2}}}"
    assert len(failures(TWO, f"{start}\nsteps: [{{expect: {{data: {wanted}}}}}]")) == 1
    assert failures(TWO, f"{start}\nsteps: [{{expect: {{data: {{x: 1.0, l: [1, 1]}}}}}}]") == []


def test_time_ends_with_a_sentence() -> None:
    assert failures(TWO, "steps: [{wait: P999999D}, {wait: P9999Y}]") == [(2, "时间超出了公元 9999 年。")]


def test_a_cycle_that_outlives_time_is_an_incident() -> None:
    d = started("a", "e").users("a").ends("e", "e2")
    d.node("boundaryEvent", "b", timer("cycle", "R/P999Y"), attachedToRef="a", cancelActivity="false").flow("b", "e2")
    assert "timer_unreadable" in failures(d, "steps: [{wait: P7950Y}]")[0][1]


# ---- long waits ----------------------------------------------------------------------------------------------------


def test_an_hourly_timer_runs_for_ninety_days() -> None:
    d = started("a", "e").users("a").ends("e", "e2")
    d.node("boundaryEvent", "b", timer("cycle", "R/PT1H"), attachedToRef="a", cancelActivity="false").flow("b", "e2")
    whole = played(d, "steps: [{wait: P90D}, {complete: a}, {expect: {finished: true}}]")
    assert whole.passed and sum(step.kind == "fired" for step in whole.events) == 90 * 24


def test_what_a_diagram_does_by_itself_is_bounded_over_a_whole_scenario() -> None:
    d = started("a", "e").users("a").ends("e", "e2")
    d.node("boundaryEvent", "b", timer("cycle", "R/PT1H"), attachedToRef="a", cancelActivity="false").flow("b", "e2")
    program, told = Program(read_diagram(d.xml())), read_scenario("name: x\nsteps: [{wait: P1D}, {wait: P1D}, {wait: P90D}]", "x.yaml")
    cost = play(program, told).cost
    assert play(program, told, steps=cost).passed
    short = play(program, told, steps=cost // 2)
    assert "步数合计超过上限" in short.failures[0].message and short.failures[0].step == 3


def test_a_thousand_timers_are_due_at_once() -> None:
    body = Drawing().node("startEvent", "os").users("u").ends("oe", "be").chain("os", "u", "oe")
    body.node("boundaryEvent", "b", timer("duration", "P1D"), attachedToRef="u", cancelActivity="false").flow("b", "be")
    many = "<multiInstanceLoopCharacteristics><loopCardinality>1000</loopCardinality></multiInstanceLoopCharacteristics>"
    begun = time.process_time()
    assert played(started("o", "e").node("subProcess", "o", many, body=body).ends("e"), "steps: [{wait: P1D}]").passed
    assert time.process_time() - begun < 6


def test_many_inclusive_gateways_run_quickly() -> None:
    d, before = Drawing().node("startEvent", "s").ends("e"), "s"
    for n in range(140):
        d.node("inclusiveGateway", f"g{n}", default=f"d{n}").node("inclusiveGateway", f"h{n}").flow(before, f"g{n}")
        for k in range(6):
            d.flow(f"g{n}", f"h{n}", "true", id=f"x{n}_{k}")
        d.flow(f"g{n}", f"h{n}", id=f"d{n}")
        before = f"h{n}"
    begun = time.process_time()
    assert played(d.flow(before, "e"), "steps: [{expect: {finished: true}}]").passed
    assert time.process_time() - begun < 4


def test_conditions_are_looked_at_when_the_run_comes_to_rest() -> None:
    inner = "<conditionalEventDefinition><condition>flag</condition></conditionalEventDefinition>"
    d = started("g").node("parallelGateway", "g").users("a", "k").ends("e", "e2").node("intermediateCatchEvent", "c", inner)
    d.node("scriptTask", "x1", "<script>flag = true</script>").node("scriptTask", "x2", "<script>flag = false</script>")
    d.chain("g", "a", "x1", "x2", "e").chain("g", "c", "k", "e2")
    assert failures(d, "steps: [{complete: a}, {expect: {open: [], waiting: [c]}}]") == []
