"""The invariants of Bundle, CapabilityStatement and Composition, each broken once."""

from collections.abc import Callable
from typing import Any

import pytest

from fhir_server.model.answer_rules import ANSWER_RULES


def entry(**parts: Any) -> dict[str, Any]:
    return {"entry": [parts]}


BROKEN: list[tuple[str, str, dict[str, Any], str]] = [
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
    ("cmp-1", "Composition", {"section": [{"title": "Results"}]}, "section[0]"),
    (
        "cmp-2",
        "Composition",
        {
            "section": [
                {"entry": [{"display": "PSA"}], "emptyReason": {"text": "The laboratory is shut"}}
            ]
        },
        "section[0].emptyReason",
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
    keys = {rule.key for rules in ANSWER_RULES.values() for rule in rules}
    assert keys == {key for key, *_ in BROKEN}
