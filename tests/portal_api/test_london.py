"""Times as people in London read them, never more exact than they were given."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal_api import london


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-07-01T08:05:00Z", "1 July 2026 at 9:05am"),
        ("2026-11-24T14:30:00+00:00", "24 November 2026 at 2:30pm"),
        ("2026-11-24T23:30:00-02:00", "25 November 2026 at 1:30am"),
        ("2026-11-24T12:00:00Z", "24 November 2026 at midday"),
        ("2026-06-30T23:00:00Z", "1 July 2026 at midnight"),
        ("2026-11-24", "24 November 2026"),
        ("2026-07-01", "1 July 2026"),
        ("2026-11", "November 2026"),
        ("2026", "2026"),
    ],
)
def test_a_time_is_shown_in_london_and_as_exact_as_it_was_given(text, shown):
    assert london.day_and_time(london.moment(text)) == shown


@pytest.mark.parametrize("text", ["", "soon", "2026-13", "2026-11-24T10:00:00", "24/11/2026"])
def test_what_is_no_time_is_none(text):
    assert london.moment(text) is None


def test_a_day_is_named_with_its_weekday_where_the_day_is_known():
    assert london.weekday(london.moment("2026-11-24")) == "Tuesday 24 November 2026"
    assert london.weekday(london.moment("2026-11")) == "November 2026"


def test_a_day_in_summer_begins_an_hour_before_utc_and_a_change_of_the_clocks_has_25_hours():
    assert london.day_start("2026-07-01") == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert london.day_end("2026-07-01") == datetime(2026, 7, 1, 23, tzinfo=UTC)
    longest = london.day_end("2026-10-25") - london.day_start("2026-10-25")
    assert longest == timedelta(hours=25)
    assert london.day_end("2026-02-30") is None


@pytest.mark.parametrize(
    ("minutes", "shown"),
    [
        (0, "less than a minute"),
        (1, "1 minute"),
        (59, "59 minutes"),
        (60, "1 hour"),
        (1439, "23 hours"),
        (4320, "3 days"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(minutes, shown):
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert london.age(now - timedelta(minutes=minutes), now) == shown


def test_a_birthday_counts_from_the_day_itself_in_london():
    eve = datetime(2026, 3, 3, 23, 30, tzinfo=UTC)
    assert london.years_old("1955-03-04", eve) == 70
    assert london.years_old("1955-03-04", eve + timedelta(hours=1)) == 71
    assert london.years_old("1955-03", eve) is None


@given(st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)))
def test_an_instant_lies_within_its_own_london_day(instant):
    day = london.calendar_day(london.at(instant)).isoformat()
    assert london.day_start(day) <= instant < london.day_end(day)


def test_whoever_compares_entries_sees_seconds():
    when = london.moment("2026-07-01T08:05:07.9Z")
    assert london.to_the_second(when) == "1 Jul 2026, 09:05:07"
