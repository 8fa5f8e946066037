"""MLLP over TLS on real sockets: who is let in, as whom, and who is turned away and told apart."""

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from adapters.hl7v2.mllp import wrap
from adapters.intake.certificates import CertificateFiles, FileWrong, renewed, server_context
from adapters.intake.desk import at_desk
from adapters.intake.feeds import LOOPBACK, Feed
from adapters.intake.listener import Limits, Tally, hang_up
from adapters.intake.replay import replay
from adapters.intake.tls import listen_tls
from fhir_server.record import Record
from tests.adapters.intake.certificates import Authority, Identity
from tests.adapters.intake.line import Message, Sender, kept, listening, numbered
from tests.adapters.intake.ward import OPERATOR, Ward, answer_of

Connect = Callable[..., Awaitable[Sender]]

PATIENT = Limits(idle=60.0)
"""A busy machine may take its time: nothing here waits for a limit."""


@dataclass(frozen=True, slots=True)
class Town:
    """Two hospitals with certificates of one authority, and the portal's own."""

    authority: Authority
    portal: Identity
    mersey: Identity
    wirral: Identity

    @property
    def files(self) -> CertificateFiles:
        return CertificateFiles(
            self.portal.certificate, self.portal.key, self.authority.certificate
        )

    @property
    def feeds(self) -> tuple[Feed, ...]:
        upper = self.mersey.fingerprint.upper()
        colons = ":".join(upper[place : place + 2] for place in range(0, 64, 2))
        here = LOOPBACK.sources
        return (
            Feed("mersey", here, (colons,), sending_facility="RXX"),
            Feed("wirral", here, (self.wirral.fingerprint,), sending_facility="RYY"),
            Feed("open", here, sending_facility="RZZ"),
        )


@pytest.fixture
def engine_name() -> str:
    """One engine will do: nothing here is the database's."""
    return "sqlite"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    authority = Authority(tmp_path_factory.mktemp("town"))
    return Town(authority, *(authority.sign(name) for name in ("portal", "mersey", "wirral")))


def as_client(town: Town, identity: Identity | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=town.authority.certificate)
    if identity is not None:
        context.load_cert_chain(identity.certificate, identity.key)
    return context


@asynccontextmanager
async def guarded(
    record: Record, town: Town, limits: Limits = PATIENT, context: Any = None
) -> AsyncIterator[tuple[Connect, Tally]]:
    tally, senders = Tally(), list[Sender]()
    reception = at_desk(record, lambda: town.feeds, limits, tally)
    door = await listen_tls(reception, "127.0.0.1", 0, context or renewed(town.files))

    async def connect(tls: ssl.SSLContext | None) -> Sender:
        senders.append(Sender(*await asyncio.open_connection("127.0.0.1", door.port, ssl=tls)))
        return senders[-1]

    try:
        yield connect, tally
    finally:
        door.close()
        for sender in senders:
            sender.writer.close()
            with suppress(OSError):
                await sender.writer.wait_closed()
        while door.connections:
            await asyncio.sleep(0.01)


async def hung_up(sender: Sender) -> bool:
    """Tell whether the portal ended the connection, in whatever way."""
    try:
        return await sender.closed()
    except OSError:
        return True


def reasons(ward: Ward) -> list[str]:
    return [str(one["outcomeDesc"]) for one in ward.ledger() if "outcomeDesc" in one]


def test_a_certificate_speaks_as_the_feed_that_names_it_and_as_no_other(
    record: Record, ward: Ward, town: Town
) -> None:
    other = ward.message(control_id="B", filler="B").replace("|RXX|", "|RYY|")
    plain = ward.message(control_id="C", filler="C").replace("|RXX|", "|RZZ|")

    async def scene() -> list[bytes]:
        async with guarded(record, town) as (connect, _):
            sender = await connect(as_client(town, town.mersey))
            answers = []
            for text in (ward.message(control_id="A"), other, plain):
                await sender.send(wrap(text.encode()))
                answers.append(await sender.answer())
            return answers

    mine, of_wirral, of_nobody = asyncio.run(scene())
    assert b"MSA|AA|A\r" in mine
    for refused in (of_wirral, of_nobody):
        assert b"MSA|AR|" in refused
        assert b"|not-for-us^^L|" in refused
    assert [ward.row(one).feed for one in "ABC"] == ["mersey", "unknown", "unknown"]


