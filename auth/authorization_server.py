"""The one door to Authlib: what may be asked, deciding, exchanging, revoking.

Authlib's state machine is synchronous and so is ours: `exchange`, `decide` and `revoke` run as
pieces of the committer, so that what they claim, issue and write on the ledger stands together.
A server is made for each request, over that request's transaction; nothing outlives it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidClientError,
    OAuth2Error,
    OAuth2Payload,
    OAuth2Request,
)

from auth import assertions, clients, issuing, proving, tokens
from auth.assertions import Refused
from auth.clients import Client, Query
from auth.grants import (
    CLIENT_METHODS,
    PROVING_METHODS,
    Allowed,
    CodeGrant,
    PkceS256,
    PushGrant,
    RefreshGrant,
    SmartRequest,
)
from auth.login.local import Login
from auth.proving import Credentials
from auth.registered_client import RegisteredClient
from auth.replies import NO_STORE, Reply, refused, unproven
from auth.scopes import ScopeSet, parse
from fhir_server.audit.subtypes import Subtype
from fhir_server.record import Writer

_SECURE_ADDRESS = "https://authorisation.invalid/"  # Authlib looks at its scheme and nothing else


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who we are: our own address, and that of the FHIR server for which tokens are good."""

    address: str
    fhir_base: str

    @property
    def token_endpoint(self) -> str:
        """Where tokens are asked for; what an application's signature has to name."""
        return assertions.audience(self.address)


@dataclass(frozen=True, slots=True)
class Question:
    """An authorisation request that may be put to the person: who asks for what."""

    client: Client
    redirect_uri: str
    scope: ScopeSet


class Unredirectable(Exception):
    """An authorisation request whose application or address is not proven: nobody is sent on."""


class _Payload(OAuth2Payload):  # type: ignore[misc] # Authlib has no types
    def __init__(self, sent: Mapping[str, str]) -> None:
        self._sent = dict(sent)

    @property
    def data(self) -> dict[str, str]:
        return self._sent

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return defaultdict(list, {name: [value] for name, value in self._sent.items()})


class _Request(OAuth2Request):  # type: ignore[misc] # Authlib has no types
    def __init__(self, method: str, sent: Mapping[str, str], authorization: str = "") -> None:
        headers = {"Authorization": authorization} if authorization else {}
        super().__init__(method, _SECURE_ADDRESS, headers=headers)
        self.payload = _Payload(sent)

    @property
    def form(self) -> dict[str, str]:
        return self.payload.data

    @property
    def args(self) -> dict[str, str]:
        return {}


