"""Which converter a message goes to, by its code and trigger event (MSH-9).

One table, closed: what stands in no row is refused whole, with the field to blame. Each converter
is pure and returns one kind of content. Source: HL7 v2.8 chapter 2, 2.13.9 (MSH-9).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from adapters.hl7v2 import (
    adt_to_resources,
    mdm_to_letter,
    merge_to_pairs,
    orders_to_requests,
    oru_to_resources,
    siu_to_appointment,
)
from adapters.hl7v2.adt_fields import EVENTS
from adapters.hl7v2.appointment import Booking
from adapters.hl7v2.appointment_tables import APPOINTMENT_EVENTS
from adapters.hl7v2.composite import first, value
from adapters.hl7v2.conversion import Conversion
from adapters.hl7v2.demographics import Demographics
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.document_tables import DOCUMENT_EVENTS
from adapters.hl7v2.er7 import Message
from adapters.hl7v2.letter import Letter
from adapters.hl7v2.merge import Merge
from adapters.hl7v2.merge_to_pairs import BY_HAND, MERGES
from adapters.hl7v2.orders import Orders
from adapters.hl7v2.refusal import Refused

Content = Booking | Conversion | Demographics | Letter | Merge | Orders
"""What a message became: a closed union of frozen values, one class for each kind.

Each has a `person` (who is meant), `flags`, `accounted` (what became of each segment, by number),
`all_made()` (its resources but for the Patient) and `named()` (keys of resources that it refers to
and does not make).
"""

Converter = Callable[[Message, Dialect, datetime | None], Content]

RESULTS = ("ORU", "R01")

_KINDS: Mapping[tuple[str, str], Converter] = MappingProxyType(
    {
        RESULTS: oru_to_resources.convert,
        **dict.fromkeys((("ORU", "R30"), ("ORU", "R31"), ("ORU", "R32")), oru_to_resources.convert),
        **dict.fromkeys(
            (("OUL", "R22"), ("OUL", "R23"), ("OUL", "R24")), oru_to_resources.convert_by_specimen
        ),
        ("ORM", "O01"): orders_to_requests.convert,
        ("OML", "O21"): orders_to_requests.convert,
        **dict.fromkeys((("MDM", event) for event in DOCUMENT_EVENTS), mdm_to_letter.convert),
        **dict.fromkeys(
            (("SIU", event) for event in APPOINTMENT_EVENTS), siu_to_appointment.convert
        ),
        **dict.fromkeys((("ADT", event) for event in EVENTS), adt_to_resources.convert),
        **dict.fromkeys((("ADT", event) for event in (*MERGES, *BY_HAND)), merge_to_pairs.convert),
    }
)
_CODES = frozenset(code for code, _ in _KINDS)


def convert(message: Message, dialect: Dialect, *, received_at: datetime | None = None) -> Content:
    """Return what *message* becomes in *dialect*.

    *received_at* (aware) bounds what dates are believed. Raises Refused: AR and `type-unsupported`
    for a type of message that is not converted here, else as the converter of its kind says.
    """
    converter = _KINDS.get(kind_of(message, dialect))
    if converter is None:
        raise _unsupported(message)
    return converter(message, dialect, received_at)


def kind_of(message: Message, dialect: Dialect) -> tuple[str, str]:
    """Return message code and trigger event; a sender's agreed form of it stands for results.

    Where MSH-9 names no event, EVN-1 does, as it did up to version 2.2.
    """
    header = message.segments[0]
    if header.whole(9).strip() in dialect.message_forms:
        return RESULTS
    sent = first(header, 9)
    if sent[2]:
        return sent[1], sent[2]
    events = (value(segment, 1) for segment in message.segments if segment.name == "EVN")
    return sent[1], next(events, "")


def _unsupported(message: Message) -> Refused:
    header = message.segments[0]
    code = 201 if first(header, 9)[1] in _CODES else 200
    text = "This type of message is not taken here; the feed's agreement names no other form of it."
    return Refused("AR", code, "type-unsupported", header.address(9), text)
