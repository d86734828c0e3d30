"""Process instances: what auditors read, what system administrators do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from sqlalchemy import RowMapping
from werkzeug.exceptions import PreconditionRequired

from api.calls import Calls
from api.schemas.instances import InstancePage, InstanceQuery, InstanceShown, LogPage, LogQuery, Reason, Rewinding, StateQuery, StateThen
from api.signin import actor
from api.work import context
from engine.errors import StaleRevision
from engine.log import entries
from governance.people.rules import principal
from governance.workflow.queries import Past, instance, instance_page, past
from governance.workflow.world import instances

calls = Calls("instances", "流程实例")
ADMINISTRATOR = "system_administrator"
READERS, ADMINISTRATORS = ("auditor", ADMINISTRATOR), (ADMINISTRATOR,)
LOG_PAGE = 200

Tagged = tuple[dict[str, Any], int, dict[str, str]]


FIRST = {"instance_id": "$response.body#/items/0/id"}
THIS = {"instance_id": "$request.path.instance_id"}


@calls.call("GET", "/instances", InstancePage, query=InstanceQuery, posts=READERS, leads={"instances.show": FIRST, "instances.log": FIRST})
def index(asked: dict[str, Any]) -> dict[str, Any]:
    """All instances, the latest first."""
    rows, after = instance_page(context(), status=asked.get("status"), after=asked.get("after"))
    return {"items": [_shown(row) for row in rows], "after": after}


@calls.call(
    "GET",
    "/instances/<id:instance_id>",
    InstanceShown,
    posts=READERS,
    refuses=(404,),
    tagged=True,
    leads={name: THIS | {"If-Match": "$response.header.ETag"} for name in ("instances.suspend", "instances.resume", "instances.cancel")}
    | {"instances.log": THIS, "instances.state": THIS},
)
def show(instance_id: int) -> Tagged:
    """An instance, with its revision as ETag."""
    return _tagged(instance_id)


@calls.call("GET", "/instances/<id:instance_id>/log", LogPage, query=LogQuery, posts=READERS, refuses=(404,))
def log(asked: dict[str, Any], instance_id: int) -> dict[str, Any]:
    """The record: every command, with its hash."""
    row, after = instance(context(), instance_id), asked["after"]
    found = [entry for entry in entries(context().session.connection(), instance_id, after + LOG_PAGE) if entry.seq > after]
    items = [{**entry.__dict__, "hash": entry.hash.hex()} for entry in found]
    return {"items": items, "after": found[-1].seq if found and found[-1].seq < row["revision"] else None}


@calls.call("GET", "/instances/<id:instance_id>/state", StateThen, query=StateQuery, posts=READERS, refuses=(404, 409, 410))
def state(asked: dict[str, Any], instance_id: int) -> Past:
    """How the instance stood after command N, found by replaying the first N."""
    return past(context(), instance_id, asked.get("at"))


@calls.call(
    "POST",
    "/instances/<id:instance_id>/suspend",
    InstanceShown,
    body=Reason,
    posts=ADMINISTRATORS,
    refuses=(404, 409),
    matched=True,
    tagged=True,
)
def suspend(filled: dict[str, str], instance_id: int) -> Tagged:
    """Puts an instance to rest."""
    _match(instance_id)
    instances(context()).suspend(instance_id, _administrator(), filled["reason"].strip())
    return _tagged(instance_id)


@calls.call(
    "POST",
    "/instances/<id:instance_id>/resume",
    InstanceShown,
    body=Reason,
    posts=ADMINISTRATORS,
    refuses=(404, 409),
    matched=True,
    tagged=True,
)
def resume(filled: dict[str, str], instance_id: int) -> Tagged:
    """Lets a suspended instance go on."""
    _match(instance_id)
    instances(context()).resume(instance_id, _administrator(), filled["reason"].strip())
    return _tagged(instance_id)


@calls.call(
    "POST",
    "/instances/<id:instance_id>/cancel",
    InstanceShown,
    body=Reason,
    posts=ADMINISTRATORS,
    refuses=(404, 409),
    matched=True,
    tagged=True,
)
def cancel(filled: dict[str, str], instance_id: int) -> Tagged:
    """Ends an instance for good."""
    instances(context()).cancel(instance_id, _administrator(), filled["reason"].strip(), revision=_match(instance_id))
    return _tagged(instance_id)


@calls.call(
    "POST",
    "/instances/<id:instance_id>/rewind",
    InstanceShown,
    body=Rewinding,
    posts=ADMINISTRATORS,
    refuses=(404, 409),
    matched=True,
    tagged=True,
)
def rewind(filled: dict[str, Any], instance_id: int) -> Tagged:
    """Takes an instance back to how it was after an earlier command; the record keeps growing."""
    revision = _match(instance_id)
    instances(context()).rewind(instance_id, filled["to"], _administrator(), filled["reason"].strip(), revision=revision)
    return _tagged(instance_id)


def _match(instance_id: int) -> int:
    """Holds the instance at the revision the caller has seen; raises `PreconditionRequired`, `StaleRevision`."""
    if not request.if_match:
        raise PreconditionRequired
    revision: int = instance(context(), instance_id, lock=True)["revision"]
    if str(revision) not in request.if_match:
        raise StaleRevision
    return revision


def _administrator() -> Mapping[str, Any]:
    """The caller under the post that lets them do this."""
    return actor().under([principal(a.post, a.unit_id) for a in actor().appointments if a.post == ADMINISTRATOR]).record()


def _tagged(instance_id: int) -> Tagged:
    row = instance(context(), instance_id)
    return _shown(row), 200, {"ETag": f'"{row["revision"]}"'}


def _shown(row: RowMapping) -> dict[str, Any]:
    case = {"id": row["case_id"], "number": row["case_number"], "title": row["case_title"]} if row["case_id"] else None
    return {**row, "process": row["key"], "head": row["head"].hex(), "case": case}
