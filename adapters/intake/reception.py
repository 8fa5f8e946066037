"""One frame in, one answer out: read, convert, file or set aside, and acknowledge after the commit.

`receive` does what needs no database in the caller's thread, then hands one piece to the
committer: raw bytes, resources, audit entry, fate and answer commit together. What can't be filed
is kept with the field that is to blame. When nothing can be written, the sender is told to send
again (AR, 207), and nothing is pretended.
"""

import logging
import secrets
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from adapters.hl7v2.ack import BUSY, REUSED, Fault, acknowledge, codes_to_send
from adapters.hl7v2.header import Header
from adapters.hl7v2.kinds import Content
from adapters.intake import filing, inbox
from adapters.intake.buckets import Undeclared
from adapters.intake.feeds import Feed, address_of
from adapters.intake.inbox import Fate, Fated
from adapters.intake.occasion import Occasion, Outcome, worded
from adapters.intake.passing import TRIES, is_passing
from adapters.intake.reading import Read, Verdict, our_fault, read
from adapters.intake.unclear import Unclear
from fhir_server.access import Access, Agent, WholeStore
from fhir_server.clock import from_micros
from fhir_server.errors import FhirError, Invalid, Unavailable
from fhir_server.record import Again, Asked, Record, Writer

log = logging.getLogger(__name__)

DAY = 86_400_000_000

Answers = tuple[bytes, ...]
"""The frames to send back, in their order; none where the sender asks for none."""

_SEPARATOR = b"\x1c"
_NOTHING_KEPT = Verdict(
    "AR",
    Fault(BUSY, "busy", "MSH.10", "The portal can't take messages now. Please send it again."),
)
_AGAIN = frozenset({"busy", "control-id-reused"})
"""Faults by which the message is not accepted as such (CE in enhanced mode)."""


def receive(
    record: Record, feeds: tuple[Feed, ...], raw: bytes, peer: str, flags: tuple[str, ...] = ()
) -> "Future[Answers]":
    """File one message from *peer* (an address); the Future has the answers once all is committed.

    *flags* are those of its framing. Never fails: where the store can't be written, the answer
    says so.
    """
    return answered(record, read(feeds, raw, peer, flags, record.clock()))


def answered(record: Record, read: Read) -> "Future[Answers]":
    """Hand the message to the committer, and turn what comes back into answers."""
    outer: Future[Answers] = Future()
    try:
        buckets = filing.declared(record, read.arrival, read.feed, read.converted)
    except Unavailable:
        outer.set_result(_busy(read, record.clock()))
        return outer
    # A fault of ours must not cost the message: it is kept for a person, and the feed goes on.
    except Exception as error:  # noqa: BLE001 - the rim of a message
        _hand_over(record, _for_a_person(read, error), frozenset({read.arrival.bucket}), outer)
        return outer
    _hand_over(record, read, buckets, outer)
    return outer


def _hand_over(
    record: Record,
    read: Read,
    buckets: frozenset[int] | None,
    outer: "Future[Answers]",
    tries: int = TRIES,
) -> None:
    """Submit the message under its *buckets*, to which those are added that it turns out to need.

    One that meets a fault of ours is tried so many times in all, and then set aside.
    """

    def reply(inner: "Future[Any]") -> None:
        error = inner.exception()
        if error is None:
            outer.set_result(inner.result())
        else:
            again(error)

    def again(error: BaseException) -> None:
        log.error("a message could not be kept: %s", type(error).__name__)
        if is_passing(error) or (tries <= 1 and read.in_doubt):
            outer.set_result(_busy(read, record.clock()))
        elif tries > 1:
            _hand_over(record, read, buckets, outer, tries - 1)
        else:
            _hand_over(record, _for_a_person(read, error), buckets, outer, 1)

    access = feed_access(read.feed, read.arrival.peer)
    asked = Asked("message-refused", f"feed:{read.feed.name}")
    try:
        future = record.submit(access, _piece(read, buckets), buckets=buckets or (), asked=asked)
    except Unavailable:
        outer.set_result(_busy(read, record.clock()))
        return
    future.add_done_callback(reply)


def _for_a_person(read: Read, error: BaseException) -> Read:
    """Return the message as one that failed by a fault of ours, without what was made of it."""
    return replace(read, content=our_fault(error), flags=(), in_doubt=True)


def busy(header: Header, now: datetime) -> Answers:
    """Return the answer that asks the sender to send again: nothing was kept."""
    return _worded(header, _NOTHING_KEPT, now)


def _busy(read: Read, now: datetime) -> Answers:
    return _said(read, _NOTHING_KEPT, now)


def feed_access(feed: Feed, peer: str) -> Access:
    """Return the access with which a feed's messages are filed."""
    agent = Agent(
        "feed",
        user=f"feed:{feed.name}",
        name=feed.organization or feed.name,
        organization=feed.sending_facility,
        purpose="TREAT",
        network=address_of(peer),
    )
    return Access(agent, secrets.token_hex(8), WholeStore(), {}, bound_by_release=False)


