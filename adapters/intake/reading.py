"""One frame to what filing needs: its feed, and what it became or what is wrong with it.

Needs no database, and so runs in the thread of whoever brings the frame. Nothing is thrown away
here: what can't be read comes with a verdict and is kept by `reception`.
"""

import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from adapters.hl7v2 import er7
from adapters.hl7v2.ack import BUSY, Fault, fault_of
from adapters.hl7v2.header import Header, glimpse, read_header
from adapters.hl7v2.kinds import Content, convert
from adapters.hl7v2.refusal import Refused
from adapters.intake import identity_rules, synthetic
from adapters.intake.feeds import SOURCE_UNKNOWN, Feed, Mismatch, choose
from adapters.intake.inbox import Arrival
from adapters.intake.occasion import Outcome

log = logging.getLogger(__name__)

STRANGER_KEPT = 65_536
"""Bytes kept of a message from an address that no feed names."""

STRANGER = Feed(name="unknown")
"""Stands for a feed where none fits; no agreement may have its name."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a message is answered: the acknowledgement code and the fault, if there is one.

    *ack* is None for what was cut off: it gets no answer, and its sender still owns it.
    """

    ack: Literal["AA", "AE", "AR"] | None
    fault: Fault | None = None

    @property
    def why(self) -> Fault:
        """The fault; one of ours where none is named."""
        return self.fault or Fault(BUSY, "fault", "MSH.9", "")


INCOMPLETE = Verdict(
    "AR", Fault(102, "raw-incomplete", "MSH.1", "Only the beginning of the message was kept.")
)
"""On a message that is to be read again, and can't."""


Words = Callable[[Verdict, datetime, Outcome | None], tuple[bytes, ...]]
"""Turns what became of a message, at that time, into what its sender is answered."""


def of_mismatch(mismatch: Mismatch) -> Verdict:
    """Return the verdict on a message that fits no feed."""
    return Verdict("AR", Fault(mismatch.hl7_code, mismatch.code, mismatch.address, mismatch.text))


@dataclass(frozen=True, slots=True)
class Read:
    """A message as far as it could be read: its feed, and its conversion or what is wrong.

    *in_doubt*: a fault of ours is in the way, and nothing is looked up but whether it came before.
    """

    arrival: Arrival
    header: Header
    feed: Feed
    content: Content | Verdict
    flags: tuple[str, ...] = ()
    in_doubt: bool = False
    words: Words | None = None
    """How its sender is answered, where not by an acknowledgement of HL7 v2."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Where it has what HL7 v2 has at an address (`MSH.10`), where it is no HL7 v2."""

    @property
    def converted(self) -> Content | None:
        """What the message became; None where something is wrong with it."""
        return None if isinstance(self.content, Verdict) else self.content

    def placed(self, verdict: Verdict) -> Verdict:
        """Return *verdict* with the place of its fault as the message has it."""
        fault = verdict.fault
        if fault is None or fault.field not in self.places:
            return verdict
        return replace(verdict, fault=replace(fault, field=self.places[fault.field]))


def read(
    feeds: tuple[Feed, ...], raw: bytes, peer: str, flags: tuple[str, ...], received_at: datetime
) -> Read:
    """Return the message in *raw*, which came from *peer* (an address) at *received_at*.

    *flags* are those of its framing.
    """
    header = glimpse(raw)
    chosen = choose(feeds, peer, header)
    if synthetic.applies(feeds) and synthetic.may_name_a_person(raw):
        return barred(peer, header, chosen)
    if isinstance(chosen, Mismatch):
        return unwelcome(raw, peer, header, chosen)
    return read_of(chosen, raw, peer, flags, received_at)


def read_of(
    feed: Feed, raw: bytes, peer: str, flags: tuple[str, ...], received_at: datetime
) -> Read:
    """Return the message in *raw*, which is known to be of *feed*."""
    try:
        message = er7.read(
            raw, default_charset=feed.dialect.charset, doubled_escape=feed.dialect.doubled_escape
        )
        header = read_header(message)
        require_control_id(header)
        content = convert(message, feed.dialect, received_at=received_at)
        if feed.synthetic_only and synthetic.is_about_a_person(content):
            return barred(peer, header, feed)
        identity_rules.require(feed, content.person)
        return Read(arrival_of(raw, peer, feed, header), header, feed, content, flags)
    except Refused as refused:
        verdict = Verdict(refused.ack, fault_of(refused))
    # A fault of ours must not cost the message: it is kept for a person, and the feed goes on.
    except Exception as error:  # noqa: BLE001 - the rim of a message
        verdict = our_fault(error)
    header = glimpse(raw)
    return Read(arrival_of(raw, peer, feed, header), header, feed, verdict, flags)


def require_control_id(header: Header) -> None:
    """Raise Refused where a message can't be answered safely, as it has no control id."""
    if not header.control_id.strip():
        text = "A message has to have a control id."
        raise Refused("AE", 101, "control-id-missing", "MSH.10", text)


def our_fault(error: BaseException) -> Verdict:
    """Return the verdict on a message that failed for no fault of its sender's.

    The log gets the place and the kind of *error*; its words may hold what the message says.
    """
    places = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" in {place.filename}, line {place.lineno}" for place in places)
    log.error("a message failed: %s%s", type(error).__name__, where)
    text = "The portal could not convert the message; it is kept."
    return Verdict("AE", Fault(BUSY, "fault", "MSH.9", text))


def arrival_of(raw: bytes, peer: str, feed: Feed, header: Header, sha256: str = "") -> Arrival:
    """Return *raw* as it is kept in the inbox; *sha256* where it is only the beginning."""
    message_type = "^".join(filter(None, (header.message_type, header.trigger)))
    return Arrival(feed.name, peer, header.control_id, message_type, raw, sha256)


def unwelcome(raw: bytes, peer: str, header: Header, mismatch: Mismatch) -> Read:
    """Return a message that fits no feed: whole, but for one from an address nobody knows."""
    whole = arrival_of(raw, peer, STRANGER, header)
    arrival = whole
    if mismatch.code == SOURCE_UNKNOWN:
        arrival = arrival_of(raw[:STRANGER_KEPT], peer, STRANGER, header, whole.sha256)
    return Read(arrival, header, STRANGER, of_mismatch(mismatch))


def barred(peer: str, header: Header, chosen: Feed | Mismatch) -> Read:
    """Return the message of somebody whom this portal must not know: without its bytes."""
    feed = STRANGER if isinstance(chosen, Mismatch) else chosen
    fault = Fault(103, synthetic.CODE, synthetic.ADDRESS, synthetic.TEXT)
    return Read(arrival_of(b"", peer, feed, header), header, feed, Verdict("AR", fault))
