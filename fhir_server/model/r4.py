"""The one door to *fhir.resources*: FHIR R4 types, read from its R4B models into shapes.

There is no R4 package. R4B (4.3.0) has the same elements as R4 (4.0.1) for every type named here,
except for those in `NOT_IN_R4`, which are left out and so refused like any unknown element; a test
compares every type with the list of R4. `Extension.valueMeta` is missing in R4B and is refused too.

https://hl7.org/fhir/R4B/diff.html
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, get_args, get_origin

from fhir_server.model.bindings import BINDINGS
from fhir_server.model.shapes import Choice, Element, Shape

SERVED_TYPES = frozenset(
    {
        "Appointment",
        "AuditEvent",
        "CareTeam",
        "Communication",
        "Consent",
        "DiagnosticReport",
        "DocumentReference",
        "Observation",
        "Organization",
        "Patient",
        "Practitioner",
        "PractitionerRole",
        "Provenance",
        "ServiceRequest",
        "Specimen",
    }
)
"""Types that the record keeps and the FHIR interface serves."""

ANSWER_TYPES = frozenset(
    {"Bundle", "CapabilityStatement", "Composition", "MessageHeader", "OperationOutcome"}
)
"""Types that go over the FHIR interface, and are never kept."""

PART_TYPES = frozenset({"Device", "Encounter", "HealthcareService", "Location", "RelatedPerson"})
"""Further types that may stand inside a resource as `contained`."""

JUDGED_TYPES = SERVED_TYPES | ANSWER_TYPES | PART_TYPES

NOT_IN_R4: Mapping[str, frozenset[str]] = MappingProxyType(
    {"Extension": frozenset({"valueCodeableReference", "valueRatioRange"})}
)
"""Elements that R4B added, by type."""


@cache
def shape(name: str) -> Shape:
    """Return what the type *name* is made of: a resource type, a data type, or a part of one.

    Raises LookupError for a name that R4 doesn't have.
    """
    model = _model(name)
    fields = {field.alias: field for field in model.model_fields.values() if field.alias}
    left_out = NOT_IN_R4.get(name, frozenset())
    names = [element for element in model.elements_sequence() if element not in left_out]
    return Shape(
        name=name,
        resource=bool(model.has_resource_base()),
        elements=tuple(
            _element(name, element, fields[element], extensible=f"_{element}" in fields)
            for element in names
        ),
        choices=_choices(fields, names),
    )


def _model(name: str) -> Any:
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415 - 0.3 s, for writers only

    try:
        return get_fhir_model_class(name)
    except ValueError:
        raise LookupError(name) from None


def _element(owner: str, name: str, field: Any, *, extensible: bool) -> Element:
    about = field.json_schema_extra or {}
    kind, many = _kind(field.annotation)
    return Element(
        name=name,
        kind=kind,
        many=many,
        required=field.is_required() or bool(about.get("element_required")),
        extensible=extensible,
        codes=BINDINGS.get(f"{owner}.{name}", frozenset()),
    )


def _kind(annotation: Any) -> tuple[str, bool]:
    """Return the FHIR type that *annotation* stands for, and whether it repeats."""
    if annotation is bool:
        return "boolean", False
    if hasattr(annotation, "get_model_klass"):
        return annotation.get_model_klass().__name__, False
    if get_origin(annotation) is Annotated:
        bounds = annotation.__metadata__
        names = [bound.__visit_name__ for bound in bounds if hasattr(bound, "__visit_name__")]
        return (names[0] if names else "uuid"), False
    inner = [argument for argument in get_args(annotation) if argument is not type(None)]
    kind, many = _kind(inner[0])
    return kind, many or get_origin(annotation) is list


def _choices(fields: Mapping[str, Any], names: list[str]) -> tuple[Choice, ...]:
    alternatives: dict[str, list[str]] = {}
    required: set[str] = set()
    for name in names:
        about = fields[name].json_schema_extra or {}
        choice = about.get("one_of_many")
        if choice:
            alternatives.setdefault(choice, []).append(name)
            if about.get("one_of_many_required"):
                required.add(choice)
    return tuple(
        Choice(choice, tuple(members), choice in required)
        for choice, members in alternatives.items()
    )
