"""Bundles that are hostile or odd, by name, each with the answer, the code and the place due."""

from copy import deepcopy
from itertools import pairwise
from typing import Any

from adapters.fhir_push.bundle import MOST_ENTRIES, MOST_PARTS
from adapters.fhir_push.results import DEEPEST
from fhir_server.model import json
from tests.adapters.fhir_push.bundles import (
    AT,
    BRIAN,
    changed,
    message,
    patient,
    ref,
    resources,
    transaction,
    url_of,
)

Tree = dict[str, Any]
Expected = tuple[str, str, str]

ELSEWHERE = "urn:uuid:00000000-0000-4000-8000-0000000000ff"


def at(name: str, element: str = "", *, less: int = 0) -> str:
    """The FHIRPath of a resource, or of an element in it; *less* for a transaction."""
    return f"Bundle.entry[{AT[name] - less}].resource" + (f".{element}" if element else "")


def of(name: str, element: str, value: Any, tree: Tree | None = None) -> Tree:
    """A message with one element changed."""
    return changed(tree or message(), f"entry.{AT[name]}.resource.{element}", value)


def asked(element: str, value: Any) -> Tree:
    """A transaction in which entry 3 asks for something else."""
    return changed(transaction(), f"entry.3.request.{element}", value)


_ASKED = ("AR", "request-unsupported", "")
_TYPE = ("AR", "type-unsupported", "Bundle.entry[3].resource")


def without(*resource_types: str) -> Tree:
    """A message without the resources of these types."""
    entries = [
        one for one in message()["entry"] if one["resource"]["resourceType"] not in resource_types
    ]
    return changed(message(), "entry", entries)


def with_groups(depth: int) -> Tree:
    """A message in which groups of results stand so deep inside one another."""
    parts = resources()
    for level in range(depth):
        parts[f"level{level}"] = deepcopy(parts["psa"])
    names = ["psa", *(f"level{level}" for level in range(depth))]
    for name, inner in pairwise(names):
        parts[name]["hasMember"] = [{"reference": url_of(inner)}]
    return message(parts)


def foreign(resource_type: str, **elements: Any) -> Tree:
    """A transaction with a resource that a hospital can't hand in as entry 3."""
    entry = {
        "fullUrl": ELSEWHERE,
        "resource": {"resourceType": resource_type, **elements},
        "request": {"method": "POST", "url": resource_type},
    }
    return changed(transaction(), "entry.3", entry)


def twice(name: str, tree: Tree) -> Tree:
    return message(resources() | {name: tree})


_deepest = f"Bundle.entry[{AT['psa'] + DEEPEST - 1}].resource"

