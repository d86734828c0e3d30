"""The organisation, as far as forms and reports name it."""

from __future__ import annotations

from typing import Any

from api.calls import Calls
from api.schemas.units import UnitPage, UnitQuery
from api.work import context
from governance.organisation.models import Kind
from governance.organisation.queries import unit, units_in_use

calls = Calls("api_units", "单位")


@calls.call("GET", "/units", UnitPage, query=UnitQuery, refuses=(404,))
def index(asked: dict[str, Any]) -> dict[str, Any]:
    """Units in use, page by page."""
    session = context().session
    kind, below = asked.get("kind"), asked.get("below")
    path = unit(session, below).path if below else "/"
    found, after = units_in_use(session, Kind(kind) if kind else None, path, asked["q"].strip(), asked["after"])
    return {"items": found, "after": after}
