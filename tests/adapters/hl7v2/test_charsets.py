"""The characters of a message: as declared, else found out and flagged, else refused."""

import pytest

from adapters.hl7v2.charsets import codec_named, decode
from adapters.hl7v2.er7 import Refused, read

HEAD = r"MSH|^~\&|LIMS|RQ6|PORTAL|REN|20260803140500||ORU^R01|A1|P|2.4|||||"
NAME = "Zoë Müller – Ångström"


def message(charset: str, declared: str = "", name: str = NAME) -> bytes:
    return f"{HEAD}|{declared}\rPID|1||9990000018||{name}\r".encode(charset)


def outcome(raw: bytes, default_charset: str = "") -> tuple[str, str, tuple[str, ...]]:
    found = read(raw, default_charset=default_charset)
    return found.segments[1].field(5), found.charset, found.flags


def refusal(raw: bytes) -> tuple[str, int, str, str]:
    with pytest.raises(Refused) as caught:
        read(raw)
    refused = caught.value
    return refused.ack, refused.hl7_code, refused.code, refused.field


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("UNICODE UTF-8", "utf-8"), ("UTF-8", "utf-8"), ("utf8", "utf-8"), ("8859/1", "iso8859-1"),
        ("ISO-8859-15", "iso8859-15"), ("8859/15", "iso8859-15"), ("ASCII", "ascii"),
        ("UTF-8~UNICODE", "utf-8"), ("UNICODE UTF-8^x", "utf-8"), ("ISO IR87", "iso2022_jp"),
        ("GB 18030-2000", "gb18030"), ("KS X 1001", "euc_kr"), ("BIG-5", "big5"),
        ("Windows-1252", "cp1252"), ("ISO IR 999", ""), ("", ""),
    ],
)  # fmt: skip
def test_the_names_of_table_0211_are_known_in_every_spelling(name, codec):
    assert codec_named(name) == codec


@pytest.mark.parametrize(
    ("charset", "declared"),
    [("utf-8", "UNICODE UTF-8"), ("utf-8", "UTF-8"), ("cp1252", "WINDOWS-1252")],
)
def test_a_declared_set_is_used_without_remark(charset, declared):
    assert outcome(message(charset, declared)) == (NAME, charset, ())


def test_iso_8859_1_is_read_as_declared():
    assert outcome(message("iso8859-1", "8859/1", "Zoë")) == ("Zoë", "iso8859-1", ())


def test_a_double_byte_set_keeps_the_delimiters_apart():
    name = "山田^太郎"
    assert outcome(message("iso2022_jp", "ISO IR87", name)) == (name, "iso2022_jp", ())
    assert outcome(message("gb18030", "GB 18030-2000", "张|伟"))[0] == "张"


def test_bytes_without_a_declaration_are_found_out_and_flagged():
    assert outcome(message("cp1252")) == (NAME, "cp1252", ("charset-guessed",))
    assert outcome(message("utf-8")) == (NAME, "utf-8", ("charset-guessed",))
    assert outcome(message("ascii", name="Ann")) == ("Ann", "ascii", ())


def test_a_feed_may_say_what_its_messages_leave_out():
    assert outcome(message("iso8859-2", name="Łódź"), "8859/2") == ("Łódź", "iso8859-2", ())
    assert outcome(message("cp1252"), "UTF-8") == (NAME, "cp1252", ("charset-mismatch",))


def test_bytes_that_the_declared_set_can_not_be_go_down_the_chain():
    mismatch = ("charset-mismatch",)
    assert outcome(message("cp1252", "UNICODE UTF-8")) == (NAME, "cp1252", mismatch)
    assert outcome(message("utf-8", "ASCII")) == (NAME, "utf-8", mismatch)
    assert outcome(message("cp1252", "8859/1")) == (NAME, "cp1252", mismatch)
    assert outcome(message("utf-8", "UNICODE UTF-16")) == (NAME, "utf-8", mismatch)


def test_utf_8_under_the_name_of_another_set_is_flagged():
    assert outcome(message("utf-8", "8859/1", "Zoë")) == (
        "ZoÃ«",
        "iso8859-1",
        ("charset-mismatch",),
    )
    assert outcome(message("utf-8", name="Zoë"), "Windows-1252") == (
        "ZoÃ«",
        "cp1252",
        ("charset-mismatch",),
    )


def test_a_name_that_nobody_knows_is_flagged():
    assert outcome(message("utf-8", "ISO IR 999")) == (
        NAME,
        "utf-8",
        ("charset-unknown", "charset-guessed"),
    )
    assert outcome(message("ascii", "KLINGON", "Ann")) == ("Ann", "ascii", ("charset-unknown",))


def test_a_byte_order_mark_is_dropped_from_the_text_and_kept_in_the_raw():
    raw = b"\xef\xbb\xbf" + message("utf-8")
    found = read(raw)
    assert (found.raw, found.segments[0].name, found.flags) == (raw, "MSH", ())
    assert outcome(raw) == (NAME, "utf-8", ())


def test_bytes_that_are_no_text_at_all_are_quarantined():
    assert refusal(message("ascii", name="Ann").replace(b"Ann", b"\x81\xff")) == (
        "AE",
        102,
        "charset-unreadable",
        "MSH.18",
    )


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_two_and_four_bytes_a_character_are_refused(charset):
    assert refusal(message(charset)) == ("AR", 102, "charset-utf16", "MSH.18")


def test_a_zero_byte_after_the_head_is_only_a_character():
    assert outcome(message("ascii", name="A\0n")) == ("A\0n", "ascii", ())


def test_decoding_says_which_codec_was_used():
    decoded = decode(b"\x80", "", "")
    assert (decoded.text, decoded.charset, decoded.flags) == ("€", "cp1252", ("charset-guessed",))
