"""组织机构: the tree of units."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.work import context, undo
from governance.errors import Refused, SheetRejected
from governance.organisation.commands import NewUnit, add_unit, close_unit, import_units, rename_unit
from governance.organisation.models import Kind
from governance.organisation.queries import children, full_name, unit, units_like, upwards
from governance.organisation.rules import PARENTS
from governance.people.queries import roster
from governance.people.rules import POSTS
from governance.sheets import read_sheet
from web.access import for_posts
from web.language import gettext as _
from web.pages.admin import ADMINISTRATOR, Lines, sent_file

pages = Blueprint("units", __name__, url_prefix="/admin/units")


@pages.get("")
@for_posts(ADMINISTRATOR)
def show() -> ResponseReturnValue:
    return _page({}, {})


@pages.get("/like")
@for_posts(ADMINISTRATOR)
def like() -> ResponseReturnValue:
    """What a person may mean who has typed so much of the unit for a post."""
    post, session = POSTS.get(request.args.get("post", "")), context().session
    found = units_like(session, request.args.get("unit", "").strip(), post.unit) if post else []
    return render_template("admin/_units_like.html", units=[(u.code, full_name(upwards(session, u))) for u in found])


@pages.post("")
@for_posts(ADMINISTRATOR)
def add() -> ResponseReturnValue:
    given, form = context(), request.form
    try:
        kind = form.get("kind", "")
        if kind not in set(Kind):
            raise Refused({"unit": _("请选择类型")})
        new = NewUnit(Kind(kind), form.get("code", "").strip(), form.get("name", "").strip(), form.get("parent") or None)
        add_unit(given.session, new, given.new_id(), given.today)
    except Refused as refused:
        undo()
        return _page(refused.errors, form, 422)
    flash(_("已新增“%(name)s”。", name=new.name), "success")
    return redirect(url_for("units.show", above=form.get("above")))


@pages.post("/<id:unit_id>/rename")
@for_posts(ADMINISTRATOR)
def rename(unit_id: int) -> ResponseReturnValue:
    named = unit(context().session, unit_id)
    rename_unit(context().session, named, request.form.get("name", "").strip())
    flash(_("已改名为“%(name)s”。", name=named.name), "success")
    return redirect(url_for("units.show", above=named.parent_id))


@pages.post("/<id:unit_id>/close")
@for_posts(ADMINISTRATOR)
def close(unit_id: int) -> ResponseReturnValue:
    closed = unit(context().session, unit_id)
    close_unit(context().session, closed, context().today)
    flash(_("“%(name)s”已停用。", name=closed.name), "success")
    return redirect(url_for("units.show", above=closed.parent_id))


@pages.post("/import")
@for_posts(ADMINISTRATOR)
def bring() -> ResponseReturnValue:
    given = context()
    try:
        rows = read_sheet(sent_file(), ("类型", "编码", "名称", "上级编码"))
        added = import_units(given.session, rows, given.new_id, given.today)
    except SheetRejected as rejected:
        undo()
        return _page({}, {}, 422, rejected.problems)
    except Refused as refused:
        undo()
        return _page(refused.errors, {}, 422)
    flash(_("已导入 %(n)s 个单位。", n=added), "success")
    return redirect(url_for("units.show"))


def _page(errors: Mapping[str, str], form: Mapping[str, str], status: int = 200, lines: Lines = ()) -> ResponseReturnValue:
    given, chosen = context(), request.values.get("above", "")
    session = given.session
    above = unit(session, chosen) if chosen.isdecimal() else None
    page = render_template(
        "admin/units.html",
        above=above,
        chain=list(reversed(upwards(session, above))) if above else [],
        units=children(session, above.id if above else None),
        kinds=[kind for kind, parents in PARENTS.items() if (above.kind in parents if above else not parents)],
        holders=roster(session, given.today, unit_id=above.id) if above else [],
        labels={kind: kind.label for kind in Kind},
        errors=errors,
        lines=lines,
        form=form,
    )
    return page, status
