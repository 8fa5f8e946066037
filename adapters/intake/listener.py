"""The MLLP listener: sockets, timers and order; what a message means is not its business.

Connections persist; frames may come pipelined, in pieces or several at once, and are answered in
the order in which they came, on the connection on which they came. A slow or endless sender meets
limits of size, time and number, and costs the others nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from adapters.hl7v2.mllp import Cut, Event, Frame, Framer, Junk, TooLarge, WrongProtocol, wrap
from adapters.intake.admission import Peer
from adapters.intake.at_work import Work
from adapters.intake.lingering import linger

Answers = tuple[bytes, ...]
Take = Callable[[bytes, Peer, tuple[str, ...]], Awaitable["asyncio.Future[Answers]"]]
"""Payload, peer and framing flags to a future of its answers; awaited a frame at a time."""

TurnAway = Callable[[Peer, str], Awaitable[None]]
"""Peer, and stable code of why its connection is closed before anything was taken from it."""


@dataclass(frozen=True, slots=True)
class Left:
    """What came of a frame that can't be taken: its beginning, a stable code, and its size.

    *digest* is the SHA-256 of what came, where that is more than *part*; empty where it is not.
    """

    part: bytes
    code: str
    size: int
    digest: str = ""


Leave = Callable[[Left, Peer], Awaitable[Answers]]
"""What is left of a frame, and peer, to its answers."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection and all of them together may use; bytes and seconds.

    *held* bounds the bytes of unfinished frames, *at_work* the memory for whole ones, over all.
    """

    frame: int = 64 * 1024 * 1024
    held: int = 512 * 1024 * 1024
    at_work: int = 512 * 1024 * 1024
    idle: float = 600.0
    frame_seconds: float = 60.0
    answer_seconds: float = 60.0
    after_fs: float = 0.5
    linger: float = 2.0
    connections: int = 400
    connections_of_one: int = 320
    pipelined: int = 32
    chunk: int = 65_536


Connected = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Tally:
    """What the listener sees: counts by stable name, and the connections that are open."""

    counts: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    held: int = 0
    work: Work = field(default_factory=Work)
    pushes: int = 0
    peers: Counter[str] = field(default_factory=Counter)
    connections: set["Connected"] = field(default_factory=set)
    stopping: bool = False


@dataclass(frozen=True, slots=True)
class Reception:
    """What the listener hands frames to."""

    take: Take
    leave: Leave
    turn_away: TurnAway
    knows: Callable[[Peer], bool]
    """Whether there is any feed that this peer can speak as."""
    most: Callable[[Peer], int]
    """How many bytes a frame of this peer may have."""
    limits: Limits
    tally: Tally


async def listen(reception: Reception, host: str, port: int) -> asyncio.Server:
    """Return the server, listening; closing it stops new connections, not those that are open."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(str(writer.get_extra_info("peername")[0]))
        with place(reception, peer.address) as is_free:
            if is_free:
                await converse(reception, peer, reader, writer)
            else:
                writer.close()

    limit = reception.limits.chunk
    return await asyncio.start_server(serve, host, port, limit=limit, backlog=512)


@contextmanager
def place(reception: Reception, address: str) -> Iterator[bool]:
    """Tell whether there is room for another connection from *address*, and keep it meanwhile."""
    tally, limits = reception.tally, reception.limits
    if tally.peers.total() >= limits.connections or (
        tally.peers[address] >= limits.connections_of_one
    ):
        tally.counts["connection-refused"] += 1
        yield False
        return
    tally.peers[address] += 1
    tally.counts["connections"] += 1
    try:
        yield True
    finally:
        tally.peers[address] -= 1
        tally.peers += Counter()  # forget those with no connection


def hang_up(tally: Tally) -> None:
    """Read no more from any connection: what was received whole is still filed and answered.

    What was cut off by that is not kept: it is no fault of its sender's, who will send it again.
    """
    tally.stopping = True
    for reader, writer in tally.connections:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport has it
        reader.feed_eof()