def _piece(read: Read, buckets: frozenset[int] | None) -> Callable[[Writer], Answers | Again]:
    def piece(writer: Writer) -> Answers | Again:
        known = inbox.same(writer, read.arrival)
        if known is not None and (known.fate != "partial" or _fate(read.content) == "partial"):
            inbox.count_copy(writer, read.arrival)
            return tuple(filter(None, bytes(known.ack).split(_SEPARATOR)))
        if known is not None:
            inbox.forget(writer, read.arrival)
        is_refused = read.in_doubt or _fate(read.content) in {"partial", "refused"}
        if is_refused and isinstance(read.content, Verdict):
            return _set_aside(writer, read, read.content)
        if _is_reused(writer, read):
            text = "This control id came before with other content."
            return _set_aside(
                writer, read, Verdict("AE", Fault(REUSED, "control-id-reused", "MSH.10", text))
            )
        if isinstance(read.content, Verdict):
            return _set_aside(writer, read, read.content)
        return _filed(writer, read, read.content, buckets)

    return piece


def _is_reused(writer: Writer, read: Read) -> bool:
    if not read.header.control_id or read.feed.control_ids == "never":
        return False
    since = writer.now - DAY if read.feed.control_ids == "day" else 0
    return inbox.is_reused(writer, read.arrival, since)


def _filed(
    writer: Writer, read: Read, content: Content, buckets: frozenset[int] | None
) -> Answers | Again:
    occasion = Occasion(read.feed, read.header.control_id, buckets)
    outcome = attempted(writer, content, occasion)
    if isinstance(outcome, Again):
        return replace(outcome, then=_piece(read, outcome.buckets | (buckets or frozenset())))
    if isinstance(outcome, Verdict):
        return _set_aside(writer, read, outcome)
    answers = _said(read, Verdict("AA"), from_micros(writer.now), outcome)
    inbox.keep(
        writer,
        read.arrival,
        Fated(
            fate="filed",
            ack=_SEPARATOR.join(answers),
            flags=(*read.flags, *outcome.flags),
            made=outcome.made,
            accessions=filing.accessions(content),
        ),
    )
    writer.audit("message-filed", patient=outcome.patient, entity=outcome.report)
    return answers


def attempted(writer: Writer, content: Content, occasion: Occasion) -> Outcome | Verdict | Again:
    """File *content*, or undo all of it and say how the message is to be answered.

    Raises what may be over when the message comes again: a database that can't be written.
    """
    try:
        return writer.attempt(lambda: filing.file(writer, content, occasion))
    except Undeclared as undeclared:
        return Again(undeclared.buckets)
    except Unclear as unclear:
        fault = Fault(unclear.hl7_code, unclear.code, unclear.address, unclear.text)
        return Verdict(unclear.ack or occasion.feed.identity_ack, fault)
    except Invalid as invalid:
        return Verdict("AE", Fault(102, "resource-invalid", "MSH.9", invalid.issues[0].text))
    except (DataError, IntegrityError) as error:
        return our_fault(error)
    except (SQLAlchemyError, FhirError):
        raise
    # A fault of ours must not cost the message: it is kept for a person, and the feed goes on.
    except Exception as error:  # noqa: BLE001 - the rim of a message
        return our_fault(error)


def _set_aside(writer: Writer, read: Read, verdict: Verdict) -> Answers:
    """Keep the message with the reason: for a person, as refused, or as cut off."""
    fault = read.placed(verdict).why
    answers = _said(read, _as_agreed(verdict, read.feed), from_micros(writer.now))
    fate = _fate(verdict)
    content = read.converted
    inbox.keep(
        writer,
        read.arrival,
        Fated(
            fate=fate,
            ack=_SEPARATOR.join(answers),
            code=fault.code,
            address=fault.field,
            reason=fault.text,
            flags=(*read.flags, *(worded(content.flags) if content else ())),
            accessions=filing.accessions(content),
        ),
    )
    subtype = "message-quarantined" if fate == "quarantined" else "message-refused"
    reason = f"{fault.code} {fault.field}"
    writer.audit(subtype, outcome="4", entity=f"feed:{read.feed.name}", reason=reason)
    return answers


def _as_agreed(verdict: Verdict, feed: Feed) -> Verdict:
    """Return the verdict as the sender gets it: AA where its queue would stop on an error.

    A control id that can't be used is an error for everybody: nothing else would mend it.
    """
    told = verdict.ack == "AE" and feed.quarantine_ack == "AA"
    return Verdict("AA") if told and verdict.why.field != "MSH.10" else verdict


def _fate(content: Content | Verdict) -> Fate:
    if not isinstance(content, Verdict):
        return "filed"
    if content.ack is None:
        return "partial"
    return "refused" if content.ack == "AR" else "quarantined"


def _said(read: Read, verdict: Verdict, sent: datetime, outcome: Outcome | None = None) -> Answers:
    """Return the answers in the words in which the message came."""
    if read.words is None:
        return _worded(read.header, verdict, sent)
    return read.words(read.placed(verdict), sent, outcome)


def _worded(header: Header, verdict: Verdict, sent: datetime) -> Answers:
    """Return the answers that the sender asks for: none to what was cut off."""
    if verdict.ack is None:
        return ()
    faults = (verdict.fault,) if verdict.fault and verdict.ack != "AA" else ()
    code = verdict.fault.hl7_code if verdict.fault and verdict.fault.code in _AGAIN else 0
    return tuple(
        acknowledge(header, one, control_id=_own_control_id(), sent=sent, faults=faults)
        for one in codes_to_send(header, verdict.ack, code)
    )


def _own_control_id() -> str:
    return "P" + secrets.token_hex(9).upper()
