from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from asterisk_agent import hours
from asterisk_agent.brain.office import Office
from asterisk_agent.brain.opening_english import intervals, minute, weekdays
from asterisk_agent.overrides import Override, OverrideState
from asterisk_agent.plan import Schedule, SpecialDay

ZONE = "America/New_York"
LONG = ((8 * 60, 12 * 60), (13 * 60, 18 * 60))
SHORT = ((8 * 60, 16 * 60),)
SCHEDULE = Schedule(
    ZONE,
    (LONG, LONG, LONG, LONG, SHORT, (), ()),
    {
        date(2026, 12, 24): SpecialDay("Christmas Eve", ((8 * 60, 12 * 60),)),
        date(2026, 12, 25): SpecialDay("Christmas Day"),
        date(2026, 12, 28): SpecialDay("Stocktaking"),
        date(2026, 12, 29): SpecialDay("Stocktaking"),
        date(2027, 7, 5): SpecialDay("Independence Day (observed)"),
    },
)


def office(
    at: str = "2026-03-11 10:30", schedule: Schedule = SCHEDULE, switch: Override | None = None
) -> Office:
    moment = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(schedule.timezone))
    return Office(schedule, lambda: moment, lambda: switch, ["This is Birch Museum."], "desk")


WEEK = (
    "We are open from Monday to Thursday from 8 a.m. to 12 noon and from 1 p.m. to 6 p.m. and on "
    "Friday from 8 a.m. to 4 p.m. On Saturday and Sunday we are closed."
)
MONDAY = "On Monday we are open from 8 a.m. to 12 noon and from 1 p.m. to 6 p.m."


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When are you open?", WEEK),
        ("what are your opening hours please", WEEK),
        ("are you open at night", WEEK),
        ("when is the museum open", WEEK),
        ("which days are you open", WEEK),
        ("when do you close on Friday", "On Friday we close at 4 p.m."),
        ("what time do you open on fridays", "On Friday we open at 8 a.m."),
        ("When are you open on Friday?", "On Friday we are open from 8 a.m. to 4 p.m."),
        ("what times is the museum open on friday", "On Friday we are open from 8 a.m. to 4 p.m."),
        ("are you open on monday", MONDAY),
        ("how late are you open on monday", MONDAY),
        ("are you open on weekends", "On Saturday and Sunday we are closed."),
        ("are you open now", "We are open now, until 12 noon."),
        ("are you closed now", "We are open now, until 12 noon."),
        ("when do you open again", "We are open now, until 12 noon."),
        ("how late are you there today", "Today we are open " + intervals(LONG)),
        ("are you open tomorrow morning", "Tomorrow we are open " + intervals(LONG)),
        ("are you open this saturday", "On Saturday, March 14 we are closed."),
        (
            "Are you open on Christmas Day?",
            "On Friday, December 25, Christmas Day, we are closed.",
        ),
        ("are you open at xmas", "On Friday, December 25, Christmas Day, we are closed."),
        (
            "are you open on christmas eve",
            "On Thursday, December 24, Christmas Eve, we are open from 8 a.m. to 12 noon.",
        ),
        (
            "are you open on the 24th of december",
            "On Thursday, December 24, Christmas Eve, we are open from 8 a.m. to 12 noon.",
        ),
        (
            "are you open on december twenty fourth",
            "On Thursday, December 24, Christmas Eve, we are open from 8 a.m. to 12 noon.",
        ),
        (
            "when are you closed for stocktaking",
            "From Monday, December 28 to Tuesday, December 29, we are closed.",
        ),
        (
            "are you open on new year's eve",
            "On Thursday, December 31 we are open " + intervals(LONG),
        ),
        ("do you close for lunch", "From Monday to Thursday we are closed from 12 noon to 1 p.m."),
    ],
)
def test_answers(question: str, answer: str) -> None:
    assert office().answer(question) == answer


@pytest.mark.parametrize(
    "question",
    [
        "when does the post office open",
        "when is the swimming pool open",
        "can a plumber come on saturday",
        "what time is my appointment on friday",
        "how do I open an account",
        "is the lift closed",
        "are you open to offers",
        "are you open on thanksgiving",  # not in this calendar
        "are you open on easter monday",
        "do you work on boilers",
        "what about friday",
        "",
    ],
)
def test_other_questions_are_left_to_the_documents(question: str) -> None:
    assert office().answer(question) is None


