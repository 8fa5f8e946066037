"""Portals that are broken on purpose: a test that never failed proves nothing."""

from concurrent.futures import Future
from threading import Timer

from adapters.hl7v2.ack import acknowledge
from adapters.intake import reception
from adapters.intake.reception import Answers, Read
from fhir_server.clock import now
from fhir_server.record import Record

LATE = 0.3
"""Seconds by which the commit is later than the answer."""


def acknowledge_too_soon() -> None:
    """Make the portal answer AA first, and file the message a moment later."""
    genuine = reception.answered

    def answered(record: Record, read: Read) -> "Future[Answers]":
        Timer(LATE, genuine, (record, read)).start()
        told: Future[Answers] = Future()
        told.set_result((acknowledge(read.header, "AA", control_id="P1", sent=now()),))
        return told

    reception.answered = answered
