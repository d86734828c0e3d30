"""What makes a meeting lawful, as plain functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from governance.meetings.errors import NoQuorum
from governance.meetings.rules import (
    BODIES,
    MEETS_IN,
    ROLES,
    STATUSES,
    Body,
    Quorum,
    Role,
    Status,
    earliest,
    is_short,
    may_sign_in,
    minutes_digest,
    quorum,
    share,
    status,
)

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@dataclass
class Moments:
    noticed_at: datetime | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    cancelled_at: datetime | None = None


def test_so_many_whole_days_lie_between_the_notice_and_the_meeting() -> None:
    assert earliest(MONDAY, 15) == date(2026, 3, 18)
    assert not is_short(MONDAY, datetime(2026, 3, 18, 0, 30, tzinfo=UTC), 15)
    assert is_short(MONDAY, datetime(2026, 3, 17, 15, 59, tzinfo=UTC), 15), "23:59 in Shanghai is the day before"
    assert not is_short(MONDAY, datetime(2026, 3, 17, 16, 0, tzinfo=UTC), 15), "midnight in Shanghai is the day itself"


def test_days_are_those_of_shanghai() -> None:
    """Late in the evening of UTC it is the next day already."""
    assert earliest(datetime(2026, 3, 2, 15, 59, tzinfo=UTC), 3) == date(2026, 3, 6)
    assert earliest(datetime(2026, 3, 2, 16, 0, tzinfo=UTC), 3) == date(2026, 3, 7)


def test_no_notice_is_needed_for_nought_days() -> None:
    assert not is_short(MONDAY, MONDAY + timedelta(minutes=1), 0)


@pytest.mark.parametrize(
    ("due", "text", "is_over", "needed"),
    [
        (30, "2/3", False, 20),
        (31, "2/3", False, 21),
        (29, "2/3", False, 20),
        (30, "1/2", True, 16),
        (31, "1/2", True, 16),
        (30, "1/2", False, 15),
        (31, "1/2", False, 16),
        (3, "1/1", False, 3),
        (1, "2/3", False, 1),
        (100, None, False, 0),
        (0, "2/3", False, 1),
    ],
)
def test_a_quorum_is_met_by_no_fewer_than_it_needs(due: int, text: str | None, is_over: bool, needed: int) -> None:
    assert Quorum(due, 0, text, is_over).needed == needed
    assert Quorum(due, needed, text, is_over).is_met
    assert Quorum(due, needed, text, is_over).missing == 0
    if needed:
        assert not Quorum(due, needed - 1, text, is_over).is_met
        assert Quorum(due, needed - 1, text, is_over).missing == 1


def test_observers_and_clerks_do_not_count() -> None:
    roll = [(Role.CHAIR, MONDAY), (Role.MEMBER, None), (Role.MEMBER, MONDAY), (Role.OBSERVER, MONDAY), (Role.CLERK, MONDAY)]
    assert quorum(roll, "2/3", False) == Quorum(3, 2, "2/3", False)


@pytest.mark.parametrize("text", ["", "2", "0/3", "3/2", "2/0", "-1/2", "1/2/3", "２/３", "1e9/1", "1/99999999", "x/y"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        share(text)


def test_a_meeting_stands_at_the_last_moment_it_has_reached() -> None:
    assert status(Moments()) == Status.DRAFT
    assert status(Moments(MONDAY)) == Status.NOTICED
    assert status(Moments(MONDAY, MONDAY)) == Status.OPEN
    assert status(Moments(MONDAY, MONDAY, MONDAY)) == Status.CLOSED
    assert status(Moments(MONDAY, cancelled_at=MONDAY)) == Status.CANCELLED


def test_people_sign_in_from_an_hour_before_until_the_end() -> None:
    noticed, hour = Moments(MONDAY), timedelta(hours=1)
    assert not may_sign_in(noticed, MONDAY, MONDAY - hour - timedelta(seconds=1))
    assert may_sign_in(noticed, MONDAY, MONDAY - hour)
    assert may_sign_in(Moments(MONDAY, MONDAY), MONDAY, MONDAY + 9 * hour)
    assert not may_sign_in(Moments(MONDAY, MONDAY, MONDAY), MONDAY, MONDAY)
    assert not may_sign_in(Moments(), MONDAY, MONDAY)
    assert not may_sign_in(Moments(MONDAY, cancelled_at=MONDAY), MONDAY, MONDAY)


def test_the_digest_of_a_version_covers_the_one_before() -> None:
    first = minutes_digest("", 1, 1, "甲")
    assert first != minutes_digest("", 1, 1, "乙") and first != minutes_digest("", 2, 1, "甲")
    assert minutes_digest(first, 1, 2, "乙") != minutes_digest("", 1, 2, "乙")


def test_every_code_has_its_word() -> None:
    assert set(BODIES) == set(Body) == set(MEETS_IN) and set(ROLES) == set(Role) and set(STATUSES) == set(Status)


def test_the_refusal_says_how_many_are_missing() -> None:
    assert str(NoQuorum(Quorum(30, 19, "2/3"))) == "未达到法定人数，不能开会：应到 30，实到 19，还差 1 人。"
