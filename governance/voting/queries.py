"""Reads rules and votes, and counts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Select, String, and_, case, func, literal, null, or_, select, union_all
from sqlalchemy.orm import Session

from governance.context import Actor, Context
from governance.errors import NotFound
from governance.organisation.models import Unit
from governance.privacy import masked_name
from governance.rolls.queries import kept_units
from governance.voting.codes import read_code
from governance.voting.errors import CountDiffers, UnknownCode
from governance.voting.models import Ballot, Channel, Mandate, RollEntry, Status, Vote, VoteRule
from governance.voting.rules import Mark, Outlook, Rule, Tally, Verdict, Weight, judge, outlook, read_rule

PAGE = 100


# ---- rules -------------------------------------------------------------------------------------------------------


def stored_rule(terms: str) -> Rule:
    """The rule as a version or a vote keeps it."""
    return read_rule(orjson.loads(terms))


def rules_on(session: Session, day: date) -> list[Rule]:
    """The rules in force on a day, by code; of each the version that began last."""
    valid = and_(VoteRule.valid_from <= day, or_(VoteRule.valid_to.is_(None), VoteRule.valid_to >= day))
    rows = session.scalars(select(VoteRule).where(valid).order_by(VoteRule.code, VoteRule.valid_from))
    return list({row.code: stored_rule(row.terms) for row in rows}.values())


def rule_on(session: Session, code: str, day: date) -> Rule | None:
    """The version of a rule that is in force on a day."""
    return next((rule for rule in rules_on(session, day) if rule.code == code), None)


def rule_name(context: Context, code: str) -> str:
    """What a rule is called; nothing when there is none of this code."""
    found = context.session.scalars(select(VoteRule.terms).where(VoteRule.code == code).order_by(VoteRule.valid_from.desc())).first()
    return stored_rule(found).name if found else ""


def rule_versions(session: Session) -> list[tuple[VoteRule, Rule]]:
    """Every version there is, by code, the latest first."""
    rows = session.scalars(select(VoteRule).order_by(VoteRule.code, VoteRule.valid_from.desc()))
    return [(row, stored_rule(row.terms)) for row in rows]


# ---- votes -------------------------------------------------------------------------------------------------------


def vote(session: Session, vote_id: int, actor: Actor) -> Vote:
    """A vote of a unit whose rolls the actor keeps; raises `NotFound`."""
    query = select(Vote).join(Unit, Unit.id == Vote.unit_id).where(Vote.id == vote_id, kept_units(actor))
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


def votes(session: Session, actor: Actor, after: int | None = None) -> Sequence[Vote]:
    """A page of the votes the actor keeps, the latest first."""
    query = select(Vote).join(Unit, Unit.id == Vote.unit_id).where(kept_units(actor)).order_by(Vote.id.desc()).limit(PAGE)
    return session.scalars(query.where(Vote.id < after) if after else query).all()


def votes_of_matter(session: Session, matter_id: int) -> Sequence[Vote]:
    """The votes on a matter, in the order they were called."""
    return session.scalars(select(Vote).where(Vote.matter_id == matter_id).order_by(Vote.id)).all()


@dataclass(frozen=True)
class Slip:
    """What a voter's slip opens: the vote, the voter's entry, and those whose ballot the voter hands in."""

    vote: Vote
    entry: RollEntry
    principals: Sequence[RollEntry]


def slip(context: Context, code: str) -> Slip:
    """What a voting code opens; raises `UnknownCode`."""
    session, (vote_id, number) = context.session, read_code(context.sealer, code)
    found, entry = session.get(Vote, vote_id), session.get(RollEntry, (vote_id, number))
    if found is None or entry is None:
        raise UnknownCode
    return Slip(found, entry, _principals(session, entry))


def slips_of(session: Session, person_id: int) -> list[Slip]:
    """The votes under way that somebody with an account may vote in."""
    query = select(RollEntry).join(Vote, Vote.id == RollEntry.vote_id)
    found = session.scalars(query.where(RollEntry.person_id == person_id, Vote.status == Status.CALLED).order_by(Vote.ends_at)).all()
    return [Slip(session.get_one(Vote, entry.vote_id), entry, _principals(session, entry)) for entry in found]


def entry_proxy(number: int) -> str:
    """How a mandate names a proxy who is on the roll."""
    return f"entry:{number}"


def _principals(session: Session, entry: RollEntry) -> Sequence[RollEntry]:
    theirs = and_(RollEntry.vote_id == entry.vote_id, RollEntry.number == Mandate.principal)
    query = select(RollEntry).join(Mandate, and_(Mandate.vote_id == entry.vote_id, theirs))
    return session.scalars(query.where(Mandate.proxy == entry_proxy(entry.number)).order_by(RollEntry.number)).all()


@dataclass(frozen=True)
class EntryShown:
    """A roll entry as the staff of a vote sees it; it never says how somebody voted."""

    number: int
    name: str
    household: str
    heads: int
    area_dm2: int | None
    is_returned: bool
    has_attended: bool
    channel: str | None
    proxy: str | None
    paper: str | None


def entries(
    context: Context, vote_id: int, *, after: int = 0, q: str = "", outstanding: bool = False, limit: int = PAGE
) -> list[EntryShown]:
    """A page of a vote's roll, names masked."""
    query = select(RollEntry).where(RollEntry.vote_id == vote_id, RollEntry.number > after)
    if q:
        number = int(q) if q.isdecimal() and len(q) < 10 else -1
        query = query.where(or_(RollEntry.number == number, RollEntry.household.contains(q, autoescape=True)))
    if outstanding:
        query = query.where(RollEntry.is_returned.is_(False))
    return [
        EntryShown(
            e.number,
            masked_name(context.sealer.unseal(e.name)),
            e.household,
            e.heads,
            e.area_dm2,
            e.is_returned,
            e.attended_at is not None,
            e.channel,
            e.proxy,
            e.paper,
        )
        for e in context.session.scalars(query.order_by(RollEntry.number).limit(limit))
    ]


