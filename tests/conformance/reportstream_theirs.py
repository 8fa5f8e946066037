"""What in ReportStream's Bundles is ReportStream's own, and no matter of the guide.

Found by rule, and never by whether we make the same; but for what the guide speaks against, which
is counted where it differs.
"""

import re
from collections.abc import Mapping
from typing import Any

from adapters.hl7v2.conversion import Tree

HL7 = "http://hl7.org/fhir/"
"""How the address of an extension begins that others than CDC know."""

ID, SHELL, STAND_IN, NO_URI, NOT_R4, GUIDE = "id", "shell", "stand-in", "no-uri", "not-r4", "guide"
OWN: Mapping[str, str] = {
    ID: "ids, and when a resource was made",
    SHELL: "a Specimen with nothing in it, which every OBR gets, and references to it",
    STAND_IN: "the status `unknown` for want of another: none was sent, or ORC-1 does not say",
    NO_URI: "a name where a system's URI must stand (`ISO`), or a page of HL7's as the URI",
    NOT_R4: "not legal in R4: an instant without a time, the time `223100.0000`, a unit's code "
    "without its system, `cannot-be-obtained`, a contact that is nobody (pat-1), HL7's extensions "
    "where or with what they may not stand",
    GUIDE: "not what the guide says: XCN.7 is a qualification, `B` is no use of a name, OBR-34 and "
    "-35 say what somebody did in `performer`, OBR-11 `G` is a reflex order",
}
"""Kinds of elements that are theirs, in words."""

AGAINST_THE_GUIDE = frozenset(
    {
        ("Practitioner.name.suffix", "MD"),
        ("Practitioner.name.use", "official"),
        ("Patient.contact.name.use", "official"),
        ("ServiceRequest.intent", "order"),
    }
)
"""Elements that differ from the rows of the guide's sheets and tables which OWN names."""

_PAGE_OF_HL7 = "https://terminology.hl7.org/CodeSystem-v2-0396.html"
_FORMS = {
    "issued": re.compile(r"\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)"),
    "valueTime": re.compile(r"\d\d:\d\d:\d\d(?:\.\d+)?"),
}
_UNIVERSAL = re.compile(
    r"urn:oid:[0-2](?:\.\d+)+|urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_EXTENSION = re.compile(r"\.extension\(([\w-]+)\)\.(value\w+)$")
_FUNCTION = "PractitionerRole.extension(event-performerFunction)."


def is_shell(resource: Tree) -> bool:
    """Tell whether a resource is a Specimen that says nothing."""
    is_specimen = resource["resourceType"] == "Specimen"
    return is_specimen and not set(resource) - {"resourceType", "id", "extension"}


def own(path: str, text: str, resource: Tree) -> str:
    """Return why an element is theirs alone (a key of OWN); empty where it is not."""
    element = path.rpartition(".")[2]
    if (path.count(".") == 1 and element == "id") or ".meta." in path:
        return ID
    if element == "status" and text == "unknown":
        return STAND_IN
    if path.startswith(_FUNCTION):
        return GUIDE
    if element == "system" and not path.endswith("telecom.system"):
        return "" if _is_uri(text) else NO_URI
    return "" if _is_legal(path, element, text, resource) else NOT_R4


def _is_uri(text: str) -> bool:
    if ":" not in text or text.startswith(_PAGE_OF_HL7):
        return False
    return not text.startswith(("urn:oid:", "urn:uuid:")) or _UNIVERSAL.fullmatch(text) is not None


def _is_legal(path: str, element: str, text: str, resource: Tree) -> bool:
    extension = _EXTENSION.search(path)
    if extension:
        return _may_stand(extension[1], extension[2], text)
    if element in _FORMS:
        return _FORMS[element].fullmatch(text) is not None
    if path.startswith("Patient.contact.period."):  # invariant pat-1
        return any({"name", "telecom", "address"} & set(one) for one in resource["contact"])
    if element == "code" and re.search(r"\.value(?:Range|Ratio|Quantity)\.", path):
        return _is_uri(str(_around(resource, path).get("system", "")))
    return (path, text) != ("Observation.dataAbsentReason.coding.code", "cannot-be-obtained")


def _may_stand(extension: str, value_type: str, text: str) -> bool:
    """Tell whether HL7's definition of an extension lets it be used so."""
    if extension == "namingsystem-checkDigit":  # stands on a NamingSystem
        return False
    if extension == "humanname-assembly-order":  # of the value set name-assembly-order
        return text.startswith("NL")
    return (extension, value_type) != ("iso21090-ADXP-censusTract", "valueCode")


def _around(resource: Tree, path: str) -> Tree:
    node: Any = resource
    for name in path.split(".")[1:-1]:
        node = node[name]
    found: Tree = node
    return found
