"""A step whose people a form should have chosen, and did not: an administrator chooses them, and it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, select

from engine.diagram import Diagram, Node
from engine.errors import NoIncident
from engine.log import loads
from engine.packages import Package
from engine.schema import incidents
from engine.schema import instances as instance_rows
from engine.versions import package_of
from engine.world import Advance
from governance.context import Actor, Context
from governance.errors import NotAllowed, NotFound, Refused
from governance.forms.rules import check_form, fields
from governance.workflow.assignment import CHOSEN
from governance.workflow.overdue import retry
from governance.workflow.persons import all_nameable
from governance.workflow.rules import given_reason
from governance.workflow.unattended import ADMINISTRATOR

UNASSIGNED = "assignment_failed"
"""The rule of an incident that nobody could be found for a step."""


@dataclass(frozen=True)
class Unchosen:
    """An incident that a choice of people mends: the step, the form's field by itself, and what is known beside it."""

    instance_id: int
    step: str
    package: Package
    form: Mapping[str, Any]
    data: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The field's name."""
        return fields(self.form)[0].name


def unchosen(context: Context, incident_id: int) -> Unchosen:
    """What of an incident a choice of people would mend; raises `NoIncident` when it is over, `NotFound` when it is of another kind."""
    query = (
        select(incidents, instance_rows.c.version_id, instance_rows.c.state)
        .join(instance_rows, instance_rows.c.id == incidents.c.instance_id)
        .where(incidents.c.id == incident_id, incidents.c.resolved_at.is_(None))
    )
    row = context.session.connection().execute(query).mappings().one_or_none()
    if row is None:
        raise NoIncident
    package = package_of(context.session.connection(), row["version_id"])
    field = _wanting(package, row)
    if field is None:
        raise NotFound
    known, step = loads(row["state"])["data"] if row["state"] else {}, package.diagram.nodes[row["element"]].label
    return Unchosen(row["instance_id"], step, package, _alone(package, field), {**known, **loads(row["command"])["data"]})


def is_unchosen(context: Context, incident: RowMapping) -> bool:
    """Whether a choice of people would mend an incident."""
    return _wanting(package_of(context.session.connection(), incident["version_id"]), incident) is not None


def _wanting(package: Package, incident: RowMapping) -> str | None:
    """The field by which people should have been chosen for the step that an incident is about."""
    node = package.diagram.nodes.get(incident["element"])
    return chosen_by(package, node) if node and incident["rule"] == UNASSIGNED else None


def chosen_by(package: Package, node: Node) -> str | None:
    """The field of a form that says who does the step; of one that is repeated for each of several, the field that lists them."""
    assign = node.settings.get("assign", {})
    if assign.get("unit") != CHOSEN:
        return None
    people = {field.name for form in package.forms.values() for field in fields(form) if field.widget == "person"}
    named = assign.get("person", "")
    listed = {loop.item: loop.collection for around in _around(package.diagram, node) if (loop := around.loop)}
    return next((name for name in (named, listed.get(named)) if name in people), None)


def choose(context: Context, actor: Actor, incident_id: int, given: Mapping[str, Any], reason: str) -> Advance:
    """Puts the people into the instance's data for a reason that the log keeps, and tries again.

    Raises `NotAllowed`, `NotFound`, `NoIncident`, `Refused`.
    """
    if not actor.holds(ADMINISTRATOR):
        raise NotAllowed
    found = unchosen(context, incident_id)
    why = given_reason(reason)
    data = check_form(found.form, given, {}, context.now())
    value = data[found.name]
    field = fields(found.form)[0]
    if not all_nameable(context, field, found.data, value if isinstance(value, list) else [value]):
        raise Refused({field.name: f"{field.title}中有不能选的人员"})
    return retry(context, incident_id, actor.record(), {field.name: value}, reason=why)


def _around(diagram: Diagram, node: Node) -> Iterator[Node]:
    """The node and the subprocesses that hold it."""
    yield node
    while node.scope in diagram.nodes:
        node = diagram.nodes[node.scope]
        yield node


def _alone(package: Package, name: str) -> Mapping[str, Any]:
    """A form with the field alone, to be filled in whatever else was."""
    field = next(form["properties"][name] for form in package.forms.values() if name in form["properties"])
    ui = {word: said for word, said in field["x-ui"].items() if word in ("widget", "among", "posts")}
    return {"properties": {name: {**field, "x-ui": ui}}, "required": [name]}
