"""Working time: the agreed vectors, the awkward moments, and a slow model that walks every minute."""

import timeit
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

import chinese_calendar  # type: ignore[import-untyped, unused-ignore]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.calendar.errors import AmountOutOfRange, NaiveMoment, ShiftsRejected
from governance.calendar.rules import DEFAULT_SHIFTS, SHANGHAI, Season, Unit, WorkCalendar

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
HALF = Fraction(1, 2)
BY_LABEL = {unit.label: unit for unit in Unit}

VECTORS = [
    ("2026-09-30T17:00", 4, "工作时", "2026-10-08T12:00"),
    ("2026-09-30T17:00", 2, "紧急工作时", "2026-09-30T19:00"),
    ("2026-09-30T17:00", 3, "工作日", "2026-10-10T18:00"),
    ("2026-02-13T16:30", 8, "工作时", "2026-02-14T17:30"),
    ("2026-02-13T16:30", 5, "工作日", "2026-02-27T18:00"),
    ("2026-05-08T10:00", 1, "工作日", "2026-05-09T18:00"),
    ("2026-04-27T10:00", 7, "自然日", "2026-05-06T23:59:59"),
    ("2026-11-23T12:30", 1, "工作时", "2026-11-23T15:00"),
]


def published(*years: int) -> dict[date, bool]:
    days = (date(year, 1, 1) + n * DAY for year in years for n in range(366))
    return {day: chinese_calendar.is_workday(day) for day in days if day.year in years}


CALENDAR = WorkCalendar(published(2025, 2026))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(("start", "amount", "unit", "end"), VECTORS)
def test_the_agreed_vectors(start: str, amount: int, unit: str, end: str) -> None:
    due = CALENDAR.add(at(start), amount, BY_LABEL[unit])
    assert due == at(end)
    assert due.tzinfo is UTC


@pytest.mark.parametrize(
    ("start", "amount", "unit", "end"),
    [
        # Monday 2026-11-23 is an ordinary day, 11-28 and 11-29 a weekend.
        ("2026-11-23T07:10", 1, Unit.WORK_HOURS, "2026-11-23T10:00"),
        ("2026-11-23T11:00", 1, Unit.WORK_HOURS, "2026-11-23T12:00"),
        ("2026-11-23T12:00", 1, Unit.WORK_HOURS, "2026-11-23T15:00"),
        ("2026-11-23T11:30:30", 1, Unit.WORK_HOURS, "2026-11-23T14:30:30"),
        ("2026-11-23T09:00", 7, Unit.WORK_HOURS, "2026-11-23T18:00"),
        ("2026-11-23T18:00", 1, Unit.WORK_HOURS, "2026-11-24T10:00"),
        ("2026-11-23T23:59", 1, Unit.WORK_HOURS, "2026-11-24T10:00"),
        ("2026-11-28T10:00", 1, Unit.WORK_HOURS, "2026-11-30T10:00"),
        ("2026-11-27T17:00", 15, Unit.WORK_HOURS, "2026-12-01T18:00"),
        ("2026-11-23T11:50", Fraction(1, 3), Unit.WORK_HOURS, "2026-11-23T14:10"),
        ("2026-11-23T09:00", Fraction(1, 7), Unit.WORK_HOURS, "2026-11-23T09:09"),
        ("2026-11-28T23:30", HALF, Unit.URGENT_HOURS, "2026-11-29T00:00"),
        ("2026-11-23T00:00", 1, Unit.WORK_DAYS, "2026-11-24T18:00"),
        ("2026-11-28T10:00", 1, Unit.WORK_DAYS, "2026-11-30T18:00"),
        ("2026-11-23T10:00", 1 + HALF, Unit.WORK_DAYS, "2026-11-25T14:30"),
        ("2026-11-27T10:00", 1 + HALF, Unit.WORK_DAYS, "2026-12-01T14:30"),
        ("2026-11-23T10:00", HALF, Unit.WORK_DAYS, "2026-11-23T15:30"),
        ("2026-11-23T17:00", HALF, Unit.WORK_DAYS, "2026-11-24T11:30"),
        ("2026-11-28T10:00", HALF, Unit.WORK_DAYS, "2026-11-30T14:30"),
        ("2026-11-23T10:00", 1, Unit.CALENDAR_DAYS, "2026-11-24T23:59:59"),
        ("2026-11-23T10:00", 3 + HALF, Unit.CALENDAR_DAYS, "2026-11-27T23:59:59"),
        ("2026-11-23T10:00", 5, Unit.CALENDAR_DAYS, "2026-11-30T23:59:59"),
        # 2026-05-09 is a Saturday on which people work: a period may end on it.
        ("2026-05-07T10:00", 2, Unit.CALENDAR_DAYS, "2026-05-09T23:59:59"),
        ("2026-05-08T17:00", 2, Unit.WORK_HOURS, "2026-05-09T10:00"),
    ],
)
def test_awkward_moments(start: str, amount: Fraction | int, unit: Unit, end: str) -> None:
    assert CALENDAR.add(at(start), amount, unit) == at(end)


