"""How much may be at work at once: whoever brings more waits, and their socket is not read.

A message takes memory from the moment it is whole until it is answered, and more than its bytes:
what it became waits for the commit. Where the store is slow, messages wait here in their order,
a connection reads nothing more, and the sender's own buffers fill: nothing grows.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

Answers = tuple[bytes, ...]

# Measured: what a message of many small results becomes takes 60 times its bytes; a document 5
# times, at the most, while it is decoded.
_SEGMENTS, _DOCUMENT = 60, 5
_MOST_SEGMENTS = 1024 * 1024
"""Bytes up to which a message is taken for one of many results; the rest is a document."""


def cost(size: int) -> int:
    """Return about how many bytes of memory a message of this *size* takes until it is answered."""
    return _SEGMENTS * min(size, _MOST_SEGMENTS) + _DOCUMENT * size


class Work:
    """The messages at work, and those that wait for room; for one event loop."""

    def __init__(self) -> None:
        self.used = 0
        """Bytes of memory that messages at work take, about."""
        self.waiting = 0
        """Bytes of messages that wait for room."""
        self._queue: deque[tuple[asyncio.Future[None], int, int]] = deque()

    async def on(
        self,
        size: int,
        most: int,
        take: Callable[[], Awaitable["asyncio.Future[Answers]"]],
    ) -> "asyncio.Future[Answers]":
        """Return what *take* returns, as soon as a message of this *size* has room among *most*.

        The room is taken until that future is done. A message larger than *most* has room when
        nothing else is at work.
        """
        wanted = cost(size)
        await self._room(size, wanted, most)
        try:
            answers = await take()
        except BaseException:
            self._give_back(wanted)
            raise
        answers.add_done_callback(lambda _: self._give_back(wanted))
        return answers

    async def _room(self, size: int, wanted: int, most: int) -> None:
        if not self._queue and self._fits(wanted, most):
            self.used += wanted
            return
        turn = asyncio.get_running_loop().create_future()
        self._queue.append((turn, wanted, most))
        self.waiting += size
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back(wanted)
            raise
        finally:
            self.waiting -= size

    def _fits(self, wanted: int, most: int) -> bool:
        return not self.used or self.used + wanted <= most

    def _give_back(self, room: int) -> None:
        self.used -= room
        while self._queue and self._fits(*self._queue[0][1:]):
            turn, wanted, _ = self._queue.popleft()
            if not turn.cancelled():
                self.used += wanted
                turn.set_result(None)
