"""抄送: whoever has a task chooses who may read what it is about; those open it, and it is marked as read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from werkzeug.datastructures import MultiDict

from api.signin import actor
from api.work import context, undo
from engine.errors import ClaimedByOther, InstanceAtRest, TaskClosed
from governance.copies.queries import copies
from governance.errors import NotFound, Refused
from governance.workflow.commands import Desk, desk, may_do
from governance.workflow.copying import RECIPIENTS, copy, mark_read, may_copy, recipients_field
from governance.workflow.persons import read_id
from web.about import about_instance
from web.errors import page_before, sentence
from web.filling import people_offered
from web.language import gettext as _
from web.sentences import say, say_all
from web.texts import at_hand

pages = Blueprint("copies", __name__)


@pages.get("/tasks/<id:task_id>/copy")
@login_required  # type: ignore[untyped-decorator]
def ask(task_id: int) -> ResponseReturnValue:
    return _page(_desk(task_id), MultiDict(), {})


@pages.post("/tasks/<id:task_id>/copy")
@login_required  # type: ignore[untyped-decorator]
def send(task_id: int) -> ResponseReturnValue:
    held, form = _desk(task_id), request.form
    named = [read_id(text) or 0 for text in form.getlist("people") if text]
    try:
        copy(context(), actor(), task_id, named, form.get("words", ""))
    except Refused as refused:
        undo()
        return _page(held, form, refused.errors, 422)
    except (TaskClosed, ClaimedByOther, InstanceAtRest) as error:
        flash(sentence(error), "warning")
        undo()
        return redirect(url_for("tasks.show", task_id=task_id))
    flash(_("已抄送，对方会在待办箱的“抄送我”里看到。"), "success")
    return redirect(url_for("tasks.show", task_id=task_id))


@pages.post("/tasks/<id:task_id>/copy/people")
@login_required  # type: ignore[untyped-decorator]
def seek(task_id: int) -> ResponseReturnValue:
    """The page with those whom the words find; the picker takes them from it."""
    held = _desk(task_id)
    undo()
    return _page(held, request.form, {})


@pages.post("/copies/<id:instance_id>/read")
@login_required  # type: ignore[untyped-decorator]
def read(instance_id: int) -> ResponseReturnValue:
    """已阅: the page says so by itself once it is shown; without JavaScript, its reader does."""
    mark_read(context(), actor(), instance_id)
    if "HX-Request" in request.headers:
        return render_template("_read.html")
    return redirect(page_before() or url_for("inbox.show", box="copied"))


def _desk(task_id: int) -> Desk:
    """The task, for whoever may copy it to others."""
    held = desk(context(), task_id)
    if not may_do(actor(), held) or not may_copy(held):
        raise NotFound
    at_hand(held.package)
    return held


def _page(held: Desk, form: MultiDict[str, str], errors: Mapping[str, str], status: int = 200) -> ResponseReturnValue:
    filled: dict[str, Any] = form.to_dict(flat=False)
    lists, sought = people_offered(RECIPIENTS, held.data, filled)
    page = render_template(
        "copy.html",
        task=held.task,
        about=about_instance(held.task["instance_id"], say(held.package.diagram.main.name)),
        people=recipients_field(),
        lists=lists,
        sought=sought,
        shapes=url_for("copies.seek", task_id=held.task["id"]),
        form=form,
        errors=say_all(errors),
        copies=copies(context().session, held.task["instance_id"]),
    )
    return page, status