async def converse(
    reception: Reception, peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Take what comes over one connection, and answer it, until it ends; then close it."""
    tally, limits = reception.tally, reception.limits
    tally.connections.add((reader, writer))
    answers: asyncio.Queue[asyncio.Future[Answers] | None] = asyncio.Queue(limits.pipelined)
    sending = asyncio.create_task(_send(answers, writer, tally, limits.answer_seconds))
    goes_on = False
    try:
        goes_on = await _read(_Connection(reception, peer, answers), reader)
    finally:
        await answers.put(None)
        with suppress(OSError):
            await sending
        if goes_on:
            await linger(writer, limits.linger)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        tally.connections.discard((reader, writer))


@dataclass(frozen=True, slots=True)
class _Connection:
    reception: Reception
    peer: Peer
    answers: "asyncio.Queue[asyncio.Future[Answers] | None]"


async def _read(connection: _Connection, reader: asyncio.StreamReader) -> bool:
    """Read until the sender, a limit or the stop ends it; tell whether the sender goes on."""
    limits, tally = connection.reception.limits, connection.reception.tally
    framer = Framer(connection.reception.most(connection.peer))
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
                await _all(connection, _counted(framer, tally, framer.silence))
                begun = None
                continue
            break
        except OSError as ended:
            tally.counts[f"ended-{type(ended).__name__}"] += 1
            break
        received += len(chunk)
        if not chunk:
            tally.counts["connect-only"] += not received
            break
        events = _counted(framer, tally, partial(framer.feed, chunk))
        if not framer.in_frame:
            begun = None
        elif begun is None or any(isinstance(event, Frame | Cut) for event in events):
            begun = clock.time()
        await _all(connection, events)
        share = framer.held * len(tally.connections)  # of who holds less, others are the cause
        if framer.held and share >= tally.held > limits.held - tally.work.waiting:
            await _end(connection, framer, "peer-limit")
            return False
    unread = framer.closed or tally.stopping
    await _end(connection, framer)
    return unread


def _counted(framer: Framer, tally: Tally, act: Callable[[], list[Event]]) -> list[Event]:
    """Return the events of *act*, having counted what the framer holds after it."""
    tally.held -= framer.held
    events = act()
    tally.held += framer.held
    return events


async def _end(connection: _Connection, framer: Framer, reason: str = "") -> None:
    """Keep what the connection leaves behind; *reason* is a limit that was met."""
    tally = connection.reception.tally
    for event in _counted(framer, tally, framer.end):
        if tally.stopping and isinstance(event, Cut):
            continue
        if reason and isinstance(event, Cut):
            await _leave(connection, Left(event.partial, reason, len(event.partial)))
        else:
            await _one(connection, event)


async def _all(connection: _Connection, events: list[Event]) -> None:
    for event in events:
        await _one(connection, event)


async def _one(connection: _Connection, event: Event) -> None:
    reception, tally = connection.reception, connection.reception.tally
    match event:
        case Frame(payload, flags):
            tally.counts["frames"] += 1
            tally.unanswered += 1
            take = partial(reception.take, payload, connection.peer, flags)
            room = reception.limits.at_work
            await connection.answers.put(await tally.work.on(len(payload), room, take))
        case Cut(part, reason):
            await _leave(connection, Left(part, reason, len(part)))
        case TooLarge(head, size, digest):
            answers = await _leave(connection, Left(head, "frame-too-large", size, digest))
            tally.unanswered += 1
            ready = asyncio.get_running_loop().create_future()
            ready.set_result(answers)
            await connection.answers.put(ready)
        case Junk(count):
            tally.counts["frame-junk"] += count
        case WrongProtocol(kind):
            tally.counts[f"wrong-protocol-{kind}"] += 1
            await reception.turn_away(connection.peer, f"wrong-protocol-{kind}")
        case _:
            tally.counts["frame-empty"] += 1


async def _leave(connection: _Connection, left: Left) -> Answers:
    connection.reception.tally.counts[left.code] += 1
    return await connection.reception.leave(left, connection.peer)


async def _send(
    answers: "asyncio.Queue[asyncio.Future[Answers] | None]",
    writer: asyncio.StreamWriter,
    tally: Tally,
    seconds: float,
) -> None:
    """Send answers in the order of their frames; what can't be delivered is counted and dropped.

    A sender that does not read its answers within *seconds* is cut off.
    """
    broken: Any = None
    while (future := await answers.get()) is not None:
        for answer in await future:
            if broken is None:
                try:
                    writer.write(wrap(answer))
                    await asyncio.wait_for(writer.drain(), seconds)
                except OSError as error:
                    broken = error
                    writer.transport.abort()
            if broken is not None:
                tally.counts["ack-undelivered"] += 1
        tally.unanswered -= 1
