"""What the process studio asks of the server about scenarios: whether they pass, where a dry run stands, what file it becomes.

Nothing is kept here: the files come along as they are typed, and what has been recorded comes along as it came from here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from api.work import context
from engine.errors import EngineError
from engine.machine import Waiting
from engine.moments import parse_duration
from engine.packages import MAX_PACKAGE, Package
from engine.scenario_files import read_value
from engine.scenarios import Deadlines, Failure, OpenTask
from governance.calendar.queries import working_calendar
from governance.calendar.rules import SHANGHAI, moment_told
from governance.errors import Refused
from governance.forms.rules import Field, fields
from governance.people.rules import POSTS
from governance.studio.dry_run import (
    DryRun,
    Record,
    dry_run,
    proposed_answer,
    proposed_start,
    results,
    scenario_file,
    start_form,
    started,
    tried,
)
from governance.studio.rules import edited
from governance.studio.vocabulary import LOOKUP_NAMES
from governance.workflow.rules import UNIT_RULES, planned_due, words
from web.access import for_posts
from web.language import gettext as _
from web.language import listed
from web.offers import coded
from web.pages.admin import ADMINISTRATOR, DESIGNER
from web.pages.admin.studio_forms import sent_object
from web.sentences import say, say_all
from web.texts import at_hand
from web.why import once_overdue

pages = Blueprint("studio_scenarios", __name__, url_prefix="/admin/studio")
NAMED = 4
"""More posts than these are not read."""
SENDABLE = ("message", "signal", "service")


@pages.post("/scenarios/play")
@for_posts(ADMINISTRATOR, DESIGNER)
def play_all() -> ResponseReturnValue:
    """Each scenario of the draft: whether it passes, and what it expected and did not see."""
    package = _package(_sent())
    return {"scenarios": [_result(path, *result) for path, result in results(package, _deadlines()).items()]}


@pages.post("/scenarios/dry-run")
@for_posts(ADMINISTRATOR, DESIGNER)
def rehearse() -> ResponseReturnValue:
    """Where the record stands once `act` is done, too; without a record, how the process can begin."""
    sent = _sent()
    package, act = _package(sent), _object(sent, "act")
    if act.get("kind") == "start":
        return _shown(package, dry_run(package, started(package, _moment(act.get("at")), act), None, _deadlines()))
    if "record" in sent:
        return _shown(package, dry_run(package, _record(sent), act or None, _deadlines()))
    return {"starts": list(_starts(package)), "at": context().now().astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")}


@pages.post("/scenarios/file")
@for_posts(ADMINISTRATOR, DESIGNER)
def write() -> ResponseReturnValue:
    """The file that keeps what was recorded."""
    sent = _sent()
    path, text = scenario_file(_package(sent), _record(sent), str(sent.get("name", "")), _deadlines())
    return {"path": path, "text": text}


@pages.errorhandler(EngineError)
@pages.errorhandler(Refused)
def refused(error: Exception) -> ResponseReturnValue:
    """Why not, in sentences; by field where it is about a form."""
    told = error.errors if isinstance(error, Refused) else {"": str(error)}
    return {"errors": say_all(told)}, 422


# ---- what is sent ------------------------------------------------------------------------------------------------


def _sent() -> Mapping[str, Any]:
    return sent_object(2 * MAX_PACKAGE)


def _package(sent: Mapping[str, Any]) -> Package:
    files = _object(sent, "files")
    if not all(isinstance(text, str) for text in files.values()):
        raise Refused({"": _("发来的内容无法读取")})
    return at_hand(tried(edited({}, files)))


def _object(sent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = sent.get(name) or {}
    if not isinstance(found, dict):
        raise Refused({"": _("发来的内容无法读取")})
    return found


def _record(sent: Mapping[str, Any]) -> Record:
    record = _object(sent, "record")
    steps = record.get("steps") or []
    if not isinstance(steps, list):
        raise Refused({"": _("发来的内容无法读取")})
    return Record(_object(record, "start"), _object(record, "facts"), steps)


def _moment(text: Any) -> datetime:
    try:
        return moment_told(text)
    except (ValueError, TypeError) as error:
        raise Refused({"at": _("请填写开始的时刻")}) from error


def _deadlines() -> Deadlines:
    return planned_due(working_calendar(context().session))


# ---- what is shown -----------------------------------------------------------------------------------------------


def _result(path: str, name: str, failures: Sequence[Failure]) -> dict[str, Any]:
    told = [{"step": failure.step, "message": say(failure.message)} for failure in failures]
    return {"path": path, "name": name, "passed": not failures, "failures": told}


def _starts(package: Package) -> Iterator[dict[str, Any]]:
    """How the process can begin, each with its form, and with the data that a scenario of the package gives it beside that."""
    for node in package.diagram.starts(package.diagram.main.id):
        form = node.settings.get("form", {}).get("key", "") if start_form(package, node) else ""
        yield {"element": node.id, "name": say(node.label), "form": form, "example": _texts(proposed_start(package, node))}


def _shown(package: Package, ran: DryRun) -> dict[str, Any]:
    here, nodes = ran.stand, package.diagram.nodes
    return {
        "record": ran.record.file(),
        "refused": say(ran.refused),
        "way": [_told(package, step) for step in ran.record.steps],
        "at": here.at.isoformat(),
        "open": [_task(package, task) for task in here.open],
        "waiting": [_event(package, event) for event in here.waiting if event.kind in SENDABLE or event.due_at],
        "asked": [_question(package, ran.record, name, times) for name, times in here.asked.items()],
        "incidents": [{"name": _label(package, failed.element), "message": say(failed.message)} for failed in here.incidents],
        "data": _texts(here.data),
        "finished": here.finished,
        "ended": [say(nodes[end].label) for end in dict.fromkeys(here.ended_at) if end in nodes],
    }


def _task(package: Package, task: OpenTask) -> dict[str, Any]:
    node = package.diagram.nodes[task.element]
    form = node.settings.get("form", {}).get("key", "")
    return {
        "key": task.key,
        "element": task.element,
        "name": say(node.label),
        "who": _who(node.settings.get("assign", {})),
        "form": form if form in package.forms else "",
        "due": task.due.isoformat() if task.due else "",
        "then": once_overdue(package, task.element) if task.due else "",
        "data": task.data,
    }


def _who(assign: Mapping[str, str]) -> str:
    """Who does it, as far as the diagram says: where the unit is found, and which of its posts."""
    posts, unit = [say(POSTS[code].name) if code in POSTS else code for code in words(assign.get("post", ""))], assign.get("unit", "place")
    named = listed(posts) if len(posts) <= NAMED else _("%(posts)s等", posts=listed(posts[:NAMED]))
    return " · ".join(part for part in (say(UNIT_RULES.get(unit, unit)), named) if part)


def _event(package: Package, event: Waiting) -> dict[str, Any]:
    due = event.due_at.isoformat() if event.due_at else ""
    return {"kind": event.kind, "name": say(package.diagram.nodes[event.element].label), "event": event.name or "", "due": due}


def _question(package: Package, record: Record, name: str, times: int) -> dict[str, Any]:
    """A lookup that was asked, how often, and what has been answered."""
    given = record.facts.get(name, [])
    answers = given if isinstance(given, list) else [given]
    return {
        "name": name,
        "label": say(LOOKUP_NAMES.get(name, name)),
        "times": times,
        "answers": [_texts(answer) for answer in answers],
        "example": _texts(proposed_answer(package, name)),
    }


def _texts(data: Mapping[str, Any]) -> dict[str, str]:
    """Values as they would be typed."""
    return {name: _text(value) for name, value in data.items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) and not _misread(value) else json.dumps(value, ensure_ascii=False)


def _misread(text: str) -> bool:
    """Whether the text, written bare, would not be taken for itself."""
    try:
        return bool(read_value(text) != text)
    except EngineError:
        return True


def _told(package: Package, step: Mapping[str, Any]) -> str:
    """What was done, in a sentence."""
    match step:
        case {"complete": key}:
            return _("办理“%(name)s”%(data)s", name=_label(package, str(key)), data=_details(package, str(key), step.get("data") or {}))
        case {"wait": span}:
            return _("时间过去 %(span)s", span=_spoken(span))
        case {"message": what}:
            return _("收到消息“%(name)s”", name=_name(what))
        case {"signal": what}:
            return _("收到信号“%(name)s”", name=_name(what))
        case {"service": what}:
            return _("外部服务“%(name)s”答复", name=_name(what))
    return _("异常之后重试")


def _name(what: Any) -> str:
    return str(what["name"]) if isinstance(what, dict) else str(what)


def _label(package: Package, key: str) -> str:
    element = key.partition("#")[0]
    return say(package.diagram.nodes[element].label) if element in package.diagram.nodes else element


def _details(package: Package, key: str, data: Mapping[str, Any]) -> str:
    node = package.diagram.nodes.get(key.partition("#")[0])
    form = package.forms.get(node.settings.get("form", {}).get("key", "")) if node else None
    named = {f.name: f for f in fields(form)} if form else {}
    told = [
        _("%(field)s为“%(value)s”", field=say(named[name].title), value=_spelled(named[name], value))
        for name, value in data.items()
        if name in named
    ]
    return _("：") + _("，").join(told) if told else ""


def _spelled(field: Field, value: Any) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    chosen = {choice.value: say(choice.title) for choice in field.choices} | dict(
        chain.from_iterable(each for _group, each in coded(field))
    )
    return listed(chosen.get(str(one), str(one)) for one in (value if isinstance(value, list) else [value]))


def _spoken(span: str) -> str:
    """3 天 2 小时: a span that the recorder wrote."""
    rest = parse_duration(str(span)).rest
    hours, left = divmod(rest.seconds, 3600)
    parts = ((rest.days, _("%(n)s 天", n=rest.days)), (hours, _("%(n)s 小时", n=hours)), (left // 60, _("%(n)s 分", n=left // 60)))
    return " ".join(said for n, said in parts if n) or _("不足 1 分")
