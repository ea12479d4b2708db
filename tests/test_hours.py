"""Opening hours, against a brute-force reading of the week and a model of Asterisk's GotoIfTime."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterisk_agent import hours
from asterisk_agent.config.schema import DAYS, WeeklyHours, weekly

ZONES = ("America/New_York", "Europe/Oslo", "Asia/Kolkata", "Australia/Lord_Howe")
FORTNIGHTS = (  # around every change of the clock in 2026, and one in summer
    datetime(2026, 3, 1, tzinfo=UTC),
    datetime(2026, 3, 22, tzinfo=UTC),
    datetime(2026, 7, 6, tzinfo=UTC),
    datetime(2026, 9, 27, tzinfo=UTC),
    datetime(2026, 10, 20, tzinfo=UTC),
)
MINUTE = timedelta(minutes=1)

OFFICE = weekly({"mon-thu": ((480, 720), (780, 1080)), "fri": ((480, 960),)})
NIGHTS = weekly({"fri-sun": ((1320, 120),), "sun": ((1320, 120), (60, 200)), "wed": ((0, 1440),)})
GAPS = weekly({"sun": ((90, 150), (120, 125), (1430, 181)), "sat": ((1380, 121),)})


def go_to_if_time(line: tuple[str, str, str], local: datetime) -> bool:
    """``ast_check_timing`` for ``first-last,days,*,*``: minutes inclusive, both may wrap round."""
    days, first, last = line
    begin, _, end = days.partition("-")
    start_day, end_day = DAYS.index(begin), DAYS.index(end or begin)
    today = local.weekday()
    if start_day <= end_day:
        day_matches = start_day <= today <= end_day
    else:
        day_matches = today >= start_day or today <= end_day
    start, stop = (int(t[:2]) * 60 + int(t[3:]) for t in (first, last))
    now = local.hour * 60 + local.minute
    in_time = start <= now <= stop if start <= stop else now >= start or now <= stop
    return day_matches and in_time


def open_naively(schedule: WeeklyHours, local: datetime) -> bool:
    """The definition: within an interval of today, or of one that yesterday carried over."""
    now = local.hour * 60 + local.minute
    today = (s <= now < (e if e > s else 9999) for s, e in schedule.days[local.weekday()])
    spilled = (e < s and now < e for s, e in schedule.days[(local.weekday() - 1) % 7])
    return any(today) or any(spilled)


def test_the_model_falls_into_the_trap_of_an_unsplit_span() -> None:
    friday = datetime(2026, 6, 5, 0, 30)
    assert go_to_if_time(("fri", "22:00", "01:59"), friday)
    assert not go_to_if_time(("fri", "22:00", "01:59"), friday + timedelta(days=1))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("schedule", [OFFICE, NIGHTS, GAPS], ids=["office", "nights", "gaps"])
def test_state_and_gotoiftime_agree_at_every_minute(schedule: WeeklyHours, zone: str) -> None:
    lines = hours.weekly_spans(schedule)
    zone_info = ZoneInfo(zone)
    opened = 0
    for start in FORTNIGHTS:
        for n in range(14 * 24 * 60):
            local = (start + n * MINUTE).astimezone(zone_info)
            expected = open_naively(schedule, local)
            opened += expected
            assert any(go_to_if_time(line, local) for line in lines) == expected, local
            assert (hours._matching(schedule, local) is not None) == expected, local
    assert 0 < opened < 14 * 24 * 60 * len(FORTNIGHTS)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("schedule", [OFFICE, NIGHTS, GAPS], ids=["office", "nights", "gaps"])
def test_until_is_the_first_minute_of_another_state(schedule: WeeklyHours, zone: str) -> None:
    for start in FORTNIGHTS:
        found = hours.state(schedule, zone, start)
        for n in range(14 * 24 * 60):
            instant = start + n * MINUTE
            assert found.until is not None
            if instant == found.until:
                found = hours.state(schedule, zone, instant)
            local = instant.astimezone(ZoneInfo(zone))
            assert found.open == open_naively(schedule, local), local


@st.composite
def schedules(draw: st.DrawFn) -> WeeklyHours:
    minute = st.one_of(st.integers(0, 1439), st.sampled_from([0, 60, 90, 119, 120, 121, 150, 180]))
    end = st.one_of(st.integers(1, 1440), st.sampled_from([1, 120, 150, 1439, 1440]))
    interval = st.tuples(minute, end).filter(lambda pair: pair[0] != pair[1])
    day = st.lists(interval, max_size=3).map(tuple)
    return WeeklyHours(tuple(draw(day) for _ in DAYS))


@settings(max_examples=150, deadline=None)
@given(schedules(), st.sampled_from(ZONES), st.sampled_from(FORTNIGHTS), st.integers(0, 20_000))
def test_any_schedule_agrees_with_its_gotoiftime_lines(
    schedule: WeeklyHours, zone: str, start: datetime, offset: int
) -> None:
    lines = hours.weekly_spans(schedule)
    for n in range(0, 7 * 24 * 60, 61):
        instant = start + (offset + n) * MINUTE
        local = instant.astimezone(ZoneInfo(zone))
        expected = open_naively(schedule, local)
        assert any(go_to_if_time(line, local) for line in lines) == expected, local
        assert (hours._matching(schedule, local) is not None) == expected, local


@settings(max_examples=150, deadline=None)
@given(schedules(), st.sampled_from(ZONES), st.sampled_from(FORTNIGHTS), st.integers(0, 20_000))
def test_any_schedule_keeps_its_state_until_then(
    schedule: WeeklyHours, zone: str, start: datetime, offset: int
) -> None:
    instant = start + offset * MINUTE
    found = hours.state(schedule, zone, instant)
    zone_info = ZoneInfo(zone)
    stop = found.until or instant + timedelta(days=16)
    for n in range(int((stop - instant) / MINUTE)):
        local = (instant + n * MINUTE).astimezone(zone_info)
        assert open_naively(schedule, local) == found.open, local
    if found.until:
        assert hours.state(schedule, zone, found.until).open != found.open


def test_the_end_is_the_first_closed_minute() -> None:
    noon = datetime(2026, 6, 1, 16, 0, tzinfo=UTC)  # a Monday, 12:00 in New York
    before = hours.state(OFFICE, "America/New_York", noon - timedelta(seconds=1))
    after = hours.state(OFFICE, "America/New_York", noon)
    assert (before.open, before.until) == (True, noon)
    assert (after.open, after.until) == (False, noon + timedelta(hours=1))
    assert before.because == "hours of mon 08:00-12:00"
    assert after.because == "mon 12:00 is outside hours"


def test_hours_past_midnight_belong_to_the_day_they_start_on() -> None:
    late = weekly({"fri": ((1320, 120),)})
    saturday = datetime(2026, 6, 6, 1, 30, tzinfo=UTC)
    friday = saturday - timedelta(days=1)
    assert hours.state(late, "UTC", saturday).because == "hours of fri 22:00-02:00"
    assert not hours.state(late, "UTC", friday).open


def test_a_skipped_hour_never_opens_and_the_next_week_does() -> None:
    night = weekly({"sun": ((120, 180),)})  # 2026-03-08 has no 02:00 in New York
    saturday = datetime(2026, 3, 7, 17, tzinfo=UTC)
    found = hours.state(night, "America/New_York", saturday)
    assert found.until == datetime(2026, 3, 15, 6, tzinfo=UTC)


def test_hours_that_begin_in_a_skipped_hour_open_as_the_clock_jumps() -> None:
    night = weekly({"sun": ((150, 300),)})
    saturday = datetime(2026, 3, 7, 17, tzinfo=UTC)
    found = hours.state(night, "America/New_York", saturday)
    assert found.until == datetime(2026, 3, 8, 7, tzinfo=UTC)


def test_a_repeated_hour_opens_twice() -> None:
    night = weekly({"sun": ((60, 90),)})  # 2026-11-01 has 01:00 to 02:00 twice
    first = datetime(2026, 11, 1, 5, 0, tzinfo=UTC)
    states = [hours.state(night, "America/New_York", first + n * 30 * MINUTE) for n in range(4)]
    assert [found.open for found in states] == [True, False, True, False]
    assert states[0].until == first + 30 * MINUTE
    assert states[1].until == first + 60 * MINUTE


def test_no_schedule_is_always_open() -> None:
    found = hours.state(None, "UTC", datetime(2026, 1, 1, tzinfo=UTC))
    assert found == hours.HoursState(True, None, "no hours are set, so always open")


@pytest.mark.parametrize(("spans", "is_open"), [(((0, 1440),), True), ((), False)])
def test_a_state_that_never_changes_has_no_end(
    spans: tuple[tuple[int, int], ...], is_open: bool
) -> None:
    found = hours.state(weekly({"mon-sun": spans}), "Europe/Oslo", FORTNIGHTS[0])
    assert (found.open, found.until) == (is_open, None)


def test_an_instant_without_time_zone_is_refused() -> None:
    with pytest.raises(AssertionError, match="time zone"):
        hours.state(OFFICE, "UTC", datetime(2026, 1, 1))


def test_spans_merge_overlaps_and_days_and_split_midnight() -> None:
    assert hours.weekly_spans(OFFICE) == [
        ("mon-thu", "08:00", "11:59"),
        ("mon-thu", "13:00", "17:59"),
        ("fri", "08:00", "15:59"),
    ]
    overlap = weekly({"mon": ((480, 720), (700, 800), (800, 801))})
    assert hours.weekly_spans(overlap) == [("mon", "08:00", "13:20")]
    late = weekly({"sun": ((1320, 120),)})
    assert hours.weekly_spans(late) == [("mon", "00:00", "01:59"), ("sun", "22:00", "23:59")]
    assert hours.weekly_spans(weekly({"mon-sun": ((0, 1440),)})) == [("mon-sun", "00:00", "23:59")]
    apart = weekly({"mon,wed-thu": ((600, 660),)})
    assert hours.weekly_spans(apart) == [
        ("mon", "10:00", "10:59"),
        ("wed-thu", "10:00", "10:59"),
    ]
    assert hours.weekly_spans(weekly({"mon": ()})) == []
