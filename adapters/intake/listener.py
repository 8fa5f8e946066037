"""The MLLP listener: sockets, timers and order; what a message means is not its business.

Connections persist; frames may come pipelined, in pieces or several at once, and are answered in
the order in which they came, on the connection on which they came. A slow or endless sender meets
limits of size, time and number, and costs the others nothing.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from adapters.hl7v2.mllp import Cut, Event, Frame, Framer, Junk, TooLarge, WrongProtocol, wrap

log = logging.getLogger(__name__)

Answers = tuple[bytes, ...]
Take = Callable[[bytes, str, tuple[str, ...]], Awaitable["asyncio.Future[Answers]"]]
"""Payload, peer and framing flags to a future of its answers; awaited a frame at a time."""

Leave = Callable[[bytes, str, str], Awaitable[Answers]]
"""What came of a frame that can't be taken, peer and stable code, to its answers."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection and all of them together may use; bytes and seconds."""

    frame: int = 64 * 1024 * 1024
    idle: float = 600.0
    frame_seconds: float = 60.0
    after_fs: float = 0.5
    connections: int = 400
    pipelined: int = 32
    chunk: int = 65_536


Connected = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Tally:
    """What the listener sees: counts by stable name, and the connections that are open."""

    counts: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    connections: set["Connected"] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Reception:
    """What the listener hands frames to."""

    take: Take
    leave: Leave
    limits: Limits
    tally: Tally


async def listen(reception: Reception, host: str, port: int) -> asyncio.Server:
    """Return the server, listening; closing it stops new connections, not those that are open."""
    return await asyncio.start_server(
        lambda reader, writer: _serve(reception, reader, writer),
        host,
        port,
        limit=reception.limits.chunk,
        backlog=512,
    )


def hang_up(tally: Tally) -> None:
    """Read no more from any connection: what was received whole is still filed and answered."""
    for reader, writer in tally.connections:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport has it
        reader.feed_eof()


async def _serve(
    reception: Reception, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    tally = reception.tally
    peer = str(writer.get_extra_info("peername")[0])
    if len(tally.connections) >= reception.limits.connections:
        tally.counts["connection-refused"] += 1
        writer.close()
        return
    tally.connections.add((reader, writer))
    tally.counts["connections"] += 1
    answers: asyncio.Queue[asyncio.Future[Answers] | None] = asyncio.Queue(
        reception.limits.pipelined
    )
    sending = asyncio.create_task(_send(answers, writer, tally))
    try:
        await _read(_Connection(reception, peer, answers), reader)
    except (ConnectionError, TimeoutError) as ended:
        tally.counts[f"ended-{type(ended).__name__}"] += 1
    finally:
        await answers.put(None)
        with suppress(ConnectionError):
            await sending
        writer.close()
        with suppress(ConnectionError, TimeoutError):
            await writer.wait_closed()
        tally.connections.discard((reader, writer))


@dataclass(frozen=True, slots=True)
class _Connection:
    reception: Reception
    peer: str
    answers: "asyncio.Queue[asyncio.Future[Answers] | None]"


async def _read(connection: _Connection, reader: asyncio.StreamReader) -> None:
    """Read until the sender, a limit or the stop of the server ends the connection."""
    limits = connection.reception.limits
    framer = Framer(limits.frame)
    clock = asyncio.get_running_loop()
    begun: float | None = None
    received = 0
    while not framer.closed:
        wait = limits.after_fs if framer.after_fs else limits.idle
        if begun is not None:
            wait = min(wait, begun + limits.frame_seconds - clock.time())
        try:
            chunk = await asyncio.wait_for(reader.read(limits.chunk), max(wait, 0.0))
        except TimeoutError:
            if framer.after_fs:
                await _all(connection, framer.silence())
                begun = None
                continue
            await _all(connection, framer.end())
            return
        received += len(chunk)
        if not chunk:
            if not received:
                connection.reception.tally.counts["connect-only"] += 1
            await _all(connection, framer.end())
            return
        events = framer.feed(chunk)
        if not framer.in_frame:
            begun = None
        elif begun is None or any(isinstance(event, Frame) for event in events):
            begun = clock.time()
        await _all(connection, events)


async def _all(connection: _Connection, events: list[Event]) -> None:
    for event in events:
        await _one(connection, event)


async def _one(connection: _Connection, event: Event) -> None:
    reception, tally = connection.reception, connection.reception.tally
    match event:
        case Frame(payload, flags):
            tally.counts["frames"] += 1
            tally.unanswered += 1
            await connection.answers.put(await reception.take(payload, connection.peer, flags))
        case Cut(partial, reason):
            tally.counts[reason] += 1
            await reception.leave(partial, connection.peer, reason)
        case TooLarge(head):
            tally.counts["frame-too-large"] += 1
            answers = await reception.leave(head, connection.peer, "frame-too-large")
            tally.unanswered += 1
            await connection.answers.put(_ready(answers))
        case Junk(count):
            tally.counts["frame-junk"] += count
        case WrongProtocol(kind):
            tally.counts[f"wrong-protocol-{kind}"] += 1
        case _:
            tally.counts["frame-empty"] += 1


def _ready(answers: Answers) -> "asyncio.Future[Answers]":
    future: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
    future.set_result(answers)
    return future


async def _send(
    answers: "asyncio.Queue[asyncio.Future[Answers] | None]",
    writer: asyncio.StreamWriter,
    tally: Tally,
) -> None:
    """Send answers in the order of their frames; what can't be delivered is counted and dropped."""
    broken: Any = None
    while (future := await answers.get()) is not None:
        for answer in await future:
            if broken is None:
                try:
                    writer.write(wrap(answer))
                    await writer.drain()
                except ConnectionError as error:
                    broken = error
            if broken is not None:
                tally.counts["ack-undelivered"] += 1
        tally.unanswered -= 1
