"""The person whom PID names, as a Patient for whoever does not know them yet."""

import pytest

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

HSD = "http://hl7.org/fhir/StructureDefinition"
THO = "http://terminology.hl7.org/CodeSystem"


def person(*more, **fields):
    pid = PID
    for name, text in fields.items():
        pid = field_of(pid, int(name.removeprefix("pid_")), text)
    return converted(MSH, pid, *more, ORC, OBR, OBX).person


def patient(*more, **fields):
    return readable(person(*more, **fields).tree)


def test_the_person_is_who_the_message_says():
    named = person()
    assert (named.family, named.given, named.birth_date, named.gender) == (
        "Ashdown",
        "Alan",
        "1955-03-02",
        "male",
    )
    assert (named.deceased, named.restricted, named.identity_unknown) == (None, None, False)


def test_a_birth_date_with_a_time_keeps_both():
    tree = patient(pid_7="195503020415")
    assert tree["birthDate"] == "1955-03-02"
    assert tree["_birthDate"] == {
        "extension": [
            {
                "url": f"{HSD}/patient-birthTime",
                "valueDateTime": "1955-03-02T04:15:00+00:00",
            }
        ]
    }


@pytest.mark.parametrize(
    ("fields", "elements"),
    [
        ({"pid_29": "20260701"}, {"deceasedDateTime": "2026-07-01"}),
        ({"pid_29": "20260701", "pid_30": "N"}, {"deceasedDateTime": "2026-07-01"}),
        ({"pid_30": "Y"}, {"deceasedBoolean": True}),
        ({"pid_30": "N"}, {"deceasedBoolean": False}),
        ({"pid_24": "Y"}, {"multipleBirthBoolean": True}),
        ({"pid_24": "Y", "pid_25": "2"}, {"multipleBirthInteger": 2}),
        ({"pid_12": "Lancashire"}, {"address": [{"district": "Lancashire"}]}),
        (
            {"pid_11": "1 High St^^Town", "pid_12": "Lancashire"},
            {"address": [{"line": ["1 High St"], "city": "Town", "district": "Lancashire"}]},
        ),
        (
            {"pid_13": "01632960001", "pid_14": "01632960002"},
            {
                "telecom": [
                    {"system": "phone", "value": "01632960001", "use": "home"},
                    {"system": "phone", "value": "01632960002", "use": "work"},
                ]
            },
        ),
        (
            {"pid_15": "CY^Welsh"},
            {
                "communication": [
                    {
                        "language": {
                            "coding": [
                                {"system": f"{THO}/v2-0296", "code": "CY", "display": "Welsh"}
                            ]
                        }
                    }
                ]
            },
        ),
        (
            {"pid_16": "B"},
            {
                "maritalStatus": {
                    "coding": [
                        {"system": f"{THO}/v3-MaritalStatus", "code": "U"},
                        {"system": f"{THO}/v2-0002", "code": "B"},
                    ]
                }
            },
        ),
        (
            {"pid_16": "U"},
            {
                "maritalStatus": {
                    "coding": [
                        {"system": f"{THO}/v3-NullFlavor", "code": "UNK"},
                        {"system": f"{THO}/v2-0002", "code": "U"},
                    ]
                }
            },
        ),
        (
            {"pid_5": "Ashdown^Alan^^^^^L~Ash^Al", "pid_9": "Dawn^Al"},
            {
                "name": [
                    {"family": "Ashdown", "given": ["Alan"], "use": "official"},
                    {"family": "Ash", "given": ["Al"]},
                    {"family": "Dawn", "given": ["Al"]},
                ]
            },
        ),
        (
            {"pid_6": "Hill", "pid_23": "Northmere"},
            {
                "extension": [
                    {"url": f"{HSD}/patient-mothersMaidenName", "valueString": "Hill"},
                    {"url": f"{HSD}/patient-birthPlace", "valueAddress": {"text": "Northmere"}},
                ]
            },
        ),
        (
            {"pid_22": "A"},
            {
                "extension": [
                    {
                        "url": "https://fhir.hl7.org.uk/StructureDefinition/"
                        "Extension-UKCore-EthnicCategory",
                        "valueCodeableConcept": {
                            "coding": [
                                {
                                    "system": "https://fhir.hl7.org.uk/CodeSystem/"
                                    "UKCore-EthnicCategoryEngland",
                                    "code": "A",
                                }
                            ]
                        },
                    }
                ]
            },
        ),
    ],
)
def test_a_field_of_pid_becomes_its_element(fields, elements):
    before, after = patient(), patient(**fields)
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    assert changed == elements


def test_an_ethnic_category_of_the_senders_own_is_none_of_the_national_ones():
    (extension,) = patient(pid_22="WHITE^White")["extension"]
    own = {"system": "urn:portal-fhir:codes:NMH", "code": "WHITE", "display": "White"}
    assert extension["valueCodeableConcept"] == {"coding": [own]}


def test_a_deleted_field_says_nothing():
    assert patient(pid_5='""', pid_8='""', pid_11='""').keys() == {
        "resourceType",
        "identifier",
        "birthDate",
    }


def test_the_practice_is_the_general_practitioner():
    pd1 = "PD1|||Brook Surgery^^S99901|G9999994^Patel^Asha^^^Dr^^^GMP"
    tree = patient(pd1)
    assert tree["generalPractitioner"] == [
        {"reference": "Organization/NMH S99901", "display": "Brook Surgery"},
        {
            "reference": "Practitioner/https://fhir.hl7.org.uk/Id/gmp-number G9999994",
            "display": "Dr Asha Patel",
        },
    ]


@pytest.mark.parametrize(("sent", "restricted"), [("Y", True), ("N", False), ("", None)])
def test_a_protected_person_is_named_so(sent, restricted):
    assert person(field_of("PD1", 12, sent)).restricted is restricted


def test_a_person_whom_the_sender_does_not_know_is_named_so():
    assert person(pid_31="Y").identity_unknown is True


def test_next_of_kin_are_contacts():
    nk1 = "NK1|1|Ashdown^Mary|SPO^Spouse|1 High St^^Town|01632960003||N"
    assert patient(nk1)["contact"] == [
        {
            "name": {"family": "Ashdown", "given": ["Mary"]},
            "telecom": [{"system": "phone", "value": "01632960003"}],
            "address": {"line": ["1 High St"], "city": "Town"},
            "relationship": [
                {
                    "coding": [
                        {"system": f"{THO}/v3-RoleCode", "code": "SPS"},
                        {"system": f"{THO}/v2-0063", "code": "SPO", "display": "Spouse"},
                    ]
                },
                {"coding": [{"system": f"{THO}/v2-0131", "code": "N"}]},
            ],
        }
    ]


def test_a_next_of_kin_without_a_name_or_number_is_nobody():
    assert "contact" not in patient("NK1|1||SPO")
