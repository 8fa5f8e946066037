"""A message is taken apart by name and address, and the field to blame is marked."""

import pytest
from hl7apy import load_library

from adapters.hl7v2.anatomy import LONGEST, MOST_SEGMENTS, Anatomy, Field, Part, anatomy
from adapters.hl7v2.field_names import SEGMENTS, field_name

RAW = (
    b"MSH|^~\\&|LIMS|RXX|||20261124||ORU^R01|M1|P|2.4\r"
    b"PID|1||9990000018^^^NHS^NH~A1^^^RXX^MR\r"
    b"OBX|1|NM|PSA||7.3\r"
    b"OBX|2|NM|CEA||\r"
    b"ZXX|1|x\r"
)


def test_each_field_has_its_address_its_name_and_its_repetitions() -> None:
    pid = anatomy(RAW).parts[1]
    assert pid == Part(
        "PID",
        "Patient",
        (
            Field("PID.1", "Set ID", ("1",), blamed=False),
            Field(
                "PID.3",
                "Patient identifier list",
                ("9990000018^^^NHS^NH", "A1^^^RXX^MR"),
                blamed=False,
            ),
        ),
        blamed=False,
    )


@pytest.mark.parametrize(
    ("address", "marked"),
    [
        ("PID.3", "PID.3"),
        ("PID-3", "PID.3"),
        ("OBX[1].5", "OBX[1].5"),
        ("OBX[1].5.1", "OBX[1].5"),
        ("OBX[2].5", "OBX[2].5"),
        ("PID.7", "PID.7"),
    ],
)
def test_the_field_to_blame_is_marked_though_it_is_empty(address: str, marked: str) -> None:
    parts = anatomy(RAW, blamed=address).parts
    blamed = [one.address for part in parts for one in part.fields if one.blamed]
    assert blamed == [marked]
    assert sum(part.blamed for part in parts) == 1


def test_a_segment_to_blame_is_marked_as_a_whole() -> None:
    parts = anatomy(RAW, blamed="OBX[2]").parts
    assert [part.address for part in parts if part.blamed] == ["OBX[2]"]
    assert not any(one.blamed for part in parts for one in part.fields)


def test_a_segment_that_nobody_knows_is_shown_by_its_numbers() -> None:
    assert anatomy(RAW).parts[-1].name == ""
    assert [one.name for one in anatomy(RAW).parts[-1].fields] == ["", ""]


def test_what_can_not_be_read_says_why() -> None:
    assert anatomy(b"no message") == Anatomy((), "The message does not begin with MSH.")


def test_long_fields_and_long_messages_are_cut_for_the_eye() -> None:
    raw = RAW + b"NTE|1||" + b"x" * 600 + b"\r" + b"NTE|2||y\r" * MOST_SEGMENTS
    found = anatomy(raw)
    (text,) = found.parts[5].fields[1].values
    assert text == "x" * LONGEST + "… (600 characters)"
    assert (len(found.parts), found.more) == (MOST_SEGMENTS, 6)


@pytest.mark.parametrize("segment", sorted(SEGMENTS))
def test_there_is_a_name_for_every_field_that_the_standard_has(segment: str) -> None:
    known = load_library("2.8.2").SEGMENTS[segment][1]
    numbers = [int(name.partition("_")[2]) for name, *_ in known]
    assert [number for number in numbers if not field_name(segment, number)] == []
    assert field_name(segment, max(numbers) + 50) == ""
