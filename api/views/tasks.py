"""The inbox, and what people do with their tasks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from sqlalchemy import select

from api.calls import Calls
from api.schemas.tasks import (
    Advanced,
    Colleagues,
    Completion,
    FileNamed,
    Filled,
    Foreseen,
    Handed,
    Inbox,
    NewFile,
    NewPhoto,
    PhotoAdded,
    Sought,
    TakenBack,
    TaskPage,
    TaskShown,
)
from api.signin import actor
from api.work import context, undo
from engine.errors import EngineError, TaskClosed
from engine.log import dumps, loads
from engine.world import RUNNING, Advance
from governance.cases.models import Case
from governance.cases.photos import MAX_BYTES, add_photo
from governance.errors import GovernanceError, NotAllowed
from governance.files.commands import add_file
from governance.files.queries import sizes
from governance.forms.rules import fields, files_named, outcome
from governance.inbox.copied import CopiedLine, copied
from governance.inbox.queries import PAGE, Line, Page, done, started, todo
from governance.organisation.queries import full_name, named, names, upwards
from governance.people.models import Appointment
from governance.people.queries import Official, principal_name
from governance.people.rules import POSTS
from governance.workflow.commands import Desk, complete, may_do
from governance.workflow.commands import claim as claim_task
from governance.workflow.commands import foresee as foresee_task
from governance.workflow.commands import release as release_task
from governance.workflow.copying import may_copy
from governance.workflow.handover import colleagues, may_transfer
from governance.workflow.handover import transfer as transfer_task
from governance.workflow.persons import nameable
from governance.workflow.queries import readable_desk
from governance.workflow.urging import may_urge, urged
from governance.workflow.withdrawal import may_withdraw
from governance.workflow.withdrawal import withdraw as withdraw_task

calls = Calls("api_tasks", "待办")
REFUSES = (403, 404, 409, 413)
LARGEST_PHOTO = MAX_BYTES * 4 // 3 + 1000
"""A photo in base64, and what stands around it."""


THIS = {"task_id": "$request.path.task_id"}
FIRST = {"task_id": "$response.body#/items/0/id"}


@calls.call("GET", "/tasks", TaskPage, query=Inbox, leads={"api_tasks.show": FIRST, "api_tasks.claim": FIRST})
def index(asked: dict[str, Any]) -> dict[str, Any]:
    """待办, 已办, 我发起 or 抄送我, page by page."""
    given, who, q, after = context(), actor(), asked["q"].strip(), asked.get("after")
    if asked["box"] == "copied":
        lines, rest = copied(given, who, q=q, after=after)
        return {"items": [_copied(one) for one in lines], "after": rest}
    if asked["box"] == "started":
        cases = started(given, who, q=q, after=after, limit=PAGE + 1)
        return {"items": [_started(case) for case in cases[:PAGE]], "after": str(cases[PAGE - 1].id) if len(cases) > PAGE else None}
    page: Page = (
        done(given, who, q=q, after=after) if asked["box"] == "done" else todo(given, who, q=q, overdue=asked["overdue"], after=after)
    )
    return {"items": [_line(line) for line in page.lines], "after": page.after}


@calls.call(
    "GET",
    "/tasks/<id:task_id>",
    TaskShown,
    refuses=(404,),
    leads=dict.fromkeys(
        ("api_tasks.claim", "api_tasks.foresee", "api_tasks.finish", "api_tasks.to_whom", "api_beside.urge", "api_beside.copy"), THIS
    )
    | {"api_cases.show": {"case_id": "$response.body#/case/id"}},
)
def show(task_id: int) -> dict[str, Any]:
    """A task: its form, the facts, why it is here and with whom, what may be done with it."""
    return _shown(_read(task_id))


@calls.call(
    "POST",
    "/tasks/<id:task_id>/claim",
    TaskShown,
    refuses=(403, 404, 409),
    leads=dict.fromkeys(("api_tasks.release", "api_tasks.finish", "api_tasks.transfer", "api_tasks.photo", "api_tasks.file"), THIS),
)
def claim(task_id: int) -> dict[str, Any]:
    """签收: nobody else is asked any more."""
    with _unseen_is_missing(task_id):
        claim_task(context(), actor(), task_id)
    return _shown(_read(task_id))


@calls.call("POST", "/tasks/<id:task_id>/release", TaskShown, refuses=(403, 404, 409))
def release(task_id: int) -> dict[str, Any]:
    """Gives a claimed task back to all it was addressed to."""
    with _unseen_is_missing(task_id):
        release_task(context(), actor(), task_id)
    return _shown(_read(task_id))


@calls.call("POST", "/tasks/<id:task_id>/complete", Advanced, body=Completion, keyed=True, refuses=(403, 404, 409))
def finish(filled: dict[str, Any], key: dict[str, str], task_id: int) -> dict[str, Any]:
    """办结 a task; the same key with the same contents does it once."""
    data, opinion = filled["data"], filled["opinion"].strip()
    with _unseen_is_missing(task_id):
        advance = complete(context(), actor(), task_id, data, opinion=opinion, idempotency_key=_own(key.get("key"), task_id, filled))
    return _advanced(advance)


@calls.call("POST", "/tasks/<id:task_id>/foresee", Foreseen, body=Filled, refuses=(403, 404, 409))
def foresee(filled: dict[str, Any], task_id: int) -> dict[str, Any]:
    """Which tasks would open with whom; nothing is kept."""
    held = _read(task_id)
    if held.task["closed_at"]:
        raise TaskClosed(held.task["key"], held.task["closed_by"], held.task["closed_at"], held.task["outcome"])
    found = foresee_task(context(), actor(), task_id, filled["data"])
    coming = [
        {"key": opening.key, "name": opening.name, "due_at": given.due_at, "candidates": _candidates(given.principals)}
        for opening, given in found.next
    ]
    undo()
    return {"next": coming, "finished": found.finished}


@calls.call("GET", "/tasks/<id:task_id>/colleagues", Colleagues, refuses=(404,))
def to_whom(task_id: int) -> dict[str, Any]:
    """Whom a task may be handed to."""
    held = _read(task_id)
    found = colleagues(context(), actor(), held) if may_do(actor(), held) and may_transfer(held) else ()
    return {"items": [{"person": a.person_id, "name": a.person.name, "post": _post(a)} for a in found]}


@calls.call("GET", "/tasks/<id:task_id>/people", Colleagues, query=Sought, refuses=(404,))
def to_name(asked: dict[str, Any], task_id: int) -> dict[str, Any]:
    """Whom a field of the form may name: the first that the words find."""
    held = _read(task_id)
    named = [f for f in fields(held.form) if f.widget == "person" and f.name == asked["field"]] if may_do(actor(), held) else []
    found = [one for f in named for one in nameable(context(), f, held.data, q=asked["q"], limit=PAGE)]
    return {"items": told(found)}


@calls.call("POST", "/tasks/<id:task_id>/transfer", TaskShown, body=Handed, refuses=(403, 404, 409))
def transfer(filled: dict[str, Any], task_id: int) -> dict[str, Any]:
    """转办: a colleague finishes it."""
    with _unseen_is_missing(task_id):
        transfer_task(context(), actor(), task_id, filled["person"], filled["reason"])
    return _shown(_read(task_id))


@calls.call("POST", "/tasks/<id:task_id>/withdraw", TaskShown, body=TakenBack, refuses=(403, 404, 409))
def withdraw(filled: dict[str, Any], task_id: int) -> dict[str, Any]:
    """取回: a task that the caller has just finished is open again, as long as nothing has followed."""
    with _unseen_is_missing(task_id):
        withdraw_task(context(), actor(), task_id, filled["reason"])
    return _shown(_read(task_id))


@calls.call("POST", "/tasks/<id:task_id>/photos", PhotoAdded, status=201, body=NewPhoto, refuses=REFUSES, largest=LARGEST_PHOTO)
def photo(filled: dict[str, Any], task_id: int) -> dict[str, Any]:
    """Takes a photo for the form of a task."""
    held = _read(task_id)
    case = _case_of(held)
    if held.task["closed_at"]:
        raise TaskClosed(held.task["key"], held.task["closed_by"], held.task["closed_at"], held.task["outcome"])
    if case is None or not may_do(actor(), held):
        raise NotAllowed
    return add_photo(context(), case, filled["picture"], by=actor().person_id, task_key=held.task["key"]).__dict__


@calls.call("POST", "/tasks/<id:task_id>/files", FileNamed, status=201, body=NewFile, refuses=REFUSES, largest=LARGEST_PHOTO)
def file(filled: dict[str, Any], task_id: int) -> dict[str, Any]:
    """Takes a file for the form of a task: an attachment, a photo where there is no case, a signature."""
    held = _read(task_id)
    if held.task["closed_at"]:
        raise TaskClosed(held.task["key"], held.task["closed_by"], held.task["closed_at"], held.task["outcome"])
    if not may_do(actor(), held):
        raise NotAllowed
    ours = {"by": actor().person_id, "instance_id": held.task["instance_id"], "task_key": held.task["key"]}
    added = add_file(context(), held.form, filled["file"], **ours)
    return {"value": added.value, "name": added.name, "size": added.size}


def told(found: Sequence[Official]) -> list[dict[str, Any]]:
    """People who may be named, with their posts."""
    units = names(context().session, {one.unit_id for one in found})
    return [{"person": one.id, "name": one.name, "post": f"{units[one.unit_id]}{POSTS[one.post].name}"} for one in found]


@contextmanager
def _unseen_is_missing(task_id: int) -> Iterator[None]:
    """Why a task cannot be done is told only to those who may see it; to others there is no such task."""
    try:
        yield
    except (GovernanceError, EngineError):
        _read(task_id)
        raise


def _read(task_id: int) -> Desk:
    return readable_desk(context(), actor(), task_id)


def _own(key: str | None, task_id: int, filled: Mapping[str, Any]) -> str | None:
    """A client's key counts for one person, task and contents: nobody's work is taken for a repetition of other work."""
    whole = f"{actor().person_id}\0{task_id}\0{key}\0{dumps(filled)}"
    return None if key is None else hashlib.sha256(whole.encode()).hexdigest()


def _post(held: Appointment) -> str:
    return f"{named(context().session, held.unit)}{POSTS[held.post].name}"


def _advanced(advance: Advance) -> dict[str, Any]:
    opened = [{"id": id, "key": opening.key, "name": opening.name} for id, opening in advance.opened.items()]
    return {**advance.__dict__, "opened": opened}


def _shown(held: Desk) -> dict[str, Any]:
    task, case, chosen = held.task, _case_of(held), outcome(held.form, held.data, context().now())
    return {
        **task,
        "closed_as": task["outcome"],
        "case": case and _case(case, {"id": case.place_id, "name": full_name(upwards(context().session, case.place))}),
        "form": held.form,
        "facts": held.data,
        "files": _files(held),
        "outcome_field": chosen.name if chosen else None,
        "outcomes": [choice.__dict__ for choice in chosen.choices] if chosen else [],
        "actions": _actions(held),
        "why": {"limit": None, **loads(task["assignment"])["why"]},
        "candidates": _candidates(held.principals),
        "urged": urged(context(), [task["id"]]).get(task["id"]),
    }


def _files(held: Desk) -> list[dict[str, Any]]:
    """The files that the facts name, each once."""
    named = dict.fromkeys(value for form in held.package.forms.values() for value in files_named(form, held.data))
    known = sizes(context().session, {value.partition("/")[0] for value in named})
    parts = [(value, *value.split("/", 1)) for value in named]
    where = f"/files/{held.task['instance_id']}"
    return [{"value": v, "name": name, "size": known.get(digest, 0), "url": f"{where}/{digest}/{quote(name)}"} for v, digest, name in parts]


def _case_of(held: Desk) -> Case | None:
    return context().session.scalar(select(Case).where(Case.instance_id == held.task["instance_id"]))


def _actions(held: Desk) -> list[str]:
    if may_withdraw(context(), actor(), held):
        return ["withdraw"]
    if held.task["closed_at"] or held.task["status"] != RUNNING:
        return []
    if not may_do(actor(), held):
        return ["urge"] if may_urge(context(), actor(), held) else []
    allowed = {"transfer": may_transfer(held), "copy": may_copy(held)}
    return ["complete", "foresee", "release" if held.task["claimed_by"] else "claim", *(name for name, may in allowed.items() if may)]


def _candidates(principals: Iterable[str]) -> list[dict[str, str]]:
    return [{"principal": p, "name": principal_name(context().session, p)} for p in principals]


def _line(line: Line) -> dict[str, Any]:
    return {
        **line.__dict__,
        "id": line.task_id,
        "name": line.task_name,
        "limit": line.limit or None,
        "about": _about(line, line.place),
        "copied": None,
        "case": _case(line, line.place) | {"id": line.case_id} if line.case_id else None,
    }


def _copied(row: CopiedLine) -> dict[str, Any]:
    return _line(row.line) | {"copied": {"by": row.sender, "at": row.at, "read_at": row.read_at}}


def _about(row: Case | Line, place: str) -> dict[str, Any]:
    case_id, matter_id = (row.id, None) if isinstance(row, Case) else (row.case_id, row.matter_id)
    kind = "case" if case_id else "matter" if matter_id else "process"
    return {"kind": kind, "id": case_id or matter_id, "number": row.number, "title": row.title, "status": row.status, "place": place}


def _started(case: Case) -> dict[str, Any]:
    nothing = dict.fromkeys(("id", "key", "name", "limit", "claimed_by", "urged", "copied"))
    where = full_name(upwards(context().session, case.place))
    moments = {"opened_at": case.reported_at, "due_at": case.due_at, "closed_at": case.closed_at}
    return nothing | moments | {"about": _about(case, where), "case": _case(case, where)}


def _case(row: Case | Line, where: object) -> dict[str, Any]:
    names = ("id", "number", "title", "text", "category", "priority", "status", "address", "reported_at", "due_at")
    return {name: getattr(row, name) for name in names if hasattr(row, name)} | {"place": where}
