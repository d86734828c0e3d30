"""流程版本与异常: what is published, and where it could not go on."""

from __future__ import annotations

import json

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import RowMapping

from api.signin import actor
from api.work import context
from bpmn import shipped
from engine.versions import package_of, whole_package
from engine.world import Advance
from governance.errors import Refused
from governance.people.queries import names
from governance.studio import queries
from governance.workflow.mending import is_unchosen
from governance.workflow.overdue import retry as retry_incident
from governance.workflow.queries import open_incidents
from web.about import about_instance
from web.access import AUDITOR, for_posts
from web.drawing import drawing
from web.language import gettext as _
from web.pages.admin import ADMINISTRATOR, DESIGNER
from web.pages.admin.studio import packed
from web.sentences import say
from web.texts import at_hand

pages = Blueprint("processes", __name__, url_prefix="/admin/processes")


@pages.get("")
@for_posts(ADMINISTRATOR, DESIGNER, AUDITOR)
def show() -> ResponseReturnValue:
    session = context().session
    drafts = queries.open_drafts(session)
    return render_template(
        "admin/processes.html",
        processes=(processes := queries.published(session)),
        made_by=queries.drafts_published(session),
        retirements={p.key: queries.changes_of(session, p.key) for p in processes},
        drafts=drafts,
        standing={d.id: queries.changes_of(session, str(d.id))[:1] for d in drafts},
        people=names(session, {d.edited_by for d in drafts}),
        own=frozenset(shipped()),
    )


@pages.get("/<id:version_id>")
@for_posts(ADMINISTRATOR, DESIGNER, AUDITOR)
def version(version_id: int) -> ResponseReturnValue:
    session = context().session
    shown = queries.version_of(session, version_id)
    package = at_hand(package_of(session.connection(), version_id))
    return render_template("admin/process.html", version=shown, forms=package.forms, tables=package.tables)


@pages.get("/<id:version_id>/package.zip")
@for_posts(ADMINISTRATOR, DESIGNER, AUDITOR)
def export(version_id: int) -> ResponseReturnValue:
    session = context().session
    shown = queries.version_of(session, version_id)
    return packed(whole_package(session.connection(), version_id), f"{shown.key}-{shown.number}")


@pages.get("/<id:version_id>/diagram.bpmn")
@for_posts(ADMINISTRATOR, DESIGNER, AUDITOR)
def diagram(version_id: int) -> ResponseReturnValue:
    return drawing(at_hand(package_of(context().session.connection(), version_id)))


@pages.get("/incidents")
@for_posts(ADMINISTRATOR)
def incidents() -> ResponseReturnValue:
    given = context()
    found = open_incidents(given)
    latest = {key: queries.current(given.session, key) for key in {one.key for one in found}}
    abouts = {one.id: about_instance(one.instance_id, one.title) for one in found}
    by_choice = {one.id for one in found if is_unchosen(given, one)}
    return render_template("admin/incidents.html", incidents=found, latest=latest, abouts=abouts, step=_step, by_choice=by_choice)


def _step(incident: RowMapping) -> str:
    """The name of the element at which an instance stopped."""
    nodes = at_hand(package_of(context().session.connection(), incident.version_id)).diagram.nodes
    return nodes[incident.element].label if incident.element in nodes else incident.element


@pages.post("/incidents/<id:incident_id>/retry")
@for_posts(ADMINISTRATOR)
def retry(incident_id: int) -> ResponseReturnValue:
    text = request.form.get("correction", "").strip()
    try:
        correction = json.loads(text) if text else {}
    except (ValueError, RecursionError) as error:
        raise Refused({"correction": _('更正的数据应为 JSON 对象，例如 {"tier": 2}')}) from error
    if not isinstance(correction, dict):
        raise Refused({"correction": _('更正的数据应为 JSON 对象，例如 {"tier": 2}')})
    return retried(retry_incident(context(), incident_id, actor().record(), correction))


def retried(advance: Advance) -> ResponseReturnValue:
    """What a retry has come to."""
    if advance.stopped:
        flash(_("仍然无法继续：%(why)s", why=say(advance.stopped.message)), "warning")
    else:
        flash(_("已重试成功，流程继续。"), "success")
    return redirect(url_for("processes.incidents"))
