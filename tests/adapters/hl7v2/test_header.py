"""The head of a message as a value, and as much of a broken head as can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.er7 import read
from adapters.hl7v2.header import Header, glimpse, read_header

HEAD = (
    r"MSH|^~\&|LIMS^1.2.3^ISO|R\T\D^RQ6|PORTAL|REN|20260803140500+0100||ORU^R01^ORU_R01"
    r"|A\X0D\1|P^T|2.5.1^GBR|||AL|NE||UNICODE UTF-8"
)


def texts(header: Header) -> tuple[str, ...]:
    return (
        header.sending_application,
        header.sending_facility,
        header.receiving_application,
        header.receiving_facility,
        header.timestamp,
        header.message_type,
        header.trigger,
        header.structure,
        header.control_id,
        header.processing_id,
        header.version,
        header.accept_ack,
        header.application_ack,
        header.charset,
    )


READ = (
    "LIMS", "R&D", "PORTAL", "REN", "20260803140500+0100", "ORU", "R01", "ORU_R01", r"A\X0D\1",
    "P", "2.5.1", "AL", "NE", "UNICODE UTF-8",
)  # fmt: skip


def test_a_head_is_read_field_by_field_with_its_control_id_as_sent():
    assert texts(read_header(read(HEAD.encode()))) == READ


def test_what_the_sender_left_out_is_empty():
    assert texts(read_header(read(rb"MSH|^~\&|LIMS"))) == ("LIMS", *[""] * 13)


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_a_glimpse_reads_a_sound_head_whatever_its_bytes(charset):
    assert texts(glimpse(f"{HEAD}\rPID|1".encode(charset))) == READ


def test_a_glimpse_reads_the_head_of_a_frame_that_was_cut_off():
    assert texts(glimpse(HEAD.encode() + b"\rOBX|1|ED|" + b"A" * 100_000)) == READ


def test_a_glimpse_finds_the_control_id_behind_bad_delimiters():
    header = glimpse(b"MSH|^^^^|LIMS|RQ6|||||ORU|A1|P|2.4\rPID|1")
    assert (header.sending_application, header.control_id) == ("LIMS", "A1")
    assert header.segment.field(2) == r"^~\&"


@pytest.mark.parametrize("raw", [b"", b"hello", b"PID|1", b"MSH", b"\xff\xfe\0"])
def test_a_glimpse_of_what_is_no_head_is_empty(raw):
    assert texts(glimpse(raw)) == ("",) * 14


@given(st.binary(max_size=200), st.sampled_from([b"", b"MSH", rb"MSH|^~\&|"]))
def test_no_bytes_make_a_glimpse_fail(noise, before):
    assert isinstance(glimpse(before + noise), Header)
