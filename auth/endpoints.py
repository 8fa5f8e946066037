"""The routes of sign-in and authorisation, put together from their rooms."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from auth import authorize, policy, sign_in, smart, token_endpoint
from auth.answers import api, committed, refusal_page
from auth.cors import OPEN
from auth.replies import NO_STORE, Reply
from auth.services import AuthServices
from fhir_server.audit.subtypes import Subtype
from fhir_server.errors import FhirError, TooMany, Unauthenticated, Unavailable
from fhir_server.model import json
from fhir_server.rest.exchange import request_id_of
from fhir_server.rest.headers import network
from fhir_server.rest.outcome import status_of

Handler = Callable[[AuthServices, Request, str], Awaitable[Response]]
Refuse = Callable[[AuthServices, str, FhirError], Response]


def router(services: AuthServices) -> APIRouter:
    """Return the routes by which people sign in and applications get tokens.

    Authlib tells whole token answers to its logger at DEBUG, so that logger is kept above it.
    """
    logging.getLogger("authlib").setLevel(logging.INFO)
    routes = APIRouter()
    for path, method, handler, refuse, subtype in (
        (sign_in.SIGN_IN, "GET", sign_in.show, _as_page, Subtype.SIGN_IN),
        (sign_in.SIGN_IN, "POST", sign_in.attempt, _as_page, Subtype.SIGN_IN),
        (sign_in.SIGN_OUT, "POST", sign_in.leave, _as_page, Subtype.SIGN_OUT),
        (sign_in.AUTHORIZE, "GET", authorize.ask, _as_page, Subtype.CONSENT),
        (sign_in.AUTHORIZE, "POST", authorize.ask_by_post, _as_page, Subtype.CONSENT),
        (authorize.DECISION, "POST", authorize.decide, _as_page, Subtype.CONSENT),
        ("/token", "POST", token_endpoint.token, _as_json, Subtype.GRANT),
        ("/revoke", "POST", token_endpoint.revoke, _as_json, Subtype.REVOKE),
        ("/introspect", "POST", token_endpoint.introspect, _as_json, Subtype.REQUEST),
    ):
        endpoint = _endpoint(services, handler, refuse, subtype)
        routes.add_route(path, endpoint, [method], include_in_schema=False)
    return routes


def discovery(services: AuthServices) -> APIRouter:
    """Return the routes by which applications find the addresses, for anybody.

    Include them before the routes below the FHIR path, where one of them stands.
    """
    routes = APIRouter()
    smart_configuration, oauth_metadata = OPEN
    for path in (smart_configuration, services.fhir_path + smart_configuration):
        _document(routes, path, smart.configuration(services))
    _document(routes, oauth_metadata, smart.metadata(services))
    return routes


def _endpoint(
    services: AuthServices, handler: Handler, refuse: Refuse, subtype: Subtype
) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint for *handler*: what it refuses is on the ledger before it is said."""

    async def answer(request: Request) -> Response:
        request_id = request_id_of(request)
        try:
            response = await handler(services, request, request_id)
        except FhirError as error:
            response = await _refused(services, request, request_id, subtype, error, refuse)
        response.headers["X-Request-Id"] = request_id
        return response

    return answer


async def _refused(
    services: AuthServices,
    request: Request,
    request_id: str,
    subtype: Subtype,
    error: FhirError,
    refuse: Refuse,
) -> Response:
    if isinstance(error, Unavailable):
        return refuse(services, request_id, error)
    access = policy.stranger(request_id=request_id, network=network(request))
    reason = error.issues[0].text
    try:
        await committed(services.record.note(access, subtype, outcome="4", reason=reason))
    except Unavailable as unwritten:
        return refuse(services, request_id, unwritten)
    return refuse(services, request_id, error)


def _as_page(services: AuthServices, request_id: str, error: FhirError) -> Response:
    response = refusal_page(services, request_id, error.issues[0].text, status_of(error))
    return _retry_after(response, error)


def _as_json(_services: AuthServices, _request_id: str, error: FhirError) -> Response:
    """RFC 6749 section 5.2, RFC 6750 section 3."""
    headers, code = dict(NO_STORE), "invalid_request"
    if isinstance(error, Unauthenticated):
        code = error.issues[0].diagnostics or "invalid_client"
        scheme = "Bearer" if error.issues[0].diagnostics else "Basic"
        headers["WWW-Authenticate"] = f'{scheme} realm="portal", error="{code}"'
    if isinstance(error, Unavailable | TooMany):
        code = "temporarily_unavailable"
    body = {"error": code, "error_description": error.issues[0].text}
    return _retry_after(api(Reply(status_of(error), body, headers)), error)


def _retry_after(response: Response, error: FhirError) -> Response:
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = error.issues[0].diagnostics
    if isinstance(error, Unavailable):
        response.headers["Retry-After"] = "5"
    return response


def _document(routes: APIRouter, path: str, content: Mapping[str, Any]) -> None:
    """Serve *content* as JSON to anybody, whatever `Accept` says."""
    body = json.encode(content)

    async def document(_request: Request) -> Response:
        headers = {"Cache-Control": "max-age=300", "X-Content-Type-Options": "nosniff"}
        return Response(body, headers=headers, media_type="application/json")

    routes.add_route(path, document, ["GET"], include_in_schema=False)
