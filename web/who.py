"""Names for what tasks are addressed to."""

from __future__ import annotations

from sqlalchemy.orm import Session

from governance.organisation.models import Kind, Unit
from governance.organisation.queries import upwards
from governance.people.models import Person
from governance.people.rules import POSTS
from web.language import gettext as _


def unit_name(session: Session, unit: Unit) -> str:
    """A unit's name; below a community with the community's name before it."""
    if unit.kind not in (Kind.GRID, Kind.BUILDING, Kind.SECTOR):
        return unit.name
    chain = [u for u in upwards(session, unit) if u.kind in (Kind.COMMUNITY, Kind.GRID, Kind.BUILDING, Kind.SECTOR)]
    return "".join(u.name for u in reversed(chain) if u.kind != Kind.SECTOR or u is unit)


def principal_name(session: Session, principal: str) -> str:
    """第三网格网格长, a person's name, or 反映人."""
    kind, _colon, rest = principal.partition(":")
    if kind == "post":
        post, _at, unit_id = rest.partition("@")
        unit = session.get(Unit, int(unit_id)) if unit_id.isdecimal() else None
        return f"{unit_name(session, unit) if unit else ''}{POSTS[post].name if post in POSTS else post}"
    if kind == "person" and rest.isdecimal():
        person = session.get(Person, int(rest))
        return person.name if person else ""
    return _("反映人")
