"""发起: the processes somebody may start, the form at their start, and what has been started."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required

from api.signin import actor
from api.work import context, undo
from governance.context import Actor
from governance.errors import Refused
from governance.files.rules import FITTING
from governance.forms.rules import read_form
from governance.inbox.queries import trail
from governance.starting.commands import begin
from governance.starting.models import Started
from governance.starting.queries import PAGE, Shown, everything, mine, shown, startable, to_start
from governance.starting.rules import Startable
from web.about import About, about_instance
from web.access import AUDITOR, for_posts
from web.beside import beside
from web.drawing import drawing, progress
from web.filling import filling
from web.language import gettext as _
from web.language import listed
from web.proof import proof
from web.sentences import say, say_all
from web.texts import at_hand, package_of_instance
from web.trail import steps, waiting, waiting_in
from web.uploads import take_upload, with_files, with_pictures, with_upload

pages = Blueprint("starting", __name__)
KEY = 80


def may_start() -> bool:
    """Whether there is anything that whoever is signed in may start."""
    return current_user.is_authenticated and bool(startable(context().session, actor()))


# ---- starting ----------------------------------------------------------------------------------------------------


@pages.get("/start")
@login_required  # type: ignore[untyped-decorator]
def index() -> ResponseReturnValue:
    session = context().session
    begun = mine(session, actor())
    return render_template(
        "starting/index.html", startable=startable(session, actor()), begun=begun, waiting=waiting_in([one.instance_id for one in begun])
    )


@pages.get("/start/<key>")
@login_required  # type: ignore[untyped-decorator]
def ask(key: str) -> ResponseReturnValue:
    return _page(key, {}, {})


@pages.post("/start/<key>")
@with_pictures
@login_required  # type: ignore[untyped-decorator]
def take(key: str) -> ResponseReturnValue:
    form, who = request.form, actor()
    found, _under = to_start(context().session, who, key)
    submission_key = form.get("key", "")[:KEY] or secrets.token_urlsafe(12)
    try:
        data, misread = read_form(found.form, with_files(found.form, form.to_dict(flat=False), None, by=who.person_id, task_key=key))
        held = begin(context(), who, key, data, submission_key, misread=misread)
    except Refused as refused:
        undo()
        return _page(key, refused.errors, form, 422)
    flash(_done(held), "success")
    flash(f"start-{key}", "draft-clear")
    return redirect(url_for("starting.show", started_id=held.id))


@pages.post("/start/<key>/shape")
@login_required  # type: ignore[untyped-decorator]
def shape(key: str) -> ResponseReturnValue:
    """The fields that the chosen outcome asks for, with what has been filled in so far."""
    found, under = _at_hand(key)
    undo()
    return render_template("_fields.html", errors={}, **_form(found, under, request.form))


@pages.post("/start/<key>/files/<any(attachments, photos, signature):widget>")
@with_upload
@login_required  # type: ignore[untyped-decorator]
def put_file(key: str, widget: str) -> ResponseReturnValue:
    """Takes one file while the form is being filled in; it is theirs alone until the process has started."""
    found, _ = to_start(context().session, actor(), key)
    return take_upload(found.form, actor().person_id, task_key=key)


def _at_hand(key: str) -> tuple[Startable, Actor]:
    """What is to be started and under which post, with the process at hand for the names on the page."""
    found, under = to_start(context().session, actor(), key)
    at_hand(found.package)
    return found, under


def _page(key: str, errors: Mapping[str, str], form: Mapping[str, Any], status: int = 200) -> ResponseReturnValue:
    found, under = _at_hand(key)
    page = render_template(
        "starting/form.html",
        found=found,
        acting=under.acting,
        errors=say_all(errors),
        key=form.get("key") or secrets.token_urlsafe(12),
        **_form(found, under, form),
    )
    return page, status


def _form(found: Startable, under: Actor, form: Mapping[str, Any]) -> dict[str, Any]:
    """What the form's templates need; there is no task yet, and nobody gives an opinion on what they ask for themselves."""
    beside = {"task": None, "mine": True, "has_opinion": False, "press": _("提交")}
    shapes = url_for("starting.shape", key=found.version.key)
    uploads = {widget: url_for("starting.put_file", key=found.version.key, widget=widget) for widget in FITTING}
    return filling(found.desk(under), form, About(found.version.name), shapes, uploads) | beside


def _done(held: Started) -> str:
    """That it is under way, and with whom it is now."""
    package_of_instance(held.instance_id)
    nexts = [_("%(step)s（%(who)s）", step=say(w.task.name), who=w.who) for w in waiting(held.instance_id or 0)]
    return _("已提交。") + (_("下一环节：%(next)s。", next=listed(nexts)) if nexts else "")


# ---- what has been started ---------------------------------------------------------------------------------------


@pages.get("/started")
@for_posts(AUDITOR)
def everybodys() -> ResponseReturnValue:
    """What anybody has started, for auditors."""
    q, after = request.args.get("q", "").strip()[:60], request.args.get("after", "")
    begun = everything(context().session, actor(), q, int(after) if after.isdecimal() and len(after) < 19 else None)
    more = begun[-1].id if len(begun) == PAGE else None
    return render_template("starting/all.html", begun=begun, waiting=waiting_in([one.instance_id for one in begun]), q=q, more=more)


@pages.get("/started/<id:started_id>")
@login_required  # type: ignore[untyped-decorator]
def show(started_id: int) -> ResponseReturnValue:
    found = _shown(started_id)
    package_of_instance(found.instance_id)
    unfinished = waiting(found.instance_id)
    return render_template(
        "starting/show.html",
        found=found,
        about=about_instance(found.instance_id, say(found.process)),
        trail=steps(trail(context(), found.instance_id)),
        open=unfinished,
        beside=beside(found.instance_id, unfinished),
    )


@pages.post("/started/<id:started_id>/verify")
@login_required  # type: ignore[untyped-decorator]
def prove(started_id: int) -> ResponseReturnValue:
    """核对记录: the chain of the log is whole, and the log alone gives the stored state."""
    return proof(_shown(started_id).instance_id)


@pages.get("/started/<id:started_id>/diagram.bpmn")
@login_required  # type: ignore[untyped-decorator]
def diagram(started_id: int) -> Response:
    return drawing(package_of_instance(_shown(started_id).instance_id))


@pages.get("/started/<id:started_id>/diagram.json")
@login_required  # type: ignore[untyped-decorator]
def state(started_id: int) -> ResponseReturnValue:
    return jsonify(progress(_shown(started_id).instance_id))


def _shown(started_id: int) -> Shown:
    return shown(context().session, actor(), started_id)
