"""The invariants of data types, each broken once by a resource that is valid otherwise."""

from collections.abc import Callable
from typing import Any

import pytest

from fhir_server.model.datatype_rules import DATATYPE_RULES

UCUM = "http://unitsofmeasure.org"


def extension(**value: Any) -> dict[str, Any]:
    return {"extension": [{"url": "urn:x", **value}]}


def repeat(**parts: Any) -> dict[str, Any]:
    return {"occurrenceTiming": {"repeat": parts}}


BROKEN: list[tuple[str, str, dict[str, Any], str]] = [
    ("age-1", "Patient", extension(valueAge={"value": -1, "system": UCUM, "code": "a"}), ""),
    ("age-1", "Patient", extension(valueAge={"value": 1}), ""),
    ("att-1", "Patient", {"photo": [{"data": "QUJD"}]}, "photo[0].contentType"),
    ("cnt-3", "Patient", extension(valueCount={"value": 1, "code": "2", "system": UCUM}), ""),
    ("cpt-2", "Patient", {"telecom": [{"value": "01632 960001"}]}, "telecom[0].system"),
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
    (
        "per-1",
        "DiagnosticReport",
        {"effectivePeriod": {"start": "2024-03-09", "end": "2023"}},
        "effectivePeriod.end",
    ),
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
    (
        "sqty-1",
        "Patient",
        extension(valueRange={"low": {"value": 1, "comparator": "<"}}),
        ".valueRange.low",
    ),
    (
        "sqty-1",
        "Patient",
        extension(
            valueSampledData={
                "origin": {"value": 0, "comparator": "<"},
                "period": 1,
                "dimensions": 1,
            }
        ),
        ".valueSampledData.origin",
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
    keys = {rule.key for rules in DATATYPE_RULES.values() for rule in rules}
    assert keys == {key for key, *_ in BROKEN}
