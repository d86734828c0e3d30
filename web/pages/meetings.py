"""会议: the list, the draft, the agenda, the notice, and how far a meeting has come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from api.signin import actor
from api.work import context, undo
from governance.calendar.rules import SHANGHAI
from governance.errors import GovernanceError, NotAllowed, NotFound, Refused
from governance.meetings import queries
from governance.meetings.commands import (
    Plan,
    add_item,
    cancel,
    close_meeting,
    convene,
    give_notice,
    note_result,
    open_meeting,
    remove_item,
    replan,
)
from governance.meetings.models import Meeting
from governance.meetings.rules import BODIES, ROLES, STATUSES, Body, Status, earliest, is_short, status
from governance.organisation.models import LABELS, Kind
from governance.organisation.queries import names as unit_names
from web.errors import sentence
from web.language import gettext as _
from web.qr import qr_of
from web.sentences import say_all

pages = Blueprint("meetings", __name__, url_prefix="/meetings")
LEVELS = (Kind.DISTRICT, Kind.SUBDISTRICT, Kind.COMMUNITY, Kind.SECTOR, Kind.GRID, Kind.ESTATE, Kind.DEPARTMENT)
SCOPES = ("mine", "unit")


@pages.get("")
@login_required  # type: ignore[untyped-decorator]
def index() -> ResponseReturnValue:
    given, asked, who = context(), request.args, actor()
    scope = asked.get("scope") if asked.get("scope") in SCOPES else SCOPES[0]
    level, stands, after = asked.get("level", ""), asked.get("status", ""), asked.get("after", "")
    page = queries.meetings(
        given.session,
        who,
        mine=scope == "mine",
        kind=Kind(level) if level in LEVELS else None,
        status=Status(stands) if stands in set(Status) else None,
        after=int(after) if after.isdecimal() and len(after) < 19 else None,
    )
    return render_template(
        "meetings/index.html",
        page=page,
        places=unit_names(given.session, {m.unit_id for m in page.meetings}),
        tabs=[("mine", _("我的会议")), ("unit", _("本单位及下级"))],
        scope=scope,
        levels=[(kind.value, LABELS[kind]) for kind in LEVELS],
        statuses=STATUSES,
        standing=status,
        bodies=BODIES,
        may_convene=bool(queries.host_units(given.session, who)),
    )


@pages.get("/new")
@login_required  # type: ignore[untyped-decorator]
def new() -> ResponseReturnValue:
    return _form(None, {}, {})


@pages.post("")
@login_required  # type: ignore[untyped-decorator]
def add() -> ResponseReturnValue:
    try:
        held = convene(context(), actor(), _plan())
    except Refused as refused:
        undo()
        return _form(None, refused.errors, request.form, 422)
    flash(_("草稿已保存，请列出议题和参会人员，再发出通知。"), "success")
    return redirect(url_for("meetings.show", meeting_id=held.id))


@pages.get("/<id:meeting_id>/edit")
@login_required  # type: ignore[untyped-decorator]
def edit(meeting_id: int) -> ResponseReturnValue:
    held = meeting_seen(meeting_id)
    if not queries.may_run(actor(), held):
        raise NotAllowed
    return _form(held, {}, {})


@pages.post("/<id:meeting_id>/edit")
@login_required  # type: ignore[untyped-decorator]
def change(meeting_id: int) -> ResponseReturnValue:
    try:
        replan(context(), actor(), meeting_id, _plan())
    except Refused as refused:
        undo()
        return _form(meeting_seen(meeting_id), refused.errors, request.form, 422)
    flash(_("已保存。"), "success")
    return redirect(url_for("meetings.show", meeting_id=meeting_id))


@pages.get("/<id:meeting_id>")
@login_required  # type: ignore[untyped-decorator]
def show(meeting_id: int) -> ResponseReturnValue:
    return _page(meeting_id, {})


@pages.post("/<id:meeting_id>/items")
@login_required  # type: ignore[untyped-decorator]
def put_item(meeting_id: int) -> ResponseReturnValue:
    form = request.form
    return _done(
        meeting_id, lambda: add_item(context(), actor(), meeting_id, form.get("text", ""), form.get("case_number", "")), _("议题已列入。")
    )


@pages.post("/<id:meeting_id>/items/<id:item_id>/remove")
@login_required  # type: ignore[untyped-decorator]
def take_item_off(meeting_id: int, item_id: int) -> ResponseReturnValue:
    return _done(meeting_id, lambda: remove_item(context(), actor(), meeting_id, item_id), _("议题已移除。"))


@pages.post("/<id:meeting_id>/items/<id:item_id>/result")
@login_required  # type: ignore[untyped-decorator]
def write_result(meeting_id: int, item_id: int) -> ResponseReturnValue:
    note_result(context(), actor(), meeting_id, item_id, request.form.get("result", ""))
    flash(_("审议结果已记录。"), "success")
    return redirect(url_for("room.live", meeting_id=meeting_id))


@pages.post("/<id:meeting_id>/notice")
@login_required  # type: ignore[untyped-decorator]
def notify(meeting_id: int) -> ResponseReturnValue:
    reason = request.form.get("urgent_reason", "")
    return _done(meeting_id, lambda: give_notice(context(), actor(), meeting_id, reason), _("会议通知已发出，议程和参会名单就此确定。"))


@pages.get("/<id:meeting_id>/notice")
@login_required  # type: ignore[untyped-decorator]
def notice(meeting_id: int) -> ResponseReturnValue:
    """会议通知: to print and put up."""
    given, held = context(), meeting_seen(meeting_id)
    return render_template(
        "meetings/notice.html",
        meeting=held,
        body=BODIES[Body(held.body)],
        items=queries.agenda(given.session, held.id),
        quorum=queries.quorum_of(given.session, held),
        unit_name=unit_names(given.session, [held.unit_id])[held.unit_id],
    )


@pages.get("/<id:meeting_id>/qr.svg")
@login_required  # type: ignore[untyped-decorator]
def qr(meeting_id: int) -> Response:
    """The picture by which people sign in."""
    held = meeting_seen(meeting_id)
    if held.noticed_at is None:
        raise NotFound
    return qr_of(url_for("attendance.show", secret=context().sealer.unseal(held.sealed_secret)))


@pages.post("/<id:meeting_id>/<any(open, close):step>")
@login_required  # type: ignore[untyped-decorator]
def advance(meeting_id: int, step: str) -> ResponseReturnValue:
    """宣布开会、宣布散会."""
    if step == "open":
        open_meeting(context(), actor(), meeting_id)
        flash(_("会议开始。"), "success")
    else:
        close_meeting(context(), actor(), meeting_id)
        flash(_("会议结束，请整理会议记录、交办议定事项。"), "success")
    return redirect(url_for("room.live", meeting_id=meeting_id))


@pages.post("/<id:meeting_id>/cancel")
@login_required  # type: ignore[untyped-decorator]
def call_off(meeting_id: int) -> ResponseReturnValue:
    return _done(meeting_id, lambda: cancel(context(), actor(), meeting_id, request.form.get("reason", "")), _("会议已取消。"))


def meeting_seen(meeting_id: int) -> Meeting:
    """A meeting that whoever is signed in may see; raises `NotFound`."""
    return queries.meeting(context().session, meeting_id, actor())


def head(held: Meeting) -> dict[str, Any]:
    """What every page of a meeting shows of it."""
    return {
        "meeting": held,
        "stands": status(held),
        "label": STATUSES[status(held)],
        "body": BODIES[Body(held.body)],
        "unit_name": unit_names(context().session, [held.unit_id])[held.unit_id],
        "runs": queries.may_run(actor(), held),
    }


def _done(meeting_id: int, act: Callable[[], object], said: str) -> ResponseReturnValue:
    """Does it and shows the meeting, or shows what was wrong with what is still in the form."""
    try:
        act()
    except Refused as refused:
        undo()
        return _page(meeting_id, refused.errors, 422)
    except (NotFound, NotAllowed):
        raise
    except GovernanceError as error:
        told = sentence(error)
        undo()
        return _page(meeting_id, {"": told}, 409)
    flash(said, "success")
    return redirect(url_for("meetings.show", meeting_id=meeting_id))


def _page(meeting_id: int, errors: Mapping[str, str], code: int = 200) -> ResponseReturnValue:
    given, held = context(), meeting_seen(meeting_id)
    shown, now = head(held), given.now()
    rule = queries.rules(given.session)[Body(held.body)]
    is_draft = shown["stands"] == Status.DRAFT
    page = render_template(
        "meetings/show.html",
        **shown,
        tab="meetings.show",
        items=queries.agenda(given.session, held.id),
        roll=queries.roll(given, held.id, plain=shown["runs"]),
        roles=ROLES,
        quorum=queries.quorum_of(given.session, held),
        files=queries.files(given.session, held.id),
        rule=rule,
        earliest=earliest(now, rule.notice_days),
        is_short=is_draft and is_short(now, held.starts_at, rule.notice_days),
        errors=say_all(errors),
        form=request.form,
    )
    return page, code


def _form(held: Meeting | None, errors: Mapping[str, str], form: Mapping[str, str], code: int = 200) -> ResponseReturnValue:
    given, who = context(), actor()
    units = queries.host_units(given.session, who)
    if not units:
        raise NotAllowed
    named = unit_names(given.session, {unit.id for unit in units})
    page = render_template(
        "meetings/form.html",
        meeting=held,
        units=[(str(unit.id), named[unit.id], LABELS[Kind(unit.kind)]) for unit in units],
        conveners=queries.conveners(given.session, units, given.today),
        rules=queries.rules(given.session),
        bodies=BODIES,
        errors=say_all(errors),
        form=form,
        acting=who.acting,
    )
    return page, code


def _plan() -> Plan:
    form = request.form
    texts = {name: form.get(name, "").strip() for name in ("title", "place", "link", "convener", "body")}
    return Plan(unit_id=form.get("unit", ""), starts_at=_instant(form.get("starts_at", "")), **texts)


def _instant(text: str) -> datetime | None:
    """A moment as a page sends it, in the time people live in."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=SHANGHAI).astimezone(UTC) if at.tzinfo is None and 2000 <= at.year < 2100 else None
