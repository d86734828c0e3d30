"""Bar 1: whatever is handed in as a diagram is refused with a sentence, or can be played to rest; and either soon."""

from __future__ import annotations

import gc
import time
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from bpmn import shipped
from engine.diagram import MAX_FLOWS, MAX_NODES, NODES
from engine.errors import EngineError, Unreadable
from engine.machine import Machine
from engine.packages import DIAGRAM, frozen_package, read_package
from engine.validator import Problem, check_package, publishable
from tests.diagrams import HEAD, Drawing, event, started, timer
from tests.engine.hostile import NOW, drawn, several

SECONDS = 1.0


def judged(xml: bytes, *, bare: bool = True) -> tuple[Problem, ...] | None:
    """The problems, or None for what is unreadable; soon, and with a sentence."""
    gc.freeze()  # what thousands of tests before have left behind is not the diagram's to look through
    begun = time.process_time()
    try:
        problems = check_package(frozen_package({DIAGRAM: xml}), bare=bare)
    except Unreadable as error:
        problems = None
        assert str(error).endswith("。")
    took = time.process_time() - begun
    gc.unfreeze()
    assert took < SECONDS
    assert all(p.message.endswith("。") or p.rule == "timer_unreadable" for p in problems or ())
    return problems


# ---- mutants -------------------------------------------------------------------------------------------------------

TIMED = '<loopDataInputRef>l</loopDataInputRef><inputDataItem name="i"/><completionCondition>i == 2</completionCondition>'
BASES = [
    started("u", "g")
    .node("userTask", "u", several("2"))
    .node("boundaryEvent", "b", timer("cycle", "R2/PT1H"), attachedToRef="u", cancelActivity="false")
    .node("exclusiveGateway", "g", default="no")
    .flow("g", "v", "a == 1")
    .flow("g", "e", id="no")
    .node("scriptTask", "v", "<script>a = a + 1</script>")
    .chain("v", "u")
    .flow("b", "e2")
    .ends("e", "e2"),
    started("f")
    .node("inclusiveGateway", "f", default="d")
    .flow("f", "x", "a == 1")
    .flow("f", "y", "a == 1")
    .flow("f", "j", id="d")
    .users("x")
    .node("receiveTask", "y", messageRef="m")
    .node("inclusiveGateway", "j")
    .chain("x", "j")
    .chain("y", "j", "w", "e")
    .node("intermediateCatchEvent", "w", timer("duration", "PT1H"))
    .ends("e")
    .beside('<message id="m" name="message"/>'),
    started("q", "r", "e")
    .node(
        "subProcess",
        "q",
        body=Drawing().node("startEvent", "qs").chain("qs", "u", "z").users("u").node("endEvent", "z", event("error", "er")),
    )
    .node("boundaryEvent", "b", event("error", "er"), attachedToRef="q")
    .flow("b", "k")
    .node("eventBasedGateway", "k")
    .chain("k", "t", "e")
    .chain("k", "n", "e3")
    .node("intermediateCatchEvent", "t", timer("date", "2026-05-01T09:00+08:00"))
    .node("intermediateCatchEvent", "n", event("signal", "sg"))
    .node("callActivity", "r", calledElement="c")
    .ends("e", "e3")
    .beside('<error id="er" errorCode="wrong"/><signal id="sg" name="signal"/>')
    .beside(Drawing().node("startEvent", "cs").chain("cs", "cu", "ce").users("cu").ends("ce").as_process("c")),
    started("pg")
    .node("parallelGateway", "pg")
    .chain("pg", "u", "h")
    .chain("pg", "m", "h", "e")
    .node("userTask", "u", f"<multiInstanceLoopCharacteristics>{TIMED}</multiInstanceLoopCharacteristics>")
    .node(
        "userTask", "m", "<standardLoopCharacteristics loopMaximum='3'><loopCondition>a == 1</loopCondition></standardLoopCharacteristics>"
    )
    .node("parallelGateway", "h")
    .node(
        "subProcess",
        "y",
        body=Drawing().node("startEvent", "ys", event("signal", "sg")).chain("ys", "ye").ends("ye"),
        triggeredByEvent="true",
    )
    .ends("e")
    .beside('<signal id="sg" name="signal"/>'),
]
TREES = [etree.fromstring(base.xml()) for base in BASES]
TEXTS = [
    *(
        "",
        " ",
        "u",
        "e",
        "s",
        "p",
        "q",
        "zz",
        "a == 1",
        "a",
        "[",
        "true",
        "false",
        "0",
        "-1",
        "9" * 5_000,
        "1e999",
        "=a",
        "=l",
        "='PT1H'",
        "tns:u",
    ),
    *(
        "PT1H",
        "P0D",
        "R/PT1M",
        "R3/PT1H",
        "P9999Y",
        "2026-05-01T09:00",
        "PT999999999S",
        "u#1",
        "u@1",
        "a/b",
        "中",
        "x" * 9_000,
        "now()",
        "1000",
        "l",
    ),
]
TAGS = [
    *sorted(NODES),
    "sequenceFlow",
    "process",
    "lane",
    "timerEventDefinition",
    "signalEventDefinition",
    "terminateEventDefinition",
    "cancelEventDefinition",
]


