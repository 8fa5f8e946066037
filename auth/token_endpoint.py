"""Token, revocation and introspection. RFC 6749 section 3.2, RFC 7009, RFC 7662.

Applications speak here, never browsers' users: form in, JSON out, nothing kept in caches.
"""

import base64
import binascii
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from auth import authorization_server, bearer, clients, forms, policy, tokens
from auth.answers import api, committed, limited, network
from auth.authorization_server import Reply, refused
from auth.authorize import issuer
from auth.issuing import code_bucket
from auth.services import AuthServices
from fhir_server.access import Access
from fhir_server.audit.subtypes import Subtype
from fhir_server.errors import Invalid, Unauthenticated
from fhir_server.record import Writer


async def token(services: AuthServices, request: Request, request_id: str) -> Response:
    """Answer a token request: one transaction in which all is claimed, issued and written down."""
    sent, header = await _sent(services, request, "token")
    access, buckets = await run_in_threadpool(_asker, services, request, request_id, sent)

    def piece(writer: Writer) -> Reply:
        return authorization_server.exchange(issuer(services), writer, sent, header)

    return api(await committed(services.record.submit(access, piece, buckets=buckets)))


async def revoke(services: AuthServices, request: Request, request_id: str) -> Response:
    """Answer a revocation: what is ended works no more, from the next request on."""
    sent, header = await _sent(services, request, "revoke")
    access, buckets = await run_in_threadpool(_asker, services, request, request_id, sent)

    def piece(writer: Writer) -> Reply:
        return authorization_server.revoke(issuer(services), writer, sent, header)

    return api(await committed(services.record.submit(access, piece, buckets=buckets)))


async def introspect(services: AuthServices, request: Request, request_id: str) -> Response:
    """Tell an application about one of its own tokens; of any other token, that it is not active.

    It proves itself with its secret, or with an access token of its own.
    """
    sent, header = await _sent(services, request, "introspect")
    access, _ = await run_in_threadpool(_asker, services, request, request_id, sent)
    reply, jti = await run_in_threadpool(_introspected, services, sent, header)
    outcome = "4" if reply.error else "0"
    entity = f"token:{jti}" if jti else "token"
    note = services.record.note(access, Subtype.REQUEST, outcome=outcome, entity=entity)
    await committed(note)
    return api(reply)


def _introspected(services: AuthServices, sent: dict[str, str], header: str) -> tuple[Reply, str]:
    select, now = services.record.select, services.now
    if header.lower().startswith("bearer "):
        client_id = bearer.authenticate(select, header, now).client_id
    else:
        client = authorization_server.authenticated(
            issuer(services), select, sent, header, secret=True
        )
        if isinstance(client, Reply):
            return client, ""
        client_id = client.client_id
    if not sent.get("token"):
        return refused("invalid_request", "token is missing"), ""
    found = tokens.look_up(select, sent["token"], now)
    mine = found if found and found.family.holder.client_id == client_id else None
    return Reply(200, tokens.introspection(mine), authorization_server.NO_STORE), (
        mine.jti if mine else ""
    )


async def _sent(
    services: AuthServices, request: Request, endpoint: str
) -> tuple[dict[str, str], str]:
    """Return the form and the Authorization header, refusing what could be read in two ways."""
    limited(services.exchanges, request, endpoint)
    sent = forms.once(await forms.read_form(request))
    headers = request.headers.getlist("authorization")
    if len(headers) > 1 or (headers and "client_secret" in sent):
        raise Invalid.of("An application proves itself in one way, once.")
    return sent, headers[0] if headers else ""


def _asker(
    services: AuthServices, request: Request, request_id: str, sent: dict[str, str]
) -> tuple[Access, frozenset[int]]:
    """Return the application as the ledger names it, and the buckets to lock for its request."""
    select = services.record.select
    claimed = _basic_name(request.headers.get("authorization", "")) or sent.get("client_id", "")
    known = clients.find(select, claimed) if claimed else None
    buckets = frozenset[int]().union(
        *(tokens.bucket(select, sent[name]) for name in ("refresh_token", "token") if name in sent),
        code_bucket(select, sent["code"]) if "code" in sent else (),
    )
    make = policy.application if known else policy.stranger
    access = make(
        request_id=request_id, network=network(request), client_id=claimed if known else ""
    )
    return access, buckets


def _basic_name(header: str) -> str:
    """Return the name in a Basic header, empty where there is none. RFC 7617.

    Raises Unauthenticated for one that can't be read: Authlib would fail on it.
    """
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        name, _, _ = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Unauthenticated.of("The Authorization header can't be read.") from None
    return unquote(name)
