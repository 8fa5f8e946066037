"""How the feeds are: what came against what is expected, what was set aside, and who is silent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select

from adapters.intake import counting, registry, remapping, tracing, waiting
from adapters.intake.counting import HOUR
from adapters.intake.expected import Expected, is_silent, quiet
from adapters.intake.feeds import Feed
from adapters.intake.tables import feed as feed_table
from adapters.intake.tables import unmapped_code
from fhir_server.clock import from_micros, micros
from fhir_server.record import Record

HOURS = 24
"""How many hours a picture of a feed shows."""

_MOST_UNMAPPED = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for one reason: how many, since when, and how many the sender holds for filed."""

    code: str
    count: int
    oldest: datetime
    alarms: int


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """One feed: when it last sent, what became of its messages, and what is expected of it."""

    name: str
    organization: str
    sender: str
    """MSH-4 of its messages, as agreed."""
    expected: Expected
    latest: datetime | None
    quiet: timedelta
    """How long it has been quiet, of the time in which it is expected to send."""
    silent: bool
    accepted: int
    """Messages filed today."""
    refused: int
    """Messages set aside or refused today."""
    refusals: tuple[tuple[str, int], ...]
    """The stable codes of those, the commonest first, with how many."""
    hours: tuple[int, ...]
    """Messages in each of the last 24 hours by the clock, the present one last."""
    unmapped: int = 0
    """Messages of those hours with a code that has no meaning yet."""
    waits: tuple[Waiting, ...] = ()

    @property
    def waiting(self) -> int:
        """Messages of any day that wait for a person."""
        return sum(one.count for one in self.waits)

    @property
    def oldest(self) -> datetime | None:
        """When the oldest of those came."""
        return min((one.oldest for one in self.waits), default=None)

    @property
    def alarms(self) -> int:
        """How many of those were answered with AA: their senders do not know of them."""
        return sum(one.alarms for one in self.waits)


@dataclass(frozen=True, slots=True)
class _Agreed:
    """A feed and since when it is agreed as it is; without an agreement only its name."""

    feed: Feed
    since: datetime | None = None


@dataclass(slots=True)
class _Counted:
    accepted: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    hours: list[int] = field(default_factory=lambda: [0] * HOURS)


def feeds_today(record: Record, midnight: datetime) -> tuple[FeedHealth, ...]:
    """Return every agreed feed, and any other that has sent something; *midnight* begins today.

    The silent ones come first.
    """
    now = record.clock()
    known = _agreed(record)
    newest = _latest(record)
    names = sorted({*known, *newest})
    counted = _counted(record, names, midnight, now)
    waits = _waits(record)
    recent = (micros(now) // HOUR - HOURS + 1) * HOUR
    codes = remapping.sent_since(record, recent)
    found = []
    for name in names:
        agreed, seen = known.get(name, _Agreed(Feed(name=name))), counted[name]
        latest = newest.get(name)
        feed, since = agreed.feed, latest or agreed.since or now
        found.append(
            FeedHealth(
                name=name,
                organization=feed.organization,
                sender=feed.sending_facility,
                expected=feed.expected,
                latest=latest,
                quiet=quiet(feed.expected, feed.dialect.zone, since, now),
                silent=is_silent(feed.expected, feed.dialect.zone, since, now),
                accepted=seen.accepted,
                refused=sum(seen.refusals.values()),
                refusals=tuple(sorted(seen.refusals.items(), key=lambda one: (-one[1], one[0]))),
                hours=tuple(seen.hours),
                unmapped=codes.get(name, 0),
                waits=waits.get(name, ()),
            )
        )
    return tuple(sorted(found, key=lambda one: not one.silent))


def silences(record: Record) -> Mapping[str, timedelta]:
    """Return the feeds that are silent now, each with how long it has been quiet."""
    now = record.clock()
    newest, found = _latest(record), {}
    for name, agreed in _agreed(record).items():
        if agreed.feed.expected.is_watched:
            since = newest.get(name) or agreed.since or now
            expected, zone = agreed.feed.expected, agreed.feed.dialect.zone
            if is_silent(expected, zone, since, now):
                found[name] = quiet(expected, zone, since, now)
    return found


def unmapped(record: Record) -> Sequence[Row[Any]]:
    """Return the codes without a map, the commonest first; `times` is how often each was seen."""
    code = unmapped_code.c
    statement = select(
        code.feed, code.code, code.display, code.unit, code.first_seen, code["count"].label("times")
    )
    newest = statement.order_by(code["count"].desc(), code.feed, code.system, code.code)
    return record.select(newest.limit(_MOST_UNMAPPED))


def _agreed(record: Record) -> dict[str, _Agreed]:
    rows = record.select(select(feed_table.c.name, feed_table.c.changed))
    changed = {row.name: from_micros(row.changed) for row in rows}
    return {one.name: _Agreed(one, changed.get(one.name)) for one in registry.agreed(record)}


def _latest(record: Record) -> Mapping[str, datetime]:
    """Return every feed that ever sent, with when its newest message came."""
    newest = tracing.newest_of_feeds(record)
    return {name: from_micros(received) for name, received in newest.items()}


def _counted(
    record: Record, names: Sequence[str], midnight: datetime, now: datetime
) -> Mapping[str, _Counted]:
    """Return what came of each feed today, and in each of the last hours."""
    this_hour, today = micros(now) // HOUR, micros(midnight) // HOUR
    first = this_hour - HOURS + 1
    since = min(first, today)
    counted = {name: _Counted() for name in names}
    for row in counting.aside(record, names, since):
        if today <= row.hour <= this_hour:
            refusals = counted[row.feed].refusals
            refusals[row.code] = refusals.get(row.code, 0) + row.times
    for (name, hour), times in counting.came(record, since, this_hour).items():
        one = counted.setdefault(name, _Counted())
        if hour >= first:
            one.hours[hour - first] += times
        if hour >= today:
            one.accepted += times
    for one in counted.values():
        one.accepted = max(one.accepted - sum(one.refusals.values()), 0)
    return counted


def _waits(record: Record) -> Mapping[str, tuple[Waiting, ...]]:
    found: dict[str, tuple[Waiting, ...]] = {}
    for row in waiting.groups(record):
        one = Waiting(row.code, row.times, from_micros(row.oldest), int(row.alarms))
        found[row.feed] = (*found.get(row.feed, ()), one)
    return found
