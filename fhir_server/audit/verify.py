"""The offline verifier: it tells whether a ledger still says what it said when it was published.

One file, for an auditor to read, that needs Python, *cryptography*, and nothing of ours:

    python verify.py EXPORT CHECKPOINTS KEY [LEAVES]

EXPORT is the ledger as lines of JSON; CHECKPOINTS are the notes and LEAVES the leaf hashes that
were published outside the database; KEY is the public key as it was given to the auditor.

An entry is a leaf of the Merkle tree of RFC 9162, section 2.1, and a checkpoint the signed root of
the first *size* entries (https://c2sp.org/tlog-checkpoint). With the leaf hashes, which count as
far as they lead to signed roots, the first entry that was changed is named; without them, the two
checkpoints around it. What no checkpoint covers yet can't be vouched for and is counted; a request
that was never recorded leaves nothing to verify.
"""

import json
import re
import sys
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

CLOCK_TOLERANCE = 60_000_000
"""Microseconds by which an entry may be dated before an earlier one: they are dated when asked."""

_NOTE = re.compile(r"(.+\n([0-9]+)\n([A-Za-z0-9+/]{43}=)\n)\n((?:— .+\n)+)\n*")
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError)

Entry = tuple[int, bytes, Mapping[str, Any]]
"""Number, body and columns of an entry, as they stand in the ledger."""
Head = tuple[int, bytes]
"""Size and peaks of the tree as the ledger's database has it: no evidence, but it must agree."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Every entry fits; the last *uncovered*, *window* microseconds long, await a checkpoint.

    *remarks*: what an auditor should look at, though no entry is wrong because of it.
    """

    size: int
    covered: int
    uncovered: int
    window: int
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tampered:
    """The first fault: in entries *first* to *last*, numbers from 0, both included.

    *fault*: entry, missing, order, unreadable, columns, tail, head, checkpoint or fork.
    """

    first: int
    last: int
    fault: str
    text: str
    remarks: tuple[str, ...]


class _Found(Exception):
    """A fault: first, last, fault, text."""


def verify(
    entries: Iterable[Entry],
    notes: str,
    key: str,
    *,
    leaves: BinaryIO | None = None,
    head: Head | None = None,
    copies: Sequence[str] = (),
) -> Verified | Tampered:
    """Return whether *entries*, in order and from number 0, fit every checkpoint in *notes*.

    *notes*: what was published, one after another, all signed by *key* (vkey form). *leaves*: the
    published leaf hashes, 32 bytes each. *head*, *copies*: the head and the notes that the ledger's
    database holds. Entries are not held in memory. Raises ValueError where *key* is no key.
    """
    signed, remarks = _signature_check(key), list[str]()
    try:
        judge = _Judge(dict(sorted(_roots([notes, *copies], signed, remarks).items())))
        if leaves:
            judge.trust(leaves, remarks)
        return judge.verdict(entries, head, remarks)
    except _Found as found:
        first, last, fault, text = found.args
        return Tampered(first, last, fault, text, tuple(remarks))


def columns(body: bytes) -> dict[str, Any]:
    """Return what the columns must say of the AuditEvent *body*; raises one of `_UNREADABLE`."""
    tree = json.loads(body)
    agents, entities = tree["agent"], tree.get("entity", [])
    kinds = {(each["type"]["code"], each.get("role", {}).get("code")): each for each in entities}
    resource = kinds.get(("2", "4"), {}).get("what", {})
    if resource:
        entity_type = resource.get("reference", "").split("/")[0] or resource.get("type", "")
    else:
        query = b64decode(kinds.get(("2", "24"), {}).get("query", ""))
        entity_type = query.decode(errors="replace").split("?")[0]
    return {
        "id": tree["id"],
        "recorded": (datetime.fromisoformat(tree["recorded"]) - _EPOCH) // _MICROSECOND,
        "patient": _name(kinds.get(("1", "1"), {}).get("what", {})).removeprefix("Patient/"),
        "agent": _name(agents[0]["who"]) if len(agents) == 3 else "",
        "client": _name(agents[-2]["who"]),
        "subtype": tree["subtype"][0]["code"],
        "outcome": tree["outcome"],
        "entity_type": entity_type,
        "entity": _name(resource),
        "request_id": _name(kinds.get(("XrequestId", None), {}).get("what", {})),
    }


