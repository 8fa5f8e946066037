"""Silence counts only while messages are expected: not at night, not over a weekend."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from adapters.intake import feed_settings as settings
from adapters.intake.expected import Expected, is_silent, quiet
from adapters.intake.feeds import FeedWrongError

LONDON = ZoneInfo("Europe/London")
WEEK = Expected(weekdays="08-18", silence_minutes=30)
FRIDAY = datetime(2026, 11, 20, 17, 50, tzinfo=LONDON)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


@pytest.mark.parametrize(
    ("now", "minutes"),
    [
        ("2026-11-20T17:55", 5),
        ("2026-11-20T18:30", 10),
        ("2026-11-22T12:00", 10),
        ("2026-11-23T08:10", 20),
        ("2026-11-24T08:00", 610),
    ],
)
def test_only_the_hours_in_which_a_feed_sends_are_silence(now: str, minutes: int) -> None:
    assert quiet(WEEK, LONDON, FRIDAY, at(now)) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("now", "silent"), [("2026-11-23T08:19", False), ("2026-11-23T08:20", True)]
)
def test_a_feed_is_silent_once_its_longest_silence_is_reached(now: str, silent: bool) -> None:
    assert is_silent(WEEK, LONDON, FRIDAY, at(now)) is silent


@pytest.mark.parametrize(
    "expected", [Expected(), Expected(weekdays="08-18"), Expected(silence_minutes=5)]
)
def test_a_feed_of_which_nothing_is_expected_is_never_silent(expected: Expected) -> None:
    assert not is_silent(expected, LONDON, FRIDAY, at("2026-12-20T12:00"))


def test_a_day_of_which_the_clock_goes_back_has_an_hour_more() -> None:
    whole = Expected(sundays="00-24", silence_minutes=1)
    saturday, monday = at("2026-10-24T12:00"), at("2026-10-26T12:00")
    assert quiet(whole, LONDON, saturday, monday) == timedelta(hours=25)


def test_the_setting_is_read_and_written_as_it_stands() -> None:
    said = {"weekdays": "08-18", "saturdays": "09-13", "silence_minutes": 45}
    feed = settings.from_settings({"name": "north", "expected": said})
    assert feed.expected == Expected("08-18", "09-13", "", 45)
    assert settings.decode(settings.encode(feed)) == feed
    typed = settings.amended(
        settings.from_settings({"name": "north"}),
        {"expected": "weekdays=08-18, saturdays=09-13, silence_minutes=45"},
    )
    assert typed == feed
    assert b"expected" not in settings.encode(settings.from_settings({"name": "north"}))


@pytest.mark.parametrize(
    "said",
    [
        "08-18",
        {"weekdays": "8-18"},
        {"weekdays": "18-08"},
        {"weekdays": "08-25"},
        {"mondays": "08-18"},
        {"silence_minutes": "30"},
        {"silence_minutes": -1},
        {"silence_minutes": True},
    ],
)
def test_a_setting_that_means_nothing_is_named(said: object) -> None:
    with pytest.raises(FeedWrongError, match=r"^expected: "):
        settings.from_settings({"name": "north", "expected": said})
