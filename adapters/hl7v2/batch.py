"""Files and frames that hold several messages, taken apart.

The batch protocol, FHS BHS … BTS FTS (HL7 v2.8 chapter 2, 2.10.3), and the bare practice of one
MSH after the other, with any line ends, byte order marks between them, and with MLLP framing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.hl7v2.charsets import BYTE_ORDER_MARK
from adapters.hl7v2.mllp import Cut, Frame, Framer

_HEADER = re.compile(
    rb"(?:\A|[\r\n])((?:\xef\xbb\xbf)?[ \t]*(MSH|FHS|BHS|BTS|FTS)(?=[^0-9A-Za-z]|\Z)[^\r\n]*)",
    re.IGNORECASE,
)
_FRAMED = re.compile(rb"\x0b(?:\xef\xbb\xbf)?(?:MSH|FHS|BHS)")
_BLANK = b"\r\n \t"


@dataclass(frozen=True, slots=True)
class Batch:
    """The messages of one file or frame, in order, each as its own bytes.

    *enveloped* tells whether FHS or BHS stood around them; *flags* holds `batch-count` where a
    BTS or FTS declares another number than came.
    """

    messages: tuple[bytes, ...]
    enveloped: bool
    flags: tuple[str, ...]


def messages(raw: bytes) -> Iterator[bytes]:
    """Yield the bytes of each message in *raw*, without framing and batch segments.

    Nothing is dropped: what stands before the first MSH, or after a batch segment, and is not
    blank comes as a piece of its own, which `er7.read` will refuse with a reason.
    """
    for payload in _payloads(raw):
        yield from unpack(payload).messages


def unpack(payload: bytes) -> Batch:
    """Return what the unframed *payload* holds: one message, several, or a batch of them."""
    pieces: list[bytes] = []
    agreed = True
    enveloped = False
    in_batch = batches = 0
    headers = list(_HEADER.finditer(payload))
    ends = [*(match.start(1) for match in headers[1:]), len(payload)]
    _keep(payload[: headers[0].start(1)] if headers else payload, pieces)
    for match, end in zip(headers, ends, strict=False):
        name = match[2].upper()
        if name == b"MSH":
            in_batch += 1
            _keep(payload[match.start(1) : end], pieces)
            continue
        enveloped = True
        if name == b"BHS":
            in_batch = 0
        elif name == b"BTS":
            agreed = agreed and _declared(match[1]) in {None, in_batch}
            batches += 1
        elif name == b"FTS":
            agreed = agreed and _declared(match[1]) in {None, batches}
        _keep(payload[match.end(1) : end], pieces)
    return Batch(tuple(pieces), enveloped, () if agreed else ("batch-count",))


def _payloads(raw: bytes) -> Iterator[bytes]:
    if not _FRAMED.search(raw):
        yield raw
        return
    framer = Framer(len(raw))
    for event in [*framer.feed(raw), *framer.end()]:
        if isinstance(event, Frame):
            yield event.payload
        elif isinstance(event, Cut) and event.partial:
            yield event.partial


def _keep(piece: bytes, pieces: list[bytes]) -> None:
    if piece.removeprefix(BYTE_ORDER_MARK).strip(_BLANK):
        pieces.append(piece.strip(b"\r\n"))


def _declared(trailer: bytes) -> int | None:
    """Return the number in the first field of BTS or FTS, None where there is none to read."""
    line = trailer.removeprefix(BYTE_ORDER_MARK).lstrip(_BLANK)
    separator = line[3:4]
    count = line.split(separator)[1].strip() if separator else b""
    return int(count) if count.isdigit() and len(count) < 10 else None
