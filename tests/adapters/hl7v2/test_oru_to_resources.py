"""A message becomes resources whose keys stay the same from the first version to the last."""

from datetime import UTC, datetime

import pytest

from adapters.hl7v2.conversion import Flag, Link, resolve
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
    with_results,
)

THO = "http://terminology.hl7.org/CodeSystem"


def keys(conversion):
    kinds = ("DiagnosticReport", "Observation", "Specimen", "ServiceRequest")
    return {made.key for made in conversion.all_made() if made.key[0] in kinds}


def test_preliminary_final_and_corrected_are_the_same_resources():
    versions = [
        converted(
            field_of(MSH, 10, f"M{status}"),
            PID,
            ORC,
            field_of(field_of(OBR, 25, status), 22, f"2026080314{minute}"),
            field_of(field_of(OBX, 11, status), 5, value),
        )
        for status, minute, value in (("P", "00", "27.0"), ("F", "10", "27.0"), ("C", "20", "2.7"))
    ]
    assert len({frozenset(keys(version)) for version in versions}) == 1
    assert [version.groups[0].status for version in versions] == [
        "preliminary",
        "final",
        "corrected",
    ]
    at = [version.groups[0].version_at for version in versions]
    assert at == sorted(at)
    provenances = {version.groups[0].provenance.key for version in versions}
    assert len(provenances) == 3


def test_the_patient_is_no_part_of_any_key_of_a_report():
    other = field_of(PID, 3, "9990000026^^^NHS^NH")
    assert keys(converted()) == keys(converted(MSH, other, ORC, OBR, OBX))


def test_another_sender_order_or_test_is_another_report():
    reports = {
        converted(*segments).groups[0].report.key
        for segments in (
            (MSH, PID, ORC, OBR, OBX),
            (field_of(MSH, 4, "EVH"), PID, ORC, OBR, OBX),
            (MSH, PID, field_of(ORC, 3, "F2"), field_of(OBR, 3, "F2"), OBX),
            (MSH, PID, ORC, field_of(OBR, 4, "CEA^CEA^L"), OBX),
        )
    }
    assert len(reports) == 4


def test_without_a_fillers_number_the_placers_finds_the_report():
    conversion = converted(MSH, PID, "ORC|RE|P1", field_of(OBR, 3, ""), OBX)
    assert conversion.groups[0].report.key == ("DiagnosticReport", "NMH", "PLAC", "P1", "PSA")


def test_an_order_without_any_number_refuses_the_message():
    with pytest.raises(Refused, match="order-number-missing"):
        converted(MSH, PID, field_of(field_of(OBR, 3, ""), 2, ""), OBX)


def test_the_same_order_twice_in_a_message_is_told_apart_by_place():
    groups = converted(MSH, PID, OBR, OBX, OBR, OBX).groups
    assert [group.report.key[4:] for group in groups] == [("PSA",), ("PSA", "2")]


@pytest.mark.parametrize(
    ("obr_22", "msh_7", "issued", "flags"),
    [
        ("202608031405", "20260803150000", "2026-08-03T14:05:00+01:00", ()),
        ("20260803140507.25", "20260803150000", "2026-08-03T14:05:07.25+01:00", ()),
        ("", "20260803150000", "2026-08-03T15:00:00+01:00", ()),
        ("20260803", "20260803150000", "2026-08-03T15:00:00+01:00", ("issued-assumed",)),
        ("", "", "2026-08-03T15:30:00+00:00", ()),
        ("", "20260803", "2026-08-03T15:30:00+00:00", ()),
    ],
)
def test_a_version_is_of_its_issue_else_of_the_message_else_of_its_receipt(
    obr_22, msh_7, issued, flags
):
    conversion = converted(
        field_of(MSH, 7, msh_7),
        PID,
        ORC,
        field_of(OBR, 22, obr_22),
        OBX,
        received_at=datetime(2026, 8, 3, 15, 30, tzinfo=UTC),
    )
    group = conversion.groups[0]
    assert group.report.tree["issued"] == issued
    assert group.version_at == datetime.fromisoformat(issued)
    assert tuple(flag.code for flag in conversion.flags) == flags


