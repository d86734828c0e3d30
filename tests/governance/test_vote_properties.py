"""What holds of every vote: the count is that of the ballots, and of a secret one nothing stored joins a voter with a choice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text

from governance.base import Base
from governance.voting.codes import voting_code
from governance.voting.commands import cast_by_code, cast_on_paper, close_vote, mark_attended
from governance.voting.models import Ballot, RollEntry, Vote
from governance.voting.queries import recount
from governance.voting.rules import Choice, Mark, Weight
from tests.votes import SEALER, Community, owners, residents

SLOW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
marks = st.lists(st.sampled_from([*Mark]), min_size=1, max_size=12)
areas = st.lists(st.decimals(1, 9999, places=2), min_size=12, max_size=12)


@pytest.fixture
def town(database: Engine) -> Community:
    return Community(database)


def handed_in(town: Community, vote: Vote, marks: list[Mark]) -> None:
    for number, mark in enumerate(marks, 1):
        if mark is Mark.ATTENDED:
            town.as_lead(mark_attended, vote.id, [number])
        elif mark is Mark.INVALID:
            town.as_lead(cast_on_paper, vote.id, number, "invalid")
        elif mark is not Mark.UNRETURNED:
            town.do(cast_by_code, voting_code(SEALER, vote.id, number), mark.value)


@SLOW
@given(marks=marks, areas=areas)
def test_the_count_is_that_of_the_ballots(town: Community, marks: list[Mark], areas: list[Any]) -> None:
    vote = town.vote("OWNER_ORD", owners(*map(str, areas[: len(marks)])), "owners")
    handed_in(town, vote, marks)
    town.now = vote.ends_at
    outcome = town.do(close_vote, vote.id)
    expected: dict[Mark, Weight] = {}
    for mark, area in zip(marks, areas, strict=False):
        expected[mark] = expected.get(mark, Weight()) + Weight(1, area)
    assert outcome.tally.weights == expected
    with town.work() as context:
        counted = recount(context.session, vote.id)
        assert counted.agrees and counted.tally == outcome.tally and counted.verdict.passed == outcome.verdict.passed


# ---- secrecy ---------------------------------------------------------------------------------------------------------

VOTERS = 60


@pytest.fixture
def secret(town: Community) -> Iterator[tuple[Community, Vote, dict[int, str]]]:
    """A secret vote in which the order of handing in is not that of the roll."""
    vote = town.vote("RESIDENT_MEETING", residents(VOTERS), is_secret=True)
    chance = Random(7)
    numbers = chance.sample(range(1, VOTERS + 1), VOTERS - 5)
    said = {number: chance.choice(["yes", "no", "abstain"]) for number in numbers}
    for number, choice in said.items():
        town.do(cast_by_code, voting_code(SEALER, vote.id, number), choice)
    yield town, vote, said


def rows(town: Community, table: str, more: str = "") -> list[dict[str, Any]]:
    with town.work() as context:
        return [dict(row) for row in context.session.execute(text(f"SELECT *{more} FROM {table}")).mappings()]


def test_before_the_close_the_database_alone_tells_no_choice(secret: tuple[Community, Vote, dict[int, str]]) -> None:
    town, vote, said = secret
    ballots = rows(town, "ballots")
    assert len(ballots) == len(said)
    assert len({b["choice"] for b in ballots}) == len(ballots) and len({len(b["choice"]) for b in ballots}) == 1
    assert not {b["choice"] for b in ballots} & set(Choice)
    assert len({b["choice"][:10] for b in ballots}) == 1, "a sealed text says when it was sealed; these all say the same"
    assert {b["number"] for b in ballots} == {None}
    entries = [e for e in rows(town, "roll_entries") if e["is_returned"]]
    assert {(e["returned_at"], e["channel"]) for e in entries} == {(None, "online")}
    assert vote.is_secret


def test_after_the_close_nothing_stored_joins_entry_and_ballot(secret: tuple[Community, Vote, dict[int, str]], tmp_path: Path) -> None:
    town, vote, said = secret
    postgres = town.database.dialect.name == "postgresql"
    town.now = vote.ends_at
    outcome = town.do(close_vote, vote.id)
    assert Counter(said.values()) == {mark.value: outcome.tally[mark].heads for mark in (Mark.YES, Mark.NO, Mark.ABSTAIN)}
    hidden = ", xmin::text AS born, cmin::text AS step, ctid::text AS place" if postgres else ""
    ballots, entries = rows(town, "ballots", hidden), rows(town, "roll_entries", hidden)
    voted = [e for e in entries if e["is_returned"]]
    assert set(ballots[0]) & set(entries[0]) == {"vote_id", "number", *(["born", "step", "place"] if postgres else [])}
    assert {b["number"] for b in ballots} == {None} and {b["vote_id"] for b in ballots} == {vote.id}
    values = {str(value) for entry in voted for name, value in entry.items() if name not in ("vote_id", "place", "born", "step")}
    assert not values & {str(b["id"]) for b in ballots}
    assert {tuple(e[name] for name in ("returned_at", "attended_at", "paper", "entered_by", "channel")) for e in voted} == {
        (None, None, None, None, "online")
    }
    assert [b["id"] for b in ballots] == sorted(b["id"] for b in ballots), "they lie in the order of chance"
    assert [e["number"] for e in entries] == sorted(e["number"] for e in entries), "and these in that of the roll"
    if postgres:
        assert len({row["born"] for row in [*ballots, *entries]}) == 1, "one transaction wrote them all"
    in_roll = [said[e["number"]] for e in voted]
    in_time = list(said.values())
    lying = [b["choice"] for b in ballots]
    assert lying not in (in_roll, in_time, in_roll[::-1], in_time[::-1])


def test_no_table_has_a_column_that_names_both(database: Engine) -> None:
    """Whatever names a voter of a vote is not in the table of ballots, and no other table names a ballot."""
    ballots = Base.metadata.tables["ballots"]
    assert {column.name for column in ballots.columns} == {"vote_id", "id", "number", "choice"}
    assert [table.name for table in Base.metadata.sorted_tables for key in table.foreign_keys if key.column.table is ballots] == []
    assert database.dialect.name in ("sqlite", "postgresql")


def test_what_is_open_says_who_voted_how(town: Community) -> None:
    vote = town.vote("RESIDENT_MEETING", residents(3))
    town.do(cast_by_code, voting_code(SEALER, vote.id, 2), "no")
    with town.work() as context:
        joined = select(RollEntry.household, Ballot.choice).join(Ballot, Ballot.number == RollEntry.number)
        assert len(context.session.execute(joined).all()) == 1
