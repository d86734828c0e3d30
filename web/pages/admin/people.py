"""人员任职: who there is, which posts they hold, and their way in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.signin import actor
from api.work import context, undo
from governance.errors import NotFound, Refused, SheetRejected
from governance.identity.commands import disable, enable, open_account, set_password
from governance.identity.queries import account_of, accounts
from governance.inbox.queries import waiting_for
from governance.organisation.queries import names, unit_meant
from governance.people.commands import add_person, appoint, change_person, end_appointment, import_appointments
from governance.people.queries import all_appointments_of, appointment, namesakes, person, roster, vacancies
from governance.people.rules import POSTS
from governance.sheets import read_sheet
from web.access import for_posts
from web.language import gettext as _
from web.pages.admin import ADMINISTRATOR, Lines, sent_file
from web.sentences import say

pages = Blueprint("people", __name__, url_prefix="/admin/people")


@pages.get("")
@for_posts(ADMINISTRATOR)
def show() -> ResponseReturnValue:
    return _list({}, {})


@pages.post("")
@for_posts(ADMINISTRATOR)
def add() -> ResponseReturnValue:
    given, form = context(), request.form
    try:
        added = add_person(given.session, given.new_id(), form.get("name", "").strip(), form.get("mobile", "").strip())
    except Refused as refused:
        undo()
        return _list(refused.errors, form, 422)
    flash(_("已新增“%(name)s”，请接着任命岗位、开通账号。", name=added.name), "success")
    return redirect(url_for("people.one", person_id=added.id))


@pages.post("/import")
@for_posts(ADMINISTRATOR)
def bring() -> ResponseReturnValue:
    given = context()
    try:
        rows = read_sheet(sent_file(), ("姓名", "岗位", "单位编码"))
        added = import_appointments(given.session, rows, given.new_id, given.today)
    except SheetRejected as rejected:
        undo()
        return _list({}, {}, 422, rejected.problems)
    except Refused as refused:
        undo()
        return _list(refused.errors, {}, 422)
    flash(_("已导入 %(n)s 项任职。", n=added), "success")
    return redirect(url_for("people.show"))


@pages.get("/vacancies")
@for_posts(ADMINISTRATOR)
def vacant() -> ResponseReturnValue:
    given = context()
    found = vacancies(given.session, given.today)
    return render_template("admin/vacancies.html", vacancies=found, places=names(given.session, {unit.id for unit, _post in found}))


@pages.get("/accounts")
@for_posts(ADMINISTRATOR)
def users() -> ResponseReturnValue:
    q = request.args.get("q", "").strip()
    return render_template("admin/accounts.html", accounts=accounts(context().session, q), q=q, now=context().now())


@pages.get("/<id:person_id>")
@for_posts(ADMINISTRATOR)
def one(person_id: int) -> ResponseReturnValue:
    return _one(person_id, {}, {})


@pages.post("/<id:person_id>")
@for_posts(ADMINISTRATOR)
def change(person_id: int) -> ResponseReturnValue:
    session, form = context().session, request.form
    try:
        change_person(session, person(session, person_id), form.get("name", "").strip(), form.get("mobile", "").strip())
    except Refused as refused:
        undo()
        return _one(person_id, refused.errors, form, 422)
    flash(_("已保存。"), "success")
    return redirect(url_for("people.one", person_id=person_id))


@pages.post("/<id:person_id>/appointments")
@for_posts(ADMINISTRATOR)
def give_post(person_id: int) -> ResponseReturnValue:
    given, form = context(), request.form
    who = person(given.session, person_id)
    try:
        post = POSTS.get(form.get("post", ""))
        if post is None:
            raise Refused({"post": _("请选择岗位")})
        where = unit_meant(given.session, form.get("unit", "").strip(), post.unit)
        first, last = _day("from_date", _("就任日期")) or given.today, _day("to_date", _("截止日期"))
        appoint(given.session, given.new_id(), who, post.code, where, first, last, deputy=bool(form.get("deputy")))
    except Refused as refused:
        undo()
        return _one(person_id, refused.errors, form, 422)
    flash(_("已任命%(name)s。", name=f"{who.name} {say(where.name + post.name)}"), "success")
    return redirect(url_for("people.one", person_id=person_id))


@pages.post("/appointments/<id:appointment_id>/end")
@for_posts(ADMINISTRATOR)
def end(appointment_id: int) -> ResponseReturnValue:
    given = context()
    ended = appointment(given.session, appointment_id)
    try:
        end_appointment(given.session, ended, _day("last_day", _("截止日期")) or given.today)
    except Refused as refused:
        undo()
        return _one(ended.person_id, refused.errors, {}, 422)
    flash(_("任期到 %(day)s 为止，此后不再收到新的待办。", day=str(ended.to_date)), "success")
    if left := waiting_for(given, ended):
        flash(_("这个岗位还有 %(n)s 件待办，请尽快任命接任的人。", n=left), "warning")
    return redirect(url_for("people.one", person_id=ended.person_id))


@pages.post("/<id:person_id>/account")
@for_posts(ADMINISTRATOR)
def let_in(person_id: int) -> ResponseReturnValue:
    given, form = context(), request.form
    try:
        who = person(given.session, person_id)
        open_account(given.session, given.new_id(), who, form.get("username", "").strip(), form.get("password", ""))
    except Refused as refused:
        undo()
        return _one(person_id, refused.errors, form, 422)
    flash(_("账号已开通。"), "success")
    return redirect(url_for("people.one", person_id=person_id))


@pages.post("/<id:person_id>/account/<any(disable,enable,password):action>")
@for_posts(ADMINISTRATOR)
def change_account(person_id: int, action: str) -> ResponseReturnValue:
    session = context().session
    found = account_of(session, person_id)
    if found is None:
        raise NotFound
    try:
        if action == "disable" and person_id == actor().person_id:
            raise Refused({"account": _("不能停用自己的账号")})
        if action == "disable":
            disable(session, found)
        elif action == "enable":
            enable(session, found)
        else:
            set_password(session, found, request.form.get("password", ""))
    except Refused as refused:
        undo()
        return _one(person_id, refused.errors, {}, 422)
    flash(_("账号“%(name)s”已更新。", name=found.username), "success")
    return redirect(url_for("people.one", person_id=person_id))


def _day(name: str, label: str) -> date | None:
    text = request.form.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Refused({name: _("%(field)s填写不正确", field=label)}) from error


def _list(errors: Mapping[str, str], form: Mapping[str, str], status: int = 200, lines: Lines = ()) -> ResponseReturnValue:
    given, q = context(), request.args.get("q", "").strip()
    found = roster(given.session, given.today, q)
    places = names(given.session, {a.unit_id for a in found})
    return render_template("admin/people.html", roster=found, places=places, q=q, errors=errors, form=form, lines=lines), status


def _one(person_id: int, errors: Mapping[str, str], form: Mapping[str, str], status: int = 200, lines: Lines = ()) -> ResponseReturnValue:
    given = context()
    who = person(given.session, person_id)
    page = render_template(
        "admin/person.html",
        who=who,
        namesakes=namesakes(given.session, who),
        appointments=all_appointments_of(given.session, person_id),
        account=account_of(given.session, person_id),
        today=given.today,
        now=given.now(),
        errors=errors,
        form=form,
    )
    return page, status
