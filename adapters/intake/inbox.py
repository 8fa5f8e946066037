"""Every raw message once: its bytes, its fate, the resources made and the answer given.

A message is known by feed, control id and the hash of its bytes. The same bytes again get the
same answer again, are counted, and change nothing: no patient is touched, and so the ledger has
no entry of it. Other bytes under the same control id are a fault of the sender, kept for a person.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import Any, Literal

from sqlalchemy import Row, and_, bindparam, delete, func, or_, select, update

from adapters.hl7v2.header import glimpse
from adapters.intake import message_keys, waiting
from adapters.intake.tables import inbox, inbox_key
from fhir_server.model.ids import BUCKETS
from fhir_server.record import Record, Writer

Fate = Literal["filed", "quarantined", "refused", "partial"]

KEY_LIMIT = 200
"""Characters of a sender's number that are kept as a key."""

_HEAD = 4096
_COMPARED = 100  # messages under one control id that a new one is held against
_TAIL = 32  # hexadecimal digits that stand for the rest of a number that is too long


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came: which feed, from where, under which control id, and its bytes.

    *sha256* is the hash by which the very same bytes are known again; it is given where *raw* is
    only the beginning of them.
    """

    feed: str
    peer: str
    control_id: str
    message_type: str
    raw: bytes
    sha256: str = ""

    def __post_init__(self) -> None:
        if not self.sha256:
            object.__setattr__(self, "sha256", sha256(self.raw).hexdigest())

    @property
    def key(self) -> str:
        """The control id as it is kept."""
        return key_of(self.control_id)

    @property
    def bucket(self) -> int:
        """The bucket in which all messages of this feed with this control id live."""
        return bucket_of_key(f"{self.feed}\x1f{self.key}")

    @property
    def place(self) -> Mapping[str, Any]:
        """Where it is kept in the inbox, by column."""
        return {
            "bucket": self.bucket,
            "feed": self.feed,
            "control_id": self.key,
            "sha256": self.sha256,
        }


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


def key_of(text: str) -> str:
    """Return a sender's number as it is kept and found: whole, or its beginning and a hash.

    A NUL, which no database column holds, becomes U+FFFD.
    """
    text = text.replace("\0", "\ufffd")
    if len(text) <= KEY_LIMIT:
        return text
    rest = blake2b(text.encode(), digest_size=_TAIL // 2).hexdigest()
    return f"{text[: KEY_LIMIT - _TAIL - 1]}~{rest}"


def same(writer: Writer, arrival: Arrival) -> Row[Any] | None:
    """Return fate and answer of the very same bytes, if they came before."""
    rows = writer.select(_SAME, _place(arrival) | {"sha256": arrival.sha256})
    return rows[0] if rows else None


def is_reused(writer: Writer, arrival: Arrival, since: int) -> bool:
    """Tell whether other content of the same sender came under this control id since then.

    The sender is MSH-3 and MSH-4; *since* is in microseconds. What was refused or cut off took no
    control id: whoever sent it was told to send again.
    """
    rows = writer.select(_UNDER_THIS_ID, _place(arrival) | {"since": since})
    return bool(rows) and _sender(arrival.raw) in {_sender(bytes(row.head)) for row in rows}


def _place(arrival: Arrival) -> dict[str, Any]:
    return {"bucket": arrival.bucket, "feed": arrival.feed, "control_id": arrival.key}


_HERE = tuple(inbox.c[name] == bindparam(name) for name in ("bucket", "feed", "control_id"))
_SAME = select(inbox.c.fate, inbox.c.ack).where(*_HERE, inbox.c.sha256 == bindparam("sha256"))
_UNDER_THIS_ID = (
    select(func.substr(inbox.c.raw, 1, _HEAD).label("head"))
    .where(
        *_HERE,
        # The sum keeps the planner from walking through all that the feed sent since then.
        inbox.c.received + 0 >= bindparam("since"),
        or_(inbox.c.fate == "filed", inbox.c.fate == "quarantined"),
    )
    .limit(_COMPARED)
)


def _sender(raw: bytes) -> tuple[str, str]:
    header = glimpse(raw[:_HEAD])
    return header.sending_application, header.sending_facility


def forget(writer: Writer, arrival: Arrival) -> None:
    """Take away a message that was cut off, now that the same bytes come as a whole."""
    writer.execute(
        delete(inbox).where(*_is(arrival.bucket, arrival.feed, arrival.key, arrival.sha256))
    )
    for key in (arrival.key, *message_keys.of_persons_in(writer.id_key, arrival.raw)):
        drop_key(writer, arrival, key)
    waiting.forget(writer, arrival.place)


def drop_key(writer: Writer, arrival: Arrival, key: str) -> None:
    """Let the message no longer be found by *key*."""
    table = inbox_key.c
    writer.execute(
        delete(inbox_key).where(
            table.bucket == bucket_of_key(key),
            table.key == key,
            table.feed == arrival.feed,
            table.control_id == arrival.key,
            table.sha256 == arrival.sha256,
        )
    )


def keep(writer: Writer, arrival: Arrival, fated: Fated) -> None:
    """Keep the message with its fate, and the keys that it can be found by."""
    line = _place(arrival) | {
        "sha256": arrival.sha256,
        "received": writer.now,
        "message_type": key_of(arrival.message_type),
        "peer": arrival.peer,
        "fate": fated.fate,
        "code": fated.code,
        "address": fated.address,
        "reason": fated.reason,
        "flags": "\n".join(fated.flags),
        "made": "\n".join(fated.made),
        "copies": 0,
        "raw": arrival.raw,
        "ack": fated.ack,
    }
    writer.insert(inbox, line)
    if fated.fate != "filed":
        waiting.put(writer, line, line)
    persons = message_keys.of_persons_in(writer.id_key, arrival.raw)
    keep_keys(writer, arrival, (arrival.key, *fated.accessions, *persons))


def keep_keys(writer: Writer, arrival: Arrival, numbers: Iterable[str]) -> None:
    """Let the message be found by these numbers: control id and accessions."""
    rows = [
        {
            "bucket": bucket_of_key(key),
            "key": key,
            "received": writer.now,
            "feed": arrival.feed,
            "control_id": arrival.key,
            "sha256": arrival.sha256,
        }
        for key in dict.fromkeys(key_of(number) for number in numbers if number)
    ]
    writer.insert(inbox_key, *rows)


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
    if fated.fate == "filed":
        waiting.take_out(writer, arrival.place)
    else:
        waiting.change(writer, arrival.place, fated.fate, fated.code)


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
    key = key_of(key)
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
