"""What a task is about: a case, a matter, a decision of a meeting, or a process by itself; the same page shows all of them."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import url_for
from sqlalchemy import select

from api.work import context
from engine.plans import lasting
from engine.schema import instances
from governance.cases.models import Case, Photo
from governance.cases.photos import Pictured
from governance.cases.queries import reported_photos
from governance.inbox.queries import trail
from governance.matters.models import Matter
from governance.meetings.models import Meeting
from governance.meetings.queries import decision_of
from governance.organisation.queries import full_name, upwards
from governance.starting.models import Started
from governance.studio.queries import change_of
from web.matters import facts_of
from web.sentences import say
from web.trail import answered, steps
from web.uploads import file_address


@dataclass(frozen=True)
class About:
    """The head of a page, the facts below it, and where its pictures are."""

    title: str
    number: str = ""
    place: str = ""
    facts: str = "_process_facts.html"
    case: Case | None = None
    matter: Matter | None = None
    photos: Sequence[Photo] = ()
    shown: Mapping[str, Any] = field(default_factory=dict)
    """What the facts show beyond the row itself."""
    started: int | None = None
    """What somebody has started by themselves."""
    instance_id: int | None = None
    """Whose files are shown; without one, those of a start."""

    @property
    def pictured(self) -> Pictured | None:
        return self.case or self.matter

    @property
    def page(self) -> str | None:
        """Where the whole of it can be read."""
        if self.case:
            return url_for("cases.show", case_id=self.case.id)
        if self.started:
            return url_for("starting.show", started_id=self.started)
        return url_for("matters.show", matter_id=self.matter.id) if self.matter else None

    def photo(self, photo_id: int | str) -> str:
        """The address of one of its pictures."""
        if self.case:
            return url_for("cases.photo", case_id=self.case.id, photo_id=photo_id)
        return url_for("matters.photo", matter_id=self.matter.id, photo_id=photo_id) if self.matter else ""

    def file(self, value: str) -> str:
        """The address of a file that its record names."""
        return file_address(self.instance_id, value)


def about_case(case: Case) -> About:
    session = context().session
    place = full_name(upwards(session, case.place))
    return About(
        case.title, case.number, place, "_facts.html", case=case, photos=reported_photos(session, case.id), instance_id=case.instance_id
    )


def about_matter(matter: Matter) -> About:
    place = full_name(upwards(context().session, matter.unit))
    return About(
        matter.title, matter.number, place, "_matter_facts.html", matter=matter, shown=facts_of(matter), instance_id=matter.instance_id
    )


def about_instance(instance_id: int, name: str) -> About:
    """What an instance is about; one of a process that stands by itself is known by its title, else by the name of its process."""
    session = context().session
    if case := session.scalar(select(Case).where(Case.instance_id == instance_id)):
        return about_case(case)
    if matter := session.scalar(select(Matter).where(Matter.instance_id == instance_id)):
        return about_matter(matter)
    if decision := decision_of(session, instance_id):
        held = session.get_one(Meeting, decision.meeting_id)
        return About(
            decision.text, held.title, facts="_decision_facts.html", shown={"decision": decision, "meeting": held}, instance_id=instance_id
        )
    if change := change_of(session, instance_id):
        return About(say(change.title), facts="_change_facts.html", shown={"change": change}, instance_id=instance_id)
    if started_id := session.scalar(select(Started.id).where(Started.instance_id == instance_id)):
        return _about_started(started_id, instance_id)
    titled = session.connection().scalar(select(instances.c.title).where(instances.c.id == instance_id))
    return About(titled or name, instance_id=instance_id)


def _about_started(started_id: int, instance_id: int) -> About:
    """What was asked for at the start, as it was last put: a request that comes back is filled in anew."""
    session = context().session
    title = session.connection().scalar(select(instances.c.title).where(instances.c.id == instance_id))
    marks = trail(context(), instance_id)
    put = ChainMap(*(dict(mark.data) for mark in reversed(lasting(marks)) if mark.form == marks[0].form))
    shown = {"starter": steps(marks[:1])[0], "filled": answered(replace(marks[0], data=put))}
    return About(title or "", facts="_started_facts.html", shown=shown, started=started_id, instance_id=instance_id)
