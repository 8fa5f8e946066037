"""Documents that are hostile or odd, by name, each with the answer, the code and the place due."""

from typing import Any

from tests.adapters.fhir_push.bundles import (
    BRIAN,
    NHS,
    changed,
    composition,
    document,
    message,
    patient,
    ref,
    resources,
    transaction,
    url_of,
)

Tree = dict[str, Any]

HEAD = "Bundle.entry[0].resource"


def _second(tree: Tree) -> Tree:
    """The document with a second Composition at its end."""
    entry = {"fullUrl": url_of("second"), "resource": composition()}
    return tree | {"entry": [*tree["entry"], entry]}


_BRIAN = {"reference": "urn:uuid:00000000-0000-4000-8000-0000000000bb"}

HOSTILE: dict[str, tuple[Tree, tuple[str, str, str]]] = {
    "no-composition": (
        document() | {"entry": document()["entry"][1:]},
        ("AR", "header-missing", HEAD),
    ),
    "composition-second": (
        document() | {"entry": [document()["entry"][1], document()["entry"][0]]},
        ("AR", "header-missing", HEAD),
    ),
    "two-compositions": (
        _second(document()),
        ("AR", "type-unsupported", "Bundle.entry[9].resource"),
    ),
    "a-message": (message(), ("AR", "type-unsupported", "Bundle.type")),
    "a-transaction": (transaction(), ("AR", "type-unsupported", "Bundle.type")),
    "no-identifier": (
        changed(document(), "identifier", None),
        ("AE", "resource-invalid", "Bundle.identifier"),
    ),
    "no-timestamp": (
        changed(document(), "timestamp", None),
        ("AE", "resource-invalid", "Bundle.timestamp"),
    ),
    "entries-to-be-posted": (
        transaction() | document() | {"entry": [*document()["entry"], transaction()["entry"][0]]},
        ("AE", "full-url-twice", "Bundle.entry[9].fullUrl"),
    ),
    "about-another-patient": (
        document(subject=_BRIAN),
        ("AE", "patients-several", f"{HEAD}.subject.reference"),
    ),
    "about-a-doctor": (
        document(subject=ref("doctor")),
        ("AE", "subject-missing", f"{HEAD}.subject"),
    ),
    "about-another-number": (
        document(subject={"identifier": {"system": NHS, "value": BRIAN}}),
        ("AE", "subject-missing", f"{HEAD}.subject"),
    ),
    "two-patients": (
        document(resources() | {"brian": patient(BRIAN)}),
        ("AE", "patients-several", "Bundle.entry[9].resource"),
    ),
    "taken-back-alone": (
        document(status="entered-in-error"),
        ("AE", "document-differs", f"{HEAD}.status"),
    ),
    "unfinished-alone": (
        document(status="preliminary"),
        ("AE", "document-differs", f"{HEAD}.status"),
    ),
    "unfinished-with-a-cancelled-report": (
        document(resources(status="cancelled"), status="preliminary"),
        ("AE", "document-differs", f"{HEAD}.status"),
    ),
    "taken-back-with-a-cancelled-report": (
        changed(document(status="entered-in-error"), "entry.6.resource.status", "cancelled"),
        ("AE", "document-differs", f"{HEAD}.status"),
    ),
    "a-status-that-is-not-told": (
        document(status=None, _status={"extension": [{"url": "urn:x", "valueString": "a"}]}),
        ("AE", "status-missing", f"{HEAD}.status"),
    ),
    "an-entry-that-is-not-there": (
        document(section=[{"entry": [ref("report"), ref("psa"), _BRIAN | {"display": "More"}]}]),
        ("AE", "reference-outside", f"{HEAD}.section[0].entry[2].reference"),
    ),
    "a-section-about-somebody-else": (
        document(section=[{"focus": {"reference": "Patient/other"}, "entry": [ref("report")]}]),
        ("AE", "patients-several", f"{HEAD}.section[0].focus.reference"),
    ),
    "labels-without-end": (
        document(meta={"security": [{"code": f"c{number}"} for number in range(1000)]}),
        ("AE", "content-unsupported", f"{HEAD}.meta.security"),
    ),
    "status-that-is-none": (
        document(status="done"),
        ("AE", "resource-invalid", f"{HEAD}.status"),
    ),
    "no-author": (
        document(author=None),
        ("AE", "resource-invalid", f"{HEAD}.author"),
    ),
    "empty-section": (
        document(section=[{"title": "Results"}]),
        ("AE", "resource-invalid", f"{HEAD}.section[0]"),
    ),
    "modifier": (
        document(modifierExtension=[{"url": "urn:x", "valueBoolean": True}]),
        ("AE", "content-unsupported", f"{HEAD}.modifierExtension"),
    ),
}
