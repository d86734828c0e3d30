"""A meeting in a whole district, brought as far as a test wants it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from governance.context import Actor, Context
from governance.meetings import queries
from governance.meetings.attendance import enter_people, invite, sign_in, tick
from governance.meetings.commands import Plan, add_item, close_meeting, convene, give_notice, open_meeting
from governance.meetings.models import Attendee, Meeting
from governance.meetings.rules import Body, Role
from governance.organisation.models import Unit
from governance.people.queries import appointments_of, holders
from tests.district import District

PEOPLE = "王秀英 5678 3 栋居民代表\n李国庆，1234，5 栋居民代表\n张小梅"
COMMUNITY, ESTATE, OTHER = "500199001001", "500199001001-E1", "500199001002"


@dataclass
class Hall:
    """A community, its lead, and somebody from elsewhere."""

    district: District
    context: Context

    def unit(self, code: str = COMMUNITY) -> Unit:
        return self.context.session.scalars(select(Unit).where(Unit.code == code)).one()

    def holder(self, post: str = "community_lead", code: str = COMMUNITY) -> Actor:
        context = self.context
        held = holders(context.session, post, self.unit(code).id, context.today)[0]
        every = tuple(appointments_of(context.session, held.person_id, context.today))
        return Actor(held.person_id, held.person.name, held, every)

    def plan(self, body: str = Body.REPRESENTATIVES, days: int = 7, code: str = COMMUNITY, **changed: str) -> Plan:
        lead = self.holder()
        assert lead.acting
        texts = {"title": "三月居民代表会议", "place": "社区会议室", "convener": str(lead.acting.id), **changed}
        return Plan(body, str(self.unit(code).id), starts_at=self.context.now() + timedelta(days=days), **texts)

    def draft(self, body: str = Body.REPRESENTATIVES, days: int = 7, code: str = COMMUNITY) -> Meeting:
        held = convene(self.context, self.holder(), self.plan(body, days, code))
        add_item(self.context, self.holder(), held.id, "三号楼加装电梯")
        enter_people(self.context, self.holder(), held.id, PEOPLE, Role.MEMBER, sealed=True)
        return held

    def noticed(self, body: str = Body.REPRESENTATIVES, days: int = 7, code: str = COMMUNITY) -> Meeting:
        return give_notice(self.context, self.holder(), self.draft(body, days, code).id)

    def roll(self, held: Meeting) -> list[Attendee]:
        return [entry.attendee for entry in queries.roll(self.context, held.id, plain=True)]

    def secret(self, held: Meeting) -> str:
        return self.context.sealer.unseal(held.sealed_secret)

    def code(self, one: Attendee) -> str:
        return self.context.sealer.unseal(one.sealed_code)

    def at(self, moment: datetime) -> None:
        self.district.clock.at = moment

    def gathered(self, body: str = Body.REPRESENTATIVES, come: int = 2) -> Meeting:
        """At the hour of the meeting, so many have signed in."""
        held = self.noticed(body)
        self.at(held.starts_at)
        for one in self.roll(held)[:come]:
            sign_in(self.context, self.secret(held), one.id, self.code(one))
        return held

    def opened(self, body: str = Body.REPRESENTATIVES) -> Meeting:
        return open_meeting(self.context, self.holder(), self.gathered(body).id)

    def closed(self) -> Meeting:
        return close_meeting(self.context, self.holder(), self.opened().id)

    def joined(self, held: Meeting) -> Actor:
        """The lead, on the list of a draft and signed in at its hour."""
        lead = self.holder()
        assert lead.acting
        invite(self.context, lead, held.id, [lead.acting.id], Role.CHAIR)
        give_notice(self.context, lead, held.id)
        self.at(held.starts_at)
        for one in self.roll(held):
            tick(self.context, lead, held.id, one.id)
        open_meeting(self.context, lead, held.id)
        return lead
