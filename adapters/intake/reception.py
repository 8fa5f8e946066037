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
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.exc import SQLAlchemyError

from adapters.hl7v2 import er7
from adapters.hl7v2.ack import BUSY, Fault, acknowledge, codes_to_send, fault_of
from adapters.hl7v2.conversion import Conversion
from adapters.hl7v2.header import Header, glimpse, read_header
from adapters.hl7v2.oru_to_resources import convert
from adapters.hl7v2.refusal import Refused
from adapters.intake import filing, inbox, synthetic
from adapters.intake.feeds import Feed, Mismatch, choose
from adapters.intake.identity import Unclear, candidates
from adapters.intake.inbox import Arrival, Fated
from fhir_server.access import Access, Agent, WholeStore
from fhir_server.clock import from_micros
from fhir_server.errors import FhirError, Invalid, Unavailable
from fhir_server.model.ids import bucket_of
from fhir_server.record import Asked, Record, Writer

log = logging.getLogger(__name__)

DAY = 86_400_000_000
STRANGER_KEPT = 65_536
"""Bytes kept of a message from an address that no feed names."""

Answers = tuple[bytes, ...]
"""The frames to send back, in their order; none where the sender asks for none."""

_SEPARATOR = b"\x1c"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a message is answered: the acknowledgement code and the fault, if there is one."""

    ack: Literal["AA", "AE", "AR"]
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A message as far as it could be read: its feed, and its conversion or what is wrong."""

    arrival: Arrival
    header: Header
    feed: Feed
    content: Conversion | Verdict
    flags: tuple[str, ...] = ()


def receive(
    record: Record, feeds: tuple[Feed, ...], raw: bytes, peer: str, flags: tuple[str, ...] = ()
) -> "Future[Answers]":
    """File one message from *peer* (an address); the Future has the answers once all is committed.

    *flags* are those of its framing. Never fails: where the store can't be written, the answer
    says so.
    """
    header = glimpse(raw)
    chosen = choose(feeds, peer, header)
    if synthetic.applies(feeds) and synthetic.may_name_a_person(raw):
        read = _barred(peer, header, chosen)
    elif isinstance(chosen, Mismatch):
        read = _unwelcome(raw, peer, header, chosen)
    else:
        read = _read(raw, peer, chosen, flags, record.clock())
    return answered(record, read)


def answered(record: Record, read: Read) -> "Future[Answers]":
    """Hand the message to the committer, and turn what comes back into answers."""
    outer: Future[Answers] = Future()
    access = feed_access(read.feed, read.arrival.peer)
    buckets = {read.arrival.bucket}
    if isinstance(read.content, Conversion):
        buckets |= {bucket_of(one) for one in candidates(record.id_key, read.content.person)}

    def reply(inner: "Future[Answers]") -> None:
        error = inner.exception()
        if error is None:
            outer.set_result(inner.result())
            return
        log.error("a message could not be kept: %s", type(error).__name__)
        outer.set_result(busy(read.header))

    try:
        asked = Asked("message-refused", f"feed:{read.feed.name}")
        record.submit(access, _piece(read), buckets=buckets, asked=asked).add_done_callback(reply)
    except Unavailable:
        outer.set_result(busy(read.header))
    return outer


def busy(header: Header) -> Answers:
    """Return the answer that asks the sender to send again: nothing was kept."""
    fault = Fault(
        BUSY, "busy", "MSH.10", "The portal can't take messages now. Please send it again."
    )
    codes = codes_to_send(header, "AR", BUSY)
    sent = from_micros(0)
    return tuple(
        acknowledge(header, code, control_id=_own_control_id(), sent=sent, faults=(fault,))
        for code in codes
    )


def feed_access(feed: Feed, peer: str) -> Access:
    """Return the access with which a feed's messages are filed."""
    agent = Agent(
        "feed",
        user=f"feed:{feed.name}",
        name=feed.organization or feed.name,
        organization=feed.sending_facility,
        purpose="TREAT",
        network=peer,
    )
    return Access(agent, secrets.token_hex(8), WholeStore(), {}, bound_by_release=False)


def _unwelcome(raw: bytes, peer: str, header: Header, mismatch: Mismatch) -> Read:
    fault = Fault(mismatch.hl7_code, mismatch.code, mismatch.address, mismatch.text)
    feed = Feed(name="unknown")
    kept = raw[:STRANGER_KEPT]
    return Read(_arrival(kept, peer, feed, header), header, feed, Verdict("AR", fault))


def _barred(peer: str, header: Header, chosen: Feed | Mismatch) -> Read:
    """Return the message of somebody whom this portal must not know: without its bytes."""
    feed = Feed(name="unknown") if isinstance(chosen, Mismatch) else chosen
    fault = Fault(103, synthetic.CODE, synthetic.ADDRESS, synthetic.TEXT)
    return Read(_arrival(b"", peer, feed, header), header, feed, Verdict("AR", fault))


def _arrival(raw: bytes, peer: str, feed: Feed, header: Header) -> Arrival:
    message_type = "^".join(filter(None, (header.message_type, header.trigger)))
    return Arrival(feed.name, peer, header.control_id, message_type, raw)


