"""Votes on both databases: how they are called, who may hand in what when, mandates, paper, closing and counting again."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import chain, repeat
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, select, update

from governance.context import Actor
from governance.errors import GovernanceError, NotFound, Refused
from governance.people.models import Person
from governance.rolls.commands import import_members
from governance.rolls.models import RollBook, RollMember
from governance.voting.codes import read_code, voting_code
from governance.voting.commands import (
    call_vote,
    cast_by_account,
    cast_by_code,
    cast_on_paper,
    check_terms,
    close_vote,
    count_box,
    give_mandate,
    mark_attended,
    seed_rules,
    take_paper,
    withdraw_mandate,
    write_rule,
)
from governance.voting.errors import (
    AlreadyVoted,
    BallotsUnreadable,
    CountDiffers,
    GivenToProxy,
    NotOnRoll,
    PaperIsSecret,
    UnknownCode,
    VoteClosed,
    VoteEnded,
    VoteNotBegun,
    VoteStillOpen,
)
from governance.voting.models import Ballot, RollEntry, Vote, VoteRule
from governance.voting.queries import recount, rule_on, rules_on, slip, slips_of, turnout, votes_of_matter
from governance.voting.rules import Mark, Outlook, Result, Weight, dump_rule, shipped_rules
from tests.votes import SEALER, Community, owners, residents, sheet


@pytest.fixture
def town(database: Engine) -> Community:
    return Community(database)


def refusals(town: Community, terms: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Refused) as refused:
        town.do(check_terms, terms)
    return refused.value.errors


def code(vote: Vote, number: int) -> str:
    return voting_code(SEALER, vote.id, number)


def cast(town: Community, vote: Vote, *choices: str) -> None:
    """The first so many of the roll vote so."""
    for number, choice in enumerate(choices, 1):
        town.do(cast_by_code, code(vote, number), choice)


# ---- rules -----------------------------------------------------------------------------------------------------------


def test_rules_are_seeded_once_and_versions_follow_each_other(town: Community) -> None:
    assert town.do(seed_rules) == 0
    half = next(dump_rule(rule) for rule in shipped_rules() if rule.code == "RESIDENT_MEETING")
    new = half | {"attend": [["heads", ">=", "2/3"]], "unconfirmed": "", "valid_from": "2026-04-01", "valid_to": "2026-12-31"}
    town.as_lead(write_rule, new)
    with town.work() as context:
        for day, share in ((date(2026, 3, 31), "1/2"), (date(2026, 4, 1), "2/3"), (date(2026, 12, 31), "2/3"), (date(2027, 1, 1), "1/2")):
            rule = rule_on(context.session, "RESIDENT_MEETING", day)
            assert rule and str(rule.attend[0].share) == share
        assert len(rules_on(context.session, date(2026, 5, 1))) == len(shipped_rules())
        assert rule_on(context.session, "NOBODY", date(2026, 5, 1)) is None
    with pytest.raises(Refused) as again:
        town.as_lead(write_rule, new)
    with pytest.raises(Refused) as past:
        town.as_lead(write_rule, new | {"valid_from": "2026-03-01", "pass": []})
    assert list(again.value.errors) == ["valid_from"] and set(past.value.errors) == {"valid_from", "pass"}


# ---- calling ---------------------------------------------------------------------------------------------------------


def test_the_day_of_the_notice_does_not_count(town: Community) -> None:
    book = town.book("owners", owners("80", "90"))
    terms = town.terms("OWNER_ORD", book, vote_starts_at="2026-03-17T23:59")
    assert refusals(town, terms) == {"vote_starts_at": "须提前 15 天通知，最早可从 2026-03-18 开始表决"}
    town.do(check_terms, terms | {"vote_starts_at": "2026-03-18T00:00"})
    committee = town.book("committee", residents(3))
    town.do(check_terms, town.terms("STREET_JOINT", committee, vote_starts_at="2026-03-02T09:00"))


def test_everything_that_is_wrong_is_said_at_its_field(town: Community) -> None:
    owned, empty = town.book("owners", owners("80", "", "90", "")), town.book("residents", residents(1))
    town.do(lambda context: context.session.execute(delete(RollMember).where(RollMember.book_id == empty.id)))
    nothing = dict.fromkeys(("vote_rule", "roll_book", "vote_question", "vote_starts_at", "vote_ends_at", "is_secret"))
    assert set(refusals(town, nothing)) == {"vote_rule", "roll_book", "vote_question", "vote_starts_at", "vote_ends_at"}
    assert refusals(town, town.terms("OWNER_ORD", owned)) == {"roll_book": "第 2 号没有登记面积，共 2 人没有，不能按面积计票"}
    assert refusals(town, town.terms("RESIDENT_MEETING", owned)) == {"roll_book": "“居民会议”应使用居民名册"}
    assert refusals(town, town.terms("RESIDENT_MEETING", empty)) == {"roll_book": "名册里还没有人"}
    secret = refusals(town, town.terms("OWNER_ORD", owned, is_secret=True))
    assert secret["is_secret"] == "按面积计票的表决，选票上的面积会暴露投票人，不能秘密表决"
    backwards = town.terms("INTERESTED_UNANIMOUS", owned, vote_ends_at=town.now.isoformat(), is_secret="true")
    assert set(refusals(town, backwards)) == {"vote_ends_at", "is_secret"}
    town.do(check_terms, town.terms("INTERESTED_UNANIMOUS", owned))
    town.do(lambda context: context.session.execute(update(RollBook).values(valid_to=date(2026, 3, 1))))
    assert list(refusals(town, town.terms("OWNER_ORD", owned))) == ["roll_book"]
    town.do(lambda context: context.session.execute(update(VoteRule).values(valid_to=date(2026, 3, 1))))
    assert set(refusals(town, town.terms("OWNER_ORD", owned))) == {"roll_book", "vote_rule"}


def test_a_secret_vote_needs_one_head_each(town: Community) -> None:
    book = town.book("residents", residents(3))
    town.do(lambda context: context.session.execute(update(RollMember).where(RollMember.number == 2).values(heads=2)))
    assert refusals(town, town.terms("RESIDENT_MEETING", book, is_secret=True)) == {"roll_book": "秘密表决要求一人一票，名册中有人不止一票"}


def test_a_contradictory_rule_calls_no_vote(town: Community) -> None:
    book = town.book("residents", residents(1))
    broken = '{"code":"RESIDENT_MEETING","name":"居民会议","roll_kind":"residents","pass":[["heads","total",">","1"]]}'
    town.do(lambda context: context.session.execute(update(VoteRule).where(VoteRule.code == "RESIDENT_MEETING").values(terms=broken)))
    assert refusals(town, town.terms("RESIDENT_MEETING", book)) == {"vote_rule": "表决规则“居民会议”自相矛盾，请先修改规则"}


def test_the_roll_and_the_rule_are_frozen(town: Community) -> None:
    vote = town.vote("OWNER_ORD", owners("80.5", "90", "100"), "owners")
    assert (vote.total_heads, vote.total_area_dm2, vote.matter_id) == (3, 27050, 7)
    with town.work() as context:
        book = context.session.get_one(RollBook, vote.book_id)
        import_members(context, town.lead(context), book, sheet(owners("1")))
        rows = context.session.scalars(select(RollEntry).order_by(RollEntry.number)).all()
        assert [(e.number, e.household, e.area_dm2, e.is_returned) for e in rows] == [
            (1, "1-101", 8050, False),
            (2, "2-201", 9000, False),
            (3, "3-301", 10000, False),
        ]
        assert context.sealer.unseal(rows[0].name) == "业主1"
        assert [v.id for v in votes_of_matter(context.session, 7)] == [vote.id]


def test_a_roll_of_twenty_thousand_is_frozen_by_one_statement(town: Community) -> None:
    book = town.book("residents", [f"居民{i},,,,," for i in range(20_000)])
    vote = town.do(call_vote, town.terms("RESIDENT_MEETING", book), matter_id=None, stage="resolution")
    with town.work() as context:
        assert context.session.scalar(select(func.count()).select_from(RollEntry)) == 20_000 == vote.total_heads


# ---- codes -----------------------------------------------------------------------------------------------------------


def test_a_code_is_long_fits_an_address_and_cannot_be_made_up(town: Community) -> None:
    vote = town.vote("RESIDENT_MEETING", residents(3))
    mine = code(vote, 1)
    assert len(mine) == 36 and mine.replace("-", "").replace("_", "").isalnum()
    assert read_code(SEALER, mine) == (vote.id, 1)
    forged = [
        mine[:-1] + ("A" if mine[-1] != "A" else "B"),
        mine[:16] + code(vote, 2)[16:],
        mine[:-4],
        mine + "AAAA",
        "",
        "票" * 36,
        "=" * 36,
    ]
    for wrong in [*forged, code(replace_id(vote, 5), 1), code(vote, 4)]:
        with pytest.raises(UnknownCode):
            town.do(slip, wrong)
        with pytest.raises(GovernanceError):
            town.do(cast_by_code, wrong, "yes")
    with town.work() as context:
        assert context.session.scalar(select(func.count()).select_from(Ballot)) == 0


def replace_id(vote: Vote, vote_id: int) -> Vote:
    return Vote(id=vote_id)


# ---- handing in ------------------------------------------------------------------------------------------------------


def test_a_ballot_is_taken_once_and_only_in_time(town: Community) -> None:
    vote = town.vote("RESIDENT_MEETING", residents(3))
    town.now = vote.starts_at - timedelta(seconds=1)
    with pytest.raises(VoteNotBegun):
        cast(town, vote, "yes")
    town.now = vote.starts_at
    cast(town, vote, "yes")
    with pytest.raises(AlreadyVoted):
        cast(town, vote, "no")
    for choice in ("invalid", "maybe", ""):
        with pytest.raises(Refused):
            town.do(cast_by_code, code(vote, 2), choice)
    town.now = vote.ends_at
    with pytest.raises(VoteEnded):
        town.do(cast_by_code, code(vote, 2), "yes")
    town.do(close_vote, vote.id)
    with pytest.raises(VoteClosed):
        town.do(cast_by_code, code(vote, 2), "yes")
    with town.work() as context:
        assert [(b.number, b.choice) for b in context.session.scalars(select(Ballot))] == [(1, "yes")]
        entry = context.session.get_one(RollEntry, (vote.id, 1))
        assert (entry.channel, entry.returned_at, entry.entered_by) == ("online", vote.starts_at, None)


def test_who_is_signed_in_votes_as_the_entry_says(town: Community) -> None:
    vote = town.vote("PARTY_MEETING", residents(3), "party_members")
    with town.work() as context:
        context.session.add(Person(id=50, name="党员"))
        context.session.flush()
        context.session.execute(update(RollEntry).where(RollEntry.number == 2).values(person_id=50))
    member = Actor(50, "党员", None, ())
    town.do(cast_by_account, member, vote.id, "abstain")
    with pytest.raises(AlreadyVoted):
        town.do(cast_by_account, member, vote.id, "abstain")
    for wrong in (town.lead, lambda _: replace(member, person_id=51)):
        with pytest.raises(NotOnRoll), town.work() as context:
            cast_by_account(context, wrong(context), vote.id, "yes")
    with pytest.raises(NotOnRoll):
        town.do(cast_by_account, member, 12345, "yes")
    with town.work() as context:
        assert [(s.vote.id, s.entry.number, s.entry.channel) for s in slips_of(context.session, 50)] == [(vote.id, 2, "account")]


def test_paper_is_entered_by_the_staff_of_the_vote(town: Community) -> None:
    vote = town.vote("RESIDENT_MEETING", residents(3))
    town.as_lead(cast_on_paper, vote.id, 1, "invalid", "9f" * 32)
    with pytest.raises(AlreadyVoted):
        town.as_lead(cast_on_paper, vote.id, 1, "yes")
    with pytest.raises(AlreadyVoted):
        cast(town, vote, "yes")
    with pytest.raises(NotOnRoll):
        town.as_lead(cast_on_paper, vote.id, 9, "yes")
    with pytest.raises(Refused):
        town.as_lead(cast_on_paper, vote.id, 2, "perhaps")
    with pytest.raises(NotFound):
        town.do(cast_on_paper, Actor(9, "别人", None, ()), vote.id, 2, "yes")
    with pytest.raises(Refused):
        town.as_lead(take_paper, vote.id, 2)
    with pytest.raises(Refused):
        town.as_lead(count_box, vote.id, {"yes": 1})
    with town.work() as context:
        entry = context.session.get_one(RollEntry, (vote.id, 1))
        assert (entry.channel, entry.paper, entry.entered_by) == ("paper", "9f" * 32, town.lead_id)


# ---- mandates --------------------------------------------------------------------------------------------------------


def refused_mandate(town: Community, vote: Vote, principal: int, **proxy: Any) -> dict[str, str]:
    with pytest.raises(Refused) as refused:
        town.as_lead(give_mandate, vote.id, principal, **proxy)
    return refused.value.errors


def test_a_proxy_hands_in_the_ballot_of_the_principal(town: Community) -> None:
    vote = town.vote("OWNER_ORD", owners("80", "90", "100", "110", "120"), "owners")
    town.as_lead(give_mandate, vote.id, 2, proxy_number=1, paper="ab" * 32)
    assert refused_mandate(town, vote, 2, proxy_number=3) == {"principal": "第 2 号已经委托了他人，请先撤回"}
    assert refused_mandate(town, vote, 3, proxy_number=1) == {"proxy": "每人最多接受 1 人委托，此人已有 1 人"}
    assert refused_mandate(town, vote, 3, proxy_number=3) == {"proxy": "不能委托自己"}
    assert refused_mandate(town, vote, 3, proxy_number=2) == {"proxy": "第 2 号自己已委托他人，不能再接受委托"}
    assert refused_mandate(town, vote, 3, proxy_number=9) == {"proxy": "名册中没有第 9 号"}
    assert refused_mandate(town, vote, 9, proxy_number=1) == {"principal": "名册中没有第 9 号"}
    assert refused_mandate(town, vote, 3, proxy_name="外人", proxy_mobile="1") == {"proxy": "请填写受托人的序号，或者姓名和手机"}
    with pytest.raises(GivenToProxy):
        town.do(cast_by_code, code(vote, 2), "yes")
    with pytest.raises(NotOnRoll):
        town.do(cast_by_code, code(vote, 3), "yes", for_number=2)
    with pytest.raises(NotOnRoll):
        town.do(cast_by_code, code(vote, 1), "yes", for_number=3)
    with town.work() as context:
        assert [e.number for e in slip(context, code(vote, 1)).principals] == [2]
    town.do(cast_by_code, code(vote, 1), "yes")
    town.do(cast_by_code, code(vote, 1), "no", for_number=2)
    with pytest.raises(AlreadyVoted):
        town.do(cast_by_code, code(vote, 1), "no", for_number=2)
    with pytest.raises(AlreadyVoted):
        town.as_lead(withdraw_mandate, vote.id, 2)
    assert refused_mandate(town, vote, 1, proxy_number=3) == {"principal": "第 1 号已经投票，不能再委托"}
    town.as_lead(give_mandate, vote.id, 4, proxy_name="外人", proxy_mobile="13700000000")
    assert list(refused_mandate(town, vote, 5, proxy_name="外人", proxy_mobile="13700000000")) == ["proxy"]
    town.as_lead(withdraw_mandate, vote.id, 4)
    with pytest.raises(NotFound):
        town.as_lead(withdraw_mandate, vote.id, 4)
    town.as_lead(give_mandate, vote.id, 5, proxy_name="外人", proxy_mobile="13700000000")
    town.as_lead(cast_on_paper, vote.id, 5, "yes")
    town.do(cast_by_code, code(vote, 4), "yes")
    with town.work() as context:
        channels = context.session.execute(select(RollEntry.number, RollEntry.channel).order_by(RollEntry.number)).all()
        assert [tuple(row) for row in channels] == [(1, "online"), (2, "proxy"), (3, None), (4, "online"), (5, "proxy")]


def test_where_the_rule_knows_no_proxies_there_are_none(town: Community) -> None:
    vote = town.vote("PARTY_MEETING", residents(3), "party_members")
    assert refused_mandate(town, vote, 1, proxy_number=2) == {"proxy": "这次表决的规则不允许委托他人"}


# ---- closing ---------------------------------------------------------------------------------------------------------


def test_closing_counts_once_and_says_the_same_again(town: Community) -> None:
    vote = town.vote("OWNER_ORD", owners("80", "90.25", "100"), "owners")
    cast(town, vote, "yes", "yes")
    with pytest.raises(VoteStillOpen):
        town.do(close_vote, vote.id)
    town.as_lead(cast_on_paper, vote.id, 3, "no")
    outcome = town.do(close_vote, vote.id)
    assert outcome.result is Result.PASSED, "everybody has voted, so it may be closed early"
    assert outcome.tally[Mark.YES].area == outcome.tally.sum(Mark).area - 100
    assert outcome.summary.endswith("；表决通过")
    town.now = vote.ends_at + timedelta(days=1)
    assert town.do(close_vote, vote.id) == outcome
    with town.work() as context:
        counted = recount(context.session, vote.id)
        assert counted.agrees and counted.digest == outcome.digest and counted.verdict == outcome.verdict
    with pytest.raises(NotFound):
        town.do(close_vote, 5)
    with pytest.raises(NotFound), town.work() as context:
        recount(context.session, 5)


def test_too_few_make_no_quorum(town: Community) -> None:
    vote = town.vote("RESIDENT_MEETING", residents(4))
    cast(town, vote, "yes", "yes")
    assert town.as_lead(mark_attended, vote.id, [1, 2]) == 2
    town.now = vote.ends_at
    assert town.do(close_vote, vote.id).result is Result.NO_QUORUM
    again = town.vote("RESIDENT_MEETING", residents(4))
    cast(town, again, "yes", "yes")
    assert town.as_lead(mark_attended, again.id, [2, 3, 99]) == 2
    town.now = again.ends_at
    assert town.do(close_vote, again.id).result is Result.PASSED, "the third has come, so that two of three agree"
    with pytest.raises(VoteClosed):
        town.as_lead(mark_attended, again.id, [4])


@pytest.mark.parametrize("secret", [False, True])
def test_a_recount_notices_what_was_changed(town: Community, secret: bool) -> None:
    vote = town.vote("RESIDENT_MEETING", residents(5), is_secret=secret)
    cast(town, vote, "yes", "yes", "no", "abstain")
    town.now = vote.ends_at
    town.do(close_vote, vote.id)
    first = select(Ballot.id).order_by(Ballot.id).limit(1).scalar_subquery()
    for forged in (
        update(Ballot).where(Ballot.id == first).values(choice="invalid"),
        update(RollEntry).where(RollEntry.number == 5).values(household="别处"),
        update(Vote).values(question="是否同意拆除三号楼？"),
    ):
        with town.work() as context:
            assert recount(context.session, vote.id).agrees
            context.session.execute(forged)
            assert not recount(context.session, vote.id).agrees
            context.session.rollback()
    for forged in (delete(Ballot).where(Ballot.id == first), update(RollEntry).where(RollEntry.number == 5).values(is_returned=True)):
        with town.work() as context:
            context.session.execute(forged)
            with pytest.raises(CountDiffers):
                recount(context.session, vote.id)
            context.session.rollback()


def test_turnout_tells_of_a_secret_vote_only_who_took_part(town: Community) -> None:
    open_vote = town.vote("RESIDENT_MEETING", residents(4))
    cast(town, open_vote, "yes", "yes", "yes")
    secret = town.vote("RESIDENT_MEETING", residents(4), is_secret=True)
    cast(town, secret, "yes", "yes", "yes")
    with town.work() as context:
        seen = turnout(context.session, context.session.get_one(Vote, open_vote.id))
        assert (seen.total, seen.returned, seen.outlook, seen.by_channel["online"]) == (Weight(4), Weight(3), Outlook.CERTAIN, 3)
        hidden = turnout(context.session, context.session.get_one(Vote, secret.id))
        assert (hidden.returned, hidden.tally, hidden.verdict, hidden.outlook) == (Weight(3), None, None, None)
    town.now = secret.ends_at
    town.do(close_vote, secret.id)
    with town.work() as context:
        shown = turnout(context.session, context.session.get_one(Vote, secret.id))
        assert shown.tally and shown.tally[Mark.YES] == Weight(3)


# ---- secrecy ---------------------------------------------------------------------------------------------------------


def test_the_box_of_a_secret_vote(town: Community) -> None:
    vote = town.vote("RESIDENT_MEETING", residents(6), is_secret=True)
    cast(town, vote, "yes")
    with pytest.raises(PaperIsSecret):
        town.as_lead(cast_on_paper, vote.id, 2, "yes")
    for number in (2, 3, 4):
        town.as_lead(take_paper, vote.id, number)
    with pytest.raises(AlreadyVoted):
        town.as_lead(take_paper, vote.id, 4)
    for wrong in ({"yes": 4}, {"yes": -1}, {"maybe": 1}):
        with pytest.raises(Refused):
            town.as_lead(count_box, vote.id, wrong)
    town.as_lead(count_box, vote.id, {"yes": 1, "no": 1})
    with pytest.raises(Refused):
        town.as_lead(count_box, vote.id, {"yes": 2})
    town.now = vote.ends_at
    tally = town.do(close_vote, vote.id).tally
    assert {mark: weight.heads for mark, weight in tally.weights.items()} == {
        Mark.YES: 2,
        Mark.NO: 1,
        Mark.INVALID: 1,
        Mark.UNRETURNED: 2,
    }, "one ballot that was handed out was not in the box"


def test_another_secret_opens_no_box(town: Community) -> None:
    vote = town.vote("RESIDENT_MEETING", residents(2), is_secret=True)
    cast(town, vote, "yes", "no")
    town.do(lambda context: context.session.execute(update(Ballot).values(choice=SEALER.seal(f"{vote.id + 1:019d}:yes"))))
    town.now = vote.ends_at
    with pytest.raises(BallotsUnreadable):
        town.do(close_vote, vote.id)


def test_a_ballot_is_judged_by_the_moment_it_came(town: Community) -> None:
    vote = town.vote("RESIDENT_MEETING", residents(2))
    moments = chain([vote.starts_at - timedelta(microseconds=1)], repeat(vote.starts_at))
    with pytest.raises(VoteNotBegun):
        town.do(lambda context: cast_by_code(replace(context, now=lambda: next(moments)), code(vote, 1), "yes"))


# ---- at once ---------------------------------------------------------------------------------------------------------


def at_once(acts: Sequence[Any]) -> list[Any]:
    """What became of acts that begin together."""
    barrier, ends = threading.Barrier(len(acts)), [None] * len(acts)

    def run(n: int) -> None:
        barrier.wait()
        try:
            ends[n] = acts[n]()
        except Exception as error:
            ends[n] = type(error)  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def test_of_many_at_once_one_is_first(town: Community) -> None:
    vote = town.vote("RESIDENT_MEETING", residents(2))
    ends = at_once([lambda: town.do(cast_by_code, code(vote, 1), "yes")] * 12)
    assert ends.count(vote.id) == 1 and ends.count(AlreadyVoted) == 11


def test_closing_waits_for_ballots_under_way_and_none_comes_after(town: Community) -> None:
    vote = town.vote("RESIDENT_MEETING", residents(12))
    started, town.now = vote.starts_at, vote.ends_at
    early = Community.__new__(Community)
    early.__dict__ |= {**town.__dict__, "now": started}
    casters = [lambda n=n: early.do(cast_by_code, code(vote, n), "yes") for n in range(1, 13)]
    ends = at_once([*casters, lambda: town.do(close_vote, vote.id)])
    assert set(ends[:-1]) <= {vote.id, VoteClosed}
    outcome = ends[-1]
    assert outcome.tally[Mark.YES].heads == ends[:-1].count(vote.id)
    with town.work() as context:
        assert recount(context.session, vote.id).agrees


def test_of_mandates_at_once_no_more_than_the_limit_hold(town: Community) -> None:
    vote = town.vote("OWNER_ORD", owners(*["80"] * 8), "owners")
    ends = at_once([lambda n=n: town.as_lead(give_mandate, vote.id, n, proxy_number=1) and None for n in range(2, 9)])
    assert ends.count(None) == 1 and ends.count(Refused) == 6
