"""Which comment, specimen and result belongs to which order; and nothing thrown away."""

import pytest

from adapters.hl7v2.conversion import Flag
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import Refused
from tests.adapters.hl7v2.oru_messages import (
    MSH,
    OBR,
    OBX,
    ORC,
    PID,
    converted,
    field_of,
    observations,
)

OBR2 = field_of(field_of(OBR, 3, "F2"), 4, "CEA^CEA^L")
OBX2 = field_of(OBX, 3, "CEA^CEA^L")
NOTE = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DiagnosticReport.note"


def refusal(*segments, dialect=None):
    with pytest.raises(Refused) as caught:
        converted(*segments, dialect=dialect or Dialect())
    return caught.value.hl7_code, caught.value.code, caught.value.field


def test_a_comment_belongs_to_the_segment_before_it():
    conversion = converted(
        MSH, PID, ORC, OBR, "NTE|1||of the order", OBX, "NTE|1||of the result", OBX2
    )
    report = conversion.groups[0].report.tree
    assert [e["valueAnnotation"]["text"] for e in report["extension"] if e["url"] == NOTE] == [
        "of the order"
    ]
    first, second = observations(conversion)
    assert first["note"] == [{"text": "of the result"}]
    assert "note" not in second


@pytest.mark.parametrize("place", [1, 2])
def test_a_comment_outside_any_order_is_kept_raw_for_staff_and_flagged(place):
    segments = [MSH, PID, ORC, OBR, OBX]
    segments.insert(place, "NTE|1||about the person")
    conversion = converted(*segments)
    assert Flag("note-unplaced", "NTE[1]") in conversion.flags
    assert conversion.accounted[place + 1].startswith("kept raw")
    assert "about the person" not in str([made.tree for made in conversion.all_made()])


def test_one_orc_serves_all_orders_after_it():
    orc = field_of(ORC, 12, "G9999991^Okafor^Ngozi^^^Dr^^^GMC")
    conversion = converted(MSH, PID, orc, OBR, OBX, OBR2, OBX2)
    assert [group.filler_number for group in conversion.groups] == ["F1", "F2"]
    requesters = [group.service_request.tree["requester"] for group in conversion.groups]
    assert requesters[0] == requesters[1]


def test_an_order_needs_no_orc():
    assert [group.filler_number for group in converted(MSH, PID, OBR, OBX).groups] == ["F1"]


def test_a_result_before_any_order_is_out_of_order():
    assert refusal(MSH, PID, OBX, OBR) == (100, "segment-order", "OBX[1]")


def test_a_result_about_the_person_is_kept_raw_where_the_feed_knows_such():
    dialect = Dialect(patient_level_results=True)
    conversion = converted(MSH, PID, OBX, ORC, OBR, OBX2, dialect=dialect)
    assert len(observations(conversion)) == 1
    assert conversion.accounted[3].startswith("kept raw")
    between = refusal(MSH, PID, ORC, OBX, OBR, dialect=dialect)
    assert between == (100, "segment-order", "OBX[1]")


@pytest.mark.parametrize(
    "segments", [(MSH, PID, ORC), (MSH, PID, OBR, OBX, ORC), (MSH, PID, ORC, ORC, OBR, OBX)]
)
def test_a_request_without_its_order_is_out_of_order(segments):
    assert refusal(*segments)[:2] == (100, "segment-order")


def test_a_message_without_a_patient_or_an_order_is_empty():
    assert refusal(MSH, OBR, OBX) == (100, "message-empty", "PID")
    assert refusal(MSH, PID) == (100, "message-empty", "OBR")
    assert refusal(MSH) == (100, "message-empty", "PID")


def test_two_patients_in_one_message_are_never_mixed():
    second = field_of(PID, 3, "9990000026^^^NHS^NH")
    expected = (100, "patients-several", "PID[2]")
    assert refusal(MSH, PID, OBR, OBX, second, OBR2, OBX2) == expected
    assert refusal(MSH, PID, second, OBR, OBX) == expected


def test_results_after_the_specimen_are_results_unless_some_came_before_it():
    spm = "SPM|1|^S1||BLD"
    after = converted(MSH, PID, ORC, OBR, spm, OBX, OBX2).groups[0]
    assert len(after.report.tree["result"]) == 2
    assert not any("focus" in made.tree for made in after.observations)
    both = converted(MSH, PID, ORC, OBR, OBX, spm, OBX2).groups[0]
    assert len(both.report.tree["result"]) == 1
    assert ["focus" in made.tree for made in both.observations] == [False, True]


def test_unknown_and_site_segments_are_kept_raw_with_every_other_one_accounted_for():
    conversion = converted(MSH, "SFT|x", PID, "ZU1|1", "PV2|x", ORC, OBR, "ZZZ|1", OBX, "FT1|1")
    assert conversion.accounted == {
        1: "filed in Provenance",
        2: "kept raw: about the sending software",
        3: "filed in Patient",
        4: "kept raw: not mapped",
        5: "kept raw: a visit is referred to, not kept",
        6: "filed in ServiceRequest 1",
        7: "filed in DiagnosticReport 1",
        8: "kept raw: not mapped",
        9: "filed in an Observation of DiagnosticReport 1",
        10: "kept raw: not mapped",
    }
