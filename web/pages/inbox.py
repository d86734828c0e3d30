"""待办箱."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import login_required

from api.signin import actor
from api.work import context
from governance.inbox.queries import Page, arrived, counts, done, started, todo
from web.language import gettext as _

pages = Blueprint("inbox", __name__, url_prefix="/inbox")


@pages.get("")
@login_required  # type: ignore[untyped-decorator]
def show() -> ResponseReturnValue:
    box, q, after = request.args.get("box", "todo"), request.args.get("q", "").strip()[:60], request.args.get("after")
    given, who = context(), actor()
    page, cases = Page((), None), []
    if box == "started":
        cases = started(given, who, q=q, after=after)
    elif box == "done":
        page = done(given, who, q=q, after=after)
    else:
        box = "todo"
        page = todo(given, who, q=q, overdue=bool(request.args.get("overdue")), after=after)
    tabs = [("todo", _("待办")), ("done", _("已办")), ("started", _("我发起"))]
    return render_template("inbox.html", box=box, tabs=tabs, page=page, cases=cases, q=q, counts=counts(given, who), now=given.now())


@pages.get("/news")
@login_required  # type: ignore[untyped-decorator]
def news() -> ResponseReturnValue:
    """How many tasks have come since the page was made; the page says so without moving anything."""
    try:
        since = datetime.fromisoformat(request.args.get("since", ""))
    except ValueError:
        return {"count": 0}
    return {"count": arrived(context(), actor(), since) if since.tzinfo else 0}
