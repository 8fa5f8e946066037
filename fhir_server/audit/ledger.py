"""The ledger's rows: appended in order behind one locked head, and read back in order.

Only the committer appends, as the last thing in its transaction: whoever holds the head row
holds the order of the whole ledger. Numbers are taken from the head and not from a sequence,
which would leave gaps behind on rollback: a gap means that somebody deleted.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from fhir_server import insertion, prepared
from fhir_server.audit import merkle
from fhir_server.audit.columns import columns
from fhir_server.audit.merkle import Head
from fhir_server.errors import Unavailable
from fhir_server.store.tables import audit_entry, audit_head

EMPTY_HEAD = {"one": 1, "size": 0, "peaks": b""}
"""The row that the first migration puts into `audit_head`; there is never another."""

_BATCH = 1000

_LOCK = select(audit_head).with_for_update()
_ADVANCE = update(audit_head).values(size=bindparam("size"), peaks=bindparam("peaks"))


def head(connection: Connection) -> Head:
    """Return the tree as it stands in this transaction.

    Raises Unavailable where the head row is missing or damaged.
    """
    return _head_of(connection.execute(select(audit_head)).one_or_none())


def append(connection: Connection, bodies: Sequence[bytes]) -> range:
    """Append *bodies*, each an AuditEvent's bytes, and return their numbers, from 0 without gaps.

    Locks the head row until the transaction ends: PostgreSQL by `FOR UPDATE`; SQLite by the write
    transaction that the caller has begun. Raises Unavailable where the head can't be used.
    """
    if not bodies:
        return range(0)
    locked = prepared.rows(connection, _LOCK, {})
    before = _head_of(locked[0] if locked else None)
    numbers = range(before.size, before.size + len(bodies))
    rows = [(seq, *columns(body), body) for seq, body in zip(numbers, bodies, strict=True)]
    insertion.insert(connection, audit_entry, rows)
    after = merkle.extend(before, map(merkle.leaf_hash, bodies))
    prepared.run(connection, _ADVANCE, [{"size": after.size, "peaks": b"".join(after.peaks)}])
    return numbers


def entries(connection: Connection, first: int = 0, end: int | None = None) -> Iterator[Row[Any]]:
    """Yield the rows with `first <= seq < end` in order, as they stand; gaps are not judged."""
    position = first
    while True:
        statement = select(audit_entry).where(audit_entry.c.seq >= position)
        if end is not None:
            statement = statement.where(audit_entry.c.seq < end)
        rows = connection.execute(statement.order_by(audit_entry.c.seq).limit(_BATCH)).all()
        yield from rows
        if len(rows) < _BATCH:
            return
        position = rows[-1].seq + 1


def leaves(connection: Connection, first: int, end: int) -> Iterator[bytes]:
    """Yield the leaf hashes of the entries with `first <= seq < end`, in order."""
    for row in entries(connection, first, end):
        yield merkle.leaf_hash(row.body)


def _head_of(row: Row[Any] | None) -> Head:
    if row is None:
        raise Unavailable.of("The ledger has no head.")
    hashes = bytes(row.peaks)
    peaks = tuple(
        hashes[at : at + merkle.HASH_SIZE] for at in range(0, len(hashes), merkle.HASH_SIZE)
    )
    try:
        return Head(row.size, peaks)
    except ValueError as damage:
        raise Unavailable.of("The ledger's head is damaged.") from damage
