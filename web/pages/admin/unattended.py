"""无人可办的待办: what waits for people who have left, closed accounts and vacant posts, and 改派."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from api.signin import actor
from api.work import context, undo
from governance.errors import Refused
from governance.people.queries import names
from governance.workflow.commands import Desk
from governance.workflow.persons import read_id
from governance.workflow.unattended import FORM, INSTEAD, reassign, unattended, unattended_desk
from web.about import about_instance
from web.access import for_posts
from web.filling import picking
from web.language import gettext as _
from web.language import listed
from web.pages.admin import ADMINISTRATOR
from web.sentences import say_all
from web.texts import at_hand
from web.trail import addressed

pages = Blueprint("unattended", __name__, url_prefix="/admin/tasks")


@pages.get("")
@for_posts(ADMINISTRATOR)
def show() -> ResponseReturnValue:
    found = unattended(context())
    abouts = {one.task["id"]: about_instance(one.task["instance_id"], one.task["title"]) for one in found}
    return render_template("admin/unattended.html", found=found, abouts=abouts, addressed=addressed)


@pages.get("/<id:task_id>")
@for_posts(ADMINISTRATOR)
def ask(task_id: int) -> ResponseReturnValue:
    return _page(task_id, {}, MultiDict())


@pages.post("/<id:task_id>/found")
@for_posts(ADMINISTRATOR)
def people(task_id: int) -> ResponseReturnValue:
    """Whom the words find."""
    unattended_desk(context(), task_id)
    return render_template("admin/_people.html", errors={}, **_picking(task_id, request.form))


@pages.post("/<id:task_id>")
@for_posts(ADMINISTRATOR)
def hand(task_id: int) -> ResponseReturnValue:
    form = request.form
    chosen = read_id(form.get(INSTEAD, "")) or 0
    try:
        reassign(context(), actor(), task_id, chosen, form.get("reason", ""))
    except Refused as refused:
        undo()
        return _page(task_id, refused.errors, form, 422)
    flash(_("已改派给%(name)s。", name=names(context().session, {chosen})[chosen]), "success")
    return redirect(url_for("unattended.show"))


def _page(task_id: int, errors: Mapping[str, str], form: MultiDict[str, str], status: int = 200) -> ResponseReturnValue:
    held: Desk = unattended_desk(context(), task_id)
    at_hand(held.package)
    page = render_template(
        "admin/choose_people.html",
        title=_("改派"),
        back=url_for("unattended.show"),
        back_to=_("无人可办的待办"),
        about=about_instance(held.task["instance_id"], ""),
        step=held.task["name"],
        told=[_("现在在%(who)s手里，不能办理。", who=listed(addressed(held.principals)))],
        action=url_for("unattended.hand", task_id=task_id),
        press=_("改派"),
        errors=say_all(errors),
        **_picking(task_id, form),
    )
    return page, status


def _picking(task_id: int, form: MultiDict[str, str]) -> dict[str, object]:
    return picking(FORM, {}, form, url_for("unattended.people", task_id=task_id))
