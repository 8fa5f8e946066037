"""The report: what was done, when, where, by whom, and what the laboratory says of it."""

import pytest

from adapters.hl7v2.conversion import Flag
from adapters.hl7v2.dialect import Dialect
from tests.adapters.hl7v2.oru_messages import (
    MSH,
    OBR,
    OBX,
    ORC,
    PID,
    converted,
    field_of,
    readable,
)

THO = "http://terminology.hl7.org/CodeSystem"
HSD = "http://hl7.org/fhir/StructureDefinition"


def report(obr=OBR, orc=ORC, dialect=None):
    conversion = converted(MSH, PID, orc, obr, OBX, dialect=dialect or Dialect())
    return readable(conversion.groups[0].report.tree)


def test_a_report_has_its_numbers_test_times_and_place_in_the_order():
    assert report() == {
        "resourceType": "DiagnosticReport",
        "identifier": [
            {"type": {"coding": [{"system": f"{THO}/v2-0203", "code": "PLAC"}]}, "value": "P1"},
            {"type": {"coding": [{"system": f"{THO}/v2-0203", "code": "FILL"}]}, "value": "F1"},
        ],
        "basedOn": [{"reference": "ServiceRequest/NMH FILL F1 PSA"}],
        "status": "final",
        "code": {
            "coding": [
                {
                    "system": "urn:portal-fhir:codes:NMH",
                    "code": "PSA",
                    "display": "Prostate specific antigen",
                }
            ]
        },
        "subject": {"reference": "Patient/named"},
        "effectiveDateTime": "2026-08-03T10:00:00+01:00",
        "issued": "2026-08-03T14:05:00+01:00",
        "category": [
            {"coding": [{"system": f"{THO}/v2-0074", "code": "CH"}]},
            {"coding": [{"system": f"{THO}/v2-0074", "code": "LAB"}]},
        ],
        "result": [{"reference": "Observation/NMH FILL F1 PSA PSA L"}],
    }


@pytest.mark.parametrize(
    ("start", "end", "effective"),
    [
        ("202608031000", "", {"effectiveDateTime": "2026-08-03T10:00:00+01:00"}),
        ("202608031000", "202608031000", {"effectiveDateTime": "2026-08-03T10:00:00+01:00"}),
        (
            "20260803",
            "20260804",
            {"effectivePeriod": {"start": "2026-08-03", "end": "2026-08-04"}},
        ),
        ("", "20260804", {}),
    ],
)
def test_the_specimens_time_is_the_reports(start, end, effective):
    tree = report(field_of(field_of(OBR, 7, start), 8, end))
    assert {name: tree[name] for name in tree if name.startswith("effective")} == effective


def test_an_end_before_the_start_is_left_out_and_flagged():
    obr = field_of(field_of(OBR, 7, "20260803"), 8, "20260801")
    conversion = converted(MSH, PID, ORC, obr, OBX)
    assert conversion.groups[0].report.tree["effectiveDateTime"] == "2026-08-03"
    assert conversion.flags == (Flag("date-order", "OBR[1].8"),)


@pytest.mark.parametrize(
    ("section", "dialect", "codes"),
    [
        ("LAB", Dialect(), ["LAB"]),
        ("", Dialect(), ["LAB"]),
        ("RAD", Dialect(), ["RAD"]),
        ("CH", Dialect(category=""), ["CH"]),
    ],
)
def test_the_category_is_the_department_and_laboratory_where_it_is_one(section, dialect, codes):
    tree = report(field_of(OBR, 24, section), dialect=dialect)
    assert [category["coding"][0]["code"] for category in tree["category"]] == codes


def test_a_corrected_report_that_is_not_final_says_so():
    tree = report(field_of(OBR, 25, "M"))
    assert tree["status"] == "preliminary"
    assert "not final yet" in tree["extension"][0]["valueAnnotation"]["text"]


def test_people_who_read_made_and_typed_it_are_named_with_what_they_did():
    obr = OBR
    for number, sent in ((32, "G6&Read&By"), (34, "G7&Made&By"), (35, "^Typed")):
        obr = field_of(obr, number, sent)
    tree = report(field_of(obr, 35, "&Typed"))
    assert tree["resultsInterpreter"] == [
        {"reference": "Practitioner/NMH G6", "display": "By Read"}
    ]
    functions = [
        performer["extension"][0]["valueCodeableConcept"]["coding"][0]["code"]
        for performer in tree["performer"]
    ]
    assert functions == ["SPRF", "TRANS"]
    assert [performer["display"] for performer in tree["performer"]] == ["By Made", "Typed"]


def test_the_laboratory_of_the_results_is_the_reports():
    conversion = converted(MSH, PID, ORC, OBR, field_of(OBX, 15, "LAB1^Laboratory^L"))
    (performer,) = conversion.groups[0].report.tree["performer"]
    assert performer["display"] == "Laboratory"


def test_a_group_number_and_a_reason_are_kept():
    orc = field_of(field_of(ORC, 4, "G1^EPR"), 16, "RSN^Late^L")
    tree = report(orc=orc)
    assert [identifier["value"] for identifier in tree["identifier"]] == ["P1", "F1", "G1"]
    (extension,) = tree["extension"]
    assert extension["url"] == f"{HSD}/event-statusReason"


def test_the_requests_number_comes_first_until_another_order_used_it():
    orc = field_of(ORC, 3, "F7")
    obr2 = field_of(field_of(OBR, 3, "F8"), 4, "CEA^CEA^L")
    groups = converted(MSH, PID, orc, OBR, OBX, obr2, OBX).groups
    assert [group.filler_number for group in groups] == ["F7", "F8"]
