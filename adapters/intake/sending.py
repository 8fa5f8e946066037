"""Sending messages over MLLP, as a hospital does: one connection, one message, one answer."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from adapters.hl7v2.mllp import Frame, Framer, wrap

ANSWER_LIMIT = 1024 * 1024


class NoAnswer(Exception):
    """The connection ended before the answer came: the message may or may not have been kept."""


@contextmanager
def send(host: str, port: int, *, seconds: float = 60.0) -> Iterator[Callable[[bytes], bytes]]:
    """Give a function that sends a message on one persistent connection and returns its answer.

    *seconds* limits the wait for each answer. The function raises NoAnswer where none comes.
    """
    with socket.create_connection((host, port), timeout=seconds) as connection:
        framer = Framer(ANSWER_LIMIT)

        def exchange(message: bytes) -> bytes:
            connection.sendall(wrap(message))
            while True:
                chunk = connection.recv(65_536)
                if not chunk:
                    raise NoAnswer("The connection ended before the answer came.")
                for event in framer.feed(chunk):
                    if isinstance(event, Frame):
                        return event.payload

        yield exchange
