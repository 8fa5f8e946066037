"""ORC, OBR and TQ1 to ServiceRequest: what was asked for, and by whom.

Source: HL7 v2 chapter 4, 4.5.1; the guide's sheets ORC[ServiceRequest], OBR[ServiceRequest] and
TQ1[ServiceRequest]. Dates of the specimen are not dates of the order and stay out.
"""

from collections.abc import Sequence

from adapters.hl7v2.addresses import postal_address
from adapters.hl7v2.code_tables import ORDER_CONTROL, ORDER_STATUS, PRIORITY
from adapters.hl7v2.codeable_concepts import codeable_concept, concepts, table_code
from adapters.hl7v2.composite import each, first, value
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import PATIENT, Key, Link, Tree
from adapters.hl7v2.dates import loose_date_time
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.groups import Group
from adapters.hl7v2.identifiers import (
    entity_identifier,
    extended_identifier,
    pair_identifiers,
)
from adapters.hl7v2.order import Order
from adapters.hl7v2.telecoms import contact_point
from adapters.hl7v2.to_organization import reference_to_xon
from adapters.hl7v2.xcn_to_practitioner import reference_to_person, reference_to_role

_HSD = "http://hl7.org/fhir/StructureDefinition"
_CALL_BACK = f"{_HSD}/servicerequest-order-callback-phone-number"
_FINISHED = frozenset({"F", "C"})


def service_request(
    group: Group, order: Order, report_code: str, answers: Sequence[Key], context: Context
) -> Tree:
    """Return the ServiceRequest of a group. *report_code* is OBR-25.

    *answers* are the keys of the Observations that came with the order (OBX-29 QST, SCI).

    Where neither ORC-5 nor ORC-1 says how the order stands (RE, the usual one with results, does
    not), it is completed once the report is final, and active before.
    """
    obr, orc = group.obr, group.orc
    tree: Tree = {
        "resourceType": "ServiceRequest",
        "identifier": [*order.identifiers, *_alternates(obr, orc, context)],
        "status": _status(orc, report_code),
        "intent": "reflex-order" if value(obr, 11) == "G" else "order",
        "code": order.code,
        "subject": {"reference": Link(PATIENT)},
    }
    placer_group = [
        identifier
        for identifier in order.group_identifiers
        if identifier["type"]["coding"][0]["code"] == "PGN"
    ]
    if placer_group:
        tree["requisition"] = placer_group[0]
    _add_timing(tree, group, context)
    requester, phones = _requester(obr, orc, context)
    if requester:
        tree["requester"] = requester
    if phones:
        tree["extension"] = [{"url": _CALL_BACK, "valueContactPoint": point} for point in phones]
    _add_concepts(tree, obr, orc, context)
    if answers:
        tree["supportingInfo"] = [{"reference": Link(key)} for key in answers]
    parent = first(obr, 29)
    if parent and not obr.field(50):
        identifiers = pair_identifiers(parent, context, "PLAC", "FILL")
        if identifiers:
            tree["basedOn"] = [{"type": "ServiceRequest", "identifier": identifiers[-1]}]
    return tree


def _alternates(obr: Segment, orc: Segment | None, context: Context) -> list[Tree]:
    alternates = [
        extended_identifier(sent, context, segment.address(number))
        for segment, number in ((obr, 53), (orc, 33))
        if segment is not None and len(segment.fields) > number
        for sent in each(segment, number)
    ]
    placer = table_code("PLAC", "v2-0203")
    made = [{"type": placer, **identifier} for identifier in alternates if identifier]
    group = entity_identifier(first(orc, 38), context, "FGN") if orc is not None else {}
    return [*made, group] if group else made


def _status(orc: Segment | None, report_code: str) -> str:
    sent = ORDER_STATUS.get(value(orc, 5)) or ORDER_CONTROL.get(value(orc, 1)) if orc else None
    if sent:
        return sent
    return "completed" if report_code in _FINISHED else "active"


def _add_timing(tree: Tree, group: Group, context: Context) -> None:
    obr, orc = group.obr, group.orc
    timing = group.timings[0] if group.timings else None
    # Versions before 2.5 have the priority in the quantity and timing: TQ.6 of OBR-27 or ORC-7.
    sent = (value(timing, 9) if timing is not None else "") or value(obr, 5)
    of_timing = first(obr, 27)[6] or (first(orc, 7)[6] if orc is not None else "")
    priority = PRIORITY.get(sent) or PRIORITY.get(of_timing)
    if priority:
        tree["priority"] = priority
    wanted = value(obr, 6) or (value(timing, 7) if timing is not None else "")
    occurs = loose_date_time(wanted, context, obr.address(6)) if wanted else ""
    if occurs:
        tree["occurrenceDateTime"] = occurs
    if orc is not None and value(orc, 1) == "NW" and value(orc, 9):
        authored = loose_date_time(value(orc, 9), context, orc.address(9))
        if authored:
            tree["authoredOn"] = authored


def _requester(obr: Segment, orc: Segment | None, context: Context) -> tuple[Tree, list[Tree]]:
    """Return who asked, ORC-12 else OBR-16, for ORC-21, and the phones to call about the order.

    The phones are those of ORC-14 and OBR-17; what is no phone there reaches whoever asked, and
    so does the number in ORC-23 of an organisation that can't stand alone.
    """
    segment, number = (orc, 12) if orc is not None and first(orc, 12) else (obr, 16)
    home = postal_address(first(orc, 24), context, orc.address(24)) if orc is not None else {}
    named = first(segment, number)
    person = reference_to_person(named, context, segment.address(number), home=home)
    organization, switchboard = _organization(orc, context) if orc is not None else ({}, {})
    back = [
        contact_point(sent, context, from_segment.address(at))
        for from_segment, at in ((orc, 14), (obr, 17))
        if from_segment is not None
        for sent in each(from_segment, at)
    ]
    back = [point for number, point in enumerate(back) if point and point not in back[:number]]
    telecoms = [point for point in back if point["system"] != "phone"]
    if switchboard and "reference" not in organization:
        telecoms.append(switchboard)
    asked = reference_to_role(person, context, organization=organization, telecoms=telecoms)
    return asked, [point for point in back if point["system"] == "phone"]


def _organization(orc: Segment, context: Context) -> tuple[Tree, Tree]:
    """Return a reference to the organisation in ORC-21, and its number for want of such a one."""
    if len(orc.fields) <= 21:
        return {}, {}
    address = postal_address(first(orc, 22), context, orc.address(22))
    telecom = contact_point(first(orc, 23), context, orc.address(23), "work")
    return reference_to_xon(first(orc, 21), context, address=address, telecom=telecom), telecom


def _add_concepts(tree: Tree, obr: Segment, orc: Segment | None, context: Context) -> None:
    for element, number in (("reasonCode", 31), ("orderDetail", 46), ("orderDetail", 47)):
        found = concepts(obr, number, context)
        if found:
            tree[element] = [*tree.get(element, ()), *found]
    # Clinical information that came with the request, as the laboratory repeats it.
    told = "\n".join(obr.whole(13, number + 1) for number in range(len(obr.repetitions(13))))
    if told.strip():
        tree["note"] = [{"text": told.strip()}]
    if orc is None:
        return
    if orc.field(29):
        place = codeable_concept(first(orc, 29), context)
        if place:
            tree["locationCode"] = [place]
    reason = codeable_concept(first(orc, 16), context)
    if reason and not orc.field(5):
        url = f"{_HSD}/request-statusReason"
        status: Tree = {"url": url, "valueCodeableConcept": reason}
        tree["extension"] = [*tree.get("extension", ()), status]
