"""The error queue as operators work on it: tried first, then run again or closed, one or many.

Many are those of one feed that wait for one reason and came until a moment: what came since, and
nobody has seen, is left alone. They are run oldest first, one after the other, as they came.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from adapters.intake import replay, tracing, trial, waiting
from adapters.intake.feeds import Feed
from adapters.intake.replay import Replayed
from adapters.intake.trial import Trial
from fhir_server.access import Access
from fhir_server.audit.subtypes import Subtype
from fhir_server.errors import Conflict, NotFound, Unprocessable
from fhir_server.record import Asked, Record, Writer

AT_ONCE = 100
"""The most messages that are tried, run again or closed at once."""
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which messages: the one with a mark, or those of a feed with a code until a moment."""

    feed: str
    mark: str = ""
    code: str = ""
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who works on the queue of which record, and the feeds as they are agreed on now."""

    record: Record
    access: Access
    feeds: tuple[Feed, ...]


def tries(clerk: Clerk, chosen: Chosen) -> tuple[Trial, ...]:
    """Return what running the messages again would do. Raises NotFound where there is none."""
    rows = _rows(clerk.record, chosen)
    return tuple(trial.tried(clerk.record, clerk.access, clerk.feeds, row) for row in rows)


def runs(clerk: Clerk, chosen: Chosen) -> tuple[Replayed, ...]:
    """Run the messages again; return what became of each. Raises NotFound where there is none."""
    rows = _rows(clerk.record, chosen)
    return tuple(replay.run_again(clerk.record, clerk.access, clerk.feeds, row) for row in rows)


def close(clerk: Clerk, chosen: Chosen, reason: str) -> int:
    """Close messages that wait, and keep why; return how many. They are never deleted.

    Raises Unprocessable without a reason, NotFound where there is no such message, Conflict where
    none of them waits any more.
    """
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if not reason:
        raise Unprocessable.of("Say why nothing more is to be done.", code="required")
    rows = list(_rows(clerk.record, chosen))

    def piece(writer: Writer) -> int:
        return sum(_closed(writer, row, reason) for row in rows)

    count = _submitted(clerk, rows, piece)
    if not count:
        raise Conflict.of("The message does not wait any more.")
    return count


def reopen(clerk: Clerk, chosen: Chosen) -> None:
    """Put a message back that was closed. Raises Conflict where it waits, or was filed."""
    rows = list(_rows(clerk.record, chosen))

    def piece(writer: Writer) -> int:
        return sum(_reopened(writer, row) for row in rows)

    if not _submitted(clerk, rows, piece):
        raise Conflict.of("The message waits already, or it was filed.")


def _rows(record: Record, chosen: Chosen) -> Iterator[Row[Any]]:
    """Yield whole rows of the inbox, oldest first."""
    marks = [chosen.mark]
    if not chosen.mark:
        narrowed = waiting.queue(chosen.feed, chosen.code, most=AT_ONCE, until=chosen.until)
        marks = [tracing.mark_of(row._asdict()) for row in reversed(record.select(narrowed))]
    if not marks:
        raise NotFound.of("No message waits for this reason.")
    for mark in marks:
        row = tracing.one(record, chosen.feed, mark)
        if row is None:
            raise NotFound.of("There is no such message.")
        yield row


def _submitted(clerk: Clerk, rows: list[Row[Any]], piece: Any) -> int:
    asked = Asked(Subtype.MESSAGE_CLOSED, f"feed:{rows[0].feed}")
    buckets = {row.bucket for row in rows}
    future = clerk.record.submit(clerk.access, piece, buckets=buckets, asked=asked)
    return int(future.result())


def _closed(writer: Writer, row: Row[Any], reason: str) -> bool:
    if not waiting.take_out(writer, row._asdict()):
        return False
    waiting.note_act(writer, row._asdict(), "closed", (row.fate, row.code), reason)
    writer.audit(Subtype.MESSAGE_CLOSED, entity=f"message:{row.control_id}", reason=reason)
    return True


def _reopened(writer: Writer, row: Row[Any]) -> bool:
    place = row._asdict()
    if waiting.is_waiting(writer, place) or row.fate == "filed":
        return False
    waiting.put(writer, place, place | {"ack": bytes(row.ack)})
    waiting.note_act(writer, place, "reopened", (row.fate, row.code), "")
    reason = "put back into the queue"
    writer.audit(Subtype.MESSAGE_CLOSED, entity=f"message:{row.control_id}", reason=reason)
    return True