@pytest.mark.parametrize("unit", Unit)
def test_a_limit_of_nothing_runs_out_at_once(unit: Unit) -> None:
    assert CALENDAR.add(at("2026-11-28T10:00"), 0, unit) == at("2026-11-28T10:00")


def test_the_day_is_the_day_in_shanghai() -> None:
    just_after_midnight = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
    assert CALENDAR.add(just_after_midnight, 1, Unit.CALENDAR_DAYS) == at("2026-11-24T23:59:59")


def test_an_unknown_year_is_monday_to_friday_and_undecided() -> None:
    due = CALENDAR.add(at("2026-12-31T17:00"), 2, Unit.WORK_HOURS)
    assert due == at("2027-01-01T10:00")
    assert CALENDAR.undecided(date(2027, 1, 1))
    assert not CALENDAR.is_working(date(2027, 1, 2))
    assert not CALENDAR.undecided(date(2026, 12, 31))


def test_one_day_set_by_hand_does_not_make_a_year_known() -> None:
    calendar = WorkCalendar({date(2027, 6, 1): False})
    assert not calendar.undecided(date(2027, 6, 1))
    assert calendar.undecided(date(2027, 6, 2))


def test_a_notice_with_only_its_exceptions_makes_a_year_known() -> None:
    calendar = WorkCalendar({date(2027, 1, 1): False, date(2027, 1, 3): True})
    assert not calendar.undecided(date(2027, 6, 2))
    assert calendar.is_working(date(2027, 6, 2))


def test_moments_without_a_zone_are_refused() -> None:
    naive = datetime(2026, 11, 23, 10)
    with pytest.raises(NaiveMoment, match="时区"):
        CALENDAR.add(naive, 1, Unit.WORK_HOURS)
    with pytest.raises(NaiveMoment):
        CALENDAR.working_minutes(at("2026-11-23T09:00"), naive)


@pytest.mark.parametrize("amount", [-1, Fraction(-1, 2), 10**9])
@pytest.mark.parametrize("unit", Unit)
def test_amounts_nobody_means_are_refused(amount: Fraction | int, unit: Unit) -> None:
    with pytest.raises(AmountOutOfRange, match="十年"):
        CALENDAR.add(at("2026-11-23T10:00"), amount, unit)


@pytest.mark.parametrize(
    "shifts",
    [
        (),
        ((time(9), time(9)),),
        ((time(12), time(9)),),
        ((time(9), time(12)), (time(11), time(18))),
        ((time(14), time(18)), (time(9), time(12))),
    ],
)
def test_shifts_that_cannot_be_worked_are_refused(shifts: tuple[tuple[time, time], ...]) -> None:
    with pytest.raises(ShiftsRejected):
        WorkCalendar({}, shifts)


def test_shifts_may_follow_without_a_break() -> None:
    calendar = WorkCalendar({}, ((time(9), time(12)), (time(12), time(17))))
    assert calendar.add(at("2026-11-23T11:30"), 1, Unit.WORK_HOURS) == at("2026-11-23T12:30")


