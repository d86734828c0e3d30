"""Turns named errors into sentences for people, once. Nothing of a refused request is kept."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from api.work import context, undo
from engine.database import FULL, trouble
from engine.errors import ClaimedByOther, EngineError, NoSuchInstance, NoSuchTask, TaskClosed
from governance.calendar.errors import CalendarError
from governance.errors import FileGone, GovernanceError, NoSpace, NotAllowed, NotFound
from governance.people.queries import names
from governance.voting.errors import UnknownCode
from web.format import moment
from web.language import gettext as _
from web.sentences import say

STATUS: dict[type[Exception], int] = {
    NotFound: 404,
    NoSuchTask: 404,
    NoSuchInstance: 404,
    NotAllowed: 403,
    NoSpace: 507,
    FileGone: 410,
    UnknownCode: 404,
}
WORDS = {
    400: lazy_gettext("请求有误，请返回重试。"),
    401: lazy_gettext("请先登录。"),
    403: lazy_gettext("您没有访问此页面的权限。"),
    404: lazy_gettext("页面不存在，或者您无权查看。"),
    405: lazy_gettext("请从页面上的按钮进行操作。"),
    413: lazy_gettext("提交的内容过大。"),
    429: lazy_gettext("操作过于频繁，请稍后再试。"),
    500: lazy_gettext("系统出现错误，已记录，请稍后再试。"),
}

WITHOUT_ACCOUNT = ("public", "deliberation", "ballots", "attendance")
"""Pages for people who do not sign in."""


def init_errors(app: Flask) -> None:
    """Registers the handlers."""
    app.register_error_handler(GovernanceError, refused)
    app.register_error_handler(EngineError, refused)
    app.register_error_handler(CalendarError, refused)
    app.register_error_handler(CSRFError, _expired)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _busy)


def sentence(error: Exception) -> str:
    """What a person reads of an error; who was faster is named."""
    if isinstance(error, TaskClosed) and error.by and error.at:
        who = names(context().session, {int(error.by)}).get(int(error.by), "") if error.by.isdecimal() else ""
        return _("该待办已由%(who)s于%(at)s办结。", who=who, at=moment(error.at))
    if isinstance(error, TaskClosed) and error.outcome == "cancelled":
        return _("该待办已不再需要办理：流程已转入其他环节。")
    if isinstance(error, ClaimedByOther) and error.by.isdecimal():
        return _("该待办已被%(who)s签收。", who=names(context().session, {int(error.by)}).get(int(error.by), ""))
    return say(str(error))


def _busy(error: OperationalError) -> ResponseReturnValue:
    """The database had no time or no space."""
    why = trouble(error)
    if why is None:
        raise error
    current_app.logger.error("the database is %s", why, exc_info=error)
    undo()
    if why == FULL:
        return say(str(NoSpace())), 507, {"Content-Type": "text/plain; charset=utf-8"}
    return _("系统繁忙，请稍后重试。"), 503, {"Retry-After": "1", "Content-Type": "text/plain; charset=utf-8"}


def refused(error: Exception) -> ResponseReturnValue:
    """A refusal, as a page by itself."""
    said, status = sentence(error), STATUS.get(type(error), 409)
    undo()
    return _tell(said, status, page_before() if request.method == "POST" else "", _("返回上一页"))


def _expired(_error: Exception) -> ResponseReturnValue:
    """The session or the page's token has run out: staff sign in again and find their draft, residents go back to theirs."""
    undo()
    before = page_before()
    if request.blueprint in WITHOUT_ACCOUNT or current_user.is_authenticated:
        return _tell(_("页面已过期，您填写的内容还在，请返回后重新提交。"), 400, before)
    flash(_("登录已过期，请重新登录，您填写的内容还在。"), "warning")
    return _to_sign_in(request.form.get("next") or before)


def _http(error: HTTPException) -> ResponseReturnValue:
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, OperationalError) and trouble(cause):
        return _busy(cause)
    if isinstance(cause, NoSpace):
        return refused(cause)
    undo()
    if error.code == 401:
        return _to_sign_in(request.full_path if request.method == "GET" and not _is_part() else page_before())
    if error.response is not None or (error.code or 500) < 400:
        return error
    code = error.code or 500
    page, status = _tell(str(WORDS.get(code, WORDS[400 if code < 500 else 500])), code)
    return page, status, {name: value for name, value in error.get_headers() if name == "Retry-After"}


def _tell(said: str, status: int, back: str = "", back_words: str = "") -> tuple[str, int]:
    return render_template("_error.html" if _is_part() else "error.html", sentence=said, back=back, back_words=back_words), status


def _to_sign_in(target: str) -> ResponseReturnValue:
    address = url_for("signin.login", next=target or None)
    return ("", 401, {"HX-Redirect": address}) if _is_part() else redirect(address)


def _is_part() -> bool:
    """Whether htmx asks for a part of a page."""
    return "HX-Request" in request.headers


def page_before() -> str:
    """The page of ours that sent this request."""
    before = urlsplit(request.referrer or "")
    return f"{before.path}?{before.query}".rstrip("?") if before.netloc == request.host else ""
