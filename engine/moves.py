"""Moving an instance to another version: its history, walked there, says where it stands; what goes on keeps its key and its instants."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from SpiffWorkflow.task import Task

from engine.errors import StepFailed, Unanswered
from engine.log import Data, Recorded
from engine.machine import Machine, rekeyed
from engine.plans import Plan
from engine.program import Program, Step
from engine.walk import Walk


@dataclass(frozen=True)
class Moved:
    """The instance on the other version. `kept` are the tokens that go on, by their old and new keys."""

    machine: Machine
    kept: Mapping[str, str]
    pasts: Mapping[int, tuple[Data, datetime]]
    """What rewinds to commands before the move go back to."""


def moved(before: Machine, program: Program, log: Iterable[Recorded], plan: Plan, at: datetime, wanted: Collection[int] = ()) -> Moved:
    """Moves an instance with this log; raises `Unanswered` where its history has no answer, `Erased`."""
    log, steps = list(log), list[Step]()
    walk = Walk(before.program, program, plan)
    for _entry, machine in walk.along(log, wanted):
        steps += machine.steps
    there, last = walk.machine, log[-1].seq
    if there.finished:
        raise Unanswered(last, there.ended_at[-1] if there.ended_at else "", "ends", "按照新版，这件事项到这里已经结束，不能移过去。")
    matched = _matched(before, walk, plan)
    try:
        _mind_the_clock(before, there, matched, at)
    except StepFailed as failed:
        raise Unanswered(last, failed.element, failed.rule, failed.message) from failed
    state, names = there.snapshot(), _names(before, there, matched)
    state["counts"] = _higher(before.counts, there.counts, names.values())
    rekeyed(state["tasks"], names)
    machine = Machine.restore(program, state, at)
    machine.steps = steps
    kept = {old: names[new] for old, new in matched.items()}
    machine.sent = _asked(machine, set(kept.values()))
    return Moved(machine, kept, walk.pasts)


def returned(state: Data, program: Program, now: Machine, at: datetime) -> Machine:
    """The instance as it was before a move that is undone; numbers that were given since are not given again."""
    machine = Machine.restore(program, state, at)
    machine.counts = _higher(machine.counts, now.counts)
    return machine


def asked_again(machine: Machine, now: Machine, kept: Mapping[str, str]) -> list[tuple[str, str | None, Data]]:
    """The services that an instance taken back waits for and, before it was, did not."""
    waited = {waiting.key for waiting in now.waiting() if waiting.kind == "service"}
    return _asked(machine, {old for old, new in kept.items() if new in waited})


def _asked(machine: Machine, already: Collection[str]) -> list[tuple[str, str | None, Data]]:
    fresh = [w for w in machine.waiting() if w.kind == "service" and w.key not in already]
    return [("service", w.element, machine.visible_to(machine.tree.tasks[w.key])) for w in fresh]


def _matched(before: Machine, walk: Walk, plan: Plan) -> dict[str, str]:
    """Which token of the walk each resting one is; listeners follow their hosts."""
    matched: dict[str, str] = {}
    tokens: list[Task] = before.tree.below(before.tree.task_tree)
    for token in sorted(tokens, key=lambda token: "host" in token.internal_data):
        found = walk.task(token.id, plan) if token.internal_data.get("open") else _same(token, walk.machine, plan, matched)
        if found and found not in matched.values():
            matched[token.id] = found
    return matched


def _same(token: Task, there: Machine, plan: Plan, matched: Mapping[str, str]) -> str | None:
    """The token on the same element: that of the same host, else of the same number, else the only one."""
    own, element = token.internal_data, token.task_spec.name
    new = plan.new(element)
    mark = f"{new}{token.id.removeprefix(element)}"
    host = matched.get(own["host"]) if "host" in own else None
    fits = [key for key, task in there.tree.tasks.items() if task.task_spec.name == new and key[len(new or "")] == mark[len(new or "")]]
    fits = [key for key in fits if there.tree.tasks[key].internal_data.get("host") == host]
    return mark if mark in fits else fits[0] if len(fits) == 1 else None


def _mind_the_clock(before: Machine, there: Machine, matched: Mapping[str, str], at: datetime) -> None:
    """Timers that go on keep their instants; those that are new begin now."""
    going_on = {new: before.tree.tasks[old] for old, new in matched.items()}
    for key, task in list(there.tree.tasks.items()):
        running = going_on[key].internal_data.get("armed", ()) if key in going_on else ()
        if not any("due" in armed for armed in running):
            there.begin_anew(key, at)
            continue
        for new, old in zip(task.internal_data["armed"], running, strict=False):
            new |= _going_on(new, old)


def _going_on(new: Data, old: Data) -> dict[str, Any]:
    if "due" not in new or "due" not in old:
        return {}
    return {"due": old["due"]} | ({"left": old["left"]} if "cycle" in new and new["cycle"] == old.get("cycle") else {})


def _names(before: Machine, there: Machine, matched: Mapping[str, str]) -> dict[str, str]:
    """What each token of the walk is called: what goes on as it was; nothing new gets a name that was used before."""
    was, names = {new: old for old, new in matched.items()}, dict[str, str]()
    counts = _higher(before.counts, there.counts)
    for task in there.tree.below(there.tree.task_tree):
        element, key = task.task_spec.name, str(task.id)
        mark, number = key[: len(element) + 1], int(key[len(element) + 1 :])
        old = was.get(key)
        if old and before.tree.tasks[old].task_spec.name == element:
            names[key] = old
        elif number > before.counts.get(mark, 0):
            names[key] = key
        else:
            counts[mark] += 1
            names[key] = f"{mark}{counts[mark]}"
    return names


def _higher(ones: Mapping[str, int], others: Mapping[str, int], names: Iterable[str] = ()) -> dict[str, int]:
    """The higher of the activation numbers, none below those of `names`."""
    counts = {mark: max(ones.get(mark, 0), others.get(mark, 0)) for mark in (*ones, *others)}
    for name in names:
        mark = name.rstrip("0123456789")
        counts[mark] = max(counts.get(mark, 0), int(name[len(mark) :]))
    return counts
