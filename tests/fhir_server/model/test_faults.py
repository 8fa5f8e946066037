"""Faults and their words: each with its place, none with content, some beyond fhir.resources."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

Sample = Callable[..., dict[str, Any]]
Faults = Callable[..., list[tuple[str, str, str]]]
Oracle = Callable[[dict[str, Any]], bool]


def test_every_fault_gets_an_issue_with_its_place(sample: Sample, faults_of: Faults) -> None:
    tree = sample(
        "Observation",
        status=None,
        issued="2023-02-30T00:00:00Z",
        valueString="x",
        component=[{"valueInteger": "1"}, {"code": {"text": 1}}, 5],
        note={"text": "x"},
        category=[],
        mood="good",
    )
    assert faults_of(tree) == [
        ("structure", "Observation has no element 'mood' in FHIR R4.", "Observation.mood"),
        ("required", "Observation.status is missing.", "Observation.status"),
        (
            "structure",
            "Observation.category is an empty array; leave it out.",
            "Observation.category",
        ),
        (
            "value",
            "Observation.issued must be an instant with zone such as 2024-03-09T14:05:00Z.",
            "Observation.issued",
        ),
        ("structure", "Observation.note repeats, so it must be an array.", "Observation.note"),
        (
            "required",
            "Observation.component[0].code is missing.",
            "Observation.component[0].code",
        ),
        (
            "value",
            "Observation.component[0].valueInteger must be a whole number of 32 bits.",
            "Observation.component[0].valueInteger",
        ),
        (
            "value",
            "Observation.component[1].code.text must be a text that is not empty.",
            "Observation.component[1].code.text",
        ),
        ("structure", "Observation.component[2] must be an object.", "Observation.component[2]"),
        (
            "structure",
            "Observation.value[x] can have one type only; valueQuantity and valueString are given.",
            "Observation.value",
        ),
    ]


def test_faults_inside_contained_resources_and_entries_have_their_place(
    sample: Sample, faults_of: Faults
) -> None:
    tree = sample("Observation", contained=[{"resourceType": "Device", "id": "analyser", "x": 1}])
    assert [where for _, _, where in faults_of(tree)] == ["Observation.contained[0].x"]
    bundle = sample("Bundle")
    bundle["entry"][0]["resource"]["active"] = "yes"
    bundle["entry"][1]["resource"]["issue"] = []
    assert [where for _, _, where in faults_of(bundle)] == [
        "Bundle.entry[0].resource.active",
        "Bundle.entry[1].resource.issue",
    ]


def test_a_name_that_no_element_has_is_not_repeated(sample: Sample, faults_of: Faults) -> None:
    tree = sample("Patient")
    tree["Alan Archer, 1953"] = 1
    assert faults_of(tree) == [
        (
            "structure",
            "Patient holds something whose name no element of FHIR R4 has.",
            "Patient",
        )
    ]


MORE_REFUSALS: dict[str, tuple[str, dict[str, Any], str]] = {
    "a number written as a text": (
        "Observation",
        {"valueQuantity": {"value": "5.10"}},
        "Observation.valueQuantity.value",
    ),
    "a whole number written as a text": (
        "Patient",
        {"multipleBirthInteger": "2"},
        "Patient.multipleBirthInteger",
    ),
    "a whole number with a point": (
        "Patient",
        {"multipleBirthInteger": Decimal("2.0")},
        "Patient.multipleBirthInteger",
    ),
    "a boolean as a word": ("Patient", {"active": "yes"}, "Patient.active"),
    "a boolean as a number": ("Patient", {"active": 1}, "Patient.active"),
    "a number for a text date": ("Patient", {"birthDate": 0}, "Patient.birthDate"),
    "null": ("Patient", {"maritalStatus": {"text": None}}, "Patient.maritalStatus.text"),
    "a null that nothing stands beside": (
        "Patient",
        {"name": [{"given": ["Alan", None]}]},
        "Patient.name[0].given[1]",
    ),
    "an array and its extensions of unequal length": (
        "Patient",
        {"name": [{"given": ["Alan"], "_given": [None, {"id": "x"}]}]},
        "Patient.name[0].given",
    ),
    "an empty array": ("Patient", {"identifier": []}, "Patient.identifier"),
    "an empty object": ("Patient", {"maritalStatus": {}}, "Patient.maritalStatus"),
    "an element with an id alone": (
        "Patient",
        {"maritalStatus": {"id": "x"}},
        "Patient.maritalStatus",
    ),
    "the models' own name for an extension": (
        "Observation",
        {"status__ext": {"id": "x"}},
        "Observation",
    ),
    "comments of the models": (
        "Observation",
        {"fhir_comments": "x"},
        "Observation",
    ),
    "a code that the required binding lacks": ("Patient", {"gender": "M"}, "Patient.gender"),
    "an id of more than 64 characters": ("Patient", {"id": "x" * 65}, "Patient.id"),
    "a blank in a URI": ("Patient", {"implicitRules": "a b"}, "Patient.implicitRules"),
    "a tab in a code": (
        "Patient",
        {"language": "en\tGB"},
        "Patient.language",
    ),
    "white space around base64": (
        "Practitioner",
        {"photo": [{"contentType": "image/png", "data": "QU JD"}]},
        "Practitioner.photo[0].data",
    ),
    "two alternatives of which one is an extension": (
        "Patient",
        {"_deceasedDateTime": {"id": "x"}},
        "Patient.deceased",
    ),
    "a contained resource of a type that is not judged": (
        "Patient",
        {"contained": [{"resourceType": "Binary", "contentType": "text/plain"}]},
        "Patient.contained[0]",
    ),
}


@pytest.mark.parametrize("reason", MORE_REFUSALS)
def test_what_fhir_resources_lets_pass_is_refused_for_a_named_reason(
    reason: str, sample: Sample, faults_of: Faults, oracle_refuses: Oracle
) -> None:
    name, changes, expression = MORE_REFUSALS[reason]
    tree = sample(name, **changes)
    assert not oracle_refuses(tree), "fhir.resources refuses it by now: take it off the list"
    assert [where for _, _, where in faults_of(tree)] == [expression]
