"""Every raw message once: its bytes, its fate, the resources made and the answer given.

A message is known by feed, control id and the hash of its bytes. The same bytes again get the
same answer again and change nothing; other bytes under the same control id are a fault of the
sender, kept for a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import Any, Literal

from sqlalchemy import Row, Select, and_, insert, or_, select, update

from adapters.intake.tables import inbox, inbox_key
from fhir_server.model.ids import BUCKETS
from fhir_server.record import Record, Writer

Fate = Literal["filed", "quarantined", "refused", "partial"]

KEY_LIMIT = 200
"""Characters of a control id or an accession that are kept as a key."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came: which feed, from where, under which control id, and its bytes."""

    feed: str
    peer: str
    control_id: str
    message_type: str
    raw: bytes

    @property
    def sha256(self) -> str:
        """The hash by which the very same bytes are known again."""
        return sha256(self.raw).hexdigest()

    @property
    def key(self) -> str:
        """The control id as it is kept: cut where it is longer than a key may be."""
        return self.control_id[:KEY_LIMIT]

    @property
    def bucket(self) -> int:
        """The bucket in which all messages of this feed with this control id live."""
        return bucket_of_key(f"{self.feed}\x1f{self.key}")


@dataclass(frozen=True, slots=True)
class Fated:
    """What became of a message, for the inbox and for the person who traces it."""

    fate: Fate
    ack: bytes
    code: str = ""
    address: str = ""
    reason: str = ""
    flags: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    accessions: tuple[str, ...] = ()


def bucket_of_key(key: str) -> int:
    """Return the bucket of a business key."""
    return int.from_bytes(blake2b(key.encode(), digest_size=4).digest()) % BUCKETS


def earlier(writer: Writer, arrival: Arrival, since: int = 0) -> Sequence[Row[Any]]:
    """Return what came from this feed under this control id since then (microseconds)."""
    return writer.select(
        select(inbox.c.sha256, inbox.c.ack, inbox.c.fate, inbox.c.received).where(
            inbox.c.bucket == arrival.bucket,
            inbox.c.feed == arrival.feed,
            inbox.c.control_id == arrival.key,
            inbox.c.received >= since,
        )
    )


def keep(writer: Writer, arrival: Arrival, fated: Fated) -> None:
    """Keep the message with its fate, and the keys that it can be found by."""
    digest = arrival.sha256
    writer.execute(
        insert(inbox).values(
            bucket=arrival.bucket,
            feed=arrival.feed,
            control_id=arrival.key,
            sha256=digest,
            received=writer.now,
            message_type=arrival.message_type[:KEY_LIMIT],
            peer=arrival.peer,
            fate=fated.fate,
            code=fated.code,
            address=fated.address,
            reason=fated.reason,
            flags="\n".join(fated.flags),
            made="\n".join(fated.made),
            copies=0,
            raw=arrival.raw,
            ack=fated.ack,
        )
    )
    keys = dict.fromkeys(key[:KEY_LIMIT] for key in (arrival.key, *fated.accessions) if key)
    if keys:
        rows = [
            {
                "bucket": bucket_of_key(key),
                "key": key,
                "received": writer.now,
                "feed": arrival.feed,
                "control_id": arrival.key,
                "sha256": digest,
            }
            for key in keys
        ]
        writer.execute(insert(inbox_key), rows)


def count_copy(writer: Writer, arrival: Arrival) -> None:
    """Note that the very same message came once more."""
    writer.execute(
        update(inbox)
        .where(*_is(arrival.bucket, arrival.feed, arrival.key, arrival.sha256))
        .values(copies=inbox.c.copies + 1)
    )


def change_fate(writer: Writer, arrival: Arrival, fated: Fated) -> None:
    """Put another fate in place of the one that the message had; the answer given stays."""
    writer.execute(
        update(inbox)
        .where(*_is(arrival.bucket, arrival.feed, arrival.key, arrival.sha256))
        .values(
            fate=fated.fate,
            code=fated.code,
            address=fated.address,
            reason=fated.reason,
            flags="\n".join(fated.flags),
            made="\n".join(fated.made),
        )
    )


def _is(bucket: int, feed: str, control_id: str, digest: str) -> tuple[Any, ...]:
    table = inbox.c
    return (
        table.bucket == bucket,
        table.feed == feed,
        table.control_id == control_id,
        table.sha256 == digest,
    )


def trace(record: Record, key: str, most: int = 50) -> Sequence[Row[Any]]:
    """Return the messages with this control id or accession, newest first."""
    key = key[:KEY_LIMIT]
    found = record.select(
        select(inbox_key.c.feed, inbox_key.c.control_id, inbox_key.c.sha256)
        .where(inbox_key.c.bucket == bucket_of_key(key), inbox_key.c.key == key)
        .order_by(inbox_key.c.received.desc())
        .limit(most)
    )
    if not found:
        return ()
    places = [
        and_(
            *_is(
                bucket_of_key(f"{one.feed}\x1f{one.control_id}"),
                one.feed,
                one.control_id,
                one.sha256,
            )
        )
        for one in found
    ]
    return record.select(select(inbox).where(or_(*places)).order_by(inbox.c.received.desc()))


def error_queue(most: int = 100) -> Select[Any]:
    """Return the statement for what waits for a person, newest first, without the bytes."""
    shown = [column for column in inbox.c if column.name not in {"raw", "ack"}]
    return (
        select(*shown)
        .where(inbox.c.fate.in_(("quarantined", "refused", "partial")))
        .order_by(inbox.c.received.desc())
        .limit(most)
    )
