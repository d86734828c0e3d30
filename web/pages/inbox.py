"""待办箱."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from api.signin import actor
from api.work import context
from governance.copies.queries import unread
from governance.inbox.copied import CopiedLine, copied
from governance.inbox.queries import Page, arrived, counts, done, started, todo
from governance.starting.queries import mine
from web.language import gettext as _
from web.trail import waiting_in

pages = Blueprint("inbox", __name__, url_prefix="/inbox")
FILTERS = ("box", "q", "overdue", "after")


@pages.get("")
@login_required  # type: ignore[untyped-decorator]
def show() -> ResponseReturnValue:
    box, q, after = request.args.get("box", "todo"), request.args.get("q", "").strip()[:60], request.args.get("after")
    given, who = context(), actor()
    page, cases, begun = Page((), None), [], []
    copies: Sequence[CopiedLine] = ()
    more = None
    if box == "started":
        cases = started(given, who, q=q, after=after)
        begun = [] if after else mine(given.session, who, q)
    elif box == "copied":
        copies, more = copied(given, who, q=q, after=after)
    elif box == "done":
        page = done(given, who, q=q, after=after)
    else:
        box = "todo"
        page = todo(given, who, q=q, overdue=bool(request.args.get("overdue")), after=after)
    counted, fresh = counts(given, who), unread(given.session, who)
    tabs = [
        ("todo", _("待办"), counted["todo"]),
        ("done", _("已办"), 0),
        ("started", _("我发起"), 0),
        ("copied", _("抄送我"), fresh),
    ]
    return render_template(
        "inbox.html",
        box=box,
        tabs=tabs,
        page=page,
        cases=cases,
        begun=begun,
        waiting=waiting_in([one.instance_id for one in begun]),
        q=q,
        copies=copies,
        more_copies=more,
        counts=counted,
        now=given.now(),
        here=filtered(request.args) if request.args else None,
    )


@pages.get("/news")
@login_required  # type: ignore[untyped-decorator]
def news() -> ResponseReturnValue:
    """How many tasks have come since the page was made; the page says so without moving anything."""
    try:
        since = datetime.fromisoformat(request.args.get("since", ""))
    except ValueError:
        return {"count": 0}
    known = since.tzinfo is not None and 2000 <= since.year < 9000
    return {"count": arrived(context(), actor(), since) if known else 0}


def filtered(asked: Mapping[str, str], chosen: int | None = None) -> str:
    """The address of the inbox with these filters, where a task is waiting for the eye."""
    filters: dict[str, Any] = {name: asked[name] for name in FILTERS if asked.get(name)}
    return url_for("inbox.show", **filters, next=chosen)
