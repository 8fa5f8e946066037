"""ORC and OBR to DiagnosticReport.

Source: HL7 v2 chapter 7, 7.4.1; the guide's sheets OBR[DiagnosticReport] and
ORC[DiagnosticReport]; UK Core DiagnosticReport-Lab (category LAB, note). Status, version and
what a missing date means are decided here.
"""

from dataclasses import dataclass
from datetime import datetime

from adapters.hl7v2.code_tables import (
    HISTOLOGY_SECTIONS,
    IMAGING_SECTIONS,
    REPORT_STATUS,
    SECURITY,
    THO,
)
from adapters.hl7v2.codeable_concepts import codeable_concept, table_code
from adapters.hl7v2.composite import each, first, value
from adapters.hl7v2.context import Context, refusal
from adapters.hl7v2.conversion import PATIENT, Link, Tree
from adapters.hl7v2.dates import date_time, instant, is_before
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.groups import Group
from adapters.hl7v2.nte_to_annotation import annotations
from adapters.hl7v2.order import Order
from adapters.hl7v2.xcn_to_practitioner import reference_from_ndl

_HSD = "http://hl7.org/fhir/StructureDefinition"
_NOTE = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DiagnosticReport.note"
_SECTIONS = "v2-0074"
_CATEGORIES = f"{THO}/observation-category"
_NOT_FINAL = "The laboratory has corrected this report and says that it is not final yet."


@dataclass(frozen=True, slots=True)
class Issued:
    """When this version of a report was made: as FHIR instant, and to order versions by."""

    text: str
    at: datetime


def status_of(obr: Segment, context: Context) -> tuple[str, str]:
    """Return OBR-25 and the DiagnosticReport.status that it means.

    Refuses a code of no meaning (AE 103) and an empty one (AE 101) where none is agreed.
    """
    sent = value(obr, 25).upper() or context.dialect.report_status
    status = REPORT_STATUS.get(sent)
    if status is None:
        code = "status-unknown" if sent else "status-missing"
        text = "OBR-25 is not a report status that is known here." if sent else "OBR-25 is empty."
        raise refusal(103 if sent else 101, code, obr.address(25), text)
    return sent, status


def issued(obr: Segment, context: Context) -> Issued:
    """Return OBR-22, else MSH-7, as the instant of this version of the report.

    An OBR-22 without a time of day is no instant: MSH-7 stands in for it, flagged. Refuses a
    message that has neither (AE 101).
    """
    sent = value(obr, 22)
    if sent:
        found = instant(sent, context, obr.address(22))
        if found:
            return Issued(*found)
        context.flag("issued-assumed", obr.address(22))
    if context.sent_at is None:
        raise refusal(
            101, "date-missing", "MSH.7", "Neither OBR-22 nor MSH-7 says when this was sent."
        )
    return Issued(context.sent_at.isoformat(), context.sent_at)


def effective(obr: Segment, context: Context) -> Tree:
    """Return OBR-7, and OBR-8 where it is later, as `effective[x]`; empty where OBR-7 is."""
    if not obr.field(7):
        return {}
    start = date_time(value(obr, 7), context, obr.address(7))
    end = date_time(value(obr, 8), context, obr.address(8)) if value(obr, 8) else ""
    if not end or end == start:
        return {"effectiveDateTime": start}
    if is_before(end, start):
        context.flag("date-order", obr.address(8))
        return {"effectiveDateTime": start}
    return {"effectivePeriod": {"start": start, "end": end}}


def is_imaging(section: str) -> bool:
    """Tell whether OBR-24 names a department that makes pictures."""
    return section in IMAGING_SECTIONS


def is_histology(section: str, test: str, context: Context) -> bool:
    """Tell whether a report is of cellular pathology: by OBR-24, or by the feed's list of tests."""
    return section in HISTOLOGY_SECTIONS or test in context.dialect.histology_tests


def observation_category(section: str, context: Context) -> Tree:
    """Return Observation.category: imaging or, as the feed agreed, laboratory; may be empty."""
    code = "imaging" if is_imaging(section) else context.dialect.category
    return {"coding": [{"system": _CATEGORIES, "code": code}]} if code else {}


def report(group: Group, order: Order, when: Issued, context: Context) -> Tree:
    """Return the DiagnosticReport of a group, as yet without results, specimens and documents."""
    obr, orc = group.obr, group.orc
    sent, status = status_of(obr, context)
    tree: Tree = {
        "resourceType": "DiagnosticReport",
        "identifier": [*order.identifiers, *order.group_identifiers],
        "basedOn": [{"reference": Link(order.key_of("ServiceRequest"))}],
        "status": status,
        "code": order.code,
        "subject": {"reference": Link(PATIENT)},
        **effective(obr, context),
        "issued": when.text,
    }
    categories = _categories(obr, context)
    if categories:
        tree["category"] = categories
    interpreters = [reference_from_ndl(named, context, obr.address(32)) for named in each(obr, 32)]
    if any(interpreters):
        tree["resultsInterpreter"] = [reference for reference in interpreters if reference]
    performers = _performers(obr, context)
    if performers:
        tree["performer"] = performers
    notes = annotations(group.notes, context)
    if sent == "M":
        notes.append({"text": _NOT_FINAL})
    extensions = [{"url": _NOTE, "valueAnnotation": note} for note in notes]
    reason = codeable_concept(first(orc, 16), context) if orc is not None else {}
    if reason:
        extensions.append({"url": f"{_HSD}/event-statusReason", "valueCodeableConcept": reason})
    if extensions:
        tree["extension"] = extensions
    labels = security(orc)
    if labels:
        tree["meta"] = {"security": [{"system": system, "code": code} for system, code in labels]}
    return tree


def security(orc: Segment | None) -> list[tuple[str, str]]:
    """Return what ORC-28 asks for as labels (system, code); one of no meaning is very restricted.

    A label that nobody understands must not be taken for none.
    """
    if orc is None or len(orc.fields) <= 28:
        return []
    return [
        SECURITY.get(sent[1].upper(), (f"{THO}/v3-Confidentiality", "V")) for sent in each(orc, 28)
    ]


def _categories(obr: Segment, context: Context) -> list[Tree]:
    section = value(obr, 24)
    sections = [table_code(section, _SECTIONS)] if section else []
    is_laboratory = context.dialect.category == "laboratory" and not is_imaging(section)
    if is_laboratory and section != "LAB":
        sections.append(table_code("LAB", _SECTIONS))
    return sections


def _performers(obr: Segment, context: Context) -> list[Tree]:
    """Return the technicians and transcriptionists of OBR-34 and OBR-35, with what they did."""
    made = []
    for number, function in ((34, "SPRF"), (35, "TRANS")):
        for named in each(obr, number):
            reference = reference_from_ndl(named, context, obr.address(number))
            if reference:
                kind = table_code(function, "v3-ParticipationType")
                url = f"{_HSD}/event-performerFunction"
                made.append(
                    {"extension": [{"url": url, "valueCodeableConcept": kind}], **reference}
                )
    return made
