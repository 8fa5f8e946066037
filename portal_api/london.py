"""Instants as people in London read them, to the precision that the sender gave.

FHIR dates may be partial: a year, a month, a day, or an instant with its offset
(https://hl7.org/fhir/R4/datatypes.html#dateTime). What was not said is not shown.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_LENGTHS = {4: "year", 7: "month", 10: "day"}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def _zone() -> ZoneInfo:
    return ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A point in time and how exactly it is known; ordered by its start."""

    instant: datetime
    """Aware, in UTC: the start of the year, month or day where no time was given."""
    precision: str
    """`year`, `month`, `day` or `time`."""


def moment(text: str) -> Moment | None:
    """Return the FHIR date, dateTime or instant *text* as a moment; None where it can't be read."""
    precision = _LENGTHS.get(len(text), "time")
    try:
        if precision == "time":
            parsed = datetime.fromisoformat(text)
            return Moment(parsed.astimezone(UTC), precision) if parsed.tzinfo else None
        day = date.fromisoformat(f"{text}-01-01"[:10] if precision == "year" else f"{text}-01"[:10])
    except ValueError:
        return None
    start = datetime(day.year, day.month, day.day, tzinfo=_zone())
    return Moment(start.astimezone(UTC), precision)


def at(instant: datetime) -> Moment:
    """Return the aware *instant* as a moment that is known to the minute."""
    return Moment(instant.astimezone(UTC), "time")


def day(when: Moment) -> str:
    """Return `24 November 2026`, or `November 2026` or `2026` where no more is known."""
    local = when.instant.astimezone(_zone())
    if when.precision == "year":
        return str(local.year)
    month = f"{_MONTHS[local.month - 1]} {local.year}"
    return month if when.precision == "month" else f"{local.day} {month}"


def day_and_time(when: Moment) -> str:
    """Return `24 November 2026 at 9:05am`; without a time where none is known."""
    return f"{day(when)} at {clock_time(when)}" if when.precision == "time" else day(when)


def to_the_second(when: Moment) -> str:
    """Return `24 Nov 2026, 09:05:07`, as whoever compares entries of a log needs it."""
    local = when.instant.astimezone(_zone())
    return f"{local.day} {_MONTHS[local.month - 1][:3]} {local.year}, {local:%H:%M:%S}"


def weekday(when: Moment) -> str:
    """Return `Tuesday 24 November 2026`; without the weekday where no day is known."""
    if when.precision in {"year", "month"}:
        return day(when)
    return f"{_WEEKDAYS[when.instant.astimezone(_zone()).weekday()]} {day(when)}"


def clock_time(when: Moment) -> str:
    """Return the time of day as the NHS writes it: `9:05am`, `midday`, `midnight`."""
    local = when.instant.astimezone(_zone())
    if local.minute == 0 and local.hour in {0, 12}:
        return "midday" if local.hour else "midnight"
    minutes = f":{local.minute:02d}" if local.minute else ""
    return f"{local.hour % 12 or 12}{minutes}{'am' if local.hour < 12 else 'pm'}"


def month(when: Moment) -> str:
    """Return `Nov 2026`, for the axis of a picture."""
    local = when.instant.astimezone(_zone())
    return f"{_MONTHS[local.month - 1][:3]} {local.year}"


def calendar_day(when: Moment) -> date:
    """Return the day in London on which *when* falls."""
    return when.instant.astimezone(_zone()).date()


def day_start(text: str) -> datetime | None:
    """Return the instant at which the London day *text* (`2026-11-24`) begins, or None."""
    found = moment(text) if len(text) == 10 else None
    return found.instant if found else None


def day_end(text: str) -> datetime | None:
    """Return the instant at which the London day *text* is over; None where it is none."""
    try:
        following = date.fromisoformat(text) + timedelta(days=1)
    except (ValueError, OverflowError):
        return None
    return day_start(following.isoformat())


def wall_clock(text: str) -> datetime | None:
    """Return the instant at which clocks in London show *text* (`2026-11-24T14:30`), or None.

    A time that occurs twice is taken for the first of the two.
    """
    try:
        shown = datetime.fromisoformat(text)
        return None if shown.tzinfo else shown.replace(tzinfo=_zone()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def age(since: datetime, now: datetime) -> str:
    """Return how long ago *since* was, in the largest whole unit: `5 minutes`, `2 days`."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    for size, unit in ((60 * 24, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


def years_old(born: str, now: datetime) -> int | None:
    """Return the age in whole years of someone born on the full date *born*, or None."""
    try:
        birth = date.fromisoformat(born)
    except ValueError:
        return None
    today = now.astimezone(_zone()).date()
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
