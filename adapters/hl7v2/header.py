"""MSH as a value: who sends what to whom, and which answer they ask for.

HL7 v2.8 chapter 2, 2.14.9. `read_header` is for a message that was read; `glimpse` takes what it
can from bytes that were refused, so that their answer, too, says which message it answers.
"""

import re
from dataclasses import dataclass, replace

from adapters.hl7v2.charsets import BYTE_ORDER_MARK, first_end
from adapters.hl7v2.delimiters import DEFAULT, Delimiters, read_delimiters
from adapters.hl7v2.er7 import Message, Refused, Segment

_GLIMPSED = 65_536  # bytes: no MSH is longer
_USUAL = "^~\\&"
_FIELDS = 30
_BATCH = (b"FHS", b"BHS")
_IN_BATCH = re.compile(rb"[\r\n](?:\xef\xbb\xbf)?[ \t]*(?=MSH)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Header:
    """The first segment of a message; every text is "" where the sender wrote nothing.

    Applications and facilities are the first component of their HD, unescaped; *timestamp* is
    MSH-7 as sent. *control_id* is MSH-10 whole and still escaped, as an answer has to repeat it;
    *processing_id*, *version* and *charset* are first components. *accept_ack* and
    *application_ack* are MSH-15 and MSH-16 (table 0155: AL, NE, ER, SU). *segment* is MSH itself.
    """

    sending_application: str
    sending_facility: str
    receiving_application: str
    receiving_facility: str
    timestamp: str
    message_type: str
    trigger: str
    structure: str
    control_id: str
    processing_id: str
    version: str
    accept_ack: str
    application_ack: str
    charset: str
    segment: Segment


def read_header(message: Message) -> Header:
    """Return the header of *message*."""
    return _header(message.segments[0])


def glimpse(raw: bytes) -> Header:
    """Return what can be read of the head of *raw*, whole or cut off, and never raise.

    Of a batch it is the head of its first message.
    Where the delimiters are unreadable, the separator after `MSH` is tried with the usual others;
    where the bytes are UTF-16, their zero bytes are passed over; where there is no MSH, all is "".
    """
    octets = raw[:_GLIMPSED].replace(b"\0", b"").removeprefix(BYTE_ORDER_MARK)
    octets = octets.removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff").lstrip(b"\r\n \t")
    if octets[:3].upper() in _BATCH and (found := _IN_BATCH.search(octets)):
        octets = octets[found.end() :]
    octets = octets[: first_end(octets)]
    try:
        line = octets.decode()
    except UnicodeDecodeError:
        line = octets.decode("iso8859-1")
    if line[:3].upper() != "MSH":
        return _header(Segment("MSH", 1, 1, ("MSH", DEFAULT.field, _USUAL), DEFAULT))
    delimiters, declared = _delimiters(line)
    rest = line.rstrip(" \t").split(delimiters.field, _FIELDS)[2:]
    return _header(Segment("MSH", 1, 1, ("MSH", delimiters.field, declared, *rest), delimiters))


def _delimiters(line: str) -> tuple[Delimiters, str]:
    """Return the delimiters to read *line* by and, as MSH-2, to answer with."""
    try:
        delimiters, _ = read_delimiters(line)
    except Refused as refused:
        usable = refused.field == "MSH.2" and line[3] not in _USUAL
        return (replace(DEFAULT, field=line[3]) if usable else DEFAULT), _USUAL
    return delimiters, line[4:].partition(delimiters.field)[0]


def _header(segment: Segment) -> Header:
    return Header(
        sending_application=segment.text(3),
        sending_facility=segment.text(4),
        receiving_application=segment.text(5),
        receiving_facility=segment.text(6),
        timestamp=segment.text(7),
        message_type=segment.text(9),
        trigger=segment.text(9, 2),
        structure=segment.text(9, 3),
        control_id=segment.field(10),
        processing_id=segment.text(11),
        version=segment.text(12).strip(),
        accept_ack=segment.text(15),
        application_ack=segment.text(16),
        charset=segment.text(18),
        segment=segment,
    )
