"""People: one Practitioner for each number, a name where there is no number."""

import pytest

from adapters.hl7v2.conversion import Link
from adapters.hl7v2.xcn_to_practitioner import (
    RESPONSIBLE_OBSERVER,
    reference_from_ndl,
    reference_to_person,
    reference_to_role,
)
from tests.adapters.hl7v2.oru_messages import part, surroundings

TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"


@pytest.mark.parametrize(
    ("authority", "system"),
    [
        ("GMC", "https://fhir.hl7.org.uk/Id/gmc-number"),
        ("GMP", "https://fhir.hl7.org.uk/Id/gmp-number"),
        ("NMC", "https://fhir.hl7.org.uk/Id/nmc-number"),
        ("HCPC", "https://fhir.hl7.org.uk/Id/hcpc-number"),
        ("SDS", "https://fhir.nhs.uk/Id/sds-user-id"),
    ],
)
def test_a_number_of_a_national_register_is_the_same_person_for_every_sender(authority, system):
    keys = set()
    for sender in ("NMH", "EVH"):
        context = surroundings(authority=sender)
        sent = part(f"1234567^Okafor^Ngozi^^^Dr^^^{authority}")
        reference = reference_to_person(sent, context, "ORC[1].12")
        keys.add(reference["reference"].key)
        (tree,) = context.practitioners.values()
        assert tree["identifier"] == [{"system": system, "value": "1234567"}]
    assert keys == {("Practitioner", system, "1234567")}


def test_a_local_number_is_a_person_of_its_sender():
    context = surroundings()
    reference = reference_to_person(part("C7^Dr A Name"), context, "OBR[1].16")
    assert reference == {
        "reference": Link(("Practitioner", "NMH", "", "C7")),
        "display": "Dr A Name",
    }
    assert context.practitioners == {
        ("Practitioner", "NMH", "", "C7"): {
            "resourceType": "Practitioner",
            "identifier": [{"value": "C7"}],
            "name": [{"text": "Dr A Name"}],
        }
    }


def test_a_person_without_a_number_is_a_name_and_no_resource():
    context = surroundings()
    assert reference_to_person(part("^Okafor^Ngozi^^^Dr"), context, "OBR[1].16") == {
        "display": "Dr Ngozi Okafor"
    }
    assert reference_to_person(part(""), context, "OBR[1].16") == {}
    assert context.practitioners == {}


def test_everything_that_was_sent_of_a_person_is_kept():
    context = surroundings()
    sent = "7^Okafor^Ngozi^A^Jr^Dr^MD^^HOSP^L^^^EI^^^^^^20200101^20301231^PhD"
    reference_to_person(part(sent), context, "OBR[1].16")
    (tree,) = context.practitioners.values()
    assert tree == {
        "resourceType": "Practitioner",
        "identifier": [
            {
                "type": {"coding": [{"system": TYPES, "code": "EI"}]},
                "value": "7",
                "assigner": {"identifier": {"value": "HOSP"}, "display": "HOSP"},
            }
        ],
        "name": [
            {
                "family": "Okafor",
                "given": ["Ngozi", "A"],
                "prefix": ["Dr"],
                "suffix": ["Jr", "PhD"],
                "use": "official",
                "period": {"start": "2020-01-01", "end": "2030-12-31"},
            }
        ],
        "qualification": [
            {
                "code": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/v2-0360",
                            "code": "MD",
                        }
                    ]
                }
            }
        ],
    }


@pytest.mark.parametrize("sent", ["G7&Okafor&Ngozi", "G7^Okafor^Ngozi"])
def test_the_person_of_an_ndl_is_read_in_either_form(sent):
    reference = reference_from_ndl(part(sent), surroundings(), "OBR[1].32")
    assert reference["display"] == "Ngozi Okafor"
    assert reference["reference"].key[-1] == "G7"


CHECK_DIGIT = "http://hl7.org/fhir/StructureDefinition/identifier-checkDigit"


def test_a_check_digit_stands_beside_the_number_and_its_scheme_nowhere():
    context = surroundings()
    reference_to_person(part("7^Okafor^^^^^^^^^4^M10"), context, "OBR[1].16")
    (tree,) = context.practitioners.values()
    digit = {"url": CHECK_DIGIT, "valueString": "4"}
    assert tree["identifier"] == [{"extension": [digit], "value": "7"}]


def test_when_and_where_the_person_of_an_ndl_worked_is_a_role_of_theirs():
    context = surroundings()
    sent = part("G7&Okafor&Ngozi^202608031000^202608031100^Lab^2^^NMH")
    start, end = "2026-08-03T10:00:00+01:00", "2026-08-03T11:00:00+01:00"
    key = ("PractitionerRole", "NMH", "", "G7", start, end, "2, Lab, NMH")
    reference = reference_from_ndl(sent, context, "OBR[1].32")
    assert reference == {"reference": Link(key), "display": "Ngozi Okafor"}
    assert context.practitioners[key] == {
        "resourceType": "PractitionerRole",
        "practitioner": {
            "reference": Link(("Practitioner", "NMH", "", "G7")),
            "display": "Ngozi Okafor",
        },
        "period": {"start": start, "end": end},
        "location": [{"type": "Location", "display": "2, Lab, NMH"}],
    }
    nobody = reference_from_ndl(part("&Okafor&Ngozi^202608031000"), context, "OBR[1].32")
    assert nobody == {"display": "Ngozi Okafor"}


def test_what_a_person_does_is_a_role_of_theirs():
    context = surroundings()
    person = reference_to_person(part("7^Okafor"), context, "OBX[1].16")
    role = reference_to_role(person, context, code=RESPONSIBLE_OBSERVER)
    key = ("PractitionerRole", "NMH", "", "7", "responsibleObserver")
    assert role == {"reference": Link(key), "display": "Okafor"}
    assert context.practitioners[key] == {
        "resourceType": "PractitionerRole",
        "practitioner": person,
        "code": [RESPONSIBLE_OBSERVER],
    }


def test_nobody_has_no_role():
    context = surroundings()
    place = {"display": "Oncology"}
    assert reference_to_role({}, context, organization=place) == place
    assert reference_to_role({"display": "Okafor"}, context, organization=place) == {
        "display": "Okafor"
    }
    assert reference_to_role({}, context, code=RESPONSIBLE_OBSERVER) == {}


def test_the_fuller_of_two_entries_for_one_person_is_kept():
    context = surroundings()
    reference_to_person(part("7"), context, "OBR[1].16")
    reference_to_person(part("7^Okafor"), context, "OBR[1].16")
    reference_to_person(part("7"), context, "OBR[1].16")
    (tree,) = context.practitioners.values()
    assert tree["name"] == [{"family": "Okafor"}]
