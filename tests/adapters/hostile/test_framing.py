"""Hostile framing, 1 to 15: each with its whole stated outcome, over a real socket."""

import socket
import struct
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest

from adapters.hl7v2.mllp import wrap
from tests.adapters.hostile.hospital import Hospital, Sent, serving
from tests.adapters.intake.line import QUICK
from tests.adapters.intake.ward import answer_of, value_of

FILED = ("filed", "", "")
NOTE = "OBX|2|ST|1234-5^Note^LN||{}||||||F\r"


def document(clinic: Hospital, size: int) -> tuple[Sent, str]:
    """Return a result with a PDF of about *size* bytes, and the PDF in base64."""
    pdf = b"%PDF-1.4\n" + bytes(range(256)) * (size // 256) + b"\n%%EOF\n"
    encoded = b64encode(pdf).decode()
    more = f"OBX|2|ED|LETTER^Letter^L||^AP^PDF^Base64^{encoded}||||||F\r"
    return clinic.message(more=more), encoded


@pytest.mark.parametrize("junk", [b"\n", b"\0\0\0", b"2026-11-24 INFO Quillfeather connected\r\n"])
def test_junk_before_a_frame_is_passed_over_counted_and_never_logged(
    clinic: Hospital, junk: bytes
) -> None:
    """hostile_01"""
    wire, sent, before = clinic.connect(), clinic.message(), clinic.tally.counts["frame-junk"]
    wire.send(junk + wrap(sent.raw))
    assert wire.answer() == sent.accepted
    assert clinic.tally.counts["frame-junk"] - before == len(junk)
    assert (clinic.fates(sent), clinic.flags(sent), clinic.raw(sent)) == ([FILED], [], sent.raw)
    assert [value_of(one) for one in clinic.seen(sent)] == ["7.394"]
    assert clinic.goes_on(wire)


def test_a_message_that_never_ends_is_kept_in_part_and_its_sender_still_owns_it(
    clinic: Hospital,
) -> None:
    """hostile_02"""
    sent = clinic.message()
    with serving(clinic.record, replace(QUICK, frame_seconds=0.3), clinic.agreements) as (
        tally,
        port,
    ):
        wire = clinic.connect(port)
        wire.send(b"\x0b" + sent.raw)
        assert clinic.others_go_on()
        assert wire.is_closed()
        assert tally.counts["frame-unfinished"] == 1
    assert clinic.fates(sent) == [("partial", "frame-unfinished", "MSH.1")]
    assert (clinic.raw(sent), clinic.rows(sent.control_id)[0].ack) == (sent.raw, b"")
    assert (clinic.known(sent), clinic.known(sent, "Patient")) == ([], [])
    assert clinic.connect().tell(sent) == sent.accepted
    assert clinic.fates(sent) == [FILED]


def test_a_frame_without_its_last_return_is_taken_after_a_short_silence(clinic: Hospital) -> None:
    """hostile_03"""
    wire, sent = clinic.connect(), clinic.message()
    wire.send(wrap(sent.raw)[:-1])
    assert wire.answer() == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], ["frame-no-cr"])
    assert clinic.goes_on(wire)


@pytest.mark.parametrize(
    ("end", "flags", "junk"), [(b"\x1c\r\n", [], 1), (b"\x1c\n", ["frame-no-cr"], 0)]
)
def test_a_line_feed_at_the_end_of_a_frame_makes_no_second_message(
    clinic: Hospital, end: bytes, flags: list[str], junk: int
) -> None:
    """hostile_04"""
    wire, sent, before = clinic.connect(), clinic.message(), clinic.tally.counts["frame-junk"]
    wire.send(b"\x0b" + sent.raw + end)
    assert wire.answer() == sent.accepted
    assert clinic.goes_on(wire)
    assert clinic.tally.counts["frame-junk"] - before == junk
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], flags)


@pytest.mark.parametrize("number", [2, 20])
def test_messages_in_one_packet_are_each_answered_in_order_and_filed_once(
    clinic: Hospital, number: int
) -> None:
    """hostile_05"""
    wire, several = clinic.connect(), [clinic.message() for _ in range(number)]
    wire.send(b"".join(wrap(one.raw) for one in several))
    assert [wire.answer() for _ in several] == [one.accepted for one in several]
    assert [clinic.fates(one) for one in several] == [[FILED]] * number
    assert clinic.goes_on(wire)


def test_a_message_in_packets_of_one_byte_is_one_message(clinic: Hospital) -> None:
    """hostile_06"""
    wire, sent = clinic.connect(), clinic.message()
    wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in wrap(sent.raw):
        wire.send(bytes([byte]))
    assert wire.answer() == sent.accepted
    assert clinic.goes_on(wire)
    assert clinic.fates(sent) == [FILED]


