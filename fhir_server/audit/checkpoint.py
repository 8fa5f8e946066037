"""Signed tree heads: C2SP tlog-checkpoints, which are signed notes with an Ed25519 key.

https://c2sp.org/tlog-checkpoint, https://c2sp.org/signed-note

    origin
    size of the tree
    base64 of the root hash

    — origin base64(key id, 4 bytes; signature, 64 bytes)
"""

import os
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from fhir_server.audit.merkle import HASH_SIZE, Head, root

ED25519 = b"\x01"
ENTRIES_BETWEEN = 1000
MICROS_BETWEEN = 60_000_000

_FORBIDDEN_IN_NAME = "+"


class CheckpointRefused(Exception):
    """The note is not a checkpoint that this key signed, or the key can't be used."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a note says of the tree: its size and its root, 32 bytes."""

    origin: str
    size: int
    root: bytes


def due(size: int, last_size: int, last_made: int, now: int) -> bool:
    """Tell whether a checkpoint is due: something is new, and a minute or 1000 entries have passed.

    *last_made* and *now* are in microseconds since 1970.
    """
    new = size - last_size
    return new > 0 and (new >= ENTRIES_BETWEEN or now - last_made >= MICROS_BETWEEN)


def sign(head: Head, key: Ed25519PrivateKey, origin: str) -> str:
    """Return the signed note that says: the ledger *origin* has this size and this root."""
    text = f"{checked_origin(origin)}\n{head.size}\n{b64encode(root(head)).decode()}\n"
    signed = _key_id(origin, key.public_key()) + key.sign(text.encode())
    return f"{text}\n— {origin} {b64encode(signed).decode()}\n"


def verify(note: str, public_key: str) -> Checkpoint:
    """Return what *note* says, if *public_key* (in vkey form) signed it; else CheckpointRefused.

    Signatures of other keys, such as a witness's, are passed over.
    """
    name, key = parse_public_key(public_key)
    text, blank, signatures = note.rpartition("\n\n")
    if not blank:
        raise CheckpointRefused("the note has no signature")
    text += "\n"
    prefix, key_id = f"— {name} ", _key_id(name, key)
    for line in signatures.splitlines():
        signed = _decoded(line.removeprefix(prefix)) if line.startswith(prefix) else b""
        if signed[:4] == key_id:
            try:
                key.verify(signed[4:], text.encode())
            except InvalidSignature:
                raise CheckpointRefused("the signature does not fit the note") from None
            return _read(text, name)
    raise CheckpointRefused("the note is not signed by this key")


def public_key_text(key: Ed25519PrivateKey, origin: str) -> str:
    """Return the public key for auditors, in vkey form: `origin+key id in hex+base64`."""
    public = key.public_key()
    encoded = b64encode(ED25519 + public.public_bytes_raw()).decode()
    return f"{checked_origin(origin)}+{_key_id(origin, public).hex()}+{encoded}"


def parse_public_key(text: str) -> tuple[str, Ed25519PublicKey]:
    """Return the name and the key in a vkey; raises CheckpointRefused for anything else."""
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    try:
        raw = b64decode(encoded, validate=True)
        key = Ed25519PublicKey.from_public_bytes(raw[1:])
    except ValueError:
        raise CheckpointRefused("this is not an Ed25519 public key in vkey form") from None
    if raw[:1] != ED25519 or _key_id(name, key).hex() != key_id:
        raise CheckpointRefused("the public key does not fit its own id")
    return name, key


def checked_origin(origin: str) -> str:
    """Return *origin* if it can name a key: not empty, without spaces and plus signs."""
    if not origin or not origin.isprintable() or _FORBIDDEN_IN_NAME in origin or " " in origin:
        raise CheckpointRefused("an origin is a name without spaces and plus signs")
    return origin


def load_or_create_key(path: Path) -> Ed25519PrivateKey:
    """Return the signing key in *path* (PEM), made there on first use for its owner's eyes alone.

    Raises CheckpointRefused where others may read it: a key that was seen signs nothing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _load_key(path)
    key = Ed25519PrivateKey.generate()
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    return key


def _load_key(path: Path) -> Ed25519PrivateKey:
    if path.stat().st_mode & 0o077:
        raise CheckpointRefused(f"others may read {path}: make a new key, or chmod 600 this one")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise CheckpointRefused(f"{path} holds no Ed25519 key")
    return key


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise CheckpointRefused("the note is damaged: this is not base64") from None


def _key_id(name: str, key: Ed25519PublicKey) -> bytes:
    return sha256(name.encode() + b"\n" + ED25519 + key.public_bytes_raw()).digest()[:4]


def _read(text: str, name: str) -> Checkpoint:
    origin, size, root_text, *_ = [*text.splitlines(), "", "", ""]
    root_hash = _decoded(root_text)
    if origin != name or not size.isdecimal() or str(int(size)) != size:
        raise CheckpointRefused("the note is not a checkpoint of this ledger")
    if len(root_hash) != HASH_SIZE:
        raise CheckpointRefused("a root hash is 32 bytes long")
    return Checkpoint(origin, int(size), root_hash)