def mandates(session: Session, vote_id: int) -> Sequence[Mandate]:
    """The written mandates of a vote, by principal."""
    return session.scalars(select(Mandate).where(Mandate.vote_id == vote_id).order_by(Mandate.principal)).all()


# ---- counting ----------------------------------------------------------------------------------------------------


def count(session: Session, vote: Vote) -> Tally:
    """How the roll stands, in one query from the ballots; raises `CountDiffers`. Of a secret vote only once it is closed."""
    rows = session.execute(_secretly(vote.id) if vote.is_secret else _openly(vote.id)).all()
    marked = {row.mark: _weight(row.heads, row.area) for row in rows}
    if sum(weight.heads for weight in marked.values()) != vote.total_heads or missing(session, vote.id) or marked.keys() - set(Mark):
        raise CountDiffers
    return Tally({Mark(mark): weight for mark, weight in marked.items()})


def missing(session: Session, vote_id: int) -> int:
    """By how many the entries that have voted outnumber the ballots."""
    returned = select(func.count()).select_from(RollEntry).where(RollEntry.vote_id == vote_id, RollEntry.is_returned)
    there = select(func.count()).select_from(Ballot).where(Ballot.vote_id == vote_id)
    return (session.scalar(returned) or 0) - (session.scalar(there) or 0)


def _openly(vote_id: int) -> Select[Any]:
    theirs = and_(Ballot.vote_id == RollEntry.vote_id, Ballot.number == RollEntry.number)
    mark = case((RollEntry.is_returned, Ballot.choice), else_=_silent()).label("mark")
    return (
        select(mark, func.sum(RollEntry.heads).label("heads"), func.sum(RollEntry.area_dm2).label("area"))
        .outerjoin(Ballot, theirs)
        .where(RollEntry.vote_id == vote_id)
        .group_by(mark)
    )


def _secretly(vote_id: int) -> Any:
    cast = select(Ballot.choice.label("mark"), func.count().label("heads"), null().label("area"))
    silent = select(_silent().label("mark"), func.count().label("heads"), null().label("area"))
    return union_all(
        cast.where(Ballot.vote_id == vote_id).group_by(Ballot.choice),
        silent.where(RollEntry.vote_id == vote_id, RollEntry.is_returned.is_(False)).group_by(_silent()),
    )


