"""What a vote decides: every shipped rule at each of its thresholds, what cannot be meant, what is certain early."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import Refused
from governance.rolls.rules import RollKind
from governance.voting.rules import (
    OUTSTANDING,
    Base,
    Mark,
    Measure,
    Outlook,
    Result,
    Rule,
    Sign,
    Tally,
    Threshold,
    Weight,
    contradictions,
    dump_rule,
    in_words,
    judge,
    outlook,
    read_rule,
    shipped_rules,
    summary,
    tally_opinions,
)

SHIPPED = {rule.code: rule for rule in shipped_rules()}


def stood(total: Weight, came: Weight, yes: Weight, missing: Mark = Mark.UNRETURNED) -> Tally:
    """A tally of so many, of whom so many voted, of whom so many agreed."""
    rest = Weight(total.heads - came.heads, total.area - came.area)
    return Tally({Mark.YES: yes, Mark.NO: Weight(came.heads - yes.heads, came.area - yes.area), missing: rest})


@pytest.mark.parametrize(
    ("code", "part", "yes", "quorum", "passed"),
    [
        ("OWNER_ORD", (200, 20000), (101, 10001), True, True),
        ("OWNER_ORD", (200, 20000), (100, 10001), True, False),
        ("OWNER_ORD", (200, 20000), (101, 10000), True, False),
        ("OWNER_ORD", (199, 25000), (199, 25000), False, False),
        ("OWNER_SPEC", (200, 20000), (150, 15000), True, True),
        ("OWNER_SPEC", (200, 20000), (150, 14999), True, False),
        ("OWNER_SPEC", (200, 20000), (149, 15000), True, False),
        ("OWNER_ORD", (240, 19999), (240, 19999), False, False),
        ("OWNER_ORD", (200, 20000), (101, "10000.01"), True, True),
    ],
)
def test_the_vectors_of_the_law(code: str, part: tuple[int, int], yes: tuple[int, Any], quorum: bool, passed: bool) -> None:
    tally = stood(Weight(300, Decimal(30000)), Weight(part[0], Decimal(part[1])), Weight(yes[0], Decimal(yes[1])))
    verdict = judge(SHIPPED[code], tally)
    assert (verdict.quorum, verdict.passed) == (quorum, passed)


def least(threshold: Threshold, whole: int) -> int:
    """The fewest that meet a threshold."""
    wanted = threshold.share * whole
    return floor(wanted) + 1 if threshold.sign is Sign.MORE else ceil(wanted)


@pytest.mark.parametrize("code", SHIPPED)
@pytest.mark.parametrize("total", [1, 2, 3, 7, 12, 99, 300, 301])
def test_a_shipped_rule_turns_exactly_at_its_thresholds(code: str, total: int) -> None:
    """Heads and area move together here, one each."""
    rule = SHIPPED[code]

    def each(n: int) -> Weight:
        return Weight(n, Decimal(n))

    came = max((least(t, total) for t in rule.attend), default=total)
    bases = {Base.TOTAL: total, Base.INTERESTED: total, Base.PARTICIPATING: came, Base.PRESENT: came}
    yes = max(least(t, bases[t.base]) for t in rule.passing)
    if yes <= came:
        assert judge(rule, stood(each(total), each(came), each(yes))).result is Result.PASSED
    assert not judge(rule, stood(each(total), each(came), each(min(yes - 1, came)))).passed
    if rule.attend:
        assert judge(rule, stood(each(total), each(came), each(0))).result is Result.FAILED
        assert judge(rule, stood(each(total), each(came - 1), each(came - 1))).result is Result.NO_QUORUM


@pytest.mark.parametrize("code", [code for code, rule in SHIPPED.items() if rule.needs_area])
def test_heads_and_area_must_each_suffice(code: str) -> None:
    rule, total = SHIPPED[code], Weight(300, Decimal(30000))
    for heads, area in product((199, 200), (Decimal("19999.99"), Decimal(20000))):
        came = Weight(heads, area)
        assert judge(rule, stood(total, came, came)).quorum == (heads >= 200 and area >= 20000)


def test_abstention_and_invalid_ballots_count_as_the_rule_says() -> None:
    owners, residents = SHIPPED["OWNER_ORD"], SHIPPED["RESIDENT_MEETING"]
    weights = {Mark.YES: Weight(5, Decimal(5)), Mark.ABSTAIN: Weight(4, Decimal(4)), Mark.INVALID: Weight(3, Decimal(3))}
    assert judge(owners, Tally(weights)).passed, "5 of 9 who took part; an invalid ballot takes no part, and 9 of 12 came"
    assert not judge(residents, Tally(weights)).passed, "5 of 12 who are present"
    strict = replace(owners, participating=owners.participating | {Mark.INVALID})
    assert not judge(strict, Tally(weights)).passed
    there = Tally({Mark.YES: Weight(2), Mark.ATTENDED: Weight(2), Mark.UNRETURNED: Weight(3)})
    assert judge(residents, there).result is Result.FAILED, "who came and handed nothing in is present, and no yes"


def test_of_nobody_no_share_is_met() -> None:
    for rule in shipped_rules():
        assert not judge(rule, Tally()).passed
        assert not judge(rule, Tally({Mark.UNRETURNED: Weight(9, Decimal(9))})).passed


def test_what_is_certain_early() -> None:
    rule = SHIPPED["RESIDENT_MEETING"]

    def of(yes: int, no: int, rest: int) -> Outlook:
        return outlook(rule, Tally({Mark.YES: Weight(yes), Mark.NO: Weight(no), Mark.UNRETURNED: Weight(rest)}))

    assert of(6, 0, 5) is Outlook.CERTAIN
    assert of(5, 0, 6) is Outlook.OPEN
    assert of(0, 6, 5) is Outlook.IMPOSSIBLE
    assert of(0, 5, 6) is Outlook.OPEN
    interested = SHIPPED["INTERESTED_UNANIMOUS"]
    assert outlook(interested, Tally({Mark.NO: Weight(1), Mark.UNRETURNED: Weight(9)})) is Outlook.IMPOSSIBLE
    assert outlook(interested, Tally({Mark.YES: Weight(10)})) is Outlook.CERTAIN


def test_numbers_are_shown_with_their_condition() -> None:
    tally = stood(Weight(300, Decimal(30000)), Weight(200, Decimal(20000)), Weight(101, Decimal("10000.50")))
    words = [condition.words for condition in judge(SHIPPED["OWNER_ORD"], tally).conditions]
    assert words == [
        "参与表决的人数占全体 200/300 ≥ 2/3",
        "参与表决的专有部分面积占全体 20000/30000 ≥ 2/3",
        "同意的人数占参与表决者 101/200 > 1/2",
        "同意的专有部分面积占参与表决者 10000.5/20000 > 1/2",
    ]
    assert summary(SHIPPED["OWNER_ORD"], tally) == (
        "应参加 300 人，参与表决 200 人；同意 101 人，反对 99 人，弃权 0 人，无效 0 人，未表决 100 人；"
        "全体专有部分面积 30000 平方米，参与表决 20000 平方米；同意 10000.5 平方米，反对 9999.5 平方米，弃权 0 平方米，无效 0 平方米；表决通过"
    )
    assert in_words(SHIPPED["INTERESTED_UNANIMOUS"]) == ("同意的人数须占有利害关系的业主的百分之百",)
    assert in_words(SHIPPED["PARTY_MEETING"]) == ("到会的人数须达到全体的 2/3", "同意的人数须超过全体的 1/2")


# ---- rules that cannot be meant --------------------------------------------------------------------------------------


def changed(**fields: Any) -> Rule:
    return replace(SHIPPED["RESIDENT_MEETING"], **fields)


def limit(sign: str, share: Fraction | int, measure: str = "heads", base: str = "total") -> Threshold:
    return Threshold(Measure(measure), Base(base), Sign(sign), Fraction(share))


HALF = Fraction(1, 2)


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (changed(attend=(limit(">=", 0),)), "attend"),
        (changed(attend=(limit(">=", Fraction(4, 3)),)), "attend"),
        (changed(attend=(limit(">", 1),)), "attend"),
        (changed(attend=(limit("==", HALF),)), "attend"),
        (changed(attend=(limit(">", HALF, base="present"),)), "attend"),
        (changed(attended_by=Base.TOTAL), "attend"),
        (changed(passing=()), "pass"),
        (changed(passing=(limit(">", HALF), limit("==", 1))), "pass"),
        (changed(participating=frozenset({Mark.YES})), "participating"),
        (changed(present=frozenset(Mark)), "present"),
        (changed(notice_days=-1), "notice_days"),
        (changed(publish_days=-1), "publish_days"),
        (changed(proxy_limit=-1), "proxy_limit"),
        (changed(proxy_limit=1, roll_kind=RollKind.PARTY_MEMBERS), "proxy_limit"),
        (replace(SHIPPED["OWNER_ORD"], may_be_secret=True), "may_be_secret"),
        (replace(SHIPPED["OWNER_ORD"], roll_kind=RollKind.RESIDENTS), "roll_kind"),
        (changed(valid_from=date(2026, 2, 1), valid_to=date(2026, 1, 31)), "valid_to"),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused_at_the_field(rule: Rule, field: str) -> None:
    assert list(contradictions(rule)) == [field]


def test_the_shipped_rules_contradict_nothing_and_keep_their_words() -> None:
    for rule in shipped_rules():
        assert contradictions(rule) == {}
        assert read_rule(dump_rule(rule)) == rule
        assert rule.source
    assert all("待法务确认" in SHIPPED[code].unconfirmed for code in ("RESIDENT_MEETING", "RESIDENT_HOUSEHOLDS", "RESIDENT_REPS"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"code": "x" * 41}, "code"),
        ({"roll_kind": "guests"}, "roll_kind"),
        ({"attend": [["heads", ">"]]}, "attend"),
        ({"attend": "heads"}, "attend"),
        ({"pass": [["heads", "nobody", ">", "1/2"]]}, "pass"),
        ({"pass": [["noses", "total", ">", "1/2"]]}, "pass"),
        ({"pass": [["heads", "total", "<", "1/2"]]}, "pass"),
        ({"pass": [["heads", "total", ">", "0.5"]]}, "pass"),
        ({"pass": [["heads", "total", ">", "1/0"]]}, "pass"),
        ({"participating": ["maybe"]}, "participating"),
        ({"notice_days": "soon"}, "notice_days"),
        ({"valid_from": "2026-13-01"}, "valid_from"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused_at_the_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        read_rule(dump_rule(SHIPPED["RESIDENT_MEETING"]) | change)
    assert list(refused.value.errors) == [field]


def test_opinions_are_counted_by_the_same_rules() -> None:
    majority, everybody = SHIPPED["COUNTERSIGN_MAJORITY"], SHIPPED["COUNTERSIGN"]
    assert judge(majority, tally_opinions(["yes", "yes", "no"], 3)).passed
    assert not judge(majority, tally_opinions(["yes", "yes"], 4)).passed, "silence is no yes"
    assert not judge(everybody, tally_opinions(["yes", "yes", "abstain"], 3)).passed
    assert judge(everybody, tally_opinions(["yes", "yes", "yes"], 3)).passed
    assert tally_opinions(["certainly"], 1)[Mark.INVALID] == Weight(1)


# ---- what always holds -----------------------------------------------------------------------------------------------

heads = st.integers(0, 50)
areas = st.decimals(0, 9999, places=2)
tallies = st.fixed_dictionaries({mark: st.builds(Weight, heads, areas) for mark in Mark}).map(Tally)
rules = st.sampled_from(shipped_rules())


@given(rules, tallies, st.sampled_from([mark for mark in Mark if mark is not Mark.YES]), areas)
def test_one_more_yes_never_turns_passed_into_failed(rule: Rule, tally: Tally, source: Mark, area: Decimal) -> None:
    """A voter who had not voted, or had voted otherwise, says yes."""
    if not tally[source].heads:
        return
    area = min(area, tally[source].area)
    more = {source: Weight(tally[source].heads - 1, tally[source].area - area), Mark.YES: tally[Mark.YES] + Weight(1, area)}
    if judge(rule, tally).passed:
        assert judge(rule, Tally({**tally.weights, **more})).passed


@given(rules, tallies, st.data())
def test_what_is_certain_or_impossible_stays_so(rule: Rule, tally: Tally, data: st.DataObject) -> None:
    foreseen = outlook(rule, tally)
    for mark in OUTSTANDING:
        tally = tally.moved([mark], data.draw(st.sampled_from([*Mark])))
    later = judge(rule, tally)
    if foreseen is Outlook.CERTAIN and tally[Mark.UNRETURNED] == Weight():
        assert later.passed
    if foreseen is Outlook.IMPOSSIBLE:
        assert not later.passed
