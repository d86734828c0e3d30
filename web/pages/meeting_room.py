"""会场: who is due and who has come, while a meeting is on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from api.signin import actor
from api.work import context, undo
from governance.errors import NotAllowed, Refused
from governance.meetings import queries
from governance.meetings.attendance import enter_people, invite, strike_off, tick, untick
from governance.meetings.models import Meeting
from governance.meetings.rules import COUNTED, ROLES, Body, Status, may_sign_in, status
from governance.organisation.queries import names as unit_names
from web.language import gettext as _
from web.pages.meetings import head, meeting_seen
from web.sentences import say_all

pages = Blueprint("room", __name__, url_prefix="/meetings/<id:meeting_id>")
PLAINLY_NAMED = (Body.JOINT, Body.OTHER)
"""Where the list is of officials, so that a typed name is sealed only when somebody says so."""


@pages.get("/attendees")
@login_required  # type: ignore[untyped-decorator]
def attendees(meeting_id: int) -> ResponseReturnValue:
    return _attendees(meeting_id, {})


@pages.post("/attendees")
@login_required  # type: ignore[untyped-decorator]
def put_people(meeting_id: int) -> ResponseReturnValue:
    form = request.form
    try:
        count = enter_people(
            context(), actor(), meeting_id, form.get("people", ""), form.get("role", ""), sealed=bool(form.get("residents"))
        )
    except Refused as refused:
        undo()
        return _attendees(meeting_id, refused.errors, 422)
    flash(_("已列入 %(n)s 人。", n=count), "success")
    return redirect(url_for("room.attendees", meeting_id=meeting_id))


@pages.post("/attendees/staff")
@login_required  # type: ignore[untyped-decorator]
def put_staff(meeting_id: int) -> ResponseReturnValue:
    chosen = [int(i) for i in request.form.getlist("appointment") if i.isdecimal() and len(i) < 19]
    try:
        count = invite(context(), actor(), meeting_id, chosen, request.form.get("role", ""))
    except Refused as refused:
        undo()
        return _attendees(meeting_id, refused.errors, 422)
    flash(_("已列入 %(n)s 人。", n=count), "success")
    return redirect(url_for("room.attendees", meeting_id=meeting_id))


@pages.post("/attendees/<id:attendee_id>/remove")
@login_required  # type: ignore[untyped-decorator]
def take_off(meeting_id: int, attendee_id: int) -> ResponseReturnValue:
    strike_off(context(), actor(), meeting_id, attendee_id)
    flash(_("已移出名单。"), "success")
    return redirect(url_for("room.attendees", meeting_id=meeting_id))


@pages.get("/live")
@login_required  # type: ignore[untyped-decorator]
def live(meeting_id: int) -> ResponseReturnValue:
    """The page on the screen of the room."""
    held = meeting_seen(meeting_id)
    items = queries.agenda(context().session, held.id)
    return render_template("meetings/live.html", **head(held), **_present(held), tab="room.live", items=items)


@pages.get("/live/present")
@login_required  # type: ignore[untyped-decorator]
def news(meeting_id: int) -> ResponseReturnValue:
    """The quorum and the list as they stand now; the page asks for it every few seconds."""
    held = meeting_seen(meeting_id)
    return render_template("meetings/_present.html", **head(held), **_present(held))


@pages.post("/live/<id:attendee_id>/<any(here, away):mark>")
@login_required  # type: ignore[untyped-decorator]
def check(meeting_id: int, attendee_id: int, mark: str) -> ResponseReturnValue:
    """代签到: the clerk's tick, and taking back a mistaken one."""
    act = tick if mark == "here" else untick
    act(context(), actor(), meeting_id, attendee_id)
    return redirect(url_for("room.live", meeting_id=meeting_id))


def _present(held: Meeting) -> dict[str, Any]:
    given = context()
    return {
        "roll": queries.roll(given, held.id, plain=queries.may_run(actor(), held)),
        "quorum": queries.quorum_of(given.session, held),
        "roles": ROLES,
        "counted": COUNTED,
        "is_on": may_sign_in(held, held.starts_at, given.now()),
    }


def _attendees(meeting_id: int, errors: Mapping[str, str], code: int = 200) -> ResponseReturnValue:
    given, held = context(), meeting_seen(meeting_id)
    shown = head(held)
    if not shown["runs"]:
        raise NotAllowed
    q = request.values.get("q", "").strip()[:40]
    listed = queries.roll(given, held.id, plain=True)
    known = {entry.attendee.person_id for entry in listed}
    offered = [a for a in queries.invitable(given.session, held.unit, given.today, q) if a.person_id not in known]
    page = render_template(
        "meetings/attendees.html",
        **shown,
        tab="room.attendees",
        roll=listed,
        codes={entry.attendee.id: given.sealer.unseal(entry.attendee.sealed_code) for entry in listed if not entry.attendee.is_code_mobile},
        offered=sorted(offered, key=lambda a: not a.unit.path.startswith(held.unit.path)),
        places=unit_names(given.session, {a.unit_id for a in offered}),
        roles=ROLES,
        takes_members=status(held) in (Status.DRAFT, Status.NOTICED),
        quorum=queries.quorum_of(given.session, held),
        sealed=Body(held.body) not in PLAINLY_NAMED,
        q=q,
        errors=say_all(errors),
        form=request.form,
    )
    return page, code
