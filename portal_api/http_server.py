"""The HTTP server: uvicorn on httptools, with a limit to the head of a request, which it lacks.

The head has so many bytes and so many seconds; a stranger who sends one without end, or byte by
byte, is hung up on. The body's limits belong to whoever reads it. No header of a proxy is
believed: addresses are the settings', and the network address is the peer's.
"""

import asyncio

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from portal_api.settings import Address

HEAD_LIMIT = 64 * 1024
"""Bytes of a request's first line and headers together, give or take one read."""
HEAD_DEADLINE = 20.0
"""Seconds in which they have to be here, once a connection or a request has begun."""


class BoundedHead(HttpToolsProtocol):
    """One connection; between requests it is idle, which has uvicorn's own limit."""

    _received = 0
    _in_head = True
    _hang_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the waiting."""
        self._no_longer_wait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes until the head is whole; past the limit, answer 400 and hang up."""
        if self._in_head:
            self._received += len(data)
            self._wait()
        super().data_received(data)
        if self._in_head and self._received > HEAD_LIMIT and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        """Go on to the body."""
        self._in_head, self._received = False, 0
        self._no_longer_wait()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Be ready for the head of another request."""
        self._in_head = True
        super().on_message_complete()

    def _wait(self) -> None:
        if self._hang_up is None:
            self._hang_up = self.loop.call_later(HEAD_DEADLINE, self.transport.close)

    def _no_longer_wait(self) -> None:
        if self._hang_up is not None:
            self._hang_up.cancel()
            self._hang_up = None


def config(app: ASGIApp, address: Address, *, grace: float, log_level: str) -> uvicorn.Config:
    """Return how *app* is served at *address*; *grace*: seconds that a stop waits for answers."""
    return uvicorn.Config(
        app,
        host=address.host,
        port=address.port,
        http=BoundedHead,
        ws="none",
        lifespan="off",
        log_level=log_level,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=int(grace),
    )
