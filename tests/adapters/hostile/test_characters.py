"""Hostile characters, 16 to 26: each with its whole stated outcome, over a real socket."""

import pytest

from adapters.hl7v2.dialect import Dialect
from tests.adapters.hostile.hospital import Hospital, Sent

FILED = ("filed", "", "")
NOTE = "OBX|2|{}|1234-5^Note^LN||{}||||||F\r"


def noted(clinic: Hospital, text: str, kind: str = "ST") -> Sent:
    return clinic.message(more=NOTE.format(kind, text))


def note_of(clinic: Hospital, sent: Sent) -> str:
    """Return the text as the patient's own app gets it."""
    (found,) = [one for one in clinic.seen(sent) if "valueString" in one]
    return str(found["valueString"])


def family(clinic: Hospital, sent: Sent) -> str:
    (patient,) = clinic.seen(sent, "Patient")
    return str(patient["name"][0]["family"])


def encoded(sent: Sent, codec: str) -> Sent:
    return Sent(sent.raw.decode().encode(codec), sent.control_id, sent.nhs_number)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_other_line_ends_are_read_and_flagged(clinic: Hospital, end: str) -> None:
    """hostile_16"""
    wire, plain = clinic.connect(), clinic.message()
    sent = Sent(plain.raw.replace(b"\r", end.encode()), plain.control_id, plain.nhs_number)
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], ["segment-ends"])
    assert (clinic.raw(sent), len(clinic.seen(sent))) == (sent.raw, 1)
    assert clinic.goes_on(wire)


def test_a_line_end_of_unicode_ends_no_segment(clinic: Hospital) -> None:
    """hostile_16"""
    wire, text = clinic.connect(), "one\u2028two\x85three\u2029four"
    sent = noted(clinic, text).changed("2.5.1", "2.5.1||||||UNICODE UTF-8")
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], [])
    assert note_of(clinic, sent) == text
    assert clinic.goes_on(wire)


def test_blank_lines_are_passed_over(clinic: Hospital) -> None:
    """hostile_17"""
    wire, plain = clinic.connect(), clinic.message()
    raw = plain.raw.replace(b"\r", b"\r\r") + b"\r \r"
    sent = Sent(raw, plain.control_id, plain.nhs_number)
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], [])
    assert (clinic.raw(sent), len(clinic.seen(sent))) == (raw, 1)
    assert clinic.goes_on(wire)


def test_a_byte_order_mark_is_dropped_in_reading_and_kept_in_the_raw(clinic: Hospital) -> None:
    """hostile_18"""
    wire, plain = clinic.connect(), clinic.message(name="Quillfäther^Zebedee")
    sent = Sent(b"\xef\xbb\xbf" + plain.raw, plain.control_id, plain.nhs_number)
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], [])
    assert (clinic.raw(sent), family(clinic, sent)) == (sent.raw, "Quillfäther")
    assert clinic.goes_on(wire)


def test_byte_order_marks_inside_a_batch_are_dropped(clinic: Hospital) -> None:
    """hostile_18"""
    clinic.agree("RBATCH", Dialect(batches=True))
    one, two = (clinic.message(facility="RBATCH", name="Quillfäther^Z") for _ in range(2))
    mark = b"\xef\xbb\xbf"
    wire = clinic.connect()
    envelope = b"FHS|^~\\&\rBHS|^~\\&\r", b"BTS|2\rFTS|1\r"
    wire.send(
        b"\x0b" + envelope[0] + mark + one.raw + mark + two.raw + mark + envelope[1] + b"\x1c\r"
    )
    answers = wire.raw_answer()
    assert [f"MSA|AA|{each.control_id}\r".encode() in answers for each in (one, two)] == [True] * 2
    for each in (one, two):
        assert (clinic.fates(each), clinic.flags(each)) == ([FILED], [])
        assert (clinic.raw(each)[:3], family(clinic, each)) == (mark, "Quillfäther")
    assert clinic.goes_on(wire)


@pytest.mark.parametrize("name", ["Quillfäther–Smith", "Quillfæther’s"])
def test_windows_bytes_that_nobody_declared_read_right_and_are_flagged(
    clinic: Hospital, name: str
) -> None:
    """hostile_19"""
    wire, sent = clinic.connect(), encoded(clinic.message(name=f"{name}^Zebedee"), "cp1252")
    assert wire.tell(sent) == sent.accepted
    assert clinic.heard[-1].isascii()
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], ["charset-guessed"])
    assert (family(clinic, sent), clinic.raw(sent)) == (name, sent.raw)
    assert clinic.raw(sent).decode("cp1252").count(name) == 1
    assert clinic.goes_on(wire)


@pytest.mark.parametrize(
    ("declared", "codec", "flags"),
    [
        ("UNICODE UTF-8", "utf-8", []),
        ("UTF-8", "utf-8", []),
        ("utf8", "utf-8", []),
        ("8859/1", "iso8859-1", []),
        ("ISO-8859-1", "iso8859-1", []),
        ("UTF-8", "cp1252", ["charset-mismatch"]),
        ("8859/1", "utf-8", ["charset-mismatch"]),
        ("ASCII", "cp1252", ["charset-mismatch"]),
    ],
)
def test_a_declared_character_set_is_believed_where_the_bytes_agree(
    clinic: Hospital, declared: str, codec: str, flags: list[str]
) -> None:
    """hostile_20"""
    text = clinic.message(name="Quillfäther^Zebedee").changed("2.5.1", f"2.5.1||||||{declared}")
    wire, sent = clinic.connect(), encoded(text, codec)
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], flags)
    # UTF-8 under another name reads as that name says: the flag is for a person.
    believed = sent.raw.decode("iso8859-1" if declared == "8859/1" else codec)
    assert family(clinic, sent) == believed.partition("||Quillf")[2].partition("^")[0].join(
        ("Quillf", "")
    )
    assert (clinic.raw(sent), clinic.goes_on(wire)) == (sent.raw, True)


