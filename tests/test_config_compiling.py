"""Configuration → plan: every holiday a date, and the closest description of a date wins."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from good_config import GOOD, write_good

from asterisk_agent import plan
from asterisk_agent.config.compiling import plain, plan_of
from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Config
from asterisk_agent.plan import SpecialDay

HOURS = "timezone: UTC\nhours:\n  office: {mon-fri: '08:00-16:00', holidays: [%s]}\nholidays:\n%s"


def config(tmp_path: Path, **files: str) -> Config:
    return load(write_good(tmp_path / "etc", **files))


def dates(tmp_path: Path, holidays: str, lists: str, year: int = 2026, years: int = 1) -> Any:
    """The special days of a schedule with these holidays: date → name."""
    whole = plan_of(config(tmp_path, hours=HOURS % (holidays, lists)), year, years)
    return {str(day): special.name for day, special in whole.schedules["office"].dates.items()}


def test_what_routing_needs(tmp_path: Path) -> None:
    whole = plan_of(config(tmp_path), 2026)
    support = whole.channels["support"]
    assert support == plan.ChannelPlan(
        id="support",
        numbers=("+15551230100",),
        agent=True,
        schedule="office",
        open_answer="agent",
        handoff=("support", "backoffice"),
        open_unanswered=plan.Unanswered("support", "nobody-free"),
        closed_answer="agent",
        closed_unanswered=plan.Unanswered("support", "closed-now"),
        on_call=plan.OnCall("PJSIP/150", ("urgent",)),
    )
    assert whole.channels["billing"].on_call is None
    assert whole.teams == {
        "support": plan.TeamPlan("support", reachable=True, mailbox=True),
        "billing": plan.TeamPlan("billing", reachable=True, mailbox=True),
        "backoffice": plan.TeamPlan("backoffice", reachable=True, mailbox=False),
        "night": plan.TeamPlan("night", reachable=False, mailbox=True),
    }
    assert whole.close_grace_s == 300
    assert (whole.first_date, whole.last_date) == (date(2026, 1, 1), date(2029, 12, 31))
    office = whole.schedules["office"]
    assert office.timezone == "America/New_York"
    assert office.week[3:6] == (((480, 720), (780, 1080)), ((480, 960),), ())
    assert office.dates[date(2026, 12, 24)] == SpecialDay("Christmas Eve", ((480, 720),))
    assert office.dates[date(2027, 12, 26)] == SpecialDay("Second day of Christmas")


def test_it_survives_being_a_file(tmp_path: Path) -> None:
    whole = plan_of(config(tmp_path), 2026)
    assert plan.from_json(plan.to_json(whole)) == whole


def test_always_open_and_a_zone_of_its_own(tmp_path: Path) -> None:
    channels = GOOD["channels.yaml"].replace("    hours: office\n    in", "    in")
    hours = GOOD["hours.yaml"].replace("    fri:", "    timezone: Europe/Oslo\n    fri:")
    whole = plan_of(config(tmp_path, channels=channels, hours=hours), 2026)
    assert whole.channels["billing"].schedule is None
    assert whole.schedules["office"].timezone == "Europe/Oslo"


@pytest.mark.parametrize(("text", "seconds"), [("0s", 0), ("90s", 90), ("2h", 7200)])
def test_close_grace(tmp_path: Path, text: str, seconds: int) -> None:
    hours = GOOD["hours.yaml"].replace("5m", text)
    assert plan_of(config(tmp_path, hours=hours), 2026).close_grace_s == seconds


def test_close_grace_unless_told_otherwise(tmp_path: Path) -> None:
    hours = GOOD["hours.yaml"].replace("close_grace: 5m\n", "")
    assert config(tmp_path, hours=hours).close_grace == timedelta(minutes=10)


def test_a_country_in_two_letters_that_look_like_a_switch(tmp_path: Path) -> None:
    found = dates(tmp_path, "public", "  public: {country: NO}\n")
    assert found["2026-05-17"] == "Constitution Day"
    assert found["2026-05-14"] == "Ascension Day"
    assert len(found) == 12


def test_the_language_of_the_names(tmp_path: Path) -> None:
    found = dates(tmp_path, "public", '  public: {country: "NO", language: no}\n')
    assert found["2026-05-17"] == "Grunnlovsdag"


def test_a_part_of_a_country(tmp_path: Path) -> None:
    bavaria = dates(tmp_path, "public", "  public: {country: DE, subdivision: BY}\n")
    berlin = dates(tmp_path, "public", "  public: {country: DE, subdivision: BE}\n")
    assert "2026-01-06" in bavaria
    assert "2026-01-06" not in berlin


def test_holidays_that_are_not_kept(tmp_path: Path) -> None:
    lists = "  us: {country: US, except: [Columbus Day, Independence Day]}\n"
    found = dates(tmp_path, "us", lists)
    assert "2026-10-12" not in found
    assert not {"2026-07-03", "2026-07-04"} & found.keys()  # the observed day goes too
    assert "2026-12-25" in found


def test_one_of_two_holidays_on_a_day(tmp_path: Path) -> None:
    lists = "  us: {country: US, subdivision: NY%s}\n"
    assert dates(tmp_path, "us", lists % "", 2027)["2027-02-15"] == (
        "Susan B. Anthony Day and Washington's Birthday"
    )
    lists %= ', except: ["Washington\'s Birthday"]'
    assert dates(tmp_path, "us", lists, 2027)["2027-02-15"] == "Susan B. Anthony Day"


def test_new_year_observed_in_the_last_december(tmp_path: Path) -> None:
    """1 January 2028 is a Saturday."""
    found = dates(tmp_path, "us", "  us: {country: US}\n", 2027)
    assert found["2027-12-31"] == "New Year's Day (observed)"
    assert all(day.startswith("2027") for day in found)


LISTED = """\
  public: {country: US}
  company:
    - {from: 2026-12-20, to: 2027-01-05, name: Works}
    - {date: 12-25, name: Every Christmas, hours: "10:00-12:00"}
    - {date: 2026-12-25, name: This Christmas, hours: "11:00-12:00", cut: yes}
    - {date: 02-29, name: Leap day}