def test_a_version_of_no_time_at_all_refuses_the_message():
    with pytest.raises(Refused, match=r"date-missing at MSH\.7"):
        converted(field_of(MSH, 7, ""), PID, ORC, field_of(OBR, 22, ""), OBX)


def test_a_result_taken_back_has_no_value_and_takes_an_only_report_with_it():
    conversion = with_results(field_of(OBX, 11, "W"), "NTE|1||the earlier value was 7.30")
    group = conversion.groups[0]
    (tree,) = observations(conversion)
    assert (group.status, tree["status"]) == ("entered-in-error", "entered-in-error")
    assert group.withdrawn == (group.observations[0].key,)
    assert not {"valueQuantity", "note", "interpretation", "referenceRange"} & tree.keys()


def test_a_result_taken_back_among_others_leaves_the_report():
    conversion = with_results(field_of(OBX, 11, "D"), field_of(OBX, 3, "CEA^CEA^L"))
    group = conversion.groups[0]
    assert group.status == "final"
    assert len(group.withdrawn) == 1


def test_a_status_without_its_value_names_the_result_and_makes_none():
    conversion = with_results(field_of(field_of(OBX, 11, "U"), 5, ""))
    group = conversion.groups[0]
    assert group.observations == ()
    assert group.report.tree["result"] == [{"reference": Link(group.status_only[0])}]
    assert group.status_only[0] == with_results(OBX).groups[0].observations[0].key


def test_an_unfinished_result_in_a_final_report_is_flagged_and_keeps_its_status():
    conversion = with_results(field_of(OBX, 11, "P"))
    assert observations(conversion)[0]["status"] == "preliminary"
    assert conversion.groups[0].is_preliminary
    assert Flag("status-differs", "OBR[1].25") in conversion.flags


@pytest.mark.parametrize(
    ("field", "sent", "reason"),
    [
        (11, "R", "unverified"),
        (11, "N", "not-asked"),
        (13, "STAFF", "access-checks"),
        (26, "SWTH^Withhold^HL70909", "laboratory-withholds"),
        (26, "STBD", "laboratory-withholds"),
    ],
)
def test_what_no_patient_may_be_shown_without_a_clinician_is_named_with_its_reason(
    field, sent, reason
):
    group = with_results(field_of(OBX, field, sent)).groups[0]
    assert group.unreleasable == ((group.observations[0].key, reason),)


def test_a_laboratory_that_lets_a_result_out_at_once_withholds_nothing():
    group = with_results(field_of(OBX, 26, "SIMM")).groups[0]
    assert (group.unreleasable, group.release_codes) == ((), ("SIMM",))


@pytest.mark.parametrize(
    ("sent", "labels", "holds"),
    [
        ("R", [(f"{THO}/v3-Confidentiality", "R")], ("security-label",)),
        ("AID", [(f"{THO}/v3-ActCode", "HIV")], ("security-label",)),
        ("???", [(f"{THO}/v3-Confidentiality", "V")], ("security-label",)),
        ("U", [(f"{THO}/v2-0177", "U")], ()),
        ("", [], ()),
    ],
)
def test_a_label_stands_on_report_and_results_and_holds_them(sent, labels, holds):
    group = converted(MSH, PID, field_of(ORC, 28, sent), OBR, OBX).groups[0]
    assert (list(group.security), group.holds) == (labels, holds)
    meta = {"security": [{"system": system, "code": code} for system, code in labels]}
    for made in (group.report, *group.observations):
        assert made.tree.get("meta", {"security": []}) == meta


@pytest.mark.parametrize(
    ("section", "kinds"),
    [
        ("CH", (False, False)),
        ("SP", (True, False)),
        ("CP", (True, False)),
        ("RAD", (False, True)),
        ("ct", (False, True)),
        ("", (False, False)),
    ],
)
def test_the_department_tells_histology_and_imaging(section, kinds):
    group = converted(MSH, PID, ORC, field_of(OBR, 24, section), OBX).groups[0]
    assert (group.is_histology, group.is_imaging) == kinds
    category = group.observations[0].tree["category"][0]["coding"][0]["code"]
    assert category == ("imaging" if kinds[1] else "laboratory")