def _read(raw: bytes, peer: str, feed: Feed, flags: tuple[str, ...], received_at: datetime) -> Read:
    try:
        message = er7.read(raw, default_charset=feed.dialect.charset)
        header = read_header(message)
        arrival = _arrival(raw, peer, feed, header)
        _require_control_id(header)
        conversion = convert(message, feed.dialect, received_at=received_at)
        if feed.synthetic_only and synthetic.is_about_a_person(conversion):
            return _barred(peer, header, feed)
        return Read(arrival, header, feed, conversion, flags + message.flags)
    except Refused as refused:
        header = glimpse(raw)
        verdict = Verdict(refused.ack, fault_of(refused))
        return Read(_arrival(raw, peer, feed, header), header, feed, verdict, flags)
    # A fault of ours must not cost the message: it is kept for a person, and the feed goes on.
    except Exception:
        log.exception("converting a message failed")
        header = glimpse(raw)
        return Read(_arrival(raw, peer, feed, header), header, feed, _our_fault(), flags)


def _require_control_id(header: Header) -> None:
    if not header.control_id:
        text = "A message has to have a control id."
        raise Refused("AE", 101, "control-id-missing", "MSH.10", text)


def _our_fault() -> Verdict:
    return Verdict(
        "AE", Fault(BUSY, "fault", "MSH.9", "The portal could not convert the message; it is kept.")
    )


def _piece(read: Read) -> Callable[[Writer], Answers]:
    def piece(writer: Writer) -> Answers:
        since = {"forever": 0, "day": writer.now - DAY, "never": writer.now + 1}
        for row in inbox.earlier(writer, read.arrival, 0):
            if row.sha256 == read.arrival.sha256:
                inbox.count_copy(writer, read.arrival)
                return tuple(filter(None, bytes(row.ack).split(_SEPARATOR)))
        if (
            inbox.earlier(writer, read.arrival, since[read.feed.control_ids])
            and read.header.control_id
        ):
            text = "This control id came before with other content."
            return _set_aside(
                writer, read, Verdict("AE", Fault(205, "control-id-reused", "MSH.10", text))
            )
        if isinstance(read.content, Verdict):
            return _set_aside(writer, read, read.content)
        return _filed(writer, read, read.content)

    return piece


def _filed(writer: Writer, read: Read, conversion: Conversion) -> Answers:
    control_id = read.header.control_id
    try:
        outcome = writer.attempt(lambda: filing.file(writer, conversion, read.feed, control_id))
    except Unclear as unclear:
        fault = Fault(unclear.hl7_code, unclear.code, unclear.address, unclear.text)
        ack = unclear.ack or read.feed.identity_ack
        return _set_aside(writer, read, Verdict(ack, fault), conversion)
    except Invalid as invalid:
        fault = Fault(102, "resource-invalid", "MSH.9", invalid.issues[0].text)
        return _set_aside(writer, read, Verdict("AE", fault), conversion)
    except (SQLAlchemyError, FhirError):
        raise
    # As above: kept for a person, whatever went wrong.
    except Exception:
        log.exception("filing a message failed")
        return _set_aside(writer, read, _our_fault(), conversion)
    answers = _answers(writer, read, Verdict("AA"))
    inbox.keep(
        writer,
        read.arrival,
        Fated(
            fate="filed",
            ack=_SEPARATOR.join(answers),
            flags=(*read.flags, *outcome.flags),
            made=outcome.made,
            accessions=accessions(conversion),
        ),
    )
    reports = [one for one in outcome.made if one.startswith("DiagnosticReport/")]
    writer.audit("message-filed", patient=outcome.patient, entity=reports[0] if reports else "")
    return answers


def accessions(conversion: Conversion) -> tuple[str, ...]:
    """Return the numbers by which a laboratory or a ward would ask for the message."""
    numbers = ((group.filler_number, group.placer_number) for group in conversion.groups)
    return tuple(dict.fromkeys(number for pair in numbers for number in pair if number))


def _set_aside(
    writer: Writer, read: Read, verdict: Verdict, conversion: Conversion | None = None
) -> Answers:
    """Keep the message for a person (AE, or AA where the feed wants that), or as refused (AR)."""
    fault = verdict.fault or Fault(207, "fault", "MSH.9", "")
    answers = _answers(writer, read, verdict)
    refused = verdict.ack == "AR"
    inbox.keep(
        writer,
        read.arrival,
        Fated(
            fate="refused" if refused else "quarantined",
            ack=_SEPARATOR.join(answers),
            code=fault.code,
            address=fault.field,
            reason=fault.text,
            flags=read.flags,
            accessions=accessions(conversion) if conversion else (),
        ),
    )
    subtype = "message-refused" if refused else "message-quarantined"
    writer.audit(
        subtype, outcome="4", entity=f"feed:{read.feed.name}", reason=f"{fault.code} {fault.field}"
    )
    return answers


def _answers(writer: Writer, read: Read, verdict: Verdict) -> Answers:
    faults = (verdict.fault,) if verdict.fault and verdict.ack != "AA" else ()
    code = verdict.fault.hl7_code if verdict.fault else 0
    return tuple(
        acknowledge(
            read.header,
            one,
            control_id=_own_control_id(),
            sent=from_micros(writer.now),
            faults=faults,
        )
        for one in codes_to_send(read.header, verdict.ack, code)
    )


def _own_control_id() -> str:
    return "P" + secrets.token_hex(9).upper()