HOSTILE: dict[str, tuple[Tree | bytes, Expected]] = {
    # What is no Bundle
    "cut": (json.encode(message())[:-40], ("AR", "json-bad", "Bundle")),
    "not-utf-8": (b'{"resourceType":"Bundle\xff"}', ("AR", "json-bad", "Bundle")),
    "deep-nesting": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, ("AR", "json-bad", "Bundle")),
    "same-key-twice": (
        json.encode(message()).replace(b'"status":', b'"status":"preliminary","status":', 1),
        ("AR", "json-bad", "Bundle.entry[5].resource.status"),
    ),
    "many-parts": (
        b"[" + b"{}," * MOST_PARTS + b"{}]",
        ("AE", "message-too-large", "Bundle"),
    ),
    "list": (b"[]", ("AR", "type-unsupported", "Bundle")),
    "null": (b"null", ("AR", "type-unsupported", "Bundle")),
    "resource": (json.encode(patient()), ("AR", "type-unsupported", "Bundle")),
    "batch": (changed(message(), "type", "batch"), ("AR", "type-unsupported", "Bundle.type")),
    "searchset": (
        changed(message(), "type", "searchset"),
        ("AR", "type-unsupported", "Bundle.type"),
    ),
    "no-entries": (changed(message(), "entry", []), ("AE", "message-empty", "Bundle.entry")),
    "entry-null": (changed(message(), "entry.3", None), ("AR", "json-bad", "Bundle.entry[3]")),
    "many-entries": (
        changed(message(), "entry", message()["entry"][:1] * (MOST_ENTRIES + 1)),
        ("AE", "message-too-large", "Bundle.entry"),
    ),
    # What a hospital can't ask for
    "delete": (asked("method", "DELETE"), _ASKED),
    "get": (
        changed(transaction(), "entry.3", {"request": {"method": "GET", "url": "Patient"}}),
        _ASKED,
    ),
    "patch": (asked("method", "PATCH"), _ASKED),
    "put-to-a-foreign-id": (
        changed(transaction(), "entry.3.request", {"method": "PUT", "url": "Patient/1"}),
        _ASKED,
    ),
    "post-to-another-type": (asked("url", "Observation"), _ASKED),
    "post-to-an-absolute-url": (asked("url", "https://x.example/Patient"), _ASKED),
    "conditional-create": (asked("ifNoneExist", "identifier=1"), _ASKED),
    "conditional-update": (asked("ifMatch", 'W/"1"'), _ASKED),
    "communication": (
        foreign("Communication", status="completed"),
        _TYPE,
    ),
    "audit-event": (foreign("AuditEvent"), _TYPE),
    "consent": (foreign("Consent"), _TYPE),
    "care-team": (foreign("CareTeam"), _TYPE),
    "bundle-in-a-bundle": (foreign("Bundle", type="transaction"), _TYPE),
    "type-that-is-none": (foreign("Kwisatz"), _TYPE),
    "second-message-header": (
        twice("other", message()["entry"][0]["resource"]),
        ("AR", "type-unsupported", "Bundle.entry[9].resource"),
    ),
    "answer": (
        changed(message(), "entry.0.resource.response", {"identifier": "M0", "code": "ok"}),
        ("AR", "type-unsupported", "Bundle.entry[0].resource.response"),
    ),
    # Who is meant
    "two-patients": (
        twice("other", patient(BRIAN)),
        ("AE", "patients-several", "Bundle.entry[9].resource"),
    ),
    "no-patient": (
        changed(message(), f"entry.{AT['patient']}.resource", resources()["lab"]),
        ("AE", "identity-missing", "Bundle.entry"),
    ),
    "another-patient": (
        of("psa", "subject", {"reference": "Patient/1"}),
        ("AE", "patients-several", at("psa", "subject.reference")),
    ),
    "another-patient-elsewhere": (
        of("psa", "performer.0", {"reference": "https://x.example/Patient/1", "display": "x"}),
        ("AE", "patients-several", at("psa", "performer[0].reference")),
    ),
    "patient-by-number-alone": (
        of("psa", "subject", {"identifier": {"value": BRIAN}}),
        ("AE", "subject-missing", at("psa", "subject")),
    ),
    "no-subject": (
        of("specimen", "subject", None),
        ("AE", "subject-missing", at("specimen", "subject")),
    ),
    "contained-patient": (
        of(
            "psa", "subject", {"reference": "#p"}, of("psa", "contained", [patient() | {"id": "p"}])
        ),
        ("AE", "content-unsupported", at("psa", "contained[0]")),
    ),
    "patient-link": (
        of("patient", "link", [{"other": {"reference": "Patient/1"}, "type": "replaced-by"}]),
        ("AE", "merge-not-agreed", at("patient", "link")),
    ),
    "two-nhs-numbers": (
        of("patient", "identifier", [*patient()["identifier"], *patient(BRIAN)["identifier"]]),
        ("AE", "identity-unclear", at("patient", "identifier[1].value")),
    ),
    "nhs-number-of-zeros": (
        of("patient", "identifier.0.value", "0000000000"),
        ("AE", "identity-unclear", at("patient", "identifier[0].value")),
    ),
    "nhs-number-with-a-typo": (
        of("patient", "identifier.0.value", "9990000019"),
        ("AE", "nhs-number-bad", at("patient", "identifier[0].value")),
    ),
    "born-in-1066": (
        of("patient", "birthDate", "1066-10-14"),
        ("AE", "date-bad", at("patient", "birthDate")),
    ),
    # Where references lead
    "full-url-twice": (
        changed(message(), "entry.2.fullUrl", url_of("lab")),
        ("AE", "full-url-twice", "Bundle.entry[2].fullUrl"),
    ),
    "uuid-that-is-not-there": (
        of("report", "result.0", {"reference": ELSEWHERE}),
        ("AE", "reference-outside", at("report", "result[0].reference")),
    ),
    "absolute-reference-outside": (
        of("report", "specimen.0", {"reference": "https://x.example/Specimen/1", "display": "x"}),
        ("AE", "reference-outside", at("report", "specimen[0].reference")),
    ),
    "reference-to-a-file": (
        of("report", "performer.0", {"reference": "file:///etc/passwd"}),
        ("AE", "reference-outside", at("report", "performer[0].reference")),
    ),
    "reference-to-this-portal": (
        of("report", "basedOn.0", {"reference": "ServiceRequest/00000000000000000000000000000000"}),
        ("AE", "reference-outside", at("report", "basedOn[0].reference")),
    ),
    "search-as-a-reference": (
        of("report", "basedOn.0", {"reference": "ServiceRequest?identifier=1"}),
        ("AE", "reference-outside", at("report", "basedOn[0].reference")),
    ),
    "result-that-is-no-observation": (
        of("report", "result.0", ref("specimen")),
        ("AE", "reference-outside", at("report", "result[0].reference")),
    ),
    "member-of-itself": (
        of("psa", "hasMember", [ref("psa")]),
        ("AE", "reference-circle", at("psa", "hasMember[0].reference")),
    ),
    "groups-too-deep": (
        with_groups(2 * DEEPEST),
        ("AE", "content-unsupported", f"{_deepest}.hasMember[0].reference"),
    ),
    "result-of-no-report": (
        of("report", "result", None),
        ("AE", "entry-unplaced", at("psa")),
    ),
    "result-of-two-reports": (
        twice("other", resources()["report"]),
        ("AE", "result-shared", "Bundle.entry[9].resource.result[0].reference"),
    ),
    # What changes the meaning
    "modifier": (
        of("psa", "modifierExtension", [{"url": "urn:x", "valueBoolean": True}]),
        ("AE", "content-unsupported", at("psa", "modifierExtension")),
    ),
    "implicit-rules": (
        of("psa", "implicitRules", "urn:x"),
        ("AE", "content-unsupported", at("psa", "implicitRules")),
    ),
    "contained-result": (
        of(
            "report",
            "result.0",
            {"reference": "#r"},
            of("report", "contained", [resources()["psa"] | {"id": "r"}]),
        ),
        ("AE", "content-unsupported", at("report", "contained[0]")),
    ),
    "script": (
        of("psa", "text", {"status": "generated", "div": "<div><script>x</script></div>"}),
        ("AE", "resource-invalid", at("psa", "text.div")),
    ),
    "status-that-is-none": (
        of("psa", "status", "F"),
        ("AE", "resource-invalid", at("psa", "status")),
    ),
    "status-unknown": (
        of("report", "status", "unknown"),
        ("AE", "status-unknown", at("report", "status")),
    ),
    "status-that-is-not-told": (
        of(
            "report",
            "_status",
            {"extension": [{"url": "urn:x", "valueString": "a"}]},
            of("report", "status", None),
        ),
        ("AE", "status-missing", at("report", "status")),
    ),
    "unknown-element": (
        of("psa", "colour", "red"),
        ("AE", "resource-invalid", at("psa", "colour")),
    ),
    # What is missing
    "no-message-header": (
        changed(message(), "entry", message()["entry"][1:]),
        ("AR", "header-missing", "Bundle.entry[0].resource"),
    ),
    "no-report": (
        without("DiagnosticReport"),
        ("AE", "message-empty", "Bundle.entry"),
    ),
    "no-report-and-no-request": (
        without("DiagnosticReport", "Observation", "ServiceRequest"),
        ("AE", "message-empty", "Bundle.entry"),
    ),
    "no-number": (
        of("request", "identifier", None, of("report", "identifier", None)),
        ("AE", "order-number-missing", at("report", "identifier")),
    ),
    "no-time": (
        changed(of("report", "issued", None), "timestamp", None),
        ("AE", "date-missing", at("report", "issued")),
    ),
    "issued-next-year": (
        of("report", "issued", "2027-11-24T09:15:00+00:00"),
        ("AE", "date-bad", at("report", "issued")),
    ),
    # Documents
    "document-that-could-run": (
        of("report", "presentedForm", [{"data": "PGh0bWw+", "contentType": "text/html"}]),
        ("", "", ""),
    ),
    "document-cut-short": (
        of("report", "presentedForm", [{"contentType": "application/pdf", "data": "JVBERi0xLjQK"}]),
        ("AE", "document-broken", at("report", "presentedForm[0].data")),
    ),
    "document-of-another-hash": (
        of(
            "report",
            "presentedForm",
            [{"contentType": "text/plain", "data": "aGVsbG8=", "hash": "aGVsbG8="}],
        ),
        ("AE", "document-broken", at("report", "presentedForm[0].hash")),
    ),
}