def mutant(draw: Any) -> bytes:
    root = deepcopy(draw(st.sampled_from(TREES)))
    for _ in range(draw(st.integers(1, 6))):
        els = [el for el in root.iter() if el is not root]
        if not els:
            break
        el = draw(st.sampled_from(els))
        match draw(st.sampled_from(["drop", "double", "rename", "less", "swap", "set", "say", "move", "foreign"])):
            case "drop":
                el.getparent().remove(el)
            case "double":
                el.addnext(deepcopy(el))
            case "rename":
                el.tag = etree.QName(etree.QName(root).namespace, draw(st.sampled_from(TAGS))).text
            case "less" if el.attrib:
                del el.attrib[draw(st.sampled_from(sorted(el.attrib)))]
            case "swap":
                other, name = draw(st.sampled_from(els)), draw(st.sampled_from(["id", "sourceRef", "targetRef", "attachedToRef"]))
                ours, theirs = el.get(name, ""), other.get(name, "")
                el.set(name, theirs)
                other.set(name, ours)
            case "set" if el.attrib:
                el.set(draw(st.sampled_from(sorted(el.attrib))), draw(st.sampled_from(TEXTS)))
            case "say":
                el.text = draw(st.sampled_from(TEXTS))
            case "move":
                other = draw(st.sampled_from(els))
                if el not in other.iterancestors() and el is not other:
                    other.append(el)
            case "foreign":
                el.tag = "{urn:elsewhere}" + etree.QName(el).localname
    return etree.tostring(root)


def played(xml: bytes) -> None:
    """Lets everything happen that may, one after the other; only named errors may come of it."""
    machine, now = Machine(frozen_package({DIAGRAM: xml}).program, NOW), NOW
    try:
        machine.start({"a": 1, "l": [1, 2, 3]}, now)
        for round in range(30):
            machine = Machine.restore(machine.program, machine.snapshot(), now)
            now += timedelta(minutes=1)
            due = [w for w in machine.waiting() if w.due_at]
            heard = [w for w in machine.waiting() if w.kind in ("message", "signal", "service")]
            if machine.open() and round % 3 < 2:
                machine.complete(machine.open()[0].key, {"a": round % 2}, now)
            elif heard and round % 2:
                {"message": machine.message, "signal": machine.signal, "service": machine.service_result}[heard[0].kind](
                    heard[0].name or "", {}, now
                )
            elif due and due[0].due_at:
                machine.fire(due[0].key, due[0].due_at)
            elif machine.open():
                machine.complete(machine.open()[0].key, {}, now)
    except EngineError as error:
        assert str(error)


def test_the_bases_may_be_published_and_played() -> None:
    for base in BASES:
        problems = judged(base.xml())
        assert problems is not None and publishable(problems), problems
        played(base.xml())


