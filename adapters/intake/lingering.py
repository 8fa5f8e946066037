"""Letting a sender read its last answers: a connection that is closed with bytes unread is reset.

Who sends more than they may, or goes on while the listener stops, is still sending when the last
answer goes out. Closed at once, their system throws the answer away with the rest; so the rest is
passed over for a moment, and kept by nobody.
"""

import asyncio
from contextlib import suppress
from typing import Any


async def linger(writer: asyncio.StreamWriter, seconds: float) -> None:
    """Say that no more will come, and pass over what does come, for at most so many *seconds*."""
    transport: Any = writer.transport
    if transport.is_closing():
        return
    deaf = _Deaf(transport.get_protocol())
    transport.set_protocol(deaf)
    with suppress(OSError):
        transport.resume_reading()
        if writer.can_write_eof():
            writer.write_eof()
        async with asyncio.timeout(seconds):
            await deaf.ended.wait()


class _Deaf(asyncio.Protocol):
    """Hears nothing but the end; of writing and of the end it tells whoever heard before."""

    def __init__(self, before: Any) -> None:
        self._before = before
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Pass over what comes."""

    def eof_received(self) -> bool:
        """Wait no longer; the connection is closed by whoever waited."""
        self.ended.set()
        return True

    def pause_writing(self) -> None:
        """Tell the writer."""
        self._before.pause_writing()

    def resume_writing(self) -> None:
        """Tell the writer."""
        self._before.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer, and tell the writer."""
        self.ended.set()
        self._before.connection_lost(exc)
