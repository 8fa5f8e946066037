"""FHIR dates as spans of instants: the first included, the last excluded, in microseconds.

A date stands for all the time that it may mean: `2026` for a year, `2026-03-29T10:00Z` for a
minute. https://hl7.org/fhir/R4/search.html#date

A date without a zone is a day in Europe/London, in what is stored and in what is asked alike: a
sample taken at 23:30Z in June was taken on the next day, by the calendar of those who took it.
Servers that take the zone of their machine for it move results by a day when summer time comes.
"""

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from fhir_server.clock import micros

OPEN_START = -(2**62)
"""Before every date."""
OPEN_END = 2**62
"""After every date."""

_SPANS_KEPT = 4096
"""Dates whose spans are remembered: the results of one sample share theirs."""

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_LONDON = ZoneInfo("Europe/London")
_FORM = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})"
    r"(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?",
    re.ASCII,
)


@lru_cache(_SPANS_KEPT)
def span(text: str) -> tuple[int, int]:
    """Return the instants that a FHIR date, dateTime or instant covers.

    Year, month, day, minute, second or a fraction of it; more than six digits of a fraction are
    cut off, and an instant is never shorter than a microsecond. A time without a zone is taken
    as one in Europe/London. Raises ValueError for a text that is no date.
    https://hl7.org/fhir/R4/datatypes.html#dateTime
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError("not a FHIR date")
    year, month, day, hour, minute, second, fraction, zone = form.groups()
    if hour is None:
        return _calendar_span(
            int(year), None if month is None else int(month), None if day is None else int(day)
        )
    start = _minute(date(int(year), int(month), int(day)), int(hour), int(minute), zone)
    if second is None:
        return start, start + 60 * _SECOND
    if int(second) > 60:
        raise ValueError("not a second")
    start += int(second) * _SECOND
    if fraction is None:
        return start, start + _SECOND
    digits = fraction[:6]
    width = 10 ** (6 - len(digits))
    start += int(digits) * width
    return start, start + width


def period_span(period: Mapping[str, Any]) -> tuple[int, int]:
    """Return the instants that a Period covers, its last day or second included.

    `OPEN_START` and `OPEN_END` stand where it is open. https://hl7.org/fhir/R4/datatypes.html#Period
    """
    start, end = period.get("start"), period.get("end")
    return (
        span(start)[0] if start else OPEN_START,
        span(end)[1] if end else OPEN_END,
    )


def element_span(element: Any) -> tuple[int, int] | None:
    """Return the instants that a date, Period or Timing covers; None where it names none.

    Of a Timing only the outer limits matter. https://hl7.org/fhir/R4/search.html#date
    """
    if isinstance(element, str):
        return span(element)
    if "start" in element or "end" in element:
        covered = period_span(element)
    else:
        spans = _timing_spans(element)
        if not spans:
            return None
        covered = min(low for low, _ in spans), max(high for _, high in spans)
    return covered if covered[0] < covered[1] else None


def _timing_spans(timing: Mapping[str, Any]) -> Sequence[tuple[int, int]]:
    spans = [span(event) for event in timing.get("event", ())]
    bounds = timing.get("repeat", {}).get("boundsPeriod")
    if bounds:
        spans.append(period_span(bounds))
    return spans


def _calendar_span(year: int, month: int | None, day: int | None) -> tuple[int, int]:
    if month is None:
        first, last = date(year, 1, 1), date(year, 12, 31)
    elif day is None:
        first, last = date(year, month, 1), date(year, month, monthrange(year, month)[1])
    else:
        first = last = date(year, month, day)
    return _midnight(first), _after(last)


def _after(day: date) -> int:
    if day == date.max:
        return micros(datetime(9999, 12, 31, tzinfo=UTC)) + _DAY
    return _midnight(day + timedelta(days=1))


def _midnight(day: date) -> int:
    return micros(datetime(day.year, day.month, day.day, tzinfo=_LONDON))


def _minute(day: date, hour: int, minute: int, zone: str | None) -> int:
    if zone is None:
        return micros(datetime(day.year, day.month, day.day, hour, minute, tzinfo=_LONDON))
    start = micros(datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC))
    if zone == "Z":
        return start
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 14 or minutes > 59:
        raise ValueError("not a time zone")
    offset = (hours * 60 + minutes) * 60 * _SECOND
    return start - offset if zone[0] == "+" else start + offset
