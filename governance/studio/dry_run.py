"""试演: a scenario is recorded by doing one thing after another, each played at once by what plays scenarios later."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from bpmn import shipped
from engine.diagram import Node
from engine.packages import Package, frozen_package
from engine.scenario_files import Scenario, read_scenario, read_value, write_scenario
from engine.scenarios import Deadlines, Failure, OpenTask, Stand, stand
from engine.validator import publishable
from governance.calendar.rules import SHANGHAI
from governance.errors import Refused
from governance.forms.rules import check_form, read_form, shown_fields
from governance.people.rules import POSTS
from governance.studio.rules import Files, played_scenarios, problems_of
from governance.workflow.assignment import STARTER
from governance.workflow.rules import words

MAX_STEPS = 200
NAME = 60
SOMEBODY = "grid_worker"
"""Who starts a process that everybody may."""
STAND_INS = {"photos": "photo-{n}.jpg", "attachments": f"{'0' * 64}/file-{{n}}.pdf", "signature": f"{'0' * 64}/signature.png"}
"""What stands for a file, by the field that asks for it: nobody uploads one in a dry run."""

Raw = Mapping[str, Any]
"""As a scenario's file has it."""


@dataclass(frozen=True)
class Record:
    """What has been recorded so far, in the words of the file it will be."""

    start: Raw = field(default_factory=dict)
    facts: Raw = field(default_factory=dict)
    steps: Sequence[Raw] = ()

    def file(self) -> dict[str, Any]:
        return {"start": self.start, "facts": self.facts, "steps": [*self.steps]}

    def scenario(self) -> Scenario:
        """Raises `Unreadable`, `Refused`."""
        if len(self.steps) > MAX_STEPS:
            raise Refused({"steps": f"一个场景最多录 {MAX_STEPS} 步"})
        return read_scenario(json.dumps(self.file(), ensure_ascii=False), unfinished=True)

    def then(self, *steps: Raw) -> Record:
        return Record(self.start, self.facts, (*self.steps, *steps))

    def upto(self, step: int) -> Record:
        return Record(self.start, self.facts, self.steps[:step])


@dataclass(frozen=True)
class DryRun:
    """What is recorded, where it stands, and why it did not come further."""

    record: Record
    stand: Stand
    refused: str = ""


def tried(files: Files) -> Package:
    """The package that the files make, fit to be played; raises `Unreadable`, `Refused`."""
    package = frozen_package(files)
    if not publishable(problems_of(package)):
        raise Refused({"files": "流程图、表单或决策表还有错误，改正后才能演练"})
    return package


def results(package: Package, deadlines: Deadlines) -> dict[str, tuple[str, tuple[Failure, ...]]]:
    """By file, the scenario's name and what it expected and did not see."""
    return {path: (played.name, played.failures) for path, played in played_scenarios(package, deadlines).items()}


def dry_run(package: Package, record: Record, act: Raw | None, deadlines: Deadlines) -> DryRun:
    """Plays what is recorded, then what is to be done now; what cannot be carried out is not recorded. Raises `Unreadable`, `Refused`."""
    here = stand(package.program, record.scenario(), deadlines)
    if here.stopped and here.stopped.step == 0:
        raise Refused({"start": here.stopped.message})
    if here.stopped:
        kept = record.upto(here.stopped.step - 1)
        return DryRun(kept, stand(package.program, kept.scenario(), deadlines), here.stopped.message)
    if act is None:
        return DryRun(record, here)
    longer = _done(package, record, here, act)
    there = stand(package.program, longer.scenario(), deadlines)
    return DryRun(record, here, there.stopped.message) if there.stopped else DryRun(longer, there)


def scenario_file(package: Package, record: Record, name: str, deadlines: Deadlines) -> tuple[str, str]:
    """Path and text of the file that keeps the record; it ends with what is to be seen. Raises `Unreadable`, `Refused`."""
    name = name.strip()
    if not name or len(name) > NAME:
        raise Refused({"name": f"请填写场景的名称，不超过 {NAME} 个字"})
    ran = dry_run(package, record, None, deadlines)
    if ran.refused:
        raise Refused({"steps": ran.refused})
    whole = record.then({"expect": _seen(ran.stand)})
    kept = {"name": name} | {word: said for word, said in whole.file().items() if said}
    number = max((int(n) for path in package.rehearsed if (n := path.partition("/")[2].partition("-")[0]).isdecimal()), default=0) + 1
    slug = re.sub(r"[^\w.-]+", "-", name).strip("-") or "scenario"
    return f"scenarios/{number:02}-{slug}.yaml", write_scenario(kept)


def form_at(package: Package, node: Node) -> Raw | None:
    """The form that is filled in at a node."""
    return package.forms.get(node.settings.get("form", {}).get("key", ""))


def start_form(package: Package, node: Node) -> Raw | None:
    """The form by which somebody starts the process here; those that ship are begun by their own subjects."""
    return None if node.events or package.diagram.main.id in shipped() else form_at(package, node)


def proposed_start(package: Package, node: Node) -> Raw:
    """What another scenario of the package begins with here; where a form is filled in, only what it does not ask for: who fills it in."""
    same = next((s.start["data"] for s in package.scenarios if s.start.get(node.event.kind) == node.event.name), None)
    form = start_form(package, node)
    if form is None:
        return same or dict.fromkeys((form_at(package, node) or {"properties": {}})["properties"], "")
    beside = {STARTER: _by(node.settings.get("assign", {"post": SOMEBODY}))} if same is None else same
    return {name: value for name, value in beside.items() if name not in form["properties"]}


