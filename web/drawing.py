"""A process diagram with its names in the reader's language, and how far an instance has come on it."""

from __future__ import annotations

import re
from typing import Any

from flask import Response
from flask_babel import get_locale
from lxml import etree

from api.work import context
from engine.packages import DIAGRAM, Package
from governance.inbox.queries import open_tasks, way_of
from web.sentences import worded

PARSER = etree.XMLParser(resolve_entities=False, no_network=True)
ANNOTATION = "{http://www.omg.org/spec/BPMN/20100524/MODEL}text"
LABEL = "{http://www.omg.org/spec/BPMN/20100524/DI}BPMNLabel"
BOUNDS = "{http://www.omg.org/spec/DD/20100524/DC}Bounds"
WAYPOINT = "{http://www.omg.org/spec/DD/20100524/DI}waypoint"
NUMBER = re.compile(r"-?[0-9]{1,7}(\.[0-9]{1,9})?")
LETTER, MARGIN, LINE, WIDEST = 6, 8, 14, 90


def drawing(package: Package) -> Response:
    """The diagram for the browser; what a browser keeps of it is for the language it was asked in."""
    response = Response(_translated(package.files[DIAGRAM]), mimetype="application/xml")
    response.headers["Cache-Control"] = "private, max-age=300"
    response.headers["Content-Language"] = str(get_locale())
    response.vary.add("Cookie")
    return response


def progress(instance_id: int) -> dict[str, Any]:
    """Where an instance has been on its diagram, where it is, and what of that is overdue."""
    given = context()
    way = way_of(given, instance_id)
    late = {t.element for t in open_tasks(given, instance_id) if t.due_at and t.due_at < given.now()}
    nodes = {
        element: {"done": way.visited.get(element, 0), "current": int(element in way.current), "overdue": int(element in late)}
        for element in {*way.visited, *way.current}
    }
    return {"nodes": nodes, "taken": sorted(way.taken)}


def _translated(diagram: bytes) -> bytes:
    if str(get_locale()) == "zh":
        return diagram
    root = etree.fromstring(diagram, PARSER)
    names: dict[str, str] = {}
    for element in root.iter(etree.Element):
        if name := element.get("name"):
            element.set("name", worded(name))
            if element.get("name") != name:
                names[element.get("id", "")] = element.get("name", "")
        if element.tag == ANNOTATION and element.text:
            element.text = worded(element.text)
    for label in root.iter(LABEL):
        drawn, bounds = label.getparent(), label.find(BOUNDS)
        if drawn is not None and bounds is not None and (name := names.get(drawn.get("bpmnElement", ""))):
            _make_room(bounds, name, drawn)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _make_room(label: etree._Element, name: str, drawn: etree._Element) -> None:
    """Gives a label the width of its longest word at least, and grows it away from what it names. Labels of flows keep their left edge."""
    shape, start = drawn.find(BOUNDS), drawn.find(WAYPOINT)
    x, y, width, height = _box(label)
    longest = max(map(len, name.split()), default=0) * LETTER + MARGIN
    room = max(width, longest, min(WIDEST, len(name) * LETTER + MARGIN) if shape is not None else 0)
    lines = _lines(name, int((room - MARGIN) / LETTER))
    _left, top, _width, tall = _box(start if shape is None else shape)
    is_above = y + height / 2 < top + tall / 2
    label.set("x", f"{x - (room - width) / 2 if shape is not None else x:g}")
    label.set("y", f"{y - max(0, lines * LINE - height) if is_above else y:g}")
    label.set("width", f"{room:g}")
    label.set("height", f"{max(height, lines * LINE):g}")


def _box(element: etree._Element | None) -> tuple[float, ...]:
    return tuple(_number(element.get(side, "")) if element is not None else 0 for side in ("x", "y", "width", "height"))


def _number(text: str) -> float:
    """A place on the drawing, which nobody has checked."""
    return float(text) if NUMBER.fullmatch(text) else 0


def _lines(name: str, letters: int) -> int:
    """Over how many lines a text is broken."""
    lines, left = 1, letters
    for word in name.split():
        if len(word) > left and left < letters:
            lines, left = lines + 1, letters
        left -= len(word) + 1
    return lines
