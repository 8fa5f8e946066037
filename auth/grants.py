"""The grants, on Authlib: authorisation code with PKCE, refresh, and one for pushing messages.

RFC 6749, RFC 7636. Authlib brings the protocol; the state (codes, families, replacement) is
`auth.issuing`'s.
"""

from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import (
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)
from authlib.oauth2.rfc7636 import CodeChallenge

from auth import consent, granting, issuing, scopes, tokens
from auth.clients import Kind
from auth.credentials import new_secret
from auth.issuing import Authorised, ClaimedCode
from auth.login.local import Login
from auth.scopes import ScopeSet
from auth.tokens import Family, Holder, Token, TokenKind
from fhir_server.errors import Invalid

PROVING_METHODS = ["private_key_jwt", "client_secret_basic", "client_secret_post"]
CLIENT_METHODS = [*PROVING_METHODS, "none"]
SHORTEST_STATE = 8
"""Characters; known applications send no more than these."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """That somebody who is signed in allows what they left ticked."""

    login: Login
    ticked: frozenset[str]


class SmartRequest:
    """What SMART App Launch and RFC 9700 ask of an authorisation request beyond RFC 6749.

    Runs when client and redirect are proven, so that its refusals go to the application.
    """

    def __init__(self, fhir_base: str) -> None:
        self._fhir_base = fhir_base

    def __call__(self, grant: "CodeGrant") -> None:
        """Have Authlib call us once it has looked at the parameters itself."""
        grant.register_hook("after_validate_authorization_request_payload", self.judge)

    def judge(self, grant: "CodeGrant", _result: None) -> None:
        """Raise the OAuth error for what is missing, unknown here, or not to be had."""
        sent = grant.request.payload.data
        if sent.get("response_type") != "code":
            raise OAuth2Error("response_type must be code", error="unsupported_response_type")
        for name in ("request", "request_uri"):
            if name in sent:
                raise OAuth2Error(error=f"{name}_not_supported")
        if sent.get("response_mode", "query") != "query" or "launch" in sent:
            raise InvalidRequestError("response_mode and launch are not supported")
        if "none" in sent.get("prompt", "").split():
            raise OAuth2Error("The person is always asked.", error="interaction_required")
        if len(sent.get("state", "")) < SHORTEST_STATE:
            raise InvalidRequestError(f"state must have {SHORTEST_STATE} characters or more")
        if sent.get("aud", "").removesuffix("/") != self._fhir_base:
            raise InvalidRequestError("aud must be the address of this FHIR server")
        if sent.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE with code_challenge_method S256 is required")
        grant.request.scope = str(_possible(grant, sent.get("scope", "")))


def _possible(grant: "CodeGrant", text: str) -> ScopeSet:
    login: Login | None = grant.server.login
    try:
        asked = granting.requested(text, grant.request.client.registered.scope)
        return asked if login is None else granting.by_person(asked, login.role, login.patient)
    except Invalid as refused:
        raise InvalidScopeError(refused.issues[0].text) from None


class PkceS256(CodeChallenge):  # type: ignore[misc] # Authlib has no types
    """PKCE for every client, with S256 and nothing else."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)
    CODE_CHALLENGE_METHODS = {"S256": CodeChallenge.CODE_CHALLENGE_METHODS["S256"]}  # noqa: RUF012

    def get_authorization_code_challenge(self, authorization_code: ClaimedCode) -> str:
        """Return the challenge that came with the authorisation request."""
        return authorization_code.challenge

    def get_authorization_code_challenge_method(self, _authorization_code: ClaimedCode) -> str:
        """Return the one method."""
        return "S256"


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc] # Authlib has no types
    """`response_type=code`, and `grant_type=authorization_code`."""

    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_METHODS

    @staticmethod
    def validate_authorization_redirect_uri(request: OAuth2Request, client: Any) -> str:
        """Return the address if it was sent and is registered; the error repeats nothing."""
        address: str | None = request.payload.redirect_uri
        if not address or not client.check_redirect_uri(address):
            raise InvalidRequestError("redirect_uri is not one of the registered addresses")
        return address

    def create_authorization_response(self, redirect_uri: str, grant_user: Allowed | None) -> Any:
        """Send a code to *redirect_uri*; or that access is denied, if nothing was left ticked."""
        if grant_user is not None:
            asked = scopes.parse(self.request.scope)
            granted = granting.ticked(asked, grant_user.login.role, grant_user.ticked)
            self.request.scope = str(granted)
            grant_user = grant_user if granted.resources else None
        return super().create_authorization_response(redirect_uri, grant_user)

    def generate_authorization_code(self) -> str:
        """Return 256 random bits."""
        return new_secret()

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        """Keep the consent, begin the family, and keep the code by its hash."""
        login, client_id = request.user.login, request.client.client_id
        given = consent.give(
            self.server.writer,
            login=login.login,
            client_id=client_id,
            scope=request.scope,
            patient=login.patient,
        )
        holder = Holder(login.role, client_id, login.user, login.login, login.patient)
        challenge = request.payload.data["code_challenge"]
        issuing.keep_code(
            self.server.writer,
            code,
            Authorised(holder, request.scope, given, request.payload.redirect_uri, challenge),
        )

    def query_authorization_code(self, code: str, client: Any) -> "_Code | None":
        """Use the code up; None where it can't be used, or no longer."""
        claimed = issuing.claim_code(self.server.writer, code, client.client_id)
        return _Code(claimed) if claimed else None

    def delete_authorization_code(self, authorization_code: "_Code") -> None:
        """Keep it, so that a second use is recognised."""

    def authenticate_user(self, authorization_code: "_Code") -> Family:
        """Return the family for which tokens are to be issued."""
        return authorization_code.family


