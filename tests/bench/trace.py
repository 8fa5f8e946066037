"""How long it takes to find messages among a million: `make bench BENCH=trace`.

As they come in a day of the busiest sort: each with 2,000 bytes, a control id, an accession and a
person, one in a hundred set aside. Every look goes the way of the operator's page, but for the
ledger's entry. `python -m tests.bench.trace ROWS` takes another number of messages.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from statistics import quantiles
from typing import Any

from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table
from sqlalchemy import Connection, insert, text

from adapters.intake import message_keys, tracing
from adapters.intake.inbox import bucket_of_key
from adapters.intake.tables import inbox, inbox_key, inbox_waiting
from adapters.intake.tracing import Span
from fhir_server.clock import from_micros
from fhir_server.model.identifiers import NhsNumber
from fhir_server.record import Record
from fhir_server.store.engine import Engines, open_engines
from portal_api import feed_health
from tests.bench import stores
from tests.bench.messages import nhs_numbers

ROWS = 1_000_000
LOOKS = 200

_FEEDS, _PERSONS, _AT_ONCE = 12, 20_000, 10_000
_SET_ASIDE_EVERY = 100
_BEGIN = 1_764_000_000_000_000
_DAY = 86_400_000_000

Look = Callable[[], object]


@contextmanager
def filled(url: str, rows: int, progress: Progress, name: str) -> Iterator[Record]:
    """Give a record over the database at *url*, with so many messages in it."""
    engines = open_engines(url, is_patient=True)
    record = Record(engines, clock=lambda: from_micros(_BEGIN + _DAY - 1))
    try:
        _fill(record, rows, progress, progress.add_task(f"{name}: messages", total=rows))
        yield record
    finally:
        record.close()


def _fill(record: Record, rows: int, progress: Progress, task: TaskID) -> None:
    keys = [message_keys.of_person(record.id_key, number) for number in _numbers()]
    with _unsafely(record.engines) as connection:
        for first in range(0, rows, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, rows))
            messages = [_message(n, rows) for n in numbers]
            with connection.begin():
                connection.execute(insert(inbox), messages)
                connection.execute(insert(inbox_key), list(_keys(numbers, keys, rows)))
                waits = [one | {"answered": "AE"} for one in messages if one["fate"] != "filed"]
                names = inbox_waiting.c.keys()
                lines = [{name: one[name] for name in names} for one in waits]
                connection.execute(insert(inbox_waiting), lines)
            progress.advance(task, len(numbers))
    if not record.engines.is_sqlite:
        with record.engines.reader.connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))


@contextmanager
def _unsafely(engines: Engines) -> Iterator[Connection]:
    """Give a connection that writes fast what can be made again."""
    with engines.writer.connect() as connection:
        if engines.is_sqlite:
            driver: Any = connection.connection.dbapi_connection
            driver.execute("PRAGMA synchronous=OFF")
            driver.execute("PRAGMA cache_size=-1000000")
        else:
            connection.execute(text("SET synchronous_commit=off"))
            connection.commit()
        yield connection
        connection.invalidate()


def _received(n: int, rows: int) -> int:
    return _BEGIN + n * _DAY // rows


def _message(n: int, rows: int) -> dict[str, Any]:
    feed, control_id = f"feed{n % _FEEDS}", f"M{n}"
    aside = n % _SET_ASIDE_EVERY == 0
    return {
        "bucket": bucket_of_key(f"{feed}\x1f{control_id}"),
        "feed": feed,
        "control_id": control_id,
        "sha256": f"{n:064x}",
        "received": _received(n, rows),
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


def _keys(numbers: range, persons: list[str], rows: int) -> Iterator[dict[str, Any]]:
    for n in numbers:
        for key in (f"M{n}", f"LAB{n}", persons[n % _PERSONS]):
            yield {
                "bucket": bucket_of_key(key),
                "key": key,
                "received": _received(n, rows),
                "feed": f"feed{n % _FEEDS}",
                "control_id": f"M{n}",
                "sha256": f"{n:064x}",
            }


def _numbers() -> list[NhsNumber]:
    found = (NhsNumber.parse(one) for one in nhs_numbers(_PERSONS))
    return [number for number in found if number is not None]


def looks(record: Record, rows: int) -> Iterator[tuple[str, Look]]:
    """Yield each kind of look by its name; each time it is taken it looks for something else."""
    random = Random(1)
    persons = _numbers()[:rows]

    def some() -> int:
        return random.randrange(rows)

    def at() -> int:
        return _received(some(), rows)

    def by_time(span: Span) -> Look:
        return lambda: tracing.by_time(record, span, (at(), "f"))

    yield "control id", lambda: tracing.by_key(record, f"M{some()}").rows[0]
    yield "accession", lambda: tracing.by_key(record, f"LAB{some()}").rows[0]
    yield "NHS number", lambda: tracing.by_key(record, random.choice(persons).digits).rows[0]
    yield "time, all feeds", by_time(Span())
    yield "time, one feed", by_time(Span(feed="feed3"))
    yield "time, quarantined", by_time(Span(fate="quarantined"))
    yield "time, a fate that none has", by_time(Span(fate="refused"))
    yield "one message", lambda: _one(record, some(), rows)
    midnight = from_micros(_BEGIN)
    yield "health of all feeds", lambda: feed_health.feeds_today(record, midnight)


def _one(record: Record, n: int, rows: int) -> object:
    message = _message(n, rows)
    found = tracing.one(record, message["feed"], tracing.mark_of(message))
    if found is None:
        raise LookupError(n)
    return found


def spans(look: Look) -> list[float]:
    """Return how many milliseconds *look* took, each of `LOOKS` times."""
    found = []
    for _ in range(LOOKS):
        begun = time.perf_counter()
        look()
        found.append(1000 * (time.perf_counter() - begun))
    return found


def main() -> None:
    """Measure and print; nothing is judged."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    console = Console(width=100)
    title = f"{rows:,} messages of one day: ms, median · 95th percentile"
    table = Table("look", "SQLite", "PostgreSQL", title=title)
    shown: dict[str, list[str]] = {}
    with (
        stores.sqlite() as one,
        stores.postgresql() as other,
        Progress(console=console) as progress,
    ):
        for name, fresh in (("SQLite", one), ("PostgreSQL", other)):
            with filled(fresh(), rows, progress, name) as record:
                for look, take in looks(record, rows):
                    parts = quantiles(spans(take), n=20)
                    shown.setdefault(look, []).append(f"{parts[9]:.1f} · {parts[-1]:.1f}")
    for look, cells in shown.items():
        table.add_row(look, *cells)
    console.print(table)


if __name__ == "__main__":
    main()
