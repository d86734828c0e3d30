"""Signing in and out, the acting post, the language."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required, login_user, logout_user

from api.signin import User, actor
from api.work import context
from governance.identity.commands import AccountLocked, WrongCredentials, sign_in
from web.language import COOKIE, LANGUAGES
from web.sentences import say

pages = Blueprint("signin", __name__)
YEAR = 365 * 24 * 3600


@pages.get("/login")
def login() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(url_for("inbox.show"))
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
    return redirect(target if _is_ours(target) else url_for("inbox.show"))


@pages.post("/logout")
@login_required  # type: ignore[untyped-decorator]
def leave() -> ResponseReturnValue:
    logout_user()
    session.clear()
    flash("*", "draft-clear")
    return redirect(url_for("signin.login"))


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
