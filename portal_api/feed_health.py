"""How the feeds are today: what came, what was set aside, and codes that nobody has mapped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from adapters.intake import registry, waiting
from adapters.intake.tables import inbox as table
from adapters.intake.tables import unmapped_code
from fhir_server.clock import from_micros, micros
from fhir_server.record import Record

_MOST_UNMAPPED = 200


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """One feed: when it last sent, and what became of today's messages."""

    name: str
    organization: str
    sender: str
    """MSH-4 of its messages, as agreed."""
    latest: datetime | None
    accepted: int
    refused: int
    waiting: int
    """Messages of any day that wait for a person."""


def feeds_today(record: Record, midnight: datetime) -> tuple[FeedHealth, ...]:
    """Return every agreed feed, and any other that has sent something; *midnight* begins today."""
    newest = select(table.c.feed, func.max(table.c.received).label("newest"))
    rows = record.select(newest.group_by(table.c.feed))
    latest = {row.feed: from_micros(row.newest) for row in rows}
    today = _counted(record, table.c.received >= micros(midnight))
    ever = _counted(record, table.c.fate.in_(("quarantined", "refused", "partial")))
    agreed = {feed.name: feed for feed in registry.agreed(record)}
    return tuple(
        FeedHealth(
            name=name,
            organization=agreed[name].organization if name in agreed else "",
            sender=agreed[name].sending_facility if name in agreed else "",
            latest=latest.get(name),
            accepted=today.get((name, "filed"), 0),
            refused=today.get((name, "refused"), 0) + today.get((name, "quarantined"), 0),
            waiting=sum(count for (feed, _), count in ever.items() if feed == name),
        )
        for name in sorted(agreed.keys() | latest.keys())
    )


def unmapped(record: Record) -> Sequence[Row[Any]]:
    """Return the codes without a map, the commonest first; `times` is how often each was seen."""
    code = unmapped_code.c
    statement = select(
        code.feed, code.code, code.display, code.unit, code.first_seen, code["count"].label("times")
    )
    newest = statement.order_by(code["count"].desc(), code.feed, code.system, code.code)
    return record.select(newest.limit(_MOST_UNMAPPED))


def set_aside(record: Record) -> Sequence[Row[Any]]:
    """Return what waits for a person, newest first: rows of `inbox` without the bytes."""
    return record.select(waiting.queue())


def _counted(record: Record, condition: Any) -> dict[tuple[str, str], int]:
    rows = record.select(
        select(table.c.feed, table.c.fate, func.count().label("times"))
        .where(condition)
        .group_by(table.c.feed, table.c.fate)
    )
    return {(row.feed, row.fate): row.times for row in rows}
