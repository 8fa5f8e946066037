"""The door of the JSON API for operators: who asks, and how a refusal is said.

Only a token that was made on the command line for an operator opens it: an application to which
an operator signs in gets none of this. A refusal at the door is on the ledger, and nothing is read
of what somebody sends who is not let in.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from auth import bearer, policy
from auth.principal import Principal, Role
from auth.tokens import COMMAND_LINE
from fhir_server.access import Access
from fhir_server.audit.subtypes import Subtype
from fhir_server.clock import micros
from fhir_server.errors import FhirError, Forbidden, Unauthenticated, Unprocessable
from fhir_server.model import json
from fhir_server.record import Asked, Record
from fhir_server.rest.body import received
from fhir_server.rest.exchange import request_id_of, within_deadline
from fhir_server.rest.headers import network
from fhir_server.rest.outcome import status_of
from portal_api.portal import Portal

BODY_LIMIT = 64 * 1024
"""Bytes of one request's body."""

_SAFE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="operators"'}


@dataclass(frozen=True, slots=True)
class Clerk:
    """An operator who asks, and the portal that is asked."""

    portal: Portal
    access: Access

    @property
    def record(self) -> Record:
        """The portal's record."""
        return self.portal.record


class Guarded(APIRoute):
    """A route that reads a request's body, of so many bytes, once whoever sends it is let in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            clerk = await _let_in(request)
            request.state.clerk = clerk
            try:
                body = await received(request, BODY_LIMIT)
            except FhirError as error:
                await noted(clerk.record, clerk.access, error)
                raise
            try:
                return await answer(Request(request.scope, _once_more(body, request.receive)))
            except RequestValidationError:
                # What was sent is not said again, as FastAPI would: it may be a patient's number.
                refusal = Unprocessable.of("The request is not what this address takes.")
                await noted(clerk.record, clerk.access, refusal)
                raise refusal from None

        return guarded


async def recognised(request: Request) -> tuple[Principal, Access]:
    """Return who asks, and what they may. Raises Unauthenticated without a token that holds."""
    record = portal_of(request).record
    request_id, address = request_id_of(request), network(request)
    try:
        bearer.refuse_token_in_query(request.scope["query_string"].decode("latin-1"))
        header, now = request.headers.get("authorization"), micros(record.clock())
        principal = await run_in_threadpool(bearer.authenticate, record.select, header, now)
    except Unauthenticated as error:
        await noted(record, policy.stranger(request_id=request_id, network=address), error)
        raise
    return principal, policy.access(principal, request_id=request_id, network=address)


async def _let_in(request: Request) -> Clerk:
    portal = portal_of(request)
    principal, access = await recognised(request)
    if principal.role != Role.OPERATOR or principal.client_id != COMMAND_LINE:
        refusal = Forbidden.of("This is for operators, with a token made on the command line.")
        await noted(portal.record, access, refusal)
        raise refusal
    return Clerk(portal, access)


async def noted(record: Record, access: Access, error: FhirError) -> None:
    """Leave a refusal on the ledger before it is given out."""
    await within_deadline(record.refuse(access, Asked(Subtype.REQUEST), error))


def _once_more(body: bytes, receive: Receive) -> Receive:
    """Return how *body*, which was read, is received; and what comes after it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def following() -> Message:
        return waiting.pop() if waiting else await receive()

    return following


def portal_of(request: Request) -> Portal:
    """Return the portal that is asked."""
    portal: Portal = request.app.state.portal
    return portal


async def admitted(request: Request) -> Clerk:
    """Return the operator whom a guarded route has let in."""
    clerk: Clerk = request.state.clerk
    return clerk


Asking = Annotated[Clerk, Depends(admitted)]
"""The parameter of a guarded route by which it knows the operator who was let in."""


def open_door(app: FastAPI, portal: Portal) -> None:
    """Let routes of *app* ask *portal*; what goes wrong is said as `{"error": …, "text": …}`."""

    async def refused(_request: Request, error: Exception) -> Response:
        if not isinstance(error, FhirError):
            raise error
        issue = error.issues[0]
        body = {"error": issue.code, "text": issue.text}
        status = status_of(error)
        headers = _SAFE | (_CHALLENGE if status == 401 else {})
        return Response(json.encode(body), status, headers, media_type="application/json")

    app.state.portal = portal
    app.add_exception_handler(FhirError, refused)
