"""Signing in and out, the acting post, the language."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required, login_user, logout_user

from api.signin import User, actor
from api.work import context, undo
from governance.errors import Refused
from governance.identity.commands import AccountLocked, WrongCredentials, change_password, sign_in
from web.access import begin
from web.language import COOKIE, LANGUAGES
from web.language import gettext as _
from web.sentences import say

pages = Blueprint("signin", __name__)
YEAR = 365 * 24 * 3600


@pages.get("/login")
def login() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(begin())
    return render_template("login.html", next=request.args.get("next", ""))


@pages.post("/login")
def enter() -> ResponseReturnValue:
    given = context()
    username, target = request.form.get("username", "").strip(), request.form.get("next", "")
    try:
        account = sign_in(given.session, username, request.form.get("password", ""), given.now())
    except (WrongCredentials, AccountLocked) as error:
        return render_template("login.html", next=target, username=username, error=say(str(error))), 422
    session.clear()
    session.permanent = True
    login_user(User(account))
    return redirect(target if _is_ours(target) else begin())


@pages.post("/logout")
@login_required  # type: ignore[untyped-decorator]
def leave() -> ResponseReturnValue:
    logout_user()
    session.clear()
    flash("*", "draft-clear")
    return redirect(url_for("signin.login"))


@pages.get("/password")
@login_required  # type: ignore[untyped-decorator]
def password() -> ResponseReturnValue:
    return render_template("password.html", errors={})


@pages.post("/password")
@login_required  # type: ignore[untyped-decorator]
def renew_password() -> ResponseReturnValue:
    account, form = current_user.account, request.form
    try:
        if form.get("password", "") != form.get("again", ""):
            raise Refused({"again": _("两次输入的新密码不一致")})
        change_password(context().session, account, form.get("old", ""), form.get("password", ""))
    except Refused as refused:
        undo()
        return render_template("password.html", errors=refused.errors), 422
    acting = session.get("acting")
    session.clear()
    session.permanent = True
    login_user(User(account))
    session["acting"] = acting
    flash(_("密码已修改，其他设备上的登录已失效。"), "success")
    return redirect(url_for("inbox.show"))


@pages.post("/act-as")
@login_required  # type: ignore[untyped-decorator]
def act_as() -> ResponseReturnValue:
    chosen = request.form.get("appointment", "")
    if any(str(a.id) == chosen for a in actor().appointments):
        session["acting"] = int(chosen)
    return redirect(url_for("inbox.show"))


@pages.post("/language")
def language() -> ResponseReturnValue:
    chosen, target = request.form.get("language", ""), request.form.get("next", "")
    response = make_response(redirect(target if _is_ours(target) else url_for("public.home")))
    if chosen in LANGUAGES:
        response.set_cookie(COOKIE, chosen, max_age=YEAR, httponly=True, samesite="Lax", secure=request.is_secure)
    return response


def _is_ours(target: str) -> bool:
    parts = urlsplit(target)
    return (
        target.isprintable() and target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    )
