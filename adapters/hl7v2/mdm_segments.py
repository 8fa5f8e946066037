"""The segments of an MDM in their parts: the person, the orders, the document, its content.

Nothing is thrown away: every segment is in a part or among the *kept*. Source: HL7 v2.8 chapter 9,
9.6 (MDM).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from adapters.hl7v2.context import Context, refusal
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.groups import HEADER, PATIENT, Result

_ORDER = frozenset({"ORC", "OBR", "TQ1", "TQ2"})


@dataclass(slots=True)
class Parts:
    """A document message in its parts. *kept* holds the segments that stay raw, with the reason."""

    patient: dict[str, list[Segment]] = field(default_factory=dict)
    event: list[Segment] = field(default_factory=list)
    orders: list[Segment] = field(default_factory=list)
    """ORC and OBR: which orders the document is about."""
    txa: list[Segment] = field(default_factory=list)
    content: list[Result] = field(default_factory=list)
    kept: list[tuple[Segment, str]] = field(default_factory=list)


def parts_of(segments: Sequence[Segment], context: Context) -> Parts:
    """Return the segments of a document message in their parts.

    Refuses a message without PID or TXA, one of several patients or documents, and content before
    the document (AE 100).
    """
    made = Parts()
    notes: list[Segment] | None = None
    for segment in segments:
        name = segment.name
        if name == "NTE" and notes is not None:
            notes.append(segment)
            continue
        if name == "OBX":
            if not made.txa:
                text = "An OBX stands before the document's TXA."
                raise refusal(100, "segment-order", segment.address(), text)
            result = Result(segment, segment.field(2).strip().upper())
            made.content.append(result)
            notes = result.notes
        elif name != "PRT":
            notes = None
        if name != "OBX":
            _take(segment, made, context)
    if "PID" not in made.patient:
        raise refusal(100, "message-empty", "PID", "The message names no patient: it has no PID.")
    if not made.txa:
        raise refusal(100, "message-empty", "TXA", "The message holds no document: it has no TXA.")
    return made


def _take(segment: Segment, made: Parts, context: Context) -> None:
    name = segment.name
    if (name == "PID" and name in made.patient) or (name == "TXA" and made.txa):
        code = "patients-several" if name == "PID" else "documents-several"
        text = "The message speaks of more than one of these; send one message for each."
        raise refusal(100, code, segment.address(), text)
    if name in PATIENT and not made.txa and not made.orders:
        made.patient.setdefault(name, []).append(segment)
    elif name == "EVN":
        made.event.append(segment)
    elif name == "TXA":
        made.txa.append(segment)
    elif name in _ORDER and not made.txa:
        made.orders.append(segment)
    elif name in HEADER:
        if name != "MSH":
            made.kept.append((segment, "about the sending software"))
    elif name == "NTE":
        context.flag("note-unplaced", segment.address())
        made.kept.append((segment, "a comment outside the document, for staff only"))
    elif name == "CON":
        made.kept.append((segment, "a consent is not taken from a document's message"))
    else:
        made.kept.append((segment, "not mapped"))
