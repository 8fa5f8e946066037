"""Which pages of other sites may call us from a browser. Pure ASGI.

https://fetch.spec.whatwg.org/#http-cors-protocol. Discovery and the capability statement are for
any origin; tokens and the FHIR interface for origins of registered applications, named one by
one; sign-in, consent and the portal's pages for none. Cookies are never let through.
"""

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fhir_server.rest.headers import header

OPEN = ("/.well-known/smart-configuration", "/.well-known/oauth-authorization-server")
REGISTERED = ("/token", "/revoke", "/introspect")

_METHODS = "GET, HEAD, POST, PUT"
_HEADERS = "Accept, Authorization, Content-Type, If-Match, If-None-Match, Prefer, X-Request-Id"
_EXPOSED = "ETag, Location, Last-Modified, Content-Location, WWW-Authenticate, X-Request-Id"
_SECONDS = "600"
_PREFLIGHT = b"access-control-request-method"


class Cors:
    """Adds the headers that let a browser's script read an answer, where it may."""

    def __init__(
        self, app: ASGIApp, registered: Callable[[str], bool], fhir_path: str = "/fhir"
    ) -> None:
        self._app, self._registered, self._fhir = app, registered, fhir_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or pass the request on and add headers to its answer."""
        kind = self._kind(scope["path"]) if scope["type"] == "http" else ""
        if not kind:
            await self._app(scope, receive, send)
            return
        allowed = await self._allowed(kind, header(scope, b"origin") or "")
        if scope["method"] == "OPTIONS" and header(scope, _PREFLIGHT) is not None:
            await _preflight(allowed, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"vary", b"Origin"))
                if allowed:
                    answer = MutableHeaders(scope=message)
                    answer["Access-Control-Allow-Origin"] = allowed
                    answer["Access-Control-Expose-Headers"] = _EXPOSED
            await send(message)

        await self._app(scope, receive, sending)

    def _kind(self, path: str) -> str:
        if path.removeprefix(self._fhir) in OPEN or path == f"{self._fhir}/metadata":
            return "open"
        inside = path == self._fhir or path.startswith(f"{self._fhir}/")
        return "registered" if inside or path in REGISTERED else ""

    async def _allowed(self, kind: str, origin: str) -> str:
        if kind == "open":
            return "*"
        known = bool(origin) and await run_in_threadpool(self._registered, origin)
        return origin if known else ""


async def _preflight(allowed: str, send: Send) -> None:
    message: dict[str, Any] = {"type": "http.response.start", "status": 403, "headers": []}
    headers = MutableHeaders(scope=message)
    headers["Vary"] = "Origin"
    headers["Content-Length"] = "0"
    if allowed:
        message["status"] = 204
        headers["Access-Control-Allow-Origin"] = allowed
        headers["Access-Control-Allow-Methods"] = _METHODS
        headers["Access-Control-Allow-Headers"] = _HEADERS
        headers["Access-Control-Max-Age"] = _SECONDS
        del headers["Content-Length"]
    await send(message)
    await send({"type": "http.response.body", "body": b""})
