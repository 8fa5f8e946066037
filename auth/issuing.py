"""How tokens come to be: a code is claimed, a refresh token is replaced, a theft ends a family.

Runs inside a piece of the committer: whatever is claimed, issued and written on the ledger is
committed together or not at all. The caller locks the family's bucket.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from auth import tokens
from auth.clients import Query
from auth.credentials import derived_secret, digest, new_secret
from auth.principal import Role
from auth.scopes import parse
from auth.tables import code as code_table
from auth.tables import token as token_table
from auth.tokens import (
    ACCESS_LIFE,
    CODE_LIFE,
    FAMILY_LIFE,
    SECOND,
    Family,
    Holder,
    Token,
    TokenKind,
)
from fhir_server.audit.subtypes import Subtype
from fhir_server.model.ids import bucket_of
from fhir_server.record import Writer

GRACE = 10 * SECOND
"""How long a replaced refresh token still gets the answer that it got: a reply may be lost."""

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ClaimedCode:
    """A code that has just been used up, by the application for which it was made."""

    family: Family
    redirect_uri: str
    challenge: str


@dataclass(frozen=True, slots=True)
class Authorised:
    """What a person has just allowed an application."""

    holder: Holder
    scope: str
    consent: str
    redirect_uri: str
    challenge: str


def keep_code(writer: Writer, text: str, authorised: Authorised) -> None:
    """Begin a family for what was *authorised*, and keep its code, which lives for a minute."""
    scope = authorised.scope
    life = FAMILY_LIFE if parse(scope).offline else CODE_LIFE + ACCESS_LIFE
    family = tokens.open_family(
        writer,
        authorised.holder,
        scope,
        expires=writer.now + life,
        consent=authorised.consent,
    )
    writer.execute(
        insert(code_table).values(
            hash=digest(text),
            family=family.id,
            client_id=authorised.holder.client_id,
            redirect_uri=authorised.redirect_uri,
            challenge=authorised.challenge,
            expires=writer.now + CODE_LIFE,
        )
    )


def claim_code(writer: Writer, text: str, client_id: str) -> ClaimedCode | None:
    """Use up the code *text* of this application; None where it can't be used, or no longer.

    One UPDATE, so that "valid" and "used" can't come apart. A second use ends the family, and
    with it the tokens of the first (RFC 6749 section 4.1.2).
    """
    mine = code_table.c.hash == digest(text), code_table.c.client_id == client_id
    fresh = code_table.c.used_at.is_(None), code_table.c.expires > writer.now
    claimed = writer.execute(update(code_table).where(*mine, *fresh).values(used_at=writer.now))
    rows = writer.select(select(code_table).where(*mine))
    if not rows:
        return None
    if not claimed:
        if rows[0].used_at is not None:
            _end(writer, rows[0].family, "an authorisation code was used twice")
        return None
    family = tokens.find_family(writer.select, rows[0].family, writer.now)
    return ClaimedCode(family, rows[0].redirect_uri, rows[0].challenge) if family else None


def code_bucket(query: Query, text: str) -> frozenset[int]:
    """Return the bucket to lock before the code *text* is claimed, if there is such a code."""
    rows = query(select(code_table.c.family).where(code_table.c.hash == digest(text)))
    return frozenset(bucket_of(row.family) for row in rows)


def first(writer: Writer, family: Family) -> Answer:
    """Return the first tokens of *family*; a refresh token only where it may stay connected."""
    refresh = ""
    if parse(family.scope).offline:
        refresh = new_secret()
        _issue(writer, family, TokenKind.REFRESH, refresh, family.scope)
    return _access(writer, family, new_secret(), family.scope, refresh)


def again(writer: Writer, token: Token, scope: str) -> Answer:
    """Return a new access token for a confidential client, which keeps its refresh *token*."""
    return _access(writer, token.family, new_secret(), scope, "")


def for_itself(writer: Writer, client_id: str, scope: str, life: int) -> Answer:
    """Return an access token for the application by itself, in an authorisation of its own.

    It lives for *life* microseconds, as the authorisation does.
    """
    family = tokens.open_family(
        writer, Holder(Role.CLIENT, client_id), scope, expires=writer.now + life
    )
    return _access(writer, family, new_secret(), scope, "")


def rotated(writer: Writer, token: Token, text: str, scope: str) -> Answer | None:
    """Return new tokens in place of the refresh *token* whose text is *text*; None for a replay.

    The new refresh token allows what the old one did, the access token *scope*. Both texts follow
    from the old one and the installation's key, so that the same request within `GRACE` gets the
    same answer, unless the successor has been used: that, or a later use, ends the family.
    """
    refresh = derived_secret(writer.id_key, "refresh", text)
    access = derived_secret(writer.id_key, "access", text)
    mine = token_table.c.hash == digest(text)
    if writer.execute(
        update(token_table)
        .where(mine, token_table.c.rotated_at.is_(None))
        .values(rotated_at=writer.now)
    ):
        _issue(writer, token.family, TokenKind.REFRESH, refresh, token.scope)
        return _access(writer, token.family, access, scope, refresh)
    (row,) = writer.select(select(token_table.c.rotated_at).where(mine))
    successor = tokens.look_up(writer.select, refresh, writer.now)
    given = tokens.look_up(writer.select, access, writer.now)
    fresh = writer.now - row.rotated_at <= GRACE and successor and successor.rotated_at is None
    if not fresh or given is None or given.scope != scope:
        _end(writer, token.family.id, "a replaced refresh token was used again")
        return None
    patient = token.family.holder.patient
    writer.audit(Subtype.GRANT, patient=patient, entity=f"token:{given.jti}", reason="repeated")
    return _answer(token.family, access, scope, given.expires - writer.now, refresh)


def revoke(writer: Writer, token: Token, text: str) -> None:
    """End *token*, whose text is *text*: a refresh token with everything of its family."""
    holder = token.family.holder
    if token.kind == TokenKind.REFRESH:
        tokens.end_family(writer, token.family.id, because="revoked by the application")
    else:
        tokens.end_token(writer, text)
    writer.audit(
        Subtype.REVOKE,
        patient=holder.patient,
        entity=f"token:{token.jti}",
        reason=f"{token.kind} token revoked by the application",
    )


def _access(writer: Writer, family: Family, text: str, scope: str, refresh: str) -> Answer:
    jti = _issue(writer, family, TokenKind.ACCESS, text, scope)
    writer.audit(Subtype.GRANT, patient=family.holder.patient, entity=f"token:{jti}", reason=scope)
    life = min(ACCESS_LIFE, family.expires - writer.now)
    return _answer(family, text, scope, life, refresh)


def _issue(writer: Writer, family: Family, kind: TokenKind, text: str, scope: str) -> str:
    life = ACCESS_LIFE if kind == TokenKind.ACCESS else FAMILY_LIFE
    return tokens.issue(writer, family, kind, text, scope=scope, expires=writer.now + life)


def _answer(family: Family, access: str, scope: str, life: int, refresh: str) -> Answer:
    """RFC 6749 section 5.1, with `patient` as SMART App Launch puts it there."""
    answer = {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": life // SECOND,
        "scope": scope,
    }
    if family.holder.patient:
        answer |= {"patient": family.holder.patient}
    return answer | ({"refresh_token": refresh} if refresh else {})


def _end(writer: Writer, family: str, because: str) -> None:
    if tokens.end_family(writer, family, because=because):
        writer.audit(Subtype.REVOKE, entity=f"authorisation:{family}", reason=because)
