"""The search parameters of each served type, as data.

https://hl7.org/fhir/R4/searchparameter-registry.html gives the names and meanings. Two departures:
`patient` and `subject` ask whose record a resource is in, which is one patient's or nobody's;
and so the `patient` of a Provenance is the patient of what it tells about.
AuditEvent has its own table and its own parameters: see `fhir_server.search.audit_query`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """The FHIR type of a search parameter.

    https://hl7.org/fhir/R4/valueset-search-param-type.html
    """

    TOKEN = "token"  # noqa: S105 — the word is FHIR's
    REFERENCE = "reference"
    DATE = "date"
    STRING = "string"


class Place(StrEnum):
    """Where the values of a parameter stand: in an index table, or in the resource's own row."""

    INDEX = "index"
    ID = "id"
    UPDATED = "updated"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter of one type.

    *paths* lead from the resource to the values, choice types by their full element name.
    *selective*: its values are rare, for the index over all patients. *targets*: types
    that a reference may name, tried in this order for a bare id. *system*: what the codes of a
    required binding belong to, as the element itself doesn't say. *union*: parameters whose
    values are this one's; it has none of its own.
    """

    name: str
    kind: Kind
    paths: tuple[str, ...] = ()
    selective: bool = False
    targets: tuple[str, ...] = ()
    system: str = ""
    union: tuple[str, ...] = ()
    place: Place = Place.INDEX


def _token(name: str, *paths: str, selective: bool = False, system: str = "") -> Parameter:
    return Parameter(name, Kind.TOKEN, paths or (name,), selective=selective, system=system)


def _code(name: str, system: str) -> Parameter:
    return _token(name, system=f"http://hl7.org/fhir/{system}")


def _reference(name: str, path: str, *targets: str, selective: bool = False) -> Parameter:
    return Parameter(name, Kind.REFERENCE, (path,), selective=selective, targets=targets)


def _date(name: str, *paths: str) -> Parameter:
    return Parameter(name, Kind.DATE, paths)


def _string(name: str, *paths: str) -> Parameter:
    return Parameter(name, Kind.STRING, paths)


def _record(*names: str, path: str = "subject") -> tuple[Parameter, ...]:
    return tuple(
        Parameter(name, Kind.REFERENCE, (path,), targets=("Patient",), place=Place.RECORD)
        for name in names
    )


_EVERY = (
    Parameter("_id", Kind.TOKEN, place=Place.ID),
    Parameter("_lastUpdated", Kind.DATE, place=Place.UPDATED),
)
_IDENTIFIER = _token("identifier", selective=True)
_NAMES = (
    _string("name", "name"),
    _string("family", "name.family"),
    _string("given", "name.given"),
)
_GENDER = _code("gender", "administrative-gender")
_PERFORMERS = ("Practitioner", "PractitionerRole", "Organization", "CareTeam", "Patient")
_AUTHORS = ("Practitioner", "PractitionerRole", "Organization", "Patient")

_LISTS: Mapping[str, tuple[Parameter, ...]] = {
    "Patient": (
        *_NAMES,
        _IDENTIFIER,
        _GENDER,
        _date("birthdate", "birthDate"),
        _date("death-date", "deceasedDateTime"),
        _token("active"),
        _token("telecom"),
        _reference(
            "general-practitioner",
            "generalPractitioner",
            "Organization",
            "Practitioner",
            "PractitionerRole",
        ),
        _reference("organization", "managingOrganization", "Organization"),
    ),
    "DiagnosticReport": (
        *_record("patient", "subject"),
        _IDENTIFIER,
        _token("code"),
        _token("category"),
        _date("date", "effectiveDateTime", "effectivePeriod"),
        _date("issued", "issued"),
        _code("status", "diagnostic-report-status"),
        _reference("result", "result", "Observation"),
        _reference("based-on", "basedOn", "ServiceRequest"),
        _reference("specimen", "specimen", "Specimen"),
        _reference("performer", "performer", *_PERFORMERS),
        _reference("results-interpreter", "resultsInterpreter", *_PERFORMERS),
        _token("conclusion", "conclusionCode"),
    ),
    "Observation": (
        *_record("patient", "subject"),
        _IDENTIFIER,
        _token("code"),
        _token("component-code", "component.code"),
        Parameter("combo-code", Kind.TOKEN, union=("code", "component-code")),
        _token("value-concept", "valueCodeableConcept"),
        _token("component-value-concept", "component.valueCodeableConcept"),
        Parameter(
            "combo-value-concept",
            Kind.TOKEN,
            union=("value-concept", "component-value-concept"),
        ),
        _token("data-absent-reason", "dataAbsentReason"),
        _token("category"),
        _date(
            "date", "effectiveDateTime", "effectivePeriod", "effectiveTiming", "effectiveInstant"
        ),
        _code("status", "observation-status"),
        _reference("based-on", "basedOn", "ServiceRequest"),
        _reference("specimen", "specimen", "Specimen"),
        _reference("encounter", "encounter", "Encounter"),
        _reference("performer", "performer", *_PERFORMERS),
        _reference("has-member", "hasMember", "Observation"),
        _reference("derived-from", "derivedFrom", "Observation", "DocumentReference"),
    ),
    "Specimen": (
        *_record("patient", "subject"),
        _IDENTIFIER,
        _token("accession", "accessionIdentifier", selective=True),
        _token("type"),
        _date("collected", "collection.collectedDateTime", "collection.collectedPeriod"),
        _reference("collector", "collection.collector", "Practitioner", "PractitionerRole"),
        _reference("parent", "parent", "Specimen"),
        _code("status", "specimen-status"),
    ),
    "ServiceRequest": (
        *_record("patient", "subject"),
        _IDENTIFIER,
        _token("code"),
        _token("category"),
        _token("requisition", selective=True),
        _date("authored", "authoredOn"),
        _date("occurrence", "occurrenceDateTime", "occurrencePeriod", "occurrenceTiming"),
        _code("status", "request-status"),
        _code("intent", "request-intent"),
        _code("priority", "request-priority"),
        _reference("requester", "requester", *_AUTHORS),
        _reference("performer", "performer", *_PERFORMERS),
        _reference("specimen", "specimen", "Specimen"),
        _reference("based-on", "basedOn", "ServiceRequest"),
    ),
    "Appointment": (
        *_record("patient", path="participant"),
        _IDENTIFIER,
        _token("service-type", "serviceType"),
        _token("appointment-type", "appointmentType"),
        _date("date", "start"),
        _code("status", "appointmentstatus"),
        _token(
            "part-status",
            "participant.status",
            system="http://hl7.org/fhir/participationstatus",
        ),
        _reference("practitioner", "participant.actor", "Practitioner", "PractitionerRole"),
        _reference("based-on", "basedOn", "ServiceRequest"),
    ),
    "Organization": (
        _string("name", "name", "alias"),
        _IDENTIFIER,
        _token("type"),
        _token("active"),
        _reference("partof", "partOf", "Organization"),
    ),
    "Practitioner": (*_NAMES, _IDENTIFIER, _GENDER, _token("active"), _token("telecom")),
    "PractitionerRole": (
        _IDENTIFIER,
        _token("role", "code"),
        _token("specialty"),
        _token("active"),
        _date("date", "period"),
        _reference("practitioner", "practitioner", "Practitioner", selective=True),
        _reference("organization", "organization", "Organization", selective=True),
    ),
    "Provenance": (
        *_record("patient", path="target"),
        _reference(
            "target",
            "target",
            "DiagnosticReport",
            "Observation",
            "Patient",
            "Specimen",
            "ServiceRequest",
            "Communication",
            "CareTeam",
            "Consent",
            "DocumentReference",
        ),
        _date("recorded", "recorded"),
        _date("when", "occurredDateTime", "occurredPeriod"),
        _token("agent-type", "agent.type"),
        _reference("agent", "agent.who", *_AUTHORS),
        _reference("entity", "entity.what", "DocumentReference"),
    ),
    "Communication": (
        *_record("patient", "subject"),
        _IDENTIFIER,
        _token("category"),
        _code("status", "event-status"),
        _date("sent", "sent"),
        _date("received", "received"),
        _reference("sender", "sender", *_PERFORMERS, selective=True),
        _reference("recipient", "recipient", *_PERFORMERS, selective=True),
        _reference("part-of", "partOf", "Communication", "DiagnosticReport", "Observation"),
        _reference("based-on", "basedOn", "ServiceRequest", "Communication"),
    ),
    "CareTeam": (
        *_record("patient", "subject"),
        _IDENTIFIER,
        _token("category"),
        _code("status", "care-team-status"),
        _date("date", "period"),
        _reference("participant", "participant.member", *_PERFORMERS, selective=True),
    ),
    "Consent": (
        *_record("patient", path="patient"),
        _IDENTIFIER,
        _token("category"),
        _token("scope"),
        _code("status", "consent-state-codes"),
        _date("date", "dateTime"),
        _date("period", "provision.period"),
        _reference("consentor", "performer", *_AUTHORS),
        _reference("actor", "provision.actor.reference", *_PERFORMERS),
        _reference("organization", "organization", "Organization"),
    ),
    "DocumentReference": (
        *_record("patient", "subject"),
        Parameter("identifier", Kind.TOKEN, ("masterIdentifier", "identifier"), selective=True),
        _token("type"),
        _token("category"),
        _code("status", "document-reference-status"),
        _date("date", "date"),
        _date("period", "context.period"),
        _reference("author", "author", *_AUTHORS),
        _reference("custodian", "custodian", "Organization"),
        _reference("related", "context.related", "DiagnosticReport", "ServiceRequest"),
    ),
}

PARAMETERS: Mapping[str, Mapping[str, Parameter]] = MappingProxyType(
    {
        resource_type: MappingProxyType({one.name: one for one in (*_EVERY, *own)})
        for resource_type, own in _LISTS.items()
    }
)
"""Type to name to parameter."""
