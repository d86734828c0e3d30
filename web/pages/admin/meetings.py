"""会议规则: what the rules of each body ask."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.work import context, undo
from governance.errors import NotFound, Refused
from governance.meetings.commands import NewRule, change_rule
from governance.meetings.queries import rules
from governance.meetings.rules import BODIES, Body
from web.access import for_posts
from web.language import gettext as _
from web.pages.admin import ADMINISTRATOR
from web.sentences import say_all

pages = Blueprint("meeting_rules", __name__, url_prefix="/admin/meetings")


@pages.get("")
@for_posts(ADMINISTRATOR)
def show() -> ResponseReturnValue:
    return _page({}, "")


@pages.post("/<body>")
@for_posts(ADMINISTRATOR)
def change(body: str) -> ResponseReturnValue:
    form, days = request.form, request.form.get("notice_days", "")
    if body not in set(Body):
        raise NotFound
    new = NewRule(
        notice_days=int(days) if days.isdecimal() and len(days) < 4 else -1,
        may_be_urgent=bool(form.get("may_be_urgent")),
        quorum=form.get("quorum", "").strip(),
        is_quorum_over=bool(form.get("is_quorum_over")),
        takes_extra_items=bool(form.get("takes_extra_items")),
        source=form.get("source", "").strip(),
        is_confirmed=bool(form.get("is_confirmed")),
    )
    try:
        change_rule(context().session, Body(body), new)
    except Refused as refused:
        undo()
        return _page(refused.errors, body, 422)
    flash(_("已保存。"), "success")
    return redirect(url_for("meeting_rules.show"))


def _page(errors: Mapping[str, str], body: str, code: int = 200) -> ResponseReturnValue:
    known = rules(context().session)
    page = render_template("admin/meetings.html", rules=known, bodies=BODIES, errors=say_all(errors), wrong=body, form=request.form)
    return page, code
