"""Dates cover what they may mean: by their precision, their zone, and the calendar of London."""

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.clock import from_micros, micros
from fhir_server.search.dates import OPEN_END, OPEN_START, element_span, period_span, span

DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(9998, 12, 30))
MOMENTS = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(9998, 12, 30))


def utc(*parts: int) -> int:
    return micros(datetime(*parts, tzinfo=UTC))  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2026", utc(2026, 1, 1), utc(2027, 1, 1)),
        ("2026-02", utc(2026, 2, 1), utc(2026, 3, 1)),
        ("2024-02", utc(2024, 2, 1), utc(2024, 3, 1)),
        ("2026-01-31", utc(2026, 1, 31), utc(2026, 2, 1)),
        ("2026-06-02", utc(2026, 6, 1, 23), utc(2026, 6, 2, 23)),
        ("2026-06", utc(2026, 5, 31, 23), utc(2026, 6, 30, 23)),
        ("2026-03-29", utc(2026, 3, 29), utc(2026, 3, 29, 23)),
        ("2026-10-25", utc(2026, 10, 24, 23), utc(2026, 10, 26)),
        ("2026-06-02T00:30", utc(2026, 6, 1, 23, 30), utc(2026, 6, 1, 23, 31)),
        ("2026-06-02T00:30Z", utc(2026, 6, 2, 0, 30), utc(2026, 6, 2, 0, 31)),
        ("2026-06-02T00:30:15+01:00", utc(2026, 6, 1, 23, 30, 15), utc(2026, 6, 1, 23, 30, 16)),
        ("2026-06-02T00:30:15-05:30", utc(2026, 6, 2, 6, 0, 15), utc(2026, 6, 2, 6, 0, 16)),
        ("1970-01-01T00:00:00.5Z", 500_000, 600_000),
        ("1970-01-01T00:00:00.123Z", 123_000, 124_000),
        ("1970-01-01T00:00:00.1234567Z", 123_456, 123_457),
        ("2016-12-31T23:59:60Z", utc(2017, 1, 1), utc(2017, 1, 1, 0, 0, 1)),
        ("9999-12-31", utc(9999, 12, 31), utc(9999, 12, 31) + 86_400_000_000),
        ("9999", utc(9999, 1, 1), utc(9999, 12, 31) + 86_400_000_000),
    ],
)
def test_a_date_covers_all_the_time_that_it_may_mean(text, low, high):
    assert span(text) == (low, high)


@pytest.mark.parametrize(
    "text",
    [
        "", "26", "2026-", "2026-13", "2026-00", "2026-02-30", "2026-01-00", "2026-01-01T", "0000",
        "2026-01-01T10", "2026-01-01T24:00", "2026-01-01T10:60", "2026-01-01T10:00:61Z",
        "2026-01-01T10:00:00+15:00", "2026-01-01T10:00:00+01:99", "2026-01-01T10:00:00.Z",
        "2026-01-01 10:00", "2026-1-1", "20260101", "٢٠٢٦", " 2026", "2026\n", "yesterday",
    ],
)  # fmt: skip
def test_a_text_that_is_no_date_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        span(text)


@given(st.text())
def test_any_text_is_a_span_or_refused(text):
    try:
        low, high = span(text)
    except ValueError:
        return
    assert low < high


@given(DAYS)
def test_days_follow_each_other_without_gap_or_overlap(day):
    assert span(day.isoformat())[1] == span((day + timedelta(days=1)).isoformat())[0]


@given(DAYS)
def test_a_day_lies_in_its_month_and_its_year(day):
    low, high = span(day.isoformat())
    for wider in (f"{day:%Y-%m}", f"{day:%Y}"):
        outer = span(wider)
        assert outer[0] <= low < high <= outer[1]


@given(DAYS)
def test_a_day_has_24_hours_but_when_the_clocks_change(day):
    low, high = span(day.isoformat())
    hours = (high - low) / 3_600_000_000
    assert hours in {23, 24, 25} or day.year < 1972


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_an_instant_is_the_same_in_every_zone(moment, minutes):
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text = aware.isoformat(timespec="microseconds")
    assert span(text) == (micros(aware), micros(aware) + 1)


@given(MOMENTS)
def test_less_precision_covers_more(moment):
    spans = [
        span(f"{moment.isoformat(timespec=precision)}Z")
        for precision in ("microseconds", "milliseconds", "seconds", "minutes")
    ]
    for narrow, wide in pairwise(spans):
        assert wide[0] <= narrow[0] < narrow[1] <= wide[1]


def test_a_sample_taken_after_midnight_in_summer_belongs_to_the_day_of_those_who_took_it():
    low, high = span("2026-06-02")
    taken = span("2026-06-01T23:30:00Z")[0]
    assert low <= taken < high
    assert from_micros(low).isoformat() == "2026-06-01T23:00:00+00:00"


def test_a_period_includes_its_last_day():
    assert period_span({"start": "2026-01-01", "end": "2026-01-31"}) == (
        utc(2026, 1, 1),
        utc(2026, 2, 1),
    )


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ({"start": "2026"}, (utc(2026, 1, 1), OPEN_END)),
        ({"end": "2026"}, (OPEN_START, utc(2027, 1, 1))),
        ({}, (OPEN_START, OPEN_END)),
    ],
)
def test_a_period_may_be_open(period, expected):
    assert period_span(period) == expected


def test_of_a_timing_only_the_outer_limits_matter():
    timing = {
        "event": ["2026-03-01", "2026-01-01"],
        "repeat": {"boundsPeriod": {"start": "2026-02-01", "end": "2026-02-02"}},
    }
    assert element_span(timing) == (utc(2026, 1, 1), utc(2026, 3, 2))


@pytest.mark.parametrize("element", [{}, {"repeat": {"frequency": 1}}])
def test_a_timing_without_dates_covers_none(element):
    assert element_span(element) is None


def test_a_period_that_ends_before_it_starts_covers_none():
    assert element_span({"start": "2026-02-01", "end": "2026-01-01"}) is None
