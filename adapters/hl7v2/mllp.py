"""MLLP framing: bytes off a socket → frames, however the network cuts them.

HL7 v2.8 chapter 2 refers to the Minimal Lower Layer Protocol, HL7 Transport Specification MLLP
release 1: `VT message FS CR`. Pure: the caller owns the socket and its timers, and asks `in_frame`
and `after_fs` which of them runs. In one line each: outside a frame everything but VT is junk and
is counted; in a frame everything is data until FS; FS CR ends it; FS LF, FS VT and FS with nothing
after it end it too, flagged; FS and any other byte are data; VT with `MSH` behind it starts the
next frame and makes the present one partial.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

VT, FS, CR, LF = 0x0B, 0x1C, 0x0D, 0x0A
HEAD_KEPT = 65_536  # bytes of a frame that is too large

_MARK = re.compile(rb"[\x0b\x1c]")
_NEXT_MESSAGE = b"MSH"
_OPENINGS: tuple[tuple[bytes, Literal["tls", "http"]], ...] = (
    (b"\x16\x03", "tls"),
    *((method + b" ", "http") for method in (b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"PRI")),
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stood between VT and FS; *flags* is `("frame-no-cr",)` where FS CR did not end it."""

    payload: bytes
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Empty:
    """A frame with nothing but white space in it: a probe, not to be answered."""


@dataclass(frozen=True, slots=True)
class Junk:
    """So many bytes outside any frame were passed over."""

    count: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A frame that never ended: nothing to acknowledge, the sender still owns the message.

    *reason* is `frame-cut` where the next message began inside it, `frame-unfinished` where the
    bytes stopped.
    """

    partial: bytes
    reason: Literal["frame-cut", "frame-unfinished"]


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A frame over the limit: its first 64 KiB, and size and SHA-256 (hex) of what came of it."""

    head: bytes
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class WrongProtocol:
    """The first bytes of the connection are a TLS hello or an HTTP request."""

    kind: Literal["tls", "http"]


Event = Frame | Empty | Junk | Cut | TooLarge | WrongProtocol


def wrap(payload: bytes) -> bytes:
    """Return *payload* framed."""
    return b"\x0b" + payload + b"\x1c\r"


class Framer:
    """The framing state of one connection, from its first byte to its last.

    *limit* is the most bytes that a frame may hold. After TooLarge and WrongProtocol the framer is
    `closed`: it takes no more, and so should the socket. Work grows in a straight line with the
    bytes, whatever they are and in whatever portions they come.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._start = 0  # in the buffer: where the frame, or what is outside one, begins
        self._scanned = 0  # in the buffer: what before it needs no second look
        self._opened = False
        self._events: list[Event] = []
        self.in_frame = False
        self.closed = False

    @property
    def after_fs(self) -> bool:
        """Tell whether an FS waits for the byte that says if it ends the frame."""
        return self.in_frame and self._buffer.endswith(b"\x1c")

    @property
    def held(self) -> int:
        """Return how many bytes are kept in memory for this connection."""
        return len(self._buffer)

    def feed(self, chunk: bytes) -> list[Event]:
        """Return what *chunk* brings to an end, in the order of the bytes."""
        if self.closed:
            return []
        self._buffer += chunk
        if self._opened or self._opens():
            while self._step():
                pass
        return self._told()

    def silence(self) -> list[Event]:
        """Return the frame whose FS nothing has followed for a while, if there is one."""
        if self.closed or not self.after_fs:
            return []
        end = len(self._buffer) - 1
        self._finish(end, end + 1, ("frame-no-cr",))
        return self._told()

    def end(self) -> list[Event]:
        """Return what the end of the connection, or of its time, makes of the bytes so far."""
        if self.closed:
            return []
        self._opened = True
        events = self.silence()
        if self.in_frame:
            events.append(Cut(bytes(self._buffer), "frame-unfinished"))
        elif self._buffer:
            events.append(Junk(len(self._buffer)))
        self._buffer.clear()
        self.closed = True
        self.in_frame = False
        return events

    def _told(self) -> list[Event]:
        """Forget the bytes that are done with, and hand over the events."""
        if self.closed:
            self._buffer.clear()
            self.in_frame = False
        elif self._start:
            del self._buffer[: self._start]
            self._scanned -= self._start
        self._start = 0
        events, self._events = self._events, []
        return events

    def _opens(self) -> bool:
        """Look at the first bytes of the connection; false while they may be a foreign greeting."""
        for opening, kind in _OPENINGS:
            if self._buffer.startswith(opening):
                self._events.append(WrongProtocol(kind))
                self.closed = True
                return False
            if opening.startswith(self._buffer):
                return False
        self._opened = True
        return True

    def _step(self) -> bool:
        """Go on to the next mark; false where more bytes are needed."""
        if self.closed:
            return False
        return self._step_inside() if self.in_frame else self._step_outside()

    def _step_outside(self) -> bool:
        found = self._buffer.find(VT, self._start)
        passed = (len(self._buffer) if found < 0 else found) - self._start
        if passed:
            self._events.append(Junk(passed))
        self._start += passed
        self._scanned = self._start
        if found >= 0:
            self._begin(found + 1)
        return found >= 0

    def _step_inside(self) -> bool:
        match = _MARK.search(self._buffer, self._scanned)
        if match is None:
            self._scanned = len(self._buffer)
            self._within_limit(self._scanned)
            return False
        place = match.start()
        if not self._within_limit(place):
            return False
        self._scanned = place
        following = bytes(self._buffer[place + 1 : place + 1 + len(_NEXT_MESSAGE)])
        if self._buffer[place] == VT:
            return self._at_vt(place, following)
        return self._at_fs(place, following[:1])

    def _at_vt(self, place: int, following: bytes) -> bool:
        if following == _NEXT_MESSAGE:
            self._events.append(Cut(self._between(self._start, place), "frame-cut"))
            self._begin(place + 1)
            return True
        if _NEXT_MESSAGE.startswith(following):
            return False
        self._scanned = place + 1
        return True

    def _at_fs(self, place: int, following: bytes) -> bool:
        if not following:
            return False
        if following[0] == CR:
            self._finish(place, place + 2, ())
        elif following[0] == LF:
            self._finish(place, place + 2, ("frame-no-cr",))
        elif following[0] == VT:
            self._finish(place, place + 1, ("frame-no-cr",))
        else:
            self._scanned = place + 1
        return True

    def _begin(self, start: int) -> None:
        self._start = self._scanned = start
        self.in_frame = True

    def _finish(self, end: int, following: int, flags: tuple[str, ...]) -> None:
        payload = self._between(self._start, end)
        blank = not payload or payload.isspace()
        self._events.append(Empty() if blank else Frame(payload, flags))
        self._start = self._scanned = following
        self.in_frame = False

    def _within_limit(self, end: int) -> bool:
        """Tell whether the frame up to *end* may be; otherwise report it and close."""
        if end - self._start > self._limit:
            size = len(self._buffer) - self._start
            digest = sha256(memoryview(self._buffer)[self._start :]).hexdigest()
            head = self._between(self._start, min(end, self._start + HEAD_KEPT))
            self._events.append(TooLarge(head, size, digest))
            self.closed = True
        return not self.closed

    def _between(self, start: int, end: int) -> bytes:
        with memoryview(self._buffer) as view:
            return bytes(view[start:end])
