"""The public keys by which applications are known: which are taken, and which one is meant. Pure.

JSON Web Key sets (RFC 7517, RFC 7518 section 6) with the two kinds of key that SMART asks for:
RSA for RS384 and EC on P-384 for ES384. What a set has besides is passed over, as its section 5
says, but for what is registered here: there every key has to be one that can be used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from fhir_server.errors import Invalid
from fhir_server.model import json

ALGORITHMS: Mapping[str, str] = MappingProxyType({"RS384": "RSA", "ES384": "EC"})
"""How an application may sign, and with which kind of key. Nothing else is ever tried."""
LIMIT = 64 * 1024
"""Bytes of a key set that are read."""
MOST = 20
"""Keys of a set that are looked at: a signature is tried with one, the set is read each time."""

_CURVE = "P-384"
_RSA_BITS = range(2048, 4096 + 1)
_WANTED = (
    "Each key needs a kid of its own, and is an EC key on P-384 or an RSA key of "
    f"{_RSA_BITS[0]} to {_RSA_BITS[-1]} bits, for signatures."
)
_MODULUS = range(2048 // 6, 4096 // 6 + 2)
"""Characters of a modulus of that size in base64url: an absurd one is not even decoded."""
_LARGEST_EXPONENT = 2**32
_NAME_LIMIT = 256


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One key that can be used: its name (`kid`), and the one algorithm for which it is good."""

    kid: str
    algorithm: str
    key: RSAKey | ECKey


def usable(content: bytes | str) -> tuple[PublicKey, ...]:
    """Return the keys of the set *content* that can be used here, the others passed over.

    Raises Invalid for what is no set of keys.
    """
    return tuple(key for one in _members(content) if (key := _usable(one)) is not None)


def registrable(content: bytes) -> str:
    """Return the set *content* as it is kept: a JSON Web Key set, or a public key in PEM.

    A key in PEM is named by its thumbprint (RFC 7638). Raises Invalid where a key can't be used,
    where two have one name, and where a private key was given: that has to stay where it is.
    """
    if content.lstrip().startswith(b"-----BEGIN "):
        content = json.encode({"keys": [_of_pem(content)]})
    members = _members(content)
    if any("d" in one or "k" in one for one in members):
        raise Invalid.of("This is a private key, or a shared one: give the public key alone.")
    keys = [_usable(one) for one in members]
    known = {key.kid for key in keys if key is not None}
    if not keys or len(known) != len(keys):
        raise Invalid.of(_WANTED)
    public = [
        dict(key.key.as_dict(private=False)) | {"kid": key.kid, "alg": key.algorithm, "use": "sig"}
        for key in keys
        if key is not None
    ]
    return json.encode({"keys": public}).decode()


def named(keys: Sequence[PublicKey], kid: str) -> PublicKey | None:
    """Return the key called *kid*; None where there is none, or more than one."""
    found = [key for key in keys if key.kid == kid]
    return found[0] if len(found) == 1 else None


def _members(content: bytes | str) -> list[dict[str, Any]]:
    if len(content) > LIMIT:
        raise Invalid.of(f"A set of keys has at most {LIMIT} bytes.")
    tree = json.decode(content)
    members = tree.get("keys") if isinstance(tree, dict) else None
    if not isinstance(members, list) or not all(isinstance(one, dict) for one in members):
        raise Invalid.of('A set of keys is a JSON object with "keys", a list of objects.')
    if len(members) > MOST:
        raise Invalid.of(f"A set of keys has at most {MOST} keys.")
    return members


def _usable(member: Mapping[str, Any]) -> PublicKey | None:
    """Return the key, or None; one whose private part stands there is nobody's secret any more."""
    kid, kind = member.get("kid"), member.get("kty")
    if not isinstance(kid, str) or not 0 < len(kid) <= _NAME_LIMIT or "d" in member:
        return None
    algorithm = next((name for name, kty in ALGORITHMS.items() if kty == kind), "")
    operations = member.get("key_ops", ["verify"])
    if (
        not algorithm
        or member.get("alg", algorithm) != algorithm
        or member.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or "verify" not in operations
    ):
        return None
    key = _rsa(member) if kind == "RSA" else _elliptic(member)
    return PublicKey(kid, algorithm, key) if key is not None else None


def _rsa(member: Mapping[str, Any]) -> RSAKey | None:
    modulus = member.get("n")
    if not isinstance(modulus, str) or len(modulus) not in _MODULUS:
        return None
    try:
        key = RSAKey.import_key({name: member[name] for name in ("kty", "n", "e")})
        numbers = key.public_key.public_numbers()
    except (JoseError, ValueError, KeyError):
        return None
    fits = key.public_key.key_size in _RSA_BITS and numbers.e < _LARGEST_EXPONENT
    return key if fits else None


def _elliptic(member: Mapping[str, Any]) -> ECKey | None:
    if member.get("crv") != _CURVE:
        return None
    try:
        key = ECKey.import_key({name: member[name] for name in ("kty", "crv", "x", "y")})
        key.public_key.public_numbers()
    except (JoseError, ValueError, KeyError):
        return None
    return key


def private(pem: bytes) -> tuple[RSAKey | ECKey, str]:
    """Return the private key *pem*, and how it signs. Raises Invalid where it can't, here."""
    key = _read_pem(pem)
    if not key.is_private:
        raise Invalid.of("This is a public key: signing needs the private one.")
    if _usable(dict(key.as_dict(private=False)) | {"kid": "own"}) is None:
        raise Invalid.of(_WANTED)
    return key, "RS384" if isinstance(key, RSAKey) else "ES384"


def _of_pem(content: bytes) -> dict[str, Any]:
    key = _read_pem(content)
    return dict(key.as_dict(private=key.is_private)) | {"kid": key.thumbprint()}


def _read_pem(content: bytes) -> RSAKey | ECKey:
    kinds: tuple[type[RSAKey | ECKey], ...] = (ECKey, RSAKey)
    for kind in kinds:
        try:
            return kind.import_key(content)
        except (JoseError, ValueError, TypeError):
            continue
    raise Invalid.of("This PEM holds no key that can be read.")
