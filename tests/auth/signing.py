"""A hospital's system that signs: its keys, and the assertions that it makes of them."""

from dataclasses import dataclass, field
from uuid import uuid4

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from auth.assertions import TYPE
from auth.clients import Client, Kind
from auth.scopes import PUSH
from fhir_server.model import json

TOKEN_URL = "https://portal.example/token"
EC = ECKey.generate_key("P-384")
RSA = RSAKey.generate_key(2048)
OTHER = ECKey.generate_key("P-384")


def member(key, kid, **more):
    return dict(key.as_dict(private=False)) | {"kid": kid} | more


def key_set(*members) -> str:
    return json.encode({"keys": list(members)}).decode()


BOTH = key_set(member(EC, "ec-1"), member(RSA, "rsa-1"))


def laboratory(client_id="lab", **changes) -> Client:
    known = {"jwks": BOTH} if not changes.keys() & {"jwks", "jwks_url"} else {}
    return Client(client_id, "Laboratory", Kind.SIGNING, (), PUSH, **(known | changes))


def signed(claims: bytes, header, key=EC, algorithms=("ES384", "RS384")) -> str:
    return jws.serialize_compact(header, claims, key, algorithms=list(algorithms))


@dataclass
class Signer:
    """What signs at *now*, a callable; every assertion has a name of its own."""

    now: object
    client_id: str = "lab"
    key: object = None
    header: dict = field(default_factory=lambda: {"alg": "ES384", "kid": "ec-1", "typ": "JWT"})

    def claims(self, **changes) -> dict:
        own = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": TOKEN_URL,
            "exp": int(self.now().timestamp()) + 300,
            "jti": uuid4().hex,
        }
        return {name: value for name, value in (own | changes).items() if value is not None}

    def assertion(self, header=None, key=None, **changes) -> str:
        return signed(
            json.encode(self.claims(**changes)), self.header | (header or {}), key or self.key or EC
        )

    def form(self, assertion=None, **changes) -> dict:
        sent = {
            "grant_type": "client_credentials",
            "client_assertion_type": TYPE,
            "client_assertion": assertion or self.assertion(),
        } | changes
        return {name: value for name, value in sent.items() if value is not None}
