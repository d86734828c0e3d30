"""What administrators see: organisation, people, calendar, accounts, process versions, incidents."""

from __future__ import annotations

import calendar as months
import json
from datetime import date

from babel.dates import get_day_names, get_month_names
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from sqlalchemy import select

from api.signin import actor
from api.work import context, undo
from engine.packages import DIAGRAM
from engine.versions import package_of, versions
from governance.calendar.commands import import_days, seed_year, set_day
from governance.calendar.errors import CalendarError
from governance.calendar.models import CalendarDay, DayKind
from governance.calendar.queries import missing_next_year, working_calendar
from governance.errors import GovernanceError, Refused
from governance.identity.commands import disable, enable, open_account, set_password
from governance.identity.queries import account, accounts
from governance.organisation.commands import NewUnit, add_unit, close_unit, import_units, rename_unit
from governance.organisation.models import Kind, Unit
from governance.organisation.queries import children, unit, upwards
from governance.organisation.rules import PARENTS
from governance.people.commands import add_person, appoint, end_appointment, import_appointments
from governance.people.models import Person
from governance.people.queries import appointment, person, roster
from governance.people.rules import POSTS
from governance.sheets import read_sheet
from governance.workflow.queries import open_incidents
from governance.workflow.world import instances
from web.access import for_posts
from web.language import gettext as _
from web.sentences import say

pages = Blueprint("admin", __name__, url_prefix="/admin")
ADMINISTRATOR, DESIGNER = "system_administrator", "process_designer"


@pages.get("")
@for_posts(ADMINISTRATOR, DESIGNER)
def home() -> ResponseReturnValue:
    given = context()
    return render_template(
        "admin/home.html", incidents=len(open_incidents(given)), missing_year=missing_next_year(given.session, given.today)
    )


# ---- organisation ------------------------------------------------------------------------------------------------


@pages.get("/units")
@for_posts(ADMINISTRATOR)
def units() -> ResponseReturnValue:
    return _units({}, {})


@pages.post("/units")
@for_posts(ADMINISTRATOR)
def create_unit() -> ResponseReturnValue:
    given, form = context(), request.form
    try:
        kind = form.get("kind", "")
        if kind not in set(Kind):
            raise Refused({"unit": _("请选择类型")})
        new = NewUnit(Kind(kind), form.get("code", "").strip(), form.get("name", "").strip(), form.get("parent") or None)
        add_unit(given.session, new, given.new_id(), given.today)
    except Refused as refused:
        undo()
        return _units(refused.errors, form, 422)
    flash(_("已新增“%(name)s”。", name=new.name), "success")
    return redirect(url_for("admin.units", above=form.get("above")))


@pages.post("/units/<id:unit_id>/rename")
@for_posts(ADMINISTRATOR)
def rename(unit_id: int) -> ResponseReturnValue:
    named = unit(context().session, unit_id)
    rename_unit(context().session, named, request.form.get("name", "").strip())
    return redirect(url_for("admin.units", above=named.parent_id))


@pages.post("/units/<id:unit_id>/close")
@for_posts(ADMINISTRATOR)
def close(unit_id: int) -> ResponseReturnValue:
    closed = unit(context().session, unit_id)
    close_unit(context().session, closed, context().today)
    flash(_("“%(name)s”已停用。", name=closed.name), "success")
    return redirect(url_for("admin.units", above=closed.parent_id))


@pages.post("/units/import")
@for_posts(ADMINISTRATOR)
def bring_units() -> ResponseReturnValue:
    given = context()
    try:
        rows = read_sheet(_upload(), ("类型", "编码", "名称", "上级编码"))
        added = import_units(given.session, rows, given.new_id, given.today)
    except GovernanceError as refused:
        said = say(str(refused))
        undo()
        return _units({"import": said}, {}, 422)
    flash(_("已导入 %(n)s 个单位。", n=added), "success")
    return redirect(url_for("admin.units"))


