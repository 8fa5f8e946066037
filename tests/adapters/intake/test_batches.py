"""Several messages in one frame: one answer, each message its own transaction."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from adapters.hl7v2.dialect import Dialect
from adapters.intake.batches import receive
from adapters.intake.feeds import LOOPBACK, Feed
from adapters.intake.tables import inbox
from fhir_server.record import Record

Message = Callable[..., str]
BATCHES = replace(LOOPBACK, dialect=Dialect(batches=True))


def answer(record: Record, payload: str, feed: Feed = BATCHES) -> bytes:
    (one,) = receive(record, (feed,), payload.encode(), "127.0.0.1").result(timeout=30)
    return one


def fates(record: Record) -> dict[str, str]:
    return {row.control_id: row.fate for row in record.select(select(inbox))}


@pytest.fixture
def three(message: Message) -> list[str]:
    return [message(control_id=f"M{n}", filler=f"L{n}") for n in range(3)]


def test_a_batch_is_answered_with_a_batch_of_its_answers(record: Record, three: list[str]) -> None:
    payload = "BHS|^~\\&|LIMS\r" + "".join(three) + "BTS|3\r"
    sent = answer(record, payload)
    assert sent.startswith(b"BHS|")
    assert sent.endswith(b"BTS|3\r")
    assert [sent.count(b"MSA|AA|M%d" % n) for n in range(3)] == [1, 1, 1]
    assert fates(record) == {"M0": "filed", "M1": "filed", "M2": "filed"}


def test_bare_messages_are_answered_with_the_worst_of_their_answers(
    record: Record, three: list[str]
) -> None:
    three[1] = three[1].replace("PID|1||9990000018^^^NHS^NH", "PID|1||")
    sent = answer(record, "".join(three))
    assert b"MSA|AE|M1" in sent
    assert fates(record) == {"M0": "filed", "M1": "quarantined", "M2": "filed"}


def test_a_batch_that_was_not_agreed_on_is_refused_whole(record: Record, three: list[str]) -> None:
    sent = answer(record, "".join(three), LOOPBACK)
    assert b"MSA|AR|M0" in sent
    assert b"batch-unexpected" in sent
    assert list(fates(record).values()) == ["refused"]
