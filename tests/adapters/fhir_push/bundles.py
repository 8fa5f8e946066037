"""Bundles as a laboratory posts them, in the shape of NHS England's Pathology FHIR."""

from copy import deepcopy
from typing import Any

from fhir_server.model import json

Tree = dict[str, Any]

ALAN, BRIAN = "9990000018", "9990000026"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
NHS = "https://fhir.nhs.uk/Id/nhs-number"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
THO = "http://terminology.hl7.org/CodeSystem"
V2_0074 = f"{THO}/v2-0074"
CATEGORY = f"{THO}/observation-category"

_NAMES = ("header", "lab", "practice", "doctor", "patient", "request", "report", "specimen", "psa")
URN = {name: f"urn:uuid:0000000{at}-0000-4000-8000-000000000000" for at, name in enumerate(_NAMES)}
AT = {name: at for at, name in enumerate(_NAMES)}
"""The place of each entry in a message; in a transaction it is one less."""


def ref(name: str) -> Tree:
    return {"reference": URN[name]}


def header(number: str = "M1", sender: str = "lab") -> Tree:
    return {
        "resourceType": "MessageHeader",
        "id": number,
        "eventCoding": {
            "system": "https://fhir.nhs.uk/CodeSystem/message-event",
            "code": "unsolicited-observations",
        },
        "destination": [{"name": "Portal", "endpoint": "https://portal.example/fhir"}],
        "sender": ref(sender),
        "source": {"name": "LIMS", "endpoint": "https://lims.example/fhir"},
        "focus": [ref("report")],
    }


def organization(code: str, name: str) -> Tree:
    return {
        "resourceType": "Organization",
        "identifier": [{"system": ODS, "value": code}],
        "name": name,
    }


def patient(nhs_number: str = ALAN, birth_date: str = "1955-03-01") -> Tree:
    return {
        "resourceType": "Patient",
        "identifier": [{"system": NHS, "value": nhs_number}],
        "name": [{"use": "official", "family": "Example", "given": ["Alan"]}],
        "gender": "male",
        "birthDate": birth_date,
    }


def resources(
    *,
    nhs_number: str = ALAN,
    birth_date: str = "1955-03-01",
    filler: str = "REP-1",
    value: Any = "7.30",
    status: str = "final",
    issued: str = "2026-11-24T09:15:00+00:00",
) -> dict[str, Tree]:
    """Return the resources of a PSA report by name, without a MessageHeader."""
    subject = ref("patient") | {"display": "EXAMPLE, Alan"}
    code = {"coding": [{"system": LOINC, "code": "2857-1", "display": "PSA"}]}
    return {
        "lab": organization("RXX", "Mersey Pathology"),
        "practice": organization("B82033", "A practice"),
        "doctor": {
            "resourceType": "Practitioner",
            "identifier": [{"system": "https://fhir.hl7.org.uk/Id/gmc-number", "value": "1234567"}],
            "name": [{"family": "Smith", "given": ["Jo"], "prefix": ["Dr"]}],
        },
        "patient": patient(nhs_number, birth_date),
        "request": {
            "resourceType": "ServiceRequest",
            "identifier": [{"system": "http://practice.example/request", "value": f"O-{filler}"}],
            "status": "active",
            "intent": "order",
            "code": {"coding": [{"system": SNOMED, "code": "63476009", "display": "PSA test"}]},
            "subject": subject,
            "requester": ref("doctor"),
            "performer": [ref("lab")],
        },
        "report": {
            "resourceType": "DiagnosticReport",
            "identifier": [{"system": "http://lab.example/report", "value": filler}],
            "basedOn": [ref("request")],
            "status": status,
            "category": [{"coding": [{"system": V2_0074, "code": "LAB"}]}],
            "code": {"coding": [{"system": SNOMED, "code": "721981007"}]},
            "subject": subject,
            "issued": issued,
            "performer": [ref("lab") | {"display": "Mersey Pathology"}],
            "specimen": [ref("specimen")],
            "result": [ref("psa")],
        },
        "specimen": {
            "resourceType": "Specimen",
            "identifier": [{"system": "http://lab.example/specimen", "value": f"S-{filler}"}],
            "subject": subject,
            "collection": {"collectedDateTime": "2026-11-24T08:30:00+00:00"},
        },
        "psa": {
            "resourceType": "Observation",
            "identifier": [{"system": "http://lab.example/result", "value": f"R-{filler}"}],
            "status": status,
            "category": [{"coding": [{"system": CATEGORY, "code": "laboratory"}]}],
            "code": code,
            "subject": subject,
            "effectiveDateTime": "2026-11-24T08:30:00+00:00",
            "performer": [ref("lab")],
            "valueQuantity": {
                "value": _decimal(value),
                "unit": "ug/L",
                "system": "http://unitsofmeasure.org",
                "code": "ug/L",
            },
            "specimen": ref("specimen"),
        },
    }


def _decimal(value: Any) -> Any:
    return json.decode(value) if isinstance(value, str) else value


def message(parts: dict[str, Tree] | None = None, number: str = "M1") -> Tree:
    """Return a message Bundle with these resources, its MessageHeader first."""
    named = {"header": header(number)} | (resources() if parts is None else parts)
    return {
        "resourceType": "Bundle",
        "identifier": {"system": "https://tools.ietf.org/html/rfc4122", "value": number},
        "type": "message",
        "timestamp": "2026-11-24T09:16:00+00:00",
        "entry": [{"fullUrl": url_of(name), "resource": tree} for name, tree in named.items()],
    }


def composition(**elements: Any) -> Tree:
    """Return the head of a document about the patient, of which one section names the result."""
    return {
        "resourceType": "Composition",
        "status": "final",
        "type": {"coding": [{"system": SNOMED, "code": "4241000179101"}]},
        "subject": ref("patient"),
        "date": "2026-11-24T09:15:00+00:00",
        "author": [ref("doctor")],
        "custodian": ref("lab"),
        "title": "Laboratory report",
        "section": [{"title": "Results", "entry": [ref("report"), ref("psa")]}],
        **elements,
    }


def document(parts: dict[str, Tree] | None = None, number: str = "D1", **elements: Any) -> Tree:
    """Return a document with these resources, a Composition with these *elements* first."""
    head = {name: part for name, part in composition(**elements).items() if part is not None}
    named = {"header": head} | (resources() if parts is None else parts)
    return message(named, number) | {"type": "document"}


def transaction(parts: dict[str, Tree] | None = None, number: str = "T1") -> Tree:
    """Return a transaction Bundle with these resources, each to be POSTed."""
    named = resources() if parts is None else parts
    return {
        "resourceType": "Bundle",
        "identifier": {"system": "https://tools.ietf.org/html/rfc4122", "value": number},
        "type": "transaction",
        "entry": [
            {
                "fullUrl": url_of(name),
                "resource": tree,
                "request": {"method": "POST", "url": tree["resourceType"]},
            }
            for name, tree in named.items()
        ],
    }


def url_of(name: str) -> str:
    """Return the fullUrl of the resource called *name*."""
    return URN.get(name, f"urn:uuid:{name.encode().hex():0>8}-0000-4000-8000-000000000000")


def changed(tree: Tree, path: str, value: Any) -> Tree:
    """Return a copy of *tree* with the element at *path* (`entry.3.resource.status`) as *value*.

    `None` takes it out.
    """
    copy = deepcopy(tree)
    *way, last = path.split(".")
    node: Any = copy
    for step in way:
        node = node[int(step)] if isinstance(node, list) else node[step]
    if isinstance(node, list):
        node[int(last)] = value
    elif value is None:
        del node[last]
    else:
        node[last] = value
    return copy