def read_export(file: BinaryIO) -> tuple[Head, list[str], Iterator[Entry]]:
    """Return the head, the notes and the entries in an export, the entries as they are read."""
    first = json.loads(file.readline())
    entries = (_entry(number, line) for number, line in enumerate(file))
    return (first["size"], b64decode(first["peaks"])), first["checkpoints"], entries


def report(outcome: Verified | Tampered) -> list[str]:
    """Return *outcome* as sentences, the verdict first."""
    if isinstance(outcome, Tampered):
        return [outcome.text, *outcome.remarks]
    covered = f"The {outcome.covered} entries that checkpoints cover are those that were published."
    window = f"{outcome.uncovered} entries, {outcome.window / 1_000_000:.0f} seconds"
    return [covered, f"Not yet covered by a checkpoint: {window}.", *outcome.remarks]


def main(arguments: Sequence[str]) -> int:
    """Verify what the command line names, say the outcome, and return 0 if all is well, else 1."""
    if len(arguments) not in {3, 4}:
        sys.exit("usage: verify.py EXPORT CHECKPOINTS KEY [LEAVES]")
    export, checkpoints, key, *rest = arguments
    key = Path(key).read_text() if Path(key).exists() else key
    with ExitStack() as files:
        head, copies, entries = read_export(files.enter_context(Path(export).open("rb")))
        leaves = files.enter_context(Path(rest[0]).open("rb")) if rest else None
        notes = Path(checkpoints).read_text()
        outcome = verify(entries, notes, key, leaves=leaves, head=head, copies=copies)
    sys.stdout.writelines(f"{line}\n" for line in report(outcome))
    return 0 if isinstance(outcome, Verified) else 1


@dataclass(slots=True)
class _Tree:
    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        full = self.size
        while full & 1:
            leaf, full = sha256(b"\x01" + self.peaks.pop() + leaf).digest(), full >> 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        digest = self.peaks[-1] if self.peaks else sha256(b"").digest()
        for peak in reversed(self.peaks[:-1]):
            digest = sha256(b"\x01" + peak + digest).digest()
        return digest


@dataclass(slots=True)
class _Judge:
    roots: dict[int, bytes]
    leaves: BinaryIO | None = None
    tree: _Tree = field(default_factory=_Tree)  # of the trusted leaf hashes, then of the entries
    trusted: int = 0
    checked: int = 0  # size of the last checkpoint whose root came out

    def trust(self, leaves: BinaryIO, remarks: list[str]) -> None:
        tree = _Tree()
        for size, root in self.roots.items():
            while tree.size < size and len(leaf := leaves.read(32)) == 32:
                tree.append(leaf)
            if tree.size < size or tree.root() != root:
                remarks.append(f"The leaf hashes do not lead to the checkpoint of {size} entries.")
                break
            self.tree, self.trusted = _Tree(size, tree.peaks.copy()), size
        self.leaves, self.checked = leaves, self.trusted
        leaves.seek(0)

    def verdict(self, entries: Iterable[Entry], head: Head | None, remarks: list[str]) -> Verified:
        size, latest, covered_until, set_back = 0, 0, 0, -1
        covered = max(self.roots, default=0)
        for seq, body, named in entries:
            if seq != size:
                fault = "missing" if seq > size else "order"
                raise _Found(size, max(size, seq - 1), fault, f"{seq} stands where {size} belongs.")
            self.check_leaf(seq, sha256(b"\x00" + body).digest())
            recorded = _check_columns(seq, body, named)
            if set_back < 0 and recorded < latest - CLOCK_TOLERANCE:
                set_back = seq
            size, latest = seq + 1, max(latest, recorded)
            covered_until = recorded if size <= max(covered, 1) else covered_until
        if size < covered:
            raise _Found(size, covered - 1, "tail", f"Entries from {size} on are gone.")
        if head and head != (size, b"".join(self.tree.peaks)):
            text = f"The ledger's own head does not fit its entries from {covered} on."
            raise _Found(covered, max(size, head[0]) - 1, "head", text)
        if set_back >= 0:
            remarks.append(f"The clock was set back before entry {set_back}, or it is back-dated.")
        window = max(latest - covered_until, 0) if size > covered else 0
        return Verified(size, covered, size - covered, window, tuple(remarks))

    def check_leaf(self, seq: int, leaf: bytes) -> None:
        if self.leaves and seq < self.trusted:
            if leaf != self.leaves.read(32):
                raise _Found(seq, seq, "entry", f"Entry {seq} is not the one that was published.")
            return
        self.tree.append(leaf)
        if seq + 1 in self.roots:
            if self.roots[seq + 1] != self.tree.root():
                text = f"Entries {self.checked} to {seq} are not those that were published."
                raise _Found(self.checked, seq, "entry", text)
            self.checked = seq + 1


