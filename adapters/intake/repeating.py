"""Running the inbox again, whole or in part, in the order in which it came: nothing happens twice.

In the record as it stands a message makes what it made before, under the same ids, so that only
what is read otherwise today changes: after a new program, or a new agreement. What could not be
filed today stays as it was filed. Holds count from when a report was issued, not from today, and
nobody is told again. What joins records is not run again: a person may have parted them since.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any, Literal

from sqlalchemy import Row, select, tuple_

from adapters.hl7v2.merge_to_pairs import MERGES
from adapters.intake import inbox, reception, replay
from adapters.intake.feeds import Feed
from adapters.intake.inbox import Fated
from adapters.intake.occasion import Occasion, Outcome
from adapters.intake.reading import Read, Verdict
from adapters.intake.replay import RUN_AGAIN
from adapters.intake.tables import inbox as table
from adapters.intake.tracing import newest_of_feeds
from fhir_server.access import Access
from fhir_server.clock import from_micros
from fhir_server.model import json
from fhir_server.model.patient_links import REPLACED_BY, other
from fhir_server.record import Again, Record, Writer

Became = Literal["unchanged", "changed", "filed", "aside", "left"]
Cursor = tuple[int, str, str, str]
"""Where a run stands: when the last message came (microseconds), its feed, control id and hash."""

START: Cursor = (0, "", "", "")
_PAGE = 100
_PLACE = ("received", "feed", "control_id", "sha256")
_JOINING = frozenset(f"ADT^{event}" for event in MERGES)


@dataclass(frozen=True, slots=True)
class Part:
    """Which messages: of one feed or of all, that came from *since* on and before *until*.

    Both are in microseconds.
    """

    feed: str = ""
    since: int = 0
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Repeated:
    """What became of a message that was run again.

    `unchanged` and `changed` were filed before; `filed` was set aside and is filed now; `aside`
    still is, for the reason given; `left` stays as it is: it was cut off, joined records, or is
    one that could not be filed today, for the reason given.
    """

    feed: str
    control_id: str
    became: Became
    code: str = ""
    address: str = ""


def in_order(record: Record, part: Part, after: Cursor = START) -> Iterator[Row[Any]]:
    """Give the messages of *part* that came after the cursor, oldest first, as whole rows."""
    feeds = [part.feed] if part.feed else sorted(newest_of_feeds(record))
    yield from merge(*(_of_feed(record, feed, part, after) for feed in feeds), key=_place)


def _of_feed(record: Record, feed: str, part: Part, after: Cursor) -> Iterator[Row[Any]]:
    while True:
        columns = tuple_(*(table.c[name] for name in _PLACE))
        statement = select(table).where(
            table.c.feed == feed, table.c.received >= max(part.since, after[0]), columns > after
        )
        if part.until is not None:
            statement = statement.where(table.c.received < part.until)
        page = statement.order_by(*(table.c[name] for name in _PLACE)).limit(_PAGE)
        rows = record.select(page)
        yield from rows
        if len(rows) < _PAGE:
            return
        after = place_of(rows[-1])


def place_of(row: Row[Any]) -> Cursor:
    """Return the cursor at *row*."""
    return (row.received, row.feed, row.control_id, row.sha256)


_place = attrgetter(*_PLACE)


def run(
    record: Record, access: Access, feeds: tuple[Feed, ...], part: Part, after: Cursor = START
) -> tuple[list[Repeated], Cursor | None]:
    """Run some messages of *part* again; return what became of each, and where to go on.

    None where all are done. Raises Unavailable where nothing can be written. *access* is that of
    whoever asks.
    """
    rows = list(islice(in_order(record, part, after), _PAGE))
    done = [_again(record, access, feeds, row) for row in rows]
    return done, place_of(rows[-1]) if len(rows) == _PAGE else None


def _again(record: Record, access: Access, feeds: tuple[Feed, ...], row: Row[Any]) -> Repeated:
    if row.fate in RUN_AGAIN:
        done = replay.run_again(record, access, feeds, row)
        became: Became = "filed" if done.fate == "filed" else "aside"
        return Repeated(row.feed, row.control_id, became, done.code, done.address)
    if row.fate != "filed" or row.message_type in _JOINING:
        return Repeated(row.feed, row.control_id, "left")
    read = replay.prepared(record, feeds, row, received_at(record, access, row))
    made = _made(row)
    quiet = replace(read, feed=replace(read.feed, backload=True))
    return replay.carried(record, access, quiet, partial(_refile, made=made))


def received_at(record: Record, access: Access, row: Row[Any]) -> datetime:
    """Return when the message was received: the Provenance that it made says so exactly."""
    recorded = record.submit(access, partial(_recorded, made=_made(row))).result()
    return recorded or from_micros(row.received)


def was_parted(record: Record, access: Access, row: Row[Any]) -> bool:
    """Tell whether the message joined records that a person has parted since."""
    if row.message_type not in _JOINING:
        return False
    return record.submit(access, partial(_parted, made=_made(row))).result()


def _parted(writer: Writer, *, made: tuple[str, ...]) -> bool:
    ids = {one.split("/")[1] for one in made if one.startswith("Patient/")}
    stored = (writer.current("Patient", one) for one in ids)
    into = {other(json.decode(one.body), REPLACED_BY) for one in stored if one is not None}
    return len(ids) > 1 and ids.isdisjoint(into)


def _made(row: Row[Any]) -> tuple[str, ...]:
    return tuple(filter(None, row.made.split("\n")))


def _recorded(writer: Writer, *, made: tuple[str, ...]) -> datetime | None:
    for reference in made:
        kind, id_, *_ = reference.split("/")
        stored = writer.current(kind, id_) if kind == "Provenance" else None
        if stored is not None:
            return datetime.fromisoformat(json.decode(stored.body)["recorded"])
    return None


def _refile(
    writer: Writer, *, read: Read, buckets: frozenset[int] | None, made: tuple[str, ...]
) -> Repeated | Again:
    """File once more what was filed; where it can't be, or changes nothing, nothing is written."""
    kept = read.arrival
    if isinstance(read.content, Verdict):
        return _left(read, read.content)
    occasion = Occasion(read.feed, read.header.control_id, buckets)
    outcome = reception.attempted(writer, read.content, occasion)
    if isinstance(outcome, Again):
        return outcome
    if isinstance(outcome, Verdict):
        return _left(read, outcome)
    if not any(_is_new(writer, one) for one in outcome.made if one not in made):
        return Repeated(kept.feed, kept.key, "unchanged")
    _keep(writer, read, outcome)
    return Repeated(kept.feed, kept.key, "changed")


def _is_new(writer: Writer, reference: str) -> bool:
    """Tell whether this version was made now, and not by a message that came later."""
    kind, id_, _, _ = reference.split("/")
    stored = writer.current(kind, id_)
    return stored is not None and stored.last_updated == writer.now


def _keep(writer: Writer, read: Read, outcome: Outcome) -> None:
    kept = read.arrival
    flags = tuple(dict.fromkeys(filter(None, (*read.flags, *outcome.flags))))
    inbox.change_fate(writer, kept, Fated("filed", b"", flags=flags, made=outcome.made))
    entity = outcome.report or f"message:{kept.key}"
    writer.audit("message-replayed", patient=outcome.patient, entity=entity)


def _left(read: Read, verdict: Verdict) -> Repeated:
    kept, why = read.arrival, verdict.why
    return Repeated(kept.feed, kept.key, "left", why.code, why.field)
