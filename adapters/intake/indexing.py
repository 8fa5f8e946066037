"""Keys of messages that are in the inbox already: added when one is filed at last, or for old ones.

A message that came before there were keys of persons is found by its person only when `reindex`
has been over it. It may be run at any time, and again: what is there stays.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import insert, select, tuple_

from adapters.intake import message_keys
from adapters.intake.inbox import bucket_of_key, key_of
from adapters.intake.tables import inbox, inbox_key
from adapters.intake.tracing import among
from fhir_server.record import Writer

BATCH = 200
"""Messages of one transaction."""

Place = tuple[int, str, str, str]
"""A message's key: bucket, feed, control id, sha256."""

BEGINNING: Place = (-1, "", "", "")
"""Comes before every message."""

_KEY = tuple(inbox.c[name] for name in ("bucket", "feed", "control_id", "sha256"))


def add_keys(writer: Writer, place: Mapping[str, Any], numbers: Iterable[str]) -> int:
    """Let the message at *place* be found by these numbers as well; return how many are new."""
    here = _KEY[0] == place["bucket"], _KEY[1] == place["feed"], _KEY[3] == place["sha256"]
    rows = writer.select(
        select(*_KEY, inbox.c.received).where(*here, _KEY[2] == place["control_id"])
    )
    keys = [key_of(number) for number in numbers if number]
    return _add(writer, [(row, key) for row in rows for key in keys])


def reindex(writer: Writer, after: Place) -> tuple[Place | None, int]:
    """Add what is missing for the next messages *after* a place, in the order of their keys.

    Returns the place of the last one, None at the end, and how many keys were added.
    """
    following = tuple_(*_KEY) > tuple_(*after)
    statement = select(*_KEY, inbox.c.received, inbox.c.raw).where(following).order_by(*_KEY)
    rows = writer.select(statement.limit(BATCH))
    wanted = []
    for row in rows:
        persons = message_keys.of_persons_in(writer.id_key, bytes(row.raw))
        wanted += [(row, key) for key in (row.control_id, *persons) if key]
    added = _add(writer, wanted)
    return (tuple(rows[-1][:4]) if rows else None), added


def _add(writer: Writer, wanted: list[tuple[Any, str]]) -> int:
    lines = {
        (bucket_of_key(key), key, row.feed, row.control_id, row.sha256): row.received
        for row, key in wanted
    }
    table = inbox_key.c
    names = ("bucket", "key", "feed", "control_id", "sha256")
    columns = [table[name] for name in names]
    wanted_lines = sorted(lines)
    missing = set(wanted_lines)
    for first in range(0, len(wanted_lines), BATCH):
        here = among(columns, wanted_lines[first : first + BATCH])
        missing -= {tuple(row) for row in writer.select(select(*columns).where(here))}
    added = [
        dict(zip(names, line, strict=True)) | {"received": lines[line]} for line in sorted(missing)
    ]
    if added:
        writer.execute(insert(inbox_key), added)
    return len(added)
