"""Whose record a resource belongs to: one patient's, or nobody's.

The one table of ownership. Only the element that says whom a resource is about decides; performer,
author, sender, recipient and focus never widen it. (The compartments of R4 would put an Observation
of one patient into the record of another who performed it.)

https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from fhir_server.errors import Unprocessable
from fhir_server.model.references import Literal, is_contained, literal
from fhir_server.model.shapes import Tree

DIRECTORY = frozenset({"Organization", "Practitioner", "PractitionerRole", "Location"})
"""Types that belong to no patient; rows of any other type without a patient are seen by nobody."""

OWNED_BY: Mapping[str, str] = MappingProxyType(
    {
        "Appointment": "participant",
        "AuditEvent": "",
        "CareTeam": "subject",
        "Communication": "subject",
        "Consent": "patient",
        "DiagnosticReport": "subject",
        "DocumentReference": "subject",
        "Observation": "subject",
        "Patient": "id",
        "Provenance": "",
        "ServiceRequest": "subject",
        "Specimen": "subject",
    }
)
"""Type to the element that names its patient.

Empty where R4 has no such element: a Provenance takes the patient of its target, an AuditEvent that
of its ledger entry. Whoever files them knows, and passes it on. An Appointment is that of the one
patient who takes part in it.
"""


def is_directory(resource_type: str) -> bool:
    """Tell whether resources of this type belong to no patient's record."""
    return resource_type in DIRECTORY


def patient_of(tree: Tree) -> str:
    """Return the id of the patient to whose record *tree*, a judged resource, belongs; "" for none.

    None are: the directory; what names its patient nowhere (see `OWNED_BY`); and what is about
    something else, such as a Group. A resource seen through it alone is seen by nobody.

    Raises `Unprocessable`: the patient is not named by a relative
    reference; a Patient is contained; or some part names a patient who is not the owner, as two
    patients never share a resource.
    """
    name = tree["resourceType"]
    owner = _owner(tree, name)
    for index, inner in enumerate(tree.get("contained", ())):
        where = f"{name}.contained[{index}]"
        if inner["resourceType"] == "Patient":
            raise _refused(f"{where} is a Patient; refer to the person's own Patient.", where)
        for element, reference in _about(inner):
            _same_patient(reference, owner, f"{where}.{element}")
    for element, reference in _about(tree):
        _same_patient(reference, owner, f"{name}.{element}")
    return owner


def _owner(tree: Tree, name: str) -> str:
    element = OWNED_BY.get(name, "")
    if name == "Patient":
        return str(tree.get("id", ""))
    if not element or element not in tree:
        return ""
    if name == "Appointment":
        return next((found.id for found in _taking_part(tree) if found.type == "Patient"), "")
    found = literal(tree[element].get("reference", ""))
    if found is None:
        raise _refused(
            f"{name}.{element} must be a relative reference such as Patient/123.",
            f"{name}.{element}",
        )
    return found.id if found.type == "Patient" else ""


def _taking_part(tree: Tree) -> Iterator[Literal]:
    """Yield who takes part in an Appointment, as far as relative references say."""
    for one in tree["participant"]:
        found = literal(one.get("actor", {}).get("reference", ""))
        if found is not None:
            yield found


def _about(tree: Tree) -> Iterator[tuple[str, Tree]]:
    """Yield path and value of the elements that say whom *tree* is about."""
    for element in ("subject", "patient"):
        if element in tree:
            yield element, tree[element]
    if tree["resourceType"] == "Appointment":
        for index, one in enumerate(tree["participant"]):
            if not is_contained(one.get("actor", {}).get("reference", "#")):
                yield f"participant[{index}].actor", one["actor"]
    context = tree.get("context")
    if isinstance(context, dict) and "sourcePatientInfo" in context:
        yield "context.sourcePatientInfo", context["sourcePatientInfo"]


def _same_patient(reference: Tree, owner: str, where: str) -> None:
    target = reference.get("reference", "")
    found = literal(target)
    if found is None:
        raise _refused(f"{where} must be a relative reference such as Patient/123.", where)
    if found.type == "Patient" and found.id != owner:
        raise _refused(f"{where} names another patient than the resource does.", where)


def _refused(text: str, expression: str) -> Unprocessable:
    return Unprocessable.of(text, expression)
