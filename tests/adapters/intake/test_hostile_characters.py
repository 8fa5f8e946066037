"""Hostile and odd characters, from the wire to what patient and operator then see."""

import pytest

from tests.adapters.intake.ward import Ward

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

NOTE = "OBX|2|ST|1234-5^Note^LN||{}||||||F\r"


def goes_on(ward: Ward) -> bool:
    return ward.psa(control_id="NEXT", filler="NEXT").code == "AA"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_other_line_ends_are_read_and_flagged(ward: Ward, end: str) -> None:
    assert ward.send(ward.message().replace("\r", end)).code == "AA"
    assert (ward.fate(), ward.flags(), goes_on(ward)) == (
        ("filed", "", ""),
        ["segment-ends"],
        True,
    )


def test_a_line_end_of_unicode_ends_no_segment(ward: Ward) -> None:
    text = "one\u2028two\x85three"
    sent = ward.message(more=NOTE.format(text)).replace("2.5.1", "2.5.1||||||UNICODE UTF-8", 1)
    assert ward.send(sent).code == "AA"
    assert text in ward.values()


def test_blank_lines_are_passed_over(ward: Ward) -> None:
    assert ward.send(ward.message().replace("\r", "\r\r")).code == "AA"
    assert (ward.fate(), ward.values(), goes_on(ward)) == (("filed", "", ""), ["7.3"], True)


def test_a_byte_order_mark_is_dropped_in_reading_and_kept_in_the_raw(ward: Ward) -> None:
    raw = b"\xef\xbb\xbf" + ward.message(name="Müller^Alan").encode()
    assert ward.send(raw).code == "AA"
    assert bytes(ward.row().raw) == raw
    (patient,) = ward.seen("Patient")
    assert (patient["name"][0]["family"], goes_on(ward)) == ("Müller", True)


def test_windows_bytes_without_a_declaration_read_right_and_are_flagged(ward: Ward) -> None:
    raw = ward.message(name="Müller–Smith^Alan").encode("cp1252")
    answer = ward.raw(raw)
    assert answer.isascii()
    assert (ward.fate(), ward.flags()) == (("filed", "", ""), ["charset-guessed"])
    (patient,) = ward.seen("Patient")
    assert patient["name"][0]["family"] == "Müller–Smith"
    assert bytes(ward.row().raw) == raw


@pytest.mark.parametrize(
    ("declared", "codec", "flags"),
    [
        ("UNICODE UTF-8", "utf-8", []),
        ("UTF-8", "utf-8", []),
        ("8859/1", "iso8859-1", []),
        ("UTF-8", "cp1252", ["charset-mismatch"]),
        ("8859/1", "utf-8", ["charset-mismatch"]),
    ],
)
def test_a_declared_character_set_is_believed_where_the_bytes_agree(
    ward: Ward, declared: str, codec: str, flags: list[str]
) -> None:
    sent = ward.message(name="Núñez^Alan").replace("2.5.1", f"2.5.1||||||{declared}", 1)
    assert ward.send(sent.encode(codec)).code == "AA"
    assert ward.flags() == flags


def test_bytes_that_no_character_set_can_be_are_set_aside(ward: Ward) -> None:
    raw = ward.message(name="N\N{LATIN SMALL LETTER A WITH RING ABOVE}^Alan").encode("utf-8")
    raw = raw.replace(b"\xc3\xa5", b"\xe5\x81")
    assert ward.send(raw).fault == ("AE", "102", "charset-unreadable", "MSH.18")
    assert ward.fate() == ("quarantined", "charset-unreadable", "MSH.18")
    assert (bytes(ward.row().raw), goes_on(ward)) == (raw, True)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_two_bytes_a_character_are_refused(ward: Ward, codec: str) -> None:
    assert ward.send(ward.message().encode(codec)).fault == ("AR", "102", "charset-utf16", "MSH.18")
    assert ward.fate() == ("refused", "charset-utf16", "MSH.18")
    assert goes_on(ward)


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "=cmd()", "\u202eright to left", "\N{SLIGHTLY SMILING FACE}"],
)
def test_what_is_dangerous_elsewhere_is_kept_as_it_was_sent(ward: Ward, text: str) -> None:
    assert ward.send(ward.message(more=NOTE.format(text))).code == "AA"
    assert text in ward.values()


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b"])
def test_characters_that_no_resource_may_hold_are_replaced_and_flagged(
    ward: Ward, character: str
) -> None:
    assert ward.send(ward.message(more=NOTE.format(f"a{character}b"))).code == "AA"
    assert "text-replaced OBX[2]" in ward.flags()
    assert ("a\ufffdb" in ward.values(), goes_on(ward)) == (True, True)


@pytest.mark.parametrize(
    "text", ["4\\5", "\\X0", "\\.br", "\\Zxx\\ unknown", "50\\% of it", "ends with \\"]
)
def test_broken_escapes_stay_text(ward: Ward, text: str) -> None:
    assert ward.send(ward.message(more=NOTE.format(text))).code == "AA"
    assert text in ward.values()


@pytest.mark.parametrize(
    ("sent", "text"), [("a\\X0D\\b", "a\rb"), ("a\\F\\b", "a|b"), ("a\\X1C\\b", "a\ufffdb")]
)
def test_an_escaped_delimiter_makes_no_field_and_no_segment(
    ward: Ward, sent: str, text: str
) -> None:
    assert ward.send(ward.message(more=NOTE.format(sent))).code == "AA"
    assert text in ward.values()
    assert len(ward.known("Observation")) == 2


@pytest.mark.parametrize("kind", ["ST", "FT", "TX"])
def test_delimiters_that_nobody_escaped_stay_in_the_text(ward: Ward, kind: str) -> None:
    text = "T & N stage^T2b, 4 x 5 mm"
    line = f"OBX|2|{kind}|1234-5^Note^LN||{text}||||||F\r"
    assert ward.send(ward.message(more=line)).code == "AA"
    assert text in ward.values()


def test_a_line_break_of_formatted_text_is_one(ward: Ward) -> None:
    line = "OBX|2|FT|1234-5^Note^LN||first\\.br\\second||||||F\r"
    assert ward.send(ward.message(more=line)).code == "AA"
    assert "first\nsecond" in ward.values()
    assert all("\\E\\" not in value for value in ward.values())
