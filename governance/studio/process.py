"""What a change of a process asks of the district, and what becomes of the draft."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.errors import EngineError, VersionRefused
from engine.validator import publishable
from engine.versions import hold_process, publish, retire
from engine.world import CANCELLED, FINISHED, Advance
from governance.context import Context
from governance.errors import GovernanceError
from governance.studio import queries
from governance.studio.errors import BehindPublished, OtherThanAgreed, RetiredMeanwhile
from governance.studio.rules import problems_of
from governance.workflow.world import answers, follows

Data = Mapping[str, Any]


@follows("process_change")
def follow_change(context: Context, advance: Advance) -> None:
    """A draft whose change did not come into effect can be edited again."""
    draft_id = advance.data.get("draft_id") or ""
    if advance.stopped or not draft_id or advance.status not in (FINISHED, CANCELLED):
        return
    held = queries.draft(context.session, int(draft_id))
    if held.published_id is None:
        held.change_id = None
    context.session.flush()


@answers("carry_out_change", acts=True)
def carry_out_change(context: Context, data: Data) -> dict[str, Any]:
    """Publishes the draft that was agreed to, or retires the process; what has become impossible meanwhile is said, not forced."""
    try:
        number = _retire(context, data) if data["act"] == "retire" else _publish(context, data)
    except (EngineError, GovernanceError) as error:
        return {"carried_out": False, "lapse_reason": str(error), "version_number": 0}
    return {"carried_out": True, "lapse_reason": "", "version_number": number}


def _publish(context: Context, data: Data) -> int:
    session = context.session
    held = queries.draft(session, int(data["draft_id"]), lock=True)
    _in_use(context, data)
    package = queries.package_of_draft(held)
    if package.digest != data["digest"]:
        raise OtherThanAgreed
    problems = problems_of(package)
    if not publishable(problems):
        raise VersionRefused(problems)
    connection, by = session.connection(), f"person:{data['submitter']['person']}"
    version = publish(connection, context.new_id(), package, context.now(), by=by, reason=data["change_reason"])
    held.published_id, held.ended_at = version.id, context.now()
    session.flush()
    return version.number


def _retire(context: Context, data: Data) -> int:
    """The number of the last version, on which nothing starts any more."""
    _in_use(context, data)
    connection, number = context.session.connection(), int(data["base_number"])
    retire(connection, data["process_key"], context.now(), by=f"person:{data['submitter']['person']}", reason=data["change_reason"])
    return number


def _in_use(context: Context, data: Data) -> None:
    """The version in use is still the one that the change was agreed to on; raises `RetiredMeanwhile`, `BehindPublished`."""
    session, key, number = context.session, data["process_key"], data["base_number"]
    hold_process(session.connection(), key)
    latest = queries.current(session, key)
    if latest is None and number:
        raise RetiredMeanwhile
    if latest and latest.number != number:
        raise BehindPublished(latest.number)
