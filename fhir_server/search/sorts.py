"""When a resource was, by its type; and what `_sort` and `_include` may name."""

from collections.abc import Mapping
from types import MappingProxyType

from fhir_server.search.parameters import PARAMETERS, Kind

SORT_DATES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "DiagnosticReport": ("effectiveDateTime", "effectivePeriod", "issued"),
        "Observation": (
            "effectiveDateTime",
            "effectivePeriod",
            "effectiveTiming",
            "effectiveInstant",
            "issued",
        ),
        "Specimen": (
            "collection.collectedDateTime",
            "collection.collectedPeriod",
            "receivedTime",
        ),
        "ServiceRequest": (
            "authoredOn",
            "occurrenceDateTime",
            "occurrencePeriod",
            "occurrenceTiming",
        ),
        "Appointment": ("start",),
        "AuditEvent": ("recorded",),
        "PractitionerRole": ("period",),
        "Provenance": ("recorded",),
        "Communication": ("sent", "received"),
        "CareTeam": ("period",),
        "Consent": ("dateTime",),
        "DocumentReference": ("date", "context.period"),
    }
)
"""Type to the elements that say when it was, the first present deciding."""


def sorts(resource_type: str) -> tuple[str, ...]:
    """Return the names by which `_sort` may order this type by its date: `date`, and its own name.

    Empty for types that have no date of their own.
    """
    dates = SORT_DATES.get(resource_type, ())
    own = (
        one.name
        for one in PARAMETERS.get(resource_type, {}).values()
        if one.kind is Kind.DATE and one.paths and one.paths[0] in dates[:1]
    )
    return tuple(dict.fromkeys(("date", *own))) if dates else ()


def includes(resource_type: str) -> tuple[str, ...]:
    """Return what `_include` may name for this type, as `Type:parameter`, in order.

    https://hl7.org/fhir/R4/capabilitystatement-definitions.html#CapabilityStatement.rest.resource.searchInclude
    """
    return tuple(
        f"{resource_type}:{one.name}"
        for one in PARAMETERS.get(resource_type, {}).values()
        if one.kind is Kind.REFERENCE
    )
