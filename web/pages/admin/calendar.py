"""工作日历: which days are worked."""

from __future__ import annotations

import calendar as months
from datetime import date

from babel.dates import get_day_names, get_month_names
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from sqlalchemy import select

from api.signin import actor
from api.work import context, undo
from governance.calendar.commands import import_days, seed_year, set_day
from governance.calendar.errors import CalendarError
from governance.calendar.models import CalendarDay, DayKind
from governance.calendar.queries import working_calendar
from governance.errors import Refused
from web.access import for_posts
from web.language import gettext as _
from web.pages.admin import ADMINISTRATOR, sent_file
from web.sentences import say

pages = Blueprint("calendar", __name__, url_prefix="/admin/calendar")


@pages.get("")
@for_posts(ADMINISTRATOR)
def show() -> ResponseReturnValue:
    given = context()
    asked = request.args.get("year", "")
    year = int(asked) if asked.isdecimal() and len(asked) == 4 and 2000 <= int(asked) <= 2100 else given.today.year
    working = working_calendar(given.session)
    notes = {
        d.date: d for d in given.session.scalars(select(CalendarDay).where(CalendarDay.date.between(date(year, 1, 1), date(year, 12, 31))))
    }
    grid = [(month, months.Calendar().monthdatescalendar(year, month)) for month in range(1, 13)]
    undecided, days = working.undecided(date(year, 7, 1)), get_day_names("abbreviated", locale=get_locale())
    return render_template(
        "admin/calendar.html",
        year=year,
        grid=grid,
        working=working,
        notes=notes,
        undecided=undecided,
        today=given.today,
        months=get_month_names("abbreviated", locale=get_locale()),
        weekdays=[days[i] for i in range(7)],
    )


@pages.post("/day")
@for_posts(ADMINISTRATOR)
def change_day() -> ResponseReturnValue:
    form = request.form
    try:
        day, kind = date.fromisoformat(form.get("date", "")), DayKind(form.get("kind", ""))
    except ValueError as error:
        raise Refused({"date": _("请填写日期，并选择工作日或休息日")}) from error
    set_day(context().session, day, kind, form.get("note", "").strip()[:200], by=actor().name)
    named = _("工作日") if kind is DayKind.WORK else _("休息日")
    flash(_("已将 %(day)s 设为%(kind)s。在办事项的期限随后重新计算，记入各自的流转轨迹。", day=str(day), kind=named), "success")
    return redirect(url_for("calendar.show", year=day.year))


@pages.post("/seed")
@for_posts(ADMINISTRATOR)
def seed() -> ResponseReturnValue:
    asked = request.form.get("year", "")
    try:
        seed_year(context().session, int(asked) if asked.isdecimal() and len(asked) == 4 else 0)
    except CalendarError as refused:
        said = say(str(refused))
        undo()
        flash(said, "warning")
        return redirect(url_for("calendar.show", year=asked))
    flash(_("已载入 %(year)s 年节假日安排。", year=asked), "success")
    return redirect(url_for("calendar.show", year=asked))


@pages.post("/import")
@for_posts(ADMINISTRATOR)
def bring() -> ResponseReturnValue:
    count = import_days(context().session, sent_file(), by=actor().name)
    flash(_("已导入 %(n)s 天。在办事项的期限随后重新计算。", n=count), "success")
    return redirect(url_for("calendar.show"))