def test_a_feed_with_certificates_is_spoken_as_over_tls_alone(ward: Ward, town: Town) -> None:
    async def scene() -> bytes:
        async with listening(ward.record, feeds=town.feeds) as (connect, _, _):
            sender = await connect()
            await sender.send(wrap(ward.message(control_id="A").encode()))
            return await sender.answer()

    answer = asyncio.run(scene())
    assert b"MSA|AR|A|" in answer
    assert b"|not-for-us^^L|" in answer


def test_what_came_without_a_certificate_is_not_filed_by_running_it_again(
    ward: Ward, town: Town
) -> None:
    forged = ward.raw(ward.message(control_id="A"), replace(town.feeds[0], sources=()))
    assert b"|source-unknown^^L|" in forged
    (again,) = replay(ward.record, OPERATOR, town.feeds, "A")
    assert (again.fate, again.code) == ("refused", "not-for-us")


def test_pipelined_messages_are_answered_in_order_over_tls(
    record: Record, message: Message, town: Town
) -> None:
    async def scene() -> list[bytes]:
        async with guarded(record, town) as (connect, _):
            sender = await connect(as_client(town, town.mersey))
            await sender.send(b"".join(numbered(message, number) for number in range(30)))
            return [await sender.answer() for _ in range(30)]

    answers = asyncio.run(scene())
    assert [b"MSA|AA|M%d\r" % number in one for number, one in enumerate(answers)] == [True] * 30
    assert kept(record) == 30


def test_both_answers_of_enhanced_mode_come_over_tls_in_their_order(
    record: Record, ward: Ward, town: Town
) -> None:
    good = ward.message(control_id="A", wants="AL|AL")
    bad = ward.message(control_id="B", wants="AL|AL", birth_date="10660101")

    async def scene() -> list[str]:
        async with guarded(record, town) as (connect, _):
            sender = await connect(as_client(town, town.mersey))
            await sender.send(wrap(good.encode()) + wrap(bad.encode()))
            answers = [answer_of(await sender.answer()) for _ in range(4)]
            return [f"{one.code} {one.control_id} {one.hl7}".strip() for one in answers]

    assert asyncio.run(scene()) == ["CA A", "AA A", "CA B 102", "AE B 102"]


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("nobody", "certificate-missing"),
        ("of another authority", "certificate-untrusted"),
        ("expired", "certificate-untrusted"),
        ("of no feed", "certificate-unknown"),
        ("too old", "version-too-old"),
    ],
)
def test_who_proves_no_feed_is_turned_away_before_a_byte_is_read(
    record: Record, ward: Ward, town: Town, tmp_path: Path, who: str, why: str
) -> None:
    shown = {
        "of another authority": lambda: Authority(tmp_path, "other").sign("mersey"),
        "expired": lambda: town.authority.sign("expired", days=-1),
        "of no feed": lambda: town.authority.sign("stranger"),
    }
    context = as_client(town, shown[who]() if who in shown else None)
    if who == "too old":
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1

    async def scene() -> Tally:
        async with guarded(record, town) as (connect, tally):
            with suppress(OSError):
                sender = await connect(context)
                await sender.send(numbered(ward.message, 1))
                assert await hung_up(sender)
            while not tally.counts["tls-refused"]:
                await asyncio.sleep(0.01)
            return tally

    assert asyncio.run(scene()).counts["tls-refused"] == 1
    (reason,) = reasons(ward)
    assert reason.split(" ")[:2] == ["tls-refused", why]
    assert ward.fates() == []


def test_who_is_turned_away_can_be_let_in_by_what_the_ledger_says(
    record: Record, ward: Ward, town: Town
) -> None:
    stranger = town.authority.sign("stranger")

    async def scene() -> None:
        async with guarded(record, town) as (connect, _):
            assert await hung_up(await connect(as_client(town, stranger)))

    asyncio.run(scene())
    assert reasons(ward) == [f"tls-refused certificate-unknown {stranger.fingerprint}"]


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [
        (wrap(b"MSH|^~\\&|"), "wrong-protocol-plain"),
        (b"GET / HTTP/1.1\r\n\r\n", "wrong-protocol-http"),
        (b"POST /hl7v2 HTTP/1.1\r\n\r\n", "wrong-protocol-http"),
    ],
)
def test_what_is_no_tls_is_closed_counted_and_on_the_ledger(
    record: Record, ward: Ward, town: Town, greeting: bytes, reason: str
) -> None:
    async def scene() -> Tally:
        async with guarded(record, town) as (connect, tally):
            sender = await connect(None)
            await sender.send(greeting)
            assert await hung_up(sender)
            return tally

    assert asyncio.run(scene()).counts[reason] == 1
    assert (reasons(ward), ward.fates()) == ([reason], [])


