"""A message is read whole, or refused with a code and the address of the culprit."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.hl7v2 import er7
from adapters.hl7v2.er7 import Delimiters, Refused, read

HEAD = r"MSH|^~\&|LIMS|RQ6|PORTAL|REN|20260803140500||ORU^R01|A1|P|2.4"
PID = "PID|1||9990000018^^^NHS^NH~A123^^^RQ6^MR||Test^Ann"
OBR = "OBR|1||F1^LIMS|PSA^Prostate specific antigen^L"
OBX = "OBX|1|NM|PSA^PSA^L||5.10|ug/L|0.00-4.00|H|||F"


def message(*segments: str, end: str = "\r") -> bytes:
    return "".join(segment + end for segment in (segments or (HEAD, PID, OBR, OBX))).encode()


def head(msh2: str = r"^~\&", *, separator: str = "|", version: str = "2.4") -> str:
    return HEAD.replace(r"^~\&", msh2).replace("|2.4", f"|{version}").replace("|", separator)


def refusal(raw: bytes) -> tuple[str, int, str, str]:
    with pytest.raises(Refused) as caught:
        read(raw)
    refused = caught.value
    return refused.ack, refused.hl7_code, refused.code, refused.field


def test_a_message_is_its_segments_in_order_with_their_fields():
    read_message = read(message())
    assert [(s.name, s.number, s.occurrence) for s in read_message.segments] == [
        ("MSH", 1, 1),
        ("PID", 2, 1),
        ("OBR", 3, 1),
        ("OBX", 4, 1),
    ]
    assert read_message.segments[3].fields == tuple(OBX.split("|"))
    assert read_message.raw == message()
    assert read_message.delimiters == Delimiters("|", "^", "~", "\\", "&")
    assert (read_message.charset, read_message.flags, read_message.blank_lines) == ("ascii", (), 0)


def test_field_numbers_of_msh_count_the_separator_as_the_standard_does():
    msh = read(message()).segments[0]
    assert (msh.field(1), msh.field(2), msh.field(3), msh.text(9, 2)) == (
        "|",
        r"^~\&",
        "LIMS",
        "R01",
    )
    assert (msh.repetitions(2), msh.components(2), msh.text(2)) == ((r"^~\&",), (r"^~\&",), r"^~\&")


def test_repetitions_components_and_subcomponents_are_found_by_number():
    pid = read(message(HEAD, r"PID|1||1^^^NHS&2.16&ISO~A\S\1^^^RQ6^MR|")).first("PID")
    assert pid is not None
    assert pid.repetitions(3) == ("1^^^NHS&2.16&ISO", r"A\S\1^^^RQ6^MR")
    assert pid.text(3, 4, 2) == "2.16"
    assert pid.text(3, repetition=2) == "A^1"
    assert pid.components(3) == ("1", "", "", "NHS&2.16&ISO")
    assert (pid.text(3, 9), pid.text(3, 4, 9), pid.text(3, 1, 1, 9), pid.text(99)) == ("",) * 4
    assert (pid.repetitions(4), pid.components(4), pid.field(99)) == ((), (), "")


def test_an_address_names_segment_field_and_component():
    read_message = read(message(HEAD, PID, PID, OBR, OBX, OBX))
    first, second = read_message.all("PID")
    assert (first.address(3), second.address(3)) == ("PID.3", "PID[2].3")
    assert read_message.all("OBX")[1].address(5, 1) == "OBX[2].5.1"
    assert read_message.segments[0].address() == "MSH"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_segments_may_end_with_lf_or_crlf(end):
    read_message = read(message(end=end))
    assert [s.fields for s in read_message.segments] == [s.fields for s in read(message()).segments]
    assert read_message.flags == ("segment-ends",)


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
def test_nothing_else_ends_a_segment(character):
    obx = read(message(HEAD, f"OBX|1|TX|A||one{character}two|||||F")).all("OBX")
    assert [segment.text(5) for segment in obx] == [f"one{character}two"]


def test_blank_lines_are_passed_over_and_counted():
    read_message = read(message("", HEAD, "", PID, "  ", OBX, ""))
    assert [s.name for s in read_message.segments] == ["MSH", "PID", "OBX"]
    assert (read_message.blank_lines, read_message.flags) == (4, ())


def test_control_characters_and_markup_in_a_name_stay_as_they_were_sent():
    name = "<script>\u202e=cmd()\x01\x00\U0001f600"
    pid = read(message(HEAD, f"PID|1||1||{name}")).first("PID")
    assert pid is not None
    assert pid.text(5) == name


def test_a_forgotten_escape_leaves_the_text_whole():
    obx = read(message(HEAD, r"OBX|1|TX|A||R^L & \T\ M|||||F")).first("OBX")
    assert obx is not None
    assert obx.whole(5) == "R^L & & M"


def test_no_decoded_character_makes_a_segment_or_a_field():
    obx = read(message(HEAD, r"OBX|1|TX|A||a\X0D\OBX\F\2\X1C\b|||||F")).all("OBX")
    assert [(len(segment.fields), segment.text(5)) for segment in obx] == [(11, "a\rOBX|2\x1cb")]


@pytest.mark.parametrize(
    ("msh2", "expected"),
    [
        (r"^~\&#", Delimiters("|", "^", "~", "\\", "&")),
        ("!@%*", Delimiters("|", "!", "@", "%", "*")),
        ("#~^&", Delimiters("|", "#", "~", "^", "&")),
    ],
)
def test_delimiters_are_those_of_the_message(msh2, expected):
    text = f"OBX|1|CE|A{expected.component}B"
    obx = read(message(head(msh2), text)).first("OBX")
    assert obx is not None
    assert (obx.delimiters, obx.components(3)) == (expected, ("A", "B"))


def test_the_field_separator_may_be_another():
    read_message = read(message(head(separator="$"), "PID$1$$9990000018"))
    assert read_message.segments[1].field(3) == "9990000018"


def test_a_delimiter_that_was_not_declared_does_not_exist():
    read_message = read(message(head("^~\\"), "OBX|1|CE|A^B&C"))
    assert read_message.flags == ("delimiters-short",)
    assert read_message.segments[1].text(3, 2) == "B&C"


@pytest.mark.parametrize("msh2", ["", "^^~&", r"^~\\&", "&&&&", r"^~\&#!", "LAB", "^~ &"])
def test_delimiters_that_are_alike_or_none_are_refused(msh2):
    assert refusal(message(head(msh2))) == ("AR", 102, "delimiters-bad", "MSH.2")


@pytest.mark.parametrize("line", ["MSH", "MSH ^~", "MSHX"])
def test_a_field_separator_must_be_there(line):
    assert refusal(line.encode()) == ("AR", 102, "delimiters-bad", "MSH.1")


@pytest.mark.parametrize(
    "version", ["2.1", "2.2", "2.3", "2.3.1", "2.4^GBR", "2.5.1", "2.7.1", "2.8.2"]
)
def test_known_versions_are_read_without_remark(version):
    assert read(message(head(version=version))).flags == ()


@pytest.mark.parametrize("version", ["", "2.9", "2.10"])
def test_a_version_left_out_or_later_is_assumed(version):
    assert read(message(head(version=version))).flags == ("version-assumed",)


@pytest.mark.parametrize("version", ["2.3.z", "2.8.1000", "1.0", "3.0", "P", "2.999"])
def test_what_is_no_version_is_refused(version):
    assert refusal(message(head(version=version))) == ("AR", 203, "version-unknown", "MSH.12")


def test_site_segments_are_kept_where_they_stand():
    read_message = read(message(HEAD, "ZPI|1|a", PID, "ZZ|b", "ZPAS|c"))
    assert [s.name for s in read_message.segments] == ["MSH", "ZPI", "PID", "ZZ", "ZPAS"]
    assert read_message.flags == ("segment-form",)


def test_an_unknown_segment_is_kept_and_flagged():
    read_message = read(message(HEAD, "QQQ|1|a"))
    assert (read_message.segments[1].fields, read_message.flags) == (
        ("QQQ", "1", "a"),
        ("segment-unknown",),
    )


@pytest.mark.parametrize("line", ["pid|1||5", "   PID|1||5", "\tpid|1||5"])
def test_a_known_name_in_lower_case_or_indented_is_read_and_flagged(line):
    read_message = read(message(HEAD, line))
    assert read_message.segments[1].fields == ("PID", "1", "", "5")
    assert read_message.flags == ("segment-form",)


def test_a_head_in_lower_case_is_read_and_flagged():
    read_message = read(message(" " + HEAD.replace("MSH", "msh"), PID))
    assert [s.name for s in read_message.segments] == ["MSH", "PID"]
    assert read_message.flags == ("segment-form",)


def test_spaces_at_the_end_of_a_segment_go():
    assert read(message(HEAD, PID + "   ")).segments[1].fields == tuple(PID.split("|"))


@pytest.mark.parametrize(
    "line",
    [
        "second line of a text|||F",
        "Yes|||F",
        "PV|1|I",
        "PIDX|1",
        "5.2",
        "p\u0131d|1",
        "\u017fft|1",
        "|||F",
        "<b>",
    ],
)
def test_a_line_that_is_no_segment_is_never_filed_as_a_cut_text(line):
    raw = message(HEAD, OBR, OBX, "OBX|2|TX|A||first line", line)
    assert refusal(raw) == ("AE", 100, "segment-broken", "OBX[2]")


@pytest.mark.parametrize("raw", [b"", b"\r\n ", b"PID|1", b"hello", b"\x1c\r", b"\xff" * 9])
def test_what_does_not_begin_with_msh_is_no_message(raw):
    assert refusal(raw) == ("AR", 100, "header-missing", "MSH")


def test_several_messages_are_not_read_as_one():
    assert refusal(message(HEAD, PID, HEAD, PID)) == ("AR", 200, "batch-unexpected", "MSH[2]")
    assert refusal(message(r"FHS|^~\&", HEAD)) == ("AR", 200, "batch-unexpected", "FHS")
    assert refusal(message(HEAD, "BTS|1")) == ("AR", 200, "batch-unexpected", "BTS")


def test_ten_thousand_results_are_read():
    assert len(read(message(HEAD, *[OBX] * 10_000)).all("OBX")) == 10_000


def test_a_document_of_ten_megabytes_is_one_field():
    document = "QUJD" * 2_500_000
    obx = read(message(HEAD, f"OBX|1|ED|D||^AP^^Base64^{document}|||||F")).first("OBX")
    assert obx is not None
    assert obx.text(5, 5) == document


@pytest.mark.parametrize(
    ("field", "place"),
    [("^" * 40_000, "OBX[1].5"), ("&" * 40_000, "OBX[1].5"), ("~" * 40_000, "OBX[1].5"),
     ("|" * 40_000, "OBX[1]")],
)  # fmt: skip
def test_more_parts_than_any_laboratory_sends_are_refused(field, place):
    assert refusal(message(HEAD, f"OBX|1|TX|A||{field}")) == ("AE", 102, "field-too-large", place)


def test_more_segments_than_any_laboratory_sends_are_refused():
    raw = message(HEAD, *["NTE"] * 50_000)
    assert refusal(raw) == ("AE", 102, "message-too-large", "NTE[50000]")


def read_or_refuse(raw: bytes) -> er7.Message | Refused:
    try:
        return read(raw)
    except Refused as refused:
        return refused


def accounted(raw: bytes, read_message: er7.Message) -> None:
    """Every line that is not blank is one segment, with nothing of it lost."""
    text = raw.removeprefix(b"\xef\xbb\xbf").decode(read_message.charset)
    lines = [line.strip(" \t") for line in re.split("\r\n|\r|\n", text) if line.strip(" \t")]
    assert len(lines) == len(read_message.segments)
    for line, segment in zip(lines, read_message.segments, strict=True):
        fields = [f for n, f in enumerate(segment.fields) if (segment.name, n) != ("MSH", 1)]
        written = read_message.delimiters.field.join(fields)
        assert written[len(segment.name) :] == line[len(segment.name) :]
        assert segment.name == line[: len(segment.name)].upper()


@given(st.binary(max_size=300), st.sampled_from([b"", HEAD.encode() + b"\r", b"MSH|"]))
@example(b"|^~\\&|\xff\r\xe9", b"MSH")
def test_no_bytes_make_the_reader_fail(noise, before):
    found = read_or_refuse(before + noise)
    if isinstance(found, Refused):
        assert (bool(found.code), bool(found.field)) == (True, True)
    else:
        accounted(before + noise, found)


_LINES = st.lists(
    st.from_regex(r"(?:PID|OBX|ZZZ|nte|QQQ)\|[a-z^~&|\\ ]{0,20}|[a-z ]{0,6}", fullmatch=True)
)


@given(_LINES, st.sampled_from(["\r", "\n", "\r\n"]))
def test_every_line_is_accounted_for_or_the_message_is_refused(lines, end):
    raw = message(HEAD, *lines, end=end)
    found = read_or_refuse(raw)
    if isinstance(found, Refused):
        assert found.code == "segment-broken"
    else:
        accounted(raw, found)
