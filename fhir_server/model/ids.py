"""An id says where it lives: 32 hex digits, the first three of them the bucket.

The bucket is the leading column of every primary key and the distribution column beyond one
machine. A patient's resources share the patient's bucket. Ids made from a message are keyed
hashes of their business key, so that the same message always makes the same id and nobody can
guess one.
"""

import hmac
import re
import secrets

BUCKETS = 4096
_ID = re.compile(r"[0-9a-f]{32}")


def is_id(text: str) -> bool:
    """Tell whether *text* has the form of an id that this server gives out."""
    return _ID.fullmatch(text) is not None


def bucket_of(id_: str) -> int:
    """Return the bucket, 0 to 4095, in which the resource with this id lives."""
    return int(id_[:3], 16)


def new_id(bucket: int | None = None) -> str:
    """Return a random id in *bucket*, or in a random bucket."""
    random = secrets.token_hex(16)
    return random if bucket is None else f"{bucket:03x}{random[3:]}"


def derived_id(key: bytes, *business_key: str, bucket: int | None = None) -> str:
    """Return the id that *business_key* always has under this installation's *key*.

    Without *bucket* the hash chooses it: for patients, and for resources without a patient.
    """
    text = "\x1f".join(map(_escaped, business_key))
    digest = hmac.digest(key, text.encode(), "sha256").hex()[:32]
    return digest if bucket is None else f"{bucket:03x}{digest[3:]}"


def _escaped(part: str) -> str:
    """Return *part* without the character that parts the parts."""
    if "\\" in part or "\x1f" in part:
        return part.replace("\\", "\\\\").replace("\x1f", "\\u")
    return part