def test_summer_hours_override_and_then_give_way() -> None:
    summer = Season(date(2026, 6, 1), date(2026, 9, 30), ((time(8), time(12)), (time(15), time(18))))
    always = Season(date(2020, 1, 1), None, DEFAULT_SHIFTS)
    calendar = WorkCalendar(published(2026), seasons=(summer, always))
    assert calendar.add(at("2026-06-01T12:00"), 1, Unit.WORK_HOURS) == at("2026-06-01T16:00")
    assert calendar.shifts_on(date(2026, 9, 30)) == summer.shifts
    assert calendar.add(at("2026-10-08T12:00"), 1, Unit.WORK_HOURS) == at("2026-10-08T15:00")
    assert calendar.shifts_on(date(2019, 1, 1)) == DEFAULT_SHIFTS


def test_half_a_day_across_a_change_of_hours_is_half_of_each_days_hours() -> None:
    short = Season(date(2026, 11, 24), None, ((time(9), time(12)),))
    calendar = WorkCalendar(published(2026), seasons=(short,))
    # An hour of seven today is a seventh; the remaining 5/14 of a three-hour day are about 64 minutes.
    due = calendar.add(at("2026-11-23T17:00"), HALF, Unit.WORK_DAYS)
    assert at("2026-11-24T10:04") < due < at("2026-11-24T10:05")


def test_working_minutes_between_moments() -> None:
    assert CALENDAR.working_minutes(at("2026-11-23T11:00"), at("2026-11-23T15:00")) == 120
    assert CALENDAR.working_minutes(at("2026-11-23T15:00"), at("2026-11-23T11:00")) == 0
    assert CALENDAR.working_minutes(at("2026-11-28T00:00"), at("2026-11-29T23:59")) == 0
    assert CALENDAR.working_minutes(at("2026-11-23T09:00:30"), at("2026-11-23T09:02")) == 1
    assert CALENDAR.working_minutes(at("2026-01-01T00:00"), at("2027-01-01T00:00")) == sum(published(2026).values()) * 420


@pytest.mark.parametrize(("amount", "unit"), [(1_400, Unit.WORK_HOURS), (200, Unit.WORK_DAYS), (300, Unit.CALENDAR_DAYS)])
def test_most_of_a_year_is_counted_in_an_instant(amount: int, unit: Unit) -> None:
    # About 0.2 ms; a loop over minutes would take a hundred times the bound.
    taken = min(timeit.repeat(lambda: CALENDAR.add(at("2026-01-05T10:00"), amount, unit), number=1, repeat=20))
    assert taken < 0.003


# Properties, over calendars with any days off and any shifts.

moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 1)).map(lambda moment: moment.replace(tzinfo=SHANGHAI))
minute_moments = moments.map(lambda moment: moment.replace(second=0, microsecond=0))
amounts = st.fractions(0, 12, max_denominator=60)
units = st.sampled_from(Unit)


def _shifts(edges: set[int]) -> tuple[tuple[time, time], ...]:
    times = [time(*divmod(edge, 60)) for edge in sorted(edges)]
    return tuple(zip(times[::2], times[1::2], strict=False))


january_to_march = st.dates(date(2026, 1, 1), date(2026, 3, 31))
some_days = st.dictionaries(january_to_march, st.booleans(), max_size=60)
some_shifts = st.sets(st.integers(0, 1439), min_size=2, max_size=6).map(_shifts)
calendars = st.builds(WorkCalendar, some_days, some_shifts)
seasonal = st.builds(WorkCalendar, some_days, some_shifts, st.tuples(st.builds(Season, january_to_march, st.none(), some_shifts)))


@given(calendars, moments, amounts, amounts, units)
def test_more_never_ends_sooner(calendar: WorkCalendar, start: datetime, one: Fraction, other: Fraction, unit: Unit) -> None:
    less, more = sorted((one, other))
    assert start <= calendar.add(start, less, unit) <= calendar.add(start, more, unit)


@given(calendars, moments, moments, amounts, units)
def test_a_later_start_never_ends_sooner(calendar: WorkCalendar, one: datetime, other: datetime, amount: Fraction, unit: Unit) -> None:
    earlier, later = sorted((one, other))
    assert calendar.add(earlier, amount, unit) <= calendar.add(later, amount, unit)


