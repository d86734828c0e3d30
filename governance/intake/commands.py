"""Takes a report, registers the case and starts its process, all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from engine.errors import InstanceAtRest, NothingWaits
from engine.versions import latest_version
from governance.cases.commands import Report, register
from governance.cases.models import Case
from governance.cases.photos import PER_CASE, Picture, add_photo
from governance.context import Actor, Context
from governance.errors import NotFound, Refused
from governance.workflow.world import instances

PROCESS, REPORTED_AGAIN, RESOLUTION_ASSIGNED = "issue_disposal", "reported_again", "resolution_assigned"


def report(context: Context, reported: Report, photos: Sequence[Picture] = (), actor: Actor | None = None) -> tuple[Case, str | None]:
    """上报. The case and its follow-up secret; the same submission again gives the case without the secret. Raises `Refused`."""
    if known := _known(context, reported):
        return known, None
    if len(photos) > PER_CASE:
        raise Refused({"photos": f"照片最多 {PER_CASE} 张"})
    try:
        with context.session.begin_nested():
            case, secret = register(context, reported)
    except IntegrityError:
        if known := _known(context, reported):
            return known, None
        raise
    for picture in photos:
        add_photo(context, case, picture, by=reported.reported_by)
    begin(context, case, actor.record() if actor else {"reporter": str(case.id)})
    return case, secret


def begin(context: Context, case: Case, by: Mapping[str, Any], *, event: str | None = None) -> None:
    """Starts the process of a case that has been registered, at its plain start or where it listens to `event`."""
    version = latest_version(context.session.connection(), PROCESS)
    instances(context).start(version, _start_data(case), by, business_key=str(case.id), event=event)


def report_again(context: Context, case: Case) -> None:
    """重复反映: one more person is troubled by a matter that is being handled; the process decides what that means."""
    if case.instance_id is None:
        raise NotFound
    try:
        instances(context).message(case.instance_id, REPORTED_AGAIN, {}, {"reporter": str(case.id)})
    except (NothingWaits, InstanceAtRest) as error:
        raise NotFound from error


def _known(context: Context, reported: Report) -> Case | None:
    """The case that this very submission made, perhaps a moment ago in another request."""
    return context.session.scalar(select(Case).where(Case.submission_key == reported.submission_key))


def _start_data(case: Case) -> dict[str, Any]:
    """What the process works on; who reported stays outside of it."""
    return {
        "case_number": case.number,
        "category": case.category or "",
        "place_unit": str(case.place_id),
        "channel": case.channel,
        "anonymous": case.is_anonymous,
        "confidential": case.is_confidential,
        "self_found": case.is_self_found,
        "public_safety": False,
    }
