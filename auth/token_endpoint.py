"""Token, revocation and introspection. RFC 6749 section 3.2, RFC 7009, RFC 7662.

Applications speak here, never browsers' users: form in, JSON out, nothing kept in caches.
"""

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from auth import (
    assertions,
    authorization_server,
    bearer,
    clients,
    forms,
    policy,
    proving,
    tokens,
)
from auth.answers import api, committed, limited
from auth.authorization_server import Issuer
from auth.authorize import issuer
from auth.issuing import code_bucket
from auth.proving import Credentials
from auth.replies import NO_STORE, Reply, refused
from auth.services import AuthServices
from fhir_server.access import Access
from fhir_server.audit.subtypes import Subtype
from fhir_server.errors import Unauthenticated
from fhir_server.record import Writer
from fhir_server.rest.headers import network


async def token(services: AuthServices, request: Request, request_id: str) -> Response:
    """Answer a token request: one transaction in which all is claimed, issued and written down."""
    asked = await _asked(services, request, request_id, "token")

    def piece(writer: Writer) -> Reply:
        return authorization_server.exchange(issuer(services), writer, asked.sent, asked.by)

    return api(await committed(services.record.submit(asked.access, piece, buckets=asked.buckets)))


async def revoke(services: AuthServices, request: Request, request_id: str) -> Response:
    """Answer a revocation: what is ended works no more, from the next request on."""
    asked = await _asked(services, request, request_id, "revoke")

    def piece(writer: Writer) -> Reply:
        return authorization_server.revoke(issuer(services), writer, asked.sent, asked.by)

    return api(await committed(services.record.submit(asked.access, piece, buckets=asked.buckets)))


async def introspect(services: AuthServices, request: Request, request_id: str) -> Response:
    """Tell an application about one of its own tokens; of any other token, that it is not active.

    It proves itself by its secret or its signature, or with an access token of its own.
    """
    asked = await _asked(services, request, request_id, "introspect")
    header, mine = asked.by.header, ""
    if header.lower().startswith("bearer "):
        select, now = services.record.select, services.now
        mine = (await run_in_threadpool(bearer.authenticate, select, header, now)).client_id

    def piece(writer: Writer) -> Reply:
        reply, jti = _introspected(issuer(services), writer, asked, mine)
        outcome = "4" if reply.error else "0"
        entity = f"token:{jti}" if jti else "token"
        writer.audit(Subtype.REQUEST, outcome=outcome, entity=entity, reason=reply.reason)
        return reply

    return api(await committed(services.record.submit(asked.access, piece, buckets=asked.buckets)))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request of an application: its form, its proof, who it is to the ledger, what to lock."""

    sent: dict[str, str]
    by: Credentials
    access: Access
    buckets: frozenset[int]


def _introspected(
    issuer: Issuer, writer: Writer, asked: _Asked, client_id: str
) -> tuple[Reply, str]:
    """Return the answer and the public name of the token; *client_id* is known, or empty."""
    if not client_id:
        client = authorization_server.authenticated(
            issuer, writer, asked.sent, asked.by, proven=True
        )
        if isinstance(client, Reply):
            return client, ""
        client_id = client.client_id
    if not asked.sent.get("token"):
        return refused("invalid_request", "token is missing"), ""
    found = tokens.look_up(writer.select, asked.sent["token"], writer.now)
    mine = found if found and found.family.holder.client_id == client_id else None
    reply = Reply(200, tokens.introspection(mine), NO_STORE)
    return reply, mine.jti if mine else ""


async def _asked(
    services: AuthServices, request: Request, request_id: str, endpoint: str
) -> _Asked:
    """Return what is asked, refusing what could be read in two ways."""
    limited(services.exchanges, request, endpoint)
    sent = forms.once(await forms.read_form(request))
    headers = request.headers.getlist("authorization")
    proving.require_one(sent, headers)
    header = headers[0] if headers else ""
    claimed = _claimed(sent, header)
    access, buckets = await run_in_threadpool(
        _asker, services, sent, claimed, (request_id, network(request))
    )
    return _Asked(sent, await proving.gathered(services, sent, header), access, buckets)


def _claimed(sent: dict[str, str], header: str) -> str:
    """Return the client_id that the request is said to be from, in whichever way."""
    claim = assertions.claimed(sent.get(proving.ASSERTION, ""))
    return _basic_name(header) or (claim.client_id if claim else sent.get("client_id", ""))


def _asker(
    services: AuthServices, sent: dict[str, str], claimed: str, trace: tuple[str, str]
) -> tuple[Access, frozenset[int]]:
    """Return the application as the ledger names it, and the buckets to lock for its request.

    *trace*: the request's id, and the address from which it came.
    """
    select, (request_id, address) = services.record.select, trace
    known = clients.find(select, claimed) if claimed else None
    buckets = frozenset[int]().union(
        *(tokens.bucket(select, sent[name]) for name in ("refresh_token", "token") if name in sent),
        code_bucket(select, sent["code"]) if "code" in sent else (),
        {assertions.bucket(claimed)} if proving.ASSERTION in sent else (),
    )
    make = policy.application if known else policy.stranger
    return make(request_id=request_id, network=address, client_id=claimed if known else ""), buckets


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
    name = unquote(name)
    if "\x00" in name:
        raise Unauthenticated.of("The Authorization header can't be read.")
    return name
