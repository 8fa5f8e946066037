"""What is known of a message before its segments are mapped, and what is raised about it after."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from adapters.hl7v2.codeable_concepts import table_code
from adapters.hl7v2.coding_systems import sender_base
from adapters.hl7v2.composite import first, value
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Flag, Tree
from adapters.hl7v2.dates import instant
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import Message, Segment
from adapters.hl7v2.identifiers import authority_name, extended_identifier

_TOMORROW = timedelta(days=1)


def surroundings(message: Message, dialect: Dialect, received_at: datetime | None) -> Context:
    """Return the sender, its codes and its clock: what every mapper of *message* needs.

    Refuses a time of sending (MSH-7) that can't be believed (AE 102).
    """
    header = message.segments[0]
    authority = authority_name(first(header, 4)) or dialect.authority
    base = dialect.local_base or sender_base(authority)
    latest = received_at + _TOMORROW if received_at is not None else None
    context = Context(dialect, authority, base, None, received_at, latest)
    sent = value(header, 7)
    moment = instant(sent, context, header.address(7)) if sent else None
    return replace(context, sent_at=moment[1] if moment else received_at)


def visit(segments: Mapping[str, Sequence[Segment]], context: Context) -> Tree:
    """Return PV1-19 as a reference by identifier to the visit; empty where there is none.

    These messages know too little of a visit to make an Encounter of it.
    """
    for pv1 in segments.get("PV1", ()):
        identifier = extended_identifier(first(pv1, 19), context, pv1.address(19))
        if identifier:
            identifier.setdefault("type", table_code("VN", "v2-0203"))
            return {"type": "Encounter", "identifier": identifier}
    return {}


def flags_of(message: Message, context: Context) -> tuple[Flag, ...]:
    """Return the reader's flags and the mappers', each once, in order."""
    of_reader = [Flag(code, "") for code in message.flags]
    return tuple(dict.fromkeys((*of_reader, *context.flags)))


def every_segment(message: Message, fates: Mapping[int, str]) -> Mapping[int, str]:
    """Return *fates*, what became of each segment by its number; asserts that none is left out."""
    lost = [segment.address() for segment in message.segments if segment.number not in fates]
    if lost:
        raise AssertionError(f"Segments are unaccounted for: {', '.join(lost)}.")
    return {segment.number: fates[segment.number] for segment in message.segments}
