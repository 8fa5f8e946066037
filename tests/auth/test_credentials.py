"""Secrets that are given out once."""

import re

from auth.credentials import derived_secret, digest, matches, new_secret


def test_a_secret_has_256_random_bits():
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", secret) for secret in secrets)


def test_a_secret_is_stored_as_its_sha_256():
    # FIPS 180-2, appendix B.1
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest("abc") == known
    assert matches("abc", known)
    for other in ("abd", "", "abc ", "é"):
        assert not matches(other, known)
    assert not matches("abc", "")
    assert not matches("abc", "é")


def test_what_follows_from_a_secret_needs_the_key_and_says_for_what():
    made = derived_secret(b"key", "refresh", "abc")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", made)
    assert made == derived_secret(b"key", "refresh", "abc")
    others = {
        derived_secret(b"other", "refresh", "abc"),
        derived_secret(b"key", "access", "abc"),
        derived_secret(b"key", "refresh", "abd"),
        made,
    }
    assert len(others) == 4
