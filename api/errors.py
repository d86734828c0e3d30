"""Turns named errors into problems (RFC 9457), once. Nothing of a refused request is kept, save a failed sign-in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, jsonify, request
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.exceptions import NotFound as NoRoute

from api.work import context, undo
from engine import errors as engine
from engine.anchor import AnchorDiffers
from engine.database import FULL, trouble
from engine.decisions import TableRejected
from governance import errors as governance
from governance.calendar import errors as calendar
from governance.calendar.rules import SHANGHAI
from governance.deliberation.commands import AlreadyGiven, NotOpen
from governance.identity.commands import LOCKED_FOR, AccountLocked, WrongCredentials
from governance.meetings import errors as meetings
from governance.people.queries import names
from governance.starting import errors as starting
from governance.studio import errors as studio
from governance.voting import errors as voting
from governance.workflow.commands import Escalated
from governance.workflow.interventions import NoContact, TooLate
from governance.workflow.unattended import StillAttended
from governance.workflow.urging import UrgedAlready

PREFIX = "/api"
STATUS: Mapping[type[Exception], int] = {
    governance.GovernanceError: 409,
    governance.NotFound: 404,
    governance.NotAllowed: 403,
    governance.NoSpace: 507,
    governance.FileGone: 410,
    governance.Refused: 422,
    governance.SheetRejected: 422,
    WrongCredentials: 401,
    AccountLocked: 429,
    voting.UnknownCode: 404,
    **dict.fromkeys(
        (voting.VoteNotBegun, voting.VoteEnded, voting.VoteClosed, voting.VoteVoid, voting.VoteStillOpen, voting.AlreadyVoted), 409
    ),
    **dict.fromkeys((voting.NotOnRoll, voting.GivenToProxy, voting.PaperIsSecret, voting.BallotsUnreadable, voting.CountDiffers), 409),
    **dict.fromkeys((meetings.NotNow, meetings.AgendaFrozen, meetings.NoExtraItems, meetings.NoQuorum, meetings.DoorsClosed), 409),
    **dict.fromkeys(
        (meetings.MeetingOver, meetings.AlreadySignedIn, meetings.OldMinutes, meetings.AlreadySigned, meetings.NotPresent), 409
    ),
    meetings.WrongCode: 422,
    meetings.CodeLocked: 429,
    **dict.fromkeys((AlreadyGiven, NotOpen), 409),
    **dict.fromkeys((studio.DraftChanged, studio.DraftHeld, studio.DraftClosed, studio.NothingChanged, studio.BehindPublished), 409),
    **dict.fromkeys((studio.OtherThanAgreed, studio.AlreadyUnderWay, studio.ScenarioFailed, studio.NeverRetired), 409),
    starting.NoLongerStarted: 409,
    **dict.fromkeys((studio.NothingChosen, studio.RunOver, studio.StillRunning, studio.RetiredMeanwhile, studio.InstanceFailed), 409),
    TooLate: 409,
    Escalated: 409,
    StillAttended: 409,
    UrgedAlready: 409,
    NoContact: 409,
    engine.EngineError: 409,
    engine.NoSuchTask: 404,
    engine.NoSuchInstance: 404,
    engine.NoSuchVersion: 404,
    engine.NoSuchCommand: 404,
    engine.NoIncident: 404,
    engine.SeveralTasksOpen: 409,
    engine.NothingWaits: 409,
    engine.InstanceAtRest: 409,
    engine.TaskClosed: 409,
    engine.ClaimedByOther: 409,
    engine.StaleRevision: 412,
    engine.StepFailed: 422,
    engine.DataRefused: 422,
    engine.Unreadable: 422,
    engine.VersionRefused: 422,
    engine.Erased: 410,
    engine.Diverged: 409,
    engine.PlanRefused: 422,
    engine.Unanswered: 409,
    engine.WrongVersion: 409,
    engine.NothingToUndo: 409,
    engine.NothingToWithdraw: 409,
    engine.TakenBack: 409,
    TableRejected: 422,
    AnchorDiffers: 409,
    calendar.CalendarError: 409,
    calendar.NaiveMoment: 422,
    calendar.AmountOutOfRange: 422,
    calendar.ShiftsRejected: 422,
    calendar.PeriodRejected: 422,
    calendar.YearNotPublished: 409,
}
COUNTED = (WrongCredentials, AccountLocked)
"""Failures that are kept: a wrong password counts."""
WORDS = {
    400: "请求有误：不是有效的 JSON。",
    401: "请先取得访问令牌，并在 Authorization 中以 Bearer 方式提交；令牌 12 小时后失效。",
    403: "您的岗位没有使用此接口的权限。",
    404: "没有这个接口。",
    405: "该接口不支持这种请求方法。",
    413: "提交的内容过大。",
    415: "请以 application/json 提交。",
    422: "提交的内容有误。",
    428: "请在 If-Match 中写明您所见的版次。",
    429: "操作过于频繁，请稍后再试。",
    500: "系统出现错误，已记录，请稍后再试。",
    503: "系统繁忙，请稍后重试。",
    507: str(governance.NoSpace()),
}


def named(error: Exception) -> Response:
    """A named error of the floors below."""
    kind = next(k for k in type(error).__mro__ if k in STATUS)
    said, facts = _sentence(error), dict(_facts(error))
    if not isinstance(error, COUNTED):
        undo()
    headers = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": str(int(LOCKED_FOR.total_seconds()))}}.get(STATUS[kind], {})
    kebab = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower()
    return problem(STATUS[kind], said, title=(kind.__doc__ or "").strip(), type=f"urn:wuzhang:problem:{kebab}", headers=headers, **facts)


def http(error: HTTPException) -> Response:
    """An error of the protocol, or of what a schema reads; or a database that went away while an answer was written."""
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, OperationalError) and trouble(cause):
        return busy(cause)
    if isinstance(cause, governance.NoSpace):
        return named(cause)
    undo()
    code = error.code if error.code and error.code >= 400 else 404
    facts: dict[str, Any] = {}
    if read := getattr(error, "data", {}).get("messages"):
        facts["errors"] = {name: sentence for part in read.values() for name, sentence in _flat(part)}
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After", "WWW-Authenticate")}
    return problem(code, WORDS.get(code, WORDS[400 if code < 500 else 500]), headers=headers, **facts)


def crossed(error: IntegrityError) -> Response:
    """Two requests wrote the same at the same time; the later one may try again."""
    current_app.logger.warning("refused by the database", exc_info=error)
    undo()
    return problem(409, "与同时进行的操作冲突，请重试。")


def busy(error: OperationalError) -> Response:
    """The database had no time or no space."""
    why = trouble(error)
    if why is None:
        raise error
    current_app.logger.error("the database is %s", why, exc_info=error)
    undo()
    return problem(507, WORDS[507]) if why == FULL else problem(503, WORDS[503], headers={"Retry-After": "1"})


def problem(
    status: int, detail: str, *, title: str = "", type: str = "about:blank", headers: Mapping[str, str] | None = None, **facts: Any
) -> Response:
    """A problem document."""
    response = jsonify({"type": type, "title": title or HTTPStatus(status).phrase, "status": status, "detail": detail, **facts})
    response.status_code, response.mimetype = status, "application/problem+json"
    response.headers.update(headers or {})
    return response


def init_errors(app: Flask) -> None:
    """What no view answers under `/api` is a problem, too; the pages keep their own."""
    app.before_request(_unrouted)


def _unrouted() -> Response | None:
    if request.routing_exception is None or not f"{request.path}/".startswith(f"{PREFIX}/"):
        return None
    error = request.routing_exception
    return http(error if isinstance(error, MethodNotAllowed) else NoRoute())


def _sentence(error: Exception) -> str:
    """What a person reads of an error; who was faster is named."""
    if isinstance(error, engine.TaskClosed) and error.by and error.at:
        return f"该待办已由{_name(error.by)}于 {error.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M} 办结。"
    if isinstance(error, engine.TaskClosed) and error.outcome == "cancelled":
        return "该待办已不再需要办理：流程已转入其他环节。"
    if isinstance(error, engine.ClaimedByOther):
        return f"该待办已被{_name(error.by)}签收。"
    return str(error)


def _facts(error: Exception) -> Iterator[tuple[str, Any]]:
    if isinstance(error, governance.Refused):
        yield "errors", error.errors
    if isinstance(error, engine.TaskClosed | engine.ClaimedByOther) and error.by:
        yield "by", _name(error.by)
    if isinstance(error, engine.TaskClosed) and error.at:
        yield "at", error.at.isoformat()


def _name(person: str) -> str:
    return names(context().session, {int(person)}).get(int(person), "") if person.isdecimal() else ""


def _flat(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Nested messages as one sentence a field; what concerns the whole stands under the empty name."""
    if not isinstance(messages, dict):
        yield path, "；".join(str(m) for m in messages)
        return
    for name, below in messages.items():
        yield from _flat(below, path if name == "_schema" else f"{path}.{name}".strip("."))