def test_an_opening_byte_alone_waits_for_its_message_and_an_answer_may_be_read_in_pieces(
    clinic: Hospital,
) -> None:
    """hostile_06"""
    wire, sent = clinic.connect(), clinic.message()
    wire.send(b"\x0b")
    assert clinic.others_go_on()
    wire.send(sent.raw + b"\x1c\r")
    whole = b""
    while not whole.endswith(b"\x1c\r"):
        whole += wire.socket.recv(1)
    assert answer_of(whole[1:-2]) == sent.accepted
    assert clinic.goes_on(wire)
    assert clinic.fates(sent) == [FILED]


def test_a_closing_byte_inside_a_text_is_data(clinic: Hospital) -> None:
    """hostile_07"""
    wire, sent = clinic.connect(), clinic.message(more=NOTE.format("before\x1cafter"))
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], ["text-replaced OBX[2]"])
    assert clinic.raw(sent) == sent.raw
    assert clinic.about(sent, "1234-5")["valueString"] == "before\ufffdafter"
    assert clinic.goes_on(wire)


def test_a_message_cut_by_the_next_is_kept_in_part_and_only_the_next_is_answered(
    clinic: Hospital,
) -> None:
    """hostile_08"""
    wire, cut, whole = clinic.connect(), clinic.message(), clinic.message()
    wire.send(b"\x0b" + cut.raw[:150] + wrap(whole.raw))
    assert wire.answer() == whole.accepted
    assert clinic.fates(cut) == [("partial", "frame-cut", "MSH.1")]
    assert (clinic.raw(cut), clinic.fates(whole)) == (cut.raw[:150], [FILED])
    assert (clinic.known(cut), len(clinic.known(whole))) == ([], 1)
    assert clinic.goes_on(wire)
    assert wire.tell(cut) == cut.accepted


def test_an_opening_byte_inside_a_text_is_data(clinic: Hospital) -> None:
    """hostile_08"""
    wire, sent = clinic.connect(), clinic.message(more=NOTE.format("before\x0bMSafter"))
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.raw(sent)) == ([FILED], sent.raw)
    assert clinic.about(sent, "1234-5")["valueString"] == "before\ufffdMSafter"
    assert clinic.goes_on(wire)


def test_empty_frames_and_probes_are_counted_and_neither_answered_nor_kept(
    clinic: Hospital,
) -> None:
    """hostile_09"""
    before, entries = clinic.tally.counts.copy(), len(clinic.ward.ledger())
    socket.create_connection(("127.0.0.1", clinic.port)).close()
    clinic.await_(lambda: clinic.tally.counts["connect-only"] > before["connect-only"])
    wire = clinic.connect()
    wire.send(wrap(b"") + wrap(b"\r\n"))
    clinic.await_(lambda: clinic.tally.counts["frame-empty"] == before["frame-empty"] + 2)
    assert (len(clinic.ward.ledger()), clinic.rows("")) == (entries, [])
    assert clinic.goes_on(wire)


def test_a_large_document_under_the_limit_is_filed_and_served_whole(clinic: Hospital) -> None:
    """hostile_10"""
    wire, (sent, encoded) = clinic.connect(), document(clinic, 2_000_000)
    assert wire.tell(sent) == sent.accepted
    (report,) = clinic.known(sent, "DiagnosticReport")
    (form,) = report["presentedForm"]
    assert (form["contentType"], form["data"]) == ("application/pdf", encoded)
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], [])
    assert clinic.goes_on(wire)


def test_a_document_over_the_limit_is_refused_with_its_head_size_and_hash(
    clinic: Hospital,
) -> None:
    """hostile_10"""
    sent, _ = document(clinic, 2_000_000)
    with serving(clinic.record, replace(QUICK, frame=1_000_000), clinic.agreements) as (_, port):
        wire = clinic.connect(port)
        wire.send(b"\x0b" + sent.raw)
        assert wire.answer() == sent.refused("AR", "102", "frame-too-large", "MSH.1")
        assert wire.is_closed()
    assert clinic.fates(sent) == [("refused", "frame-too-large", "MSH.1")]
    (row,) = clinic.rows(sent.control_id)
    came = int(row.reason.split()[-2])
    assert 1_000_000 < came <= 1_000_000 + QUICK.chunk
    assert bytes(row.raw) == sent.raw[:65_536]
    assert row.sha256 == sha256(sent.raw[:came]).hexdigest()
    assert clinic.known(sent, "Patient") == []
    assert clinic.others_go_on()


