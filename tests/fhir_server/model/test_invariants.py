"""The invariants of FHIR, each broken once by a resource that is valid otherwise."""

from collections.abc import Callable
from typing import Any

import pytest

from fhir_server.model.invariants import RULES

Sample = Callable[..., dict[str, Any]]
Faults = Callable[..., list[tuple[str, str, str]]]

UCUM = "http://unitsofmeasure.org"
PATIENT = {"reference": "Patient/0a1f0000000000000000000000000001"}
CODE = {"coding": [{"system": "urn:x", "code": "c"}]}


def extension(**value: Any) -> dict[str, Any]:
    return {"extension": [{"url": "urn:x", **value}]}


def repeat(**parts: Any) -> dict[str, Any]:
    return {"occurrenceTiming": {"repeat": parts}}


def entry(**parts: Any) -> dict[str, Any]:
    return {"entry": [parts]}


BROKEN: list[tuple[str, str, dict[str, Any], str]] = [
    ("age-1", "Patient", extension(valueAge={"value": -1, "system": UCUM, "code": "a"}), ""),
    ("age-1", "Patient", extension(valueAge={"value": 1}), ""),
    ("att-1", "Patient", {"photo": [{"data": "QUJD"}]}, "photo[0].contentType"),
    ("bdl-1", "Bundle", {"type": "collection", "entry": None}, "total"),
    ("bdl-10", "Bundle", {"type": "document", "timestamp": None}, "timestamp"),
    ("bdl-11", "Bundle", {"type": "document"}, "entry"),
    ("bdl-12", "Bundle", {"type": "message"}, "entry"),
    ("bdl-2", "Bundle", {"type": "collection", "total": None}, "entry"),
    ("bdl-3", "Bundle", {"type": "batch", "total": None}, "entry"),
    ("bdl-4", "Bundle", {"type": "batch-response", "total": None}, "entry"),
    ("bdl-5", "Bundle", entry(search={"mode": "match"}), "entry[0]"),
    (
        "bdl-7",
        "Bundle",
        {
            "entry": [
                {"fullUrl": "urn:x", "resource": {"resourceType": "Patient", "active": True}},
                {"fullUrl": "urn:x", "resource": {"resourceType": "Patient", "active": True}},
            ]
        },
        "entry",
    ),
    (
        "bdl-8",
        "Bundle",
        entry(
            fullUrl="https://x/Patient/1/_history/2",
            resource={"resourceType": "Patient", "active": True},
        ),
        "entry[0].fullUrl",
    ),
    ("bdl-9", "Bundle", {"type": "document"}, "identifier"),
    ("cnt-3", "Patient", extension(valueCount={"value": 1, "code": "2", "system": UCUM}), ""),
    ("cpb-1", "CapabilityStatement", {"rest": None}, ""),
    (
        "cpb-12",
        "CapabilityStatement",
        {
            "rest": [
                {
                    "mode": "server",
                    "resource": [
                        {
                            "type": "Patient",
                            "searchParam": [
                                {"name": "a", "type": "token"},
                                {"name": "a", "type": "date"},
                            ],
                        }
                    ],
                }
            ]
        },
        "rest[0].resource[0].searchParam",
    ),
    ("cpb-14", "CapabilityStatement", {"implementation": None}, "implementation"),
    ("cpb-15", "CapabilityStatement", {"kind": "capability"}, "implementation"),
    ("cpb-16", "CapabilityStatement", {"kind": "requirements"}, "implementation"),
    (
        "cpb-2",
        "CapabilityStatement",
        {
            "kind": "requirements",
            "description": None,
            "software": None,
            "implementation": None,
        },
        "",
    ),
    (
        "cpb-3",
        "CapabilityStatement",
        {
            "kind": "capability",
            "implementation": None,
            "messaging": [
                {"endpoint": [{"protocol": {"code": "mllp"}, "address": "mllp://x.org"}]}
            ],
        },
        "messaging",
    ),
    (
        "cpb-7",
        "CapabilityStatement",
        {"document": [{"mode": "producer", "profile": "urn:x"}] * 2},
        "document",
    ),
    (
        "cpb-9",
        "CapabilityStatement",
        {"rest": [{"mode": "server", "resource": [{"type": "Patient"}, {"type": "Patient"}]}]},
        "rest[0].resource",
    ),
    ("cpt-2", "Patient", {"telecom": [{"value": "01632 960001"}]}, "telecom[0].system"),
    (
        "ctm-1",
        "CareTeam",
        {"participant": [{"member": PATIENT, "onBehalfOf": {"display": "x"}}]},
        "participant[0].onBehalfOf",
    ),
    ("dis-1", "Patient", extension(valueDistance={"value": 1}), ""),
    (
        "drq-1",
        "Patient",
        extension(valueDataRequirement={"type": "Patient", "codeFilter": [{"valueSet": "urn:x"}]}),
        ".valueDataRequirement.codeFilter[0]",
    ),
    (
        "drq-2",
        "Patient",
        extension(
            valueDataRequirement={
                "type": "Patient",
                "dateFilter": [{"path": "a", "searchParam": "b"}],
            }
        ),
        ".valueDataRequirement.dateFilter[0]",
    ),
    ("drt-1", "Encounter", {"length": {"value": 1, "system": "urn:x", "code": "min"}}, "length"),
    (
        "exp-1",
        "Patient",
        extension(valueExpression={"language": "text/fhirpath"}),
        ".valueExpression",
    ),
    ("ext-1", "Patient", {"extension": [{"url": "urn:x"}]}, "extension[0]"),
    (
        "ext-1",
        "Patient",
        extension(valueString="x", extension=[{"url": "y", "valueString": "z"}]),
        "extension[0]",
    ),
    (
        "ext-1",
        "Patient",
        {"_gender": {"extension": [{"url": "urn:x"}]}},
        "_gender.extension[0]",
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
    (
        "per-1",
        "DiagnosticReport",
        {"effectivePeriod": {"start": "2024-03-09", "end": "2023"}},
        "effectivePeriod.end",
    ),
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
    (
        "qty-3",
        "Observation",
        {"valueQuantity": {"value": 1, "code": "ug/L"}},
        "valueQuantity.system",
    ),
    ("rat-1", "Patient", extension(valueRatio={"numerator": {"value": 1}}), ".valueRatio"),
    (
        "rng-2",
        "Patient",
        extension(valueRange={"low": {"value": 2, "unit": "g"}, "high": {"value": 1, "unit": "g"}}),
        ".valueRange",
    ),
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
    ("tim-1", "ServiceRequest", repeat(duration=1), "occurrenceTiming.repeat.durationUnit"),
    ("tim-10", "ServiceRequest", repeat(timeOfDay=["09:00:00"], when=["HS"]), ".when"),
    ("tim-2", "ServiceRequest", repeat(period=1), ".periodUnit"),
    ("tim-4", "ServiceRequest", repeat(duration=-1, durationUnit="h"), ".duration"),
    ("tim-5", "ServiceRequest", repeat(period=-1, periodUnit="h"), ".period"),
    ("tim-6", "ServiceRequest", repeat(periodMax=1), ".period"),
    ("tim-7", "ServiceRequest", repeat(durationMax=1), ".duration"),
    ("tim-8", "ServiceRequest", repeat(countMax=1), ".count"),
    ("tim-9", "ServiceRequest", repeat(offset=10), ".when"),
    ("tim-9", "ServiceRequest", repeat(offset=10, when=["CM"]), ".when"),
    (
        "trd-1",
        "Patient",
        extension(
            valueTriggerDefinition={
                "type": "periodic",
                "timingDate": "2024",
                "data": [{"type": "Patient"}],
            }
        ),
        ".valueTriggerDefinition",
    ),
    (
        "trd-2",
        "Patient",
        extension(
            valueTriggerDefinition={
                "type": "periodic",
                "condition": {"language": "text/cql", "expression": "x"},
            }
        ),
        ".valueTriggerDefinition.data",
    ),
]


@pytest.mark.parametrize(
    ("key", "name", "changes", "where"),
    BROKEN,
    ids=[f"{key}-{name}-{index}" for index, (key, name, *_) in enumerate(BROKEN)],
)
def test_a_broken_invariant_is_found_at_its_place(
    key: str, name: str, changes: dict[str, Any], where: str, sample: Sample, faults_of: Faults
) -> None:
    found = [
        (code, expression)
        for code, text, expression in faults_of(sample(name, **changes))
        if text.endswith(f"({key})")
    ]
    assert len(found) == 1
    code, expression = found[0]
    assert code == "invariant"
    assert expression.startswith(name)
    assert expression.endswith(where)


def test_every_rule_is_broken_by_a_sample() -> None:
    keys = {rule.key for rules in RULES.values() for rule in rules}
    assert keys == {key for key, *_ in BROKEN}


def test_an_empty_element_is_refused(sample: Sample, faults_of: Faults) -> None:
    assert faults_of(sample("Observation", code={})) == [
        ("invariant", "Observation.code must have a value or elements (ele-1).", "Observation.code")
    ]
    assert faults_of(sample("Observation", method={"id": "x"}))[0][2] == "Observation.method"


def test_a_harmful_narrative_is_refused_with_every_complaint(
    sample: Sample, faults_of: Faults
) -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml" onload="x"><script>y</script></div>'
    text = {"status": "generated", "div": div}
    assert faults_of(sample("Patient", text=text)) == [
        (
            "invariant",
            "Patient.text.div has an attribute that FHIR does not allow there (txt-1).",
            "Patient.text.div",
        ),
        (
            "invariant",
            "Patient.text.div has an element that FHIR does not allow there (txt-1).",
            "Patient.text.div",
        ),
    ]


def contained(**changes: Any) -> dict[str, Any]:
    return {"resourceType": "Device", "id": "d", **changes}


@pytest.mark.parametrize(
    ("inside", "device", "expected"),
    [
        ([contained()], "#d", []),
        (
            [contained()],
            "#e",
            [("ref-1", "Observation.device"), ("dom-3", "Observation.contained[0]")],
        ),
        (None, "#d", [("ref-1", "Observation.device")]),
        ([contained(), contained(id="e")], "#d", [("dom-3", "Observation.contained[1]")]),
        (
            [contained(), contained(parent={"reference": "#e"})],
            "#d",
            [
                ("ref-1", "Observation.contained[1].parent"),
                ("twice", "Observation.contained[0].id"),
                ("twice", "Observation.contained[1].id"),
            ],
        ),
        ([contained(), contained(id="e", parent={"reference": "#"})], "#d", []),
        ([contained(parent={"reference": "#e"}), contained(id="e")], "#d", []),
        ([contained(meta={"versionId": "1"})], "#d", [("dom-4", "Observation.contained[0].meta")]),
        (
            [contained(meta={"security": [{"code": "R"}]})],
            "#d",
            [("dom-5", "Observation.contained[0].meta")],
        ),
        (
            [contained(contained=[contained(id="x")])],
            "#d",
            [("dom-2", "Observation.contained[0]")],
        ),
    ],
)
def test_what_is_contained_is_used_and_stays_inside(
    inside: Any,
    device: str,
    expected: list[tuple[str, str]],
    sample: Sample,
    faults_of: Faults,
) -> None:
    found = faults_of(sample("Observation", contained=inside, device={"reference": device}))
    keys = [
        (text.rpartition("(")[2].rstrip(").") if "(" in text else "twice", where)
        for _, text, where in found
    ]
    assert keys == expected
