"""The door of the JSON API for operators: who asks, and how a refusal is said.

Only a token that was made on the command line for an operator opens it: an application to which
an operator signs in gets none of this. A refusal at the door is on the ledger.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from auth import bearer, policy
from auth.answers import network
from auth.principal import Role
from auth.tokens import COMMAND_LINE
from fhir_server.access import Access
from fhir_server.audit.subtypes import Subtype
from fhir_server.clock import micros
from fhir_server.errors import FhirError, Forbidden
from fhir_server.model import json
from fhir_server.record import Record
from fhir_server.rest.exchange import request_id_of, within_deadline
from fhir_server.rest.outcome import status_of
from portal_api.portal import Portal

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


async def admitted(request: Request) -> Clerk:
    """Return the operator who asks.

    Raises Unauthenticated without a token that holds, Forbidden for anybody else's.
    """
    portal: Portal = request.app.state.portal
    record = portal.record
    bearer.refuse_token_in_query(request.scope["query_string"].decode("latin-1"))
    header, now = request.headers.get("authorization"), micros(record.clock())
    principal = await run_in_threadpool(bearer.authenticate, record.select, header, now)
    access = policy.access(principal, request_id=request_id_of(request), network=network(request))
    if principal.role != Role.OPERATOR or principal.client_id != COMMAND_LINE:
        text = "This is for operators, with a token made on the command line."
        note = record.note(access, Subtype.REQUEST, outcome="4", reason=text)
        await within_deadline(note)
        raise Forbidden.of(text)
    return Clerk(portal, access)


Asking = Annotated[Clerk, Depends(admitted)]
"""The parameter of a route by which an operator, and nobody else, is let in."""


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
