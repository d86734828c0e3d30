"""流程设计: drafts from their beginning to a version, the versions and how they differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.signin import actor
from api.work import context, undo
from engine.archives import pack
from engine.errors import EngineError
from engine.packages import Package
from engine.versions import Version, versions, whole_package
from governance.calendar.queries import working_calendar
from governance.calendar.rules import moment_told
from governance.errors import GovernanceError, NotFound, Refused
from governance.people.queries import names
from governance.studio import commands, queries
from governance.studio.models import Draft
from governance.studio.rules import failed_scenarios, problems_of
from governance.workflow.rules import planned_due
from web.access import AUDITOR, for_posts
from web.drawing import drawing
from web.errors import sentence
from web.language import gettext as _
from web.pages.admin import ADMINISTRATOR, DESIGNER, sent_file
from web.policy import DRAWING
from web.texts import at_hand

pages = Blueprint("studio", __name__, url_prefix="/admin/studio")


# ---- where drafts come from --------------------------------------------------------------------------------------


@pages.post("/new")
@for_posts(ADMINISTRATOR, DESIGNER)
def new() -> ResponseReturnValue:
    return _opened(commands.draft_new(context(), actor(), request.form.get("name", ""), request.form.get("template", "blank")))


@pages.post("/import")
@for_posts(ADMINISTRATOR, DESIGNER)
def bring() -> ResponseReturnValue:
    return _opened(commands.draft_import(context(), actor(), sent_file()))


@pages.post("/from/<id:version_id>")
@for_posts(ADMINISTRATOR, DESIGNER)
def change(version_id: int) -> ResponseReturnValue:
    """A draft of a version; an incident names the element that it is about."""
    element = request.form.get("element", "")
    return _opened(commands.draft_version(context(), actor(), version_id), f"element={quote(element)}" if element else None)


def _opened(held: Draft, anchor: str | None = None) -> ResponseReturnValue:
    return redirect(url_for("studio.edit", draft_id=held.id, _anchor=anchor))


# ---- one draft ---------------------------------------------------------------------------------------------------


@pages.get("/<id:draft_id>")
@for_posts(ADMINISTRATOR, DESIGNER)
def edit(draft_id: int) -> ResponseReturnValue:
    held = queries.draft(context().session, draft_id)
    calls = {f"{name}_url": url_for(f"studio_calls.{call}", draft_id=draft_id) for name, call in CALLS.items()}
    page = render_template("admin/studio/editor.html", draft=held, vocabulary_url=url_for("studio_calls.words"), **calls)
    response = make_response(page)
    response.headers["Content-Security-Policy"] = DRAWING
    return response


CALLS = {"files": "files", "save": "save", "hold": "hold"}


@pages.get("/<id:draft_id>/review")
@for_posts(ADMINISTRATOR, DESIGNER, AUDITOR)
def review(draft_id: int) -> ResponseReturnValue:
    return _review(queries.draft(context().session, draft_id), {})


@pages.post("/<id:draft_id>/submit")
@for_posts(ADMINISTRATOR, DESIGNER)
def submit(draft_id: int) -> ResponseReturnValue:
    form = request.form
    try:
        proposal = commands.Proposal(form.get("reason", ""), _moment(form.get("effective_at", "")), form.get("scenarios_reason", ""))
        revision = form.get("revision", "")
        commands.submit(context(), actor(), draft_id, int(revision) if revision.isdecimal() and len(revision) < 10 else 0, proposal)
    except Refused as refused:
        undo()
        return _review(queries.draft(context().session, draft_id), refused.errors, 422)
    flash(_("已提交，等待另一位流程设计员或系统管理员审批。"), "success")
    return redirect(_review_of(draft_id))


@pages.post("/<id:draft_id>/withdraw")
@for_posts(ADMINISTRATOR, DESIGNER)
def withdraw(draft_id: int) -> ResponseReturnValue:
    held = queries.draft(context().session, draft_id)
    if held.change_id is None:
        raise NotFound
    return _done(
        lambda: commands.withdraw(context(), actor(), held.change_id or 0, ""),
        _("已撤回，可以继续修改。"),
        url_for("studio.review", draft_id=draft_id),
    )


@pages.post("/<id:draft_id>/restore")
@for_posts(ADMINISTRATOR, DESIGNER)
def restore(draft_id: int) -> ResponseReturnValue:
    number = request.form.get("number", "")
    if not number.isdecimal() or len(number) > 9:
        raise NotFound
    return _done(
        lambda: commands.restore(context(), actor(), draft_id, int(number)),
        _("已恢复到这一次保存的内容。"),
        url_for("studio.review", draft_id=draft_id),
    )


@pages.post("/<id:draft_id>/rebase")
@for_posts(ADMINISTRATOR, DESIGNER)
def rebase(draft_id: int) -> ResponseReturnValue:
    return _done(
        lambda: commands.rebase(context(), actor(), draft_id),
        _("已改为以现行版本为基础，以下是草稿与它的全部差异。"),
        url_for("studio.review", draft_id=draft_id),
    )


@pages.post("/<id:draft_id>/discard")
@for_posts(ADMINISTRATOR, DESIGNER)
def discard(draft_id: int) -> ResponseReturnValue:
    commands.discard(context(), actor(), draft_id)
    flash(_("草稿已放弃。"), "success")
    return redirect(url_for("processes.show"))


@pages.get("/<id:draft_id>/diagram.bpmn")
@for_posts(ADMINISTRATOR, DESIGNER, AUDITOR)
def diagram(draft_id: int) -> ResponseReturnValue:
    response = drawing(queries.package_of_draft(queries.draft(context().session, draft_id)))
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.get("/<id:draft_id>/package.zip")
@for_posts(ADMINISTRATOR, DESIGNER, AUDITOR)
def download(draft_id: int) -> ResponseReturnValue:
    held = queries.draft(context().session, draft_id)
    return packed(queries.package_of_draft(held), f"{held.key}-draft")


def packed(package: Package, name: str) -> Response:
    """The package as a zip file to keep."""
    response = Response(pack(package.whole), mimetype="application/zip")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.zip")
    return response


def _review_of(draft_id: int) -> str:
    return url_for("studio.review", draft_id=draft_id)


def _done(act: Callable[[], object], said: str, shown: str) -> ResponseReturnValue:
    try:
        act()
    except (GovernanceError, EngineError) as refused:
        told = sentence(refused)
        undo()
        flash(told, "danger")
    else:
        flash(said, "success")
    return redirect(shown)


def _moment(text: str) -> datetime | None:
    """A moment of the form, in Beijing time; raises `Refused`."""
    if not text:
        return None
    try:
        return moment_told(text)
    except ValueError as error:
        raise Refused({"effective_at": _("请填写日期和时间，或者留空")}) from error


def _review(held: Draft, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    session = context().session
    package, base = queries.package_of_draft(held), queries.base_of(session, held)
    at_hand(package)
    found, latest = problems_of(package), queries.current(session, held.key)
    told, decided = queries.compared(base, package), queries.changes_of(session, str(held.id))
    history = queries.revisions(session, held.id)
    people = {held.edited_by, *(r.saved_by for r in history), *(p for d in decided for p in (d.submitter, d.approver) if p)}
    return (
        render_template(
            "admin/studio/review.html",
            draft=held,
            base=queries.version_of(session, held.base_id) if held.base_id else None,
            latest=latest,
            comparison=_comparison(told, base, package),
            found=found,
            failed=failed_scenarios(package, planned_due(working_calendar(session))) if not found and held.change_id is None else {},
            scenarios_n=len(package.scenarios),
            decided=decided,
            history=history,
            people=names(session, people),
            mine=bool(held.change_id and decided and decided[0].submitter == actor().person_id),
            errors=errors,
            form=request.form,
        ),
        status,
    )


# ---- how two packages differ -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """Two packages side by side, and which elements are marked on either diagram."""

    told: queries.Compared
    before: dict[str, Any]
    after: dict[str, Any]


def _comparison(told: queries.Compared, old: Package | None, new: Package) -> Comparison:
    """Of a new process everything is told, and nothing stands out."""
    if old is None:
        return Comparison(told, _marked(), _marked())
    changed = {c.element for c in told.changes if c.part == "diagram"}
    before, after = _elements(old), _elements(new)
    gone, come, both = changed & (before - after), changed & (after - before), changed & before & after
    return Comparison(told, _marked(removed=gone, changed=both), _marked(added=come, changed=both))


def _elements(package: Package) -> set[str]:
    return {*package.diagram.nodes, *package.diagram.flows}


def _marked(**kinds: set[str]) -> dict[str, Any]:
    return {"nodes": {element: {kind: 1} for kind, elements in kinds.items() for element in sorted(elements)}}


@pages.get("/compare/<id:old_id>/<id:new_id>")
@for_posts(ADMINISTRATOR, DESIGNER, AUDITOR)
def compare(old_id: int, new_id: int) -> ResponseReturnValue:
    session = context().session
    old, new = (queries.version_of(session, version_id) for version_id in (old_id, new_id))
    if old.key != new.key:
        raise NotFound
    before, after = (whole_package(session.connection(), version.id) for version in (old, new))
    at_hand(after)
    told = _comparison(queries.compared(before, after), before, after)
    others = versions(session.connection(), old.key)
    return render_template("admin/studio/compare.html", old=old, new=new, comparison=told, versions=others)


@pages.get("/compare")
@for_posts(ADMINISTRATOR, DESIGNER, AUDITOR)
def choose() -> ResponseReturnValue:
    """The comparison that a form asks for."""
    asked = [request.args.get(name, "") for name in ("old", "new")]
    if not all(id.isdecimal() and len(id) < 20 for id in asked):
        raise NotFound
    return redirect(url_for("studio.compare", old_id=int(asked[0]), new_id=int(asked[1])))


# ---- retiring ----------------------------------------------------------------------------------------------------


@pages.post("/retire/<id:version_id>")
@for_posts(ADMINISTRATOR, DESIGNER)
def retire(version_id: int) -> ResponseReturnValue:
    version: Version = queries.version_of(context().session, version_id)
    proposal = commands.Proposal(request.form.get("reason", ""))
    said = _("已提交停用，等待另一位流程设计员或系统管理员审批。")
    return _done(lambda: commands.submit_retirement(context(), actor(), version.key, proposal), said, url_for("processes.show"))
