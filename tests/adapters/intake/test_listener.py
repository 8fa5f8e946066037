"""The listener on real sockets: order, patience and limits; every answer after its commit."""

import asyncio
import socket
from dataclasses import replace

import pytest

from adapters.hl7v2.mllp import wrap
from adapters.intake.listener import Tally, hang_up
from fhir_server.record import Record
from tests.adapters.intake.line import QUICK, Message, kept, listening, numbered


def test_twenty_messages_in_one_packet_are_answered_in_order(
    record: Record, message: Message
) -> None:
    async def scene() -> list[bytes]:
        async with listening(record) as (connect, _, _):
            sender = await connect()
            await sender.send(b"".join(numbered(message, number) for number in range(20)))
            return [await sender.answer() for _ in range(20)]

    answers = asyncio.run(scene())
    assert [b"MSA|AA|M%d\r" % number in one for number, one in enumerate(answers)] == [True] * 20
    assert kept(record) == 20


def test_one_byte_a_packet_is_one_message(record: Record, message: Message) -> None:
    async def scene() -> bytes:
        async with listening(record) as (connect, _, _):
            sender = await connect()
            for byte in numbered(message, 1):
                await sender.send(bytes([byte]))
            return await sender.answer()

    assert b"MSA|AA|M1" in asyncio.run(scene())
    assert kept(record) == 1


def test_a_frame_without_its_last_return_is_taken_after_a_short_silence(
    record: Record, message: Message
) -> None:
    async def scene() -> tuple[bytes, bytes]:
        async with listening(record) as (connect, _, _):
            sender = await connect()
            await sender.send(numbered(message, 1)[:-1])
            first = await sender.answer()
            await sender.send(numbered(message, 2))
            return first, await sender.answer()

    first, second = asyncio.run(scene())
    assert (b"MSA|AA|M1" in first, b"MSA|AA|M2" in second) == (True, True)


def test_an_empty_frame_and_junk_get_no_answer_and_the_next_message_does(
    record: Record, message: Message
) -> None:
    async def scene() -> tuple[bytes, Tally]:
        async with listening(record) as (connect, tally, _):
            sender = await connect()
            await sender.send(b"\n\x00log text" + wrap(b"") + numbered(message, 1))
            return await sender.answer(), tally

    answer, tally = asyncio.run(scene())
    assert b"MSA|AA|M1" in answer
    assert (tally.counts["frame-empty"], tally.counts["frame-junk"]) == (1, 10)


def test_a_message_cut_by_the_next_one_is_kept_and_not_answered(
    record: Record, message: Message
) -> None:
    async def scene() -> bytes:
        async with listening(record) as (connect, _, _):
            sender = await connect()
            await sender.send(numbered(message, 1)[:100] + numbered(message, 2))
            return await sender.answer()

    assert b"MSA|AA|M2" in asyncio.run(scene())
    assert (kept(record, "filed"), kept(record, "partial")) == (1, 1)


def test_a_frame_over_the_limit_is_refused_with_its_control_id_and_the_connection_closed(
    record: Record, message: Message
) -> None:
    async def scene() -> tuple[bytes, bool]:
        async with listening(record, replace(QUICK, frame=10_000)) as (connect, _, _):
            sender = await connect()
            await sender.send(b"\x0b" + message().encode() + b"X" * 20_000)
            return await sender.answer(), await sender.closed()

    answer, closed = asyncio.run(scene())
    assert b"MSA|AR|MSG1" in answer
    assert b"frame-too-large" in answer
    assert closed


@pytest.mark.parametrize("greeting", [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n"])
def test_another_protocol_is_recognised_and_closed(record: Record, greeting: bytes) -> None:
    async def scene() -> bool:
        async with listening(record) as (connect, _, _):
            sender = await connect()
            await sender.send(greeting)
            return await sender.closed()

    assert asyncio.run(scene())
    assert kept(record, "refused") == 0


def test_a_slow_sender_meets_its_limit_and_costs_the_others_nothing(
    record: Record, message: Message
) -> None:
    async def scene() -> tuple[bytes, bool]:
        limits = replace(QUICK, frame_seconds=0.5)
        async with listening(record, limits) as (connect, _, _):
            slow, quick = await connect(), await connect()
            await slow.send(b"\x0bMSH|")
            await quick.send(numbered(message, 1))
            return await quick.answer(), await slow.closed()

    answer, closed = asyncio.run(scene())
    assert b"MSA|AA|M1" in answer
    assert closed


def test_a_connection_too_many_is_refused_at_once(record: Record, message: Message) -> None:
    async def scene() -> tuple[bool, bytes]:
        async with listening(record, replace(QUICK, connections=1)) as (connect, _, _):
            first = await connect()
            await first.send(numbered(message, 1))
            answer = await first.answer()
            second = await connect()
            return await second.closed(), answer

    closed, answer = asyncio.run(scene())
    assert closed
    assert b"MSA|AA|M1" in answer


def test_a_sender_that_hangs_up_without_reading_finds_its_message_filed(
    record: Record, message: Message
) -> None:
    async def scene() -> bytes:
        async with listening(record) as (connect, tally, port):
            with socket.create_connection(("127.0.0.1", port)) as rude:
                rude.sendall(numbered(message, 1))
            for _ in range(200):
                if kept(record):
                    break
                await asyncio.sleep(0.05)
            again = await connect()
            await again.send(numbered(message, 1))
            assert tally.counts["connections"] == 2
            return await again.answer()

    assert b"MSA|AA|M1" in asyncio.run(scene())
    assert kept(record) == 1


def test_a_stop_answers_what_was_received_whole(record: Record, message: Message) -> None:
    async def scene() -> list[bytes]:
        async with listening(record) as (connect, tally, _):
            sender = await connect()
            await sender.send(b"".join(numbered(message, number) for number in range(5)))
            first = await sender.answer()
            hang_up(tally)
            answers = [first]
            while True:
                try:
                    answers.append(await sender.answer())
                except ConnectionError:
                    return answers

    answers = asyncio.run(scene())
    assert kept(record) == len(answers)
    assert all(b"MSA|AA" in one for one in answers)


def test_a_stop_in_the_middle_of_a_message_keeps_nothing_of_it(
    record: Record, message: Message
) -> None:
    async def scene() -> bool:
        async with listening(record) as (connect, tally, _):
            sender = await connect()
            await sender.send(numbered(message, 1)[:-20])
            while not tally.held:
                await asyncio.sleep(0.01)
            hang_up(tally)
            return await sender.closed()

    assert asyncio.run(scene())
    assert (kept(record, "partial"), kept(record)) == (0, 0)