def test_what_follows_a_question_about_hours_is_one() -> None:
    assert office().answer("and on monday", follows=True) == MONDAY
    assert office().answer("what about friday", follows=True) is not None
    assert office().answer("and the price", follows=True) is None
    assert office().answer("thank you", follows=True) is None


@pytest.mark.parametrize(
    ("at", "answer"),
    [
        ("2026-03-11 12:30", "We are closed now. We open again today at 1 p.m."),
        ("2026-03-11 19:00", "We are closed now. We open again tomorrow at 8 a.m."),
        ("2026-03-13 17:00", "We are closed now. We open again on Monday at 8 a.m."),
        ("2026-12-25 10:00", "Today is Christmas Day, and we are closed. We open again on "
         "Wednesday at 8 a.m."),
    ],
)  # fmt: skip
def test_closed_now(at: str, answer: str) -> None:
    assert office(at).answer("are you open") == answer


def test_when_open_again() -> None:
    assert office("2026-03-13 17:00").answer("when do you open again") == (
        "We open again on Monday at 8 a.m."
    )


def test_the_week_tells_what_is_different_in_it() -> None:
    said = office("2026-12-21 09:00").answer("when are you open") or ""
    assert said.startswith(WEEK)
    assert "On Friday, December 25, Christmas Day, we are closed." in said
    said = office("2026-12-21 09:00").answer("are you open on friday") or ""
    assert said.endswith("On Friday, December 25, Christmas Day, we are closed.")
    assert office().answer("are you open on public holidays") is not None


def test_the_night_switch_counts() -> None:
    closed = Override(OverrideState.CLOSED)
    people = Override(OverrideState.PEOPLE, datetime(2026, 3, 14, 3, tzinfo=UTC))
    forever = Override(OverrideState.OPEN)
    assert office(switch=closed).answer("are you open") == "We are closed at the moment."
    night = "2026-03-13 21:00"
    assert office(night, switch=people).answer("are you open") == "We are open now, until 11 p.m."
    assert office(night, switch=forever).answer("are you open") == "We are open now."


def test_hours_that_pass_midnight_and_never_end() -> None:
    night = ((22 * 60, 2 * 60),)
    late = Schedule(ZONE, ((), (), (), (), night, night, ()), {})
    assert office("2026-03-13 23:00", late).answer("are you open") == (
        "We are open now, until Saturday, 2 a.m."
    )
    whole = Schedule(ZONE, ((((0, 1440)),),) * 7, {})
    assert office(schedule=whole).answer("are you open now") == "We are open now."
    assert office(schedule=whole).answer("when do you close on friday") == (
        "On Friday we are open around the clock."
    )
    never = Schedule(ZONE, ((),) * 7, {})
    assert office(schedule=never).answer("when are you open") == "We are closed at the moment."
    assert office(schedule=never).answer("are you open") == "We are closed now."
    assert office(schedule=never).answer("are you open on holidays") is None


def test_what_is_said_of_a_day_is_what_the_plan_has() -> None:
    """Every day of two years: the same intervals as those that route the calls."""
    for offset in range(0, 700, 3):
        day = date.fromordinal(date(2026, 1, 1).toordinal() + offset)
        said = office(f"{day} 07:00").answer("are you open today") or ""
        open_ = hours.intervals_on(SCHEDULE, day)
        assert ("closed" in said) is (not open_)
        assert not open_ or intervals(open_) in f"{said}."


def test_words() -> None:
    assert [minute(m) for m in (0, 1, 59, 720, 721, 780, 1439, 1440)] == [
        "midnight",
        "12:01 a.m.",
        "12:59 a.m.",
        "12 noon",
        "12:01 p.m.",
        "1 p.m.",
        "11:59 p.m.",
        "midnight",
    ]
    assert weekdays([0, 1, 2, 4, 6]) == "Monday to Wednesday, Friday and Sunday"