def _check_columns(seq: int, body: bytes, named: Mapping[str, Any]) -> int:
    try:
        made = columns(body)
    except _UNREADABLE:
        raise _Found(seq, seq, "unreadable", f"Entry {seq} is not an AuditEvent.") from None
    if made != named:
        wrong = sorted(name for name in {*made, *named} if named.get(name) != made.get(name))
        raise _Found(seq, seq, "columns", f"Entry {seq} denies its columns: {', '.join(wrong)}.")
    return int(made["recorded"])


_Check = Callable[[str, str], bool]


def _signature_check(key: str) -> _Check:
    name, key_id, raw = *key.strip().split("+", 2)[:2], b64decode(key.split("+", 2)[-1])
    made = sha256(name.encode() + b"\n" + raw).digest()[:4]
    if raw[:1] != b"\x01" or made.hex() != key_id:
        raise ValueError("this is not an Ed25519 public key in vkey form")
    public, prefix = Ed25519PublicKey.from_public_bytes(raw[1:]), f"— {name} "

    def signed(text: str, signatures: str) -> bool:
        ours = [line for line in signatures.splitlines() if line.startswith(prefix)]
        try:
            raws = [b64decode(line.removeprefix(prefix)) for line in ours]
            (signature,) = (raw[4:] for raw in raws if raw[:4] == made)
            public.verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return text.startswith(f"{name}\n")

    return signed


def _roots(texts: Sequence[str], signed: _Check, remarks: list[str]) -> dict[int, bytes]:
    roots: dict[int, bytes] = {}
    for text in texts:
        at = 0
        while note := _NOTE.match(text, at):
            tree_head, size, root, signatures = note.groups()
            covered, at = int(size), note.end()
            if not signed(tree_head, signatures):
                words = f"A checkpoint of {size} entries is not signed by the key that you hold."
                raise _Found(0, covered - 1, "checkpoint", words)
            if roots.setdefault(covered, b64decode(root)) != b64decode(root):
                raise _Found(0, covered - 1, "fork", f"Two notes of {size} entries disagree.")
        if re.search(r"^— .+\n", text[at:], re.MULTILINE):
            raise _Found(0, 0, "checkpoint", "There is a checkpoint that can't be read.")
        if text[at:].strip():
            remarks.append("The last checkpoint was not written to its end, and is left out.")
    return roots


def _entry(number: int, line: bytes) -> Entry:
    try:
        entry = json.loads(line)
        return entry["seq"], b64decode(entry["body"]), entry["columns"]
    except _UNREADABLE:
        return number, b"", {}


def _name(reference: Mapping[str, Any]) -> str:
    return str(reference.get("reference") or reference.get("identifier", {}).get("value", ""))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
