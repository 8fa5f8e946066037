"""Those who ask, in a process of their own, so that what is measured has its core to itself.

`python -m tests.bench.load mllp PORT CONNECTIONS FIRST COUNT RESULTS`: sends messages, each
connection one after the other, and prints the seconds from the first byte to the last answer.
`python -m tests.bench.load paced PORT CONNECTIONS FIRST COUNT RESULTS RATE`: sends so many messages
a second, whether or not those before were answered in time, and prints the 99th of 100 waits for an
answer, in seconds from the moment at which the message was due.
`python -m tests.bench.load http PORT CONNECTIONS SECONDS TOKEN PATH…`: asks for the paths in
turn, and prints how many answers came, all of them 200.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterable, AsyncIterator
from itertools import cycle
from typing import Any

import uvloop

from adapters.hl7v2.mllp import Frame, Framer, wrap
from tests.bench.messages import PEOPLE, nhs_numbers, oru


def _messages(first: int, count: int, results: int) -> list[bytes]:
    people = nhs_numbers(PEOPLE)
    numbers = range(first, first + count)
    return [wrap(oru(one, results, people[one % PEOPLE])) for one in numbers]


async def _send(port: int, messages: AsyncIterable[bytes]) -> None:
    """Send *messages* on one connection, each after the answer to the one before."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    framer = Framer(65_536)
    async for message in messages:
        writer.write(message)
        answers: list[Frame] = []
        while not answers:
            chunk = await reader.read(65_536)
            answers = [event for event in framer.feed(chunk) if isinstance(event, Frame)]
        assert b"MSA|AA" in answers[0].payload, answers[0].payload
    writer.close()


async def mllp(port: int, connections: int, first: int, count: int, results: int) -> float:
    """Send *count* messages; return the seconds that it took until all were acknowledged."""
    waiting = iter(_messages(first, count, results))

    async def soon() -> AsyncIterator[bytes]:
        for message in waiting:
            yield message

    begun = time.perf_counter()
    await asyncio.gather(*(_send(port, soon()) for _ in range(connections)))
    return time.perf_counter() - begun


async def paced(
    port: int, connections: int, first: int, count: int, results: int, rate: float
) -> float:
    """Send *rate* messages a second; return the wait that 99 of 100 do not exceed."""
    begun, waits = time.perf_counter() + 0.1, list[float]()
    waiting = iter(
        [(begun + n / rate, one) for n, one in enumerate(_messages(first, count, results))]
    )

    async def when_due() -> AsyncIterator[bytes]:
        for due, message in waiting:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            yield message
            # It is asked for the next once this one is answered.
            waits.append(time.perf_counter() - due)

    await asyncio.gather(*(_send(port, when_due()) for _ in range(connections)))
    return sorted(waits)[len(waits) * 99 // 100]


class Asker(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, requests: "cycle[bytes]", counted: list[int]) -> None:
        self._requests, self._counted = requests, counted
        self._received = bytearray()

    def connection_made(self, transport: Any) -> None:
        """Ask for the first time."""
        self._transport = transport
        transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        """Count a whole answer, and ask the next."""
        self._received += data
        head, gap, body = self._received.partition(b"\r\n\r\n")
        if not gap:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) >= length:
            assert head.startswith(b"HTTP/1.1 200"), bytes(self._received)
            self._counted[0] += 1
            self._received.clear()
            self._transport.write(next(self._requests))


async def http(port: int, connections: int, seconds: float, token: str, paths: list[str]) -> int:
    """Ask for *paths* in turn; return the number of answers within *seconds*."""
    head = f"Host: portal\r\nAuthorization: Bearer {token}\r\n\r\n"
    requests = cycle([f"GET {path} HTTP/1.1\r\n{head}".encode() for path in paths])
    counted = [0]
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Asker(requests, counted), "127.0.0.1", port)
        for _ in range(connections)
    ]
    counted[0] = 0
    await asyncio.sleep(seconds)
    answered = counted[0]
    for transport, _ in made:
        transport.abort()
    return answered


def main(kind: str, *words: str) -> None:
    """Carry out the load named on the command line."""
    if kind == "mllp":
        port, connections, first, count, results = map(int, words)
        print(uvloop.run(mllp(port, connections, first, count, results)))  # noqa: T201
    elif kind == "paced":
        port, connections, first, count, results = map(int, words[:5])
        sent = paced(port, connections, first, count, results, float(words[5]))
        print(uvloop.run(sent))  # noqa: T201
    else:
        port_text, number, seconds, token, *paths = words
        asked = http(int(port_text), int(number), float(seconds), token, paths)
        print(uvloop.run(asked))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
