"""名册: who may vote in a unit, kept by those who answer for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.signin import actor
from api.work import context, undo
from governance.errors import Refused, SheetRejected
from governance.organisation.models import Kind
from governance.organisation.queries import names, unit_meant
from governance.rolls.commands import end_book, import_members, open_book
from governance.rolls.queries import ADMINISTRATOR, KEEPERS, PAGE, book, books, members
from governance.rolls.rules import RollKind
from web.access import for_posts
from web.language import gettext as _
from web.pages.admin import Lines, sent_file

pages = Blueprint("rolls", __name__, url_prefix="/rolls")
MAY_KEEP = (ADMINISTRATOR, *KEEPERS)
PLACES = (Kind.ESTATE, Kind.COMMUNITY, Kind.GRID, Kind.SUBDISTRICT, Kind.DISTRICT)


@pages.get("")
@for_posts(*MAY_KEEP)
def index() -> ResponseReturnValue:
    return _index({}, {})


@pages.post("")
@for_posts(*MAY_KEEP)
def create() -> ResponseReturnValue:
    given, form = context(), request.form
    try:
        place = form.get("place_kind", "")
        if place not in PLACES:
            raise Refused({"unit": _("请选择单位级别")})
        unit = unit_meant(given.session, form.get("unit", "").strip(), Kind(place))
        opened = open_book(given, actor(), unit, form.get("kind", ""), form.get("name", "").strip(), _day("valid_from"), _day("valid_to"))
    except Refused as refused:
        undo()
        return _index(refused.errors, form, 422)
    flash(_("名册已建立，请接着导入人员。"), "success")
    return redirect(url_for("rolls.show", book_id=opened.id))


@pages.get("/<id:book_id>")
@for_posts(*MAY_KEEP)
def show(book_id: int) -> ResponseReturnValue:
    return _one(book_id, {})


@pages.post("/<id:book_id>/import")
@for_posts(*MAY_KEEP)
def bring(book_id: int) -> ResponseReturnValue:
    kept = book(context().session, book_id, actor())
    try:
        count = import_members(context(), actor(), kept, sent_file())
    except SheetRejected as rejected:
        undo()
        return _one(book_id, {}, 422, rejected.problems)
    except Refused as refused:
        undo()
        return _one(book_id, refused.errors, 422)
    flash(_("已导入 %(n)s 人，名册原有的人员已被替换。", n=count), "success")
    return redirect(url_for("rolls.show", book_id=book_id))


@pages.post("/<id:book_id>/end")
@for_posts(*MAY_KEEP)
def end(book_id: int) -> ResponseReturnValue:
    kept = book(context().session, book_id, actor())
    try:
        end_book(context(), kept, _day("valid_to") or context().today)
    except Refused as refused:
        undo()
        return _one(book_id, refused.errors, 422)
    flash(_("名册的有效期已保存。"), "success")
    return redirect(url_for("rolls.show", book_id=book_id))


def _day(name: str) -> date | None:
    text = request.form.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Refused({name: _("%(field)s填写不正确", field=_("有效期"))}) from error


def _index(errors: Mapping[str, str], form: Mapping[str, str], status: int = 200) -> ResponseReturnValue:
    found = books(context().session, actor())
    lists = {"kinds": RollKind, "place_kinds": PLACES, "today": context().today}
    page = render_template(
        "rolls.html", books=found, places=names(context().session, {b.unit_id for b in found}), errors=errors, form=form, **lists
    )
    return page, status


def _one(book_id: int, errors: Mapping[str, str], status: int = 200, lines: Lines = ()) -> ResponseReturnValue:
    kept, asked = book(context().session, book_id, actor()), request.args.get("after", "")
    after = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 8 else 0
    found = members(context(), kept, after)
    more = found[-1].number if len(found) == PAGE else None
    page = render_template(
        "roll.html", book=kept, kind=RollKind(kept.kind), members=found, more=more, errors=errors, lines=lines, today=context().today
    )
    return page, status
