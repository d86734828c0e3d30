"""Looks for hangs: plays the token game of one scope and finds states from which nothing can move.

Decisions are taken to be free, so a hang reported here needs only an unlucky choice. Where tokens cannot disturb each
other their order is not tried out; what is still too much to try is reported as not judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from engine.diagram import Diagram
from engine.handlers import Handlers
from engine.net import ABORT, AND, END, OR, START, XOR, Net

MAX_WORK = 200_000
MAX_TOKENS = 4

State = tuple[int, ...]
"""The lines that tokens are on, in order; a line with two tokens is there twice."""
Move = tuple[str, list[int]]
"""A knot, and the lines whose tokens it takes."""


@dataclass(frozen=True)
class Verdict:
    """Elements in circles without an end, joins that can wait for ever, and whether everything could be tried."""

    endless: frozenset[str]
    hanging: frozenset[str]
    judged: bool


class Effort:
    """The work that judging a whole diagram may cost."""

    def __init__(self) -> None:
        self.left = MAX_WORK

    def spend(self, work: int) -> None:
        self.left -= work
        if self.left < 0:
            raise _TooMuch


def judge(diagram: Diagram, scope: str, handlers: Handlers, effort: Effort) -> Verdict:
    """What can go wrong with the tokens of one scope."""
    net = Net(diagram, scope, handlers)
    endless = net.endless()
    net.reduce()
    game = _Game(net, effort)
    try:
        judged = game.played()
    except _TooMuch:
        judged = False
    return Verdict(frozenset(endless), frozenset(game.hanging), judged)


class _TooMuch(Exception):
    """The effort is used up."""


class _Game:
    def __init__(self, net: Net, effort: Effort) -> None:
        self.net = net
        self.spend = effort.spend
        self.hanging: set[str] = set()
        self.piled_up = False
        self.distance = self.lines_towards(END, ABORT)
        self.near = self.lines_towards(*net.inclusive).keys()
        self.reach: dict[str, dict[str, int]] = {}

    def played(self) -> bool:
        """Tries every state that matters; whether there are only finitely many."""
        pending = list(self.after((), START, []))
        seen = set(pending)
        while pending:
            state = pending.pop()
            moved = False
            for after in self.following(state):
                self.spend(len(after) + 1)
                moved = True
                if after not in seen:
                    seen.add(after)
                    pending.append(after)
            if state and not moved:
                self.hanging |= {knot.element for line in state if (knot := self.net.knots[self.net.target[line]]).join != XOR}
        return not self.piled_up

    def following(self, state: State) -> Iterator[State]:
        """The states that may come next. A move that no inclusive join can notice is as good first as later."""
        self.spend(len(state))
        moves = sorted(self.moves(state), key=lambda move: self.distance.get(move[1][0], 0))
        unnoticed = next((move for move in moves if self.near.isdisjoint(move[1])), None)
        for knot, taken in [unnoticed] if unnoticed else [*moves, *self.inclusive_moves(state)]:
            yield from self.after(state, knot, taken)

    def moves(self, state: State) -> Iterator[Move]:
        for name, arrived in self.arrivals(state).items():
            knot = self.net.knots[name]
            if len(knot.ins) > 1 and knot.join == AND:
                if len(arrived) == len(knot.ins):
                    yield name, knot.ins
            elif len(knot.ins) == 1 or knot.join == XOR:
                yield from ((name, [line]) for line in arrived)

    def inclusive_moves(self, state: State) -> Iterator[Move]:
        for name, arrived in self.arrivals(state).items():
            if name in self.net.inclusive and not self.waits(state, name, arrived):
                yield name, arrived

    def arrivals(self, state: State) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for line in dict.fromkeys(state):
            found.setdefault(self.net.target[line], []).append(line)
        return found

    def after(self, state: State, knot: str, taken: list[int]) -> Iterator[State]:
        left = list(state)
        for line in taken:
            left.remove(line)
        for out in self.outs(knot):
            targets = [self.net.target[line] for line in out]
            if ABORT in targets:
                yield ()
                continue
            tokens = tuple(sorted(left + [line for line, target in zip(out, targets, strict=True) if target != END]))
            piled_up = any(tokens.count(line) > MAX_TOKENS for line in out)
            self.piled_up |= piled_up
            yield state if piled_up else tokens

    def outs(self, name: str) -> Iterable[tuple[int, ...]]:
        """The sets of lines a token may leave by."""
        knot = self.net.knots[name]
        if knot.split == AND:
            return [tuple(knot.outs)]
        most = len(knot.outs) if knot.split == OR else 1
        return (out for size in range(1, most + 1) for out in combinations(knot.outs, size))

    def waits(self, state: State, join: str, arrived: list[int]) -> bool:
        """BPMN 2.0.2, 13.4.3: a token elsewhere can still come to a line that is empty, and to none that is filled."""
        self.spend(len(state))
        filled = sum(1 << self.net.knots[join].ins.index(line) for line in arrived)
        masks = self.reach.get(join) or self.reach.setdefault(join, self.reaching(join))
        for line in state:
            into = masks.get(self.net.target[line], 0)
            if into & ~filled and not into & filled:
                return True
        return False

    def reaching(self, join: str) -> dict[str, int]:
        """By knot: the lines into `join`, as bits, that a token there can come to without passing the join."""
        bit = {line: 1 << position for position, line in enumerate(self.net.knots[join].ins)}
        masks: dict[str, int] = {}
        pending = [self.net.source[line] for line in bit]
        while pending:
            name = pending.pop()
            knot = self.net.knots[name]
            self.spend(len(knot.outs))
            mask = 0
            for line in knot.outs:
                mask |= bit.get(line, 0) or masks.get(self.net.target[line], 0)
            if name != join and mask != masks.get(name):
                masks[name] = mask
                pending += [self.net.source[line] for line in knot.ins]
        return masks

    def lines_towards(self, *goals: str) -> dict[int, int]:
        """Lines by their distance from the nearest of these knots."""
        level = [line for line, target in self.net.target.items() if target in goals]
        found = dict.fromkeys(level, 0)
        while level:
            knots = {self.net.source[line] for line in level}
            level = [line for name in knots for line in self.net.knots[name].ins if line not in found]
            found |= dict.fromkeys(level, max(found.values()) + 1)
        return found