def proposed_answer(package: Package, lookup: str) -> Raw:
    """What another scenario of the package lets the lookup answer: an example of its shape."""
    return next((s.facts[lookup][0] for s in package.scenarios if lookup in s.facts), {})


# ---- what is done ------------------------------------------------------------------------------------------------


def _done(package: Package, record: Record, here: Stand, act: Raw) -> Record:
    match act.get("kind"):
        case "complete":
            return record.then(_completed(package, here, str(act.get("key")), act.get("filled")))
        case "wait":
            return record.then({"wait": _span(here.at, act.get("until"))})
        case "message" | "signal" | "service" as verb:
            return record.then({verb: _named(str(act.get("name")), _written(act.get("written")))})
        case "mend":
            data = _written(act.get("written"))
            return record.then({"incident": {"data": data} if data else "resolve"})
        case "answer":
            return _answered(record, str(act.get("name")), _written(act.get("written")))
    raise Refused({"kind": "发来的内容无法读取"})


def started(package: Package, here: datetime, act: Raw) -> Record:
    """What is recorded when the process begins: from nothing, at a message or at a signal, with data. Raises `Unreadable`, `Refused`."""
    node = package.diagram.nodes.get(str(act.get("element")))
    if node is None or node not in package.diagram.starts(package.diagram.main.id):
        raise Refused({"element": "请选择流程怎样开始"})
    event = {node.event.kind: node.event.name} if node.event.kind in ("message", "signal") else {}
    form, beside = start_form(package, node), _written(act.get("written"))
    data = {**_filled(form, act["filled"], beside, here), **beside} if form and "filled" in act else beside
    start = {"at": here.astimezone(SHANGHAI).isoformat(timespec="minutes"), **event, "data": data}
    return Record({word: said for word, said in start.items() if said})


def _completed(package: Package, here: Stand, key: str, filled: Any) -> Raw:
    task = next((task for task in here.open if task.key == key), None)
    if task is None:
        raise Refused({"key": f"待办“{key[:60]}”不存在或已办结。"})
    settings = package.diagram.nodes[task.element].settings
    form = form_at(package, package.diagram.nodes[task.element])
    data = _filled(form, filled, task.data, here.at) if form else {}
    step = {"complete": _short(task, here), "by": _by(settings.get("assign", {})), "data": data}
    return {word: said for word, said in step.items() if said}


def _by(assign: Raw) -> Raw:
    """Somebody of the first post that may do it."""
    post = next((POSTS[code] for code in words(assign.get("post", "")) if code in POSTS), None)
    return {"person": post.name, "post": post.code} if post else {}


def _short(task: OpenTask, here: Stand) -> str:
    """The element where only one task of it is open: that is how people write it."""
    return task.element if sum(other.element == task.element for other in here.open) == 1 else task.key


def _filled(form: Raw, filled: Any, known: Raw, at: datetime) -> dict[str, Any]:
    """What was filled in, with something in place of the files that nobody can upload; raises `Refused`."""
    texts = filled if isinstance(filled, dict) and all(isinstance(values, list) for values in filled.values()) else {}
    data, misread = read_form(form, {name: [str(value) for value in values] for name, values in texts.items()})
    for shown in shown_fields(form, data, known, at):
        if shown.widget in STAND_INS and shown.is_required:
            least = form["properties"][shown.name].get("minItems", 1)
            named = [STAND_INS[shown.widget].format(n=number) for number in range(1, max(least, 1) + 1)]
            data[shown.name] = named if shown.type == "array" else named[0]
    return check_form(form, data, known, at, misread)


def _written(written: Any) -> dict[str, Any]:
    """Values that were typed, by name; what was left empty is not said. Raises `Unreadable`."""
    texts = written if isinstance(written, dict) else {}
    return {name.strip(): read_value(str(text)) for name, text in texts.items() if name.strip() and str(text).strip()}


def _named(name: str, data: Raw) -> Any:
    return {"name": name, "data": data} if data else name


def _answered(record: Record, name: str, answer: Raw) -> Record:
    """One answer stands by itself; of several, each is given in its turn."""
    before = record.facts.get(name, [])
    answers = [*(before if isinstance(before, list) else [before]), answer]
    return Record(record.start, {**record.facts, name: answers if len(answers) > 1 else answer}, record.steps)


def _span(here: datetime, until: Any) -> str:
    """How long it is until then, as scenarios write it; raises `Refused`."""
    try:
        left = ceil((datetime.fromisoformat(str(until)) - here).total_seconds())
    except (ValueError, TypeError) as error:
        raise Refused({"until": "发来的内容无法读取"}) from error
    days, rest = divmod(timedelta(seconds=max(left, 0)), timedelta(days=1))
    hours, rest = divmod(rest, timedelta(hours=1))
    minutes, rest = divmod(rest, timedelta(minutes=1))
    clock = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (rest.seconds, "S")) if n)
    return f"P{f'{days}D' if days else ''}{f'T{clock}' if clock else ''}" if days or clock else "PT0S"


def _seen(here: Stand) -> dict[str, Any]:
    """What a recorded scenario expects at its end."""
    seen: dict[str, Any] = {
        "open": [task.element for task in here.open],
        "waiting": sorted({event.element for event in here.waiting}),
        "incidents": [{"element": failed.element, "rule": failed.rule} for failed in here.incidents],
    }
    over: dict[str, Any] = {"finished": True, "ended_at": list(dict.fromkeys(here.ended_at))}
    return {word: said for word, said in (over if here.finished else seen).items() if said} or {"finished": False}
