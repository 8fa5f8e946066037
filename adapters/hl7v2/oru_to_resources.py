"""ORU^R01 of any version from 2.2 to 2.8 to FHIR R4 resources: pure, whole, and never a guess.

The map is the HL7 "Version 2 to FHIR" guide's ORU_R01, with each of its gaps decided by us. A
message is converted with every segment accounted for, or refused with the field to blame; it is
never converted in part.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote

from adapters.hl7v2.codeable_concepts import table_code
from adapters.hl7v2.composite import first, value
from adapters.hl7v2.context import Context, made
from adapters.hl7v2.conversion import Conversion, Flag, ReportGroup, Tree
from adapters.hl7v2.dates import instant
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import Message, Segment
from adapters.hl7v2.group_to_report import report_group
from adapters.hl7v2.groups import Group, Grouped, grouped
from adapters.hl7v2.identifiers import authority_name, extended_identifier
from adapters.hl7v2.micro_links import link_results
from adapters.hl7v2.obx_value import DOCUMENT_TYPES
from adapters.hl7v2.order import order_of
from adapters.hl7v2.pid_to_patient import person_named
from adapters.hl7v2.text_guard import guard

_LOCAL_CODES = "urn:portal-fhir:codes"
_PATIENT_SEGMENTS = {
    "PID": "Patient",
    "PD1": "Patient",
    "NK1": "Patient.contact",
}
_VISIT_SEGMENTS = frozenset({"PV1", "PV2"})
_TOMORROW = timedelta(days=1)


def convert(message: Message, dialect: Dialect, received_at: datetime | None = None) -> Conversion:
    """Return what *message*, an ORU^R01, becomes in *dialect*.

    *received_at* (aware) bounds what dates are believed: none later than the day after. Raises
    Refused (AE) with a stable code, the field to blame and an error code of table 0357: for an
    identity that is missing, broken or unclear, an order without a number or a test, a status of
    no meaning, a date that can't be believed, segments out of order, and a document that can't be
    decoded. That it is an ORU^R01 is for `kinds` to tell.
    """
    context = _context(message, dialect, received_at)
    parts = grouped(message.segments, context)
    person = person_named(parts.patient, context)
    encounter = _encounter(parts, context)
    taken: set[tuple[str, ...]] = set()
    used: set[int] = set()
    reports: list[ReportGroup] = []
    for group in parts.groups:
        orc = group.orc
        is_used = orc is not None and orc.number in used
        order = order_of(group, context, orc_is_used=is_used, taken=taken)
        if orc is not None:
            used.add(orc.number)
        reports.append(report_group(group, order, parts.header, encounter, context))
    link_results(parts.groups, reports, context)
    conversion = Conversion(
        person=person,
        groups=tuple(reports),
        practitioners=made(context.practitioners),
        organizations=made(context.organizations),
        flags=(),
        accounted=_accounted(message, parts, encounter, context),
    )
    guard(message, (person.tree, *(each.tree for each in conversion.all_made())), context)
    return replace(conversion, flags=_flags(message, context))


def _context(message: Message, dialect: Dialect, received_at: datetime | None) -> Context:
    header = message.segments[0]
    authority = authority_name(first(header, 4)) or dialect.authority
    base = dialect.local_base or (f"{_LOCAL_CODES}:{quote(authority)}" if authority else "")
    latest = received_at + _TOMORROW if received_at is not None else None
    context = Context(dialect, authority, base, None, received_at, latest)
    sent = value(header, 7)
    moment = instant(sent, context, header.address(7)) if sent else None
    return replace(context, sent_at=moment[1] if moment else received_at)


def _encounter(parts: Grouped, context: Context) -> Tree:
    """Return PV1-19 as a reference by identifier to the visit.

    A result message knows too little of a visit to make an Encounter of it.
    """
    for pv1 in parts.patient.get("PV1", ()):
        visit = extended_identifier(first(pv1, 19), context, pv1.address(19))
        if visit:
            visit.setdefault("type", table_code("VN", "v2-0203"))
            return {"type": "Encounter", "identifier": visit}
    return {}


def _accounted(
    message: Message, parts: Grouped, encounter: Tree, context: Context
) -> Mapping[int, str]:
    """Return what became of each segment, by its number; asserts that none is left out."""
    fates = {message.segments[0].number: "filed in Provenance"}
    for segments in parts.patient.values():
        for segment in segments:
            fates[segment.number] = _patient_fate(segment, encounter)
    repeated = {flag.address for flag in context.flags if flag.code == "obx-twice"}
    for number, group in enumerate(parts.groups, start=1):
        for segment, resource in _resources(group):
            fate = f"filed in {resource} {number}"
            if segment.name == "OBX" and segment.address() in repeated:
                fate = "kept raw: it repeats another OBX"
            fates.setdefault(segment.number, fate)
    for segment, reason in parts.kept:
        fates[segment.number] = f"kept raw: {reason}"
    lost = [segment.address() for segment in message.segments if segment.number not in fates]
    if lost:
        raise AssertionError(f"Segments are unaccounted for: {', '.join(lost)}.")
    return {segment.number: fates[segment.number] for segment in message.segments}


def _patient_fate(segment: Segment, encounter: Tree) -> str:
    if segment.name not in _VISIT_SEGMENTS:
        return f"filed in {_PATIENT_SEGMENTS[segment.name]}"
    if segment.name == "PV1" and encounter:
        return "filed in the reference to the visit"
    return "kept raw: a visit is referred to, not kept"


def _resources(group: Group) -> Iterator[tuple[Segment, str]]:
    if group.orc is not None:
        yield group.orc, "ServiceRequest"
    yield group.obr, "DiagnosticReport"
    for note in group.notes:
        yield note, "DiagnosticReport"
    for timing in group.timings:
        yield timing, "ServiceRequest"
    for described in group.specimens:
        yield described.spm, "Specimen"
        for note in described.notes:
            yield note, "Specimen"
    about_specimens = (result for described in group.specimens for result in described.results)
    for result in (*group.results, *about_specimens):
        is_document = result.kind in DOCUMENT_TYPES
        part = "a document" if is_document else "an Observation"
        resource = f"{part} of DiagnosticReport"
        yield result.obx, resource
        for note in result.notes:
            yield note, resource


def _flags(message: Message, context: Context) -> tuple[Flag, ...]:
    """Return the reader's flags and the mapper's, each once, in order."""
    of_reader = [Flag(code, "") for code in message.flags]
    return tuple(dict.fromkeys((*of_reader, *context.flags)))
