"""A portal for synthetic people alone keeps nothing about anybody who may exist.

The numbers of somebody are made here, so that none stands in a file.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from adapters.hl7v2.mllp import wrap
from adapters.intake import synthetic
from adapters.intake.admission import Peer
from adapters.intake.desk import at_desk
from adapters.intake.feed_settings import decode, encode
from adapters.intake.feeds import LOOPBACK, Feed
from adapters.intake.listener import Left, Limits, Tally
from adapters.intake.registry import agree, listening_for
from adapters.intake.tables import inbox
from fhir_server.access import Access, Agent, NoRecord
from fhir_server.model.identifiers import check_digit
from fhir_server.record import Record

Send = Callable[..., bytes]
Message = Callable[..., str]

ONLY_SYNTHETIC = replace(LOOPBACK, synthetic_only=True)


def somebody() -> str:
    nine = "400000000"
    return f"{nine}{check_digit(nine)}"


def kept(record: Record) -> list[tuple[str, bytes]]:
    return [(row.fate, bytes(row.raw)) for row in record.select(select(inbox.c.fate, inbox.c.raw))]


def test_a_message_about_somebody_is_refused_and_its_bytes_are_not_kept(
    record: Record, send: Send, message: Message
) -> None:
    answer = send(message(nhs_number=somebody()), ONLY_SYNTHETIC)
    assert b"MSA|AR|MSG1" in answer
    assert b"999 000 0000" in answer
    assert kept(record) == [("refused", b"")]


def test_a_message_about_a_synthetic_person_is_filed(
    record: Record, send: Send, message: Message
) -> None:
    assert b"MSA|AA|MSG1" in send(message(), ONLY_SYNTHETIC)
    assert [fate for fate, _ in kept(record)] == ["filed"]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("ORU^R01", "ADT^A24"),
        lambda text: text.replace("|LIMS|", "|OTHER|"),
        lambda text: text.replace("OBR|1", "XYZ|1"),
        lambda text: text.replace("^^^NHS^NH", "^^^RXX^MR"),
        lambda text: text.replace(
            somebody(), f"{somebody()[:3]} {somebody()[3:6]}-{somebody()[6:]}"
        ),
        lambda text: text.replace("|", "!"),
    ],
    ids=["another type", "no feed", "broken", "as a local number", "spaced", "other delimiters"],
)
def test_no_way_of_writing_it_gets_it_kept(
    record: Record, send: Send, message: Message, change: Callable[[str], str]
) -> None:
    feed = replace(ONLY_SYNTHETIC, sending_application="LIMS")
    send(change(message(nhs_number=somebody())), feed)
    assert kept(record) == [("refused", b"")]


def test_a_number_in_escapes_is_found_once_it_is_read(
    record: Record, send: Send, message: Message
) -> None:
    number = somebody()
    send(message(nhs_number=f"\\X{ord(number[0]):02X}\\{number[1:]}"), ONLY_SYNTHETIC)
    assert [raw for _, raw in kept(record) if number[1:].encode() in raw] == []


def test_an_ordinary_feed_takes_everybody(record: Record, send: Send, message: Message) -> None:
    assert b"MSA|AA|MSG1" in send(message(nhs_number=somebody()))
    assert [fate for fate, _ in kept(record)] == ["filed"]


def test_every_feed_of_a_demonstration_is_for_synthetic_people_however_agreed(
    record: Record,
) -> None:
    access = Access(Agent("operator"), "test", NoRecord(), {})
    record.submit(access, lambda writer: agree(writer, Feed(name="late"))).result(timeout=30)
    found = listening_for(record, loopback=True, synthetic_only=True)
    assert [(feed.name, feed.synthetic_only) for feed in found] == [("late", True)]
    assert [feed.synthetic_only for feed in listening_for(record, loopback=True)] == [False]


def test_the_setting_survives_being_kept() -> None:
    assert decode(encode(ONLY_SYNTHETIC)) == ONLY_SYNTHETIC


async def _left(record: Record, part: bytes) -> None:
    reception = at_desk(record, lambda: (ONLY_SYNTHETIC,), Limits(), Tally())
    await reception.leave(Left(part, "frame-cut", len(part)), Peer("127.0.0.1"))


def test_a_frame_that_was_cut_off_is_not_kept_either(record: Record, message: Message) -> None:
    part = wrap(message(nhs_number=somebody()).encode())[:300]
    asyncio.run(_left(record, part))
    assert [raw for _, raw in kept(record)] == [b""]
    assert record.select(select(func.count()).select_from(inbox))[0][0] == 1


def test_times_and_telephones_are_not_taken_for_numbers() -> None:
    line = b"PID|1||9990000018^^^NHS^NH||X^Y||19550301083000|M|||||01514960101^PRN"
    assert not synthetic.may_name_a_person(line)
