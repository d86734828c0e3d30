"""试算与迁移 in the browser: what past cases would do on a draft, and how running ones come to a version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.signin import actor
from api.work import context, undo
from engine.diagram import Diagram
from engine.errors import EngineError
from engine.outcomes import Tally
from engine.plans import Plan
from engine.versions import package_of
from governance.errors import GovernanceError, NotFound, Refused
from governance.people.queries import names
from governance.studio import queries, runs
from governance.studio.models import Run
from web.access import AUDITOR, for_posts
from web.detours import detour
from web.drawing import drawing
from web.errors import sentence
from web.language import gettext as _
from web.offers import areas, categories
from web.pages.admin import ADMINISTRATOR, DESIGNER
from web.texts import at_hand

pages = Blueprint("studio_runs", __name__, url_prefix="/admin/studio")
SHOWN = 200
DROPPED = ""


# ---- rehearsing --------------------------------------------------------------------------------------------------


@pages.get("/<id:draft_id>/rehearsals")
@for_posts(ADMINISTRATOR, DESIGNER, AUDITOR)
def rehearsals(draft_id: int) -> ResponseReturnValue:
    return _rehearsals(draft_id, {})


@pages.post("/<id:draft_id>/rehearsals")
@for_posts(ADMINISTRATOR, DESIGNER)
def rehearse(draft_id: int) -> ResponseReturnValue:
    try:
        begun = runs.begin_rehearsal(context(), actor(), draft_id, _choice(), _plan())
    except (GovernanceError, EngineError) as refused:
        said = refused.errors if isinstance(refused, Refused) else {"last": sentence(refused)}
        undo()
        return _rehearsals(draft_id, said, 422)
    return redirect(url_for("studio_runs.show", run_id=begun.id))


def _rehearsals(draft_id: int, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    session = context().session
    held = queries.draft(session, draft_id)
    package, base = queries.package_of_draft(held), queries.base_of(session, held)
    at_hand(package)
    found = runs.runs_of_draft(session, draft_id)
    page = render_template(
        "admin/studio/rehearsals.html",
        draft=held,
        gap=runs.gap(base.diagram, package.diagram) if base else None,
        steps=_steps(package.diagram),
        runs=found,
        people=names(session, {r.asked_by for r in found}),
        most=runs.MOST,
        filters=runs.filters(session, held.key),
        categories=categories,
        areas=areas,
        errors=errors,
        form=request.form,
    )
    return page, status


def _choice() -> runs.Choice:
    form = request.form
    last = form.get("last", "")
    return runs.Choice(
        int(last) if last.isdecimal() and len(last) < 6 else 0,
        _day("since"),
        _day("until"),
        form.get("category", "").strip(),
        form.get("unit", "").strip(),
    )


def _day(name: str) -> date | None:
    text = request.form.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Refused({name: _("请填写日期，或者留空")}) from error


def _plan() -> Plan:
    """What the form says of the steps that only one version has."""
    form = request.form
    gone = {name.removeprefix("gone-"): value for name, value in form.items() if name.startswith("gone-")}
    renamed = {old: new for old, new in gone.items() if new != DROPPED}
    return Plan(renamed, frozenset(gone.keys() - renamed.keys()), frozenset(form.getlist("passed")))


def _steps(diagram: Diagram) -> list[tuple[str, str]]:
    """What a step that is no more can be on the new diagram."""
    return [(node.id, node.label) for node in diagram.nodes.values() if node.kind in runs.WORKED or node.events]


# ---- one run -----------------------------------------------------------------------------------------------------


@pages.get("/runs/<id:run_id>")
@for_posts(ADMINISTRATOR, DESIGNER, AUDITOR)
def show(run_id: int) -> ResponseReturnValue:
    held = runs.run(context().session, run_id)
    return render_template("admin/studio/run.html", **_shown(held))


@pages.get("/runs/<id:run_id>/progress")
@for_posts(ADMINISTRATOR, DESIGNER, AUDITOR)
def progress(run_id: int) -> ResponseReturnValue:
    """How far a run is; a page that waits for its end is told to come again."""
    held = runs.run(context().session, run_id)
    if held.ended_at:
        return "", 204, {"HX-Refresh": "true"}
    return render_template("admin/studio/_progress.html", run=held)


@pages.get("/runs/<id:run_id>/diagram.bpmn")
@for_posts(ADMINISTRATOR, DESIGNER, AUDITOR)
def diagram(run_id: int) -> ResponseReturnValue:
    return drawing(runs.package_of_run(runs.run(context().session, run_id)))


@pages.post("/runs/<id:run_id>/cancel")
@for_posts(ADMINISTRATOR, DESIGNER)
def cancel(run_id: int) -> ResponseReturnValue:
    return _begun(lambda: runs.cancel_run(context(), actor(), run_id), run_id)


@pages.post("/runs/<id:run_id>/move")
@for_posts(ADMINISTRATOR, DESIGNER)
def move(run_id: int) -> ResponseReturnValue:
    return _begun(lambda: runs.begin_move(context(), actor(), run_id, request.form.get("reason", "")), run_id)


@pages.post("/runs/<id:run_id>/undo")
@for_posts(ADMINISTRATOR, DESIGNER)
def undo_moves(run_id: int) -> ResponseReturnValue:
    return _begun(lambda: runs.begin_undo(context(), actor(), run_id, request.form.get("reason", "")), run_id)


def _begun(act: Callable[[], Run], run_id: int) -> ResponseReturnValue:
    try:
        shown = act().id
    except (GovernanceError, EngineError) as refused:
        told = sentence(refused)
        undo()
        flash(told, "danger")
        shown = run_id
    return redirect(url_for("studio_runs.show", run_id=shown))


def _shown(held: Run) -> dict[str, Any]:
    session = context().session
    package = runs.package_of_run(held) if held.kind == runs.REHEARSE else package_of(session.connection(), held.version_id or 0)
    at_hand(package)
    ending, element = request.args.get("ending", ""), request.args.get("element", "")
    is_rehearsed = held.kind == runs.REHEARSE and held.ended_at is not None
    tally = runs.tally(session, held.id) if is_rehearsed else Tally()
    nodes = package.diagram.nodes

    def label(element: str) -> str:
        return nodes[element].label if element in nodes else tally.names.get(element, element)

    return {
        "run": held,
        "who": names(session, {held.asked_by}).get(held.asked_by, ""),
        "version": queries.version_of(session, held.version_id) if held.version_id else None,
        "draft": queries.draft(session, held.draft_id) if held.draft_id else None,
        "endings": runs.endings(session, held.id),
        "label": label,
        "detour": lambda result: detour(runs.outcome_of(result), label),
        "results": runs.results(session, held.id, ending, element, SHOWN) if held.ended_at else (),
        "failures": runs.results(session, held.id, runs.FAILED, limit=SHOWN) if held.ended_at else (),
        "most": SHOWN,
        "ending": ending,
        "element": element,
        **(_tallied(held, tally) if is_rehearsed else {}),
    }


def _tallied(held: Run, tally: Tally) -> dict[str, Any]:
    return {
        "gone": tally.gone.most_common(20),
        "come": tally.come.most_common(20),
        "partings": tally.partings.most_common(20),
        "stops": tally.stops.most_common(20),
        "shifts": [(element, moved, _span(moved.median)) for element, moved in tally.moved().items()],
        "drawings": [*_before(held, tally), (_("草稿"), url_for("studio_runs.diagram", run_id=held.id), _state(tally))],
    }


def _state(tally: Tally) -> dict[str, Any]:
    """The draft's diagram: how often the cases come to each step, what is new, and where some stop."""
    nodes = {element: {"done": n, "added": int(element in tally.added)} for element, n in tally.visited.items()}
    for (element, _rule), _n in tally.stops.items():
        nodes.setdefault(element, {})["current"] = 1
    return {"nodes": nodes, "taken": sorted(tally.taken)}