"""


@pytest.mark.parametrize("order", ["public, company", "company, public"])
def test_the_closest_description_wins(tmp_path: Path, order: str) -> None:
    found = dates(tmp_path, order, LISTED, 2025, 4)
    assert found["2025-12-25"] == "Every Christmas"
    assert found["2026-12-25"] == "This Christmas"
    assert found["2027-12-25"] == "Every Christmas"
    assert found["2026-12-20"] == found["2027-01-05"] == "Works"
    assert found["2027-01-01"] == "Works"
    assert found["2026-01-01"] == "New Year's Day"
    assert found["2028-02-29"] == "Leap day"
    assert [day for day in found if day.endswith("-02-29")] == ["2028-02-29"]


def test_hours_and_the_cut_come_along(tmp_path: Path) -> None:
    text = HOURS % ("public, company", LISTED)
    whole = plan_of(config(tmp_path, hours=text), 2026)
    special = whole.schedules["office"].dates[date(2026, 12, 25)]
    assert special == SpecialDay("This Christmas", ((660, 720),), cut=True)


def test_a_range_is_cut_to_the_years_of_the_plan(tmp_path: Path) -> None:
    lists = "  long:\n    - {from: 2001-01-01, to: 2098-12-31, name: Away}\n"
    assert len(dates(tmp_path, "long", lists, 2027)) == 365


def test_of_two_countries_the_first_names_the_day(tmp_path: Path) -> None:
    lists = "  no: {country: NO}\n  us: {country: US}\n"
    assert dates(tmp_path, "no, us", lists)["2026-12-25"] == "Christmas Day"
    assert "2026-05-17" in dates(tmp_path, "us, no", lists)


def test_a_schedule_without_holidays_has_none(tmp_path: Path) -> None:
    hours = GOOD["hours.yaml"].replace("    holidays: [us, company]\n", "")
    assert plan_of(config(tmp_path, hours=hours), 2026).schedules["office"].dates == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("New Year's Day (observed)", "New Year's Day (observed)"),
        ("Día de la Constitución", "Día de la Constitución"),
        ("a;b\n[x] ${y}", "a b x y"),
        ("x" * 80, "x" * 60),
    ],
)
def test_names_of_the_package_are_held_to_our_alphabet(name: str, expected: str) -> None:
    assert plain(name) == expected