def test_an_endless_frame_meets_the_limit_of_memory_and_costs_the_others_nothing(
    clinic: Hospital,
) -> None:
    """hostile_11"""
    sent = clinic.message()
    with serving(clinic.record, replace(QUICK, held=300_000), clinic.agreements) as (tally, port):
        endless, good = clinic.connect(port), clinic.connect(port)
        endless.send(b"\x0b" + sent.raw + b"X" * 200_000)
        clinic.await_(lambda: tally.held > 200_000)
        assert clinic.goes_on(good)
        endless.send(b"X" * 200_000)
        assert endless.is_closed()
        assert (tally.held, tally.counts["peer-limit"]) == (0, 1)
        assert clinic.goes_on(good)
    assert clinic.fates(sent) == [("partial", "peer-limit", "MSH.1")]
    (row,) = clinic.rows(sent.control_id)
    assert bytes(row.raw) == (sent.raw + b"X" * 70_000)[:65_536]
    assert clinic.known(sent, "Patient") == []


def test_a_sender_that_hangs_up_without_reading_finds_its_message_filed(clinic: Hospital) -> None:
    """hostile_12"""
    sent, rude = clinic.message(), clinic.connect()
    rude.send(wrap(sent.raw))
    # A reset: the answer has nowhere to go.
    rude.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    rude.socket.close()
    clinic.await_(lambda: clinic.fates(sent) == [FILED])
    wire = clinic.connect()
    assert wire.tell(sent) == sent.accepted
    (row,) = clinic.rows(sent.control_id)
    assert (row.copies, bytes(row.ack)) == (1, clinic.heard[-1])
    assert clinic.goes_on(wire)


def test_connections_beyond_the_limit_are_refused_at_accept_and_silent_ones_let_go(
    clinic: Hospital,
) -> None:
    """hostile_12"""
    few = replace(QUICK, connections=2, idle=0.5)
    with serving(clinic.record, few, clinic.agreements) as (tally, port):
        silent, busy = clinic.connect(port), clinic.connect(port)
        clinic.await_(lambda: len(tally.connections) == 2)
        beyond = clinic.connect(port)
        assert beyond.is_closed()
        assert (tally.counts["connection-refused"], tally.counts["connections"]) == (1, 2)
        assert clinic.goes_on(busy)
        assert silent.is_closed()
        clinic.await_(lambda: tally.connections == set() or len(tally.connections) == 1)
        assert clinic.goes_on(clinic.connect(port))


def test_a_copy_sent_while_the_first_is_at_work_gets_the_same_bytes(clinic: Hospital) -> None:
    """hostile_13"""
    one, other, sent = clinic.connect(), clinic.connect(), clinic.message()
    for wire in (one, other):
        wire.send(wrap(sent.raw))
    first, second = one.raw_answer(), other.raw_answer()
    assert (answer_of(first), first) == (sent.accepted, second)
    (row,) = clinic.rows(sent.control_id)
    assert (row.fate, row.copies, bytes(row.ack)) == ("filed", 1, first)
    assert len(clinic.known(sent)) == 1
    assert clinic.goes_on(one)
    assert clinic.goes_on(other)


def test_a_sender_that_does_not_wait_is_answered_in_order(clinic: Hospital) -> None:
    """hostile_14"""
    wire, several = clinic.connect(), [clinic.message() for _ in range(100)]
    for one in several:
        wire.send(wrap(one.raw))
    assert [wire.answer() for _ in several] == [one.accepted for one in several]
    assert [clinic.fates(one) for one in several] == [[FILED]] * 100
    assert clinic.goes_on(wire)


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "wrong-protocol-tls"),
        (b"GET /Quillfeather HTTP/1.1\r\n\r\n", "wrong-protocol-http"),
        (b"POST /x HTTP/1.1\r\n\r\n", "wrong-protocol-http"),
    ],
)
def test_another_protocol_is_closed_counted_and_on_the_ledger(
    clinic: Hospital, greeting: bytes, reason: str
) -> None:
    """hostile_15"""
    wire, before = clinic.connect(), clinic.tally.counts[reason]
    known = len(clinic.ward.ledger())
    wire.send(greeting)
    assert wire.is_closed()
    assert clinic.tally.counts[reason] == before + 1
    (entry,) = clinic.ward.ledger()[known:]
    assert (entry["outcome"], entry["outcomeDesc"]) == ("4", reason)
    assert "127.0.0.1" in {one.get("network", {}).get("address") for one in entry["agent"]}
    assert clinic.rows("") == []
    assert clinic.others_go_on()
