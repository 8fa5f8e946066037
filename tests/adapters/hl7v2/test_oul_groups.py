"""Results that come by specimen: each order with its own specimen, and nothing thrown away."""

import pytest

from adapters.hl7v2.conversion import Conversion, Flag
from adapters.hl7v2.dialect import STANDARD
from adapters.hl7v2.er7 import Refused, read
from adapters.hl7v2.kinds import convert
from tests.adapters.hl7v2.oru_messages import MSH, OBR, OBX, ORC, PID, field_of, oru, readable

SPM = "SPM|1|^S1||BLD^Blood^HL70487"
SPM2 = "SPM|2|^S2||UR^Urine^HL70487"
OBR2 = field_of(field_of(OBR, 3, "F2"), 4, "CEA^CEA^L")
OBX2 = field_of(OBX, 3, "CEA^CEA^L")
WEIGHT = "OBX|9|NM|WT^Weight^L||12|g|||||F"


def header(event):
    return field_of(MSH, 9, f"OUL^{event}")


def converted(*segments) -> Conversion:
    return convert(read(oru(*segments)), STANDARD)


def told(group):
    """The filler number of a group, its specimens, the tests of its report, and what is of them."""
    about = [one for one in group.observations if "focus" in one.tree]
    results = [one for one in group.observations if "focus" not in one.tree]
    return (
        group.filler_number,
        [one.tree["identifier"][0]["value"] for one in group.specimens],
        [one.tree["code"]["coding"][0]["code"] for one in results],
        [one.tree["code"]["coding"][0]["code"] for one in about],
    )


@pytest.mark.parametrize("event", ["R22", "R23"])
def test_a_specimen_is_that_of_every_order_after_it(event):
    conversion = converted(header(event), PID, SPM, OBR, ORC, OBX, OBR2, OBX2, SPM2, OBR, OBX)
    assert [told(group) for group in conversion.groups] == [
        ("F1", ["S1"], ["PSA"], []),
        ("F2", ["S1"], ["CEA"], []),
        ("F1", ["S2"], ["PSA"], []),
    ]
    (first, second, _) = conversion.groups
    assert first.specimens[0].key != second.specimens[0].key
    assert readable(first.report.tree)["specimen"] == [
        {"reference": "Specimen/NMH FILL F1 PSA S1#1"}
    ]


def test_what_was_measured_of_a_specimen_is_told_once():
    container = "SAC||A1"
    conversion = converted(header("R22"), PID, SPM, WEIGHT, container, OBR, OBX, OBR2, OBX2)
    assert [told(group) for group in conversion.groups] == [
        ("F1", ["S1"], ["PSA"], ["WT"]),
        ("F2", ["S1"], ["CEA"], []),
    ]
    assert conversion.accounted[5] == "kept raw: about a specimen's container"


def test_an_order_that_comes_first_has_the_specimens_after_it():
    conversion = converted(header("R24"), PID, OBR, ORC, SPM, SPM2, OBX, OBR2, SPM, OBX2)
    assert [told(group) for group in conversion.groups] == [
        ("F1", ["S1", "S2"], ["PSA"], []),
        ("F2", ["S1"], ["CEA"], []),
    ]


def test_what_stands_before_the_container_is_about_the_specimen():
    conversion = converted(header("R24"), PID, OBR, ORC, SPM, WEIGHT, "SAC||A1", "INV|x", OBX)
    assert told(conversion.groups[0]) == ("F1", ["S1"], ["PSA"], ["WT"])


@pytest.mark.parametrize("order", [(OBR, ORC), (ORC, OBR)])
def test_the_request_may_stand_before_its_order_or_after_it(order):
    requested = field_of(ORC, 12, "G9999991^Okafor^Ngozi^^^Dr^^^GMC")
    segments = [requested if one is ORC else one for one in order]
    conversion = converted(header("R22"), PID, SPM, *segments, OBX, OBR2, OBX2)
    requests = [readable(group.service_request.tree) for group in conversion.groups]
    assert [request.get("requester", {}).get("display") for request in requests] == [
        "Dr Ngozi Okafor",
        None,
    ]


def test_comments_and_times_belong_where_they_stand():
    conversion = converted(
        *(header("R22"), PID, SPM, "NTE|1||of the specimen", OBR, ORC, "NTE|1||of the order"),
        *("TQ1|1||||||20260804||A", OBX, "NTE|1||of the result"),
    )
    (group,) = conversion.groups
    assert group.specimens[0].tree["note"] == [{"text": "of the specimen"}]
    assert group.observations[0].tree["note"] == [{"text": "of the result"}]
    assert group.report.tree["extension"][0]["valueAnnotation"] == {"text": "of the order"}
    assert group.service_request.tree["priority"] == "asap"


def test_every_segment_is_accounted_for():
    conversion = converted(
        *(header("R22"), "SFT|x", PID, "OBX|1|NM|HR^Pulse^L||70|||||F", "NTE|1||nurse"),
        *(SPM, OBR, ORC, "OBX||ED|||^^^Base64^", "TXA|1|DI", OBX, "ZZZ|1", SPM2, WEIGHT),
    )
    assert conversion.accounted == {
        1: "filed in Provenance",
        2: "kept raw: about the sending software",
        3: "filed in Patient",
        4: "kept raw: a result about the person, outside any order",
        5: "kept raw: a comment outside any order, for staff only",
        6: "filed in Specimen 1",
        7: "filed in DiagnosticReport 1",
        8: "filed in ServiceRequest 1",
        9: "kept raw: a document of the order, not of its results",
        10: "kept raw: not mapped",
        11: "filed in an Observation of DiagnosticReport 1",
        12: "kept raw: not mapped",
        13: "kept raw: of a specimen without an order",
        14: "kept raw: of a specimen without an order",
    }
    assert conversion.flags == (Flag("note-unplaced", "NTE[1]"),)


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ((SPM, OBR, OBX), (100, "message-empty", "PID")),
        ((PID, SPM), (100, "message-empty", "OBR")),
        ((PID, SPM, OBR, OBX, PID), (100, "patients-several", "PID[2]")),
        ((PID, SPM, OBR, OBX, ORC), (100, "segment-order", "ORC[1]")),
        ((PID, SPM, ORC, ORC, OBR, OBX), (100, "segment-order", "ORC[1]")),
        ((PID, SPM, ORC, OBX, OBR), (100, "segment-order", "OBX[1]")),
    ],
)
def test_what_is_out_of_order_is_refused_with_the_segment(segments, expected):
    with pytest.raises(Refused) as caught:
        converted(header("R22"), *segments)
    assert (caught.value.hl7_code, caught.value.code, caught.value.field) == expected


@pytest.mark.parametrize("event", ["R30", "R31", "R32"])
def test_results_from_the_point_of_care_are_results(event):
    plain = converted(MSH, PID, ORC, OBR, OBX)
    there = converted(field_of(MSH, 9, f"ORU^{event}"), PID, ORC, OBR, OBX)
    assert [one.report for one in there.groups] == [one.report for one in plain.groups]
    assert there.accounted == plain.accounted
