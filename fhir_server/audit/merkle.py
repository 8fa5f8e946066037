"""The Merkle tree of RFC 9162, section 2.1. Pure: bytes in, bytes out.

A tree that only grows is kept as the roots of its perfect subtrees, its *peaks*, largest first:
one for each bit that is set in its size. Appending needs nothing else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_SIZE = 32
_PART = 2000


class ProofRefused(Exception):
    """The proof does not show what it claims."""


@dataclass(frozen=True, slots=True)
class Head:
    """A tree of *size* leaves, as its peaks: `len(peaks) == size.bit_count()`."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError("a tree has one peak for each bit set in its size")
        if any(len(peak) != HASH_SIZE for peak in self.peaks):
            raise ValueError("a peak is 32 bytes long")


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry. RFC 9162 section 2.1.1."""
    # In parts: from 2,048 bytes on other threads are let in, and it takes long to get back.
    hashed = sha256(b"\x00" + entry[:_PART])
    for start in range(_PART, len(entry), _PART):
        hashed.update(entry[start : start + _PART])
    return hashed.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees' hashes. RFC 9162 section 2.1.1."""
    return sha256(b"\x01" + left + right).digest()


def extend(head: Head, leaves: Iterable[bytes]) -> Head:
    """Return the tree that *head* becomes when *leaves* (leaf hashes) are appended in order."""
    size, peaks = head.size, list(head.peaks)
    for leaf in leaves:
        digest, full = leaf, size
        while full & 1:
            digest, full = node_hash(peaks.pop(), digest), full >> 1
        peaks.append(digest)
        size += 1
    return Head(size, tuple(peaks))


def root(head: Head) -> bytes:
    """Return the root hash: the peaks folded from the smallest to the largest."""
    if not head.peaks:
        return sha256(b"").digest()
    digest = head.peaks[-1]
    for peak in reversed(head.peaks[:-1]):
        digest = node_hash(peak, digest)
    return digest


def inclusion_proof(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the proof that leaf *index* is in the tree of *leaves*. RFC 9162 section 2.1.3.1."""
    if not 0 <= index < len(leaves):
        raise ProofRefused("there is no such leaf")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(index, leaves[:split]), root(extend(Head(), leaves[split:]))]
    return [*inclusion_proof(index - split, leaves[split:]), root(extend(Head(), leaves[:split]))]


def consistency_proof(size: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the proof that the first *size* leaves are a prefix. RFC 9162 section 2.1.4.1."""
    if not 0 < size <= len(leaves):
        raise ProofRefused("there is no such tree")
    return _subproof(size, leaves, whole=True)


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root_hash: bytes
) -> None:
    """Raise ProofRefused unless *leaf* is leaf *index* of the tree of *size* with this root.

    RFC 9162 section 2.1.3.2.
    """
    _require(0 <= index < size, "there is no such leaf")
    _require(_are_hashes([leaf, *proof]), "a hash is 32 bytes long")
    at, last, digest = index, size - 1, leaf
    for part in proof:
        _require(last > 0, "the proof is too long")
        if at & 1 or at == last:
            digest = node_hash(part, digest)
            at, last = _climb(at, last)
        else:
            digest = node_hash(digest, part)
        at, last = at >> 1, last >> 1
    _require(last == 0, "the proof is too short")
    _require(digest == root_hash, "the root differs")


def verify_consistency(
    size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes
) -> None:
    """Raise ProofRefused unless the tree with *root1* is a prefix of the tree with *root2*.

    RFC 9162 section 2.1.4.2.
    """
    _require(0 < size1 <= size2, "the sizes can't be those of a tree and a later one")
    _require(_are_hashes([*proof, root1, root2]), "a hash is 32 bytes long")
    if size1 == size2:
        _require(not proof and root1 == root2, "equal sizes need equal roots and no proof")
        return
    _require(bool(proof), "the proof is too short")
    path = [root1, *proof] if size1.bit_count() == 1 else list(proof)
    at, last = size1 - 1, size2 - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for part in path[1:]:
        _require(last > 0, "the proof is too long")
        if at & 1 or at == last:
            old, new = node_hash(part, old), node_hash(part, new)
            at, last = _climb(at, last)
        else:
            new = node_hash(new, part)
        at, last = at >> 1, last >> 1
    _require(last == 0, "the proof is too short")
    _require(old == root1 and new == root2, "the root differs")


def _require(holds: bool, refusal: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise ProofRefused(refusal)


def _are_hashes(parts: Sequence[bytes]) -> bool:
    return all(len(part) == HASH_SIZE for part in parts)


def _climb(at: int, last: int) -> tuple[int, int]:
    while at and not at & 1:
        at, last = at >> 1, last >> 1
    return at, last


def _split(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def _subproof(size: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    if size == len(leaves):
        return [] if whole else [root(extend(Head(), leaves))]
    split = _split(len(leaves))
    if size <= split:
        rest = root(extend(Head(), leaves[split:]))
        return [*_subproof(size, leaves[:split], whole=whole), rest]
    rest = root(extend(Head(), leaves[:split]))
    return [*_subproof(size - split, leaves[split:], whole=False), rest]
