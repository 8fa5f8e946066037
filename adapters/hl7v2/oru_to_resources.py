"""Results of any version from 2.2 to 2.8 to FHIR R4 resources: pure, whole, and never a guess.

ORU^R01, and R30 to R32 from the point of care, have one order of segments; OUL^R22 to R24, which
may begin with a specimen, another. The map is the HL7 "Version 2 to FHIR" guide's ORU_R01, with
each of its gaps decided by us. A message is converted with every segment accounted for, or refused
with the field to blame; it is never converted in part.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from adapters.hl7v2.context import Context, made
from adapters.hl7v2.conversion import Conversion, ReportGroup, Tree
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import Message, Segment
from adapters.hl7v2.group_to_report import report_group
from adapters.hl7v2.groups import Group, Grouped, grouped
from adapters.hl7v2.micro_links import link_results
from adapters.hl7v2.obx_value import DOCUMENT_TYPES
from adapters.hl7v2.order import order_of
from adapters.hl7v2.oul_groups import grouped_by_specimen
from adapters.hl7v2.pid_to_patient import person_named
from adapters.hl7v2.surroundings import every_segment, flags_of, surroundings, visit
from adapters.hl7v2.text_guard import guard

_PATIENT_SEGMENTS = {
    "PID": "Patient",
    "PD1": "Patient",
    "NK1": "Patient.contact",
}
_VISIT_SEGMENTS = frozenset({"PV1", "PV2"})


def convert(message: Message, dialect: Dialect, received_at: datetime | None = None) -> Conversion:
    """Return what *message*, an ORU, becomes in *dialect*.

    *received_at* (aware) bounds what dates are believed: none later than the day after. Raises
    Refused (AE) with a stable code, the field to blame and an error code of table 0357: for an
    identity that is missing, broken or unclear, an order without a number or a test, a status of
    no meaning, a date that can't be believed, segments out of order, and a document that can't be
    decoded. That it is an ORU is for `kinds` to tell.
    """
    context = surroundings(message, dialect, received_at)
    return _converted(message, grouped(message.segments, context), context)


def convert_by_specimen(
    message: Message, dialect: Dialect, received_at: datetime | None = None
) -> Conversion:
    """Return what *message*, an OUL, becomes in *dialect*: as `convert` does."""
    context = surroundings(message, dialect, received_at)
    return _converted(message, grouped_by_specimen(message.segments, context), context)


def _converted(message: Message, parts: Grouped, context: Context) -> Conversion:
    person = person_named(parts.patient, context)
    encounter = visit(parts.patient, context)
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
    return replace(conversion, flags=flags_of(message, context))


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
    return every_segment(message, fates)


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
