"""Limits of size, number and patience on real sockets: who meets one costs the others nothing."""

import asyncio
import socket
from dataclasses import replace
from hashlib import sha256
from typing import Any

from sqlalchemy import select

from adapters.hl7v2.mllp import wrap
from adapters.intake.feeds import LOOPBACK
from adapters.intake.listener import Tally
from adapters.intake.tables import inbox
from fhir_server.record import Record
from tests.adapters.intake.line import QUICK, Message, Sender, listening, numbered
from tests.adapters.intake.ward import answer_of


async def went_on(sender: Sender, message: Message) -> bool:
    """Tell whether the same connection carries the next good message to its answer."""
    await sender.send(numbered(message, 99))
    return b"MSA|AA|M99\r" in await sender.answer()


def rows(record: Record) -> dict[str, Any]:
    return {row.control_id: row for row in record.select(select(inbox))}


def test_what_is_over_the_feeds_limit_is_refused_with_its_head_its_size_and_its_hash(
    record: Record, message: Message
) -> None:
    sent = message(control_id="M1").encode() + b"X" * 200_000
    feed = replace(LOOPBACK, frame_limit=100_000)

    async def scene() -> tuple[bytes, bool]:
        async with listening(record, feeds=(feed,)) as (connect, _, _):
            sender = await connect()
            await sender.send(b"\x0b" + sent)
            return await sender.answer(), await sender.closed()

    answer, closed = asyncio.run(scene())
    assert closed
    assert answer_of(answer).fault == ("AR", "102", "frame-too-large", "MSH.1")
    row = rows(record)["M1"]
    assert (row.fate, row.code, len(row.raw)) == ("refused", "frame-too-large", 65_536)
    came = int(row.reason.split()[-2])
    assert 100_000 < came <= len(sent)
    assert row.sha256 == sha256(sent[:came]).hexdigest()


def test_an_address_without_a_feed_may_send_little(record: Record, message: Message) -> None:
    elsewhere = replace(LOOPBACK, sources=("10.0.0.0/8",))

    async def scene() -> tuple[bytes, bytes]:
        async with listening(record, feeds=(elsewhere,)) as (connect, _, _):
            sender = await connect()
            await sender.send(numbered(message, 1))
            refused = await sender.answer()
            await sender.send(b"\x0b" + message(control_id="M2").encode() + b"X" * 1_100_000)
            return refused, await sender.answer()

    refused, large = asyncio.run(scene())
    assert answer_of(refused).fault == ("AR", "103", "source-unknown", "MSH.4")
    assert answer_of(large).fault == ("AR", "102", "frame-too-large", "MSH.1")


def test_unfinished_messages_share_a_limit_and_the_others_go_on(
    record: Record, message: Message
) -> None:
    async def scene() -> tuple[bool, bool, Tally]:
        async with listening(record, replace(QUICK, held=300_000)) as (connect, tally, _):
            greedy, good = await connect(), await connect()
            await greedy.send(b"\x0b" + message(control_id="M1").encode() + b"X" * 400_000)
            return await greedy.closed(), await went_on(good, message), tally

    closed, on, tally = asyncio.run(scene())
    assert (closed, on, tally.held, tally.counts["peer-limit"]) == (True, True, 0, 1)
    assert (rows(record)["M1"].fate, rows(record)["M1"].code) == ("partial", "peer-limit")


def test_one_sender_cannot_take_every_connection(record: Record, message: Message) -> None:
    async def scene() -> tuple[bool, bool, Tally]:
        async with listening(record, replace(QUICK, connections_of_one=1)) as (connect, tally, _):
            first = await connect()
            on = await went_on(first, message)
            return on, await (await connect()).closed(), tally

    on, closed, tally = asyncio.run(scene())
    assert (on, closed, tally.counts["connection-refused"]) == (True, True, 1)


def test_a_sender_that_never_reads_its_answers_is_cut_off(record: Record, message: Message) -> None:
    async def scene() -> Tally:
        async with listening(record, replace(QUICK, answer_seconds=0.2)) as (_, tally, port):
            deaf = socket.socket()
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            deaf.connect(("127.0.0.1", port))
            deaf.setblocking(False)
            loop = asyncio.get_running_loop()
            # An answer repeats MSH-5 to MSH-6 of its message, and is as long.
            large = message(control_id="M1").replace("|CMCA|", f"|{'C' * 60_000}|", 1).encode()
            while not tally.counts["ack-undelivered"]:
                try:
                    await asyncio.wait_for(loop.sock_sendall(deaf, wrap(large) * 4), 2)
                except (ConnectionError, TimeoutError):
                    break
            for _ in range(500):
                if not tally.connections:
                    break
                await asyncio.sleep(0.02)
            deaf.close()
            return tally

    tally = asyncio.run(scene())
    assert tally.connections == set()
    assert tally.counts["ack-undelivered"] > 0
