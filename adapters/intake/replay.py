"""Re-running what was set aside, once its cause is mended: a code map, a person, an agreement.

The answer that the sender got stays what it was; only what became of the message changes. Whoever
re-runs it is named on the ledger.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, Protocol, TypeVar

from sqlalchemy import Row

from adapters.fhir_push import reading as fhir_push
from adapters.hl7v2.header import glimpse
from adapters.intake import filing, inbox, indexing, reception, waiting
from adapters.intake.admission import admitted_again
from adapters.intake.feeds import Feed, Mismatch, choose
from adapters.intake.inbox import Arrival, Fate, Fated
from adapters.intake.occasion import Occasion, Outcome
from adapters.intake.reading import INCOMPLETE, STRANGER, Read, Verdict, of_mismatch, read_of
from fhir_server.access import Access
from fhir_server.record import Again, Asked, Record, Writer

RUN_AGAIN = frozenset({"quarantined", "refused"})
"""Fates of messages that are run again; what was cut off belongs to its sender still."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Run(Protocol[T_co]):
    """What is done with a message inside a piece, or Again with the buckets that it lacks."""

    def __call__(
        self, writer: Writer, *, read: Read, buckets: frozenset[int] | None
    ) -> T_co | Again:
        """Do it."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one message now: its fate, and the reason where it is still set aside."""

    feed: str
    control_id: str
    fate: str
    code: str = ""
    address: str = ""
    reason: str = ""
    made: tuple[str, ...] = ()


def replay(
    record: Record, access: Access, feeds: tuple[Feed, ...], control_id: str, decided: str = ""
) -> Sequence[Replayed]:
    """Run every message with this control id that was set aside through *feeds* as they are now.

    Empty where there is no such message. One that was filed already stays as it is, and so does
    one that was cut off, which its sender still owns. Raises Unavailable where nothing can be
    written. *access* is that of whoever asks; *decided* is why they file what waits for a person,
    having looked at it: a merge.
    """
    key = inbox.key_of(control_id)
    rows = [row for row in inbox.trace(record, control_id) if row.control_id == key]
    return [run_again(record, access, feeds, row, decided) for row in reversed(rows)]


def run_again(
    record: Record, access: Access, feeds: tuple[Feed, ...], row: Row[Any], decided: str = ""
) -> Replayed:
    """Run one message, a whole row of the inbox, as `replay` does all under a control id."""
    if row.fate not in RUN_AGAIN:
        return Replayed(row.feed, row.control_id, row.fate, row.code, row.address, row.reason)
    return carried(record, access, prepared(record, feeds, row), partial(_run, decided=decided))


def prepared(
    record: Record, feeds: tuple[Feed, ...], row: Row[Any], received_at: datetime | None = None
) -> Read:
    """Return the message of a row of the inbox as *feeds* read it now.

    With *received_at* it is read as at that moment, as far as time goes.
    """
    when = record.clock() if received_at is None else received_at
    kept = Arrival(row.feed, row.peer, row.control_id, row.message_type, bytes(row.raw), row.sha256)
    return _read_again(feeds, kept, tuple(filter(None, row.flags.split("\n"))), when)


def carried(record: Record, access: Access, read: Read, run: Run[T]) -> T:
    """Carry out *run* in a piece that holds the locks of all that the message writes."""
    kept = read.arrival
    buckets = filing.declared(record, kept, read.feed, read.converted)
    asked = Asked("message-replayed", f"message:{kept.key}")
    while True:
        piece = partial(run, read=read, buckets=buckets)
        outcome = record.submit(access, piece, buckets=buckets or (), asked=asked).result()
        if not isinstance(outcome, Again):
            return outcome
        buckets = outcome.buckets | (buckets or frozenset())


def _read_again(
    feeds: tuple[Feed, ...], kept: Arrival, flags: tuple[str, ...], when: datetime
) -> Read:
    """Return the message under the agreement that it came under, or the one that fits it now."""
    header = glimpse(kept.raw)
    named = next((feed for feed in feeds if feed.name == kept.feed), None)
    open_ = admitted_again(feeds, kept.peer)
    kind = fhir_push.kind_of(kept.message_type)
    is_whole = bool(kept.raw) and sha256(kept.raw).hexdigest() == kept.sha256
    if kind is not None and is_whole:
        came = fhir_push.Came(kept.raw, kind, kept.peer, when)
        mine = tuple(feed for feed in open_ if feed.sources)
        again = fhir_push.read_of(named, came, flags) if named else fhir_push.read(mine, came)
        return replace(again, arrival=kept)
    chosen = named or choose(open_, kept.peer, header)
    if isinstance(chosen, Mismatch):
        return Read(kept, header, STRANGER, of_mismatch(chosen), flags)
    if not is_whole:
        return Read(kept, header, chosen, INCOMPLETE, flags)
    return replace(read_of(chosen, kept.raw, kept.peer, flags, when), arrival=kept)


def _run(
    writer: Writer, *, read: Read, buckets: frozenset[int] | None, decided: str
) -> Replayed | Again:
    """File the message, unless somebody else has in the meantime; keep the new reason otherwise."""
    kept = read.arrival
    known = inbox.same(writer, kept)
    if known is None or known.fate not in RUN_AGAIN:
        return Replayed(kept.feed, kept.key, known.fate if known else "")
    outcome: Verdict | Outcome | Again
    if isinstance(read.content, Verdict):
        outcome = read.content
    else:
        occasion = Occasion(read.feed, read.header.control_id, buckets, decided=decided)
        outcome = reception.attempted(writer, read.content, occasion)
    if isinstance(outcome, Again):
        return outcome
    if isinstance(outcome, Verdict):
        return _still_aside(writer, read, known.fate, outcome)
    return _now_filed(writer, read, outcome, decided)


def _now_filed(writer: Writer, read: Read, outcome: Outcome, decided: str) -> Replayed:
    kept = read.arrival
    flags = tuple(dict.fromkeys(filter(None, (*read.flags, *outcome.flags))))
    inbox.change_fate(writer, kept, Fated("filed", b"", flags=flags, made=outcome.made))
    indexing.add_keys(writer, kept.place, filing.accessions(read.converted))
    waiting.note_act(writer, kept.place, "replayed", ("filed", ""), decided)
    entity = outcome.report or f"message:{kept.key}"
    writer.audit("message-replayed", patient=outcome.patient, entity=entity, reason=decided)
    return Replayed(kept.feed, kept.key, "filed", made=outcome.made)


def _still_aside(writer: Writer, read: Read, fate: Fate, verdict: Verdict) -> Replayed:
    kept, why = read.arrival, verdict.why
    inbox.change_fate(
        writer, kept, Fated(fate, b"", why.code, why.field, why.text, flags=read.flags)
    )
    waiting.note_act(writer, kept.place, "replayed", (fate, why.code), "")
    reason = f"{why.code} {why.field}"
    writer.audit("message-replayed", outcome="4", entity=f"message:{kept.key}", reason=reason)
    return Replayed(kept.feed, kept.key, fate, why.code, why.field, why.text)