def _before(held: Run, tally: Tally) -> list[tuple[str, str, dict[str, Any]]]:
    """The diagram that the draft began as, with what falls away, where something does."""
    session = context().session
    base_id, latest = queries.draft(session, held.draft_id or 0).base_id, queries.current(session, held.key)
    version = queries.version_of(session, base_id) if base_id else latest
    if not tally.left_out or version is None:
        return []
    nodes = {element: {"done": n, "removed": 1} for element, n in tally.left_out.items()}
    return [(_("第 %(n)s 版", n=version.number), url_for("processes.diagram", version_id=version.id), {"nodes": nodes})]


def _span(shift: timedelta) -> str:
    """How much later or earlier, in days and hours."""
    minutes = round(abs(shift.total_seconds()) / 60)
    days, hours = divmod(minutes // 60, 24)
    parts: Sequence[str] = [_("%(n)s 天", n=days)] * bool(days) + [_("%(n)s 小时", n=hours)] * bool(hours)
    words = " ".join(parts) or _("%(n)s 分", n=minutes)
    return _("推后 %(span)s", span=words) if shift > timedelta() else _("提前 %(span)s", span=words)


# ---- moving running cases ----------------------------------------------------------------------------------------


@pages.get("/to/<id:version_id>")
@for_posts(ADMINISTRATOR, DESIGNER)
def moves(version_id: int) -> ResponseReturnValue:
    return _moves(version_id, "")


@pages.post("/to/<id:version_id>")
@for_posts(ADMINISTRATOR, DESIGNER)
def preview(version_id: int) -> ResponseReturnValue:
    only = request.form.get("only", "")
    if only and not (only.isdecimal() and len(only) < 20):
        raise NotFound
    try:
        begun = runs.begin_preview(context(), actor(), version_id, _plan(), int(only) if only else None)
    except (GovernanceError, EngineError) as refused:
        told = sentence(refused)
        undo()
        return _moves(version_id, told, 422)
    return redirect(url_for("studio_runs.show", run_id=begun.id))


def _moves(version_id: int, error: str, status: int = 200) -> ResponseReturnValue:
    session = context().session
    version = queries.version_of(session, version_id)
    package = package_of(session.connection(), version_id)
    at_hand(package)
    found = runs.runs_to(session, version_id)
    page = render_template(
        "admin/studio/moves.html",
        version=version,
        process=next(p for p in queries.published(session) if p.key == version.key),
        gap=runs.gap_of_versions(session, version_id),
        steps=_steps(package.diagram),
        runs=found,
        people=names(session, {r.asked_by for r in found}),
        only=request.args.get("only", request.form.get("only", "")),
        error=error,
        form=request.form,
    )
    return page, status