class _Server(AuthorizationServer):  # type: ignore[misc] # Authlib has no types
    def __init__(
        self,
        issuer: Issuer,
        query: Query,
        writer: Writer | None = None,
        login: Login | None = None,
        credentials: Credentials = Credentials(),  # noqa: B008 - a value
    ) -> None:
        super().__init__()
        self.issuer, self.query, self.writer, self.login = issuer, query, writer, login
        self._credentials = credentials
        self.register_client_auth_method("private_key_jwt", self._by_assertion)
        self.register_grant(CodeGrant, [SmartRequest(issuer.fhir_base), PkceS256(required=True)])
        self.register_grant(RefreshGrant)
        self.register_grant(PushGrant)

    def query_client(self, client_id: str) -> RegisteredClient | None:
        client = clients.find(self.query, client_id)
        return RegisteredClient(client) if client else None

    def _by_assertion(self, _: Any, request: OAuth2Request) -> RegisteredClient | None:
        """Return the application that signed; None where none means to. RFC 7523 section 2.2."""
        if self.writer is None or not proving.is_asserted(request.form):
            return None
        audience = self.issuer.token_endpoint
        try:
            client = proving.asserted(self.writer, request.form, self._credentials, audience)
        except Refused as refused:
            raise InvalidClientError(description=str(refused)) from None
        return RegisteredClient(client)

    def validate_requested_scope(self, _scope: str | None) -> None:
        """Leave the judgement to `SmartRequest`."""

    def get_authorization_grant(self, request: OAuth2Request) -> CodeGrant:
        grant_class, extensions = self._authorization_grants[0]
        grant: CodeGrant = grant_class(request, self)
        for extension in extensions:
            extension(grant)
        return grant

    def generate_token(self, *_: Any, user: Any, **_options: Any) -> Any:
        return issuing.first(self.writer, user)  # type: ignore[arg-type] # grants run in a piece

    def save_token(self, _token: Any, _request: OAuth2Request) -> None:
        """Do nothing: tokens are kept when they are made."""

    def send_signal(self, _name: str, *_: Any, **_options: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        return request

    def handle_error_response(self, request: OAuth2Request, error: OAuth2Error) -> Reply:
        if isinstance(error, InvalidClientError):
            return unproven(error.status_code, error.description)
        reply: Reply = super().handle_error_response(request, error)
        return replace(reply, body={"error": error.error}) if reply.location else reply

    def handle_response(self, status: int, body: Any, headers: Iterable[tuple[str, str]]) -> Reply:
        location = dict(headers).get("Location", "")
        if location:  # RFC 9207: the issuer goes with every answer to an authorisation request
            location = _with_parameter(location, "iss", self.issuer.address)
        return Reply(status, body or {}, NO_STORE, location)


def question(
    issuer: Issuer, query: Query, sent: Mapping[str, str], login: Login | None
) -> Question | Reply:
    """Return what may be put to the person, or the refusal with which the browser is sent back.

    *sent*: the parameters of the authorisation request, each once; *login*: who is signed in, or
    None, when only what doesn't depend on the person is judged. Raises Unredirectable.
    """
    server, request = _Server(issuer, query, login=login), _Request("GET", sent)
    try:
        grant = server.get_consent_grant(request, login)
    except OAuth2Error as error:
        if not error.redirect_uri:
            raise Unredirectable from None
        return server.handle_error_response(request, error)
    return Question(grant.client.registered, grant.redirect_uri, parse(request.scope))


def decide(
    issuer: Issuer,
    writer: Writer,
    sent: Mapping[str, str],
    login: Login,
    ticked: frozenset[str] | None,
) -> Reply:
    """Carry out what *login* decided on the request *sent*: *ticked*, or None for "no".

    Everything is judged again. The answer has a location, unless application or address have
    ended meanwhile; what was decided is on the ledger.
    """
    server, request = _Server(issuer, writer.select, writer, login), _Request("POST", sent)
    grant = server.get_authorization_grant(request)
    allowed = None if ticked is None else Allowed(login, ticked)
    reply: Reply = server.create_authorization_response(request, allowed, grant)
    if reply.error:
        writer.audit(
            Subtype.CONSENT,
            outcome="4",
            patient=login.patient,
            entity=f"client:{sent.get('client_id', '')}",
            reason=reply.error,
        )
    return reply


def exchange(
    issuer: Issuer, writer: Writer, sent: Mapping[str, str], credentials: Credentials
) -> Reply:
    """Answer a token request: *sent* is its form.

    Tokens issued are on the ledger, and so is a refusal.
    """
    server = _Server(issuer, writer.select, writer, credentials=credentials)
    reply: Reply = server.create_token_response(_Request("POST", sent, credentials.header))
    if reply.error:
        writer.audit(Subtype.GRANT, outcome="4", reason=reply.reason)
    return reply


def authenticated(
    issuer: Issuer,
    writer: Writer,
    sent: Mapping[str, str],
    credentials: Credentials,
    *,
    proven: bool,
) -> Client | Reply:
    """Return the application that asks, or the refusal; *proven*: a public one is none."""
    methods = PROVING_METHODS if proven else CLIENT_METHODS
    server = _Server(issuer, writer.select, writer, credentials=credentials)
    try:
        found = server.authenticate_client(_Request("POST", sent, credentials.header), methods)
    except InvalidClientError as error:
        return unproven(401 if proven else error.status_code, error.description)
    client: Client = found.registered
    return client


def revoke(
    issuer: Issuer, writer: Writer, sent: Mapping[str, str], credentials: Credentials
) -> Reply:
    """End the token in *sent*, if it is the application's own. RFC 7009.

    An unknown token is ended already. A refresh token ends everything of its authorisation.
    """
    client = authenticated(issuer, writer, sent, credentials, proven=False)
    if isinstance(client, Reply):
        reply = client
    elif not (text := sent.get("token", "")):
        reply = refused("invalid_request", "token is missing")
    else:
        token = tokens.look_up(writer.select, text, writer.now)
        if token is None:
            writer.audit(Subtype.REVOKE, reason="a token that held no more, or never")
            return Reply(200, {}, NO_STORE)
        if token.family.holder.client_id == client.client_id:
            issuing.revoke(writer, token, text)
            return Reply(200, {}, NO_STORE)
        reply = refused("invalid_grant", "the token is not this application's")
    writer.audit(Subtype.REVOKE, outcome="4", reason=reply.reason)
    return reply


def _with_parameter(address: str, name: str, value: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode({name: value})}"
