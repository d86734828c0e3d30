"""The way of a case over its diagram, visit by visit, and where two ways differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.diagram import Diagram, Node
from engine.plans import BACK
from engine.program import Step
from engine.replay import is_visit

Naming = Callable[[str], str | None]
"""What an element is called on the draft; None when the draft has it no more."""


@dataclass(frozen=True)
class Visit:
    """A node that the case came to, with which command, and with which it was finished, if it was.

    `new` is what the draft calls it. `again` says that going back opened it anew, `passed` that it only counts as done.
    """

    seq: int
    key: str
    node: Node
    new: str | None
    at: datetime
    done: int | None = None
    again: bool = False
    passed: bool = False


@dataclass
class Way:
    """The visits of one case, in order, as it goes on from command to command."""

    naming: Naming = str
    passed: Collection[str] = ()
    visits: list[Visit] = field(default_factory=list)

    def goes_on(self, seq: int, kind: str, steps: Iterable[Step], diagram: Diagram) -> None:
        """What a command of this kind did."""
        for step in steps:
            if step.kind in ("completed", "fired"):
                self._finish(seq, step)
            again = kind in BACK and step.kind == "opened"
            if again or is_visit(step, diagram):
                node = diagram.nodes[step.element]
                at_once = step.kind == "fired" or (kind == "start" and node.kind == "startEvent" and node.scope == diagram.main.id)
                done = seq if at_once else None
                self.visits.append(Visit(seq, step.key, node, self.naming(node.id), step.at, done, again, node.id in self.passed))

    def _finish(self, seq: int, step: Step) -> None:
        """What was begun under the same key, else, since events begin without one, the first of that name that is not finished."""
        new, open_now = self.naming(step.element), [n for n, visit in enumerate(self.visits) if visit.done is None]
        same = [n for n in open_now if self.visits[n].key == step.key]
        named = [n for n in open_now if self.visits[n].node.id == step.element or (new and self.visits[n].new == new)]
        for n in [*same, *named][:1]:
            self.visits[n] = replace(self.visits[n], done=seq)


def is_step(node: Node) -> bool:
    """What people count as a step of the way: no gateway, and neither its beginning nor its end."""
    return not node.kind.endswith("Gateway") and node.kind != "endEvent" and (node.kind != "startEvent" or bool(node.events))


def first_beyond(way: list[str], beyond: Counter[str]) -> int | None:
    """The first visit of a way that the other way has not."""
    had = Counter(way)
    seen: Counter[str] = Counter()
    for index, element in enumerate(way):
        seen[element] += 1
        if seen[element] > had[element] - beyond[element]:
            return index
    return None


def source(diagram: Diagram, way: list[str], index: int) -> str:
    """From where a way came to its visit `index`: the last node before that leads there, else the one visited before."""
    sources = {flow.source for flow in diagram.incoming.get(way[index], ())}
    return next((element for element in way[:index][::-1] if element in sources), way[max(0, index - 1)])
