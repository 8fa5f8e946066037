"""Letting a sender read its last answer: a connection that is closed with bytes unread is reset.

Who sends more than they may is still sending when the refusal goes out. Closed at once, their
system throws the refusal away with the rest; so the rest is read for a moment, and kept by nobody.
"""

import asyncio
from contextlib import suppress


async def linger(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float, chunk: int
) -> None:
    """Say that no more will come, and pass over what does come, for at most so many *seconds*."""
    with suppress(OSError):
        if writer.can_write_eof():
            writer.write_eof()
        async with asyncio.timeout(seconds):
            while await reader.read(chunk):
                pass
