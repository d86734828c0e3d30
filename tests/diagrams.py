"""Writes small BPMN files for tests from a few words.

`Drawing().node("userTask", "u").flow("s", "u")`; nodes may hold raw inner XML and a nested drawing.
"""

from __future__ import annotations

from itertools import pairwise
from xml.sax.saxutils import escape

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:wz="urn:wuzhang:bpmn:1" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="urn:test">'
)


class Drawing:
    """The contents of a process or subprocess."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.outside: list[str] = []

    def node(self, kind: str, id: str, inner: str = "", body: Drawing | None = None, **attrs: str) -> Drawing:
        more = "".join(f' {name}="{escape(value)}"' for name, value in attrs.items())
        if body:
            self.outside += body.outside
        held = "".join(body.parts) if body else ""
        self.parts.append(f'<{kind} id="{id}" name="{id}"{more}>{inner}{held}</{kind}>')
        return self

    def flow(self, source: str, target: str, condition: str | None = None, id: str = "") -> Drawing:
        inner = f"<conditionExpression>{escape(condition)}</conditionExpression>" if condition is not None else ""
        flow = id or f"f_{source}_{target}"
        self.parts.append(f'<sequenceFlow id="{flow}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>')
        return self

    def chain(self, *ids: str) -> Drawing:
        for source, target in pairwise(ids):
            self.flow(source, target)
        return self

    def ends(self, *ids: str) -> Drawing:
        for id in ids:
            self.node("endEvent", id)
        return self

    def users(self, *ids: str) -> Drawing:
        for id in ids:
            self.node("userTask", id)
        return self

    def rule(self, id: str, **asks: str) -> Drawing:
        """A business-rule task that asks a decision table or the world outside."""
        self.parts.append(f'<businessRuleTask id="{id}" name="{id}" {" ".join(f"""wz:{k}="{v}" """ for k, v in asks.items())}/>')
        return self

    def beside(self, xml: str) -> Drawing:
        """Adds an element outside the process: a message, a signal, another process."""
        self.outside.append(xml)
        return self

    def xml(self, process: str = "p") -> bytes:
        inner = "".join(self.parts)
        return f'{HEAD}{"".join(self.outside)}<process id="{process}" isExecutable="true">{inner}</process></definitions>'.encode()

    def as_process(self, id: str) -> str:
        """This drawing as a further process of the file, to be called."""
        return f'<process id="{id}">{"".join(self.parts)}</process>'


def started(*path: str) -> Drawing:
    """A drawing with the start event `s` leading along `path`."""
    return Drawing().node("startEvent", "s").chain("s", *path)


def timer(form: str, text: str) -> str:
    tag = {"duration": "timeDuration", "date": "timeDate", "cycle": "timeCycle"}[form]
    return f"<timerEventDefinition><{tag}>{text}</{tag}></timerEventDefinition>"


def event(kind: str, ref: str = "") -> str:
    return f"<{kind}EventDefinition{f' {kind}Ref={chr(34)}{ref}{chr(34)}' if ref else ''}/>"