@settings(max_examples=400, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_mutant_is_refused_or_plays(data: st.DataObject) -> None:
    xml = mutant(data.draw)
    for bare in (False, True):
        problems = judged(xml, bare=bare)
    if problems is not None and publishable(problems):
        played(xml)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    st.sampled_from([base.xml() for base in BASES]),
    st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=6)), min_size=1, max_size=8),
)
def test_a_file_that_is_broken_is_refused_or_judged(xml: bytes, cuts: list[tuple[int, bytes]]) -> None:
    for at, instead in cuts:
        at %= len(xml)
        xml = xml[:at] + instead + xml[at + len(instead) // 2 :]
    judged(xml)


@pytest.mark.parametrize("twelfths", range(12))
@pytest.mark.parametrize("key", shipped())
def test_a_shipped_diagram_that_is_cut_off_is_unreadable(key: str, twelfths: int) -> None:
    whole = (shipped()[key] / DIAGRAM).read_bytes()
    assert judged(whole[: len(whole) * twelfths // 12]) is None


# ---- what XML can do -----------------------------------------------------------------------------------------------

PLAIN = started("u", "e").users("u").ends("e").xml().decode()
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPES = [
    "<!DOCTYPE definitions>",
    '<!DOCTYPE definitions SYSTEM "file:///etc/passwd">',
    '<!DOCTYPE definitions PUBLIC "-//x//" "http://127.0.0.1:9/x.dtd">',
    '<!DOCTYPE definitions [<!ENTITY a "b">]>',
    '<!DOCTYPE definitions [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE definitions [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x"> %a;]>',
    '<!DOCTYPE definitions [<!ATTLIST process id CDATA "p">]>',
    f'<!DOCTYPE definitions [<!ENTITY l0 "ha">{LAUGHS}]>',
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "gb18030", "cp037", "latin-1"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("number", range(len(DOCTYPES)))
def test_no_doctype_in_any_encoding(number: int, encoding: str) -> None:
    for named in ("", f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'):
        for use in ("", "&l9;", "&a;"):
            text = named + DOCTYPES[number] + PLAIN.replace('name="u"', f'name="{use}"').replace("</process>", f"{use}</process>")
            assert judged(text.encode(encoding)) is None


@pytest.mark.parametrize(
    "inside",
    [
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>',
        '<?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?>',
        '<?php system("id") ?>',
        "<!-- & < -- >" + " -->",
        "<![CDATA[<!DOCTYPE x>]]>",
        '<userTask xmlns="urn:elsewhere" id="w"/>',
        '<b:userTask xmlns:b="http://www.omg.org/spec/BPMN/20100524/MODEL" id="w"/>',
        '<extensionElements xmlns:wz="urn:elsewhere"><wz:assign post="x"/></extensionElements>',
        "&#0;",
        "&#xD800;",
        "&a;",
    ],
)
def test_what_stands_between_is_read_or_refused_and_never_carried_out(inside: str) -> None:
    judged(PLAIN.replace("</process>", f"{inside}</process>").encode())


@pytest.mark.parametrize(
    "xml",
    [
        PLAIN.encode() + b" " * 1_000_000,
        started("u0", "e").users(*(f"u{n}" for n in range(MAX_NODES))).ends("e").xml(),
        (HEAD + "<userTask/>" * 60_000 + "</definitions>").encode(),
        (HEAD + '<process id="p">' + '<sequenceFlow id="f"/>' * (MAX_FLOWS + 1) + "</process></definitions>").encode(),
        b"<a>" * 300_000,
        (HEAD + "<x/>" * 240_000 + "</definitions>").encode(),
        (HEAD + "".join(f'<process id="p{n}"/>' for n in range(35_000)) + "</definitions>").encode(),
        b"PK\x03\x04" + b"\0" * 900_000,
        b"\x1f\x8b" + b"\0" * 1_000,
        b"",
        b"\0" * 1_000,
    ],
)
def test_what_is_too_big_or_no_diagram_is_refused_soon(xml: bytes) -> None:
    assert judged(xml) is None


@pytest.mark.parametrize(
    "xml",
    [
        HEAD.replace(">", " " + " ".join(f'a{n}=""' for n in range(90_000)) + ">", 1) + "</definitions>",
        HEAD + "<x/>" * 29_000 + "</definitions>",
        HEAD + "".join(f'<process id="p{n}"/>' for n in range(29_000)) + "</definitions>",
        HEAD
        + '<process id="p">'
        + "".join(f'<b xmlns:a{n}="u{n}">' for n in range(200))
        + "<c/>" * 29_000
        + "</b>" * 200
        + "</process></definitions>",
        HEAD + '<process id="p"><task id="a" name="' + "a " * 450_000 + '"/></process></definitions>',
        HEAD + '<process id="p"><task id="a">' + "<signalEventDefinition/>" * 29_000 + "</task></process></definitions>",
    ],
)
def test_what_is_allowed_to_be_big_is_read_soon(xml: str) -> None:
    problems = judged(xml.encode())
    assert problems is not None and not publishable(problems)


def test_a_circle_of_calls_is_refused() -> None:
    def calls(other: str, id: str) -> Drawing:
        return (
            Drawing()
            .node("startEvent", f"s{id}")
            .node("callActivity", f"c{id}", calledElement=other)
            .ends(f"e{id}")
            .chain(f"s{id}", f"c{id}", f"e{id}")
        )

    circle = calls("q", "1").beside(calls("r", "2").as_process("q")).beside(calls("q", "3").as_process("r"))
    assert "call_cycle" in {p.rule for p in judged(circle.xml()) or ()}
    assert "call_cycle" in {p.rule for p in judged(calls("p", "1").xml()) or ()}


def test_ids_that_would_be_taken_for_other_names_are_refused() -> None:
    """The race of an event gateway is named after its flow: with `/` in it the loser was never taken back."""
    for id in ("a/b", "u#1", "u@1", "1a", "a b", "x" * 101):
        found = {p.rule for p in judged(started("u", "e").flow("s", "e", id=id).users("u").ends("e").xml()) or ()}
        assert found == {"id_unreadable"}


@pytest.mark.parametrize("path", ["../../etc/passwd", "forms/../../x.json", "forms/%2e%2e/x.json"])
def test_a_package_reads_only_its_own_files(tmp_path: Path, path: str) -> None:
    (tmp_path / "package" / "forms").mkdir(parents=True)
    (tmp_path / "package" / DIAGRAM).write_text(PLAIN)
    (tmp_path / "x.json").write_text('{"properties": {}}')
    assert set(read_package(tmp_path / "package").files) == {DIAGRAM}
    form = f'<userTask id="u" name="u"><extensionElements><wz:form key="{path}"/></extensionElements></userTask>'
    (tmp_path / "package" / DIAGRAM).write_text(PLAIN.replace('<userTask id="u" name="u"></userTask>', form))
    assert "form_unknown" in {p.rule for p in check_package(read_package(tmp_path / "package"))}


def test_a_package_may_not_be_heavy(tmp_path: Path) -> None:
    (tmp_path / DIAGRAM).write_text(PLAIN)
    (tmp_path / "texts").mkdir()
    for n in range(2):
        (tmp_path / "texts" / f"{n}.json").write_text("{}" + " " * 800_000)
    with pytest.raises(Unreadable, match="合计"):
        read_package(tmp_path)


def test_a_cycle_that_began_long_ago_begins_now() -> None:
    """Made up for round by round, a cycle of a minute since 1900 is sixty million commands."""
    often = timer("cycle", "R/1900-01-01T00:00Z/PT1M")
    limit = (
        started("u", "e")
        .users("u")
        .ends("e", "e2")
        .node("boundaryEvent", "b", often, attachedToRef="u", cancelActivity="false")
        .flow("b", "e2")
    )
    machine = Machine(frozen_package({DIAGRAM: limit.xml()}).program, NOW)
    machine.start({}, NOW)
    assert [w.due_at for w in machine.waiting()] == [NOW]
    machine.fire(machine.waiting()[0].key, NOW)
    assert [w.due_at for w in machine.waiting()] == [NOW + timedelta(minutes=1)]


@pytest.mark.parametrize("setting", ["<wz:actor/>", '<wz:status value=""/>', "<wz:form/>"])
def test_a_setting_that_says_nothing_is_refused(setting: str) -> None:
    user = f'<userTask id="u" name="u"><extensionElements>{setting}</extensionElements></userTask>'
    problems = judged(PLAIN.replace('<userTask id="u" name="u"></userTask>', user).encode())
    assert {p.rule for p in problems or ()} == {"setting_incomplete"}


def test_a_refused_time_does_not_repeat_what_was_written() -> None:
    with pytest.raises(EngineError) as refused:
        machine = Machine(frozen_package({DIAGRAM: drawn("intermediateCatchEvent", timer("duration", "=many"))}).program, NOW)
        machine.start({"many": list(range(9_000))}, NOW)
    assert len(str(refused.value)) < 300
