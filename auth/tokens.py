"""Opaque tokens and the families in which they live.

A family is one authorisation: whatever is issued for it lives only while it does. Every use of a
token looks it up, together with its family, its login and its application, so that revocation,
withdrawn consent, a leaver and an ended application act on the next request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, insert, select, update

from auth.clients import Query
from auth.credentials import digest, new_secret
from auth.principal import Principal, Role
from auth.scopes import parse
from auth.tables import client as client_table
from auth.tables import family as family_table
from auth.tables import login as login_table
from auth.tables import token as table
from fhir_server.model.ids import bucket_of, new_id
from fhir_server.record import Writer

SECOND = 1_000_000
CODE_LIFE = 60 * SECOND
ACCESS_LIFE = 3600 * SECOND
SIGNED_LIFE = 300 * SECOND
"""How long a token lives that an application gets for its signature: it can sign again."""
FAMILY_LIFE = 92 * 24 * 3600 * SECOND
"""How long an application may stay connected in all: then the person is asked again."""

COMMAND_LINE = "command-line"
"""How the ledger names tokens made on the command line, among the applications."""


class TokenKind(StrEnum):
    """What a token is good for."""

    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Holder:
    """For whom tokens are issued, and who is behind it.

    *login* may be empty: an application by itself, or a patient who has no account.
    """

    role: Role
    client_id: str
    person: str = ""
    login: str = ""
    patient: str = ""
    behind: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """One authorisation, which lasts until *expires* (microseconds) unless it is ended."""

    id: str
    holder: Holder
    scope: str
    expires: int


@dataclass(frozen=True, slots=True)
class Token:
    """A token that holds at the moment at which it was looked up."""

    jti: str
    kind: TokenKind
    scope: str
    issued: int
    expires: int
    rotated_at: int | None
    family: Family
    principal: Principal
    """Who is asking, with this token."""


_scopes = lru_cache(maxsize=1024)(parse)


def open_family(
    writer: Writer, holder: Holder, scope: str, *, expires: int, consent: str = ""
) -> Family:
    """Begin an authorisation for *holder* that ends at *expires* at the latest."""
    family = Family(new_id(), holder, scope, expires)
    writer.execute(
        insert(family_table).values(
            id=family.id,
            client_id=holder.client_id,
            login=holder.login,
            role=holder.role,
            person=holder.person,
            patient=holder.patient,
            consent=consent,
            behind=holder.behind,
            scope=scope,
            started=writer.now,
            expires=expires,
            ended_because="",
        )
    )
    return family


def find_family(query: Query, id_: str, now: int) -> Family | None:
    """Return the family if it lives at *now* (microseconds), and its login with it."""
    table = family_table.c
    rows = query(
        select(family_table)
        .outerjoin(login_table, login_table.c.login == table.login)
        .where(
            table.id == id_,
            table.ended_at.is_(None),
            table.expires > now,
            login_table.c.ended_at.is_(None),
        )
    )
    if not rows:
        return None
    row = rows[0]
    holder = Holder(Role(row.role), row.client_id, row.person, row.login, row.patient, row.behind)
    return Family(row.id, holder, row.scope, row.expires)


def end_families(writer: Writer, *which: ColumnElement[bool], because: str) -> int:
    """End the families that match *which*, with everything issued for them; return how many."""
    return writer.execute(
        update(family_table)
        .where(*which, family_table.c.ended_at.is_(None))
        .values(ended_at=writer.now, ended_because=because)
    )


def end_family(writer: Writer, family: str, *, because: str) -> bool:
    """End one family, with everything issued for it; tell whether it was still standing."""
    return end_families(writer, family_table.c.id == family, because=because) == 1


def end_token(writer: Writer, text: str) -> None:
    """End the one token *text*, and nothing else of its family."""
    writer.execute(
        update(table)
        .where(table.c.hash == digest(text), table.c.ended_at.is_(None))
        .values(ended_at=writer.now)
    )


def issue(
    writer: Writer, family: Family, kind: TokenKind, text: str, *, scope: str, expires: int
) -> str:
    """Store the token *text* by its hash; return its public id.

    It lives until *expires* (microseconds), and never longer than its family.
    """
    jti = new_id()
    writer.execute(
        insert(table).values(
            hash=digest(text),
            jti=jti,
            kind=kind,
            family=family.id,
            scope=scope,
            issued=writer.now,
            expires=min(expires, family.expires),
        )
    )
    return jti


def issue_for_operator(writer: Writer, holder: Holder, scope: str) -> str:
    """Return an access token for *holder*, made on the command line by `holder.behind`.

    *scope* has been judged by `auth.granting`. The caller writes the ledger's entry with an
    Access that names the operating-system user.
    """
    family = open_family(writer, holder, scope, expires=writer.now + ACCESS_LIFE)
    text = new_secret()
    issue(writer, family, TokenKind.ACCESS, text, scope=scope, expires=family.expires)
    return text


def bucket(query: Query, text: str) -> frozenset[int]:
    """Return the bucket to lock before the family of the token *text* is changed, if any."""
    rows = query(select(table.c.family).where(table.c.hash == digest(text)))
    return frozenset(bucket_of(row.family) for row in rows)


def look_up(query: Query, text: str, now: int) -> Token | None:
    """Return the token *text* if it holds at *now* (microseconds), or None.

    Not ended nor expired; its family neither; its login, where it has one, and its application,
    where it is a registered one, still standing. A rotated refresh token is found and says so.
    """
    rows = query(_LOOK_UP, {"hash": digest(text)})
    return _token(rows[0]) if rows and _holds(rows[0], now) else None


def introspection(token: Token | None) -> Mapping[str, Any]:
    """Return what RFC 7662 section 2.2 and SMART say of *token*; of None nothing but `active`.

    A refresh token is answered like an access token, without `token_type`.
    """
    if token is None or token.rotated_at is not None:
        return {"active": False}
    holder = token.family.holder
    answer: dict[str, Any] = {
        "active": True,
        "scope": token.scope,
        "client_id": holder.client_id,
        "exp": token.expires // SECOND,
        "iat": token.issued // SECOND,
        "jti": token.jti,
    }
    if token.kind == TokenKind.ACCESS:
        answer |= {"token_type": "Bearer"}
    if holder.patient:
        answer["patient"] = holder.patient
    return answer


_LOGIN_NAMES = ("name", "organization", "ended_at")
_HOLDER = ("client_id", "login", "role", "person", "patient", "behind")
_LOOK_UP = (
    select(
        table,
        *(family_table.c[name] for name in _HOLDER),
        family_table.c.scope.label("family_scope"),
        family_table.c.expires.label("family_expires"),
        family_table.c.ended_at.label("family_ended"),
        *(login_table.c[name].label(f"login_{name}") for name in _LOGIN_NAMES),
        login_table.c.login.label("login_found"),
        client_table.c.ended_at.label("client_ended"),
    )
    .select_from(
        table.join(family_table, family_table.c.id == table.c.family)
        .outerjoin(login_table, login_table.c.login == family_table.c.login)
        .outerjoin(client_table, client_table.c.client_id == family_table.c.client_id)
    )
    .where(table.c.hash == bindparam("hash"))
)


def _holds(row: Row[Any], now: int) -> bool:
    ended = (row.ended_at, row.family_ended, row.login_ended_at, row.client_ended)
    stands = ended == (None, None, None, None) and (not row.login or bool(row.login_found))
    return stands and now < row.expires and now < row.family_expires


@lru_cache(maxsize=1024)
def _token(row: Row[Any]) -> Token:
    """Return the token of *row*, which was looked up: the same for a row that says the same."""
    holder = Holder(Role(row.role), row.client_id, row.person, row.login, row.patient, row.behind)
    name, organization = row.login_name or "", row.login_organization or ""
    return Token(
        jti=row.jti,
        kind=TokenKind(row.kind),
        scope=row.scope,
        issued=row.issued,
        expires=row.expires,
        rotated_at=row.rotated_at,
        family=Family(row.family, holder, row.family_scope, row.family_expires),
        principal=Principal(
            role=holder.role,
            user=holder.person,
            name=name,
            organization=organization,
            client_id=holder.client_id,
            token_id=row.jti,
            scopes=_scopes(row.scope),
            patient=holder.patient,
            behind=holder.behind,
        ),
    )
