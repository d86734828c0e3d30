"""扫码签到: what attendees see on their own phones, without an account."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.work import context, undo
from governance.errors import Refused
from governance.meetings import queries
from governance.meetings.attendance import sign_in
from governance.meetings.errors import AlreadySignedIn, CodeLocked, DoorsClosed, MeetingOver, WrongCode
from governance.meetings.rules import BODIES, DOORS_OPEN, STATUSES, Body, Status, may_sign_in, status
from governance.privacy import masked_name
from web.errors import sentence
from web.language import gettext as _
from web.sentences import say_all

pages = Blueprint("attendance", __name__)


@pages.get("/meeting/<secret>")
def show(secret: str) -> ResponseReturnValue:
    return _page(secret, {})


@pages.post("/meeting/<secret>")
def sign(secret: str) -> ResponseReturnValue:
    """A wrong number counts, so what it wrote is kept."""
    chosen = request.form.get("attendee", "")
    try:
        if not chosen.isdecimal() or len(chosen) > 18:
            raise Refused({"attendee": _("请选择您的姓名")})
        found = sign_in(context(), secret, int(chosen), request.form.get("code", ""))
    except Refused as refused:
        return _page(secret, refused.errors, 422)
    except (WrongCode, CodeLocked) as error:
        return _page(secret, {"code": str(error)}, 422)
    except (DoorsClosed, MeetingOver, AlreadySignedIn) as error:
        said = sentence(error)
        undo()
        return _page(secret, {"": said}, 409)
    flash(_("%(name)s，签到成功。", name=masked_name(queries.called(context(), found, plain=False))), "success")
    return redirect(url_for("attendance.show", secret=secret, signed=1))


def _page(secret: str, errors: dict[str, str], code: int = 200) -> ResponseReturnValue:
    given = context()
    held = queries.by_secret(given.session, secret)
    is_on = may_sign_in(held, held.starts_at, given.now())
    page = render_template(
        "meetings/sign_in.html",
        meeting=held,
        body=BODIES[Body(held.body)],
        label=STATUSES[status(held)],
        is_over=status(held) in (Status.CLOSED, Status.CANCELLED),
        is_on=is_on,
        doors_at=held.starts_at - DOORS_OPEN,
        roll=[
            (e.attendee, masked_name(e.name)) for e in queries.roll(given, held.id, plain=False) if not e.attendee.signed_in_at and is_on
        ],
        quorum=queries.quorum_of(given.session, held),
        errors=say_all(errors),
        form=request.form,
    )
    return page, code
