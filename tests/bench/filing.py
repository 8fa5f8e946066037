"""Messages filed per second, through the whole listener, against the bare rows that they become."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, Table, event, insert

from adapters.intake.desk import at_desk
from adapters.intake.feeds import LOOPBACK
from adapters.intake.listener import Limits, Tally, listen
from adapters.intake.reception import receive
from fhir_server import insertion, prepared
from fhir_server.record import Record
from fhir_server.store.engine import open_engines
from portal_api.running import settle_memory
from tests.bench.messages import PEOPLE, nhs_numbers, oru
from tests.bench.stores import Fresh, Tasks, in_a_loop, load

CONNECTIONS = 8
RESULTS = (5, 20)
WARMING, MEASURED = 50, 300

Rows = dict[str, list[Any]]
"""Statement to the rows that it inserts."""


@dataclass(frozen=True, slots=True)
class Filing:
    """Messages a second, filed and as bare rows; messages to a commit and rows of one, on average;
    the seconds of the processor's time for one; the wait for an answer, in seconds, that 99 of 100
    do not exceed when half as many are sent."""

    filed: float
    raw: float
    group: float
    rows: float
    cpu: float
    p99: float


def measure(fresh: Fresh, results: int) -> Filing:
    """Measure filing messages of *results* each; then write the same rows bare, in groups alike."""
    filed, group, cpu, p99 = through_the_listener(fresh(), results)
    rows = _rows(fresh(), results)
    raw = _bare(fresh(), rows, max(1, round(group)))
    count = sum(len(lines) for one in rows for lines in one.values()) / len(rows)
    return Filing(filed, raw, group, count, cpu, p99)


def through_the_listener(url: str, results: int) -> tuple[float, float, float, float]:
    """Return messages a second, messages to a commit, processor seconds of a message, and the p99
    of the wait for an answer at half that rate."""
    settle_memory()  # as a portal does that runs
    with _opened(url) as record:
        groups = _counted(record)

        async def begin(_: Tasks) -> int:
            reception = at_desk(record, lambda: (LOOPBACK,), Limits(), Tally())
            server = await listen(reception, "127.0.0.1", 0)
            return int(server.sockets[0].getsockname()[1])

        with in_a_loop(begin) as port:
            load("mllp", port, CONNECTIONS, 0, WARMING, results)
            groups.clear()
            cpu = time.process_time()
            seconds = load("mllp", port, CONNECTIONS, WARMING, MEASURED, results)
            cpu, group = time.process_time() - cpu, MEASURED / len(groups)
            first, rate = WARMING + MEASURED, MEASURED / seconds / 2
            p99 = load("paced", port, CONNECTIONS, first, MEASURED, results, rate)
    return MEASURED / seconds, group, cpu / MEASURED, p99


def _rows(url: str, results: int) -> list[Rows]:
    """Return the rows of each message, by the insertion of one."""
    people, messages = nhs_numbers(PEOPLE), list[Rows]()
    with _opened(url) as record, patch.object(insertion, "insert", _one_by_one):

        def keep(*called: Any) -> None:
            _, _, statement, parameters, _, many = called
            if statement.startswith("INSERT") and messages:
                messages[-1][statement].extend(parameters if many else [parameters])

        event.listen(record.engines.writer, "before_cursor_execute", keep)
        for number in range(WARMING + MEASURED):
            if number >= WARMING:
                messages.append(defaultdict(list))
            raw = oru(number, results, people[number % PEOPLE])
            receive(record, (LOOPBACK,), raw, "127.0.0.1").result(30)
    return messages


def _one_by_one(connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    ready = prepared.prepared(insert(table), connection.dialect)
    prepared.send(connection, ready.text, rows, "executemany")


def _bare(url: str, messages: list[Rows], group: int) -> float:
    with _opened(url) as record, record.engines.writer.connect() as connection:
        begun = time.perf_counter()
        for first in range(0, len(messages), group):
            rows: Rows = defaultdict(list)
            for one in messages[first : first + group]:
                for statement, lines in one.items():
                    rows[statement].extend(lines)
            with connection.begin():
                for statement, lines in rows.items():
                    connection.exec_driver_sql(statement, lines)
        return len(messages) / (time.perf_counter() - begun)


@contextmanager
def _opened(url: str) -> Iterator[Record]:
    record = Record(open_engines(url))
    try:
        yield record
    finally:
        record.close()


def _counted(record: Record) -> list[int]:
    """Return the list to which the size of every group that is committed will be added."""
    sizes, committer = list[int](), record._committer
    genuine = committer._transact

    def counted(group: Any, **more: Any) -> Any:
        sizes.append(len(group))
        return genuine(group, **more)

    committer._transact = counted  # type: ignore[method-assign]
    return sizes