def test_a_probe_of_the_tls_port_is_counted_and_nothing_more(
    record: Record, ward: Ward, town: Town
) -> None:
    async def scene() -> None:
        async with guarded(record, town) as (connect, tally):
            (await connect(None)).writer.close()
            while not tally.counts["connect-only"]:
                await asyncio.sleep(0.01)

    asyncio.run(scene())
    assert ward.ledger() == []


def test_a_handshake_that_breaks_off_is_counted(record: Record, ward: Ward, town: Town) -> None:
    async def scene() -> None:
        async with guarded(record, town) as (connect, tally):
            sender = await connect(None)
            await sender.send(b"\x16\x03\x01")
            sender.writer.close()
            while not tally.counts["tls-refused"]:
                await asyncio.sleep(0.01)

    asyncio.run(scene())
    (reason,) = reasons(ward)
    assert reason.startswith("tls-refused ")


def test_a_connection_too_many_is_refused_before_its_handshake(
    record: Record, message: Message, town: Town
) -> None:
    async def scene() -> tuple[bytes, bool, int]:
        async with guarded(record, town, replace(PATIENT, connections=1)) as (connect, tally):
            first = await connect(as_client(town, town.mersey))
            await first.send(numbered(message, 1))
            answer = await first.answer()
            second = await hung_up(await connect(None))
            return answer, second, tally.counts["connection-refused"]

    answer, closed, counted = asyncio.run(scene())
    assert (b"MSA|AA|M1\r" in answer, closed, counted) == (True, True, 1)


def test_a_stop_answers_what_was_received_whole_over_tls(
    record: Record, message: Message, town: Town
) -> None:
    async def scene() -> list[bytes]:
        async with guarded(record, town) as (connect, tally):
            sender = await connect(as_client(town, town.mersey))
            await sender.send(b"".join(numbered(message, number) for number in range(5)))
            answers = [await sender.answer()]
            hang_up(tally)
            with suppress(OSError):
                while True:
                    answers.append(await sender.answer())
            return answers

    answers = asyncio.run(scene())
    assert kept(record) == len(answers)
    assert all(b"MSA|AA" in one for one in answers)


def test_new_certificates_hold_for_the_next_connection_and_bad_ones_change_nothing(
    record: Record, message: Message, town: Town, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for path in (town.portal.certificate, town.portal.key, town.authority.certificate):
        shutil.copy(path, tmp_path)
    files = CertificateFiles(
        tmp_path / "portal.crt", tmp_path / "portal.key", tmp_path / "authority.pem"
    )
    newer = Authority(tmp_path, "newer")

    async def answered(connect: Connect, context: ssl.SSLContext, number: int) -> bytes:
        sender = await connect(context)
        await sender.send(numbered(message, number))
        return await sender.answer()

    async def scene() -> list[bytes]:
        async with guarded(record, town, context=renewed(files)) as (connect, _):
            mersey = as_client(town, town.mersey)
            files.key.write_text("not a key")
            answers = [await answered(connect, mersey, 1), await answered(connect, mersey, 2)]
            renewed_portal = newer.sign("portal")
            mersey.load_verify_locations(newer.certificate)
            assert renewed_portal.certificate == files.certificate
            answers.append(await answered(connect, mersey, 3))
            only_newer = ssl.create_default_context(cafile=newer.certificate)
            only_newer.load_cert_chain(town.mersey.certificate, town.mersey.key)
            answers.append(await answered(connect, only_newer, 4))
            return answers

    answers = asyncio.run(scene())
    assert [b"MSA|AA|M%d\r" % number in one for number, one in enumerate(answers, 1)] == [True] * 4
    assert caplog.text.count("stay as they were: key names no key") == 1


@pytest.mark.parametrize("name", ["certificate", "key", "client_ca"])
def test_a_file_that_is_none_is_named(town: Town, tmp_path: Path, name: str) -> None:
    wrong = tmp_path / "wrong.pem"
    with pytest.raises(FileWrong) as missing:
        server_context(replace(town.files, **{name: wrong}))
    wrong.write_text("-----BEGIN NOTHING-----")
    with pytest.raises(FileWrong) as nonsense:
        server_context(replace(town.files, **{name: wrong}))
    assert (missing.value.name, nonsense.value.name) == (name, name)


def test_a_key_of_another_certificate_is_named(town: Town) -> None:
    with pytest.raises(FileWrong, match=r"^key names no key"):
        server_context(replace(town.files, key=town.mersey.key))
