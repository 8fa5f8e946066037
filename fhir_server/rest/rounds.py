"""Rounds: the short looks that are asked for in one turn of an event loop go together.

One piece for all of them, in one state of the store, and one call back into the loop with all the
answers: what a hand-over between two threads costs is paid once a round and not once a look.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from fhir_server.errors import Unavailable
from fhir_server.looks import Asking

DEADLINE = 5.0
"""Seconds that a request waits for the committer."""
BUSY = "The record is too busy to answer now. Please try again."

AskAll = Callable[[Sequence[Asking]], "Future[list[Any]]"]
Waiting = list[tuple[Asking, "asyncio.Future[Any]"]]


class Rounds:
    """Gathers looks, and hands them over before the loop waits again."""

    def __init__(self, ask_all: AskAll) -> None:
        self._ask_all = ask_all
        self._waiting: Waiting = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def ask(self, asking: Asking) -> "asyncio.Future[Any]":
        """Return what will be the answer; Unavailable past the deadline."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        # A round of a loop that was closed meanwhile has nobody who waits for it.
        if not self._waiting or self._loop is not loop:
            self._loop, self._waiting = loop, []
            loop.call_soon(self._hand_over, loop)
        self._waiting.append((asking, answer))
        return answer

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            future = self._ask_all([asking for asking, _ in waiting])
        # Whatever goes wrong is everybody's answer: nobody may be left waiting.
        except Exception as error:  # noqa: BLE001
            _tell(waiting, [error] * len(waiting))
            return
        deadline = loop.call_later(DEADLINE, _expire, waiting)
        future.add_done_callback(partial(_pass_on, loop, deadline, waiting))


def _pass_on(
    loop: asyncio.AbstractEventLoop,
    deadline: asyncio.TimerHandle,
    waiting: Waiting,
    done: "Future[list[Any]]",
) -> None:
    def arrive() -> None:
        deadline.cancel()
        error = done.exception()
        _tell(waiting, done.result() if error is None else [error] * len(waiting))

    # Nobody waits any more where the loop was closed.
    if not loop.is_closed():
        loop.call_soon_threadsafe(arrive)


def _tell(waiting: Waiting, answers: Sequence[Any]) -> None:
    for (_, future), answer in zip(waiting, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result(answer)


def _expire(waiting: Waiting) -> None:
    _tell(waiting, [Unavailable.of(BUSY) for _ in waiting])
