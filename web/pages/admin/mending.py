"""选择办理人: an administrator chooses the people whom a form should have, and the process goes on."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from api.signin import actor
from api.work import context, undo
from governance.errors import Refused
from governance.forms.rules import read_form
from governance.workflow import mending
from governance.workflow.mending import Unchosen, unchosen
from web.about import about_instance
from web.access import for_posts
from web.filling import picking
from web.language import gettext as _
from web.pages.admin import ADMINISTRATOR
from web.pages.admin.processes import retried
from web.sentences import say_all
from web.texts import at_hand

pages = Blueprint("mending", __name__, url_prefix="/admin/processes/incidents")


@pages.get("/<id:incident_id>/people")
@for_posts(ADMINISTRATOR)
def show(incident_id: int) -> ResponseReturnValue:
    return _page(incident_id, {}, MultiDict())


@pages.post("/<id:incident_id>/people/found")
@for_posts(ADMINISTRATOR)
def people(incident_id: int) -> ResponseReturnValue:
    """Whom the words find."""
    return render_template("admin/_people.html", errors={}, **_picking(incident_id, _found(incident_id), request.form))


@pages.post("/<id:incident_id>/people")
@for_posts(ADMINISTRATOR)
def choose(incident_id: int) -> ResponseReturnValue:
    form, found = request.form, _found(incident_id)
    data, misread = read_form(found.form, form.to_dict(flat=False))
    try:
        if misread:
            raise Refused(misread)
        return retried(mending.choose(context(), actor(), incident_id, data, form.get("reason", "")))
    except Refused as refused:
        undo()
        return _page(incident_id, refused.errors, form, 422)


def _found(incident_id: int) -> Unchosen:
    found = unchosen(context(), incident_id)
    at_hand(found.package)
    return found


def _page(incident_id: int, errors: Mapping[str, str], form: MultiDict[str, str], status: int = 200) -> ResponseReturnValue:
    found = _found(incident_id)
    page = render_template(
        "admin/choose_people.html",
        title=_("选择办理人"),
        back=url_for("processes.incidents"),
        back_to=_("异常"),
        about=about_instance(found.instance_id, ""),
        step=found.step,
        told=[_("没有找到可以办理这个环节的人。选定以后，流程从停住的地方继续，选了谁、为什么，都进入记录。")],
        action=url_for("mending.choose", incident_id=incident_id),
        press=_("选定并重试"),
        errors=say_all(errors),
        **_picking(incident_id, found, form),
    )
    return page, status


def _picking(incident_id: int, found: Unchosen, form: MultiDict[str, str]) -> dict[str, object]:
    return picking(found.form, found.data, form, url_for("mending.people", incident_id=incident_id))
