"""Dates in a resource that can't be believed: before 1900, or later than the message itself."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from adapters.hl7v2.refusal import Refused

Tree = dict[str, Any]

_EARLIEST = "1900"
_MOMENTS = frozenset(
    {"birthDate", "collectedDateTime", "deceasedDateTime", "effectiveDateTime"}
    | {"effectiveInstant", "issued", "receivedTime"}
)
_PERIODS = frozenset({"collectedPeriod", "effectivePeriod"})
_INSIDE = frozenset({"collection"})


def require_believable(tree: Tree, path: str, latest: datetime | None) -> None:
    """Raise Refused (AE 102, `date-bad`) where a result or a person would have an absurd date."""
    for text, where in _dates(tree, path):
        too_late = latest is not None and start_of(text) > latest
        if text[:4] < _EARLIEST or too_late:
            raise Refused("AE", 102, "date-bad", where, "This is not a date that can be believed.")


def start_of(text: str) -> datetime:
    """Return the moment at which a FHIR date, dateTime or instant begins."""
    if "T" in text:
        return datetime.fromisoformat(text.replace(":60", ":59"))
    year, month, day = (int(part) for part in (text + "-01-01")[:10].split("-"))
    return datetime(year, month, day, tzinfo=UTC)


def _dates(tree: Tree, path: str) -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        where = f"{path}.{name}"
        if name in _MOMENTS:
            yield value, where
        elif name in _PERIODS:
            yield from ((value[end], f"{where}.{end}") for end in ("start", "end") if end in value)
        elif name in _INSIDE:
            yield from _dates(value, where)
