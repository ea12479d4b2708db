"""Opening hours, against a naive reading that writes every open minute down."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asterisk_agent import hours
from asterisk_agent.hours import State
from asterisk_agent.plan import DAYS, MINUTES_A_DAY, Interval, Schedule, SpecialDay

ZONES = ("Europe/Oslo", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
CLOCK_CHANGES = {  # the UTC dates on which the clocks change in 2026
    "Europe/Oslo": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Asia/Kolkata": (),
    "Australia/Lord_Howe": (date(2026, 4, 4), date(2026, 10, 3)),
}
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
OFFICE_DAY = ((480, 720), (780, 1080))
OFFICE = (OFFICE_DAY, OFFICE_DAY, OFFICE_DAY, OFFICE_DAY, ((480, 960),), (), ())
NEVER: tuple[tuple[Interval, ...], ...] = ((),) * 7
ALWAYS: tuple[tuple[Interval, ...], ...] = (((0, 1440),),) * 7


def schedule_of(
    zone: str = "UTC",
    week: Mapping[str, tuple[Interval, ...]] | tuple[tuple[Interval, ...], ...] = NEVER,
    dates: Mapping[date, SpecialDay] | None = None,
) -> Schedule:
    if isinstance(week, Mapping):
        week = tuple(week.get(day, ()) for day in DAYS)
    return Schedule(zone, week, dates or {})


# --- The naive reading ------------------------------------------------------------------------


def open_wall_minutes(schedule: Schedule, first: date, days: int) -> set[tuple[date, int]]:
    """Every (local date, minute) that some interval covers, one by one."""
    found = set()
    for offset in range(-1, days):
        day = first + offset * DAY
        special = schedule.dates.get(day)
        intervals = schedule.week[day.weekday()] if special is None else special.intervals
        for start, end in intervals:
            for minute in range(start, end if start < end else end + MINUTES_A_DAY):
                on = day + timedelta(days=minute // MINUTES_A_DAY)
                if on != day and on in schedule.dates and schedule.dates[on].cut:
                    continue
                found.add((on, minute % MINUTES_A_DAY))
    return found


def states_naively(schedule: Schedule, start: datetime, minutes: int) -> list[State]:
    """The state of each UTC minute from ``start`` on."""
    zone = ZoneInfo(schedule.timezone)
    first = start.astimezone(zone).date()
    wall = open_wall_minutes(schedule, first, minutes // MINUTES_A_DAY + 3)
    states = []
    for n in range(minutes):
        local = (start + n * MINUTE).astimezone(zone)
        special = schedule.dates.get(local.date())
        if (local.date(), local.hour * 60 + local.minute) in wall:
            states.append(State.OPEN)
        elif special is not None and special.intervals == ():
            states.append(State.HOLIDAY)
        else:
            states.append(State.CLOSED)
    return states


INTERVALS = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda i: i[0] != i[1])
NIGHTLY = st.tuples(st.integers(1200, 1439), st.integers(1, 300))
DAY_HOURS = st.lists(INTERVALS | NIGHTLY, max_size=3).map(tuple)
SPECIAL_DAYS = st.builds(SpecialDay, st.just("the day"), DAY_HOURS | st.just(()), st.booleans())


@st.composite
def schedules_and_days(draw: st.DrawFn) -> tuple[Schedule, datetime]:
    """A schedule with special days around an instant, often on the day of a clock change."""
    zone = draw(st.sampled_from(ZONES))
    ordinary = st.dates(date(2024, 1, 1), date(2028, 12, 31))
    edge = st.sampled_from(CLOCK_CHANGES[zone]) if CLOCK_CHANGES[zone] else ordinary
    day = draw(edge | ordinary)
    dates = draw(
        st.dictionaries(
            st.integers(-2, 4).map(lambda offset: day + offset * DAY), SPECIAL_DAYS, max_size=4
        )
    )
    week = draw(st.tuples(*[DAY_HOURS] * 7))
    minute = draw(st.integers(0, 1439))
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) + minute * MINUTE
    return Schedule(zone, week, dates), instant


@given(schedules_and_days())
@settings(deadline=None)
def test_every_minute_of_a_day_agrees_with_the_naive_reading(
    drawn: tuple[Schedule, datetime],
) -> None:
    schedule, start = drawn
    naive = states_naively(schedule, start, MINUTES_A_DAY)
    found = [hours.look(schedule, start + n * MINUTE)[0] for n in range(MINUTES_A_DAY)]
    assert found == naive


@given(schedules_and_days())
@settings(deadline=None)
def test_until_is_the_next_change(drawn: tuple[Schedule, datetime]) -> None:
    schedule, instant = drawn
    now = hours.at(schedule, instant)
    naive = states_naively(schedule, instant, 6 * MINUTES_A_DAY)
    changed = next((n for n, state in enumerate(naive) if state is not naive[0]), None)
    assert now.state is naive[0]
    if changed is not None:
        assert now.until == instant + changed * MINUTE
    elif now.until is not None:
        assert now.until > instant + 6 * DAY
        assert hours.look(schedule, now.until - timedelta(microseconds=1))[0] is now.state
        assert hours.look(schedule, now.until)[0] is not now.state
    else:
        assert {hours.look(schedule, instant + n * MINUTE)[0] for n in range(0, 40000, 7)} == {
            now.state
        }


@given(schedules_and_days(), st.integers(1, 59_999_999))
@settings(deadline=None)
def test_within_a_minute_nothing_changes(
    drawn: tuple[Schedule, datetime], microseconds: int
) -> None:
    schedule, instant = drawn
    later = instant + timedelta(microseconds=microseconds)
    assert hours.at(schedule, later) == hours.at(schedule, instant)


@pytest.mark.parametrize("zone", ZONES)
def test_a_year_of_an_office_day_by_day(zone: str) -> None:
    """From change to change through 2026: as many, and the same, as the naive reading has."""
    holidays = {
        date(2026, 12, 24): SpecialDay("Christmas Eve", ((480, 720),)),
        date(2026, 12, 25): SpecialDay("Christmas Day"),
        date(2026, 3, 28): SpecialDay("party", ((1200, 180),)),
        date(2026, 3, 29): SpecialDay("cut", (), cut=True),
        date(2026, 10, 24): SpecialDay("party", ((1200, 180),)),
    }
    schedule = Schedule(zone, (*OFFICE[:6], ((90, 150),)), holidays)
    start, minutes = datetime(2026, 1, 1, tzinfo=UTC), 366 * MINUTES_A_DAY
    naive = states_naively(schedule, start, minutes)
    expected = [n for n, (a, b) in enumerate(pairwise(naive), 1) if a is not b]
    found, instant = [], start
    while (until := hours.at(schedule, instant).until) is not None:
        if until >= start + minutes * MINUTE:
            break
        found.append((until - start) // MINUTE)
        instant = until
    assert found == expected
    assert len(found) > 900


# --- By example -------------------------------------------------------------------------------


def test_the_end_is_the_first_closed_minute() -> None:
    office = schedule_of("America/New_York", OFFICE)
    noon = datetime(2026, 6, 1, 16, 0, tzinfo=UTC)  # a Monday, 12:00 in New York
    before = hours.at(office, noon - timedelta(microseconds=1))
    assert before == hours.HoursState(State.OPEN, noon, "hours of mon 08:00-12:00")
    after = hours.at(office, noon)
    assert after == hours.HoursState(
        State.CLOSED, noon + timedelta(hours=1), "mon 12:00 is outside hours"
    )


def test_the_instant_may_come_in_any_zone() -> None:
    office = schedule_of("America/New_York", OFFICE)
    noon = datetime(2026, 6, 1, 12, 0, tzinfo=timezone(timedelta(hours=-4)))
    assert hours.at(office, noon) == hours.at(office, noon.astimezone(UTC))
    assert hours.at(office, noon).until == datetime(2026, 6, 1, 17, tzinfo=UTC)


def test_hours_past_midnight_belong_to_the_day_they_start_on() -> None:
    late = schedule_of(week={"fri": ((1320, 120),)})
    saturday = datetime(2026, 6, 6, 1, 30, tzinfo=UTC)
    assert hours.at(late, saturday).because == "hours of fri 22:00-02:00"
    assert hours.at(late, saturday - DAY).state is State.CLOSED


def test_overlapping_intervals_are_one() -> None:
    overlap = schedule_of(week={"mon": ((480, 720), (700, 800), (800, 801), (500, 510))})
    monday = datetime(2026, 6, 1, 9, tzinfo=UTC)
    assert hours.at(overlap, monday).until == datetime(2026, 6, 1, 13, 21, tzinfo=UTC)
    assert hours.intervals_on(overlap, date(2026, 6, 1)) == ((480, 801),)


def test_a_skipped_hour_never_opens_and_the_next_week_does() -> None:
    night = schedule_of("America/New_York", {"sun": ((120, 180),)})  # 2026-03-08 has no 02:00
    saturday = datetime(2026, 3, 7, 17, tzinfo=UTC)
    assert hours.at(night, saturday).until == datetime(2026, 3, 15, 6, tzinfo=UTC)


def test_hours_that_begin_in_a_skipped_hour_open_as_the_clock_jumps() -> None:
    night = schedule_of("America/New_York", {"sun": ((150, 300),)})
    saturday = datetime(2026, 3, 7, 17, tzinfo=UTC)
    assert hours.at(night, saturday).until == datetime(2026, 3, 8, 7, tzinfo=UTC)


def test_a_repeated_hour_opens_twice() -> None:
    night = schedule_of("America/New_York", {"sun": ((60, 90),)})  # 2026-11-01 has 01:00 twice
    first = datetime(2026, 11, 1, 5, 0, tzinfo=UTC)
    states = [hours.at(night, first + n * 30 * MINUTE) for n in range(4)]
    assert [found.state for found in states] == [State.OPEN, State.CLOSED] * 2
    assert states[0].until == first + 30 * MINUTE
    assert states[1].until == first + 60 * MINUTE


def test_a_clock_that_goes_back_past_midnight() -> None:
    """In Newfoundland the clock went from 00:01 back to 23:01 of the day before, until 2011."""
    monday = schedule_of("America/St_Johns", {"sun": ((0, 1440),)})
    sunday = datetime(2010, 11, 7, 2, 29, tzinfo=UTC)
    until = []
    for _ in range(3):
        found = hours.at(monday, sunday).until
        assert found is not None
        until.append(found)
        sunday = found
    assert until == [
        datetime(2010, 11, 7, 2, 30, tzinfo=UTC),  # Sunday begins,
        datetime(2010, 11, 7, 2, 31, tzinfo=UTC),  # Saturday is back,
        datetime(2010, 11, 7, 3, 30, tzinfo=UTC),  # and Sunday again
    ]


def test_no_schedule_is_always_open() -> None:
    found = hours.at(None, datetime(2026, 1, 1, tzinfo=UTC))
    assert found == hours.HoursState(State.OPEN, None, "no hours are set, so always open")


@pytest.mark.parametrize(("week", "state"), [(ALWAYS, State.OPEN), (NEVER, State.CLOSED)])
@pytest.mark.parametrize("zone", ZONES)
def test_a_state_that_never_changes_has_no_end(
    zone: str, week: tuple[tuple[Interval, ...], ...], state: State
) -> None:
    found = hours.at(schedule_of(zone, week), datetime(2026, 3, 1, tzinfo=UTC))
    assert (found.state, found.until) == (state, None)


def test_a_holiday_years_away_ends_what_never_ends() -> None:
    far = schedule_of("Europe/Oslo", ALWAYS, {date(2029, 12, 25): SpecialDay("Christmas Day")})
    found = hours.at(far, datetime(2026, 3, 1, tzinfo=UTC))
    assert found.until == datetime(2029, 12, 24, 23, tzinfo=UTC)


def test_an_instant_without_time_zone_is_refused() -> None:
    with pytest.raises(AssertionError, match="time zone"):
        hours.at(schedule_of(), datetime(2026, 1, 1))


CHRISTMAS = {
    date(2026, 12, 24): SpecialDay("Christmas Eve", ((480, 720),)),
    date(2026, 12, 25): SpecialDay("Christmas Day"),
}


@pytest.mark.parametrize(
    ("utc", "state", "until", "because"),
    [
        ("2026-12-23T17:30", "closed", "2026-12-24T07:00", "wed 18:30 is outside hours"),
        ("2026-12-24T07:00", "open", "2026-12-24T11:00", "hours of Christmas Eve 08:00-12:00"),
        (
            "2026-12-24T12:00",
            "closed",
            "2026-12-24T23:00",
            "thu 13:00 is outside the hours of Christmas Eve",
        ),
        ("2026-12-24T23:00", "holiday", "2026-12-25T23:00", "holiday: Christmas Day"),
        ("2026-12-25T22:59", "holiday", "2026-12-25T23:00", "holiday: Christmas Day"),
        ("2026-12-25T23:00", "closed", "2026-12-28T07:00", "sat 00:00 is outside hours"),
    ],
)
def test_special_days_replace_the_weeks_hours(
    utc: str, state: str, until: str, because: str
) -> None:
    oslo = schedule_of("Europe/Oslo", OFFICE, CHRISTMAS)
    found = hours.at(oslo, datetime.fromisoformat(f"{utc}+00:00"))
    expected = datetime.fromisoformat(f"{until}+00:00")
    assert found == hours.HoursState(State(state), expected, because)


@pytest.mark.parametrize(("cut", "state"), [(False, State.OPEN), (True, State.HOLIDAY)])
def test_the_evening_before_spills_into_a_holiday_unless_it_cuts(cut: bool, state: State) -> None:
    new_year = date(2027, 1, 1)
    bar = schedule_of(
        week={"thu": ((1320, 120),), "fri": ((1320, 120),)},
        dates={new_year: SpecialDay("New Year's Day", cut=cut)},
    )
    one_in_the_morning = datetime(2027, 1, 1, 1, tzinfo=UTC)
    assert hours.at(bar, one_in_the_morning).state is state
    assert hours.at(bar, one_in_the_morning + timedelta(hours=22)).state is State.HOLIDAY
    assert hours.at(bar, one_in_the_morning + DAY).state is State.CLOSED  # the holiday's own spill
    assert hours.intervals_on(bar, new_year) == (() if cut else ((0, 120),))


def test_a_special_days_own_hours_may_pass_midnight() -> None:
    party = schedule_of(dates={date(2026, 6, 1): SpecialDay("party", ((1320, 120),))})
    found = hours.at(party, datetime(2026, 6, 2, 1, tzinfo=UTC))
    assert found.because == "hours of party 22:00-02:00"
    assert hours.special_dates(party) == [date(2026, 6, 1), date(2026, 6, 2)]


# --- What the dialplan is made from -------------------------------------------------------------


def states_from_intervals(schedule: Schedule, day: date, minute: int) -> State:
    """How a reader of ``intervals_on`` and ``closed_state`` finds the state of a wall minute."""
    inside = any(start <= minute < end for start, end in hours.intervals_on(schedule, day))
    return State.OPEN if inside else hours.closed_state(schedule, day)


@given(schedules_and_days())
@settings(deadline=None)
def test_intervals_on_tells_the_same_as_at(drawn: tuple[Schedule, datetime]) -> None:
    schedule, start = drawn
    zone = ZoneInfo(schedule.timezone)
    for n in range(0, 2 * MINUTES_A_DAY, 11):
        local = (start + n * MINUTE).astimezone(zone)
        told = states_from_intervals(schedule, local.date(), local.hour * 60 + local.minute)
        assert told is hours.look(schedule, start + n * MINUTE)[0]


@given(schedules_and_days())
@settings(deadline=None)
def test_a_week_and_its_special_dates_are_the_whole_schedule(
    drawn: tuple[Schedule, datetime],
) -> None:
    schedule, start = drawn
    special, week = hours.special_dates(schedule), hours.weekly_intervals(schedule)
    assert special == sorted(set(special))
    for offset in range(-5, 10):
        day = start.date() + offset * DAY
        ordinary = hours.intervals_on(schedule, day) == week[day.weekday()]
        assert (day in special) == (
            not ordinary or hours.closed_state(schedule, day) is State.HOLIDAY
        )
        for low, high in hours.intervals_on(schedule, day):
            assert 0 <= low < high <= MINUTES_A_DAY


@given(st.tuples(*[DAY_HOURS] * 7))
@example(tuple([((1380, 60),)] * 7))
def test_a_week_without_special_days_is_its_dates(week: tuple[tuple[Interval, ...], ...]) -> None:
    schedule = schedule_of(week=week)
    monday = date(2026, 6, 1)
    dates = tuple(hours.intervals_on(schedule, monday + n * DAY) for n in range(7))
    assert hours.weekly_intervals(schedule) == dates
    assert hours.special_dates(schedule) == []


def test_a_special_day_like_any_other_is_not_special() -> None:
    same = SpecialDay("town fair", OFFICE_DAY)
    assert hours.special_dates(schedule_of(week=OFFICE, dates={date(2026, 6, 1): same})) == []
    sunday = SpecialDay("Easter")
    assert hours.special_dates(schedule_of(week=OFFICE, dates={date(2026, 4, 5): sunday})) == [
        date(2026, 4, 5)
    ]


@pytest.mark.parametrize("zone", ZONES)
def test_clock_changes(zone: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    found = hours.clock_changes(ZoneInfo(zone), start, start + 365 * DAY)
    assert tuple(instant.date() for instant in found) == CLOCK_CHANGES[zone]
    for instant in found:
        just_before = (instant - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
        assert just_before.utcoffset() != instant.astimezone(ZoneInfo(zone)).utcoffset()


def test_the_clock() -> None:
    assert [hours.clock(minute) for minute in (0, 65, 1439, 1440)] == [
        "00:00",
        "01:05",
        "23:59",
        "24:00",
    ]
