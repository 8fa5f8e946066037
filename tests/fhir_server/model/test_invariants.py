"""Invariants of the walk itself: empty elements, narratives, and what is contained."""

from collections.abc import Callable
from typing import Any

import pytest

Sample = Callable[..., dict[str, Any]]
Faults = Callable[..., list[tuple[str, str, str]]]


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
