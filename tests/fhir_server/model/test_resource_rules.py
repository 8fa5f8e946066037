"""The invariants of kept resources, each broken once by one that is valid otherwise."""

from collections.abc import Callable
from typing import Any

import pytest

from fhir_server.model.resource_rules import RESOURCE_RULES

PATIENT = {"reference": "Patient/0a1f0000000000000000000000000001"}
CODE = {"coding": [{"system": "urn:x", "code": "c"}]}

BROKEN: list[tuple[str, str, dict[str, Any], str]] = [
    ("app-1", "Appointment", {"participant": [{"status": "accepted"}]}, "participant[0]"),
    ("app-2", "Appointment", {"end": None}, "start"),
    ("app-3", "Appointment", {"start": None, "end": None}, "start"),
    ("app-4", "Appointment", {"cancelationReason": {"text": "x"}}, "cancelationReason"),
    (
        "ctm-1",
        "CareTeam",
        {"participant": [{"member": PATIENT, "onBehalfOf": {"display": "x"}}]},
        "participant[0].onBehalfOf",
    ),
    ("obs-3", "Observation", {"referenceRange": [{"type": {"text": "x"}}]}, "referenceRange[0]"),
    ("obs-6", "Observation", {"dataAbsentReason": {"text": "lost"}}, "dataAbsentReason"),
    ("obs-7", "Observation", {"code": CODE, "component": [{"code": CODE}]}, "value"),
    ("org-1", "Organization", {"identifier": None, "name": None}, ""),
    ("org-2", "Organization", {"address": [{"use": "home", "city": "Testham"}]}, "address"),
    (
        "org-3",
        "Organization",
        {"telecom": [{"use": "home", "system": "phone", "value": "1"}]},
        "telecom",
    ),
    ("pat-1", "Patient", {"contact": [{"gender": "male"}]}, "contact[0]"),
    ("ppc-1", "Consent", {"policyRule": None}, ""),
    ("ppc-2", "Consent", {"patient": None}, "patient"),
    *(
        (
            key,
            "Consent",
            {
                "patient": None,
                "scope": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/consentscope",
                            "code": code,
                        }
                    ]
                },
            },
            "patient",
        )
        for key, code in (("ppc-3", "research"), ("ppc-4", "adr"), ("ppc-5", "treatment"))
    ),
    ("prr-1", "ServiceRequest", {"code": None}, "code"),
    ("sev-1", "AuditEvent", {"entity": [{"name": "x", "query": "QUJD"}]}, "entity[0]"),
    (
        "sqty-1",
        "Observation",
        {"referenceRange": [{"high": {"value": 1, "comparator": "<"}}]},
        "referenceRange[0].low",
    ),
    (
        "sqty-1",
        "Specimen",
        {"collection": {"quantity": {"value": 1, "comparator": "<"}}},
        "collection.quantity",
    ),
]


@pytest.mark.parametrize(("key", "name", "changes", "where"), BROKEN)
def test_a_broken_invariant_is_found_at_its_place(
    key: str, name: str, changes: dict[str, Any], where: str, breaks: Callable[..., list[str]]
) -> None:
    (expression,) = breaks(key, name, changes)
    assert expression.startswith(name)
    assert expression.endswith(where)


def test_every_rule_is_broken_by_a_sample() -> None:
    keys = {rule.key for rules in RESOURCE_RULES.values() for rule in rules}
    assert keys == {key for key, *_ in BROKEN}
