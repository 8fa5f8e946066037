"""Pushing over HTTPS: an application with a token of its own hands in a hospital's messages.

`POST /hl7v2` takes HL7 v2; below the FHIR base, `POST $process-message` takes a message Bundle,
`POST Bundle` a document, and a POST to the base itself a transaction. The token has the scope
`system/hl7v2.write`, and a feed names its application; anything less is refused before a byte of
the body is read.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.fhir_push import door as fhir
from adapters.fhir_push.answers import OPERATION
from adapters.intake.http_push import Pusher, Pushing, push
from adapters.intake.listener import Limits
from auth import bearer, policy
from auth.principal import Principal
from auth.scopes import PUSH
from fhir_server.audit.subtypes import Subtype
from fhir_server.clock import micros
from fhir_server.errors import FhirError, Forbidden, Unavailable, traced
from fhir_server.rest.capability import Beside
from fhir_server.rest.exchange import noted, refuse_repeated_headers, request_id_of
from fhir_server.rest.headers import network
from fhir_server.rest.outcome import refusal
from portal_api.portal import Portal

log = logging.getLogger(__name__)

ADDRESS = "/hl7v2"
SERVED = Beside(
    interactions=("transaction",),
    created=("Bundle",),
    operations=(
        (
            OPERATION.removeprefix("$"),
            "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message",
        ),
    ),
)
"""What is served below the FHIR base by `fhir_routes`."""

Take = Callable[[Pushing, Pusher, Request], Awaitable[Response]]
"""Takes what an application that may push brings, and answers it."""


def route(portal: Portal) -> Route:
    """Return the route of HL7 v2; what goes wrong is answered as an OperationOutcome."""
    return _route(portal, ADDRESS, push)


def fhir_routes(portal: Portal, prefix: str, base: str) -> list[Route]:
    """Return the routes of FHIR below *prefix*, which have to stand before all others there.

    *base* is the absolute address of the FHIR interface.
    """
    message = partial(fhir.push, kind="message", base=base)
    transaction = partial(fhir.push, kind="transaction", base=base)
    document = partial(fhir.push, kind="document", base=base)
    return [
        _route(portal, f"{prefix}/{OPERATION}", message),
        _route(portal, f"{prefix}/Bundle", document),
        _route(portal, prefix, transaction),
        _route(portal, f"{prefix}/", transaction),
    ]


def _route(portal: Portal, address: str, take: Take) -> Route:
    door = Pushing(portal.record, portal.feeds, Limits(), portal.tally)

    async def answer(request: Request) -> Response:
        request_id = request_id_of(request)
        try:
            response = await _pushed(portal, partial(take, door), request, request_id)
        except FhirError as error:
            response = refusal(error)
        # The rim: whatever is wrong in here, the sender learns that it was not its fault.
        except Exception as error:  # noqa: BLE001
            log.error("request %s failed: %s", request_id, traced(error))  # noqa: TRY400
            response = refusal(FhirError.of("Something is wrong in this server."))
        response.headers["X-Request-Id"] = request_id
        return response

    return Route(address, answer, methods=["POST"])


async def _pushed(
    portal: Portal,
    take: Callable[[Pusher, Request], Awaitable[Response]],
    request: Request,
    request_id: str,
) -> Response:
    access = policy.stranger(request_id=request_id, network=network(request))
    try:
        refuse_repeated_headers(request)
        principal = await _asking(portal, request)
        access = policy.access(principal, request_id=request_id, network=network(request))
        _require_scope(principal)
        return await take(Pusher(access, principal.client_id), request)
    except Unavailable:
        raise
    except Exception as error:
        await noted(portal.record, access, Subtype.MESSAGE_REFUSED, request, error)
        raise


async def _asking(portal: Portal, request: Request) -> Principal:
    record = portal.record
    bearer.refuse_token_in_query(request.scope["query_string"].decode("latin-1"))
    header, now = request.headers.get("authorization"), micros(record.clock())
    return await run_in_threadpool(bearer.authenticate, record.select, header, now)


def _require_scope(principal: Principal) -> None:
    if not policy.may_push(principal):
        raise Forbidden.of(f"Pushing messages needs a token with the scope {PUSH}.")
