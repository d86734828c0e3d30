"""What people do beside the tasks: they urge those of others, copy their own to be read, and read what was copied to them."""

from __future__ import annotations

from typing import Any

from api.calls import Calls
from api.schemas.tasks import Colleagues, Copies, Copying, Urged, Urging, Words
from api.signin import actor
from api.views.tasks import told
from api.work import context
from governance.copies.queries import copies
from governance.inbox.queries import PAGE
from governance.workflow.commands import Desk, may_do
from governance.workflow.copying import copy as copy_task
from governance.workflow.copying import mark_read, may_copy, recipients_field
from governance.workflow.persons import nameable
from governance.workflow.queries import readable_desk
from governance.workflow.urging import urge as urge_task
from governance.workflow.urging import urged

calls = Calls("api_beside", "催办和抄送")
THIS = {"task_id": "$request.path.task_id"}


@calls.call("POST", "/tasks/<id:task_id>/urge", Urged, body=Urging, refuses=(403, 404, 409))
def urge(filled: dict[str, Any], task_id: int) -> dict[str, Any]:
    """催办: asks those who have the task to get on with it, at most once in four hours."""
    _read(task_id)
    urge_task(context(), actor(), task_id, filled["words"])
    return urged(context(), [task_id])[task_id].__dict__


@calls.call("GET", "/tasks/<id:task_id>/recipients", Colleagues, query=Words, refuses=(404,))
def recipients(asked: dict[str, Any], task_id: int) -> dict[str, Any]:
    """Whom a task may be copied to: the first that the words find."""
    held = _read(task_id)
    may = may_do(actor(), held) and may_copy(held)
    return {"items": told(nameable(context(), recipients_field(), held.data, q=asked["q"], limit=PAGE) if may else [])}


@calls.call("POST", "/tasks/<id:task_id>/copy", Copies, body=Copying, refuses=(403, 404, 409), leads={"api_beside.read": THIS})
def copy(filled: dict[str, Any], task_id: int) -> dict[str, Any]:
    """抄送: those named may read what the task belongs to."""
    held = _read(task_id)
    copy_task(context(), actor(), task_id, filled["people"], filled["words"])
    return _copies(held)


@calls.call("POST", "/tasks/<id:task_id>/read", Copies, refuses=(404,))
def read(task_id: int) -> dict[str, Any]:
    """已阅: what was copied of it to the caller counts as read; when first, stays."""
    held = _read(task_id)
    mark_read(context(), actor(), held.task["instance_id"])
    return _copies(held)


def _read(task_id: int) -> Desk:
    return readable_desk(context(), actor(), task_id)


def _copies(held: Desk) -> dict[str, Any]:
    acts = copies(context().session, held.task["instance_id"])
    return {
        "items": [
            {
                "by": act.sender,
                "at": act.at,
                "words": act.words,
                "recipients": [{"person": one.person_id, "name": one.name, "read_at": one.read_at} for one in act.recipients],
            }
            for act in acts
        ]
    }
