"""The registry of applications: who they are, where they are answered, what they may ask for."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row, Select, insert, select, update

from auth import redirects, scopes
from auth.credentials import digest, new_secret
from auth.credentials import matches as secret_matches
from auth.tables import client as table
from auth.tables import client_keys
from fhir_server.audit.subtypes import Subtype
from fhir_server.errors import Conflict, Invalid
from fhir_server.record import Writer

Query = Callable[..., Sequence[Row[Any]]]
"""`Record.select`, or `Writer.select` inside a piece."""

RESERVED = frozenset({"portal", "command-line"})
"""Names under which the ledger knows our own pages and commands."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[::1\])(:[0-9]{1,5})?")
_NAME_LIMIT = 100


class Kind(StrEnum):
    """How an application proves itself. RFC 6749 section 2.1, RFC 7523."""

    PUBLIC = "public"
    """It can keep no secret."""
    CONFIDENTIAL = "confidential"
    """By a secret that both sides know."""
    SIGNING = "signing"
    """By signing with a key that it alone has, for a public key that is registered here."""


@dataclass(frozen=True, slots=True)
class Client:
    """One registered application."""

    client_id: str
    name: str
    kind: Kind
    redirect_uris: tuple[str, ...]
    scope: str
    """The most that it may ask for, as scopes."""
    origins: tuple[str, ...] = ()
    """Origins of its pages (`https://app.example`), which may call us from a browser."""
    secret_hash: str = ""
    jwks: str = ""
    """The public keys by which it signs, as a JSON Web Key set (`auth.public_keys`)."""
    jwks_url: str = ""
    """Where these stand, in place of *jwks*."""

    def answers_at(self, address: str) -> bool:
        """Tell whether *address* is one of its registered redirect addresses."""
        return any(redirects.matches(registered, address) for registered in self.redirect_uris)

    def knows(self, secret: str) -> bool:
        """Tell whether *secret* is this application's; never true for a public one."""
        return self.kind == Kind.CONFIDENTIAL and secret_matches(secret, self.secret_hash)


def find(query: Query, client_id: str) -> Client | None:
    """Return the application with this id, or None where there is none, or no longer."""
    rows = query(_standing().where(table.c.client_id == client_id))
    return _client(rows[0]) if rows else None


def all_standing(query: Query) -> Sequence[Client]:
    """Return every application that is registered now, by its id."""
    return [_client(row) for row in query(_standing().order_by(table.c.client_id))]


def origin_is_registered(query: Query, origin: str) -> bool:
    """Tell whether pages of *origin*, compared character by character, belong to an application."""
    rows = query(select(table.c.origins).where(table.c.ended_at.is_(None), table.c.origins != ""))
    return any(origin in row.origins.split(" ") for row in rows)


def register(writer: Writer, client: Client) -> str:
    """Register *client* and return its secret, made here; the empty text for a public one.

    Raises Invalid for an address, origin, scope or id that can't be registered, and Conflict
    where the id is taken, be it by an application that has ended.
    """
    _judge(client)
    if writer.select(select(table.c.client_id).where(table.c.client_id == client.client_id)):
        raise Conflict.of("There is an application with this client_id already.")
    secret = new_secret() if client.kind == Kind.CONFIDENTIAL else ""
    writer.execute(
        insert(table).values(
            client_id=client.client_id,
            name=client.name,
            kind=client.kind,
            redirect_uris=" ".join(client.redirect_uris),
            origins=" ".join(client.origins),
            scope=client.scope,
            secret_hash=digest(secret) if secret else "",
            created=writer.now,
        )
    )
    if client.kind == Kind.SIGNING:
        line = {"client_id": client.client_id, "jwks": client.jwks, "jwks_url": client.jwks_url}
        writer.execute(insert(client_keys).values(line))
    writer.audit(Subtype.REQUEST, entity=f"client:{client.client_id}", reason="registered")
    return secret


def change_keys(writer: Writer, client_id: str, *, jwks: str = "", jwks_url: str = "") -> bool:
    """Know the application by these keys from now on, by its old ones no more.

    Tell whether there is such an application that signs.
    """
    client = find(writer.select, client_id)
    if client is None or client.kind != Kind.SIGNING:
        return False
    mine = client_keys.c.client_id == client_id
    writer.execute(update(client_keys).where(mine).values(jwks=jwks, jwks_url=jwks_url))
    writer.audit(Subtype.REQUEST, entity=f"client:{client_id}", reason="keys changed")
    return True


def end(writer: Writer, client_id: str) -> bool:
    """End the application, and with it every token of its; tell whether it was registered."""
    standing = table.c.client_id == client_id, table.c.ended_at.is_(None)
    ended = writer.execute(update(table).where(*standing).values(ended_at=writer.now)) == 1
    if ended:
        writer.audit(Subtype.REQUEST, entity=f"client:{client_id}", reason="ended")
    return ended


def _standing() -> Select[Any]:
    keys = table.outerjoin(client_keys, client_keys.c.client_id == table.c.client_id)
    columns = client_keys.c.jwks, client_keys.c.jwks_url
    return select(table, *columns).select_from(keys).where(table.c.ended_at.is_(None))


def _client(row: Row[Any]) -> Client:
    return Client(
        client_id=row.client_id,
        name=row.name,
        kind=Kind(row.kind),
        redirect_uris=tuple(row.redirect_uris.split()),
        scope=row.scope,
        origins=tuple(row.origins.split()),
        secret_hash=row.secret_hash,
        jwks=row.jwks or "",
        jwks_url=row.jwks_url or "",
    )


def _judge(client: Client) -> None:
    scopes.parse(client.scope)
    faults = [redirects.fault(address) for address in client.redirect_uris]
    if not _ID.fullmatch(client.client_id) or client.client_id in RESERVED:
        faults.append("A client_id is 1 to 64 letters, digits, dots, hyphens and underscores.")
    if not client.name.isprintable() or not 0 < len(client.name.strip()) <= _NAME_LIMIT:
        faults.append(f"An application's name is 1 to {_NAME_LIMIT} printable characters.")
    if (client.kind == Kind.SIGNING) != (bool(client.jwks) != bool(client.jwks_url)):
        faults.append("An application that signs is known by its keys, or by where they stand.")
    for origin in client.origins:
        loopback = urlsplit(origin).hostname in {"127.0.0.1", "::1", "localhost"}
        if not _ORIGIN.fullmatch(origin) or not (origin.startswith("https://") or loopback):
            faults.append("An origin is https:// and a host, without a path or a slash at its end.")
    found = [fault for fault in faults if fault]
    if found:
        raise Invalid.of(" ".join(found))
