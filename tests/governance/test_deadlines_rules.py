"""Lights, pauses and words, around the weekend of 28 and 29 November 2026 and the National Day holiday."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.calendar.rules import SHANGHAI, Unit, WorkCalendar
from governance.deadlines.rules import Clock, Light, light, pause, remaining_words, resume, warn_at

HOLIDAY = {
    date(2026, 1, 1): False,
    **{date(2026, 10, day): False for day in range(1, 8)},
    date(2026, 9, 20): True,
    date(2026, 10, 10): True,
}
CALENDAR = WorkCalendar(HOLIDAY)
WEEKEND = "2026-11-28T12:00"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("now", "colour"),
    [
        ("2026-11-23T09:00", Light.GREEN),
        ("2026-11-23T13:00", Light.GREEN),
        ("2026-11-23T15:59", Light.GREEN),
        ("2026-11-23T16:00", Light.YELLOW),
        ("2026-11-23T17:00", Light.YELLOW),
        ("2026-11-23T17:00:01", Light.RED),
    ],
)
def test_light_of_four_working_hours(now: str, colour: Light) -> None:
    assert light(at("2026-11-23T11:00"), at("2026-11-23T17:00"), at(now), CALENDAR, Unit.WORK_HOURS) is colour


def test_three_quarters_of_working_time() -> None:
    assert warn_at(at("2026-11-23T10:00"), at("2026-11-23T16:00"), Unit.WORK_HOURS, CALENDAR) == at("2026-11-23T15:00")
    assert warn_at(at("2026-09-30T17:00"), at("2026-10-08T12:00"), Unit.WORK_HOURS, CALENDAR) == at("2026-10-08T11:00")


def test_three_quarters_of_hours_day_and_night() -> None:
    assert warn_at(at("2026-11-28T00:00"), at("2026-11-28T04:00"), Unit.URGENT_HOURS, CALENDAR) == at("2026-11-28T03:00")


def test_a_limit_inside_rest_time_still_warns() -> None:
    assert warn_at(at("2026-11-28T00:00"), at("2026-11-28T04:00"), Unit.WORK_DAYS, CALENDAR) == at("2026-11-28T03:00")


def test_due_before_opening_warns_at_once() -> None:
    assert warn_at(at("2026-11-24T00:00"), at("2026-11-23T00:00"), Unit.CALENDAR_DAYS, CALENDAR) <= at("2026-11-23T06:00")


def test_a_weekend_after_due_is_red_though_no_working_time_passed() -> None:
    assert light(at("2026-11-26T10:00"), at("2026-11-27T18:00"), at(WEEKEND), CALENDAR, Unit.WORK_DAYS) is Light.RED


def test_a_pause_gives_back_the_working_time_that_was_left() -> None:
    clock = pause(Clock(at("2026-11-24T18:00"), None, Unit.WORK_DAYS, at("2026-11-23T10:00")), at("2026-11-24T15:00"))
    resumed = resume(clock, at("2026-11-30T08:00"), CALENDAR)
    assert resumed.due_at == at("2026-11-30T12:00")
    assert resumed.paused_at is None


def test_a_pause_of_hours_day_and_night_gives_back_elapsed_time() -> None:
    clock = pause(Clock(at("2026-11-28T12:00"), None, Unit.URGENT_HOURS), at("2026-11-28T10:00"))
    assert resume(clock, at("2026-11-29T01:00"), CALENDAR).due_at == at("2026-11-29T03:00")


def test_paused_time_does_not_turn_the_light() -> None:
    opened, due = at("2026-11-02T10:00"), at("2026-11-16T18:00")
    clock = pause(Clock(due, None, Unit.WORK_DAYS, opened), at("2026-11-03T10:00"))
    back = at("2026-12-10T10:00")
    resumed = resume(clock, back, CALENDAR)
    assert resumed.opened_at is not None
    assert light(resumed.opened_at, resumed.due_at, back, CALENDAR, Unit.WORK_DAYS) is Light.GREEN
    assert CALENDAR.working_minutes(resumed.opened_at, back) == CALENDAR.working_minutes(opened, at("2026-11-03T10:00"))


def test_a_paused_clock_stands_still() -> None:
    clock = pause(Clock(at("2026-11-24T18:00"), None, Unit.WORK_DAYS), at("2026-11-24T15:00"))
    assert clock.reads(at("2026-12-24T15:00")) == at("2026-11-24T15:00")
    assert clock.reads(at("2026-11-24T14:00")) == at("2026-11-24T14:00")
    assert replace(clock, paused_at=None).reads(at("2026-12-24T15:00")) == at("2026-12-24T15:00")


def test_pausing_and_resuming_twice_is_doing_it_once() -> None:
    clock = Clock(at("2026-11-24T18:00"), None, Unit.WORK_DAYS)
    once = pause(clock, at("2026-11-24T15:00"))
    assert pause(once, at("2026-11-24T16:00")) == once
    back = resume(once, at("2026-11-25T10:00"), CALENDAR)
    assert resume(back, at("2026-11-26T10:00"), CALENDAR) == back


def test_resuming_before_the_pause_only_ends_it() -> None:
    clock = Clock(at("2026-11-24T18:00"), at("2026-11-24T15:00"), Unit.URGENT_HOURS)
    assert resume(clock, at("2026-11-24T14:00"), CALENDAR) == replace(clock, paused_at=None)


def test_overdue_at_the_pause_is_as_overdue_afterwards() -> None:
    clock = pause(Clock(at("2026-11-23T18:00"), None, Unit.WORK_DAYS), at("2026-11-24T11:00"))
    now = at("2026-11-30T10:00")
    due = resume(clock, now, CALENDAR).due_at
    assert due == at("2026-11-27T17:00")
    assert CALENDAR.working_minutes(due, now) == 120


def test_overdue_without_working_time_stays_overdue() -> None:
    clock = pause(Clock(at("2026-11-27T18:00"), None, Unit.WORK_DAYS), at(WEEKEND))
    now = at("2026-11-30T10:00")
    assert light(at("2026-11-26T10:00"), resume(clock, now, CALENDAR).due_at, now, CALENDAR, Unit.WORK_DAYS) is Light.RED


@pytest.mark.parametrize(
    ("due", "now", "unit", "words"),
    [
        ("2026-11-23T15:20", "2026-11-23T10:00", Unit.WORK_HOURS, "剩 3 个工作时 20 分"),
        ("2026-11-24T12:00", "2026-11-23T10:00", Unit.WORK_HOURS, "剩 9 个工作时"),
        ("2026-11-23T10:20", "2026-11-23T10:00", Unit.WORK_HOURS, "剩 20 分"),
        ("2026-11-23T10:00", "2026-11-23T10:00", Unit.WORK_HOURS, "剩不足 1 分"),
        ("2026-11-25T18:00", "2026-11-23T08:00", Unit.WORK_DAYS, "剩 2 个工作日"),
        ("2026-11-30T18:00", "2026-11-26T17:00", Unit.WORK_DAYS, "剩 2 个工作日"),
        ("2026-11-30T18:00", "2026-11-28T17:00", Unit.WORK_DAYS, "剩 1 个工作日"),
        ("2026-11-30T18:00", "2026-11-30T17:00", Unit.WORK_DAYS, "剩 1 个工作时"),
        ("2026-11-25T10:00", "2026-11-24T17:00", Unit.WORK_DAYS, "剩 2 个工作时"),
        ("2026-11-26T10:00", "2026-11-24T17:00", Unit.WORK_DAYS, "剩 1 个工作日"),
        ("2026-11-25T23:59:59", "2026-11-23T10:00", Unit.CALENDAR_DAYS, "剩 2 天 13 小时"),
        ("2026-11-23T12:00", "2026-11-23T10:00", Unit.URGENT_HOURS, "剩 2 小时"),
        ("2026-11-23T10:00", "2026-11-24T12:10", Unit.URGENT_HOURS, "超期 1 天 2 小时"),
        ("2026-11-23T10:00", "2026-11-24T10:10", Unit.URGENT_HOURS, "超期 1 天"),
        ("2026-11-23T10:00", "2026-11-23T10:00:30", Unit.URGENT_HOURS, "已超期"),
        ("2026-11-27T18:00", WEEKEND, Unit.WORK_DAYS, "已超期"),
        ("2026-11-27T18:00", "2026-11-30T10:30", Unit.WORK_DAYS, "超期 1 个工作时 30 分"),
        ("2026-11-27T18:00", "2026-12-01T10:30", Unit.WORK_HOURS, "超期 1 个工作日 1 个工作时"),
    ],
)
def test_words(due: str, now: str, unit: Unit, words: str) -> None:
    assert remaining_words(at(due), at(now), CALENDAR, unit) == words


moments = st.datetimes(datetime(2026, 9, 1), datetime(2026, 11, 1)).map(lambda moment: moment.replace(tzinfo=SHANGHAI))
units = st.sampled_from(Unit)
ORDER = list(Light)


@given(moments, moments, moments, moments, units)
def test_the_light_never_goes_back(opened: datetime, due: datetime, one: datetime, other: datetime, unit: Unit) -> None:
    earlier, later = sorted((one, other))
    colours = [light(opened, due, now, CALENDAR, unit) for now in (earlier, later)]
    assert ORDER.index(colours[0]) <= ORDER.index(colours[1])


@given(moments, st.integers(1, 20), units)
def test_the_warning_lies_inside_the_limit(opened: datetime, amount: int, unit: Unit) -> None:
    due = CALENDAR.add(opened, amount, unit)
    assert opened <= warn_at(opened, due, unit, CALENDAR) <= due


@given(moments, moments, units)
def test_a_pause_of_no_length_changes_nothing(due: datetime, now: datetime, unit: Unit) -> None:
    clock = Clock(due, None, unit)
    assert resume(pause(clock, now), now, CALENDAR) == clock


@given(moments, moments, moments, units)
def test_a_pause_keeps_what_was_left_or_overdue(due: datetime, one: datetime, other: datetime, unit: Unit) -> None:
    paused_at, now = sorted((one, other))
    moved = resume(pause(Clock(due, None, unit), paused_at), now, CALENDAR).due_at

    def between(start: datetime, end: datetime) -> timedelta:
        return CALENDAR.working_time(start, end) if unit.is_work else max(end - start, timedelta())

    assert between(now, moved) == between(paused_at, due)
    overdue, still = between(due, paused_at), between(moved, now)
    assert still == overdue or (overdue < timedelta(seconds=1) == still)
    assert (moved < now) == (due < paused_at) or not between(paused_at, now)


@given(moments, moments, units)
def test_words_are_always_a_sentence(due: datetime, now: datetime, unit: Unit) -> None:
    words = remaining_words(due, now, CALENDAR, unit)
    assert words.startswith("超期 " if now > due and words != "已超期" else ("已超期" if now > due else "剩"))
    assert words == words.strip()
