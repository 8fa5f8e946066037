"""The invariants of what goes over the interface: Bundle, CapabilityStatement, Composition.

https://hl7.org/fhir/R4/bundle.html#invs, https://hl7.org/fhir/R4/capabilitystatement.html#invs,
https://hl7.org/fhir/R4/composition.html#invs
"""

from collections.abc import Mapping
from types import MappingProxyType

from fhir_server.model.rules import Rule, distinct, has
from fhir_server.model.shapes import Tree

_ASKED = frozenset({"batch", "transaction", "history"})
_ANSWERED = frozenset({"batch-response", "transaction-response", "history"})
_COUNTED = frozenset({"searchset", "history"})


def _only_in(key: str, name: str, types: frozenset[str]) -> Rule:
    listed = ", ".join(sorted(types))
    return Rule(
        key,
        f"must have a {name} in every entry if its type is {listed}, and in none otherwise",
        lambda node: all(
            (name in entry) == (node.get("type") in types) for entry in node.get("entry", ())
        ),
        "entry",
    )


def _full_urls_differ(node: Tree) -> bool:
    return distinct(
        [
            (entry["fullUrl"], entry.get("resource", {}).get("meta", {}).get("versionId"))
            for entry in node.get("entry", ())
            if "fullUrl" in entry
        ]
    )


def _starts_with(key: str, bundle_type: str, resource_type: str) -> Rule:
    def holds(node: Tree) -> bool:
        first: Tree = next(iter(node.get("entry", ())), {})
        resource = first.get("resource", {})
        return node.get("type") != bundle_type or resource.get("resourceType") == resource_type

    return Rule(
        key, f"must have a {resource_type} first, as its type is {bundle_type}", holds, "entry"
    )


_BUNDLE = (
    Rule(
        "bdl-1",
        "can have a total only if its type is history or searchset",
        lambda node: not has(node, "total") or node.get("type") in _COUNTED,
        "total",
    ),
    Rule(
        "bdl-2",
        "can have a search in its entries only if its type is searchset",
        lambda node: (
            node.get("type") == "searchset"
            or not any("search" in entry for entry in node.get("entry", ()))
        ),
        "entry",
    ),
    _only_in("bdl-3", "request", _ASKED),
    _only_in("bdl-4", "response", _ANSWERED),
    Rule("bdl-7", "can't have the same fullUrl twice", _full_urls_differ, "entry"),
    Rule(
        "bdl-9",
        "must have an identifier with system and value, as its type is document",
        lambda node: (
            node.get("type") != "document"
            or {"system", "value"} <= node.get("identifier", {}).keys()
        ),
        "identifier",
    ),
    Rule(
        "bdl-10",
        "must have a timestamp, as its type is document",
        lambda node: node.get("type") != "document" or has(node, "timestamp"),
        "timestamp",
    ),
    _starts_with("bdl-11", "document", "Composition"),
    _starts_with("bdl-12", "message", "MessageHeader"),
)

_CAPABILITY_STATEMENT = (
    Rule(
        "cpb-1",
        "must have a rest, a messaging or a document",
        lambda node: not node.keys().isdisjoint({"rest", "messaging", "document"}),
    ),
    Rule(
        "cpb-2",
        "must have a description, a software or an implementation",
        lambda node: has(node, "description") or "software" in node or "implementation" in node,
    ),
    Rule(
        "cpb-3",
        "can have a messaging.endpoint only if its kind is instance",
        lambda node: (
            node.get("kind") == "instance"
            or not any("endpoint" in part for part in node.get("messaging", ()))
        ),
        "messaging",
    ),
    Rule(
        "cpb-7",
        "can't have the same document twice",
        lambda node: distinct(
            [(part.get("profile"), part.get("mode")) for part in node.get("document", ())]
        ),
        "document",
    ),
    Rule(
        "cpb-14",
        "must have an implementation, as its kind is instance",
        lambda node: node.get("kind") != "instance" or "implementation" in node,
        "implementation",
    ),
    Rule(
        "cpb-15",
        "must have a software and no implementation, as its kind is capability",
        lambda node: (
            node.get("kind") != "capability"
            or ("implementation" not in node and "software" in node)
        ),
        "implementation",
    ),
    Rule(
        "cpb-16",
        "can't have an implementation or a software, as its kind is requirements",
        lambda node: (
            node.get("kind") != "requirements"
            or not ("implementation" in node or "software" in node)
        ),
        "implementation",
    ),
)

ANSWER_RULES: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {
        "Bundle": _BUNDLE,
        "BundleEntry": (
            Rule(
                "bdl-5",
                "must have a resource, a request or a response",
                lambda node: not node.keys().isdisjoint({"resource", "request", "response"}),
            ),
            Rule(
                "bdl-8",
                "can't name a version in its fullUrl",
                lambda node: "/_history/" not in node.get("fullUrl", ""),
                "fullUrl",
            ),
        ),
        "CapabilityStatement": _CAPABILITY_STATEMENT,
        "CapabilityStatementRest": (
            Rule(
                "cpb-9",
                "can't have the same type twice",
                lambda node: distinct([part.get("type") for part in node.get("resource", ())]),
                "resource",
            ),
        ),
        "CapabilityStatementRestResource": (
            Rule(
                "cpb-12",
                "can't have a search parameter of the same name twice",
                lambda node: distinct([part.get("name") for part in node.get("searchParam", ())]),
                "searchParam",
            ),
        ),
        "CompositionSection": (
            Rule(
                "cmp-1",
                "must have a text, an entry or a section",
                lambda node: not node.keys().isdisjoint({"text", "entry", "section"}),
            ),
            Rule(
                "cmp-2",
                "can have an emptyReason only if it has no entry",
                lambda node: "emptyReason" not in node or "entry" not in node,
                "emptyReason",
            ),
        ),
    }
)
"""Shape to its rules."""
