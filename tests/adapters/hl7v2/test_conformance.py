"""What the second reader says of a message, and that the two readers agree on what is in it."""

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2 import er7
from adapters.hl7v2.batch import messages
from adapters.hl7v2.conformance import Finding, Reading, judge, second_reading

CORPUS = Path(__file__).resolve().parents[3] / "../shared/corpus/hl7v2"
WHOLE, LONGEST = 2_000, 16_000  # bytes: of messages between, slow to judge, one in eight is read

HEAD = r"MSH|^~\&|LIMS|RQ6|PORTAL|REN|20260803140500||ORU^R01^ORU_R01|A1|P|2.5"
PID = "PID|1||9990000018^^^NHS^NH||Test^Ann||19500101|F"
OBR = "OBR|1||F1^LIMS|PSA^PSA^L|||20260803|||||||||||||||20260803||LAB|F"
OBX = "OBX|1|NM|PSA^PSA^L||5.10|ug/L|0.00-4.00|H|||F"


def message(*segments: str, head: str = HEAD, end: str = "\r") -> bytes:
    return end.join([head, *segments]).encode()


def test_a_sound_message_has_no_finding():
    assert judge(message(PID, OBR, OBX)) == []


@pytest.mark.parametrize(
    "head",
    [HEAD.replace(r"^~\&", r"^~\&#"), HEAD.replace("|2.5", "|2.9"), HEAD.replace("|2.5", "|2.7.1")],
)
def test_a_fifth_delimiter_another_version_and_line_ends_are_no_hindrance(head):
    assert second_reading(message(PID, OBR, OBX, head=head, end="\n")) == (
        Reading("MSH"),
        Reading("PID"),
        Reading("OBR"),
        Reading("OBX", "PSA^PSA^L", "5.10"),
    )


def test_a_missing_required_field_is_found_at_its_address():
    assert judge(message(PID, OBR, OBX, OBX.removesuffix("|F"))) == [
        Finding("error", "OBX[2].11", "A required part is missing.")
    ]


def test_a_value_outside_its_table_is_found_without_repeating_it():
    assert judge(message(PID.removesuffix("F") + "Ann", OBR, OBX)) == [
        Finding("warning", "PID.8", "The value is not in the table of this field.")
    ]


def test_a_segment_out_of_place_and_a_group_left_out_are_found():
    assert judge(message("EVN|R01|20260803", PID, OBR, OBX)) == [
        Finding("error", "MSH.9", "A segment stands where the structure has no place.")
    ]
    assert judge(message(PID)) == [
        Finding(
            "error",
            "ORU_R01_PATIENT_RESULT.ORU_R01_ORDER_OBSERVATION",
            "A required part is missing.",
        )
    ]


def test_what_neither_reader_can_read_is_a_finding():
    assert judge(b"hello") == [Finding("error", "MSH", "The message does not begin with MSH.")]
    assert judge(message("QQQ|1")) == [
        Finding("error", "MSH", "The second reader can't take this message apart.")
    ]
    assert (second_reading(b"hello"), second_reading(message("QQQ|1"))) == (None, None)


_FIELDS = st.text(st.sampled_from('PIDOBXRNTE|^~&\\1.<é\r"AZ#'), max_size=40)


@given(_FIELDS, st.sampled_from(["2.3", "2.5.1", "2.8", "", "2.9"]))
def test_judging_never_fails(text, version):
    raw = f"{HEAD.removesuffix('2.5')}{version}\rPID|{text}\rOBX|1|{text}\r{text}".encode()
    assert all(finding.address for finding in judge(raw))
    assert judge(text.encode())[0].address == "MSH"


def parts(field: str, delimiters: er7.Delimiters) -> list[str]:
    r"""What a field says, but for the two things in which the second reader is known to be wrong.

    It escapes the escape character of sequences that it doesn't know (`\.br\` comes out as
    `\E\.br\E\`), and it moves components up over empty ones that the data type of the version
    lacks, or drops empty ones at the end.
    """
    mark = delimiters.escape
    plain = field.replace(f"{mark}E{mark}", mark) if mark else field
    marks = delimiters.component + delimiters.repetition + delimiters.subcomponent
    return [part for part in re.split(f"[{re.escape(marks)}]", plain) if part]


@pytest.mark.skipif(not (CORPUS / "INDEX.tsv").is_file(), reason="shared corpus not present")
def test_the_two_readers_agree_wherever_both_can_read():
    with (CORPUS / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        rows = csv.DictReader(index, delimiter="\t")
        paths = sorted({path for row in rows if (path := CORPUS / row["path"]).is_file()})
    agreed = 0
    found = {raw for path in paths for raw in messages(path.read_bytes())}
    for n, raw in enumerate(sorted(found, key=lambda raw: (len(raw), raw))):
        chosen = len(raw) <= WHOLE or (len(raw) <= LONGEST and n % 8 == 0)
        second = second_reading(raw) if chosen else None
        if second is None:
            continue
        ours = er7.read(raw)
        # The second reader knows no site segments with names of four letters.
        assert [s.name for s in second] == [s.name[:3] for s in ours.segments]
        for reading, segment in zip(second, ours.segments, strict=True):
            if reading.name == "OBX":
                for theirs, field in ((reading.identifier, 3), (reading.value, 5)):
                    assert parts(theirs, ours.delimiters) == parts(
                        segment.field(field), ours.delimiters
                    ), segment.address(field)
        agreed += 1
    assert agreed > 480
