"""Sending messages over MLLP, as a hospital does: one connection, one message, its answers."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.hl7v2.header import Header, glimpse
from adapters.hl7v2.mllp import Frame, Framer, wrap

ANSWER_LIMIT = 1024 * 1024

_ALWAYS = "AL"
_NEVER = "NE"


class NoAnswer(Exception):
    """The connection ended before the answer came: the message may or may not have been kept."""


@contextmanager
def send(
    host: str, port: int, *, seconds: float = 60.0, tls: ssl.SSLContext | None = None
) -> Iterator[Callable[[bytes], bytes]]:
    """Give a function that sends a message on one persistent connection and returns its answer.

    A message that asks for two answers (MSH-15 and MSH-16) gets both, one after the other; one
    that asks for none gets none. *seconds* limits the wait; with *tls* the connection is encrypted,
    and *host* has to be the receiver's name. The function raises NoAnswer where an answer that is
    due does not come, and OSError where the connection fails.
    """
    with _connected(host, port, seconds, tls) as connection:
        framer = Framer(ANSWER_LIMIT)
        waiting: list[bytes] = []

        def following() -> bytes:
            while not waiting:
                try:
                    chunk = connection.recv(65_536)
                except TimeoutError:
                    raise NoAnswer(f"No answer came within {seconds:g} seconds.") from None
                if not chunk:
                    raise NoAnswer("The connection ended before the answer came.")
                waiting.extend(
                    event.payload for event in framer.feed(chunk) if isinstance(event, Frame)
                )
            return waiting.pop(0)

        def exchange(message: bytes) -> bytes:
            connection.sendall(wrap(message))
            header = glimpse(message)
            if not _is_owed_an_answer(header):
                return b""
            first = following()
            return first + following() if _is_owed_another(header, first) else first

        yield exchange


def client_context(
    authority: Path | None, certificate: Path | None, key: Path | None
) -> ssl.SSLContext:
    """Return how a sender connects over TLS: with its *certificate* and *key*, where it has them.

    *authority* signed the receiver's certificate; None: one that this machine trusts anyway. Raises
    OSError for a file that can't be used.
    """
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        context.load_cert_chain(certificate, key, password=lambda: "")
    return context


def _connected(host: str, port: int, seconds: float, tls: ssl.SSLContext | None) -> socket.socket:
    connection = socket.create_connection((host, port), timeout=seconds)
    if tls is None:
        return connection
    try:
        return tls.wrap_socket(connection, server_hostname=host)
    except BaseException:
        connection.close()
        raise


def code_of(answer: bytes) -> str:
    """Return MSA-1 of the last of the answers in *answer*, which decides; empty where none is."""
    found = [line[4:6] for line in answer.split(b"\r") if line.startswith(b"MSA")]
    return found[-1].decode("ascii", "replace") if found else ""


def says_send_again(answer: bytes) -> bool:
    """Tell whether an answer says that nothing was kept: the fault `busy`, with 207."""
    errors = [line for line in answer.split(b"\r") if line.startswith(b"ERR")]
    return any(b"207" in line and b"busy" in line for line in errors)


def _is_owed_an_answer(header: Header) -> bool:
    asked = {header.accept_ack, header.application_ack} - {""}
    return not asked or bool(asked - {_NEVER})


def _is_owed_another(header: Header, first: bytes) -> bool:
    """Tell whether an application answer comes after the accept answer."""
    return code_of(first) == "CA" and header.application_ack == _ALWAYS
