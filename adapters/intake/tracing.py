"""Messages found again: by a number in them, by the person they are about, or by when they came.

A page is cut at the last message seen, by its time of arrival and its hash (keyset): what comes
in meanwhile moves nothing. Each look uses an index: `inbox_key` for numbers and persons,
`inbox_by_feed` for times, `inbox_aside` for times and a fate that few messages have.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE, ColumnElement, Row, Select, and_, false, func, or_, select, union_all

from adapters.intake import message_keys
from adapters.intake.inbox import bucket_of_key, key_of
from adapters.intake.tables import SET_ASIDE, inbox, inbox_key
from fhir_server.model.identifiers import NhsNumber
from fhir_server.record import Record

PAGE = 50
"""Messages on a page, unless fewer are asked for."""

_KEY = ("bucket", "feed", "control_id", "sha256")
_SHOWN = tuple(column for column in inbox.c if column.name not in {"raw", "ack"})
_MARK = re.compile(r"([0-9a-f]{3})([0-9a-f]{64})")
_CURSOR = re.compile(r"(\d{1,17})-([0-9a-f]{1,64})")

Cursor = tuple[int, str]
"""Arrival (microseconds) and hash of the last message seen."""


@dataclass(frozen=True, slots=True)
class Span:
    """What a look by time is narrowed to; *since* and *until* are microseconds, None for open."""

    feed: str = ""
    fate: str = ""
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of messages without their bytes, newest first; *next* None on the last one."""

    rows: tuple[Row[Any], ...]
    next: Cursor | None


def mark_of(place: Mapping[str, Any]) -> str:
    """Return the mark by which a feed's message is addressed: its bucket and its hash."""
    return f"{place['bucket']:03x}{place['sha256']}"


def cursor_text(cursor: Cursor) -> str:
    """Return the cursor as a text for an address."""
    return f"{cursor[0]}-{cursor[1]}"


def cursor_of(text: str) -> Cursor | None:
    """Return the cursor that `cursor_text` wrote; None for any other text."""
    found = _CURSOR.fullmatch(text)
    return (int(found[1]), found[2]) if found else None


def by_key(record: Record, text: str, before: Cursor | None = None, most: int = PAGE) -> Page:
    """Return the messages with this control id or accession, or about the person with this number.

    *text* is as a person types it; an NHS number may have spaces in it.
    """
    number = NhsNumber.parse(text)
    keys = [key_of(text.strip())]
    if number is not None:
        keys.append(message_keys.of_person(record.id_key, number))
    return _under(record, keys, before, most)


def under_key(record: Record, key: str, before: Cursor | None = None, most: int = PAGE) -> Page:
    """Return the messages that are kept under exactly this key (see `message_keys`)."""
    return _under(record, [key], before, most)


def by_time(record: Record, span: Span, before: Cursor | None = None, most: int = PAGE) -> Page:
    """Return the messages that came within *span*, of one feed or of all."""
    feeds = [span.feed] if span.feed else list(newest_of_feeds(record))
    if not feeds:
        return Page((), None)
    # A piece of the index for each feed, and the newest of them all.
    pieces = [_of_feed(feed, span, before, most + 1).subquery() for feed in feeds]
    every = union_all(*(select(piece) for piece in pieces)).subquery().c
    newest = select(*every).order_by(every.received.desc(), every.sha256.desc()).limit(most + 1)
    return _page(tuple(record.select(newest)), most)


def one(record: Record, feed: str, mark: str) -> Row[Any] | None:
    """Return the feed's message with this mark, its bytes and its answer included."""
    found = _MARK.fullmatch(mark)
    if found is None:
        return None
    rows = record.select(
        select(inbox).where(
            inbox.c.bucket == int(found[1], 16),
            inbox.c.feed == feed,
            inbox.c.sha256 == found[2],
        )
    )
    return rows[0] if rows else None


def newest_of_feeds(record: Record) -> Mapping[str, int]:
    """Return every feed that ever sent, with the arrival (microseconds) of its newest message."""
    names = feeds_that_sent()
    newest = select(func.max(inbox.c.received)).where(inbox.c.feed == names.c.feed)
    statement = select(names.c.feed, newest.scalar_subquery().label("newest"))
    rows = record.select(statement.where(names.c.feed.is_not(None)))
    return {row.feed: row.newest for row in rows}


def feeds_that_sent() -> CTE:
    """Return the names of the feeds that ever sent, in the column `feed`, and one NULL.

    One step through the index for each feed, however many messages there are.
    """
    names = select(func.min(inbox.c.feed).label("feed")).cte("names", recursive=True)
    step = select(func.min(inbox.c.feed)).where(inbox.c.feed > names.c.feed)
    return names.union_all(select(step.scalar_subquery()).where(names.c.feed.is_not(None)))


def among(
    columns: Iterable[ColumnElement[Any]], values: Iterable[Iterable[Any]]
) -> ColumnElement[bool]:
    """Return the condition that *columns* have one of these values together.

    Written out, each a look into an index: SQLite reads the whole table for `IN (VALUES …)`.
    """
    names = tuple(columns)
    return or_(
        false(),
        *(and_(*(name == one for name, one in zip(names, each, strict=True))) for each in values),
    )


def _under(record: Record, keys: Sequence[str], before: Cursor | None, most: int) -> Page:
    table = inbox_key.c
    places = among((table.bucket, table.key), [(bucket_of_key(key), key) for key in keys])
    statement = select(*(table[name] for name in ("feed", "control_id", "sha256")), table.received)
    statement = statement.where(places, *_older(table, before)).distinct()
    newest = statement.order_by(table.received.desc(), table.sha256.desc()).limit(most + 1)
    found = record.select(newest)
    if not found:
        return Page((), None)
    wanted = [
        (bucket_of_key(f"{row.feed}\x1f{row.control_id}"), row.feed, row.control_id, row.sha256)
        for row in found
    ]
    kept = among([inbox.c[name] for name in _KEY], wanted)
    shown = record.select(select(*_SHOWN).where(kept))
    rows = {(row.feed, row.control_id, row.sha256): row for row in shown}
    ordered = dict.fromkeys((row.feed, row.control_id, row.sha256) for row in found[:most])
    last = found[most - 1] if len(found) > most else None
    return Page(
        tuple(rows[place] for place in ordered if place in rows),
        (last.received, last.sha256) if last is not None else None,
    )


def _of_feed(feed: str, span: Span, before: Cursor | None, most: int) -> Select[Any]:
    table = inbox.c
    statement = select(*_SHOWN).where(table.feed == feed, *_older(table, before))
    if span.fate:
        statement = statement.where(table.fate == span.fate)
    if span.fate not in {"", "filed"}:
        statement = statement.where(SET_ASIDE)
    if span.since is not None:
        statement = statement.where(table.received >= span.since)
    if span.until is not None:
        statement = statement.where(table.received < span.until)
    return statement.order_by(table.received.desc(), table.sha256.desc()).limit(most)


def _older(table: Any, before: Cursor | None) -> list[Any]:
    if before is None:
        return []
    received, sha256 = before
    same_time = and_(table.received == received, table.sha256 < sha256)
    return [table.received <= received, or_(table.received < received, same_time)]


def _page(rows: tuple[Row[Any], ...], most: int) -> Page:
    if len(rows) <= most:
        return Page(rows, None)
    last = rows[most - 1]
    return Page(rows[:most], (last.received, last.sha256))