def _units(errors: dict[str, str], form: dict[str, str], status: int = 200) -> ResponseReturnValue:
    session = context().session
    chosen = request.values.get("above", "")
    above = unit(session, chosen) if chosen.isdecimal() else None
    kinds = [kind for kind, parents in PARENTS.items() if (above.kind in parents if above else not parents)]
    chain = list(reversed(upwards(session, above))) if above else []
    page = render_template(
        "admin/units.html",
        above=above,
        chain=chain,
        units=children(session, above.id if above else None),
        kinds=kinds,
        labels={kind: kind.label for kind in Kind},
        errors=errors,
        form=form,
    )
    return page, status


# ---- people ------------------------------------------------------------------------------------------------------


@pages.get("/people")
@for_posts(ADMINISTRATOR)
def people() -> ResponseReturnValue:
    return _people({}, {})


@pages.post("/people")
@for_posts(ADMINISTRATOR)
def appoint_somebody() -> ResponseReturnValue:
    given, form = context(), request.form
    try:
        where = given.session.scalar(select(Unit).where(Unit.code == form.get("unit_code", "").strip()))
        if where is None:
            raise Refused({"unit_code": _("没有这个单位编码")})
        known = form.get("person_id", "")
        who = person(given.session, int(known)) if known.isdecimal() else _new_person(form.get("name", ""), form.get("mobile", ""))
        appoint(given.session, given.new_id(), who, form.get("post", ""), where, given.today, deputy=bool(form.get("deputy")))
    except Refused as refused:
        undo()
        return _people(refused.errors, form, 422)
    flash(_("已任命%(name)s。", name=who.name), "success")
    return redirect(url_for("admin.people"))


@pages.post("/appointments/<id:appointment_id>/end")
@for_posts(ADMINISTRATOR)
def end(appointment_id: int) -> ResponseReturnValue:
    given = context()
    end_appointment(given.session, appointment(given.session, appointment_id), given.today)
    flash(_("任期今日截止，明天起不再收到新的待办。"), "success")
    return redirect(url_for("admin.people"))


@pages.post("/people/import")
@for_posts(ADMINISTRATOR)
def bring_people() -> ResponseReturnValue:
    given = context()
    try:
        rows = read_sheet(_upload(), ("姓名", "岗位", "单位编码"))
        added = import_appointments(given.session, rows, given.new_id, given.today)
    except GovernanceError as refused:
        said = say(str(refused))
        undo()
        return _people({"import": said}, {}, 422)
    flash(_("已导入 %(n)s 项任职。", n=added), "success")
    return redirect(url_for("admin.people"))


def _new_person(name: str, mobile: str) -> Person:
    return add_person(context().session, context().new_id(), name.strip(), mobile.strip())


def _people(errors: dict[str, str], form: dict[str, str], status: int = 200) -> ResponseReturnValue:
    given, q = context(), request.args.get("q", "").strip()
    return render_template("admin/people.html", roster=roster(given.session, given.today, q), q=q, errors=errors, form=form), status


# ---- calendar ----------------------------------------------------------------------------------------------------


@pages.get("/calendar")
@for_posts(ADMINISTRATOR)
def calendar() -> ResponseReturnValue:
    given = context()
    asked = request.args.get("year", "")
    year = int(asked) if asked.isdecimal() and 2000 <= int(asked) <= 2100 else given.today.year
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


@pages.post("/calendar/day")
@for_posts(ADMINISTRATOR)
def change_day() -> ResponseReturnValue:
    form = request.form
    try:
        day, kind = date.fromisoformat(form.get("date", "")), DayKind(form.get("kind", ""))
    except ValueError as error:
        raise Refused({"date": _("请填写日期，并选择工作日或休息日")}) from error
    set_day(context().session, day, kind, form.get("note", "").strip()[:200], by=actor().name)
    return redirect(url_for("admin.calendar", year=day.year))


@pages.post("/calendar/seed")
@for_posts(ADMINISTRATOR)
def seed() -> ResponseReturnValue:
    asked = request.form.get("year", "")
    try:
        seed_year(context().session, int(asked) if asked.isdecimal() else 0)
    except CalendarError as refused:
        said = say(str(refused))
        undo()
        flash(said, "warning")
        return redirect(url_for("admin.calendar", year=asked))
    flash(_("已载入 %(year)s 年节假日安排。", year=asked), "success")
    return redirect(url_for("admin.calendar", year=asked))


