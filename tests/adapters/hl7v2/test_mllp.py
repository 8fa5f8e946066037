"""Frames are what the sender sent, however the network cuts or pads them."""

from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.mllp import (
    HEAD_KEPT,
    Cut,
    Empty,
    Event,
    Frame,
    Framer,
    Junk,
    TooLarge,
    WrongProtocol,
    wrap,
)

ONE = b"MSH|^~\\&|A\rPID|1\r"
TWO = b"MSH|^~\\&|B\rPID|2\r"


def framer(limit: int = 1_000_000) -> Framer:
    return Framer(limit)


def bytewise(raw: bytes, limit: int = 1_000_000) -> list[Event]:
    frames = framer(limit)
    return [event for n in range(len(raw)) for event in frames.feed(raw[n : n + 1])]


def test_a_frame_is_what_stands_between_vt_and_fs_cr():
    assert wrap(ONE) == b"\x0b" + ONE + b"\x1c\r"
    assert framer().feed(wrap(ONE)) == [Frame(ONE)]
    assert bytewise(wrap(ONE)) == [Frame(ONE)]


@pytest.mark.parametrize("junk", [b"\n", b"\0\0", b"log: connected\r\n"])
def test_junk_before_a_frame_is_counted_and_passed_over(junk):
    assert framer().feed(junk + wrap(ONE)) == [Junk(len(junk)), Frame(ONE)]


def test_twenty_messages_in_one_packet_are_twenty_frames_in_order():
    payloads = [b"MSH|%d" % n for n in range(20)]
    assert framer().feed(b"".join(map(wrap, payloads))) == [Frame(p) for p in payloads]


def test_vt_alone_and_the_rest_later_is_one_frame():
    frames = framer()
    assert frames.feed(b"\x0b") == []
    assert frames.in_frame
    assert frames.feed(ONE + b"\x1c") == []
    assert frames.after_fs
    assert frames.feed(b"\r" + wrap(TWO)) == [Frame(ONE), Frame(TWO)]
    assert (frames.in_frame, frames.after_fs, frames.held) == (False, False, 0)


def test_fs_without_cr_ends_the_frame_after_a_silence():
    frames = framer()
    assert frames.feed(b"\x0b" + ONE + b"\x1c") == []
    assert frames.silence() == [Frame(ONE, ("frame-no-cr",))]
    assert frames.feed(wrap(TWO)) == [Frame(TWO)]


def test_a_silence_inside_a_frame_or_outside_ends_nothing():
    frames = framer()
    assert frames.silence() == []
    assert frames.feed(b"\x0bMSH|") == []
    assert frames.silence() == []
    assert frames.feed(b"A\x1c\r") == [Frame(b"MSH|A")]


def test_fs_lf_ends_a_frame_and_lf_after_fs_cr_is_junk():
    assert framer().feed(b"\x0b" + ONE + b"\x1c\n" + wrap(TWO)) == [
        Frame(ONE, ("frame-no-cr",)),
        Frame(TWO),
    ]
    assert framer().feed(wrap(ONE) + b"\n" + wrap(TWO)) == [Frame(ONE), Junk(1), Frame(TWO)]


def test_fs_vt_ends_a_frame_and_begins_the_next():
    raw = b"\x0b" + ONE + b"\x1c" + wrap(TWO)
    assert framer().feed(raw) == [Frame(ONE, ("frame-no-cr",)), Frame(TWO)]
    assert bytewise(raw) == [Frame(ONE, ("frame-no-cr",)), Frame(TWO)]


@pytest.mark.parametrize("text", [b"a\x1cb", b"a\x1c\x1c\x1cb", b"a\x0bb", b"\x0b\x0bMS", b"\x0b"])
def test_fs_and_vt_inside_a_text_are_text(text):
    payload = b"MSH|" + text + b"|c"
    assert framer().feed(wrap(payload)) == [Frame(payload)]
    assert bytewise(wrap(payload)) == [Frame(payload)]


def test_a_message_that_begins_inside_another_makes_that_one_partial():
    raw = b"\x0bMSH|cut off" + wrap(ONE)
    assert framer().feed(raw) == [Cut(b"MSH|cut off", "frame-cut"), Frame(ONE)]
    assert bytewise(raw) == [Cut(b"MSH|cut off", "frame-cut"), Frame(ONE)]


@pytest.mark.parametrize("payload", [b"", b"\r", b" \r\n"])
def test_an_empty_frame_is_a_probe(payload):
    assert framer().feed(wrap(payload) + wrap(ONE)) == [Empty(), Frame(ONE)]


def test_a_connection_without_a_byte_tells_nothing():
    frames = framer()
    assert frames.end() == []
    assert frames.closed


def test_the_end_of_the_connection_leaves_a_partial_message():
    frames = framer()
    assert frames.feed(b"\x0bMSH|half") == []
    assert frames.held == len(b"MSH|half")
    assert frames.end() == [Cut(b"MSH|half", "frame-unfinished")]
    assert (frames.closed, frames.held, frames.feed(wrap(ONE))) == (True, 0, [])


