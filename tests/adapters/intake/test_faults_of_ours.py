"""A fault of the portal's own costs no message and stops no queue: it is kept for a person."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DataError, OperationalError

from adapters.intake import filing, inbox, reception
from adapters.intake.feeds import LOOPBACK
from adapters.intake.inbox import Arrival
from adapters.intake.passing import TRIES
from adapters.intake.tables import inbox as kept
from fhir_server.record import Record

Send = Callable[..., bytes]
Message = Callable[..., str]
NO_TEXT = "\ud800"
"""What no database takes as text."""


def fates(record: Record) -> dict[str, tuple[str, str, int]]:
    rows = record.select(select(kept.c.control_id, kept.c.fate, kept.c.code, kept.c.copies))
    return {row.control_id: (row.fate, row.code, row.copies) for row in rows}


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Plants a fault in a step of reception, which the message MSG1 meets so many times."""

    def plant(step: str, times: int = 1000, error: Exception | None = None) -> list[str]:
        genuine, met = getattr(inbox, step), list[str]()

        def faulty(writer: Any, arrival: Arrival, *rest: Any) -> Any:
            if arrival.control_id == "MSG1" and len(met) < times:
                met.append(step)
                raise error or ZeroDivisionError
            return genuine(writer, arrival, *rest)

        monkeypatch.setattr(inbox, step, faulty)
        return met

    return plant


def test_a_message_that_meets_a_fault_of_ours_is_kept_for_a_person_and_the_feed_goes_on(
    record: Record, send: Send, message: Message, planted: Callable[..., list[str]]
) -> None:
    met = planted("is_reused")
    answer = send(message())
    assert b"MSA|AE|MSG1" in answer
    assert b"|207^" in answer
    assert len(met) == TRIES
    assert send(message()) == answer
    assert b"MSA|AA|MSG2" in send(message(control_id="MSG2", filler="LAB2"))
    assert fates(record) == {"MSG1": ("quarantined", "fault", 1), "MSG2": ("filed", "", 0)}


def test_a_value_that_no_column_takes_is_a_fault_of_ours(
    record: Record, send: Send, message: Message, planted: Callable[..., list[str]]
) -> None:
    planted("is_reused", error=DataError("INSERT", {}, ValueError()))
    assert b"MSA|AE|MSG1" in send(message())
    assert fates(record) == {"MSG1": ("quarantined", "fault", 0)}


def test_a_database_that_rests_is_none(
    record: Record, send: Send, message: Message, planted: Callable[..., list[str]]
) -> None:
    planted("is_reused", error=OperationalError("INSERT", {}, ValueError()))
    assert b"MSA|AR|MSG1" in send(message())
    assert fates(record) == {}


def test_it_is_answered_as_the_feed_agreed_on_what_is_kept_for_a_person(
    record: Record, send: Send, message: Message, planted: Callable[..., list[str]]
) -> None:
    planted("is_reused")
    assert b"MSA|AA|MSG1" in send(message(), replace(LOOPBACK, quarantine_ack="AA"))
    assert fates(record) == {"MSG1": ("quarantined", "fault", 0)}


def test_a_fault_that_is_over_at_the_next_try_costs_nothing(
    record: Record, send: Send, message: Message, planted: Callable[..., list[str]]
) -> None:
    planted("same", TRIES - 1)
    assert b"MSA|AA|MSG1" in send(message())
    assert fates(record) == {"MSG1": ("filed", "", 0)}


def test_what_can_not_be_kept_at_all_is_asked_for_again_and_costs_its_neighbours_nothing(
    record: Record, send: Send, message: Message, planted: Callable[..., list[str]]
) -> None:
    planted("keep")
    assert b"MSA|AR|MSG1" in send(message())
    assert b"MSA|AA|MSG2" in send(message(control_id="MSG2", filler="LAB2"))
    assert fates(record) == {"MSG2": ("filed", "", 0)}


def test_a_row_that_no_database_takes_costs_its_own_message_alone(
    record: Record, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = filing.accessions

    def faulty(content: Any) -> tuple[str, ...]:
        numbers = genuine(content)
        return (NO_TEXT,) if "LAB1" in numbers else numbers

    monkeypatch.setattr(filing, "accessions", faulty)
    texts = [message(control_id=f"MSG{number}", filler=f"LAB{number}") for number in range(1, 6)]
    futures = [reception.receive(record, (LOOPBACK,), text.encode(), "127.0.0.1") for text in texts]
    codes = [b"".join(one.result(timeout=30)).split(b"MSA|")[1][:7] for one in futures]
    assert codes == [b"AE|MSG1", b"AA|MSG2", b"AA|MSG3", b"AA|MSG4", b"AA|MSG5"]
    assert fates(record)["MSG1"] == ("quarantined", "fault", 0)


def test_a_fault_before_anything_is_written_keeps_the_message(
    record: Record, send: Send, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    def declared(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(filing, "declared", declared)
    assert b"MSA|AE|MSG1" in send(message())
    assert fates(record) == {"MSG1": ("quarantined", "fault", 0)}