def test_a_feed_may_name_its_histology_tests():
    dialect = Dialect(histology_tests=frozenset({"PSA"}))
    assert with_results(OBX, dialect=dialect).groups[0].is_histology


def test_a_test_that_only_the_sender_knows_is_named_with_its_unit():
    known = field_of(OBX, 3, "PSA^PSA^L^1000381000000105^PSA level^SCT")
    assert with_results(known).groups[0].local_codes == ()
    (local,) = with_results(OBX).groups[0].local_codes
    assert (local.system, local.code, local.text, local.unit) == (
        "urn:portal-fhir:codes:NMH",
        "PSA",
        "PSA",
        "ug/L",
    )


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("ADT^A24", 201),
        ("ORU", 201),
        ("ORU^R33", 201),
        ("oru^r01", 200),
        ("ORU_R01", 200),
        ("", 200),
    ],
)
def test_another_type_of_message_is_not_for_us(sent, code):
    with pytest.raises(Refused) as caught:
        converted(field_of(MSH, 9, sent), PID, ORC, OBR, OBX)
    refused = caught.value
    assert (refused.ack, refused.hl7_code, refused.code, refused.field) == (
        "AR",
        code,
        "type-unsupported",
        "MSH.9",
    )


@pytest.mark.parametrize("sent", ["ORU^R01", "ORU^R01^ORU_R01", "ORU^R01^ORU_R01^x"])
def test_an_oru_r01_is_taken_with_whatever_follows(sent):
    assert converted(field_of(MSH, 9, sent), PID, ORC, OBR, OBX).groups


def test_a_feed_may_have_its_own_name_for_it():
    dialect = Dialect(message_forms=frozenset({"ORU"}))
    assert converted(field_of(MSH, 9, "ORU"), PID, ORC, OBR, OBX, dialect=dialect).groups


def test_statuses_may_be_agreed_for_a_feed_that_sends_none():
    silent = (MSH, PID, ORC, field_of(OBR, 25, ""), field_of(OBX, 11, ""))
    with pytest.raises(Refused, match="status-missing"):
        converted(*silent)
    agreed = Dialect(report_status="F", observation_status="F")
    conversion = converted(*silent, dialect=agreed)
    assert conversion.groups[0].status == observations(conversion)[0]["status"] == "final"


def test_a_visit_is_referred_to_by_its_number():
    pv1 = field_of("PV1|1|O", 19, "V7^^^NMH^VN")
    conversion = converted(MSH, PID, pv1, ORC, OBR, OBX)
    visit = conversion.groups[0].report.tree["encounter"]
    assert (visit["type"], visit["identifier"]["value"]) == ("Encounter", "V7")
    assert observations(conversion)[0]["encounter"] == visit


def test_a_reference_is_resolved_by_the_key_of_what_it_refers_to():
    conversion = converted()
    ids = {made.key: f"id{number}" for number, made in enumerate(conversion.all_made())}
    ids["Patient",] = "p"
    report = resolve(conversion.groups[0].report.tree, ids)
    assert report["subject"] == {"reference": "Patient/p"}
    assert report["result"] == [
        {"reference": f"Observation/{ids[conversion.groups[0].observations[0].key]}"}
    ]
    with pytest.raises(KeyError):
        resolve(conversion.groups[0].report.tree, {})


def test_the_same_message_is_converted_to_the_same_answer():
    assert converted() == converted()


def test_no_refusal_holds_data_of_the_patient():
    for number, sent in ((3, "A123"), (7, "19/02/1968"), (8, "Q")):
        with pytest.raises(Refused) as caught:
            converted(MSH, field_of(PID, number, sent), ORC, OBR, OBX)
        assert sent not in caught.value.text
