"""Portals that are broken on purpose: a test that never failed proves nothing.

Each is planted in a process that becomes a portal (`planted`), never in the program itself.
"""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from secrets import token_hex
from threading import Timer
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import RootTransaction, Transaction
from sqlalchemy.exc import DBAPIError

from adapters.hl7v2.ack import acknowledge
from adapters.hl7v2.header import Header
from adapters.intake import inbox, reception
from adapters.intake.inbox import Arrival
from adapters.intake.reading import Read
from adapters.intake.reception import Answers
from fhir_server import clock
from fhir_server.record import Record
from fhir_server.store.engine import Engines, open_engines
from portal_api import opening

LATE = 0.3
"""Seconds by which the commit is later than the answer."""


def planted(mutant: Callable[[], None] | None) -> str:
    """Return the Python that breaks a portal so, to be run before it; nothing for a sound one."""
    if mutant is None:
        return ""
    return f"from tests.faults import mutants; mutants.{mutant.__name__}()"


def acknowledge_too_soon() -> None:
    """Answer AA first, and file the message a moment later."""
    genuine = reception.answered

    def answered(record: Record, read: Read) -> "Future[Answers]":
        Timer(LATE, genuine, (record, read)).start()
        told: Future[Answers] = Future()
        told.set_result(_taken(read.header))
        return told

    reception.answered = answered


def acknowledge_what_was_not_kept() -> None:
    """Answer AA where nothing could be written."""

    def busy(asked: Header | Read, now: datetime) -> Answers:  # noqa: ARG001
        return _taken(asked.header if isinstance(asked, Read) else asked)

    for name in ("busy", "_busy"):
        setattr(reception, name, busy)


def take_no_error_for_an_answer() -> None:
    """Answer success where the COMMIT failed, or its outcome is unknown."""
    genuine = RootTransaction.commit

    def commit(transaction: Transaction) -> None:
        with suppress(DBAPIError):
            genuine(transaction)

    RootTransaction.commit = commit  # type: ignore[assignment, method-assign]


def forget_what_came() -> None:
    """Take a message that is sent again for a new one."""
    genuine = inbox.keep

    def keep(writer: Any, arrival: Arrival, fated: Any) -> None:
        genuine(writer, replace(arrival, sha256=token_hex(32)), fated)

    inbox.keep = keep
    inbox.same = lambda *_: None
    inbox.is_reused = lambda *_: False


def sync_now_and_then() -> None:
    """Leave it to the database when a commit reaches the disk."""
    settings = {"sqlite": "PRAGMA synchronous=NORMAL", "postgresql": "SET synchronous_commit=off"}

    def opened(url: str, *, is_patient: bool = False) -> Engines:
        engines = open_engines(url, is_patient=is_patient)

        def connected(connection: Any, _: Any) -> None:
            connection.cursor().execute(settings[engines.writer.dialect.name]).close()
            if not engines.is_sqlite:
                connection.commit()

        event.listen(engines.writer, "connect", connected)
        return engines

    opening.open_engines = opened  # type: ignore[attr-defined]


def _taken(header: Header) -> Answers:
    return (acknowledge(header, "AA", control_id="P1", sent=clock.now()),)
