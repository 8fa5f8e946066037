"""Judging whole resources: what comes back, and what is refused."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.errors import Unprocessable
from fhir_server.model import json
from fhir_server.model.r4 import JUDGED_TYPES
from fhir_server.model.validate import judge

Sample = Callable[..., dict[str, Any]]
Faults = Callable[..., list[tuple[str, str, str]]]
Oracle = Callable[[dict[str, Any]], bool]


@pytest.mark.parametrize("name", sorted(JUDGED_TYPES))
def test_a_valid_resource_comes_back_byte_for_byte(
    name: str, sample_bytes: Mapping[str, bytes], oracle_refuses: Oracle
) -> None:
    tree = judge(sample_bytes[name], name)
    assert json.encode(tree) == sample_bytes[name]
    assert judge(tree) == tree
    assert not oracle_refuses(tree)


@pytest.mark.parametrize("name", sorted(JUDGED_TYPES))
def test_the_order_of_the_sender_does_not_matter(
    name: str, sample_bytes: Mapping[str, bytes]
) -> None:
    def reversed_(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: reversed_(tree[key]) for key in reversed(tree)}
        return [reversed_(one) for one in tree] if isinstance(tree, list) else tree

    backwards = json.encode(reversed_(json.decode(sample_bytes[name])))
    assert backwards != sample_bytes[name]
    assert json.encode(judge(backwards)) == sample_bytes[name]


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9
    )
)
def test_a_result_keeps_its_digits_through_judgement(value: Decimal) -> None:
    tree = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    tree["valueQuantity"] = {"value": value}
    assert str(judge(tree)["valueQuantity"]["value"]) == str(value)
    assert f'"value":{value}'.encode() in json.encode(judge(tree))


@pytest.mark.parametrize(
    ("content", "issue"),
    [
        (b"[]", ("structure", "A resource must be a JSON object.", "")),
        (b"{}", ("required", "resourceType is missing.", "resourceType")),
        (b'{"resourceType":5}', ("required", "resourceType is missing.", "resourceType")),
        (
            b'{"resourceType":"Slot"}',
            ("not-supported", "This type of resource is not known here.", "resourceType"),
        ),
    ],
)
def test_what_is_no_resource_is_refused(
    content: bytes, issue: tuple[str, str, str], faults_of: Faults
) -> None:
    assert faults_of(content) == [issue]


def test_a_resource_of_another_type_than_expected_is_refused(sample: Sample) -> None:
    with pytest.raises(Unprocessable, match=r"The resource must be of type Patient\."):
        judge(sample("Observation"), "Patient")


def test_a_missing_status_may_be_explained_by_an_extension(sample: Sample) -> None:
    reason = {"extension": [{"url": "urn:x", "valueCode": "unknown"}]}
    tree = sample("Observation", status=None, _status=reason)
    assert judge(tree)["_status"] == reason
    assert "status" not in judge(tree)


def test_the_caller_keeps_the_tree_that_was_judged(sample: Sample) -> None:
    tree = sample("Observation")
    before = deepcopy(tree)
    canonical = judge(tree)
    canonical["subject"]["reference"] = "Patient/changed"
    canonical["contained"][0]["id"] = "changed"
    assert tree == before


def test_case_104_extensions_nested_150_deep_are_refused(sample: Sample, faults_of: Faults) -> None:
    inner: dict[str, Any] = {"url": "urn:x", "valueString": "y"}
    for _ in range(150):
        inner = {"url": "urn:x", "extension": [inner]}
    assert faults_of(sample("Patient", extension=[inner])) == [
        ("structure", "The JSON nests deeper than 64 objects and arrays.", "")
    ]


def test_case_105_a_second_subject_is_refused(faults_of: Faults) -> None:
    content = (
        b'{"resourceType":"Observation","status":"final","code":{"text":"x"},'
        b'"subject":{"reference":"Patient/a"},"subject":{"reference":"Patient/b"}}'
    )
    assert faults_of(content) == [
        ("structure", "The same key stands twice in one JSON object.", "Observation.subject")
    ]


def test_case_52_a_bundle_inside_a_resource_is_refused(sample: Sample, faults_of: Faults) -> None:
    tree = sample("Observation", contained=[{"resourceType": "Bundle", "type": "collection"}])
    assert [where for _, _, where in faults_of(tree)] == ["Observation.contained[0]"]
