"""The invariants of R4's resource types that the record keeps. https://hl7.org/fhir/R4/resourcelist.html."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from fhir_server.model.rules import Rule, has, has_choice, simple_quantities
from fhir_server.model.shapes import Tree

_CONSENT_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"


def _codings(concept: Tree) -> Iterator[tuple[object, object]]:
    for coding in concept.get("coding", ()):
        if "code" in coding:
            yield coding.get("system"), coding["code"]


def _value_stands_once(node: Tree) -> bool:
    """Tell whether the value stands in no other place than the component with the same code."""
    if "component" not in node or not has_choice(node, "value"):
        return True
    own = set(_codings(node["code"]))
    return not any(own.intersection(_codings(part["code"])) for part in node["component"])


def _none_used(name: str, use: str) -> Rule:
    key = {"address": "org-2", "telecom": "org-3"}[name]
    return Rule(
        key,
        f"can't have a {name} whose use is {use}",
        lambda node: all(one.get("use") != use for one in node.get(name, ())),
        name,
    )


def _acts_on_behalf_as_practitioner(node: Tree) -> bool:
    member = node.get("member", {}).get("reference", "")
    kind = member.rpartition("/")[0].rpartition("/")[2]
    return "onBehalfOf" not in node or kind in {"", "Practitioner"}


def _scope_has_patient(key: str, code: str) -> Rule:
    return Rule(
        key,
        f"has the scope {code}, so it must name the patient",
        lambda node: (
            "patient" in node or (_CONSENT_SCOPE, code) not in set(_codings(node.get("scope", {})))
        ),
        "patient",
    )


_NO_TIME_YET = frozenset({"proposed", "cancelled", "waitlist"})
_NOT_HELD = frozenset({"cancelled", "noshow"})

RESOURCE_RULES: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {
        "Appointment": (
            Rule(
                "app-2",
                "must have a start and an end, or neither",
                lambda node: has(node, "start") == has(node, "end"),
                "start",
            ),
            Rule(
                "app-3",
                "must have a start and an end, unless proposed, cancelled or on a waiting list",
                lambda node: has(node, "start") or node.get("status") in _NO_TIME_YET,
                "start",
            ),
            Rule(
                "app-4",
                "can have a cancelationReason only if it was cancelled or nobody came",
                lambda node: "cancelationReason" not in node or node.get("status") in _NOT_HELD,
                "cancelationReason",
            ),
        ),
        "AppointmentParticipant": (
            Rule(
                "app-1",
                "must have a type or an actor",
                lambda node: "type" in node or "actor" in node,
            ),
        ),
        "AuditEventEntity": (
            Rule(
                "sev-1",
                "can't have both a name and a query",
                lambda node: not (has(node, "name") and has(node, "query")),
            ),
        ),
        "CareTeamParticipant": (
            Rule(
                "ctm-1",
                "can act on behalf of an organisation only if the member is a Practitioner",
                _acts_on_behalf_as_practitioner,
                "onBehalfOf",
            ),
        ),
        "Consent": (
            Rule(
                "ppc-1",
                "must have a policy or a policyRule",
                lambda node: "policy" in node or "policyRule" in node,
            ),
            _scope_has_patient("ppc-2", "patient-privacy"),
            _scope_has_patient("ppc-3", "research"),
            _scope_has_patient("ppc-4", "adr"),
            _scope_has_patient("ppc-5", "treatment"),
        ),
        "Observation": (
            Rule(
                "obs-6",
                "can't have both a value and a dataAbsentReason",
                lambda node: "dataAbsentReason" not in node or not has_choice(node, "value"),
                "dataAbsentReason",
            ),
            Rule(
                "obs-7",
                "has a component with its own code, so the value belongs there alone",
                _value_stands_once,
                "value",
            ),
        ),
        "ObservationReferenceRange": (
            Rule(
                "obs-3",
                "must have a low, a high or a text",
                lambda node: "low" in node or "high" in node or has(node, "text"),
            ),
            simple_quantities("low", "high"),
        ),
        "Organization": (
            Rule(
                "org-1",
                "must have an identifier or a name",
                lambda node: "identifier" in node or has(node, "name"),
            ),
            _none_used("address", "home"),
            _none_used("telecom", "home"),
        ),
        "PatientContact": (
            Rule(
                "pat-1",
                "must have a name, a telecom, an address or an organization",
                lambda node: (
                    not node.keys().isdisjoint({"name", "telecom", "address", "organization"})
                ),
            ),
        ),
        "ServiceRequest": (
            Rule(
                "prr-1",
                "has an orderDetail, so it must have a code",
                lambda node: "orderDetail" not in node or "code" in node,
                "code",
            ),
        ),
        "SpecimenCollection": (simple_quantities("quantity"),),
        "SpecimenContainer": (simple_quantities("capacity", "specimenQuantity"),),
    }
)
"""Shape to its rules."""
