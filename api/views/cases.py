"""Reports and follows cases."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import asdict
from typing import Any

from flask import request

from api.bearer import caller
from api.calls import EITHER, Calls
from api.schemas.cases import CaseShown, NewCase, Reported, Timeline
from api.signin import actor
from api.work import context, outside
from engine.log import loads
from governance.cases.commands import Report
from governance.cases.models import Case
from governance.cases.queries import case as case_of
from governance.errors import Refused
from governance.inbox.queries import Mark, open_tasks, trail
from governance.intake.commands import report
from governance.organisation.queries import full_name, place, upwards
from governance.people.queries import principal_name

calls = Calls("api_cases", "事项")
RESIDENT, ANONYMOUS, PATROL = "居民自报(网页/小程序)", "居民匿名", "网格员巡查"
FOLLOW = "/follow/"
"""Where the pages let a reporter follow a case."""


MADE = {"case_id": "$response.body#/id"}


@calls.call(
    "POST",
    "/cases",
    Reported,
    status=201,
    body=NewCase,
    keyed=True,
    token=EITHER,
    leads={"api_cases.show": MADE, "api_cases.timeline": MADE, "instances.show": {"instance_id": "$response.body#/instance_id"}},
)
def create(filled: dict[str, Any], key: dict[str, str]) -> dict[str, Any]:
    """Reports a matter, with or without an account; the same key gives the same case."""
    by, where = caller(), place(context().session, filled.pop("place"))
    if where is None:
        raise Refused({"place": "没有这个位置，或者不能向它上报"})
    reported = Report(
        text=filled["text"].strip(),
        place=where,
        channel=PATROL if by else (RESIDENT if filled["contact_mobile"] else ANONYMOUS),
        submission_key=_submission(key.get("key"), by.person_id if by else None),
        title=filled["title"].strip(),
        address=filled["address"].strip(),
        category=filled["category"],
        contact_name=filled["contact_name"].strip(),
        contact_mobile=filled["contact_mobile"].replace(" ", ""),
        is_confidential=filled["confidential"],
        is_self_found=by is not None,
        reported_by=by.person_id if by else None,
    )
    case, secret = report(context(), reported, (), by)
    if secret is None and (case.text, case.place_id) != (reported.text, where.id):
        raise Refused({"Idempotency-Key": "这个键已用于另一次上报"})
    follow = f"{outside().public_url or request.host_url.rstrip('/')}{FOLLOW}{secret}" if secret else None
    return {"id": case.id, "number": case.number, "instance_id": case.instance_id, "follow": follow}


@calls.call(
    "GET",
    "/cases/<id:case_id>",
    CaseShown,
    refuses=(404,),
    leads={"api_tasks.show": {"task_id": "$response.body#/open/0/id"}, "api_tasks.claim": {"task_id": "$response.body#/open/0/id"}},
)
def show(case_id: int) -> dict[str, Any]:
    """A case, as far as the caller may see it."""
    session, case = context().session, case_of(context().session, case_id, actor())
    waiting = open_tasks(context(), case.instance_id) if case.instance_id else ()
    shown = {name: getattr(case, name) for name in Case.__mapper__.columns.keys()}  # noqa: SIM118
    return shown | {
        "place": {"id": case.place_id, "name": full_name(upwards(session, case.place))},
        "open": [
            {**task._mapping, "candidates": [principal_name(session, p) for p in loads(task.assignment)["principals"]]} for task in waiting
        ],
    }


@calls.call("GET", "/cases/<id:case_id>/timeline", Timeline, refuses=(404,))
def timeline(case_id: int) -> dict[str, Any]:
    """Everything that happened to a case: who, under which post, when, with which opinion, and whether in time."""
    case = case_of(context().session, case_id, actor())
    return {"items": [_moved(mark) for mark in (trail(context(), case.instance_id) if case.instance_id else ())]}


def _moved(mark: Mark) -> dict[str, Any]:
    return asdict(mark) | {"on_time": None if mark.due_at is None else not mark.was_late}


def _submission(key: str | None, person_id: int | None) -> str:
    """A client's key is its own: nobody else's report hides behind it."""
    return secrets.token_urlsafe(12) if key is None else hashlib.sha256(f"{person_id}\0{key}".encode()).hexdigest()
