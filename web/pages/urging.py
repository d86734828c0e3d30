"""催办: a press beside an open task of somebody else."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from api.signin import actor
from api.work import context, undo
from engine.errors import InstanceAtRest, TaskClosed
from governance.errors import Refused
from governance.workflow.queries import readable_desk
from governance.workflow.urging import UrgedAlready, urge
from web.errors import page_before, sentence
from web.language import gettext as _

pages = Blueprint("urging", __name__, url_prefix="/tasks")


@pages.post("/<id:task_id>/urge")
@login_required  # type: ignore[untyped-decorator]
def press(task_id: int) -> ResponseReturnValue:
    """Back to the page of the press, with a word on what came of it."""
    readable_desk(context(), actor(), task_id)
    try:
        urge(context(), actor(), task_id, request.form.get("words", ""))
        said, kind = _("已催办，办理人会在待办箱里看到。"), "success"
    except (UrgedAlready, Refused, TaskClosed, InstanceAtRest) as error:
        said, kind = sentence(error), "warning"
        undo()
    flash(said, kind)
    return redirect(page_before() or url_for("inbox.show"))
