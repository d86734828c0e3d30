"""The drawing is one an official can follow: everything is drawn, and no line crosses a line, a box or a label."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from lxml import etree

from bpmn import TEMPLATES, beginning, shipped

SPACES = {
    "b": "http://www.omg.org/spec/BPMN/20100524/MODEL",
    "i": "http://www.omg.org/spec/BPMN/20100524/DI",
    "c": "http://www.omg.org/spec/DD/20100524/DC",
    "d": "http://www.omg.org/spec/DD/20100524/DI",
}
Point = tuple[float, float]
Box = tuple[float, float, float, float]
Segment = tuple[Point, Point]


class Drawing:
    """A shipped diagram: what it says, and the pages it is drawn on."""

    def __init__(self, diagram: bytes) -> None:
        self.root = etree.fromstring(diagram)
        self.planes = self.root.findall(".//i:BPMNPlane", SPACES)
        inside = list(self.root.iterfind(".//b:process//*[@id]", SPACES))
        self.kinds = {el.get("id", ""): etree.QName(el).localname for el in inside}
        self.scopes = {el.get("id", ""): el.getparent().get("id", "") for el in inside}
        flows = self.root.iterfind(".//b:sequenceFlow", SPACES)
        self.flows = {el.get("id", ""): (el.get("sourceRef"), el.get("targetRef"), el.get("name")) for el in flows}

    def shapes(self, plane: etree._Element) -> dict[str, Box]:
        """The flow nodes drawn on a page."""
        drawn = {shape.get("bpmnElement", ""): box(shape) for shape in plane.findall("i:BPMNShape", SPACES)}
        return {id: at for id, at in drawn.items() if id in self.kinds and self.kinds[id] != "lane"}


DRAWINGS = {key: Drawing((folder / "process.bpmn").read_bytes()) for key, folder in shipped().items()}
DRAWINGS |= {key: Drawing(beginning(key, "process_1", "请假")["process.bpmn"]) for key in TEMPLATES}
PAGES = {f"{key}/{plane.get('bpmnElement')}": (drawing, plane) for key, drawing in DRAWINGS.items() for plane in drawing.planes}


def box(element: etree._Element) -> Box:
    bounds = element.find("c:Bounds", SPACES)
    assert bounds is not None
    x, y, width, height = (float(bounds.get(name, "")) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def lines(plane: etree._Element) -> dict[str, list[Segment]]:
    edges = plane.findall("i:BPMNEdge", SPACES)
    points = {
        e.get("bpmnElement", ""): [(float(p.get("x", "")), float(p.get("y", ""))) for p in e.findall("d:waypoint", SPACES)] for e in edges
    }
    return {id: list(pairwise(way)) for id, way in points.items()}


def labels(plane: etree._Element) -> dict[str, Box]:
    return {el.getparent().get("bpmnElement", ""): box(el) for el in plane.iterfind("*/i:BPMNLabel", SPACES)}  # type: ignore[union-attr]


def inside(segment: Segment, at: Box, margin: float = 0) -> bool:
    (x1, y1), (x2, y2) = segment
    return min(x1, x2) < at[2] + margin and max(x1, x2) > at[0] - margin and min(y1, y2) < at[3] + margin and max(y1, y2) > at[1] - margin


def overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def crossing(one: Segment, other: Segment) -> bool:
    """Whether a horizontal and a vertical line cross; touching ends join."""
    if (one[0][1] == one[1][1]) == (other[0][1] == other[1][1]):
        return False
    (a, b), (c, d) = (one, other) if one[0][1] == one[1][1] else (other, one)
    return min(a[0], b[0]) < c[0] < max(a[0], b[0]) and min(c[1], d[1]) < a[1] < max(c[1], d[1])


@pytest.mark.parametrize("key", DRAWINGS)
def test_everything_is_drawn_once(key: str) -> None:
    drawing = DRAWINGS[key]
    nodes = [id for plane in drawing.planes for id in drawing.shapes(plane)]
    assert sorted(nodes) == sorted(
        id for id, kind in drawing.kinds.items() if kind.endswith(("Task", "Event", "Gateway", "subProcess", "callActivity"))
    )
    assert sorted(id for plane in drawing.planes for id in lines(plane)) == sorted(drawing.flows)
    assert len(drawing.planes) == len(drawing.root.findall("b:process", SPACES))


@pytest.mark.parametrize(("drawing", "plane"), PAGES.values(), ids=PAGES)
def test_the_page_is_clean(drawing: Drawing, plane: etree._Element) -> None:
    drawn, ways, named = drawing.shapes(plane), lines(plane), labels(plane)
    kinds, scopes, flows = drawing.kinds, drawing.scopes, drawing.flows
    assert all(a[0] == b[0] or a[1] == b[1] for way in ways.values() for a, b in way)
    assert [(f, g) for f, g in combinations(ways, 2) for s in ways[f] for t in ways[g] if crossing(s, t)] == []
    through = [
        (flow, node)
        for flow, way in ways.items()
        for node, at in drawn.items()
        if node not in flows[flow][:2] and scopes[node] == scopes[flow] and any(inside(s, at, -1) for s in way)
    ]
    assert through == []
    assert [(a, b) for a, b in combinations(named, 2) if overlap(named[a], named[b])] == []
    assert [(label, flow) for label, at in named.items() for flow, way in ways.items() if any(inside(s, at, -1) for s in way)] == []
    beside = {id: at for id, at in drawn.items() if kinds[id] != "subProcess"}
    assert [(a, b) for a, x in named.items() for b, y in beside.items() if a != b and overlap(x, y)] == []
    assert {flow for flow in ways if flows[flow][2]} <= named.keys()
