"""Reads BPMN 2.0 XML into a frozen model of what it says.

Knows the standard's vocabulary and our extension namespace; judges nothing (see `validator`) and runs nothing (see `machine`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TypeVar

from lxml import etree

from engine.errors import Unreadable

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
SETTINGS = "urn:wuzhang:bpmn:1"
MAX_BYTES = 1_000_000
MAX_NODES = 300
MAX_FLOWS = 1_500
MAX_ELEMENTS = 30_000
ID = re.compile(r"[^\W\d][\w.-]{0,99}")
"""What XML calls a name. Ours are parts of other names, so that `#`, `@` and `/` must stay out of them."""

TASKS = frozenset(["task", "userTask", "manualTask", "scriptTask", "businessRuleTask", "serviceTask", "sendTask", "receiveTask"])
SUBPROCESSES = frozenset(["subProcess", "transaction", "adHocSubProcess"])
GATEWAYS = frozenset(["exclusiveGateway", "inclusiveGateway", "parallelGateway", "eventBasedGateway", "complexGateway"])
EVENTS = frozenset(["startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"])
NODES = TASKS | SUBPROCESSES | GATEWAYS | EVENTS | {"callActivity"}
ACTIVITIES = TASKS | SUBPROCESSES | {"callActivity"}

_V = TypeVar("_V")


@dataclass(frozen=True)
class Event:
    """What an event waits for or throws. `name` is the message, signal, error or escalation it refers to."""

    kind: str
    name: str | None = None
    timer: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Loop:
    """Standard loop or multi-instance marker of an activity; texts are expressions."""

    kind: str
    condition: str | None = None
    test_before: bool = False
    maximum: int | None = None
    cardinality: str | None = None
    collection: str | None = None
    item: str | None = None
    output: str | None = None
    output_item: str | None = None


@dataclass(frozen=True)
class Flow:
    """A sequence flow; `condition` is an expression."""

    id: str
    source: str
    target: str
    name: str = ""
    condition: str | None = None


@dataclass(frozen=True)
class Node:
    """A flow node. `scope` is the id of the process or subprocess that holds it."""

    id: str
    kind: str
    name: str
    scope: str
    events: tuple[Event, ...] = ()
    attached_to: str | None = None
    interrupting: bool = True
    loop: Loop | None = None
    default: str | None = None
    called: str | None = None
    script: str | None = None
    decision: str | None = None
    lookup: str | None = None
    result: str | None = None
    reference: str | None = None
    triggered_by_event: bool = False
    instantiate: bool = False
    for_compensation: bool = False
    parallel_multiple: bool = False
    lane: str = ""
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def event(self) -> Event:
        return self.events[0] if self.events else Event("none")

    @property
    def label(self) -> str:
        return self.name or self.id


@dataclass(frozen=True)
class Process:
    """One `process` element: an executable pool, or a black box when it holds nothing."""

    id: str
    name: str
    executable: bool


@dataclass(frozen=True)
class Oddity:
    """Something in the file that this model cannot hold: the rule it breaks, where, and what was written."""

    rule: str
    element: str
    written: str = ""


@dataclass(frozen=True)
class Diagram:
    """Everything one BPMN file says that matters to execution."""

    processes: Mapping[str, Process]
    nodes: Mapping[str, Node]
    flows: Mapping[str, Flow]
    oddities: tuple[Oddity, ...] = ()

    @cached_property
    def outgoing(self) -> Mapping[str, tuple[Flow, ...]]:
        return _grouped(self.nodes, ((f.source, f) for f in self.flows.values()))

    @cached_property
    def incoming(self) -> Mapping[str, tuple[Flow, ...]]:
        return _grouped(self.nodes, ((f.target, f) for f in self.flows.values()))

    @cached_property
    def boundary(self) -> Mapping[str, tuple[Node, ...]]:
        """Boundary events by the activity they sit on."""
        return _grouped(self.nodes, ((n.attached_to, n) for n in self.nodes.values() if n.attached_to))

    @cached_property
    def inside(self) -> Mapping[str, tuple[Node, ...]]:
        """Nodes by the process or subprocess that holds them, in file order."""
        scopes = {**dict.fromkeys(self.processes), **dict.fromkeys(self.nodes)}
        return _grouped(scopes, ((n.scope, n) for n in self.nodes.values()))

    @cached_property
    def heard(self) -> Mapping[str, Node]:
        """Who waits for a message or a signal of that name."""
        catching = [node for node in self.nodes.values() if node.kind not in ("intermediateThrowEvent", "endEvent")]
        return {event.name: node for node in catching for event in node.events if event.name and event.kind in ("message", "signal")}

    @cached_property
    def link_target(self) -> Mapping[str, Node]:
        """The link catch event by the throw events that lead to it: such a pair is a sequence flow without a line."""
        links = [n for n in self.nodes.values() if n.event.kind == "link"]
        catches = {(n.scope, n.event.name): n for n in links if n.kind == "intermediateCatchEvent"}
        throws = [n for n in links if n.kind == "intermediateThrowEvent"]
        return {n.id: catches[n.scope, n.event.name] for n in throws if (n.scope, n.event.name) in catches}

    @cached_property
    def onward(self) -> Mapping[str, tuple[str, ...]]:
        """Where a token at a node may be next: along its flows, its link, or from an event on its boundary."""
        link = {node: (catch.id,) for node, catch in self.link_target.items()}
        return {
            node: (*(f.target for f in flows), *link.get(node, ()), *(b.id for b in self.boundary.get(node, ())))
            for node, flows in self.outgoing.items()
        }

    def starts(self, scope: str) -> tuple[Node, ...]:
        """The start events of a scope."""
        return tuple(n for n in self.inside[scope] if n.kind == "startEvent")

    def entries(self, scope: str) -> tuple[Node, ...]:
        """Where a scope begins: at its start events, or without them at every node that nothing leads to."""
        led_to = {target for n in self.inside[scope] for target in self.onward[n.id]}
        return self.starts(scope) or tuple(n for n in self.inside[scope] if n.id not in led_to and not n.triggered_by_event)

    def flows_into(self, join: str) -> Mapping[str, frozenset[str]]:
        """The incoming flows of `join` that a token can reach without passing the join, by the node the token is at."""
        found: dict[str, set[str]] = {}
        for flow in self.incoming[join]:
            pending = [flow.source]
            while pending:
                here = pending.pop()
                if here != join and flow.id not in found.setdefault(here, set()):
                    found[here].add(flow.id)
                    pending += self._backward[here]
        return {node: frozenset(flows) for node, flows in found.items()}

    @cached_property
    def _backward(self) -> Mapping[str, tuple[str, ...]]:
        return _grouped(self.nodes, ((target, node) for node, targets in self.onward.items() for target in targets))

    @cached_property
    def main(self) -> Process:
        """The process an instance starts with: the executable one that no call activity of the file calls."""
        called = {n.called for n in self.nodes.values() if n.called}
        candidates = [p for p in self.processes.values() if self.inside[p.id]]
        ranked = sorted(candidates, key=lambda p: (p.id in called, not p.executable))
        if not ranked:
            raise Unreadable("文件中没有可执行的流程。")
        return ranked[0]


def read_diagram(xml: bytes) -> Diagram:
    """The diagram in `xml`; raises `Unreadable` for anything that is not safe, small, well-formed BPMN."""
    root = parse_safely(xml)
    if root.tag != f"{{{BPMN}}}definitions":
        raise Unreadable("文件不是 BPMN 2.0 流程图：根元素应为 definitions。")
    if next(islice(root.iter(), MAX_ELEMENTS, None), None) is not None:
        raise Unreadable(f"文件中的元素超过上限 {MAX_ELEMENTS} 个。")
    count = sum(1 for el in root.iter() if _local(el) in NODES)
    if count > MAX_NODES:
        raise Unreadable(f"流程图有 {count} 个环节，超过上限 {MAX_NODES} 个。请用调用活动拆分。")
    lines = sum(1 for _ in root.iter(f"{{{BPMN}}}sequenceFlow"))
    if lines > MAX_FLOWS:
        raise Unreadable(f"流程图有 {lines} 条连线，超过上限 {MAX_FLOWS} 条。请用调用活动拆分。")
    return _Reader(root).diagram()


def parse_safely(xml: bytes, limit: int = MAX_BYTES) -> etree._Element:
    """Parses untrusted XML: no DOCTYPE, no entities, no network, bounded size."""
    if len(xml) > limit:
        raise Unreadable(f"文件有 {len(xml) / 1e6:.1f} MB，超过上限 {limit / 1e6:g} MB。")
    if not xml.strip():
        raise Unreadable("文件是空的。")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True)
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable("文件不是格式正确的 XML。") from error
    if root.getroottree().docinfo.internalDTD is not None or root.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        raise Unreadable("文件含有 DOCTYPE 声明，出于安全考虑不予读取。")
    return root


def _grouped(keys: Mapping[str, object], pairs: Iterator[tuple[str | None, _V]]) -> Mapping[str, tuple[_V, ...]]:
    groups: dict[str, list[_V]] = {key: [] for key in keys}
    for key, value in pairs:
        groups.setdefault(key or "", []).append(value)
    return {key: tuple(values) for key, values in groups.items()}


def _local(el: etree._Element) -> str:
    tag = el.tag
    return tag[len(BPMN) + 2 :] if isinstance(tag, str) and tag.startswith(f"{{{BPMN}}}") else ""


def _child(el: etree._Element, name: str) -> etree._Element | None:
    return el.find(f"{{{BPMN}}}{name}")


def _text(el: etree._Element, name: str) -> str | None:
    child = _child(el, name)
    text = "".join(str(part) for part in child.itertext()).strip() if child is not None else ""
    return text or None


def _written(el: etree._Element, name: str) -> str | None:
    """The text of a child, "" when it is there but empty."""
    return None if _child(el, name) is None else _text(el, name) or ""


def _flag(el: etree._Element, name: str, default: bool = False) -> bool:
    return el.get(name, str(default)).strip().lower() in ("true", "1")


def _ref(text: str | None) -> str | None:
    """An id reference without its namespace prefix (`tns:order` → `order`)."""
    return text.strip().rpartition(":")[2] or None if text else None


class _Reader:
    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.names = {
            (kind, el.get("id")): el.get("errorCode") or el.get("escalationCode") or el.get("name") or el.get("id")
            for kind in ("message", "signal", "error", "escalation")
            for el in root.iterfind(f"{{{BPMN}}}{kind}")
        }
        self.shared_events = {el.get("id"): el for el in root if _local(el).endswith("EventDefinition")}
        self.nodes: dict[str, Node] = {}
        self.flows: dict[str, Flow] = {}
        self.oddities: list[Oddity] = []
        self.lanes: dict[str, str] = {}

    def diagram(self) -> Diagram:
        processes = {}
        for el in self.root.iterfind(f"{{{BPMN}}}process"):
            process = Process(self.identity(el), el.get("name", ""), _flag(el, "isExecutable"))
            processes[process.id] = process
            self.read_lanes(el)
            self.read_scope(el, process.id)
        ids = Counter(id for el in self.root.iter() if _local(el) and (id := el.get("id")))
        self.oddities += [Oddity("duplicate_id", id) for id, times in ids.items() if times > 1]
        return Diagram(processes, self.nodes, self.flows, tuple(self.oddities))

    def identity(self, el: etree._Element) -> str:
        if not el.get("id"):
            self.oddities.append(Oddity("id_missing", "", _local(el)))
        elif not ID.fullmatch(el.get("id", "")):
            self.oddities.append(Oddity("id_unreadable", el.get("id", "")[:80]))
        return el.get("id", "")

    def named(self, kind: str, ref: str | None, element: str) -> str | None:
        """The name of the message, signal, error or escalation that an element refers to."""
        reference = _ref(ref)
        if reference and (kind, reference) not in self.names:
            self.oddities.append(Oddity("reference_unknown", element, reference))
        return self.names.get((kind, reference), reference) if reference else None

    def read_lanes(self, process: etree._Element) -> None:
        for lane in process.iter(f"{{{BPMN}}}lane"):
            for ref in lane.iterfind(f"{{{BPMN}}}flowNodeRef"):
                self.lanes[(ref.text or "").strip()] = lane.get("name", lane.get("id", ""))

    def read_scope(self, scope: etree._Element, scope_id: str) -> None:
        for el in scope:
            kind = _local(el)
            if kind == "sequenceFlow":
                flow = self.flow(el)
                self.flows[flow.id] = flow
            elif kind in NODES:
                node = self.node(el, kind, scope_id)
                self.nodes[node.id] = node
                if kind in SUBPROCESSES:
                    self.read_scope(el, node.id)
            elif kind in ("subChoreography", "choreographyTask", "callChoreography"):
                self.oddities.append(Oddity("unsupported_element", el.get("id", ""), f"编排图元素 {kind}"))

    def flow(self, el: etree._Element) -> Flow:
        return Flow(
            self.identity(el),
            _ref(el.get("sourceRef")) or "",
            _ref(el.get("targetRef")) or "",
            el.get("name", ""),
            _written(el, "conditionExpression"),
        )

    def node(self, el: etree._Element, kind: str, scope: str) -> Node:
        settings: dict[str, Mapping[str, str]] = {}
        for child in el.iterfind(f"{{{BPMN}}}extensionElements/*"):
            if isinstance(child.tag, str) and child.tag.startswith(f"{{{SETTINGS}}}"):
                settings[child.tag[len(SETTINGS) + 2 :]] = {str(k): str(v) for k, v in child.attrib.items()}
        id = self.identity(el)
        if el.get("eventGatewayType", "Exclusive") != "Exclusive":
            self.oddities.append(Oddity("unsupported_element", id, "并行的事件网关"))
        return Node(
            id=id,
            kind=kind,
            name=" ".join(el.get("name", "").split()),
            scope=scope,
            events=tuple(self.events(el, id)),
            attached_to=_ref(el.get("attachedToRef")),
            interrupting=_flag(el, "cancelActivity" if kind == "boundaryEvent" else "isInterrupting", True),
            loop=self.loop(el, id),
            default=_ref(el.get("default")),
            called=_ref(el.get("calledElement")),
            script=_text(el, "script"),
            decision=el.get(f"{{{SETTINGS}}}decision"),
            lookup=el.get(f"{{{SETTINGS}}}lookup"),
            result=el.get(f"{{{SETTINGS}}}result"),
            reference=self.named("message", el.get("messageRef"), id),
            triggered_by_event=_flag(el, "triggeredByEvent"),
            instantiate=_flag(el, "instantiate"),
            for_compensation=_flag(el, "isForCompensation"),
            parallel_multiple=_flag(el, "parallelMultiple"),
            lane=self.lanes.get(id, ""),
            settings=settings,
        )

    def events(self, el: etree._Element, id: str) -> Iterator[Event]:
        for child in el:
            kind = _local(child)
            if kind == "eventDefinitionRef":
                shared = self.shared_events.get(_ref(child.text) or "")
                if shared is None:
                    self.oddities.append(Oddity("reference_unknown", id, child.text or ""))
                else:
                    yield self.event(shared, id)
            elif kind.endswith("EventDefinition"):
                yield self.event(child, id)

    def event(self, el: etree._Element, id: str) -> Event:
        kind = _local(el).removesuffix("EventDefinition")
        if kind == "timer":
            for form, tag in (("date", "timeDate"), ("duration", "timeDuration"), ("cycle", "timeCycle")):
                if text := _text(el, tag):
                    return Event(kind, timer=form, text=text)
            return Event(kind)
        if kind == "conditional":
            return Event(kind, text=_text(el, "condition"))
        if kind == "link":
            return Event(kind, name=el.get("name"))
        return Event(kind, name=self.named(kind, el.get(f"{kind}Ref"), id))

    def loop(self, el: etree._Element, id: str) -> Loop | None:
        standard, multi = _child(el, "standardLoopCharacteristics"), _child(el, "multiInstanceLoopCharacteristics")
        if standard is not None and multi is not None:
            self.oddities.append(Oddity("several_loops", id))
        if standard is not None:
            maximum = standard.get("loopMaximum", "").strip()
            counted = maximum.isdecimal() and len(maximum) < 10 and int(maximum) > 0
            if maximum and not counted:
                self.oddities.append(Oddity("loop_unreadable", id, maximum))
            return Loop(
                "standard",
                condition=_text(standard, "loopCondition"),
                test_before=_flag(standard, "testBefore"),
                maximum=int(maximum) if counted else None,
            )
        if multi is None:
            return None
        item, output_item = _child(multi, "inputDataItem"), _child(multi, "outputDataItem")
        return Loop(
            "sequential" if _flag(multi, "isSequential") else "parallel",
            condition=_text(multi, "completionCondition"),
            cardinality=_text(multi, "loopCardinality"),
            collection=_text(multi, "loopDataInputRef"),
            item=_name(item),
            output=_text(multi, "loopDataOutputRef"),
            output_item=_name(output_item),
        )


def _name(el: etree._Element | None) -> str | None:
    return None if el is None else el.get("name") or el.get("id")
