"""The token game of one scope, stripped to what can make it hang.

Tasks, conditions and boundary events become knots that join and split tokens by one rule each; decisions are taken to be
free. `reduce` takes out what cannot matter: sequences, branches that meet again as they parted, what only leads to an end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.diagram import Diagram, Node
from engine.handlers import Handlers

XOR, AND, OR = "xor", "and", "or"
START, END, ABORT = "<start>", "<end>", "<abort>"
JOINS = {"parallelGateway": AND, "inclusiveGateway": OR}
MEET_AS_THEY_PARTED = {(XOR, XOR), (AND, AND), (OR, OR), (XOR, OR), (AND, OR)}

Onward = str | tuple[str, list["Onward"]]
"""Where a token goes: to a node, or by a rule to one, several or all of these."""


@dataclass
class Knot:
    """A place where tokens join by one rule and split by another; `element` is where it is on the diagram."""

    element: str
    join: str = XOR
    split: str = XOR
    ins: list[int] = field(default_factory=list)
    outs: list[int] = field(default_factory=list)


class Net:
    """Knots by name, and numbered lines between them; a line may lead to END, or to ABORT, which takes every token away."""

    def __init__(self, diagram: Diagram, scope: str, handlers: Handlers) -> None:
        self.knots = {START: Knot(scope)}
        self.source: dict[int, str] = {}
        self.target: dict[int, str] = {}
        self.lines = 0
        begun = [n.id for n in diagram.entries(scope)]
        nodes = [n for n in diagram.inside[scope] if not n.triggered_by_event]
        self.knots |= {n.id: Knot(n.id, JOINS.get(n.kind, XOR)) for n in nodes}
        self.lead(START, (XOR if diagram.starts(scope) else AND, list(begun)))
        for node in nodes:
            self.lead(node.id, _onward(diagram, node, handlers))

    def lead(self, knot: str, onward: Onward) -> None:
        """Draws the lines out of a knot, with further knots where one rule is nested in another."""
        while isinstance(onward, tuple) and len(onward[1]) == 1:
            onward = onward[1][0]
        split, targets = (XOR, [onward]) if isinstance(onward, str) else onward
        self.knots[knot].split = split
        for target in targets:
            if not isinstance(target, str):
                inner = f"{knot}/{self.lines}"
                self.knots[inner] = Knot(self.knots[knot].element)
                self.lead(inner, target)
                target = inner
            self.draw(knot, target)

    def draw(self, source: str, target: str) -> None:
        self.lines += 1
        self.source[self.lines], self.target[self.lines] = source, target
        self.knots[source].outs.append(self.lines)
        if target in self.knots:
            self.knots[target].ins.append(self.lines)

    @property
    def inclusive(self) -> list[str]:
        """The knots at which it matters what else is on its way."""
        return [name for name, knot in self.knots.items() if knot.join == OR and len(knot.ins) > 1]

    def endless(self) -> set[str]:
        """Elements in circles from which some token never finds an end."""
        leads = {END, ABORT}
        while more := {name for name, knot in self.knots.items() if name not in leads and self._leads(knot, leads)}:
            leads |= more
        lost = self.knots.keys() - leads
        onward = {name: {self.target[line] for line in self.knots[name].outs} & lost for name in lost}
        return {self.knots[name].element for name in lost if name in _reached(onward, onward[name])}

    def _leads(self, knot: Knot, leads: set[str]) -> bool:
        return (all if knot.split == AND else any)(self.target[line] in leads for line in knot.outs)

    # ---- reduction ------------------------------------------------------------------------------------------

    def reduce(self) -> None:
        """Takes out what cannot make a difference to whether tokens get stuck."""
        changed = True
        while changed:
            changed = False
            for name in list(self.knots):
                changed |= name in self.knots and self._simplified(name)

    def _simplified(self, name: str) -> bool:
        knot = self.knots[name]
        needless = self._needless(name, knot)
        for line in needless:
            self._erase(line)
        if len(knot.outs) == 1:
            return self._passed_by(name, knot, knot.outs[0]) or bool(needless)
        return self._split_with_next(name, knot) or bool(needless)

    def _needless(self, name: str, knot: Knot) -> list[int]:
        """Lines beside others that do the same."""
        found, kept = [], Counter[str]()
        for line in knot.outs:
            target = self.target[line]
            kept[target] += 1
            if target in (END, ABORT):
                needless = kept[target] > 1
            elif target == name:
                needless = knot.join == knot.split == XOR
            else:
                needless = kept[target] > 1 and (knot.split, self.knots[target].join) in MEET_AS_THEY_PARTED
            found += [line] * needless
        if knot.split == AND:
            found += [line for line in knot.outs if self.target[line] == END and line not in found]
        return found if len(found) < len(knot.outs) else found[1:]

    def _passed_by(self, name: str, knot: Knot, line: int) -> bool:
        """A knot with one line out needs no place of its own, when its join is none or can be had elsewhere."""
        target = self.target[line]
        if target == name:
            return False
        after = self.knots.get(target)
        joins = len(knot.ins) > 1
        if after is not None and after.ins == [line] and (joins or name == START):
            self._merge_splits(name, line, after.split)
            return True
        if name == START:
            return False
        if after is None:
            apart = not joins or knot.join == XOR or (knot.join == OR and target == END)
        else:
            apart = not joins or (knot.join == after.join != OR and len(after.ins) > 1)
        if apart:
            self._erase(line)
            for incoming in knot.ins:
                self.target[incoming] = target
                if after is not None:
                    after.ins.append(incoming)
            del self.knots[name]
        return apart

    def _split_with_next(self, name: str, knot: Knot) -> bool:
        """A split right after a split by the same rule is one split."""
        for line in knot.outs:
            after = self.knots.get(self.target[line])
            if after is not None and after is not knot and after.ins == [line] and after.split == knot.split:
                self._merge_splits(name, line, knot.split)
                return True
        return False

    def _merge_splits(self, name: str, line: int, split: str) -> None:
        after = self.knots.pop(self.target[line])
        self._erase(line)
        self.knots[name].split = split
        for outgoing in after.outs:
            self.source[outgoing] = name
        self.knots[name].outs += after.outs

    def _erase(self, line: int) -> None:
        source, target = self.source.pop(line), self.target.pop(line)
        if source in self.knots:
            self.knots[source].outs.remove(line)
        if target in self.knots:
            self.knots[target].ins.remove(line)


def _onward(diagram: Diagram, node: Node, handlers: Handlers) -> Onward:
    if node.kind in ("endEvent", "intermediateThrowEvent") and handlers.ends(node):
        return ABORT
    if node.id in diagram.link_target:
        return diagram.link_target[node.id].id
    events = diagram.boundary.get(node.id, ())
    across: Onward = (XOR, [_along_flows(diagram, node), *(e.id for e in events if e.interrupting)])
    beside: list[Onward] = [(XOR, [e.id, END]) for e in events if not e.interrupting]
    return (AND, [across, *beside])


def _along_flows(diagram: Diagram, node: Node) -> Onward:
    flows = diagram.outgoing[node.id]
    if not flows:
        return END
    if node.kind in ("parallelGateway", "exclusiveGateway", "eventBasedGateway"):
        return (AND if node.kind == "parallelGateway" else XOR, [f.target for f in flows])
    always = [f.target for f in flows if f.condition is None and f.id != node.default]
    perhaps = [f.target for f in flows if f.condition is not None and f.id != node.default]
    otherwise = [f.target for f in flows if f.id == node.default]
    if always:
        maybe: list[Onward] = [(XOR, [target, END]) for target in perhaps]
        return (AND, [*always, *maybe])
    return (XOR, [*otherwise, (OR, list(perhaps))]) if perhaps else otherwise[0]


def _reached(onward: dict[str, set[str]], begun: Iterable[str]) -> set[str]:
    seen, pending = set(begun), list(begun)
    while pending:
        for name in onward[pending.pop()] - seen:
            seen.add(name)
            pending.append(name)
    return seen
