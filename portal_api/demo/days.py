"""Days before today, on the clock of a hospital in England: what the dates are made with."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_TAKEN, _REPORTED, _CLINIC = time(8, 40), time(15, 10), time(10, 20)
_SATURDAY = 5


def today(now: datetime) -> date:
    """Return the day in England at *now* (aware)."""
    return now.astimezone(ZoneInfo("Europe/London")).date()


def months_before(day: date, months: int) -> date:
    """Return the same day of the month *months* earlier, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def weeks_before(day: date, weeks: int) -> date:
    """Return the day *weeks* earlier."""
    return day - timedelta(weeks=weeks)


def taken_on(day: date) -> datetime:
    """Return when blood was taken on *day*: in the morning."""
    return _in_england(day, _TAKEN)


def reported_on(day: date) -> datetime:
    """Return when the laboratory reported on *day*: in the afternoon."""
    return _in_england(day, _REPORTED)


def clinic_on(day: date) -> datetime:
    """Return when a clinic is on *day*, or on the Monday after it where that is a weekend."""
    days = 7 - day.weekday() if day.weekday() >= _SATURDAY else 0
    return _in_england(day + timedelta(days=days), _CLINIC)


def birthday(now: datetime, age: int, month: int, day: int) -> date:
    """Return the birth date, on this *day* of the *month*, of somebody of *age* at *now*."""
    here = today(now)
    return date(here.year - age - ((here.month, here.day) < (month, day)), month, day)


def _in_england(day: date, at: time) -> datetime:
    return datetime.combine(day, at, ZoneInfo("Europe/London")).astimezone(UTC)
