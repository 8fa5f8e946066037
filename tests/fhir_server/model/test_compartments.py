"""One patient or none: whose record a resource belongs to."""

from collections.abc import Callable
from typing import Any

import pytest

from fhir_server.errors import Unprocessable
from fhir_server.model.compartments import DIRECTORY, OWNED_BY, is_directory, patient_of
from fhir_server.model.r4 import SERVED_TYPES, shape
from fhir_server.model.validate import judge

A = "0a1f0000000000000000000000000001"
B = "0b2f0000000000000000000000000002"
Sample = Callable[..., dict[str, Any]]


def refusal_of(tree: dict[str, Any]) -> tuple[str, str, str]:
    with pytest.raises(Unprocessable) as caught:
        patient_of(judge(tree))
    (issue,) = caught.value.issues
    return issue.code, issue.text, issue.expression


def appointment(*actors: str) -> dict[str, Any]:
    taking_part: list[Any] = [{"actor": {"reference": one}, "status": "accepted"} for one in actors]
    return {"resourceType": "Appointment", "status": "proposed", "participant": taking_part}


def test_an_appointment_is_that_of_the_one_patient_who_takes_part() -> None:
    with_others = appointment("Practitioner/x", f"Patient/{A}", "#room", f"Patient/{A}")
    assert patient_of(with_others) == A
    assert patient_of(appointment("Practitioner/x")) == ""
    shown = appointment(f"Patient/{A}")
    shown["participant"].append({"actor": {"display": "Room 4"}, "status": "accepted"})
    assert patient_of(shown) == A


@pytest.mark.parametrize("other", [f"Patient/{B}", f"https://elsewhere.example/Patient/{B}"])
def test_an_appointment_of_two_patients_is_refused(other: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        patient_of(appointment(f"Patient/{A}", other))
    assert refused.value.issues[0].expression == "Appointment.participant[1].actor"


def test_every_served_type_stands_in_one_of_the_two_tables() -> None:
    assert not SERVED_TYPES - OWNED_BY.keys() - DIRECTORY
    assert not OWNED_BY.keys() & DIRECTORY
    assert OWNED_BY.keys() <= SERVED_TYPES


def test_the_owning_element_is_one_that_the_type_has() -> None:
    for name, element in OWNED_BY.items():
        names = {each.name for each in shape(name).elements}
        assert not element or element in names, name


def test_a_type_without_an_owning_element_has_none_to_offer() -> None:
    for name in DIRECTORY | {name for name, element in OWNED_BY.items() if not element}:
        assert not {each.name for each in shape(name).elements} & {"subject", "patient"}, name


def test_each_sample_belongs_to_its_patient_or_to_nobody(sample: Sample) -> None:
    owners = {name: patient_of(judge(sample(name))) for name in sorted(SERVED_TYPES)}
    assert owners == {name: A if OWNED_BY.get(name) else "" for name in sorted(SERVED_TYPES)}
    assert {name for name in SERVED_TYPES if is_directory(name)} == {
        "Organization",
        "Practitioner",
        "PractitionerRole",
    }


def test_who_performs_sends_or_receives_does_not_own(sample: Sample) -> None:
    other = {"reference": f"Patient/{B}"}
    assert patient_of(sample("Observation", performer=[other], focus=[other])) == A
    assert patient_of(sample("Communication", sender=other, recipient=[other])) == A
    assert patient_of(sample("DocumentReference", author=[other])) == A
    assert patient_of(sample("Provenance", agent=[{"who": other}])) == ""


def test_a_version_of_the_patient_is_still_that_patient(sample: Sample) -> None:
    tree = sample("Observation", subject={"reference": f"Patient/{A}/_history/2"})
    assert patient_of(tree) == A


def test_what_is_about_a_group_or_about_nobody_belongs_to_nobody(sample: Sample) -> None:
    assert patient_of(sample("Observation", subject={"reference": "Group/1"})) == ""
    assert patient_of(sample("Observation", subject=None)) == ""
    assert patient_of(sample("Patient", id=None)) == ""


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": f"https://elsewhere.example/fhir/Patient/{A}"},
        {"reference": f"/Patient/{A}"},
        {"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"},
        {"reference": "Patient?identifier=1"},
        {"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}},
        {"display": "Alan Archer"},
    ],
)
def test_a_patient_is_named_by_a_relative_reference_only(
    subject: dict[str, Any], sample: Sample
) -> None:
    assert refusal_of(sample("Observation", subject=subject)) == (
        "business-rule",
        "Observation.subject must be a relative reference such as Patient/123.",
        "Observation.subject",
    )


def test_case_53_a_patient_contained_in_a_result_is_refused(sample: Sample) -> None:
    tree = sample(
        "Observation",
        contained=[{"resourceType": "Patient", "id": "p", "name": [{"family": "Other"}]}],
        focus=[{"reference": "#p"}],
        device=None,
    )
    assert refusal_of(tree) == (
        "business-rule",
        "Observation.contained[0] is a Patient; refer to the person's own Patient.",
        "Observation.contained[0]",
    )


def test_case_53_a_subject_that_is_contained_is_refused(sample: Sample) -> None:
    tree = sample(
        "Observation",
        contained=[{"resourceType": "Patient", "id": "p", "name": [{"family": "Other"}]}],
        subject={"reference": "#p"},
        device=None,
    )
    assert refusal_of(tree)[2] == "Observation.subject"


@pytest.mark.parametrize(
    ("name", "inner", "expression"),
    [
        ("DiagnosticReport", "Observation", "DiagnosticReport.contained[0].subject"),
        ("Observation", "Specimen", "Observation.contained[0].subject"),
        ("Observation", "Device", "Observation.contained[0].patient"),
        ("Provenance", "Observation", "Provenance.contained[0].subject"),
        ("Organization", "Observation", "Organization.contained[0].subject"),
    ],
)
def test_a_contained_resource_about_another_patient_is_refused(
    name: str, inner: str, expression: str, sample: Sample
) -> None:
    contained = sample(inner, contained=None, device=None, id="in")
    element = expression.rpartition(".")[2]
    contained[element] = {"reference": f"Patient/{B}"}
    tree = sample(name, contained=[contained], device=None)
    tree["extension"] = [{"url": "urn:x", "valueReference": {"reference": "#in"}}]
    assert refusal_of(tree)[::2] == ("business-rule", expression)


def test_a_contained_resource_about_the_same_patient_is_fine(sample: Sample) -> None:
    specimen = sample("Specimen", id="s")
    tree = sample("Observation", contained=[specimen], specimen={"reference": "#s"}, device=None)
    assert patient_of(judge(tree)) == A


def test_a_document_taken_from_another_patients_papers_is_refused(sample: Sample) -> None:
    tree = sample("DocumentReference", context={"sourcePatientInfo": {"reference": f"Patient/{B}"}})
    assert refusal_of(tree) == (
        "business-rule",
        "DocumentReference.context.sourcePatientInfo names another patient than the resource does.",
        "DocumentReference.context.sourcePatientInfo",
    )


def test_no_refusal_says_which_patients(sample: Sample) -> None:
    tree = sample("DocumentReference", context={"sourcePatientInfo": {"reference": f"Patient/{B}"}})
    assert B not in "".join(refusal_of(tree))
