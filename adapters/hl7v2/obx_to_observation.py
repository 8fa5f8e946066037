"""OBX, with its comments, to Observation.

Source: HL7 v2 chapter 7, 7.4.2; the guide's sheet OBX[Observation];
https://hl7.org/fhir/R4/observation.html. What the sheet leaves open (statuses, comments, who may
see a value) is decided here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.hl7v2.code_tables import (
    ABSENT_BY_STATUS,
    INTERPRETATION,
    OBSERVATION_STATUS,
    THO,
    WITHDRAWN,
)
from adapters.hl7v2.codeable_concepts import codeable_concept, concepts, table_code, words
from adapters.hl7v2.composite import Composite, each, first, value
from adapters.hl7v2.context import Context, refusal
from adapters.hl7v2.conversion import PATIENT, Link, Tree
from adapters.hl7v2.dates import date_time, loose_date_time
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.identifiers import entity_identifier
from adapters.hl7v2.nte_to_annotation import annotations
from adapters.hl7v2.obx_value import value_of
from adapters.hl7v2.quantities import reference_range, unit_of
from adapters.hl7v2.results import Line
from adapters.hl7v2.to_organization import laboratory
from adapters.hl7v2.xcn_to_practitioner import (
    MEDICAL_DIRECTOR,
    RESPONSIBLE_OBSERVER,
    reference_to_person,
    reference_to_role,
)

_HSD = "http://hl7.org/fhir/StructureDefinition"
_PERFORMING = (15, 16, 23, 24, 25)
_ABSENT = f"{THO}/data-absent-reason"


@dataclass(frozen=True, slots=True)
class Setting:
    """What the Observations of one report have in common."""

    category: Tree
    service_request: Link
    encounter: Tree
    effective: str
    specimen: Link | None
    """The specimen of them all, where there is but one."""
    specimens: Mapping[str, Link]
    """Each specimen by its numbers, for OBX-33."""
    rejected: Tree
    """Why the laboratory refused the specimen; empty where it did not."""


def status_of(obx: Segment, context: Context) -> tuple[str, str]:
    """Return OBX-11 and the Observation.status that it means.

    Refuses a code of no meaning (AE 103) and an empty one (AE 101) where none is agreed.
    """
    sent = obx.field(11) or context.dialect.observation_status
    status = OBSERVATION_STATUS.get(sent)
    if status is None and sent:
        sent = first(obx, 11)[1].upper()
        status = OBSERVATION_STATUS.get(sent)
    if status is None:
        code = "status-unknown" if sent else "status-missing"
        text = "OBX-11 is not a result status that is known here." if sent else "OBX-11 is empty."
        raise refusal(103 if sent else 101, code, obx.address(11), text)
    return sent, status


def observation(line: Line, setting: Setting, context: Context) -> Tree:
    """Return the Observation of one result with its comments.

    One taken back (D, W) has no value, comment or interpretation any more.
    """
    obx = line.obx
    sent, status = status_of(obx, context)
    tree: Tree = {
        "resourceType": "Observation",
        "status": status,
        "code": line.code,
        "subject": {"reference": Link(PATIENT)},
        "basedOn": [{"reference": setting.service_request}],
    }
    if setting.category:
        tree["category"] = [setting.category]
    if setting.encounter:
        tree["encounter"] = setting.encounter
    effective = setting.effective
    if obx.field(14):
        effective = date_time(value(obx, 14), context, obx.address(14))
    if effective:
        tree["effectiveDateTime"] = effective
    specimen = setting.specimen
    if obx.field(33):
        specimen = setting.specimens.get(value(obx, 33), specimen)
    if specimen is not None:
        tree["specimen"] = {"reference": specimen}
    performers = _performers(obx, context)
    if performers:
        tree["performer"] = performers
    if sent in WITHDRAWN:
        return tree
    _add_value(tree, line, context)
    _add_particulars(tree, obx, context)
    _explain_absence(tree, sent, setting)
    return tree


def _add_value(tree: Tree, line: Line, context: Context) -> None:
    obx = line.obx
    unit = _unit(obx, context)
    if line.text is None:
        tree.update(value_of(obx, unit, line.code, context))
    elif line.text.strip():
        tree["valueString"] = line.text.rstrip("\n")
    if obx.field(7):
        text = obx.whole(7).strip()
        if text and text != '""':
            tree["referenceRange"] = [reference_range(text, unit)]
    if obx.field(8):
        flags = [interpretation(flag, context) for flag in each(obx, 8)]
        if any(flags):
            tree["interpretation"] = [flag for flag in flags if flag]
    comments = annotations(line.notes, context) if line.notes else []
    if obx.field(17):
        method, *others = concepts(obx, 17, context) or [{}]
        if method:
            tree["method"] = method
        comments += [{"text": f"Method: {words(other)}"} for other in others]
    if comments:
        tree["note"] = comments


def _unit(obx: Segment, context: Context) -> Tree:
    sent = obx.field(6)
    if not sent:
        return {}
    known = context.units.get(sent)
    if known is None:
        known = context.units[sent] = unit_of(first(obx, 6), context)
    return known


def interpretation(flag: Composite, context: Context) -> Tree:
    """Return an abnormal flag as a code of v3-ObservationInterpretation, else as it was sent.

    A code of the sender's own keeps its name and its system; one that has neither (`*`) is text.
    Empty where it is neither code nor text.
    """
    code = flag[1]
    display = INTERPRETATION.get(code)
    if display is None:
        if code and (flag[2] or flag[3]) and not flag[3].upper().startswith("HL7"):
            return codeable_concept(flag, context)
        text = flag[9] or flag[2] or code or flag[5]
        return {"text": text} if text else {}
    system = f"{THO}/v3-ObservationInterpretation"
    made: Tree = {"coding": [{"system": system, "code": code, "display": display}]}
    if flag[9]:
        made["text"] = flag[9]
    return made


def _add_particulars(tree: Tree, obx: Segment, context: Context) -> None:
    """Add what few senders send: OBX-4, OBX-10, and OBX-18 to OBX-30."""
    extensions = tree.pop("extension", [])
    if value(obx, 4):
        extensions.append(_sub_id(first(obx, 4)))
    if obx.field(10):
        extensions += [
            {
                "url": f"{_HSD}/observation-nature-of-abnormal-test",
                "valueCodeableConcept": table_code(nature[1], "v2-0080"),
            }
            for nature in each(obx, 10)
            if nature[1]
        ]
    if len(obx.fields) > 18:
        extensions += _late_fields(tree, obx, context)
    if extensions:
        tree["extension"] = extensions


def _late_fields(tree: Tree, obx: Segment, context: Context) -> list[Tree]:
    extensions: list[Tree] = []
    if obx.field(18):
        device = entity_identifier(first(obx, 18), context)
        if device:
            tree["device"] = {"identifier": device}
    if obx.field(19):
        analysed = loose_date_time(first(obx, 19)[1], context, obx.address(19))
        if analysed:
            url = f"{_HSD}/observation-analysis-date-time"
            extensions.append({"url": url, "valueDateTime": analysed})
    if obx.field(20):
        site = codeable_concept(first(obx, 20), context, "v2-0163")
        if site:
            tree["bodySite"] = site
    if obx.field(21):
        identifier = entity_identifier(first(obx, 21), context, "FILL")
        if identifier:
            tree["identifier"] = [identifier]
    for structure in concepts(obx, 30, context, "v2-0937")[:1]:
        url = f"{_HSD}/observation-structure-type"
        extensions.append({"url": url, "valueCodeableConcept": structure})
    return extensions


def _sub_id(sent: Composite) -> Tree:
    names = ("original-sub-identifier", "group", "sequence", "identifier")
    parts: list[Tree] = [
        {"url": name, "valueString": sent[number]}
        for number, name in enumerate(names, start=1)
        if sent[number]
    ]
    return {"url": f"{_HSD}/observation-v2-subid", "extension": parts}


def _performers(obx: Segment, context: Context) -> list[Tree]:
    if len(obx.fields) <= 15:
        return []
    sent = tuple(obx.fields[number] for number in _PERFORMING if number < len(obx.fields))
    known = context.performers.get(sent)
    if known is None:
        known = context.performers[sent] = _read_performers(obx, context)
    return known


def _read_performers(obx: Segment, context: Context) -> list[Tree]:
    performers = laboratory(obx, context)
    for number, code in ((16, RESPONSIBLE_OBSERVER), (25, MEDICAL_DIRECTOR)):
        for named in each(obx, number):
            person = reference_to_person(named, context, obx.address(number))
            performers.append(reference_to_role(person, context, code=code))
    return [performer for performer in performers if performer]


def _explain_absence(tree: Tree, sent: str, setting: Setting) -> None:
    if any(name.startswith("value") or name == "component" for name in tree):
        return
    reason = ABSENT_BY_STATUS.get(sent, "unknown")
    if setting.rejected and reason == "unknown":
        reason = "not-performed"
    absent: Tree = {"coding": [{"system": _ABSENT, "code": reason}]}
    if setting.rejected:
        absent["text"] = words(setting.rejected)
    tree["dataAbsentReason"] = absent
