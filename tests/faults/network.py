"""A network that stalls, cuts and dribbles, between two programs on this machine."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]


@dataclass(slots=True)
class Network:
    """Carries bytes both ways while it *flows*; *dribble* gives them on in small pieces.

    *swallow* cuts a connection as soon as an answer comes, and the answer is lost with it; one
    that is *gone* refuses everybody. One that is *dark* loses what it should carry, for good, and
    tells nobody: whoever sent into it hears no more of that connection, and its end either.
    """

    connect: Connect
    flows: asyncio.Event = field(default_factory=asyncio.Event)
    dribble: random.Random | None = None
    swallow: bool = False
    gone: bool = False
    dark: bool = False
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """End every connection at once, on both sides, whatever is on its way."""
        for writer in self._open:
            writer.transport.abort()

    async def carry(self, near: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        """Carry one connection until one side ends it."""
        try:
            if self.gone:
                raise ConnectionRefusedError
            far, onward = await self.connect()
        except OSError:
            answers.transport.abort()
            return
        ends = {answers, onward}
        self._open |= ends
        lost = asyncio.Event()
        try:
            await asyncio.gather(
                self._pass_on(near, onward, lost, is_answer=False),
                self._pass_on(far, answers, lost, is_answer=True),
            )
        except asyncio.CancelledError:
            return  # the scene is over; a server's callback would log the cancelling
        finally:
            self._open -= ends
            for writer in ends:
                writer.transport.abort()

    async def _pass_on(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        lost: asyncio.Event,
        *,
        is_answer: bool,
    ) -> None:
        with suppress(ConnectionError):
            while chunk := await source.read(65_536):
                await self.flows.wait()
                if self.dark or lost.is_set():
                    lost.set()
                    continue
                if is_answer and self.swallow:
                    break
                for piece in self._pieces(chunk):
                    target.write(piece)
                    await target.drain()
        if not lost.is_set():
            target.transport.abort()

    def _pieces(self, chunk: bytes) -> list[bytes]:
        if self.dribble is None:
            return [chunk]
        ends = sorted(self.dribble.sample(range(len(chunk)), min(len(chunk), 7)))
        return [chunk[start:end] for start, end in zip([0, *ends], [*ends, None], strict=True)]


@asynccontextmanager
async def to_port(port: int) -> AsyncIterator[tuple[Network, int]]:
    """Give a network before a port of this machine, and the port that leads into it."""
    network = Network(lambda: asyncio.open_connection("127.0.0.1", port))
    network.flows.set()
    server = await asyncio.start_server(network.carry, "127.0.0.1", 0)
    try:
        yield network, int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        network.flows.set()
        network.cut()


@asynccontextmanager
async def to_socket(path: str, entrance: str) -> AsyncIterator[Network]:
    """Give a network before a Unix socket, into which the socket *entrance* leads."""
    network = Network(lambda: asyncio.open_unix_connection(path))
    network.flows.set()
    server = await asyncio.start_unix_server(network.carry, entrance)
    try:
        yield network
    finally:
        server.close()
        network.flows.set()
        network.cut()
