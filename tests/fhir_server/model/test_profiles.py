"""UK Core profiles are named only where their rules hold, and taken away where they do not."""

from typing import Any

import pytest

from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.profiles import PROFILES, claimed

UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition"
VERIFICATION = f"{UK_CORE}/Extension-UKCore-NHSNumberVerificationStatus"
THO = "http://terminology.hl7.org/CodeSystem"
LABORATORY = {"coding": [{"system": f"{THO}/observation-category", "code": "laboratory"}]}
LAB = {"coding": [{"system": f"{THO}/v2-0074", "code": "LAB"}]}
ALAN = {"reference": "Patient/a"}
STATUS = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland"


def coded(url: str, system: str, code: str) -> dict[str, Any]:
    return {"url": url, "valueCodeableConcept": {"coding": [{"system": system, "code": code}]}}


def traced(extension: dict[str, Any]) -> dict[str, Any]:
    return {"system": NHS_NUMBER, "value": "9990000018", "extension": [extension]}


TRACED = traced(coded(VERIFICATION, STATUS, "01"))
ETHNIC = f"{UK_CORE}/Extension-UKCore-EthnicCategory"
ETHNIC_ENGLAND = "https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategoryEngland"


def of(kind: str, **elements: Any) -> dict[str, Any]:
    return {"resourceType": kind, "subject": ALAN} | elements


def result(**elements: Any) -> dict[str, Any]:
    return of("Observation", category=[LABORATORY]) | elements


def report(**elements: Any) -> dict[str, Any]:
    return of("DiagnosticReport", category=[LAB], issued="2026-08-03T14:05:00Z") | elements


@pytest.mark.parametrize(
    ("tree", "name"),
    [
        ({"resourceType": "Patient", "identifier": [TRACED, {"value": "X"}]}, "Patient"),
        ({"resourceType": "Patient"}, "Patient"),
        (
            {"resourceType": "Patient", "extension": [coded(ETHNIC, ETHNIC_ENGLAND, "A")]},
            "Patient",
        ),
        (result(valueString="x"), "Observation-Lab"),
        (result(note=[{"text": "x"}]), "Observation-Lab"),
        (result(dataAbsentReason={"text": "x"}), "Observation-Lab"),
        (result(hasMember=[{"reference": "Observation/b"}]), "Observation-Group-Lab"),
        (report(), "DiagnosticReport-Lab"),
        (of("Specimen"), "Specimen"),
    ],
)
def test_a_profile_is_named_where_its_rules_hold(tree: dict[str, Any], name: str) -> None:
    assert claimed(tree) == {"profile": [f"{UK_CORE}/UKCore-{name}"]}


@pytest.mark.parametrize(
    "tree",
    [
        {"resourceType": "Patient", "identifier": [{"system": NHS_NUMBER, "value": "9990000018"}]},
        {"resourceType": "Patient", "identifier": [TRACED, TRACED]},
        {"resourceType": "Patient", "identifier": [traced({"url": VERIFICATION})]},
        {"resourceType": "Patient", "identifier": [traced(coded(VERIFICATION, THO, "01"))]},
        {"resourceType": "Patient", "extension": [coded(ETHNIC, "urn:own", "WHITE")]},
        result(),
        result(valueString="x", category=[]),
        result(valueString="x", category=[LABORATORY, LABORATORY]),
        result(valueString="x", category=[LAB]),
        result(valueString="x", category=[{"coding": [*LABORATORY["coding"], {"code": "x"}]}]),
        result(valueString="x", category=[{"coding": [{"code": "laboratory"}]}]),
        result(valueString="x", subject={"reference": "Group/a"}),
        result(valueString="x", hasMember=[{"reference": "Observation/b"}]),
        report(category=[]),
        report(subject={}),
        of("DiagnosticReport", category=[LAB]),
        of("Specimen", subject={"display": "water"}),
        {"resourceType": "ServiceRequest"},
    ],
)
def test_a_profile_whose_rules_do_not_hold_is_not_named(tree: dict[str, Any]) -> None:
    assert claimed(tree) == {}
    named = {"profile": [f"{UK_CORE}/UKCore-Observation-Lab", "https://example.org/own"]}
    kept = claimed(tree | {"meta": named})
    ours = {profile.url for profile in PROFILES.get(tree["resourceType"], ())}
    assert kept["profile"] == [url for url in named["profile"] if url not in ours]


def test_what_a_client_names_besides_stays_once_and_first() -> None:
    url = f"{UK_CORE}/UKCore-Observation-Lab"
    tree = result(valueString="x", meta={"profile": ["https://example.org/own", f"{url}|2.0.1"]})
    assert claimed(tree) == {"profile": ["https://example.org/own", url]}