@given(seasonal, moments, moments, amounts, amounts)
def test_changing_hours_never_make_more_work_days_end_sooner(
    calendar: WorkCalendar, one: datetime, other: datetime, amount: Fraction, more: Fraction
) -> None:
    earlier, later = sorted((one, other))
    # To the minute: a share of one day's hours need not be a whole minute of another's.
    due = calendar.add(earlier, amount, Unit.WORK_DAYS) - MINUTE
    assert due <= calendar.add(later, amount, Unit.WORK_DAYS)
    assert due <= calendar.add(earlier, amount + more, Unit.WORK_DAYS)


@given(calendars, moments, st.integers(0, 200))
def test_hours_added_are_hours_worked(calendar: WorkCalendar, start: datetime, hours: int) -> None:
    assert calendar.working_minutes(start, calendar.add(start, hours, Unit.WORK_HOURS)) == 60 * hours


@given(calendars, moments, amounts.filter(bool), st.sampled_from([Unit.WORK_HOURS, Unit.WORK_DAYS]))
def test_work_limits_run_out_in_working_time(calendar: WorkCalendar, start: datetime, amount: Fraction, unit: Unit) -> None:
    due = calendar.add(start, amount, unit).astimezone(SHANGHAI)
    assert calendar.is_working(due.date())
    assert any(starts <= due.time() <= ends for starts, ends in calendar.shifts)


@given(calendars, moments, st.integers(0, 100))
def test_calendar_days_end_on_a_working_day(calendar: WorkCalendar, start: datetime, amount: int) -> None:
    if amount:
        due = calendar.add(start, amount, Unit.CALENDAR_DAYS).astimezone(SHANGHAI)
        assert calendar.is_working(due.date())
        assert due.time() == time(23, 59, 59)


@given(calendars, moments, st.timedeltas(timedelta(microseconds=1), timedelta(hours=40)))
def test_back_undoes_forward(calendar: WorkCalendar, start: datetime, work: timedelta) -> None:
    due = calendar.forward(start, work)
    begun = calendar.back(due, work)
    assert begun >= start
    assert calendar.working_time(begun, due) == calendar.working_time(start, due) == work


# The slow model.


def is_worked(calendar: WorkCalendar, minute: datetime) -> bool:
    local = minute.astimezone(SHANGHAI)
    return calendar.is_working(local.date()) and any(starts <= local.time() < ends for starts, ends in calendar.shifts)


def add_by_walking(calendar: WorkCalendar, start: datetime, minutes: int) -> datetime:
    moment = start
    while minutes:
        minutes -= is_worked(calendar, moment)
        moment += MINUTE
    return moment


def days_by_walking(calendar: WorkCalendar, start: datetime, days: int) -> datetime:
    """The last worked minute of the last of so many distinct working dates after the starting one."""
    moment, seen, end = start, set[date](), start
    while len(seen) <= days:
        local = moment.astimezone(SHANGHAI)
        if local.date() > start.date() and is_worked(calendar, moment):
            seen.add(local.date())
            if len(seen) <= days:
                end = moment + MINUTE
        moment += MINUTE
    return end


# Long shifts keep the walk short.
long_shifts = st.tuples(st.integers(0, 300), st.integers(420, 700), st.integers(700, 1000), st.integers(1120, 1439))
walkable = st.builds(WorkCalendar, some_days, long_shifts.map(lambda edges: _shifts(set(edges))))


@settings(deadline=None)
@given(walkable, minute_moments, st.integers(1, 1500))
def test_hours_agree_with_walking_every_minute(calendar: WorkCalendar, start: datetime, minutes: int) -> None:
    assert calendar.add(start, Fraction(minutes, 60), Unit.WORK_HOURS) == add_by_walking(calendar, start, minutes)


@settings(deadline=None)
@given(walkable, minute_moments, st.integers(1, 4))
def test_days_agree_with_walking_every_minute(calendar: WorkCalendar, start: datetime, days: int) -> None:
    assert calendar.add(start, days, Unit.WORK_DAYS) == days_by_walking(calendar, start, days)


@settings(deadline=None)
@given(walkable, minute_moments, st.integers(0, 6000))
def test_minutes_agree_with_walking_every_minute(calendar: WorkCalendar, start: datetime, span: int) -> None:
    walked = sum(is_worked(calendar, start + n * MINUTE) for n in range(span))
    assert calendar.working_minutes(start, start + span * MINUTE) == walked