@pages.post("/calendar/import")
@for_posts(ADMINISTRATOR)
def bring_days() -> ResponseReturnValue:
    count = import_days(context().session, _upload(), by=actor().name)
    flash(_("已导入 %(n)s 天。", n=count), "success")
    return redirect(url_for("admin.calendar"))


# ---- accounts ----------------------------------------------------------------------------------------------------


@pages.get("/accounts")
@for_posts(ADMINISTRATOR)
def users() -> ResponseReturnValue:
    return _users({}, {})


@pages.post("/accounts")
@for_posts(ADMINISTRATOR)
def create_account() -> ResponseReturnValue:
    given, form = context(), request.form
    try:
        who = given.session.scalar(select(Person).where(Person.name == form.get("name", "").strip()))
        if who is None:
            raise Refused({"name": _("没有这个人，请先在人员任职中添加")})
        open_account(given.session, given.new_id(), who, form.get("username", "").strip(), form.get("password", ""))
    except Refused as refused:
        undo()
        return _users(refused.errors, form, 422)
    flash(_("账号已开通。"), "success")
    return redirect(url_for("admin.users"))


@pages.post("/accounts/<id:account_id>/<action>")
@for_posts(ADMINISTRATOR)
def change_account(account_id: int, action: str) -> ResponseReturnValue:
    session = context().session
    found = account(session, account_id)
    if action == "disable" and found.person_id != actor().person_id:
        disable(session, found)
    elif action == "enable":
        enable(session, found)
    elif action == "password":
        set_password(session, found, request.form.get("password", ""))
    flash(_("账号“%(name)s”已更新。", name=found.username), "success")
    return redirect(url_for("admin.users"))


def _users(errors: dict[str, str], form: dict[str, str], status: int = 200) -> ResponseReturnValue:
    q = request.args.get("q", "").strip()
    return render_template(
        "admin/accounts.html", accounts=accounts(context().session, q), q=q, errors=errors, form=form, now=context().now()
    ), status


# ---- processes and incidents -------------------------------------------------------------------------------------


@pages.get("/processes")
@for_posts(ADMINISTRATOR, DESIGNER)
def processes() -> ResponseReturnValue:
    return render_template("admin/processes.html", versions=versions(context().session.connection()))


@pages.get("/processes/<id:version_id>")
@for_posts(ADMINISTRATOR, DESIGNER)
def process(version_id: int) -> ResponseReturnValue:
    connection = context().session.connection()
    package = package_of(connection, version_id)
    version = next(v for v in versions(connection) if v.id == version_id)
    return render_template("admin/process.html", version=version, forms=package.forms, tables=package.tables)


@pages.get("/processes/<id:version_id>/diagram.bpmn")
@for_posts(ADMINISTRATOR, DESIGNER)
def process_diagram(version_id: int) -> ResponseReturnValue:
    return Response(package_of(context().session.connection(), version_id).files[DIAGRAM], mimetype="application/xml")


@pages.get("/incidents")
@for_posts(ADMINISTRATOR)
def incidents() -> ResponseReturnValue:
    return render_template("admin/incidents.html", incidents=open_incidents(context()))


@pages.post("/incidents/<id:incident_id>/retry")
@for_posts(ADMINISTRATOR)
def retry(incident_id: int) -> ResponseReturnValue:
    text = request.form.get("correction", "").strip()
    try:
        correction = json.loads(text) if text else {}
    except (ValueError, RecursionError) as error:
        raise Refused({"correction": _('更正的数据应为 JSON 对象，例如 {"tier": 2}')}) from error
    if not isinstance(correction, dict):
        raise Refused({"correction": _('更正的数据应为 JSON 对象，例如 {"tier": 2}')})
    advance = instances(context()).retry(incident_id, actor().record(), correction)
    if advance.stopped:
        flash(_("仍然无法继续：%(why)s", why=say(advance.stopped.message)), "warning")
    else:
        flash(_("已重试成功，流程继续。"), "success")
    return redirect(url_for("admin.incidents"))


@pages.app_context_processor
def _posts() -> dict[str, object]:
    return {"posts": POSTS, "actor_now": actor}


def _upload() -> bytes:
    file = request.files.get("file")
    content = file.read() if file else b""
    if not content:
        raise Refused({"file": _("请选择要导入的文件")})
    return content
