"""What a FHIR reference says, read once into a value.

`Patient/x`, `Patient/x/_history/2`, `https://this.server/fhir/Patient/x`, `urn:uuid:…`, `#inside`.
Inside the house references to our own resources are relative; `relative` makes them so.

https://hl7.org/fhir/R4/references.html#literal
"""

import re
from dataclasses import dataclass

from fhir_server.model.bindings import RESOURCE_TYPES

_LITERAL = re.compile(r"([A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]{1,64}))?")
_UUID = re.compile(
    r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Literal:
    """A relative reference to a resource of a type that R4 has."""

    type: str
    id: str
    version: str = ""
    """Empty where the reference means the resource, not one version of it."""

    def __str__(self) -> str:
        return f"{self.type}/{self.id}" + (f"/_history/{self.version}" if self.version else "")


def literal(reference: str) -> Literal | None:
    """Return what the relative reference *reference* names, or None where it is of another form."""
    parts = _LITERAL.fullmatch(reference)
    if parts is None or parts[1] not in RESOURCE_TYPES:
        return None
    return Literal(parts[1], parts[2], parts[3] or "")


def reference_id(reference: str) -> tuple[str, str] | None:
    """Return type and id that a relative reference names, or None where it is of another form."""
    found = literal(reference)
    return None if found is None else (found.type, found.id)


def relative(reference: str, base_url: str) -> str:
    """Return *reference* without *base_url*, this server's own; unchanged where it has another.

    The comparison is exact: a base that merely looks alike is another server.
    """
    rest = reference.removeprefix(f"{base_url.rstrip('/')}/")
    return rest if literal(rest) is not None else reference


def is_contained(reference: str) -> bool:
    """Tell whether *reference* points into the resource that it stands in."""
    return reference.startswith("#")


def is_uuid(reference: str) -> bool:
    """Tell whether *reference* is a `urn:uuid:`, which has a meaning inside one Bundle only."""
    return _UUID.fullmatch(reference) is not None
