"""When messages of a feed are expected, and how long it has been quiet while they were.

A laboratory sleeps at night and on Sundays: only the time in which it is expected to send counts
as silence. Hours are those of the feed's own time zone.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

_HOURS = re.compile(r"([01]\d|2[0-3])-([01]\d|2[0-4])")
_LONGEST = 7 * 24 * 60
_LOOKED_BACK = timedelta(days=60)
_SATURDAY, _SUNDAY = 5, 6


@dataclass(frozen=True, slots=True)
class Expected:
    """The hours of the week in which a feed sends, and the longest silence within them.

    Hours are written `08-18`, from the first to the last full hour; empty where nothing is
    expected. *silence_minutes* is the time without a message from which the feed is silent; 0
    where nobody is to be alarmed.
    """

    weekdays: str = ""
    saturdays: str = ""
    sundays: str = ""
    silence_minutes: int = 0

    @property
    def is_watched(self) -> bool:
        """Tell whether silence of this feed means anything."""
        return self.silence_minutes > 0 and any((self.weekdays, self.saturdays, self.sundays))

    def hours_of(self, day: date) -> tuple[int, int] | None:
        """Return the first hour and the hour after the last of those expected on *day*."""
        text = {_SATURDAY: self.saturdays, _SUNDAY: self.sundays}.get(day.weekday(), self.weekdays)
        return (int(text[:2]), int(text[3:])) if text else None


def from_settings(tree: Any) -> Expected:
    """Return what the feed's setting *tree* says. Raises ValueError for what says nothing."""
    names = [one.name for one in fields(Expected)]
    if not isinstance(tree, Mapping) or not set(tree) <= set(names):
        raise ValueError
    for name, value in tree.items():
        if name == "silence_minutes":
            if type(value) is not int or not 0 <= value <= _LONGEST:
                raise ValueError
        elif not isinstance(value, str) or (value and not _is_span(value)):
            raise ValueError
    return Expected(**tree)


def from_text(text: str) -> Expected:
    """Return what `weekdays=08-18,silence_minutes=30` says. Raises ValueError where it is none."""
    found = [one.partition("=") for one in text.split(",") if one.strip()]
    said = {name.strip(): value.strip() for name, _, value in found}
    minutes = said.pop("silence_minutes", "0")
    return from_settings({**said, "silence_minutes": int(minutes)})


def to_settings(expected: Expected) -> dict[str, Any]:
    """Return what `from_settings` reads, defaults left out."""
    named = {one.name: getattr(expected, one.name) for one in fields(Expected)}
    return {name: value for name, value in named.items() if value}


def quiet(expected: Expected, zone: tzinfo, since: datetime, now: datetime) -> timedelta:
    """Return how much of the time from *since* to *now* (aware) messages were expected."""
    start = max(since, now - _LOOKED_BACK)
    passed = timedelta()
    for opens, closes in _spans(expected, zone, start, now):
        passed += max(timedelta(), min(closes, now) - max(opens, start))
    return passed


def is_silent(expected: Expected, zone: tzinfo, since: datetime, now: datetime) -> bool:
    """Tell whether the feed, which last sent at *since*, has been quiet for too long at *now*."""
    if not expected.is_watched:
        return False
    return quiet(expected, zone, since, now) >= timedelta(minutes=expected.silence_minutes)


def _is_span(text: str) -> bool:
    found = _HOURS.fullmatch(text)
    return found is not None and int(found[1]) < int(found[2])


def _spans(
    expected: Expected, zone: tzinfo, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the expected hours of each day between *start* and *end*, as instants in UTC."""
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        hours = expected.hours_of(day)
        following = day + timedelta(days=1)
        if hours is not None:
            opens = datetime.combine(day, time(hours[0]), zone)
            closes = (
                datetime.combine(following, time(), zone)
                if hours[1] == 24
                else datetime.combine(day, time(hours[1]), zone)
            )
            yield opens.astimezone(UTC), closes.astimezone(UTC)
        day = following
