"""How long it takes to find a message among a million: `python -m tests.bench.tracing [rows]`.

Each row has 2,000 bytes of message, a control id, an accession and a person. Every look goes the
way of the operator's page, but for the ledger's entry.
"""

import sys
import time
from collections.abc import Callable, Iterator
from random import Random
from statistics import quantiles
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import insert, text

from adapters.intake import message_keys, tracing
from adapters.intake.inbox import bucket_of_key
from adapters.intake.tables import inbox, inbox_key, inbox_waiting
from adapters.intake.tracing import Span
from fhir_server.clock import from_micros
from fhir_server.model.identifiers import NhsNumber
from fhir_server.record import Record
from fhir_server.store.engine import open_engines
from portal_api import feed_health
from tests.bench import stores
from tests.bench.messages import nhs_numbers

ROWS = 1_000_000
LOOKS = 200

_FEEDS, _PERSONS, _AT_ONCE = 12, 20_000, 10_000
_SET_ASIDE_EVERY = 100
_STEP = 2_000_000
"""Microseconds between two messages: a million of them in three weeks."""
_BEGIN = 1_764_000_000_000_000

Look = Callable[[], object]


def measure(url: str, rows: int) -> dict[str, float]:
    """Fill the database at *url*; return milliseconds at the 95th percentile, by kind of look."""
    engines = open_engines(url)
    record = Record(engines, clock=lambda: from_micros(_BEGIN + rows * _STEP))
    try:
        _fill(record, rows)
        if not engines.is_sqlite:
            with engines.writer.begin() as connection:
                connection.execute(text("ANALYZE"))
        return {name: _p95(look) for name, look in _looks(record, rows)}
    finally:
        record.close()


def _fill(record: Record, rows: int) -> None:
    keys = [message_keys.of_person(record.id_key, number) for number in _numbers()]
    for first in range(0, rows, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, rows))
        messages = [_message(n) for n in numbers]
        with record.engines.writer.begin() as connection:
            connection.execute(insert(inbox), messages)
            connection.execute(insert(inbox_key), list(_keys(numbers, keys)))
            waits = [one | {"answered": "AE"} for one in messages if one["fate"] != "filed"]
            names = inbox_waiting.c.keys()
            lines = [{name: one[name] for name in names} for one in waits]
            connection.execute(insert(inbox_waiting), lines)


def _message(n: int) -> dict[str, Any]:
    feed, control_id = f"feed{n % _FEEDS}", f"M{n}"
    aside = n % _SET_ASIDE_EVERY == 0
    return {
        "bucket": bucket_of_key(f"{feed}\x1f{control_id}"),
        "feed": feed,
        "control_id": control_id,
        "sha256": f"{n:064x}",
        "received": _BEGIN + n * _STEP,
        "message_type": "ORU^R01",
        "peer": "10.1.2.3",
        "fate": "quarantined" if aside else "filed",
        "code": "date-bad" if aside else "",
        "address": "",
        "reason": "",
        "flags": "",
        "made": "DiagnosticReport/x/_history/1",
        "copies": 0,
        "raw": b"%08d" % n + b"x" * 1_992,
        "ack": b"y" * 150,
    }


def _keys(numbers: range, persons: list[str]) -> Iterator[dict[str, Any]]:
    for n in numbers:
        for key in (f"M{n}", f"LAB{n}", persons[n % _PERSONS]):
            yield {
                "bucket": bucket_of_key(key),
                "key": key,
                "received": _BEGIN + n * _STEP,
                "feed": f"feed{n % _FEEDS}",
                "control_id": f"M{n}",
                "sha256": f"{n:064x}",
            }


def _numbers() -> list[NhsNumber]:
    found = (NhsNumber.parse(one) for one in nhs_numbers(_PERSONS))
    return [number for number in found if number is not None]


def _looks(record: Record, rows: int) -> Iterator[tuple[str, Look]]:
    random = Random(1)
    persons = _numbers()[:rows]

    def some() -> int:
        return random.randrange(rows)

    def at() -> int:
        return _BEGIN + some() * _STEP

    yield "control id", lambda: tracing.by_key(record, f"M{some()}").rows[0]
    yield "accession", lambda: tracing.by_key(record, f"LAB{some()}").rows[0]
    yield "NHS number", lambda: tracing.by_key(record, random.choice(persons).digits).rows[0]
    yield "time, all feeds", lambda: tracing.by_time(record, Span(until=at()))
    yield "time, one feed", lambda: tracing.by_time(record, Span(feed="feed3", until=at()))
    aside = Span(fate="quarantined")
    yield "set aside, all feeds", lambda: tracing.by_time(record, aside, (at(), "f"))
    yield "one message", lambda: _one(record, some())
    midnight = from_micros(_BEGIN + rows * _STEP)
    yield "health of all feeds", lambda: feed_health.feeds_today(record, midnight)


def _one(record: Record, n: int) -> object:
    message = _message(n)
    found = tracing.one(record, message["feed"], tracing.mark_of(message))
    if found is None:
        raise LookupError(n)
    return found


def _p95(look: Look) -> float:
    spans = []
    for _ in range(LOOKS):
        begun = time.perf_counter()
        look()
        spans.append(time.perf_counter() - begun)
    return 1000 * quantiles(spans, n=20)[-1]


def main() -> None:
    """Measure and print; nothing is judged."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    table = Table(f"ms at the 95th percentile, {rows:,} messages", "SQLite", "PostgreSQL")
    with stores.sqlite() as one, stores.postgresql() as other:
        found = [measure(fresh(), rows) for fresh in (one, other)]
    for name in found[0]:
        table.add_row(name, *(f"{each[name]:.1f}" for each in found))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
