"""Beside the tasks: the reporter's contact, supervision by a leader, withdrawal by the reporter."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from api.signin import actor
from api.work import context, undo
from governance.cases.queries import case, followed
from governance.errors import GovernanceError
from governance.workflow.interventions import reveal_contact, supervise, withdraw
from web.language import gettext as _
from web.sentences import say

pages = Blueprint("interventions", __name__)


@pages.post("/cases/<id:case_id>/contact")
@login_required  # type: ignore[untyped-decorator]
def contact(case_id: int) -> ResponseReturnValue:
    """Shows the reporter's contact for a reason that is written into the case's log."""
    given = context()
    found = case(given.session, case_id, actor())
    try:
        shown = reveal_contact(given, actor(), found, request.form.get("reason", ""))
    except GovernanceError as refused:
        said = say(str(refused))
        undo()
        return render_template("_contact.html", refused=said, case_id=case_id), 422
    return render_template("_contact.html", contact=shown, case_id=case_id)


@pages.post("/cases/<id:case_id>/supervise")
@login_required  # type: ignore[untyped-decorator]
def order(case_id: int) -> ResponseReturnValue:
    given, days = context(), request.form.get("days", "")
    found = case(given.session, case_id, actor())
    supervise(given, actor(), found, request.form.get("instruction", ""), int(days) if days.isdecimal() and len(days) < 4 else 0)
    flash(_("督办意见已下达，承办方应在期限内回复。"), "success")
    return redirect(url_for("cases.show", case_id=case_id))


@pages.post("/follow/<secret>/withdraw")
def take_back(secret: str) -> ResponseReturnValue:
    """The reporter no longer wants it; whether that is granted, the process decides."""
    found = followed(context().session, secret)
    withdraw(context(), found, request.form.get("reason", ""))
    granted = found.closed_at is not None
    flash(
        _("已按您的申请撤回。") if granted else _("这件事涉及公共安全或已经核查过，不能撤回，我们会继续办理。"),
        "success" if granted else "warning",
    )
    return redirect(url_for("public.follow", secret=secret))
