"""Two ways of one case, line by line: what was handled then beside the walk on a draft, told alike: differences are seen at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import SequenceMatcher
from itertools import zip_longest

from engine.outcomes import Due, Outcome
from engine.plans import BACK
from engine.ways import Visit
from governance.studio.runs import WORKED
from web.language import gettext as _
from web.sentences import say
from web.trail import Step

TOLD = WORKED | {"startEvent", "endEvent"}
EVENTS = frozenset(["start", "timer", "message", "signal"])
"""The commands that are events of the diagram."""
DEEDS = BACK | {"cancel", "correct"}
"""What is done to a case without finishing a step of it."""


@dataclass(frozen=True)
class Line:
    """One step of a way: who handled it and when, or when the case came there; until when it has to be done; what is special.

    `key` is the same for what is the same on both ways; `seq` is the command that finished it, else that which led there.
    """

    key: str
    seq: int
    title: str
    came: datetime
    by: Step | None = None
    tag: str = ""
    is_task: bool = False
    waits: bool = False
    stops: bool = False
    due: datetime | None = None
    due_before: datetime | None = None

    @property
    def at(self) -> datetime:
        return self.by.mark.at if self.by else self.came


@dataclass(frozen=True)
class Pair:
    """What stands side by side; one side is empty where only the other way comes there. `mark` says what happens here."""

    was: Line | None
    now: Line | None
    mark: str = ""

    @property
    def seq(self) -> int:
        return min(line.seq for line in (self.was, self.now) if line)

    @property
    def is_alike(self) -> bool:
        return self.was is not None and self.now is not None and self.was.key == self.now.key


def side_by_side(outcome: Outcome, trail: Sequence[Step], waiting: Mapping[str, datetime | None]) -> list[Pair]:
    """Both ways in order; `waiting` are the tasks of the case that are open now, with their due dates."""
    told = _Told(outcome, {step.mark.seq: step for step in trail}, waiting)
    pairs = list(_aligned(sorted(told.then(), key=_order), sorted(told.on_draft(), key=_order)))
    if outcome.parting is not None and outcome.apart is not None:
        return _parting(pairs, outcome.apart)
    return _unreached(pairs, outcome.stop.seq) if outcome.stop else pairs


@dataclass(frozen=True)
class _Told:
    """The lines of the two ways, in the same words."""

    outcome: Outcome
    handled: Mapping[int, Step]
    waiting: Mapping[str, datetime | None]

    def then(self) -> list[Line]:
        return [*self._deeds(), *(self._then(visit) for visit in self.outcome.was if self._is_told(visit))]

    def on_draft(self) -> list[Line]:
        stop = self.outcome.stop
        reached = [deed for deed in self._deeds() if stop is None or deed.seq < stop.seq]
        return [*reached, *(self._on_draft(visit) for visit in self.outcome.way if self._is_told(visit))]

    def _deeds(self) -> list[Line]:
        return [Line(f"!{seq}", seq, step.title, step.mark.at, step) for seq, step in self.handled.items() if step.mark.kind in DEEDS]

    def _is_told(self, visit: Visit) -> bool:
        """Steps and events that people know by name; what runs by itself only where it makes a difference."""
        node = visit.node
        differs = node.id in self.outcome.gone if visit.new is None else node.id in self.outcome.come
        return bool(node.name) and (node.kind in TOLD or bool(node.events) or differs)

    def _then(self, visit: Visit) -> Line:
        line = self._line(visit, visit.new or f"-{visit.node.id}")
        if visit.new is None:
            line = replace(line, tag=_("草稿上没有这一步"))
        if visit.key in self.waiting:
            return replace(line, waits=True, tag=line.tag or _("待办"), due=self.waiting[visit.key])
        return replace(line, due=line.by.mark.due_at if line.by and line.is_task else None)

    def _on_draft(self, visit: Visit) -> Line:
        element, stop = visit.node.id, self.outcome.stop
        waits = visit.done is None and element in self.outcome.open
        due = next((due for due in self.outcome.dues if due.key == visit.key), Due("", "", None, None))
        line = replace(self._line(visit, element), waits=waits, due=due.now, due_before=due.was)
        if waits and stop is not None and stop.element == element:
            return replace(line, tag=_("无法继续"), stops=True)
        if visit.passed:
            return replace(line, tag=_("视为已办"))
        if element in self.outcome.come:
            return replace(line, tag=_("当时没有这一步"))
        return replace(line, tag=_("待办")) if waits else line

    def _line(self, visit: Visit, key: str) -> Line:
        """An event is nobody's: whoever finished a step that led there is told of with that step."""
        is_task = visit.node.kind in WORKED
        by = self.handled.get(visit.done or 0) if not visit.passed else None
        if by and not is_task and by.mark.kind not in EVENTS:
            by = None
        return Line(key, visit.done or visit.seq, say(visit.node.label), visit.at, by, is_task=is_task and not visit.passed)


def _order(line: Line) -> tuple[bool, int, bool]:
    """What was handled comes before where that led to; what still waits comes last."""
    return line.waits, line.seq, line.by is None


def _aligned(was: list[Line], now: list[Line]) -> Iterator[Pair]:
    matcher = SequenceMatcher(None, [line.key for line in was], [line.key for line in now], autojunk=False)
    for kind, was_from, was_to, now_from, now_to in matcher.get_opcodes():
        for one, other in zip_longest(was[was_from:was_to], now[now_from:now_to]):
            yield Pair(replace(one, due=other.due_before or one.due), other) if kind == "equal" else Pair(one, other)


def _parting(pairs: list[Pair], apart: int) -> list[Pair]:
    """Marks where the paths part: at the first difference from that command on, else at the last line they have in common."""
    before = [n for n, pair in enumerate(pairs) if pair.seq <= apart]
    at = next((n for n, pair in enumerate(pairs) if pair.seq >= apart and not pair.is_alike), before[-1] if before else None)
    return [replace(pair, mark=_("从这里起走向不同")) if n == at else pair for n, pair in enumerate(pairs)]


def _unreached(pairs: list[Pair], stop: int) -> list[Pair]:
    """Marks what was handled next, and what the draft does not come to."""
    return [
        replace(pair, was=replace(pair.was, tag=_("草稿上走不到这一步"), stops=True))
        if pair.was and pair.was.by and pair.was.seq == stop and not (pair.is_alike and pair.now and pair.now.by)
        else pair
        for pair in pairs
    ]
