"""Secrets that are given out once and kept only as their hash: codes, tokens, sessions.

Each has 256 random bits, so that a plain SHA-256 is enough: there is nothing to guess.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256


def new_secret() -> str:
    """Return 256 random bits as 43 characters of base64url."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the form in which *secret* is stored: SHA-256 in hexadecimal."""
    return sha256(secret.encode()).hexdigest()


def matches(secret: str, stored: str) -> bool:
    """Tell, in constant time, whether *secret* is the one that was *stored*."""
    return hmac.compare_digest(digest(secret).encode(), stored.encode())


def derived_secret(key: bytes, purpose: str, secret: str) -> str:
    """Return the one secret that follows from *secret* for *purpose*, under this *key*.

    With the installation's key a repeated request can be given the same answer again, although
    only hashes are kept.
    Neither the database alone nor *secret* alone is enough to know it.
    """
    bits = hmac.digest(key, f"{purpose}\x1f{secret}".encode(), "sha256")
    return urlsafe_b64encode(bits).decode().rstrip("=")
