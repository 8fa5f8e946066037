"""The notary: signs the ledger's head, publishes it outside the database, verifies against it.

Each process that works may hold one; on PostgreSQL several agree through the folder, since what
does not follow from the last published checkpoint is never signed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Row, insert, select

from fhir_server.access import Access, Agent, WholeStore
from fhir_server.audit import checkpoint, export, ledger, publication, verify
from fhir_server.audit.publication import Published
from fhir_server.clock import micros
from fhir_server.record import Record, Writer
from fhir_server.store.engine import one_state
from fhir_server.store.tables import audit_checkpoint

KEY = "audit-signing-key.pem"
PUBLIC_KEY = "audit.vkey"
"""Beside the checkpoints: the public key, for auditors to take away."""


@dataclass(frozen=True, slots=True)
class Notary:
    """Who signs, and where the checkpoints are published."""

    record: Record
    folder: Path
    key: Ed25519PrivateKey
    origin: str

    @property
    def public_key(self) -> str:
        """The public key in vkey form."""
        return checkpoint.public_key_text(self.key, self.origin)


def notary(record: Record, data_dir: Path, origin: str) -> Notary:
    """Return the notary who signs with the key in *data_dir* (made on first use).

    Checkpoints go to `checkpoints/` in it, which belongs on a share that the database's owner
    can't write. *origin* names this ledger, such as the portal's host.
    """
    folder = data_dir / "checkpoints"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Notary(record, folder, checkpoint.load_or_create_key(data_dir / KEY), origin)
    (folder / PUBLIC_KEY).write_text(made.public_key + "\n", encoding="utf-8")
    return made


def latest(notary: Notary) -> Published:
    """Return the last published checkpoint; PublicationRefused where the folder is damaged."""
    return publication.latest(notary.folder, notary.public_key)


def publish_if_due(
    notary: Notary, published: Published, last_made: int, *, now: bool = False
) -> Published:
    """Sign and publish the head where a checkpoint is due, or *now*; return the last one published.

    *last_made* is in microseconds. Raises PublicationRefused where the ledger does not follow
    from what was published: somebody changed it.
    """
    record = notary.record
    with one_state(record.engines) as connection:
        head = ledger.head(connection)
        instant = micros(record.clock())
        due = checkpoint.due(head.size, published.head.size, last_made, instant)
        shrunk = head.size < published.head.size
        if not (due or shrunk or (now and head.size > published.head.size)):
            return published
        leaves = list(ledger.leaves(connection, published.head.size, head.size))
    following = publication.publish(
        notary.folder, published, head, leaves, notary.key, notary.origin
    )
    _copy(record, following, instant)
    return following


def _copy(record: Record, published: Published, made: int) -> None:
    """Keep a copy of the note in the database: convenient, and no evidence of anything."""

    def piece(writer: Writer) -> None:
        size = published.head.size
        known = writer.select(
            select(audit_checkpoint.c.size).where(audit_checkpoint.c.size == size)
        )
        if not known:
            writer.execute(
                insert(audit_checkpoint).values(size=size, made=made, note=published.note)
            )

    access = Access(Agent("operator", user="notary"), "notary", WholeStore(), {})
    record.submit(access, piece).result(timeout=30)


def verified(notary: Notary) -> "verify.Verified | verify.Tampered":
    """Return whether the ledger still says what it said when it was published."""
    notes = "\n".join(publication.all_notes(notary.folder))
    leaves = notary.folder / publication.LEAVES
    with one_state(notary.record.engines) as connection:
        head = ledger.head(connection)
        rows = connection.execute(select(audit_checkpoint.c.note).order_by(audit_checkpoint.c.size))
        copies = [row.note for row in rows]
        entries = (_entry(row) for row in ledger.entries(connection))
        opened: BinaryIO | None = leaves.open("rb") if leaves.exists() else None
        try:
            return verify.verify(
                entries,
                notes,
                notary.public_key,
                leaves=opened,
                head=(head.size, b"".join(head.peaks)),
                copies=copies,
            )
        finally:
            if opened is not None:
                opened.close()


def _entry(row: Row[Any]) -> verify.Entry:
    named = row._asdict()
    return named.pop("seq"), bytes(named.pop("body")), named


def exported(notary: Notary) -> Iterator[bytes]:
    """Yield the ledger as lines of JSON, for an auditor to verify elsewhere."""
    with one_state(notary.record.engines) as connection:
        yield from export.lines(connection)
