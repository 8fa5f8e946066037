"""Files and frames of several messages come apart into their messages, and nothing is dropped."""

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.batch import Batch, messages, unpack
from adapters.hl7v2.er7 import Refused, read
from adapters.hl7v2.mllp import wrap

CORPUS = Path(__file__).resolve().parents[3] / "../shared/corpus/hl7v2"
ONE = b"MSH|^~\\&|A|||||||1|P|2.4\rPID|1"
TWO = b"MSH|^~\\&|B|||||||2|P|2.4\rPID|2"
FHS, BHS, FTS = b"FHS|^~\\&|F\r", b"BHS|^~\\&|B\r", b"FTS|1\r"


def lines(raw: bytes, end: bytes) -> bytes:
    return raw.replace(b"\r", end)


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_a_file_of_one_message_or_many_holds_each_as_its_own_bytes(end):
    one, two = lines(ONE, end), lines(TWO, end)
    assert list(messages(one + end)) == [one]
    assert list(messages(one + end + end + two + end)) == [one, two]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_batch_segments_are_no_part_of_the_messages(end):
    raw = lines(FHS + BHS + ONE + b"\r" + TWO + b"\rBTS|2\r" + FTS, end)
    assert unpack(raw) == Batch((lines(ONE, end), lines(TWO, end)), enveloped=True, flags=())


def test_several_bare_messages_are_no_batch():
    assert unpack(ONE + b"\r" + TWO) == Batch((ONE, TWO), enveloped=False, flags=())


@pytest.mark.parametrize(
    ("trailers", "flags"),
    [
        (b"BTS|1\rFTS|1", ()),
        (b"BTS\rFTS", ()),
        (b"BTS|two\rFTS|1", ()),
        (b"BTS|2\rFTS|1", ("batch-count",)),
        (b"BTS|1\rFTS|3", ("batch-count",)),
    ],
)
def test_another_number_than_declared_is_flagged(trailers, flags):
    assert unpack(FHS + BHS + ONE + b"\r" + trailers) == Batch((ONE,), enveloped=True, flags=flags)


def test_each_batch_of_a_file_is_counted_on_its_own():
    batch = BHS + ONE + b"\r" + TWO + b"\rBTS|2\r"
    assert unpack(FHS + batch + batch + b"FTS|2") == Batch((ONE, TWO) * 2, enveloped=True, flags=())


def test_framed_files_come_apart_as_on_the_socket():
    assert list(messages(b"log\n" + wrap(ONE) + b"\n" + wrap(TWO))) == [ONE, TWO]
    assert list(messages(wrap(BHS + ONE + b"\r" + TWO))) == [ONE, TWO]
    assert list(messages(wrap(ONE) + b"\x0b" + TWO)) == [ONE, TWO]


def test_a_byte_order_mark_stays_with_its_message():
    mark = b"\xef\xbb\xbf"
    pieces = list(messages(mark + ONE + b"\r" + mark + TWO))
    assert pieces == [mark + ONE, mark + TWO]
    assert [read(piece).segments[0].text(3) for piece in pieces] == ["A", "B"]
    assert list(messages(mark + FHS + ONE)) == [ONE]


def test_an_indented_or_lower_case_head_begins_a_message_too():
    odd = b"  msh" + TWO[3:]
    assert list(messages(ONE + b"\n" + odd)) == [ONE, odd]


@pytest.mark.parametrize("raw", [b"", b"\r\n \t", b"\xef\xbb\xbf"])
def test_a_file_with_nothing_in_it_holds_no_message(raw):
    assert list(messages(raw)) == []


def test_what_is_no_message_comes_as_a_piece_and_is_refused():
    pieces = list(messages(b"Some notes\r" + BHS + b"stray\r" + ONE))
    assert pieces == [b"Some notes", b"stray", ONE]
    for piece in pieces[:2]:
        with pytest.raises(Refused, match="header-missing"):
            read(piece)


@given(st.lists(st.sampled_from([ONE, TWO, FHS, BHS, b"BTS|9", FTS, b"x", b"MSH", b"\x0b", b""])),
       st.sampled_from([b"\r", b"\n", b"\r\n", b""]))  # fmt: skip
def test_no_bytes_make_the_taking_apart_fail_or_lose_a_message(parts, end):
    raw = end.join(parts)
    found = b"\r".join(messages(raw))
    if b"\x0b" not in raw:
        assert found.count(b"PID|1") == raw.count(b"PID|1")
        assert found.count(b"PID|2") == raw.count(b"PID|2")


@pytest.mark.skipif(not (CORPUS / "INDEX.tsv").is_file(), reason="shared corpus not present")
def test_every_message_of_the_corpus_is_read_whole_or_refused_with_code_and_field():
    with (CORPUS / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        rows = csv.DictReader(index, delimiter="\t")
        paths = sorted({path for row in rows if (path := CORPUS / row["path"]).is_file()})
    outcomes: Counter[str] = Counter()
    for raw in (raw for path in paths for raw in messages(path.read_bytes())):
        try:
            found = read(raw)
        except Refused as refused:
            outcomes[refused.code if refused.field else "without a field"] += 1
        else:
            nonblank = [line for line in raw.replace(b"\n", b"\r").split(b"\r") if line.strip()]
            assert len(found.segments) == len(nonblank)
            outcomes["read"] += 1
    assert outcomes == {
        "read": 820,
        "version-unknown": 6,
        "header-missing": 2,
        "delimiters-bad": 1,
        "segment-broken": 1,
    }