def test_bytes_that_no_character_set_can_be_are_set_aside(clinic: Hospital) -> None:
    """hostile_20"""
    plain = clinic.message(name="Quillf@ther^Zebedee").changed("2.5.1", "2.5.1||||||UTF-8")
    raw = plain.raw.replace(b"@", b"\xe5\x81")
    sent, wire = Sent(raw, plain.control_id, plain.nhs_number), clinic.connect()
    assert wire.tell(sent) == sent.refused("AE", "102", "charset-unreadable", "MSH.18")
    assert clinic.fates(sent) == [("quarantined", "charset-unreadable", "MSH.18")]
    assert (clinic.raw(sent), clinic.known(sent, "Patient")) == (raw, [])
    assert clinic.goes_on(wire)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_two_bytes_a_character_are_refused(clinic: Hospital, codec: str) -> None:
    """hostile_21"""
    wire, sent = clinic.connect(), encoded(clinic.message(), codec)
    assert wire.tell(sent) == sent.refused("AR", "102", "charset-utf16", "MSH.18")
    assert clinic.fates(sent) == [("refused", "charset-utf16", "MSH.18")]
    assert (clinic.raw(sent), clinic.known(sent, "Patient")) == (sent.raw, [])
    assert clinic.goes_on(wire)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "=cmd()",
        "\u202eright to left",
        "\N{SLIGHTLY SMILING FACE}",
        "next\x85line",
    ],
)
def test_what_is_dangerous_elsewhere_is_kept_as_it_was_sent(clinic: Hospital, text: str) -> None:
    """hostile_22"""
    wire = clinic.connect()
    named = clinic.message(more=NOTE.format("ST", text), name=f"{text}^Zebedee")
    sent = named.changed("2.5.1", "2.5.1||||||UNICODE UTF-8")
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], [])
    assert (note_of(clinic, sent), family(clinic, sent)) == (text, text)
    assert (clinic.raw(sent), clinic.goes_on(wire)) == (sent.raw, True)


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b"])
def test_characters_that_no_resource_may_hold_are_replaced_and_flagged(
    clinic: Hospital, character: str
) -> None:
    """hostile_22"""
    wire, sent = clinic.connect(), noted(clinic, f"a{character}b")
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], ["text-replaced OBX[2]"])
    assert (note_of(clinic, sent), clinic.raw(sent)) == ("a\ufffdb", sent.raw)
    assert clinic.goes_on(wire)


@pytest.mark.parametrize(
    "text", ["4\\5", "\\X0", "\\X0\\", "\\.br", "\\Zxx\\ site", "50\\% of it", "ends with \\"]
)
def test_broken_escapes_stay_text(clinic: Hospital, text: str) -> None:
    """hostile_23"""
    wire, sent = clinic.connect(), noted(clinic, text)
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], [])
    assert note_of(clinic, sent) == text
    assert clinic.goes_on(wire)


@pytest.mark.parametrize(
    ("written", "text", "flags"),
    [
        ("a\\X0D\\b", "a\rb", []),
        ("a\\X0D\\OBX|", "a\rOBX", []),
        ("a\\F\\b", "a|b", []),
        ("a\\X1C\\b", "a\ufffdb", ["text-replaced OBX[2]"]),
    ],
)
def test_an_escaped_delimiter_makes_no_field_no_segment_and_no_frame(
    clinic: Hospital, written: str, text: str, flags: list[str]
) -> None:
    """hostile_24"""
    line = f"OBX|2|ST|1234-5^Note^LN||{written.rstrip('|')}||||||F\r"
    wire, sent = clinic.connect(), clinic.message(more=line)
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], flags)
    assert (note_of(clinic, sent), len(clinic.known(sent))) == (text, 2)
    assert clinic.goes_on(wire)


@pytest.mark.parametrize("kind", ["ST", "FT", "TX"])
def test_delimiters_that_nobody_escaped_stay_in_the_text(clinic: Hospital, kind: str) -> None:
    """hostile_25"""
    wire, text = clinic.connect(), "T & N stage^T2b, 4 x 5 mm"
    sent = noted(clinic, text, kind)
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], [])
    assert note_of(clinic, sent) == text
    assert clinic.goes_on(wire)


def test_a_line_break_of_formatted_text_is_one_and_no_escape_is_escaped(clinic: Hospital) -> None:
    """hostile_26"""
    wire, sent = clinic.connect(), noted(clinic, "first\\.br\\second\\E\\third", "FT")
    assert wire.tell(sent) == sent.accepted
    assert (clinic.fates(sent), clinic.flags(sent)) == ([FILED], [])
    assert note_of(clinic, sent) == "first\nsecond\\third"
    assert "\\E\\" not in str(clinic.seen(sent)) + str(clinic.seen(sent, "DiagnosticReport"))
    assert clinic.goes_on(wire)
