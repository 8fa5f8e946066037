"""Results that wait for the meaning of a code: counted, tried with a meaning, and filed with it.

Once a code has its meaning, each message that sent it is filed once more from its own bytes: the
standard code is added beside the laboratory's, and what was held for the code alone opens. A newer
version of a result stays as it is, and nothing is held for longer than it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Row, delete, func, select

from adapters.intake import code_maps, inbox, message_keys, reception, replay, trial, waiting
from adapters.intake.feeds import Feed
from adapters.intake.inbox import Fated, bucket_of_key
from adapters.intake.occasion import Occasion, Outcome
from adapters.intake.reading import Read, Verdict
from adapters.intake.tables import code_map, inbox_key, unmapped_code
from adapters.intake.tables import inbox as inbox_table
from adapters.intake.tracing import among
from adapters.intake.trial import Trial
from fhir_server.access import Access
from fhir_server.record import Again, Record, Writer

Tree = dict[str, Any]

_AT_ONCE = 200
MOST_CODES = 200
"""Codes of the work list that are shown; the commonest."""


_SHOWN = (
    *(column for column in unmapped_code.c if column.name != "count"),
    unmapped_code.c["count"].label("times"),
)


@dataclass(frozen=True, slots=True)
class Local:
    """A laboratory's own code: of which feed, in which system."""

    feed: str
    system: str
    code: str

    def key(self, id_key: bytes) -> str:
        """Return the key under which messages wait for its meaning."""
        return message_keys.of_code(id_key, self.feed, self.system, self.code)


@dataclass(frozen=True, slots=True)
class Waits:
    """How many messages wait for a code, and since when (microseconds)."""

    count: int
    oldest: int


def work_list(record: Record) -> Sequence[Row[Any]]:
    """Return the codes without a meaning, the commonest first; `times` is how often each came."""
    code = unmapped_code.c
    order = (code["count"].desc(), code.feed, code.system, code.code)
    return record.select(select(*_SHOWN).order_by(*order).limit(MOST_CODES))


def waiting_code(record: Record, local: Local) -> Row[Any] | None:
    """Return the code's row of the work list, None where it is not on it."""
    code = unmapped_code.c
    here = (code.feed == local.feed, code.system == local.system, code.code == local.code)
    rows = record.select(select(*_SHOWN).where(*here))
    return rows[0] if rows else None


def begun(record: Record) -> tuple[Local, ...]:
    """Return the codes that have a meaning while messages still wait to be filed with it."""
    code = code_map.c
    rows = record.select(select(code.feed, code.system, code.code))
    locals_ = [Local(row.feed, row.system, row.code) for row in rows]
    counted = waits(record, locals_)
    return tuple(local for local in locals_ if local in counted)


def waits(record: Record, codes: Iterable[Local]) -> Mapping[Local, Waits]:
    """Return for each code how many messages wait for it; without one it is left out."""
    keys = {local.key(record.id_key): local for local in codes}
    found: dict[Local, Waits] = {}
    names = list(keys)
    for first in range(0, len(names), _AT_ONCE):
        here = [(bucket_of_key(key), key) for key in names[first : first + _AT_ONCE]]
        table = inbox_key.c
        counted = func.count(func.distinct(table.control_id)).label("times")
        statement = select(table.key, counted, func.min(table.received).label("oldest"))
        statement = statement.where(among((table.bucket, table.key), here)).group_by(table.key)
        found |= {keys[row.key]: Waits(row.times, row.oldest) for row in record.select(statement)}
    return found


def sent_since(record: Record, since: int) -> Mapping[str, int]:
    """Return by feed how many messages since then (microseconds) had a code without a meaning."""
    rows = work_list(record)
    keys = [Local(row.feed, row.system, row.code).key(record.id_key) for row in rows]
    table = inbox_key.c
    here = among((table.bucket, table.key), [(bucket_of_key(key), key) for key in keys])
    counted = func.count(func.distinct(table.control_id)).label("times")
    statement = select(table.feed, counted).where(here, table.received >= since)
    found = record.select(statement.group_by(table.feed)) if keys else ()
    return {row.feed: row.times for row in found}


def messages(record: Record, local: Local, most: int) -> Sequence[Row[Any]]:
    """Return the messages that wait for the code, whole rows of the inbox, oldest first."""
    key, table = local.key(record.id_key), inbox_key.c
    first = func.min(table.received)
    found = record.select(
        select(table.control_id)
        .where(table.bucket == bucket_of_key(key), table.key == key)
        .group_by(table.control_id)
        .order_by(first)
        .limit(most)
    )
    places = [
        (bucket_of_key(f"{local.feed}\x1f{row.control_id}"), local.feed, row.control_id)
        for row in found
    ]
    if not places:
        return ()
    here = inbox_table.c
    named = among((here.bucket, here.feed, here.control_id), places)
    statement = select(inbox_table).where(named, here.fate == "filed").order_by(here.received)
    return record.select(statement)


def tried(
    record: Record,
    access: Access,
    feeds: tuple[Feed, ...],
    row: Row[Any],
    given: tuple[Local, Tree],
) -> Trial:
    """Return what filing the message of *row* with the meaning would do. Nothing is done."""
    local, target = given

    def mean(writer: Writer) -> None:
        code_maps.set_meaning(writer, local.feed, (local.system, local.code), target)

    return trial.tried(record, access, feeds, row, first=mean, refiled=True)


def refiled(
    record: Record, access: Access, feeds: tuple[Feed, ...], row: Row[Any], local: Local
) -> str:
    """File the message of *row* with the meaning that its code has now; return its fate.

    What can't be filed any more, as its feed has changed, stays as it was filed.
    """
    read = replay.prepared(record, feeds, row)
    return replay.carried(record, access, read, partial(_refiled, local=local))


def forget(writer: Writer, local: Local, control_id: str) -> None:
    """Let no message with this control id wait for the code any longer."""
    key, table = local.key(writer.id_key), inbox_key.c
    writer.execute(
        delete(inbox_key).where(
            table.bucket == bucket_of_key(key),
            table.key == key,
            table.feed == local.feed,
            table.control_id == control_id,
        )
    )


def _refiled(
    writer: Writer, *, read: Read, buckets: frozenset[int] | None, local: Local
) -> str | Again:
    kept = read.arrival
    known = inbox.same(writer, kept)
    if known is None or known.fate != "filed" or isinstance(read.content, Verdict):
        forget(writer, local, kept.key)
        return str(known.fate) if known else ""
    occasion = Occasion(read.feed, read.header.control_id, buckets, refiled=True)
    outcome = reception.attempted(writer, read.content, occasion)
    if isinstance(outcome, Again):
        return outcome
    forget(writer, local, kept.key)
    entity = f"message:{kept.key}"
    if not isinstance(outcome, Outcome):
        writer.audit("message-replayed", outcome="4", entity=entity, reason=outcome.why.code)
        return "filed"
    flags = tuple(dict.fromkeys((*read.flags, *outcome.flags)))
    inbox.change_fate(writer, kept, Fated("filed", b"", flags=flags, made=outcome.made))
    meaning = f"{local.code} has a meaning now"
    waiting.note_act(writer, kept.place, "mapped", ("filed", ""), meaning)
    entity = outcome.report or entity
    writer.audit("message-replayed", patient=outcome.patient, entity=entity, reason=meaning)
    return "filed"