class _Code(ClaimedCode):
    """A claimed code, with the two methods that Authlib calls."""

    def __init__(self, claimed: ClaimedCode) -> None:
        super().__init__(claimed.family, claimed.redirect_uri, claimed.challenge)

    def get_redirect_uri(self) -> str:
        """Return the address for which the code was given."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return what was allowed."""
        return self.family.scope


@dataclass(frozen=True, slots=True)
class _Refresh:
    """A refresh token that holds, with the two methods that Authlib calls."""

    token: Token

    def check_client(self, client: Any) -> bool:
        """Tell whether the token was issued to this application."""
        return bool(self.token.family.holder.client_id == client.client_id)

    def get_scope(self) -> str:
        """Return what the token allows."""
        return self.token.scope


class RefreshGrant(RefreshTokenGrant):  # type: ignore[misc] # Authlib has no types
    """`grant_type=refresh_token`: replaced at each use for public clients, kept by the others."""

    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_METHODS

    def authenticate_refresh_token(self, refresh_token: str) -> _Refresh | None:
        """Return the token if it holds."""
        writer = self.server.writer
        token = tokens.look_up(writer.select, refresh_token, writer.now)
        return _Refresh(token) if token and token.kind == TokenKind.REFRESH else None

    def _validate_token_scope(self, token: _Refresh) -> None:
        """Compare scopes by what they mean; Authlib compares their texts."""
        try:
            asked = scopes.parse(self.request.payload.scope or token.get_scope())
        except Invalid as refused:
            raise InvalidScopeError(refused.issues[0].text) from None
        if not asked.within(scopes.parse(token.get_scope())) or not asked.resources:
            raise InvalidScopeError("The scope is wider than what was allowed.")
        self.request.scope = str(asked)

    def authenticate_user(self, refresh_token: _Refresh) -> Family:
        """Return the family for which tokens are to be issued."""
        return refresh_token.token.family

    def issue_token(self, _user: Family, refresh_token: _Refresh) -> Any:
        """Return the new tokens. Raises InvalidGrantError for a replay."""
        writer, scope = self.server.writer, self.request.scope
        if self.request.client.registered.kind != Kind.PUBLIC:
            return issuing.again(writer, refresh_token.token, scope)
        text = self.request.form["refresh_token"]
        answer = issuing.rotated(writer, refresh_token.token, text, scope)
        if answer is None:
            raise InvalidGrantError
        return answer

    def revoke_old_credential(self, refresh_token: _Refresh) -> None:
        """Do nothing: replacing it has ended it."""


class PushGrant(ClientCredentialsGrant):  # type: ignore[misc] # Authlib has no types
    """`grant_type=client_credentials`, for pushing a hospital's messages and nothing else.

    A secret or a key alone opens no record: what an application may read or write is given by a
    person, or by whoever runs the machine.
    """

    TOKEN_ENDPOINT_AUTH_METHODS = PROVING_METHODS

    def validate_token_request(self) -> None:
        """Raise the OAuth error where the application, or what it asks for, is not to be had."""
        super().validate_token_request()
        registered = self.request.client.registered.scope
        try:
            granted = granting.by_itself(self.request.payload.scope or "", registered)
        except Invalid as refused:
            raise InvalidScopeError(refused.issues[0].text) from None
        self.request.scope = str(granted)

    def create_token_response(self) -> Any:
        """Return an access token; when it has run out, a new one is asked for likewise."""
        client = self.request.client.registered
        signs = client.kind == Kind.SIGNING
        life = tokens.SIGNED_LIFE if signs else tokens.ACCESS_LIFE
        scope = self.request.scope
        answer = issuing.for_itself(self.server.writer, client.client_id, scope, life)
        return 200, answer, self.TOKEN_RESPONSE_HEADER
