"""The countries of the ``holidays`` package, and what is said about those that it has not."""

import pytest
from good_config import GOOD, write_good

from asterisk_agent.config import countries
from asterisk_agent.config.load import survey
from asterisk_agent.config.special_days import PublicHolidays


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("Norway", "write NO"),
        ("norway", "write NO"),
        ("NOR", "write NO"),
        ("no", "write NO"),
        ("UK", "write GB"),
        ("USA", "write US"),
        ("United States", "write US"),
        ("Untied States", "write US for United States"),
        ("Grmany", "write DE for Germany"),
    ],
)
def test_the_country_that_was_meant(written: str, hint: str) -> None:
    assert countries.country_hint(written) == hint


@pytest.mark.parametrize("written", ["Norge", "XX", "", "Atlantis", "12"])
def test_no_guess_where_none_is_good(written: str) -> None:
    assert countries.country_hint(written).startswith("the two letters of ISO 3166: ")


def test_every_country_has_holidays_under_its_code() -> None:
    """Each is asked for once, so that none of them needs a language or a part to be known."""
    assert {"NO", "US", "IN", "AU", "JP"} <= countries.subdivisions().keys()
    empty = [
        code
        for code in countries.subdivisions()
        if not PublicHolidays(country=code).dates(range(2026, 2027))
    ]
    assert len(empty) < 10, empty  # some are territories that list theirs by subdivision


@pytest.mark.parametrize(
    ("country", "wanted", "language"),
    [
        ("US", None, "en_US"),
        ("GB", None, "en_GB"),
        ("NO", None, "en_US"),
        ("NO", "no", "no"),
        ("NO", "en", "en_US"),
        ("NO", "tlh", None),
        ("NO", "n", None),
    ],
)
def test_languages(country: str, wanted: str | None, language: str | None) -> None:
    assert countries.language_of(country, wanted) == language


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("subdivision: NY", "region: NY", "holidays.us.region: is not a known key"),
        ("subdivision: NY", "language: tlh", "a language of the holidays of US, got"),
        ("US, subdivision: NY", "NO, subdivision: NY", 'a part of NO, got "NY". Hint: NO has 03, '),
        ("Election Day", "Boss's Day", "Hint: known are Christmas Day, Columbus Day, "),
    ],
)
def test_messages_that_depend_on_the_package(
    tmp_path_factory: pytest.TempPathFactory, old: str, new: str, said: str
) -> None:
    hours = GOOD["hours.yaml"].replace(old, new)
    found = survey(write_good(tmp_path_factory.mktemp("etc"), hours=hours)).problems
    assert any(said in str(problem) for problem in found), found


def test_what_cannot_be_known_is_not_said(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Which holidays there are depends on a country that is wrong."""
    hours = GOOD["hours.yaml"].replace("country: US", "country: XX")
    (only,) = survey(write_good(tmp_path_factory.mktemp("etc"), hours=hours)).problems
    assert only.path == ("holidays", "us", "country")
