"""One request, one answer: who asks, what is asked, the ledger, then the answer.

An interaction first says what it asks (`Ask`), having read the request; what goes wrong up to
there is noted on the ledger here. What goes wrong afterwards was noted by `Record`.
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from fhir_server.access import Access, Agent, NoRecord
from fhir_server.errors import FhirError, Unauthenticated, Unavailable
from fhir_server.record import Asked, Record
from fhir_server.rest.outcome import refusal

DEADLINE = 5.0
"""Seconds that a request waits for the committer."""

Authenticate = Callable[[Request, str], Awaitable[Access]]
"""Request and request id to Access; raises Unauthenticated."""

_CLIENT_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of the record, and how its answer becomes a response."""

    call: Callable[[], "Future[Any]"]
    render: Callable[[Any], Response]


@dataclass(frozen=True, slots=True)
class Service:
    """What the FHIR interface needs: the record, who is asking, and its own address."""

    record: Record
    authenticate: Authenticate
    base: str
    """Absolute address of the FHIR interface, without a slash at its end; never from a header."""


Interact = Callable[[Service, Request, Access], Awaitable[Ask]]


def endpoint(
    service: Service, subtype: str, interact: Interact
) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that carries out *interact* and leaves its entries on the ledger."""

    async def answer(request: Request) -> Response:
        request_id = request_id_of(request)
        response = await _answer(service, request, request_id, subtype, interact)
        response.headers["X-Request-Id"] = request_id
        return response

    return answer


def request_id_of(request: Request) -> str:
    """Return an id of our own; the caller's, if it has a safe form, is kept behind it."""
    own, theirs = secrets.token_hex(8), request.headers.get("x-request-id", "")
    return f"{own}.{theirs}" if _CLIENT_ID.fullmatch(theirs) else own


async def _answer(
    service: Service, request: Request, request_id: str, subtype: str, interact: Interact
) -> Response:
    network = request.client.host if request.client else ""
    access = Access(Agent("unknown", network=network), request_id, NoRecord(), {})
    try:
        try:
            access = await service.authenticate(request, request_id)
            ask = await interact(service, request, access)
        except FhirError as error:
            if isinstance(error, Unavailable):
                raise
            await noted(service.record, access, subtype, request, error)
            raise
        future = await run_in_threadpool(ask.call)
        return ask.render(await within_deadline(future))
    except FhirError as error:
        return refusal(error)


async def noted(
    record: Record, access: Access, subtype: str, request: Request, error: FhirError
) -> None:
    """Leave the refusal on the ledger before it is given out; Unavailable where that fails."""
    asked = Asked(subtype)
    # What a stranger names is not kept: it could be anything.
    if not isinstance(error, Unauthenticated):
        query = str(request.url.query) if subtype.startswith("search") else ""
        asked = Asked(subtype, _entity(request), query)
    await within_deadline(record.refuse(access, asked, error))


def _entity(request: Request) -> str:
    parts = [str(value) for value in request.path_params.values()]
    return "/".join(parts)[:200]


async def within_deadline(future: "Future[Any]") -> Any:
    """Await the committer's answer; Unavailable past the deadline, the piece being dropped."""
    try:
        return await asyncio.wait_for(asyncio.wrap_future(future), DEADLINE)
    except TimeoutError:
        raise Unavailable.of("The record is too busy to answer now. Please try again.") from None
