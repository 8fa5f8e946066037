"""An application proves itself by signing (`private_key_jwt`): what such a proof has to be.

RFC 7523 section 3; https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html.
Each proof is good once: what was used is remembered in the database, so that neither a restart nor
another process forgets it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from sqlalchemy import insert, select

from auth import public_keys
from auth.clients import Client
from auth.credentials import digest, new_secret
from auth.public_keys import ALGORITHMS, PublicKey, named
from auth.tables import used_assertion as table
from fhir_server.errors import Invalid
from fhir_server.model import json
from fhir_server.model.ids import bucket_of
from fhir_server.record import Writer

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST = 300
"""Seconds for which an assertion may be good."""
LEEWAY = 30
"""Seconds by which the application's clock may differ from ours."""

_SECOND = 1_000_000
_NAME_LIMIT = 256
_HEADER = frozenset({"alg", "kid", "typ", "jku"})
"""What may stand in the header: a key that comes along (`jwk`, `x5c`, `x5u`) never counts."""


class Refused(Exception):
    """An assertion that proves nothing; the text, for the ledger alone, says why."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who an assertion says that it is from, and the key by which it says so: unproven."""

    client_id: str
    kid: str


@dataclass(frozen=True, slots=True)
class Proof:
    """An assertion that was proven, until *expires* (seconds since 1970); used nowhere yet."""

    client_id: str
    jti: str
    expires: int


def claimed(assertion: str) -> Claim | None:
    """Return what *assertion* claims, to find the key that could prove it; None for no JWT."""
    try:
        header, claims = _parts(assertion)
    except Refused:
        return None
    client_id, kid = claims.get("sub"), header.get("kid")
    if not isinstance(client_id, str) or not isinstance(kid, str):
        return None
    return Claim(client_id, kid)


def proven(
    assertion: str, client: Client, keys: Sequence[PublicKey], audience: str, now: int
) -> Proof:
    """Return what *assertion* proves to be *client*'s, by *keys*, at *now* (microseconds).

    *audience* is the address of the token endpoint. Raises Refused.
    """
    header, claims = _parts(assertion)
    key = _key(header, client, keys)
    try:
        jws.deserialize_compact(assertion, key.key, algorithms=[key.algorithm])
    except (JoseError, ValueError):
        raise Refused("the signature is not by that key") from None
    return _judged(claims, client.client_id, audience, now // _SECOND)


def use_up(writer: Writer, proof: Proof) -> bool:
    """Use *proof* up; tell whether it was fresh. The caller locks `bucket` of the application."""
    jti = digest(proof.jti)
    mine = table.c.client_id == proof.client_id, table.c.jti == jti
    if writer.select(select(table.c.jti).where(*mine)):
        return False
    expires = (proof.expires + LEEWAY) * _SECOND
    writer.execute(insert(table).values(client_id=proof.client_id, jti=jti, expires=expires))
    return True


def bucket(client_id: str) -> int:
    """Return the bucket to lock before an assertion of this application is used up."""
    return bucket_of(digest(f"client\x1f{client_id}"))


def audience(public_url: str) -> str:
    """Return what an assertion has to name: the address of our token endpoint."""
    return f"{public_url}/token"


def signed(pem: bytes, kid: str, client_id: str, address: str, now: int) -> str:
    """Return an assertion by the private key *pem*, for whoever tries the way of an application.

    *kid* is the key's thumbprint where it is empty, *address* that of the token endpoint, *now* in
    microseconds. Raises Invalid for a key that can't sign here.
    """
    key, algorithm = public_keys.private(pem)
    header = {"alg": algorithm, "kid": kid or key.thumbprint(), "typ": "JWT"}
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": address,
        "exp": now // _SECOND + LONGEST,
        "jti": new_secret(),
    }
    return jws.serialize_compact(header, json.encode(claims), key, algorithms=[algorithm])


def _parts(assertion: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return header and claims. Our own codec reads the claims: no key stands there twice."""
    try:
        signed = jws.extract_compact(assertion.encode())
        header, claims = signed.headers(), json.decode(signed.payload)
    except (JoseError, ValueError, Invalid):
        raise Refused("it is no JWT") from None
    if not isinstance(claims, dict):
        raise Refused("it is no JWT")
    return header, claims


def _key(header: Mapping[str, Any], client: Client, keys: Sequence[PublicKey]) -> PublicKey:
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise Refused("alg is not " + " or ".join(ALGORITHMS))
    if header.get("typ") != "JWT" or not isinstance(kid, str) or header.keys() - _HEADER:
        raise Refused("the header has to be alg, kid and typ JWT")
    if "jku" in header and header["jku"] != client.jwks_url:
        raise Refused("jku is not the registered address")
    key = named(keys, kid)
    if key is None:
        raise Refused("kid names none of the application's keys, or two of them")
    if key.algorithm != algorithm:
        raise Refused("alg is not that of the key")
    return key


def _judged(claims: Mapping[str, Any], client_id: str, audience: str, now: int) -> Proof:
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise Refused("iss and sub have to be the client_id")
    if claims.get("aud") not in (audience, [audience]):
        raise Refused("aud has to be the address of the token endpoint")
    expires, jti = _seconds(claims, "exp"), claims.get("jti")
    if expires is None or expires <= now - LEEWAY:
        raise Refused("it has expired")
    if expires > now + LONGEST + LEEWAY:
        raise Refused(f"exp is more than {LONGEST} seconds ahead")
    if any((_seconds(claims, name) or 0) > now + LEEWAY for name in ("nbf", "iat")):
        raise Refused("it is not good yet: the clocks differ")
    if not isinstance(jti, str) or not 0 < len(jti) <= _NAME_LIMIT:
        raise Refused(f"jti has to be 1 to {_NAME_LIMIT} characters")
    return Proof(client_id, jti, expires)


def _seconds(claims: Mapping[str, Any], name: str) -> int | None:
    """Return an instant in whole seconds; None where it is missing. Raises Refused."""
    value = claims.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise Refused(f"{name} is no whole number of seconds")
    return value
