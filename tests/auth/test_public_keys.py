"""Which public keys are taken, and which one is meant."""

import base64

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey

from auth import public_keys
from fhir_server.errors import Invalid
from tests.auth.signing import EC, OTHER, RSA, key_set, member

SMALL = {
    "kty": "RSA",
    "kid": "small",
    "e": "AQAB",
    "n": base64.urlsafe_b64encode(b"\xff" * 128).decode().rstrip("="),
}
WIDE = {
    "kty": "RSA",
    "kid": "wide",
    "e": "AQAB",
    "n": base64.urlsafe_b64encode(b"\xff" * 2048).decode().rstrip("="),
}


def names(*members):
    return [key.kid for key in public_keys.usable(key_set(*members))]


@pytest.mark.parametrize(
    "other",
    [
        member(ECKey.generate_key("P-256"), "x"),
        member(OKPKey.generate_key("Ed25519"), "x"),
        SMALL,
        WIDE,
        WIDE | {"e": WIDE["n"]},
        member(EC, ""),
        member(EC, 7),
        dict(EC.as_dict(private=False)),
        member(EC, "x", use="enc"),
        member(EC, "x", alg="ES256"),
        member(EC, "x", key_ops=["encrypt"]),
        member(EC, "x", key_ops="verify"),
        member(EC, "x", crv="P-256"),
        member(EC, "x", x="AA"),
        member(EC, "x", kty="RSA"),
        member(EC, "x", kty=["EC"]),
        {"kty": "oct", "kid": "x", "k": "AA"},
        {},
        dict(EC.as_dict(private=True)) | {"kid": "x"},
    ],
)
def test_a_key_that_cant_be_used_is_passed_over(other):
    assert names(other, member(EC, "ec"), member(RSA, "rsa", use="sig", alg="RS384")) == [
        "ec",
        "rsa",
    ]


@pytest.mark.parametrize(
    "content",
    ["", "x", "[]", "{}", '{"keys":{}}', '{"keys":[1]}', '{"keys":[],"keys":[]}', "x" * 70_000],
)
def test_what_is_no_set_of_keys_is_refused(content):
    with pytest.raises(Invalid):
        public_keys.usable(content)
    with pytest.raises(Invalid):
        public_keys.registrable(content.encode())


def test_a_set_has_an_end():
    with pytest.raises(Invalid):
        public_keys.usable(key_set(*({} for _ in range(21))))


def test_o6_3_a_name_that_two_keys_have_names_neither():
    keys = public_keys.usable(key_set(member(EC, "a"), member(OTHER, "a"), member(RSA, "b")))
    assert public_keys.named(keys, "a") is None
    assert public_keys.named(keys, "b") is keys[2]
    assert public_keys.named(keys, "c") is None


def test_a_private_key_is_not_taken():
    private = key_set(dict(EC.as_dict(private=True)) | {"kid": "x"})
    shared = key_set(dict(OctKey.generate_key(256).as_dict(private=True)) | {"kid": "x"})
    for given in (private.encode(), shared.encode(), EC.as_pem(private=True), RSA.as_pem(True)):
        with pytest.raises(Invalid, match="private key"):
            public_keys.registrable(given)


@pytest.mark.parametrize(
    "given",
    [
        key_set(member(EC, "a"), member(OTHER, "a")).encode(),
        key_set(member(EC, "a"), SMALL).encode(),
        key_set().encode(),
        ECKey.generate_key("P-256").as_pem(private=False),
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN PUBLIC KEY-----\n",
    ],
)
def test_of_what_is_registered_every_key_can_be_used(given):
    with pytest.raises(Invalid):
        public_keys.registrable(given)


@pytest.mark.parametrize("key", [EC, RSA])
def test_a_key_in_pem_is_known_by_its_thumbprint(key):
    kept = public_keys.registrable(key.as_pem(private=False))
    (only,) = public_keys.usable(kept)
    assert only.kid == key.thumbprint()
    assert public_keys.registrable(kept.encode()) == kept
