"""A community with roll books, on any database, for tests of votes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

import wuzhang.models  # noqa: F401
from engine.database import WRITING
from engine.ids import Chance, new_id
from governance.context import Actor, Context
from governance.organisation.models import Kind, OrganisationChange, Unit
from governance.people.models import Appointment, Person
from governance.privacy import Sealer
from governance.rolls.commands import import_members, open_book
from governance.rolls.models import RollBook
from governance.voting.commands import call_vote, seed_rules
from governance.voting.models import Vote

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SEALER = Sealer("test secret " * 4)
HEAD = "姓名,手机,户号,面积,业主编号,用户名"


@dataclass
class Community:
    """One community and its lead, who keeps its rolls."""

    database: Engine
    now: datetime = MONDAY
    chance: Chance = secrets.randbits
    unit_id: int = 0
    lead_id: int = 0
    appointments: list[Appointment] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self.work() as context:
            district = Unit(id=1, kind=Kind.DISTRICT, code="500101", name="江城区", path="/1/", valid_from=date(2020, 1, 1))
            unit = Unit(
                id=2, kind=Kind.COMMUNITY, code="500101001", name="临江社区", parent_id=1, path="/1/2/", valid_from=date(2020, 1, 1)
            )
            lead = Person(id=3, name="陈江")
            held = Appointment(id=4, person_id=3, post="community_lead", unit_id=2, from_date=date(2020, 1, 1))
            context.session.add_all([OrganisationChange(id=1, count=0), district])
            context.session.flush()
            context.session.add_all([unit, lead])
            context.session.flush()
            context.session.add(held)
            seed_rules(context)
            self.unit_id, self.lead_id = 2, 3

    @contextmanager
    def work(self) -> Iterator[Context]:
        """One transaction."""
        with Session(self.database, expire_on_commit=False) as session, session.begin():
            session.connection(execution_options=WRITING)
            yield Context(session, lambda: self.now, lambda: new_id(self.now), SEALER, Path(), self.chance)

    def do(self, act: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """One command in a transaction of its own."""
        with self.work() as context:
            return act(context, *given, **named)

    def lead(self, context: Context) -> Actor:
        held = context.session.get_one(Appointment, 4)
        return Actor(self.lead_id, "陈江", held, (held,))

    def as_lead(self, act: Callable[..., Any], *given: Any, **named: Any) -> Any:
        with self.work() as context:
            return act(context, self.lead(context), *given, **named)

    def book(self, kind: str, lines: Sequence[str]) -> RollBook:
        with self.work() as context:
            unit, lead = context.session.get_one(Unit, self.unit_id), self.lead(context)
            book = open_book(context, lead, unit, kind, "名册")
            import_members(context, lead, book, sheet(lines))
            return book

    def terms(self, rule: str, book: RollBook, **changed: Any) -> dict[str, Any]:
        """Terms as the form gives them; the vote begins as early as any rule allows."""
        starts = self.now + timedelta(days=17)
        return {
            "vote_rule": rule,
            "roll_book": str(book.id),
            "vote_question": "是否同意更换三号楼电梯？",
            "vote_starts_at": starts.isoformat(),
            "vote_ends_at": (starts + timedelta(days=7)).isoformat(),
            "is_secret": False,
            **changed,
        }

    def vote(self, rule: str, lines: Sequence[str], kind: str = "residents", **changed: Any) -> Vote:
        """A vote that has begun."""
        book = self.book(kind, lines)
        called: Vote = self.do(call_vote, self.terms(rule, book, **changed), matter_id=7, stage="resolution")
        self.now = called.starts_at
        return called


def begun(context: Context, keeper: Actor, unit: Unit, content: bytes) -> Vote:
    """A vote of a unit's representatives that has just begun and takes a day."""
    book = open_book(context, keeper, unit, "representatives", "名册")
    import_members(context, keeper, book, content)
    times = {"vote_starts_at": context.now(), "vote_ends_at": context.now() + timedelta(days=1)}
    terms = {"vote_rule": "RESIDENT_REPS", "roll_book": str(book.id), "vote_question": "是否同意更换电梯？", **times}
    return call_vote(context, terms, matter_id=None, stage="resolution")


def sheet(lines: Sequence[str]) -> bytes:
    return "\n".join([HEAD, *lines]).encode()


def residents(n: int) -> list[str]:
    return [f"居民{i},138{i:08d},,,," for i in range(1, n + 1)]


def owners(*areas: str) -> list[str]:
    return [f"业主{i},139{i:08d},{i}-{i}01,{area},," for i, area in enumerate(areas, 1)]
