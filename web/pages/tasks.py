"""One task on one page: facts, form, opinion, outcomes, trail, diagram."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from werkzeug.datastructures import MultiDict

from api.signin import actor
from api.work import context, undo
from engine.errors import ClaimedByOther, EngineError, InstanceAtRest, NothingToWithdraw, StepFailed, TakenBack, TaskClosed
from engine.log import loads
from engine.world import Advance
from governance.cases.photos import add_photo
from governance.context import Actor
from governance.copies.queries import was_copied
from governance.errors import NotFound, Refused
from governance.files.rules import FITTING
from governance.forms.rules import outcome, read_form
from governance.inbox.queries import following, trail
from governance.matters.queries import of_case
from governance.organisation.models import Kind
from governance.organisation.queries import nearest, upwards
from governance.people.queries import names
from governance.workflow.commands import Desk, Escalated, claim, complete, desk, foresee, may_do, release
from governance.workflow.handover import colleagues, may_transfer, transfer
from governance.workflow.interventions import may_contact
from governance.workflow.rules import limited_since
from governance.workflow.withdrawal import filled_before, may_withdraw, withdraw
from web.about import About, about_instance
from web.beside import beside
from web.drawing import drawing, progress
from web.errors import sentence
from web.filling import filling
from web.language import gettext as _
from web.language import listed
from web.pages.inbox import filtered
from web.sentences import say, say_all
from web.texts import at_hand
from web.trail import addressed, steps, waiting
from web.uploads import pictures, take_upload, with_files, with_pictures, with_upload
from web.why import once_overdue, reasons

pages = Blueprint("tasks", __name__, url_prefix="/tasks")


@pages.get("/<id:task_id>")
@login_required  # type: ignore[untyped-decorator]
def show(task_id: int) -> ResponseReturnValue:
    held = _readable(task_id)
    return _page(task_id, {}, MultiDict(filled_before(context(), held)) if _is_mine(held) else {})


@pages.post("/<id:task_id>/complete")
@with_pictures
@login_required  # type: ignore[untyped-decorator]
def finish(task_id: int) -> ResponseReturnValue:
    held, form = _readable(task_id), request.form
    try:
        data, misread = ({}, {}) if held.task["closed_at"] else _read(held, form)
        opinion, key = form.get("opinion", "").strip(), form.get("key") or None
        advance = complete(context(), actor(), task_id, data, opinion=opinion, misread=misread, idempotency_key=key)
    except Refused as refused:
        undo()
        return _page(task_id, refused.errors, form, 422)
    except (TaskClosed, ClaimedByOther, Escalated, InstanceAtRest, TakenBack) as error:
        said = sentence(error)
        undo()
        return _page(task_id, {}, form, 409, stale=said)
    if advance.stopped:
        flash(_("已提交，您不必重填。流程没能继续，管理员会处理：%(why)s", why=say(advance.stopped.message)), "warning")
    else:
        flash(_done(held, data, advance), "success")
    flash(f"task-{task_id}", "draft-clear")
    return redirect(_to_the_next(held))


@pages.post("/<id:task_id>/shape")
@login_required  # type: ignore[untyped-decorator]
def shape(task_id: int) -> ResponseReturnValue:
    """The fields that the chosen outcome asks for, with what has been filled in so far."""
    held = _desk(task_id)
    if not may_do(actor(), held):
        raise NotFound
    undo()
    return render_template("_fields.html", task=held.task, mine=True, errors={}, **_filling(held, request.form, _about(held)))


@pages.post("/<id:task_id>/foresee")
@login_required  # type: ignore[untyped-decorator]
def next_people(task_id: int) -> ResponseReturnValue:
    """Who would get the case next, before anything is submitted."""
    held, form = _desk(task_id), request.form.to_dict(flat=False)
    field = outcome(held.form, held.data, context().now())
    if field is not None and not form.get(field.name):
        return ""
    try:
        data, misread = read_form(held.form, form)
        found = foresee(context(), actor(), task_id, data, misread=misread)
    except Refused:
        return render_template("_next.html", incomplete=True, next=[])
    except StepFailed as failed:
        return render_template("_next.html", failed=say(str(failed)), next=[])
    except EngineError:
        return ""
    finally:
        undo()
    coming = [(opening.name, addressed(assignment.principals)) for opening, assignment in found.next]
    return render_template("_next.html", next=coming, finished=found.finished, about=_about(held))


@pages.post("/<id:task_id>/claim")
@login_required  # type: ignore[untyped-decorator]
def take(task_id: int) -> ResponseReturnValue:
    try:
        claim(context(), actor(), task_id)
    except (TaskClosed, ClaimedByOther) as error:
        said = sentence(error)
        undo()
        return _page(task_id, {}, {}, 409, stale=said)
    flash(_("已签收，其他人不会再看到这条待办。"), "success")
    return redirect(url_for("tasks.show", task_id=task_id, back=request.form.get("back")))


@pages.post("/<id:task_id>/release")
@login_required  # type: ignore[untyped-decorator]
def give_back(task_id: int) -> ResponseReturnValue:
    release(context(), actor(), task_id)
    flash(_("已退回待签收。"), "success")
    return redirect(url_for("inbox.show"))


@pages.post("/<id:task_id>/transfer")
@login_required  # type: ignore[untyped-decorator]
def hand_on(task_id: int) -> ResponseReturnValue:
    chosen = request.form.get("person", "")
    try:
        transfer(context(), actor(), task_id, int(chosen) if chosen.isdecimal() and len(chosen) < 19 else 0, request.form.get("reason", ""))
    except Refused as refused:
        undo()
        return _page(task_id, refused.errors, {}, 422)
    flash(_("已转办。"), "success")
    return redirect(url_for("inbox.show"))


@pages.post("/<id:task_id>/withdraw")
@login_required  # type: ignore[untyped-decorator]
def take_back(task_id: int) -> ResponseReturnValue:
    """取回: the task that has just been finished is open again, with what was filled in."""
    try:
        withdraw(context(), actor(), task_id, request.form.get("reason", ""))
    except Refused as refused:
        undo()
        return _page(task_id, refused.errors, {}, 422)
    except (NothingToWithdraw, InstanceAtRest) as error:
        said = sentence(error)
        undo()
        return _page(task_id, {}, {}, 409, late=said)
    flash(_("已取回，填过的内容还在，请修改后重新提交。"), "success")
    return redirect(url_for("tasks.show", task_id=task_id))


@pages.post("/<id:task_id>/photos")
@with_pictures
@login_required  # type: ignore[untyped-decorator]
def upload(task_id: int) -> ResponseReturnValue:
    """Takes one picture while the form is being filled in; the form then names it by its id."""
    held = _desk(task_id)
    if not may_do(actor(), held):
        raise NotFound
    try:
        sent = pictures("file")
        if not sent:
            raise Refused({"file": "请选择照片"})
        about = _about(held)
        if about.pictured is None:
            raise NotFound
        added = add_photo(context(), about.pictured, sent[0], by=actor().person_id, task_key=held.task["key"])
    except Refused as refused:
        undo()
        return {"error": say(str(refused))}, 422
    return {"id": str(added.id), "url": about.photo(added.id)}, 201


@pages.post("/<id:task_id>/files/<any(attachments, photos, signature):widget>")
@with_upload
@login_required  # type: ignore[untyped-decorator]
def put_file(task_id: int, widget: str) -> ResponseReturnValue:
    """Takes one file while the form is being filled in; the form then names it by its digest."""
    held = _desk(task_id)
    if held.task["closed_at"] or not may_do(actor(), held):
        raise NotFound
    return take_upload(held.form, actor().person_id, held.task["instance_id"], held.task["key"])


@pages.get("/<id:task_id>/diagram.bpmn")
@login_required  # type: ignore[untyped-decorator]
def diagram(task_id: int) -> Response:
    return drawing(_readable(task_id).package)


@pages.get("/<id:task_id>/diagram.json")
@login_required  # type: ignore[untyped-decorator]
def state(task_id: int) -> ResponseReturnValue:
    return jsonify(progress(_readable(task_id).task["instance_id"]))


def _desk(task_id: int) -> Desk:
    """The task, with its process at hand for the names on the page."""
    held = desk(context(), task_id)
    at_hand(held.package)
    return held


def _readable(task_id: int) -> Desk:
    held = _desk(task_id)
    if not _may_read(actor(), held):
        raise NotFound
    return held


def _read(held: Desk, form: MultiDict[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """What was filled in, and what of it cannot be read; raises `Refused`."""
    ours = {"by": actor().person_id, "instance_id": held.task["instance_id"], "task_key": held.task["key"]}
    return read_form(held.form, with_files(held.form, form.to_dict(flat=False), _about(held).pictured, **ours))


def _filling(held: Desk, form: Mapping[str, Any], about: About) -> dict[str, Any]:
    task_id = held.task["id"]
    uploads = {widget: url_for("tasks.put_file", task_id=task_id, widget=widget) for widget in FITTING}
    if about.pictured:
        uploads["photos"] = url_for("tasks.upload", task_id=task_id)
    return filling(held, form, about, url_for("tasks.shape", task_id=task_id), uploads)


def _done(held: Desk, data: Mapping[str, Any], advance: Advance) -> str:
    """What was decided, and with whom the case is now."""
    name, pressed = say(held.task["name"]), outcome(held.form, held.data, context().now())
    chosen = next((say(c.title) for c in pressed.choices if c.value == str(data.get(pressed.name))), "") if pressed else ""
    said = _("“%(name)s”已办理：%(outcome)s。", name=name, outcome=chosen) if chosen else _("“%(name)s”已办理。", name=name)
    coming = [w for w in waiting(advance.instance_id) if w.task.id in advance.opened]
    nexts = [_("%(step)s（%(who)s）", step=say(w.task.name), who=w.who) for w in coming]
    return said + (_("下一环节：%(next)s。", next=listed(nexts)) if nexts else "")


def _about(held: Desk) -> About:
    return about_instance(held.task["instance_id"], say(held.package.diagram.main.name))


def _back() -> str:
    """The inbox as the person left it, filters and all."""
    return filtered(dict(parse_qsl(urlsplit(request.values.get("back", "")).query)))


def _to_the_next(held: Desk) -> str:
    """The inbox as it was left, at the task that follows the one just done."""
    filters = dict(parse_qsl(urlsplit(_back()).query))
    q, overdue = filters.get("q", ""), bool(filters.get("overdue"))
    return filtered(filters, following(context(), actor(), held.task["due_at"], held.task["id"], q=q, overdue=overdue))


def _page(
    task_id: int, errors: Mapping[str, str], form: Mapping[str, Any], status: int = 200, stale: str = "", late: str = ""
) -> ResponseReturnValue:
    """The page; `stale` says what happened to the task since it was opened, `late` why it can't be taken back."""
    given, who = context(), actor()
    held = _readable(task_id)
    about = _about(held)
    case = about.case
    why = loads(held.task["assignment"])["why"]
    settings = held.settings
    claimed = held.task["claimed_by"]
    unfinished = waiting(held.task["instance_id"])
    page = render_template(
        "task.html",
        task=held.task,
        matter=of_case(given.session, case.id) if case else None,
        community=nearest(upwards(given.session, case.place), Kind.COMMUNITY) if case else None,
        mine=_is_mine(held),
        may_withdraw=may_withdraw(given, who, held),
        late=late,
        may_contact=case is not None and case.contact_mobile is not None and may_contact(who, case),
        stale=stale,
        limit=why.get("limit"),
        since=limited_since(held.task["opened_at"], why),
        then=once_overdue(held.package, held.task["element"]),
        was_taken=not held.task["closed_at"] and not may_do(who, held) and _had(who, held),
        reasons=reasons(held.task["name"], settings.get("assign", {}), why.get("steps", ())),
        candidates=addressed(held.principals),
        claimed_by=names(given.session, {int(claimed)}).get(int(claimed), "") if claimed else "",
        colleagues=colleagues(given, who, held) if _is_mine(held) and may_transfer(held) else (),
        acting=who.under(list(held.principals)).acting,
        trail=steps(trail(given, held.task["instance_id"])),
        open=unfinished,
        beside=beside(held.task["instance_id"], unfinished, held),
        is_reading=not _is_theirs(who, held),
        errors=say_all(errors),
        **_filling(held, form, about),
        key=form.get("key") or secrets.token_urlsafe(12),
        back=_back(),
    )
    return page, status


def _is_mine(held: Desk) -> bool:
    """Whether whoever asks may do the task now."""
    return held.task["closed_at"] is None and may_do(actor(), held)


def _may_read(who: Actor, held: Desk) -> bool:
    """Those it is or was addressed to, and those it was copied to; others read the case page, as far as they may."""
    return _is_theirs(who, held) or was_copied(context().session, who, held.task["instance_id"])


def _is_theirs(who: Actor, held: Desk) -> bool:
    addressed = any(p in held.principals for p in who.principals) or _had(who, held)
    return may_do(who, held) or addressed or held.task["closed_by"] == str(who.person_id)


def _had(who: Actor, held: Desk) -> bool:
    return any(p in held.formers for p in who.principals)
