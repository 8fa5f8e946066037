"""MLLP over TLS with client certificates: the same conversation, behind a door that asks first.

Nothing is read of who does not show a certificate that an authority of ours signed and a feed
names. What opens otherwise than with TLS is recognised by its first byte and closed: there is no
falling back to plain.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from adapters.hl7v2.mllp import Framer, WrongProtocol
from adapters.intake.admission import Peer
from adapters.intake.certificates import fingerprint
from adapters.intake.listener import Reception, converse, place

log = logging.getLogger(__name__)

HANDSHAKE = 10.0
"""Seconds in which a connection has to say its first byte, and again to finish its handshake."""
_FAREWELL = 5.0
_ACCEPT_AGAIN = 1.0
_HELLO = b"\x16"
_REASONS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "certificate-missing",
    "CERTIFICATE_VERIFY_FAILED": "certificate-untrusted",
    "UNSUPPORTED_PROTOCOL": "version-too-old",
    "NO_SHARED_CIPHER": "no-shared-cipher",
}


@dataclass(frozen=True, slots=True)
class TlsDoor:
    """A socket that listens at *port*, and the connections that came through it."""

    port: int
    accepting: "asyncio.Task[None]"
    connections: set["asyncio.Task[None]"]

    def close(self) -> None:
        """Take no more connections; those that are open go on."""
        self.accepting.cancel()


async def listen_tls(
    reception: Reception, host: str, port: int, context: Callable[[], ssl.SSLContext]
) -> TlsDoor:
    """Return the door, open; *context* is asked anew for every connection.

    Raises OSError where nothing can listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=512)
    listening.setblocking(False)
    connections = set[asyncio.Task[None]]()
    accepting = asyncio.create_task(_accept(reception, listening, context, connections))
    return TlsDoor(int(listening.getsockname()[1]), accepting, connections)


async def _accept(
    reception: Reception,
    listening: socket.socket,
    context: Callable[[], ssl.SSLContext],
    connections: set["asyncio.Task[None]"],
) -> None:
    loop = asyncio.get_running_loop()
    with listening:
        while True:
            try:
                connection, address = await loop.sock_accept(listening)
            except OSError:
                # No descriptor is left, say: those that are open end, and then there is one.
                reception.tally.counts["accept-failed"] += 1
                await asyncio.sleep(_ACCEPT_AGAIN)
                continue
            task = loop.create_task(_serve(reception, connection, str(address[0]), context()))
            connections.add(task)
            task.add_done_callback(connections.discard)


async def _serve(
    reception: Reception, connection: socket.socket, address: str, context: ssl.SSLContext
) -> None:
    with place(reception, address) as is_free:
        if not is_free or not await _greets(reception, connection, address):
            connection.close()
            return
        shaken = await _shaken(reception, connection, address, context)
        if shaken is None:
            return
        reader, writer = shaken
        peer = Peer(address, _certificate(writer))
        if reception.knows(peer):
            await converse(reception, peer, reader, writer)
            return
        await _refuse(reception, address, f"certificate-unknown {peer.certificate}")
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _greets(reception: Reception, connection: socket.socket, address: str) -> bool:
    """Tell whether the connection opens with TLS, having looked and taken nothing."""
    counts = reception.tally.counts
    try:
        head = await asyncio.wait_for(_first_bytes(connection), HANDSHAKE)
    except OSError:
        head = b""
    if head[:1] == _HELLO:
        return True
    if not head:
        counts["connect-only"] += 1
        return False
    found = [one.kind for one in Framer(len(head)).feed(head) if isinstance(one, WrongProtocol)]
    reason = f"wrong-protocol-{found[0] if found else 'plain'}"
    counts[reason] += 1
    await reception.turn_away(Peer(address), reason)
    return False


async def _first_bytes(connection: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    loop.add_reader(connection, arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(connection)
    return connection.recv(8, socket.MSG_PEEK)


async def _shaken(
    reception: Reception, connection: socket.socket, address: str, context: ssl.SSLContext
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """Return both ends of the connection once its certificate is proven; None where it is not."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=reception.limits.chunk)
    protocol = asyncio.StreamReaderProtocol(reader)
    try:
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol,
            connection,
            ssl=context,
            ssl_handshake_timeout=HANDSHAKE,
            ssl_shutdown_timeout=_FAREWELL,
        )
    except ssl.SSLError as error:
        await _refuse(reception, address, _REASONS.get(error.reason or "", "handshake-failed"))
    except OSError:
        await _refuse(reception, address, "handshake-broken-off")
    else:
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
    return None


async def _refuse(reception: Reception, address: str, why: str) -> None:
    reception.tally.counts["tls-refused"] += 1
    log.warning("a TLS connection from %s was refused: %s", address, why)
    await reception.turn_away(Peer(address), f"tls-refused {why}")


def _certificate(writer: asyncio.StreamWriter) -> str:
    shown: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return fingerprint(shown) if shown else ""
