"""A hospital's end of the line, and the listener at the other end of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from sqlalchemy import func, select

from adapters.hl7v2.mllp import Frame, Framer, wrap
from adapters.intake.desk import at_desk
from adapters.intake.feeds import LOOPBACK, Feed
from adapters.intake.listener import Limits, Tally, listen
from adapters.intake.tables import inbox
from fhir_server.record import Record

Message = Callable[..., str]
QUICK = Limits(idle=5.0, frame_seconds=5.0, after_fs=0.1)


@asynccontextmanager
async def listening(
    record: Record, limits: Limits = QUICK, feeds: tuple[Feed, ...] = (LOOPBACK,)
) -> AsyncIterator[tuple[Callable[[], Awaitable["Sender"]], Tally, int]]:
    """Give a way to connect to a listener, and see every connection closed at the end."""
    tally, senders = Tally(), list[Sender]()
    reception = at_desk(record, lambda: feeds, limits, tally)
    server = await listen(reception, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def connect() -> Sender:
        senders.append(Sender(*await asyncio.open_connection("127.0.0.1", port)))
        return senders[-1]

    try:
        yield connect, tally, port
    finally:
        server.close()
        for sender in senders:
            sender.writer.close()
            with suppress(ConnectionError):
                await sender.writer.wait_closed()
        while tally.connections:
            await asyncio.sleep(0.01)


class Sender:
    """A hospital's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._framer, self._waiting = Framer(10_000_000), list[bytes]()

    async def send(self, raw: bytes) -> None:
        self.writer.write(raw)
        await self.writer.drain()

    async def answer(self) -> bytes:
        while not self._waiting:
            chunk = await asyncio.wait_for(self.reader.read(65_536), 30)
            if not chunk:
                raise ConnectionError("closed")
            self._waiting += [
                one.payload for one in self._framer.feed(chunk) if isinstance(one, Frame)
            ]
        return self._waiting.pop(0)

    async def closed(self) -> bool:
        return await asyncio.wait_for(self.reader.read(65_536), 30) == b""


def numbered(message: Message, number: int) -> bytes:
    return wrap(message(control_id=f"M{number}", filler=f"L{number}").encode())


def kept(record: Record, fate: str = "filed") -> int:
    statement = select(func.count()).select_from(inbox).where(inbox.c.fate == fate)
    return int(record.select(statement)[0][0])
