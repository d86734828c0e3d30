"""Names for what tasks are addressed to."""

from __future__ import annotations

from sqlalchemy.orm import Session

from governance.organisation.models import Unit
from governance.people.models import Person
from governance.people.rules import POSTS
from web.language import gettext as _


def principal_name(session: Session, principal: str) -> str:
    """第三网格网格长, a person's name, or 反映人."""
    kind, _colon, rest = principal.partition(":")
    if kind == "post":
        post, _at, unit_id = rest.partition("@")
        unit = session.get(Unit, int(unit_id)) if unit_id.isdecimal() else None
        return f"{unit.name if unit else ''}{POSTS[post].name if post in POSTS else post}"
    if kind == "person" and rest.isdecimal():
        person = session.get(Person, int(rest))
        return person.name if person else ""
    return _("反映人")