def _silent() -> Any:
    marks = (literal(mark.value, String, literal_execute=True) for mark in (Mark.UNRETURNED, Mark.ATTENDED))
    absent, there = marks
    return case((RollEntry.attended_at.is_(None), absent), else_=there)


def _weight(heads: Any, area_dm2: Any) -> Weight:
    return Weight(int(heads or 0), Decimal(int(area_dm2 or 0)).scaleb(-2))


def digest(session: Session, vote: Vote) -> str:
    """Binds a vote's question, rule and roll, and every ballot; equal as long as none of them has changed."""
    said = hashlib.sha256()

    def take(*values: Any) -> None:
        said.update(orjson.dumps(values) + b"\n")

    take(vote.id, vote.question, vote.rule, _at(vote.starts_at), _at(vote.ends_at), vote.is_secret)
    entry = (RollEntry.number, RollEntry.household, RollEntry.heads, RollEntry.area_dm2, RollEntry.person_id)
    became = (RollEntry.is_returned, RollEntry.channel, RollEntry.proxy, RollEntry.returned_at)
    for row in session.execute(select(*entry, *became).where(RollEntry.vote_id == vote.id).order_by(RollEntry.number)):
        take(*row[:-1], _at(row.returned_at))
    key = Ballot.id if vote.is_secret else Ballot.number
    for ballot in session.execute(select(key, Ballot.choice).where(Ballot.vote_id == vote.id).order_by(key)):
        take(*ballot)
    return said.hexdigest()


def _at(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="microseconds") if moment else None


@dataclass(frozen=True)
class Recount:
    """What the ballots say now, beside what was announced."""

    tally: Tally
    verdict: Verdict
    digest: str
    agrees: bool


def recount(session: Session, vote_id: int) -> Recount:
    """Counts a closed vote again from its ballots; raises `NotFound` when it is not closed, `CountDiffers`."""
    found = session.get(Vote, vote_id, populate_existing=True)
    if found is None or found.status != Status.CLOSED:
        raise NotFound
    tally, bound = count(session, found), digest(session, found)
    verdict = judge(stored_rule(found.rule), tally)
    announced = (load_tally(found.tally or "{}"), found.result, found.digest)
    return Recount(tally, verdict, bound, (tally, verdict.result.value, bound) == announced)


def dump_tally(tally: Tally) -> str:
    """A tally as a vote keeps it, areas in hundredths."""
    return orjson.dumps({mark.value: [w.heads, int(w.area.scaleb(2))] for mark, w in sorted(tally.weights.items())}).decode()


def load_tally(text: str) -> Tally:
    return Tally({Mark(mark): _weight(heads, area) for mark, (heads, area) in orjson.loads(text).items()})


@dataclass(frozen=True)
class Turnout:
    """How far a vote has come. What the ballots say is shown while it runs only when they are not secret."""

    total: Weight
    returned: Weight
    attended: Weight
    by_channel: dict[str, int]
    tally: Tally | None
    verdict: Verdict | None
    outlook: Outlook | None


def turnout(session: Session, vote: Vote) -> Turnout:
    """How many have voted, by which channel, and whether that decides already."""
    grouped = (RollEntry.is_returned, RollEntry.channel, RollEntry.attended_at.is_not(None).label("there"))
    sums = (func.sum(RollEntry.heads).label("heads"), func.sum(RollEntry.area_dm2).label("area"))
    rows = session.execute(select(*grouped, *sums).where(RollEntry.vote_id == vote.id).group_by(*grouped)).all()
    shows = vote.status == Status.CLOSED or not vote.is_secret
    tally, rule = count(session, vote) if shows else None, stored_rule(vote.rule)
    return Turnout(
        sum((_weight(row.heads, row.area) for row in rows), Weight()),
        sum((_weight(row.heads, row.area) for row in rows if row.is_returned), Weight()),
        sum((_weight(row.heads, row.area) for row in rows if row.is_returned or row.there), Weight()),
        {channel.value: sum(int(row.heads) for row in rows if row.channel == channel) for channel in Channel},
        tally,
        judge(rule, tally) if tally else None,
        outlook(rule, tally) if tally else None,
    )
