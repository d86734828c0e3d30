"""The case: its facts, its trail, its diagram in its own version."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import login_required

from api.signin import actor
from api.work import context
from governance.cases.codes import codes
from governance.cases.models import Case
from governance.cases.queries import case as case_of
from governance.cases.queries import cases, photos
from governance.errors import NotFound
from governance.inbox.queries import trail
from governance.matters.queries import of_case
from governance.meetings.queries import meetings_about
from governance.organisation.models import Kind
from governance.organisation.queries import names, nearest, upwards
from web.about import about_case
from web.beside import beside
from web.drawing import drawing, progress
from web.proof import proof
from web.texts import package_of_instance
from web.trail import steps, waiting
from web.uploads import send_photo

pages = Blueprint("cases", __name__, url_prefix="/cases")


@pages.get("")
@login_required  # type: ignore[untyped-decorator]
def index() -> ResponseReturnValue:
    """事项查询: what somebody may see, wherever it is."""
    given, asked = context(), request.args
    after = asked.get("after", "")
    status = asked.get("status", "") if asked.get("status") in codes()["case_status"] else ""
    page = cases(
        given.session,
        actor(),
        q=asked.get("q", "").strip()[:60],
        status=status,
        late_at=given.now() if asked.get("overdue") else None,
        after=int(after) if after.isdecimal() and len(after) < 19 else None,
    )
    places = names(given.session, {case.place_id for case in page.cases})
    return render_template("cases.html", page=page, places=places, statuses=codes()["case_status"], status=status, now=given.now())


@pages.post("/<id:case_id>/verify")
@login_required  # type: ignore[untyped-decorator]
def prove(case_id: int) -> ResponseReturnValue:
    """核对记录: the chain of the case's log is whole, and the log alone gives the stored state."""
    return proof(_case(case_id).instance_id)


@pages.get("/<id:case_id>")
@login_required  # type: ignore[untyped-decorator]
def show(case_id: int) -> ResponseReturnValue:
    given, case = context(), _case(case_id)
    if case.instance_id:
        package_of_instance(case.instance_id)
    unfinished = waiting(case.instance_id) if case.instance_id else []
    return render_template(
        "case.html",
        case=case,
        about=about_case(case),
        trail=steps(trail(given, case.instance_id)) if case.instance_id else [],
        open=unfinished,
        beside=beside(case.instance_id or 0, unfinished),
        meetings=meetings_about(given.session, actor(), case_id=case.id),
        matter=of_case(given.session, case.id),
        community=nearest(upwards(given.session, case.place), Kind.COMMUNITY),
    )


@pages.get("/<id:case_id>/diagram.bpmn")
@login_required  # type: ignore[untyped-decorator]
def diagram(case_id: int) -> Response:
    return drawing(package_of_instance(_case(case_id).instance_id))


@pages.get("/<id:case_id>/diagram.json")
@login_required  # type: ignore[untyped-decorator]
def state(case_id: int) -> ResponseReturnValue:
    case = _case(case_id)
    if case.instance_id is None:
        raise NotFound
    return jsonify(progress(case.instance_id))


@pages.get("/<id:case_id>/photos/<id:photo_id>")
@login_required  # type: ignore[untyped-decorator]
def photo(case_id: int, photo_id: int) -> Response:
    case = _case(case_id)
    return send_photo(photo_id, photos(context().session, case))


def _case(case_id: int) -> Case:
    return case_of(context().session, case_id, actor())
