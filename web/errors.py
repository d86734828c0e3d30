"""Turns named errors into sentences for people, once. Nothing of a refused request is kept."""

from __future__ import annotations

from flask import Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from api.work import context, undo
from engine.errors import ClaimedByOther, EngineError, NoSuchInstance, NoSuchTask, TaskClosed
from governance.calendar.errors import CalendarError
from governance.errors import GovernanceError, NotAllowed, NotFound
from governance.people.queries import names
from web.format import moment
from web.language import gettext as _

STATUS: dict[type[Exception], int] = {NotFound: 404, NoSuchTask: 404, NoSuchInstance: 404, NotAllowed: 403}
WORDS = {
    400: "请求有误，请返回重试。",
    401: "请先登录。",
    403: "您没有访问此页面的权限。",
    404: "页面不存在，或者您无权查看。",
    405: "请从页面上的按钮进行操作。",
    413: "提交的内容过大。",
    429: "操作过于频繁，请稍后再试。",
    500: "系统出现错误，已记录，请稍后再试。",
}


def init_errors(app: Flask) -> None:
    """Registers the handlers."""
    app.register_error_handler(GovernanceError, _refused)
    app.register_error_handler(EngineError, _refused)
    app.register_error_handler(CalendarError, _refused)
    app.register_error_handler(CSRFError, _expired)
    app.register_error_handler(HTTPException, _http)


def sentence(error: Exception) -> str:
    """What a person reads of an error; who was faster is named."""
    if isinstance(error, TaskClosed) and error.by and error.at:
        who = names(context().session, {int(error.by)}).get(int(error.by), "") if error.by.isdecimal() else ""
        return _("该待办已由%(who)s于%(at)s办结。", who=who, at=moment(error.at))
    if isinstance(error, TaskClosed) and error.outcome == "cancelled":
        return _("该待办已不再需要办理：流程已转入其他环节。")
    if isinstance(error, ClaimedByOther) and error.by.isdecimal():
        return _("该待办已被%(who)s签收。", who=names(context().session, {int(error.by)}).get(int(error.by), ""))
    return str(error)


def _refused(error: Exception) -> ResponseReturnValue:
    said, status = sentence(error), STATUS.get(type(error), 409)
    undo()
    return render_template("error.html", sentence=said), status


def _expired(_error: Exception) -> ResponseReturnValue:
    undo()
    return render_template("error.html", sentence=_("页面已过期，您填写的内容已保留在本机，请刷新页面后重新提交。")), 400


def _http(error: HTTPException) -> ResponseReturnValue:
    undo()
    if error.code == 401 and request.method == "GET":
        return redirect(url_for("signin.login", next=request.full_path))
    if error.response is not None or (error.code or 500) < 400:
        return error
    code = error.code or 500
    return render_template("error.html", sentence=WORDS.get(code, WORDS[400 if code < 500 else 500])), code
