"""What a hospital may put into a Bundle, before it is judged: types, requests, nothing unheard of.

What is not taken is refused with the entry that asks for it; nothing is passed over in silence.
"""

from collections.abc import Iterator
from typing import Any

from adapters.hl7v2.refusal import Refused
from fhir_server.model.r4 import PART_TYPES

Tree = dict[str, Any]

DIRECTORY_TYPES = frozenset({"Organization", "Practitioner", "PractitionerRole"})
"""Types that go into the directory."""
FILED_TYPES = DIRECTORY_TYPES | frozenset(
    {"DiagnosticReport", "Observation", "Patient", "ServiceRequest", "Specimen"}
)
"""Types of which a resource is filed."""
PASSED_TYPES = PART_TYPES | frozenset({"Provenance"})
"""Types that may stand in a Bundle and are kept with it alone."""
CONTAINED_TYPES = DIRECTORY_TYPES | PART_TYPES | frozenset({"Specimen"})
"""Types that may stand inside a resource."""

_WITH_STATUS = frozenset({"Composition", "DiagnosticReport", "Observation", "ServiceRequest"})
_FIRST = {"message": "MessageHeader", "document": "Composition"}
"""The type with which a Bundle of a kind begins."""
HEADS = frozenset(_FIRST.values())
"""Types of which one resource begins a Bundle, and says what it is."""
_CONDITIONS = ("ifNoneMatch", "ifModifiedSince", "ifMatch", "ifNoneExist")


def require_entries(entries: Any, kind: str) -> None:
    """Raise Refused where an entry is of a type, or asks for a deed, that is not taken here."""
    if not isinstance(entries, list) or not entries:
        raise Refused("AE", 100, "message-empty", "Bundle.entry", "The Bundle has no entries.")
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries):
        where = f"Bundle.entry[{number}]"
        if not isinstance(entry, dict):
            raise Refused("AR", 102, "json-bad", where, "An entry has to be an object.")
        if kind == "transaction":
            _require_request(entry, where)
        _require_type(entry, where, kind if number == 0 else "")
        full_url = entry.get("fullUrl")
        if isinstance(full_url, str) and seen.setdefault(full_url, number) != number:
            text = f"Entry {seen[full_url]} has the same fullUrl."
            raise Refused("AE", 205, "full-url-twice", f"{where}.fullUrl", text)


def require_understood(tree: Tree, path: str) -> None:
    """Raise Refused where a resource says that it means something else than it seems to.

    A rule or a modifier that is not understood must not be passed over:
    https://hl7.org/fhir/R4/extensibility.html#modifierExtension
    """
    for where, name in _names(tree, path):
        if name in {"modifierExtension", "implicitRules"}:
            raise Refused(
                "AE", 103, "content-unsupported", where, "This changes what is meant, unknown how."
            )
    for number, inner in enumerate(tree.get("contained", ())):
        if inner["resourceType"] not in CONTAINED_TYPES:
            where = f"{path}.contained[{number}]"
            text = "A resource of this type has to be an entry of its own."
            raise Refused("AE", 103, "content-unsupported", where, text)


def require_status(tree: Tree, path: str) -> None:
    """Raise Refused (AE 101, `status-missing`) where a status has only a reason for its absence."""
    if tree["resourceType"] in _WITH_STATUS and "status" not in tree:
        text = "It has to say how it stands."
        raise Refused("AE", 101, "status-missing", f"{path}.status", text)


def _require_request(entry: Tree, where: str) -> None:
    asked = entry.get("request")
    if not isinstance(asked, dict) or asked.get("method") != "POST":
        text = "A hospital can only POST here; what has the same number is updated by it."
        raise Refused("AR", 200, "request-unsupported", f"{where}.request.method", text)
    for name in _CONDITIONS:
        if name in asked:
            text = "Nothing is conditional here: what is known already is found by its number."
            raise Refused("AR", 200, "request-unsupported", f"{where}.request.{name}", text)
    resource = entry.get("resource")
    own = resource.get("resourceType") if isinstance(resource, dict) else None
    if asked.get("url") != own:
        text = "The url of a POST is the type of its resource."
        raise Refused("AR", 200, "request-unsupported", f"{where}.request.url", text)


def _require_type(entry: Tree, where: str, begins: str) -> None:
    """Hold the type of an entry against what may stand there; *begins* is the kind it begins."""
    resource = entry.get("resource")
    tree: Tree = resource if isinstance(resource, dict) else {}
    name = str(tree.get("resourceType"))
    if begins in _FIRST:
        if name != _FIRST[begins]:
            text = f"A {begins} begins with its {_FIRST[begins]}."
            raise Refused("AR", 100, "header-missing", f"{where}.resource", text)
        if "response" in tree:
            text = "An answer to a message is not taken here."
            raise Refused("AR", 200, "type-unsupported", f"{where}.resource.response", text)
        return
    if name not in FILED_TYPES | PASSED_TYPES:
        text = "A hospital can't hand in a resource of this type."
        raise Refused("AR", 200, "type-unsupported", f"{where}.resource", text)


def _names(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the name of every element in *value*, at any depth."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield f"{path}.{name}", name
            yield from _names(child, f"{path}.{name}")
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _names(child, f"{path}[{number}]")
