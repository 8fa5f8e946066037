"""The specimen: SPM where it is sent, OBR where it is not."""

import pytest

from adapters.hl7v2.conversion import Link
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
SPM = "SPM|1|SP1^S1"


def specimens(*segments, obr=OBR):
    group = converted(MSH, PID, ORC, obr, OBX, *segments).groups[0]
    return group, [readable(made.tree) for made in group.specimens]


def coded(code, table):
    return {"coding": [{"system": f"{THO}/{table}", "code": code}]}


def test_a_date_alone_makes_no_specimen():
    group, made = specimens()
    assert made == []
    assert "specimen" not in group.report.tree


@pytest.mark.parametrize(
    ("fields", "elements"),
    [
        ({4: "BLD"}, {"type": coded("BLD", "v2-0487")}),
        ({6: "EDTA"}, {"container": [{"additiveCodeableConcept": coded("EDTA", "v2-0371")}]}),
        ({18: "202608031055"}, {"receivedTime": "2026-08-03T10:55:00+01:00"}),
        ({20: "Y"}, {"status": "available"}),
        ({20: "N"}, {"status": "unavailable"}),
        ({24: "HEM"}, {"condition": [coded("HEM", "v2-0493")]}),
        (
            {20: "Y", 21: "EX"},
            {"status": "unsatisfactory", "condition": [coded("EX", "v2-0490")]},
        ),
        ({14: "Haemolysed"}, {"note": [{"text": "Haemolysed"}]}),
        ({30: "AC1"}, {"accessionIdentifier": {"value": "AC1"}}),
    ],
)
def test_a_field_of_spm_becomes_its_element(fields, elements):
    spm = SPM
    for number, text in fields.items():
        spm = field_of(spm, number, text)
    (plain,) = specimens(SPM)[1]
    (made,) = specimens(spm)[1]
    assert {name: value for name, value in made.items() if plain.get(name) != value} == elements


@pytest.mark.parametrize(
    ("spm_17", "obr_8", "collection"),
    [
        ("", "", {"collectedDateTime": "2026-08-03T10:00:00+01:00"}),
        ("20260802", "", {"collectedDateTime": "2026-08-02"}),
        (
            "20260801^20260802",
            "",
            {"collectedPeriod": {"start": "2026-08-01", "end": "2026-08-02"}},
        ),
        ("20260802^20260801", "", {"collectedDateTime": "2026-08-02"}),
        (
            "",
            "202608041000",
            {
                "collectedPeriod": {
                    "start": "2026-08-03T10:00:00+01:00",
                    "end": "2026-08-04T10:00:00+01:00",
                }
            },
        ),
    ],
)
def test_the_specimen_was_collected_when_spm_says_else_obr(spm_17, obr_8, collection):
    (made,) = specimens(field_of(SPM, 17, spm_17), obr=field_of(OBR, 8, obr_8))[1]
    assert made["collection"] == collection


def test_the_order_describes_the_specimen_where_nothing_else_does():
    obr = OBR
    for number, sent in (
        (9, "5^mL"),
        (10, "G1^Collected^By^^^Dr^^^GMC"),
        (14, "202608031100"),
        (15, "BLD&Blood&HL70070^EDTA^Left arm"),
        (39, "^Short sample"),
    ):
        obr = field_of(obr, number, sent)
    (made,) = specimens(obr=obr)[1]
    assert made["type"]["coding"][0]["code"] == "BLD"
    assert made["receivedTime"] == "2026-08-03T11:00:00+01:00"
    assert made["collection"]["collector"]["display"] == "Dr By Collected"
    assert made["collection"]["quantity"]["unit"] == "mL"
    assert [note["text"] for note in made["note"]] == ["Left arm", "Short sample"]


def test_spm_wins_and_the_order_fills_the_gaps():
    obr = field_of(field_of(OBR, 14, "202608031100"), 15, "BLD")
    (made,) = specimens(field_of(SPM, 4, "SER"), obr=obr)[1]
    assert made["type"]["coding"][0]["code"] == "SER"
    assert made["receivedTime"] == "2026-08-03T11:00:00+01:00"


def test_one_specimen_is_that_of_every_result():
    group, _ = specimens(SPM)
    assert group.observations[0].tree["specimen"] == group.report.tree["specimen"][0]


def test_of_several_specimens_a_result_names_its_own():
    second = "SPM|2|SP2^S2"
    segments = (MSH, PID, ORC, OBR, field_of(OBX, 33, "S2"), OBX, SPM, second)
    named, unnamed = converted(*segments).groups[0].observations
    assert named.tree["specimen"]["reference"].key[-1] == "S2#2"
    assert "specimen" not in unnamed.tree


def test_a_refused_specimen_explains_results_without_a_value():
    obx = field_of(OBX, 5, "")
    group = converted(MSH, PID, ORC, OBR, obx, field_of(SPM, 21, "EX^Expired^HL70490")).groups[0]
    reason = group.observations[0].tree["dataAbsentReason"]
    assert reason["coding"][0]["code"] == "not-performed"
    assert reason["text"] == "Expired"


def test_a_result_about_the_specimen_is_not_of_the_report_and_has_a_key_of_its_own():
    group = converted(MSH, PID, ORC, OBR, OBX, SPM, OBX).groups[0]
    assert len(group.report.tree["result"]) == 1
    about = group.observations[1]
    assert about.tree["focus"] == [{"reference": Link(group.specimens[0].key)}]
    assert about.key != group.observations[0].key


def test_comments_after_a_specimen_are_the_specimens():
    (made,) = specimens(SPM, "NTE|1||Clotted")[1]
    assert made["note"] == [{"text": "Clotted"}]
