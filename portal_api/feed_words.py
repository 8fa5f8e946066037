"""What is said of a feed in words: when it sends, how it is, what became of its messages."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from adapters.intake.expected import Expected

FATES: Mapping[str, str] = MappingProxyType(
    {
        "filed": "Filed",
        "quarantined": "Set aside",
        "refused": "Refused",
        "partial": "Cut off",
    }
)
"""What became of a message, as a person says it."""


def when_expected(expected: Expected) -> str:
    """Return `Weekdays 8am to 6pm, Saturdays 9am to 1pm`; empty where nothing is expected."""
    days = (
        ("Weekdays", expected.weekdays),
        ("Saturdays", expected.saturdays),
        ("Sundays", expected.sundays),
    )
    return ", ".join(f"{name} {_hours(hours)}" for name, hours in days if hours)


def _hours(text: str) -> str:
    first, _, last = text.partition("-")
    return "all day" if (first, last) == ("00", "24") else f"{_hour(first)} to {_hour(last)}"


def _hour(text: str) -> str:
    hour = int(text)
    if hour % 12 == 0:
        return "midday" if hour == 12 else "midnight"
    return f"{hour % 12}{'am' if hour < 12 else 'pm'}"


def span(length: timedelta) -> str:
    """Return `45 minutes` or `3 hours 20 minutes`, whole minutes."""
    hours, minutes = divmod(int(length.total_seconds() // 60), 60)
    said = [_many(hours, "hour")] if hours else []
    if minutes or not hours:
        said.append(_many(minutes, "minute"))
    return " ".join(said)


def _many(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"
