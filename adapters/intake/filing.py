"""What a message became into the record: to the room that files its kind, by one table.

Runs inside a piece, so everything here commits together with the raw message and its answer, or
not at all. What a room writes in is told before, so that its locks can be taken in order.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from adapters.hl7v2.appointment import Booking
from adapters.hl7v2.conversion import Conversion
from adapters.hl7v2.demographics import Demographics
from adapters.hl7v2.kinds import Content
from adapters.hl7v2.letter import Letter
from adapters.hl7v2.merge import Merge
from adapters.hl7v2.orders import Orders
from adapters.intake import appointments, demographics, letters, merges, orders, results
from adapters.intake.feeds import Feed
from adapters.intake.inbox import Arrival
from adapters.intake.occasion import Occasion, Outcome
from fhir_server.record import Record, Writer


@dataclass(frozen=True, slots=True)
class Room:
    """What has to be known of one kind of content to file it.

    *file* raises Unclear where a human has to decide first, Undeclared where a bucket is not among
    the occasion's, and Invalid where a resource is not valid: then nothing may be kept of it.
    *buckets* are those that it writes in, as far as they can be told before; *numbers* those by
    which somebody would ask for the message, empty ones among them.
    """

    file: Callable[[Writer, Any, Occasion], Outcome]
    buckets: Callable[[Record, Feed, Any], Iterable[int]]
    numbers: Callable[[Any], Iterable[str]]


_ROOMS: Mapping[type[Content], Room] = MappingProxyType(
    {
        Conversion: Room(results.file, results.buckets, results.numbers),
        Demographics: Room(demographics.file, demographics.buckets, demographics.numbers),
        Letter: Room(letters.file, letters.buckets, letters.numbers),
        Merge: Room(merges.file, merges.buckets, merges.numbers),
        Booking: Room(appointments.file, appointments.buckets, appointments.numbers),
        Orders: Room(orders.file, orders.buckets, orders.numbers),
    }
)


def file(writer: Writer, content: Content, occasion: Occasion) -> Outcome:
    """File all that *content* holds; raises as the room of its kind says (see `Room`)."""
    return _ROOMS[type(content)].file(writer, content, occasion)


def declared(
    record: Record, arrival: Arrival, feed: Feed, content: Content | None
) -> frozenset[int] | None:
    """Return the buckets to lock for a message; None where one process writes and none are locked.

    Raises Unavailable where the record can't be read.
    """
    if record.engines.is_sqlite:
        return None
    if content is None:
        return frozenset({arrival.bucket})
    return frozenset({arrival.bucket, *_ROOMS[type(content)].buckets(record, feed, content)})


def accessions(content: Content | None) -> tuple[str, ...]:
    """Return the numbers by which a laboratory or a ward would ask for the message, each once."""
    if content is None:
        return ()
    return tuple(dict.fromkeys(filter(None, _ROOMS[type(content)].numbers(content))))