def test_the_end_of_the_connection_after_fs_ends_the_frame():
    frames = framer()
    assert frames.feed(b"\x0b" + ONE + b"\x1c") == []
    assert frames.end() == [Frame(ONE, ("frame-no-cr",))]


def test_a_frame_at_the_limit_is_taken_and_one_byte_more_is_not():
    assert framer(len(ONE)).feed(wrap(ONE)) == [Frame(ONE)]
    assert bytewise(wrap(ONE), len(ONE)) == [Frame(ONE)]
    frames = framer(len(ONE) - 1)
    came = ONE + b"\x1c\r"
    assert frames.feed(wrap(ONE)) == [TooLarge(ONE, len(came), sha256(came).hexdigest())]
    assert (frames.closed, frames.held, frames.feed(wrap(TWO))) == (True, 0, [])


def test_an_endless_frame_is_stopped_at_the_limit_with_its_head_kept():
    frames = framer(100_000)
    events: list[Event] = []
    sent = b"\x0b" + b"MSH|" + b"A" * 996
    while not frames.closed:
        events += frames.feed(sent)
        sent = b"A" * 1000
    came = b"MSH|" + b"A" * (101_000 - 4)
    assert events == [TooLarge(came[:HEAD_KEPT], len(came), sha256(came).hexdigest())]


def test_frames_before_the_one_that_is_too_large_are_still_given():
    events = framer(20).feed(wrap(ONE) + wrap(b"MSH|" + b"A" * 100))
    assert events[0] == Frame(ONE)
    assert isinstance(events[1], TooLarge)


@pytest.mark.parametrize(
    ("opening", "kind"),
    [(b"\x16\x03\x01\x02\x00", "tls"), (b"GET / HTTP/1.1\r\n", "http"), (b"POST /hl7", "http")],
)
def test_another_protocol_is_recognised_by_its_first_bytes(opening, kind):
    frames = framer()
    assert frames.feed(opening) == [WrongProtocol(kind)]
    assert (frames.closed, frames.held, frames.feed(wrap(ONE))) == (True, 0, [])
    assert bytewise(opening) == [WrongProtocol(kind)]


def test_a_greeting_that_turns_out_to_be_junk_is_junk():
    frames = framer()
    assert frames.feed(b"GE") == []
    assert frames.feed(b"!" + wrap(ONE)) == [Junk(3), Frame(ONE)]
    assert frames.feed(b"GET /" + wrap(ONE)) == [Junk(5), Frame(ONE)]
    started = framer()
    assert started.feed(b"PO") == []
    assert started.end() == [Junk(2)]


def test_ten_megabytes_in_socket_portions_are_one_frame():
    payload = b"MSH|" + b"QUJD" * 2_500_000
    raw = wrap(payload)
    frames = framer(20_000_000)
    events = [e for n in range(0, len(raw), 65_536) for e in frames.feed(raw[n : n + 65_536])]
    assert events == [Frame(payload)]


def test_many_marks_in_many_portions_are_looked_at_once():
    payload = b"MSH|" + b"\x0bMS\x1c_" * 20_000
    assert bytewise(wrap(payload)) == [Frame(payload)]


def joined(events: list[Event]) -> list[Event]:
    """Neighbouring junk is one: how much of it comes at a time is the network's doing."""
    told: list[Event] = []
    for event in events:
        if isinstance(event, Junk) and told and isinstance(told[-1], Junk):
            told[-1] = Junk(told[-1].count + event.count)
        else:
            told.append(event)
    return told


_BYTES = st.lists(
    st.sampled_from([b"\x0b", b"\x1c", b"\r", b"\n", b"M", b"MSH", b"MSH|a", b"G", b"GET ", b"\x16",
                     b"\x03", b"\x1c\r", b"x"]) | st.binary(max_size=3)
).map(b"".join)  # fmt: skip


@given(_BYTES, st.lists(st.integers(min_value=0, max_value=60)))
def test_frames_do_not_depend_on_how_the_network_cuts_them(raw, cuts):
    places = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    portions = [raw[a:b] for a, b in pairwise(places)]
    whole, portioned = framer(), framer()
    at_once = whole.feed(raw) + whole.end()
    bit_by_bit = [e for portion in portions for e in portioned.feed(portion)] + portioned.end()
    assert joined(bit_by_bit) == joined(at_once)


@given(st.lists(st.binary(min_size=1).filter(lambda p: not set(p) & {0x0B, 0x1C} and p.strip())))
def test_what_is_wrapped_comes_out_as_it_went_in(payloads):
    assert framer().feed(b"".join(map(wrap, payloads))) == [Frame(p) for p in payloads]


@given(_BYTES, st.integers(min_value=0, max_value=8))
def test_no_bytes_make_the_framer_fail_or_hold_more_than_its_limit(raw, limit):
    frames = framer(limit)
    for n in range(len(raw)):
        frames.feed(raw[n : n + 1])
        assert frames.held <= limit + 8
    frames.end()
    assert (frames.closed, frames.held) == (True, 0)
