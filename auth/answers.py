"""Answers of sign-in and authorisation, with the headers that each kind has to have."""

from collections.abc import Iterable
from concurrent.futures import Future
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from auth.replies import Reply
from auth.services import AuthServices
from auth.throttle import Throttle
from auth.views import RefusalView
from fhir_server.errors import TooMany
from fhir_server.model import json
from fhir_server.rest.exchange import within_deadline
from fhir_server.rest.headers import network

T = TypeVar("T")

_SAFE = {
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def page(body: bytes, status: int = 200, *, form_targets: Iterable[str] = ()) -> Response:
    """Return a page that no other page can frame and that loads nothing from elsewhere.

    *form_targets*: source expressions of where its form may lead in the end: browsers apply
    `form-action` to the redirect that answers a form, too.
    """
    targets = " ".join(["'self'", *form_targets])
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        f"font-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action {targets}"
    )
    headers = _SAFE | {"Content-Security-Policy": policy, "X-Frame-Options": "DENY"}
    return Response(body, status, headers, media_type="text/html")


def refusal_page(services: AuthServices, request_id: str, text: str, status: int = 400) -> Response:
    """Return the page for a request that is refused and from which nobody is sent on."""
    view = RefusalView("This request can't be answered", text, request_id)
    return page(services.render_refusal(view), status)


def redirect(location: str) -> Response:
    """Send the browser on with GET, whatever method brought it here. RFC 9700 section 4.12."""
    return Response(b"", 303, _SAFE | {"Location": location})


def api(reply: Reply) -> Response:
    """Return an OAuth answer as JSON."""
    headers = {"X-Content-Type-Options": "nosniff"} | dict(reply.headers)
    return Response(json.encode(reply.body), reply.status, headers, media_type="application/json")


def limited(throttle: Throttle, request: Request, endpoint: str) -> None:
    """Count the request. Raises TooMany, with the seconds to wait as diagnostics."""
    wait = throttle.wait(f"{endpoint} {neighbourhood(network(request))}")
    if wait:
        raise TooMany.of("Too many requests: please wait and try again.", diagnostics=str(wait))


def neighbourhood(address: str) -> str:
    """Return by what the caller at *address* is counted: by IPv6, one has 2^64 addresses."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv4Address):
        return address
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(IPv6Network((known, 64), strict=False))


async def committed(future: "Future[T]") -> T:
    """Await what the committer answers. Raises Unavailable where it can't, or not in time."""
    answer: T = await within_deadline(future)
    return answer
