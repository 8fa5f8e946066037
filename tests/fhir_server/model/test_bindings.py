"""Required bindings: every code element has its list, or a reason why not."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fhir_server.model.bindings import BINDINGS, RESOURCE_TYPES, UNBOUND
from fhir_server.model.shapes import Shape

Faults = Callable[..., list[tuple[str, str, str]]]
Sample = Callable[..., dict[str, Any]]


def test_every_code_element_is_bound_or_says_why_not(all_shapes: Mapping[str, Shape]) -> None:
    codes = {
        f"{about.name}.{element.name}"
        for about in all_shapes.values()
        for element in about.elements
        if element.kind == "code" and not (about.resource and element.name == "language")
    }
    assert BINDINGS.keys() | UNBOUND.keys() == codes
    assert not BINDINGS.keys() & UNBOUND.keys()


def test_the_statuses_of_a_result_are_those_of_r4() -> None:
    assert sorted(BINDINGS["Observation.status"]) == [
        "amended",
        "cancelled",
        "corrected",
        "entered-in-error",
        "final",
        "preliminary",
        "registered",
        "unknown",
    ]
    assert BINDINGS["DiagnosticReport.status"] - BINDINGS["Observation.status"] == {
        "appended",
        "partial",
    }
    assert len(RESOURCE_TYPES) == 146


@pytest.mark.parametrize(
    ("name", "changes", "expression"),
    [
        ("Observation", {"status": "Final"}, "Observation.status"),
        ("Observation", {"status": "+"}, "Observation.status"),
        ("DiagnosticReport", {"status": "F"}, "DiagnosticReport.status"),
        ("Patient", {"gender": "M"}, "Patient.gender"),
        ("Patient", {"name": [{"use": "legal"}]}, "Patient.name[0].use"),
        ("Patient", {"telecom": [{"system": "mobile"}]}, "Patient.telecom[0].system"),
        ("Patient", {"identifier": [{"use": "NHS", "value": "1"}]}, "Patient.identifier[0].use"),
        ("Patient", {"address": [{"type": "home"}]}, "Patient.address[0].type"),
        (
            "Observation",
            {"valueQuantity": {"value": 1, "comparator": "="}},
            "Observation.valueQuantity.comparator",
        ),
        ("Appointment", {"status": "hoped"}, "Appointment.status"),
        ("ServiceRequest", {"intent": "wish"}, "ServiceRequest.intent"),
        ("ServiceRequest", {"priority": "S"}, "ServiceRequest.priority"),
        ("Communication", {"status": "sent"}, "Communication.status"),
        ("AuditEvent", {"outcome": "1"}, "AuditEvent.outcome"),
        (
            "Patient",
            {"link": [{"other": {"display": "x"}, "type": "same"}]},
            "Patient.link[0].type",
        ),
        (
            "PractitionerRole",
            {"availableTime": [{"daysOfWeek": ["mon", "Tuesday"]}]},
            "PractitionerRole.availableTime[0].daysOfWeek[1]",
        ),
        (
            "OperationOutcome",
            {"issue": [{"severity": "error", "code": "oops"}]},
            "OperationOutcome.issue[0].code",
        ),
    ],
)
def test_a_code_that_r4_does_not_know_is_refused(
    name: str, changes: dict[str, Any], expression: str, sample: Sample, faults_of: Faults
) -> None:
    assert [(code, where) for code, _, where in faults_of(sample(name, **changes))] == [
        ("code-invalid", expression)
    ]


def test_the_refusal_names_the_codes_that_would_do(sample: Sample, faults_of: Faults) -> None:
    assert faults_of(sample("Patient", gender="M")) == [
        (
            "code-invalid",
            "Patient.gender must be one of: female, male, other, unknown.",
            "Patient.gender",
        )
    ]
