"""Hostile and odd framing on real sockets: what is answered, what is kept, and that it goes on."""

import asyncio
import socket
import struct
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from adapters.hl7v2.mllp import wrap
from adapters.intake.listener import Tally
from adapters.intake.tables import inbox
from fhir_server.record import Record
from tests.adapters.intake.line import QUICK, Message, Sender, kept, listening, numbered
from tests.adapters.intake.ward import Ward, answer_of

Connect = Callable[[], Awaitable[Sender]]


async def went_on(sender: Sender, message: Message) -> bool:
    """Tell whether the same connection carries the next good message to its answer."""
    await sender.send(numbered(message, 99))
    return b"MSA|AA|M99\r" in await sender.answer()


def rows(record: Record) -> dict[str, Any]:
    return {row.control_id: row for row in record.select(select(inbox))}


@pytest.mark.parametrize("junk", [b"\n", b"\x00\x00", b"2026-11-24 INFO connected\r\n"])
def test_junk_before_a_frame_is_passed_over_and_counted(
    record: Record, message: Message, junk: bytes
) -> None:
    async def scene() -> tuple[bytes, bool, int]:
        async with listening(record) as (connect, tally, _):
            sender = await connect()
            await sender.send(junk + numbered(message, 1))
            answer, on = await sender.answer(), await went_on(sender, message)
            return answer, on, tally.counts["frame-junk"]

    answer, on, counted = asyncio.run(scene())
    assert (b"MSA|AA|M1\r" in answer, on, counted) == (True, True, len(junk))
    assert rows(record)["M1"].flags == ""


def test_a_message_that_never_ends_is_kept_in_part_and_may_come_again_whole(
    record: Record, message: Message
) -> None:
    async def scene() -> tuple[bool, bytes, Tally]:
        async with listening(record, replace(QUICK, frame_seconds=0.3)) as (connect, tally, _):
            first = await connect()
            await first.send(b"\x0b" + message(control_id="M1").encode())
            closed = await first.closed()
            again = await connect()
            await again.send(wrap(message(control_id="M1").encode()))
            return closed, await again.answer(), tally

    closed, answer, tally = asyncio.run(scene())
    assert (closed, b"MSA|AA|M1\r" in answer) == (True, True)
    assert tally.counts["frame-unfinished"] == 1
    assert rows(record)["M1"].fate == "filed"


def test_what_a_broken_connection_leaves_is_kept_in_part_without_an_answer(
    record: Record, message: Message
) -> None:
    part = message(control_id="M1").encode()[:200]

    async def scene() -> None:
        async with listening(record) as (_, tally, port):
            rude = socket.create_connection(("127.0.0.1", port))
            rude.sendall(b"\x0b" + part)
            for _ in range(200):
                if tally.held:
                    break
                await asyncio.sleep(0.02)
            # A reset instead of an orderly end.
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            rude.close()
            for _ in range(200):
                if not tally.connections:
                    break
                await asyncio.sleep(0.02)
            assert tally.held == 0

    asyncio.run(scene())
    row = rows(record)["M1"]
    assert (row.fate, row.code, bytes(row.raw), bytes(row.ack)) == (
        "partial",
        "frame-unfinished",
        part,
        b"",
    )


@pytest.mark.parametrize(
    ("end", "flags"),
    [
        (b"\x1c\r\n", ""),
        (b"\x1c\n", "frame-no-cr"),
        (b"\x1c", "frame-no-cr"),
    ],
)
def test_the_ends_of_a_frame_that_senders_write_are_all_taken(
    record: Record, message: Message, end: bytes, flags: str
) -> None:
    async def scene() -> tuple[bytes, bool]:
        async with listening(record) as (connect, _, _):
            sender = await connect()
            await sender.send(b"\x0b" + message(control_id="M1").encode() + end)
            return await sender.answer(), await went_on(sender, message)

    answer, on = asyncio.run(scene())
    assert (b"MSA|AA|M1\r" in answer, on, kept(record)) == (True, True, 2)
    assert rows(record)["M1"].flags == flags


def test_pipelined_messages_are_answered_each_once_in_order(
    record: Record, message: Message
) -> None:
    async def scene() -> list[bytes]:
        async with listening(record) as (connect, _, _):
            sender = await connect()
            for number in range(50):
                await sender.send(numbered(message, number))
            return [await sender.answer() for _ in range(50)]

    answers = asyncio.run(scene())
    assert [answer_of(one).control_id for one in answers] == [f"M{n}" for n in range(50)]
    assert kept(record) == 50


