"""`POST /hl7v2`: an application with a token of its own pushes a hospital's messages over HTTPS.

The token has the scope `system/hl7v2.write`, and a feed names its application; anything less is
refused before a byte of the body is read.
"""

import logging

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.intake.http_push import Pusher, Pushing, push
from adapters.intake.listener import Limits
from auth import bearer, policy
from auth.answers import network
from auth.principal import Principal
from auth.scopes import PUSH
from fhir_server.audit.subtypes import Subtype
from fhir_server.clock import micros
from fhir_server.errors import FhirError, Forbidden, Unavailable, traced
from fhir_server.rest.exchange import noted, refuse_repeated_headers, request_id_of
from fhir_server.rest.outcome import refusal
from portal_api.portal import Portal

log = logging.getLogger(__name__)

ADDRESS = "/hl7v2"


def route(portal: Portal) -> Route:
    """Return the route; what goes wrong is answered as an OperationOutcome."""
    door = Pushing(portal.record, portal.feeds, Limits(), portal.tally)

    async def answer(request: Request) -> Response:
        request_id = request_id_of(request)
        try:
            response = await _pushed(portal, door, request, request_id)
        except FhirError as error:
            response = refusal(error)
        # The rim: whatever is wrong in here, the sender learns that it was not its fault.
        except Exception as error:  # noqa: BLE001
            log.error("request %s failed: %s", request_id, traced(error))  # noqa: TRY400
            response = refusal(FhirError.of("Something is wrong in this server."))
        response.headers["X-Request-Id"] = request_id
        return response

    return Route(ADDRESS, answer, methods=["POST"])


async def _pushed(portal: Portal, door: Pushing, request: Request, request_id: str) -> Response:
    access = policy.stranger(request_id=request_id, network=network(request))
    try:
        refuse_repeated_headers(request)
        principal = await _asking(portal, request)
        access = policy.access(principal, request_id=request_id, network=network(request))
        _require_scope(principal)
        return await push(door, Pusher(access, principal.client_id), request)
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
