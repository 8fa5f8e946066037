"""The folder outside the database that holds what was published: checkpoints and leaf hashes.

`checkpoints.txt` holds one signed note after another, a blank line behind each; `leaves.bin` the
leaf hash of every entry that a checkpoint covers, 32 bytes each, so that the first entry that was
changed can be named and not only its checkpoint. A leaf hash tells nothing, thanks to the nonce in
the entry. Both files only grow. The folder should be one that the database's owner can't write:
a mounted share, an auditor's machine, a bucket that is written once.

Before anything is signed, the ledger must follow from what was published: a ledger that was cut,
restored from a backup or rewritten behind the last checkpoint is not signed but refused.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fhir_server.audit import checkpoint, merkle
from fhir_server.audit.merkle import HASH_SIZE, Head

CHECKPOINTS = "checkpoints.txt"
LEAVES = "leaves.bin"

_CHUNK = 4096


class PublicationRefused(Exception):
    """The ledger contradicts what was published; somebody must look before anything is signed."""


@dataclass(frozen=True, slots=True)
class Published:
    """What the folder holds: the tree of the last checkpoint, and its note, empty for none."""

    head: Head
    note: str = ""


def latest(folder: Path, public_key: str) -> Published:
    """Return the last checkpoint in *folder*, its tree rebuilt from the leaf hashes beside it.

    Reads all leaf hashes: once, when the publisher starts. Raises PublicationRefused where the
    two files disagree, CheckpointRefused where the last note is not signed by *public_key*.
    """
    notes = all_notes(folder)
    if not notes:
        return Published(Head())
    last = checkpoint.verify(notes[-1], public_key)
    head = merkle.extend(Head(), _leaves(folder / LEAVES, last.size))
    if head.size != last.size or merkle.root(head) != last.root:
        raise PublicationRefused(f"{LEAVES} does not fit the last note in {CHECKPOINTS}")
    return Published(head, notes[-1])


def all_notes(folder: Path) -> list[str]:
    """Return the notes in *folder* in the order of their publication, unverified.

    A last note that a crash cut short was never published, and is left out.
    """
    path = folder / CHECKPOINTS
    paragraphs = path.read_text().split("\n\n")[:-1] if path.exists() else []
    pairs = zip(paragraphs[::2], paragraphs[1::2], strict=False)
    return [f"{text}\n\n{signatures}\n" for text, signatures in pairs]


def publish(
    folder: Path,
    published: Published,
    head: Head,
    leaves: Iterable[bytes],
    key: Ed25519PrivateKey,
    origin: str,
) -> Published:
    """Sign *head*, write it to *folder*, and return it as the last checkpoint.

    *published*: what `latest` or the last `publish` returned. *leaves*: the hashes of the entries
    from `published.head.size` up to `head.size`, read from the ledger's entries themselves. The
    leaf hashes are durable before the note that covers them. Raises PublicationRefused where head,
    entries and folder do not follow from one another; then nothing is written.
    """
    new = list(leaves)
    if head.size < published.head.size:
        gone = published.head.size - head.size
        raise PublicationRefused(f"the ledger lacks {gone} entries that were published")
    if merkle.extend(published.head, new) != head:
        raise PublicationRefused("the ledger does not follow from the last published checkpoint")
    folder.mkdir(parents=True, exist_ok=True)
    _grow(folder / LEAVES, published.head.size * HASH_SIZE, b"".join(new))
    note = checkpoint.sign(head, key, origin)
    _append_note(folder, note)
    return Published(head, note)


def _leaves(path: Path, count: int) -> Iterable[bytes]:
    if not path.exists():
        return
    with path.open("rb") as file:
        while count > 0:
            chunk = file.read(min(count, _CHUNK) * HASH_SIZE)
            hashes = [chunk[at : at + HASH_SIZE] for at in range(0, len(chunk), HASH_SIZE)]
            if not hashes or len(hashes[-1]) != HASH_SIZE:
                return
            yield from hashes
            count -= len(hashes)


def _grow(path: Path, offset: int, content: bytes) -> None:
    """Append what of *content*, due at *offset*, is not there yet: a crash may have left a part."""
    with path.open("ab+") as file:
        file.seek(offset)
        there = file.read()
        if not content.startswith(there):
            raise PublicationRefused(
                f"{path.name} holds other leaf hashes behind the last checkpoint"
            )
        file.write(content[len(there) :])
        file.flush()
        os.fsync(file.fileno())


def _append_note(folder: Path, note: str) -> None:
    path = folder / CHECKPOINTS
    whole = sum(len(held.encode()) + 1 for held in all_notes(folder))
    with path.open("ab") as file:
        if file.tell() > whole:
            file.truncate(whole)
        file.write(note.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
