"""An answer says what to do, in the sender's own tongue, and nothing of a patient."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.ack import Fault, acknowledge, codes_to_send, fault_of
from adapters.hl7v2.er7 import Refused, read
from adapters.hl7v2.header import Header, glimpse, read_header

SENT = datetime(2026, 8, 3, 13, 5, tzinfo=UTC)
DATE_BAD = Fault(102, "date-bad", "OBX[3].14", "This is not a date; send YYYYMMDD & time.")


def header(
    version: str = "2.4", *, msh2: str = r"^~\&", control_id: str = "A1", modes: str = "|"
) -> Header:
    head = f"MSH|{msh2}|LIMS^1.2^ISO|RQ6|PORTAL|REN|20260803||ORU^R01|{control_id}|P|{version}"
    return read_header(read(f"{head}|||{modes}\rPID|1||9990000018||Test^Ann\r".encode()))


def answer(of: Header, code="AA", *faults: Fault) -> list[str]:
    raw = acknowledge(of, code, control_id="ACK1", sent=SENT, faults=faults)
    assert raw.isascii()
    assert raw.endswith(b"\r")
    return raw.decode("ascii").removesuffix("\r").split("\r")


def test_an_acceptance_repeats_the_control_id_and_swaps_the_parties():
    assert answer(header()) == [
        r"MSH|^~\&|PORTAL|REN|LIMS^1.2^ISO|RQ6|20260803130500+0000||ACK^R01^ACK|ACK1|P|2.4",
        "MSA|AA|A1",
    ]


@pytest.mark.parametrize(
    ("version", "message_type"),
    [("2.2", "ACK"), ("2.3", "ACK"), ("2.3.1", "ACK"), ("2.4", "ACK^R01^ACK"),
     ("2.5.1", "ACK^R01^ACK"), ("2.10", "ACK^R01^ACK")],
)  # fmt: skip
def test_the_message_type_and_version_are_those_of_the_senders_version(version, message_type):
    fields = answer(header(version))[0].split("|")
    assert (fields[8], fields[11]) == (message_type, version)


def test_an_error_is_placed_as_versions_from_2_5_on_do():
    assert answer(header("2.5.1"), "AE", DATE_BAD)[1:] == [
        r"MSA|AE|A1|This is not a date; send YYYYMMDD \T\ time.",
        (
            r"ERR||OBX^3^14|102^Data type error^HL70357|E|date-bad^^L|||"
            r"This is not a date; send YYYYMMDD \T\ time."
        ),
    ]


def test_a_component_a_segment_and_no_place_at_all_are_placed_too():
    faults = [Fault(204, "identity-unclear", place, "x") for place in ("PID.3.1", "OBX[2]", "")]
    assert [line.split("|")[2] for line in answer(header("2.8"), "AE", *faults)[2:]] == [
        "PID^1^3^1^1",
        "OBX^2",
        "",
    ]
    assert answer(header("2.8"), "AE", *faults)[1] == "MSA|AE|A1"


def test_errors_are_placed_as_versions_before_2_5_do():
    assert answer(header("2.3"), "AE", DATE_BAD, Fault(101, "x-missing", "PID.3", "y"))[2:] == [
        (
            "ERR|OBX^3^14^102&Data type error&HL70357&date-bad&&L"
            "~PID^1^3^101&Required field missing&HL70357&x-missing&&L"
        )
    ]


def test_an_answer_speaks_with_the_senders_delimiters():
    assert answer(header("2.5", msh2="@!%*"), "AE", DATE_BAD)[0::2] == [
        "MSH|@!%*|PORTAL|REN|LIMS^1.2^ISO|RQ6|20260803130500+0000||ACK|ACK1|P|2.5",
        (
            "ERR||OBX@3@14|102@Data type error@HL70357|E|date-bad@@L|||"
            "This is not a date; send YYYYMMDD & time."
        ),
    ]


def test_an_answer_can_do_without_the_delimiters_that_the_sender_lacks():
    lines = answer(header("2.3", msh2="^"), "AE", DATE_BAD, DATE_BAD)
    assert lines[2:] == ["ERR|OBX^3^14^102"] * 2


@pytest.mark.parametrize("control_id", ["A" * 199, r"A\X0D\MSA\F\AA", r"\.br\ ", "1~2^3&4", ""])
def test_the_control_id_comes_back_exactly(control_id):
    lines = answer(header(control_id=control_id), "AA")
    assert lines[1:] == [f"MSA|AA|{control_id}"]


def test_no_control_character_of_theirs_stands_in_an_answer():
    lines = answer(header(control_id="A\x1c\x01\x0bé"), "AA")
    assert lines[1:] == [r"MSA|AA|A\X1C\\X01\\X0B\\XC3A9" + "\\"]


def test_a_refused_message_is_answered_with_its_own_control_id():
    raw = b"MSH|^^^^|LIMS|RQ6|PORTAL|REN|20260803||ORU^R01|A1|P|2.5\rPID|1||9990000018||Test^Ann"
    with pytest.raises(Refused) as caught:
        read(raw)
    assert answer(glimpse(raw), caught.value.ack, fault_of(caught.value)) == [
        r"MSH|^~\&|PORTAL|REN|LIMS|RQ6|20260803130500+0000||ACK^R01^ACK|ACK1|P|2.5",
        "MSA|AR|A1|Two of the delimiters in MSH-2 are alike.",
        (
            "ERR||MSH^1^2|102^Data type error^HL70357|E|delimiters-bad^^L|||"
            "Two of the delimiters in MSH-2 are alike."
        ),
    ]


def test_a_head_that_can_not_be_read_is_answered_all_the_same():
    assert answer(glimpse(b"hello Ann"), "AR") == [
        r"MSH|^~\&|||||20260803130500+0000||ACK|ACK1||2.4",
        "MSA|AR|",
    ]


def test_a_version_that_is_none_is_not_repeated():
    of = glimpse(b"MSH|^~\\&|A|B|C|D|||ORU^R01|A1|P|2.4PID 1 Ann Test")
    assert answer(of, "AR")[0].endswith("|P|2.4")


@pytest.mark.parametrize(
    ("modes", "code", "hl7_code", "answers"),
    [
        ("|", "AA", 0, ("AA",)),
        ("|", "AE", 102, ("AE",)),
        ("|", "AR", 207, ("AR",)),
        ("AL|NE", "AA", 0, ("CA",)),
        ("AL|AL", "AA", 0, ("CA", "AA")),
        ("AL|AL", "AE", 102, ("CA", "AE")),
        ("AL|ER", "AA", 0, ("CA",)),
        ("AL|ER", "AE", 102, ("CA", "AE")),
        ("AL|SU", "AE", 102, ("CA",)),
        ("AL|AL", "AR", 200, ("CR",)),
        ("AL|AL", "AR", 207, ("CE",)),
        ("AL|AL", "AE", 205, ("CE",)),
        ("ER|AL", "AA", 0, ("AA",)),
        ("ER|NE", "AR", 203, ("CR",)),
        ("SU|NE", "AA", 0, ("CA",)),
        ("NE|AL", "AE", 102, ("AE",)),
        ("NE|AL", "AR", 200, ("AR",)),
        ("NE|NE", "AR", 200, ()),
        ("|AL", "AA", 0, ("AA",)),
        ("AL|", "AA", 0, ("CA",)),
    ],
)
def test_the_sender_chooses_which_answers_come(modes, code, hl7_code, answers):
    assert codes_to_send(header(modes=modes), code, hl7_code) == answers


@given(st.binary(max_size=120), st.sampled_from([b"MSH", b"MSH|", rb"MSH|^~\&|A|B|C|D|||", b""]))
def test_whatever_the_head_the_answer_is_two_segments_of_ascii(noise, before):
    lines = answer(glimpse(before + noise), "AR")
    assert [line[:3] for line in lines] == ["MSH", "MSA"]
    assert "".join(lines).isprintable()


@given(st.lists(st.sampled_from("!\"#$%&'()*+,-/:;<=>?@[\\]^_`{|}~"), min_size=2, max_size=5,
                unique=True), st.sampled_from(["2.3", "2.8"]))  # fmt: skip
def test_any_delimiters_can_be_answered_and_the_answer_read(marks, version):
    separator, declared = marks[0], "".join(marks[1:])
    raw = separator.join(["MSH", declared, "A", "B", "C", "D", "", "", "ORU", "N7", "P", version])
    lines = acknowledge(
        glimpse(raw.encode()), "AE", control_id="ACK1", sent=SENT, faults=[DATE_BAD]
    )
    read_answer = read(lines)
    msa = read_answer.first("MSA")
    assert msa is not None
    assert (msa.text(1), msa.text(2), [s.name for s in read_answer.segments]) == (
        "AE",
        "N7",
        ["MSH", "MSA", "ERR"],
    )