@pytest.mark.parametrize("byte", ["\x1c", "\x0b"])
def test_a_framing_byte_inside_a_text_is_data(record: Record, ward: Ward, byte: str) -> None:
    text = f"OBX|2|ST|1234-5^Note^LN||before{byte}after||||||F\r"

    async def scene() -> tuple[bytes, bool]:
        async with listening(record) as (connect, _, _):
            sender = await connect()
            await sender.send(wrap(ward.message(more=text).encode()))
            return await sender.answer(), await went_on(sender, ward.message)

    answer, on = asyncio.run(scene())
    assert (b"MSA|AA|MSG1\r" in answer, on) == (True, True)
    assert byte.encode() in bytes(ward.row().raw)
    assert "text-replaced OBX[2]" in ward.flags()
    assert "before\ufffdafter" in ward.values()


def test_a_message_cut_by_the_next_is_kept_in_part_and_may_come_again_whole(
    record: Record, message: Message
) -> None:
    async def scene() -> list[bytes]:
        async with listening(record) as (connect, _, _):
            sender = await connect()
            await sender.send(numbered(message, 1)[:150] + numbered(message, 2))
            await sender.send(numbered(message, 1))
            return [await sender.answer(), await sender.answer()]

    answers = asyncio.run(scene())
    assert [answer_of(one).control_id for one in answers] == ["M2", "M1"]
    fates = sorted((row.control_id, row.fate, row.code) for row in record.select(select(inbox)))
    assert fates == [("M1", "filed", ""), ("M1", "partial", "frame-cut"), ("M2", "filed", "")]


def test_probes_are_counted_and_keep_nothing(record: Record, message: Message) -> None:
    async def scene() -> tuple[bool, Tally]:
        async with listening(record) as (connect, tally, port):
            socket.create_connection(("127.0.0.1", port)).close()
            sender = await connect()
            await sender.send(wrap(b"") + wrap(b"\r\n"))
            on = await went_on(sender, message)
            while not tally.counts["connect-only"]:
                await asyncio.sleep(0.02)
            return on, tally

    on, tally = asyncio.run(scene())
    assert (on, tally.counts["frame-empty"], tally.counts["connect-only"]) == (True, 2, 1)
    assert list(rows(record)) == ["M99"]


def test_a_document_of_ten_megabytes_is_filed_and_served_whole(
    record: Record, message: Message, ward: Ward
) -> None:
    pdf = b"%PDF-1.4\n" + bytes(range(256)) * 29_000 + b"\n%%EOF\n"
    encoded = b64encode(pdf).decode()
    document = message() + f"OBX|2|ED|LETTER^Letter^L||^AP^PDF^Base64^{encoded}||||||F\r"

    async def scene() -> tuple[bytes, bool]:
        async with listening(record) as (connect, _, _):
            sender = await connect()
            await sender.send(wrap(document.encode()))
            return await sender.answer(), await went_on(sender, message)

    answer, on = asyncio.run(scene())
    assert (b"MSA|AA|MSG1\r" in answer, on) == (True, True)
    (report,) = [one for one in ward.known("DiagnosticReport") if "presentedForm" in one]
    assert report["presentedForm"][0]["data"] == encoded


def test_a_copy_that_comes_while_the_first_is_at_work_gets_the_same_bytes(
    record: Record, message: Message
) -> None:
    async def scene() -> tuple[bytes, bytes]:
        async with listening(record) as (connect, _, _):
            one, other = await connect(), await connect()
            await asyncio.gather(one.send(numbered(message, 1)), other.send(numbered(message, 1)))
            return await one.answer(), await other.answer()

    first, second = asyncio.run(scene())
    assert first == second
    assert (kept(record), rows(record)["M1"].copies) == (1, 1)


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "wrong-protocol-tls"),
        (b"GET / HTTP/1.1\r\n\r\n", "wrong-protocol-http"),
        (b"POST /x HTTP/1.1\r\n\r\n", "wrong-protocol-http"),
    ],
)
def test_another_protocol_is_closed_counted_and_on_the_ledger(
    record: Record, ward: Ward, greeting: bytes, reason: str
) -> None:
    async def scene() -> tuple[bool, Tally]:
        async with listening(record) as (connect, tally, _):
            sender = await connect()
            await sender.send(greeting)
            return await sender.closed(), tally

    closed, tally = asyncio.run(scene())
    assert (closed, tally.counts[reason], rows(record)) == (True, 1, {})
    (entry,) = [one for one in ward.ledger() if one.get("outcomeDesc") == reason]
    assert "127.0.0.1" in {one.get("network", {}).get("address") for one in entry["agent"]}
