"""议题 for who works on them: the board, one matter, its diagram in its own version."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import login_required
from sqlalchemy import select

from api.signin import actor
from api.work import context
from governance.calendar.queries import working_calendar
from governance.calendar.rules import Unit as LimitUnit
from governance.cases.models import Case
from governance.cases.queries import photos
from governance.errors import NotFound
from governance.inbox.queries import trail
from governance.matters.models import Matter, PublicNotice, Stage, Tier
from governance.matters.queries import RESOLUTION, Wanted, by_tier_and_stage, delivery, page, support_of, visible
from governance.matters.queries import matter as matter_of
from governance.meetings.queries import meetings_about
from governance.organisation.queries import names
from web.about import about_matter
from web.beside import beside
from web.drawing import drawing, progress
from web.notices import printed
from web.proof import proof
from web.texts import package_of_instance
from web.trail import steps, waiting, waiting_in
from web.uploads import send_photo

pages = Blueprint("matters", __name__, url_prefix="/matters")


@pages.get("")
@login_required  # type: ignore[untyped-decorator]
def index() -> ResponseReturnValue:
    """议事台账: matters by tier and stage, what is stuck and with whom, how far the delivery is."""
    session, asked = context().session, request.args
    mine = visible(select(Matter), actor())
    found = page(session, mine, wanted(), _number(asked.get("after", "")))
    shown = [matter.id for matter in found.matters]
    return render_template(
        "matters.html",
        page=found,
        tiers=list(Tier),
        stages=list(Stage),
        counts=by_tier_and_stage(session, mine),
        places=names(session, {matter.unit_id for matter in found.matters}),
        waiting=waiting_in([matter.instance_id for matter in found.matters if matter.instance_id]),
        delivery=delivery(session, shown),
        support=support_of(session, shown),
    )


@pages.get("/<id:matter_id>")
@login_required  # type: ignore[untyped-decorator]
def show(matter_id: int) -> ResponseReturnValue:
    matter = _matter(matter_id)
    package_of_instance(matter.instance_id)
    unfinished = waiting(matter.instance_id or 0)
    return render_template(
        "matter.html",
        matter=matter,
        about=about_matter(matter),
        meetings=meetings_about(context().session, actor(), matter_id=matter.id),
        case=context().session.get(Case, matter.case_id) if matter.case_id else None,
        trail=steps(trail(context(), matter.instance_id or 0)),
        open=unfinished,
        beside=beside(matter.instance_id or 0, unfinished),
    )


@pages.post("/<id:matter_id>/verify")
@login_required  # type: ignore[untyped-decorator]
def prove(matter_id: int) -> ResponseReturnValue:
    """核对记录: the chain of the matter's log is whole, and the log alone gives the stored state."""
    return proof(_matter(matter_id).instance_id)


@pages.get("/<id:matter_id>/notice.pdf")
@login_required  # type: ignore[untyped-decorator]
def notice(matter_id: int) -> Response:
    """公示 to print before it is posted: as if it were posted today."""
    matter, days = _matter(matter_id), _number(request.args.get("days", "")) or 7
    if not matter.resolution_text:
        raise NotFound
    now = context().now()
    until = working_calendar(context().session).add(now, min(days, 365), LimitUnit.CALENDAR_DAYS)
    return printed(matter, PublicNotice(kind=RESOLUTION, text=matter.resolution_text, posted_at=now, ends_at=until))


@pages.get("/<id:matter_id>/diagram.bpmn")
@login_required  # type: ignore[untyped-decorator]
def diagram(matter_id: int) -> Response:
    return drawing(package_of_instance(_matter(matter_id).instance_id))


@pages.get("/<id:matter_id>/diagram.json")
@login_required  # type: ignore[untyped-decorator]
def state(matter_id: int) -> ResponseReturnValue:
    return jsonify(progress(_matter(matter_id).instance_id or 0))


@pages.get("/<id:matter_id>/photos/<id:photo_id>")
@login_required  # type: ignore[untyped-decorator]
def photo(matter_id: int, photo_id: int) -> Response:
    return send_photo(photo_id, photos(context().session, _matter(matter_id)))


def wanted() -> Wanted:
    """Which matters the address asks for; words nobody knows ask for nothing."""
    asked = request.args
    tier, stage = asked.get("tier", ""), asked.get("stage", "")
    return Wanted(
        asked.get("q", "").strip()[:60],
        Tier(tier) if tier in set(Tier) else None,
        Stage(stage) if stage in set(Stage) else None,
    )


def _matter(matter_id: int) -> Matter:
    found = matter_of(context().session, matter_id, actor())
    if found.instance_id is None:
        raise NotFound
    return found


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None
