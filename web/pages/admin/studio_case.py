"""One rehearsed case, side by side: as it was, and as it would have been on the draft."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from api.work import context
from engine.outcomes import Ending, Outcome
from engine.schema import instances as instance_rows
from engine.versions import package_of
from governance.inbox.queries import open_tasks, trail
from governance.studio import queries, runs
from web.access import AUDITOR, for_posts
from web.detours import detour
from web.drawing import progress
from web.pages.admin import ADMINISTRATOR, DESIGNER
from web.side_by_side import side_by_side
from web.texts import at_hand
from web.trail import steps

pages = Blueprint("studio_case", __name__, url_prefix="/admin/studio")


@pages.get("/runs/<id:run_id>/cases/<id:instance_id>")
@for_posts(ADMINISTRATOR, DESIGNER, AUDITOR)
def show(run_id: int, instance_id: int) -> ResponseReturnValue:
    """Nothing of what was filled in is shown: whoever tries a draft need not read the case."""
    given = context()
    held = runs.run(given.session, run_id)
    outcome, draft = runs.rehearsed(given, held, instance_id), runs.package_of_run(held)
    version = queries.version_of(
        given.session, given.session.scalar(select(instance_rows.c.version_id).where(instance_rows.c.id == instance_id)) or 0
    )
    before = package_of(given.session.connection(), version.id)
    at_hand(draft)

    def label(element: str) -> str:
        node = draft.diagram.nodes.get(element) or before.diagram.nodes.get(element)
        return node.label if node else outcome.names.get(element, element)

    return render_template(
        "admin/studio/case.html",
        run=held,
        outcome=outcome,
        subject=runs.subject_of(given.session, instance_id),
        version=version,
        label=label,
        detour=detour(outcome, label) if outcome.ending is Ending.REROUTED else "",
        pairs=side_by_side(outcome, steps(trail(given, instance_id)), {task.key: task.due_at for task in open_tasks(given, instance_id)}),
        before=_left(progress(instance_id), outcome),
        after=_state(outcome),
    )


def _state(outcome: Outcome) -> dict[str, Any]:
    """The draft's diagram as the case goes over it."""
    stands = {*outcome.open, *([outcome.stop.element] if outcome.stop else [])}
    nodes = {
        element: {
            "done": outcome.visited.get(element, 0),
            "current": int(element in stands),
            "added": int(element in outcome.come),
        }
        for element in {*outcome.visited, *stands}
    }
    return {"nodes": nodes, "taken": sorted(outcome.taken)}


def _left(state: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
    """The diagram as the case went over it, with what falls away."""
    return state | {"nodes": {element: marks | {"removed": int(element in outcome.gone)} for element, marks in state["nodes"].items()}}
