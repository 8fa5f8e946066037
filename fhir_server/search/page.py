"""Page links: sealed, and bound to the caller and to the query that they continue.

The link carries where the walk stands, encrypted (AES-SIV, RFC 5297), since a sort key may tell
what the caller is not shown, and authenticated together with the caller and the query. It is no
proof of anything: every page is searched under the access of the request that asks for it. The
same page at the same instant has the same link, so that links tell nothing either.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from fhir_server.access import Access
from fhir_server.errors import Invalid
from fhir_server.search.sql import Cursor

LIFETIME = 3600 * 1_000_000
"""How long a link holds, in microseconds: an hour from the page that it was given out with."""

_FORM = struct.Struct(">qqq")
_LONGEST = 200


class Asked(Protocol):
    """A query that can be written down."""

    @property
    def resource_type(self) -> str:
        """The type that is searched."""

    def canonical(self) -> str:
        """Return the query string that asks the same again."""


def seal(key: bytes, cursor: Cursor, access: Access, query: Asked, now: int) -> str:
    """Return the `_page` value that leads *access* on from *cursor* through *query*.

    *key* is the installation's page key, 32 bytes or more; *now* is in microseconds.
    """
    content = _FORM.pack(cursor.snapshot, cursor.key, now + LIFETIME) + cursor.id.encode()
    sealed = _cipher(key).encrypt(content, _bound_to(access, query))
    return _text(sealed)


def unseal(key: bytes, text: str, access: Access, query: Asked, now: int) -> Cursor:
    """Return where the walk stands, from the `_page` value *text*.

    Raises Invalid where it was changed, is too old, or belongs to another caller or query: the
    answer does not tell which.
    """
    sealed = _sealed(text)
    try:
        content = _cipher(key).decrypt(sealed, _bound_to(access, query))
    except InvalidTag:
        raise _does_not_hold() from None
    snapshot, position, expiry = _FORM.unpack_from(content)
    if now >= expiry:
        raise _does_not_hold()
    return Cursor(snapshot, position, content[_FORM.size :].decode())


def _text(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _sealed(text: str) -> bytes:
    """Return the bytes that *text* stands for, in the one way that they are written."""
    try:
        sealed = urlsafe_b64decode(text[:_LONGEST].encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError:
        raise _does_not_hold() from None
    if _text(sealed) != text or len(sealed) < _FORM.size:
        raise _does_not_hold()
    return sealed


def _does_not_hold() -> Invalid:
    return Invalid.of(
        "This page link does not hold any more.",
        expression="_page",
        diagnostics="Search again: a link is for whoever was given it, and for an hour.",
    )


def _cipher(key: bytes) -> AESSIV:
    if len(key) < 32:
        raise ValueError("a page key has 32 bytes at least")
    return AESSIV(blake2b(key, digest_size=64, person=b"page link").digest())


def _bound_to(access: Access, query: Asked) -> list[bytes]:
    agent = access.agent
    parts = (agent.user, agent.client, agent.role, query.resource_type, query.canonical())
    return [blake2b(part.encode(), digest_size=32).digest() for part in parts]
