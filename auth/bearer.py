"""The token in a request's header: who is asking. RFC 6750."""

import re
from urllib.parse import parse_qsl

from auth import tokens
from auth.clients import Query
from auth.principal import Principal
from fhir_server.errors import Unauthenticated

INVALID_TOKEN = "invalid_token"  # noqa: S105 - RFC 6750's error code, not a token
"""Stands in an issue's `diagnostics` where a token was sent and does not hold."""

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
_LIMIT = 512


def authenticate(query: Query, header: str | None, now: int) -> Principal:
    """Return who sends *header* (`Authorization`) at *now* (microseconds).

    Raises Unauthenticated: without diagnostics where no token was sent, so that the challenge
    names no error (RFC 6750 section 3.1); with `INVALID_TOKEN` for one that is malformed, unknown,
    expired, ended, or not an access token. Why, is not told.
    """
    if not header:
        raise Unauthenticated.of("This needs an access token in the Authorization header.")
    match = _BEARER.fullmatch(header.strip()) if len(header) <= _LIMIT else None
    token = tokens.look_up(query, match[1], now) if match else None
    if token is None or token.kind != tokens.TokenKind.ACCESS:
        raise Unauthenticated.of(
            "The access token does not hold, or no longer: ask for a new one.",
            diagnostics=INVALID_TOKEN,
        )
    return token.principal


def refuse_token_in_query(query: str) -> None:
    """Raise Unauthenticated where *query*, a request's raw text behind the `?`, carries a token.

    Addresses are kept in logs and histories: RFC 6750 section 2.3, RFC 9700 section 4.3.2. It is
    this kind of error so that the ledger keeps nothing of the address.
    """
    if not query:
        return
    names = {name.lower() for name, _ in parse_qsl(query, keep_blank_values=True)}
    if "access_token" in names:
        raise Unauthenticated.of(
            "A token belongs in the Authorization header, never in an address.",
            diagnostics=INVALID_TOKEN,
        )
