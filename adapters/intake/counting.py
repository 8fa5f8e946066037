"""How many messages came by the hour, and how many of them were set aside, and why.

What came is counted in the index of times alone, a range of it for each feed and hour; what was
set aside, in an index that has nothing else. Nobody reads the messages for it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Row, func, literal, select, true

from adapters.intake import tracing
from adapters.intake.tables import SET_ASIDE, inbox
from fhir_server.record import Record

HOUR = 3_600_000_000
"""Microseconds."""

FATES_ASIDE = ("quarantined", "refused", "partial")


def came(record: Record, first: int, last: int) -> Mapping[tuple[str, int], int]:
    """Return how many messages came, by feed and hour, from hour *first* to *last*, included.

    Hours are counted from 1970; every feed that ever sent is there with every hour.
    """
    names = tracing.feeds_that_sent()
    hours = select(literal(first, BigInteger).label("hour")).cte("hours", recursive=True)
    hours = hours.union_all(select(hours.c.hour + 1).where(hours.c.hour < last))
    within = select(func.count()).where(
        inbox.c.feed == names.c.feed,
        inbox.c.received >= hours.c.hour * HOUR,
        inbox.c.received < (hours.c.hour + 1) * HOUR,
    )
    statement = (
        select(names.c.feed, hours.c.hour, within.scalar_subquery().label("times"))
        .select_from(names.join(hours, true()))
        .where(names.c.feed.is_not(None))
    )
    return {(row.feed, int(row.hour)): row.times for row in record.select(statement)}


def aside(record: Record, feeds: Sequence[str], first: int) -> Sequence[Row[Any]]:
    """Return how many of the messages of *feeds* that came from hour *first* on were set aside.

    Each row has `feed`, `hour`, `code` and `times`.
    """
    hour = (inbox.c.received // HOUR).label("hour")
    return record.select(
        select(inbox.c.feed, hour, inbox.c.code, func.count().label("times"))
        .where(
            SET_ASIDE,
            inbox.c.feed.in_(feeds),
            inbox.c.fate.in_(FATES_ASIDE),
            inbox.c.received >= first * HOUR,
        )
        .group_by(inbox.c.feed, hour, inbox.c.code)
    )
