"""ORM^O01 and OML^O21 to ServiceRequests: pure, whole, and never a guess.

A request has the same key as the one that comes with its result, so that both are one. What a
clinician wrote of the patient stays out of it (reasons, clinical information, comments, answers):
a patient may see that a test is under way, and never what somebody suspects. Dates of a collection
that is still to come are no dates of a specimen. Source: HL7 v2.8 chapter 4, 4.4.1 and 4.4.6; the
guide's sheets for ORM_O01 and OML_O21.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from adapters.hl7v2.code_tables import ORDER_CONTROL, ORDER_STATUS, THO, UNRESTRICTED
from adapters.hl7v2.codeable_concepts import table_code
from adapters.hl7v2.composite import value
from adapters.hl7v2.context import Context, made, refusal
from adapters.hl7v2.conversion import Link, Made, Tree
from adapters.hl7v2.dates import is_before
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import Message, Segment
from adapters.hl7v2.group_to_report import specimens_of
from adapters.hl7v2.groups import Group, Grouped, grouped
from adapters.hl7v2.message_to_provenance import provenance
from adapters.hl7v2.obr_to_report import security
from adapters.hl7v2.obr_to_service_request import service_request
from adapters.hl7v2.order import Order, order_of
from adapters.hl7v2.orders import OrderGroup, Orders
from adapters.hl7v2.pid_to_patient import person_named
from adapters.hl7v2.surroundings import every_segment, flags_of, surroundings, visit
from adapters.hl7v2.text_guard import guard

HELD_BACK = ("extension", "note", "orderDetail", "reasonCode", "supportingInfo")
"""Elements of a ServiceRequest that say, or could say, what somebody suspects."""

_EARLIER_RESULT = "PR"
_NOT_TESTS = frozenset({"BPO", "ODS", "ODT", "RQ1", "RQD", "RXE", "RXO"})


def convert(message: Message, dialect: Dialect, received_at: datetime | None = None) -> Orders:
    """Return what *message*, an ORM^O01 or OML^O21, becomes in *dialect*.

    *received_at* (aware) bounds what dates are believed. Raises Refused (AE) with a stable code and
    the field to blame: for an identity that is missing, broken or unclear, an order without a
    number or a test, one that is for no test (medicines, diets, goods), and segments out of order.
    """
    context = surroundings(message, dialect, received_at)
    _refuse_other_orders(message)
    parts = grouped(message.segments, context)
    person = person_named(parts.patient, context)
    taken: set[tuple[str, ...]] = set()
    used: set[int] = set()
    groups: list[OrderGroup] = []
    asked = [group for group in parts.groups if not _is_earlier_result(group)]
    if not asked:
        address = parts.groups[0].obr.address()
        raise refusal(100, "message-empty", address, "The message holds no order, only results.")
    for group in asked:
        orc = group.orc
        is_used = orc is not None and orc.number in used
        order = order_of(group, context, orc_is_used=is_used, taken=taken)
        if orc is not None:
            used.add(orc.number)
        groups.append(_order_group(group, order, parts, context))
    orders = Orders(
        person=person,
        groups=tuple(groups),
        practitioners=made(context.practitioners),
        organizations=made(context.organizations),
        flags=(),
        accounted=every_segment(message, _fates(parts)),
    )
    guard(message, (person.tree, *(each.tree for each in orders.all_made())), context)
    return replace(orders, flags=flags_of(message, context))


def _refuse_other_orders(message: Message) -> None:
    for segment in message.segments:
        if segment.name in _NOT_TESTS:
            text = "Only orders for tests are taken here: those with an OBR."
            raise refusal(100, "order-not-a-test", segment.address(), text)
    if all(segment.name != "OBR" for segment in message.segments):
        raise refusal(100, "message-empty", "OBR", "The message holds no order: it has no OBR.")


def _is_earlier_result(group: Group) -> bool:
    return group.orc is not None and value(group.orc, 1).upper() == _EARLIER_RESULT


def _order_group(group: Group, order: Order, parts: Grouped, context: Context) -> OrderGroup:
    header, orc, at = parts.header, group.orc, context.sent_at
    if at is None:
        raise refusal(101, "date-missing", "MSH.7", "MSH-7 does not say when this was sent.")
    status = _status(orc, context)
    asked = _before_collection(group)
    specimens = [_as_known(one, at) for one in specimens_of(asked, order, context)]
    tree = service_request(group, order, "", (), context)
    tree = {name: part for name, part in tree.items() if name not in HELD_BACK}
    tree["status"] = status or "unknown"
    if specimens:
        tree["specimen"] = [{"reference": Link(one.key)} for one in specimens]
    _add_visit(tree, visit(parts.patient, context))
    _add_kind(tree, group)
    _add_labels(tree, orc)
    key = order.key_of("ServiceRequest")
    told = provenance(header, orc, key, context.received_at or at, context)
    version = value(header, 10) or at.isoformat()
    return OrderGroup(
        service_request=Made(key, tree),
        specimens=tuple(specimens),
        provenance=Made(order.key_of("Provenance", "order", version), told),
        authority=context.authority,
        filler_number=order.filler_number,
        placer_number=order.placer_number,
        status=status,
        version_at=at,
        holds=_holds(header, orc),
    )


def _status(orc: Segment | None, context: Context) -> str:
    """Return what ORC-5, else ORC-1, means; empty where neither has a meaning here, flagged."""
    if orc is None:
        context.flag("order-control-missing", "ORC.1")
        return ""
    found = ORDER_STATUS.get(value(orc, 5).upper()) or ORDER_CONTROL.get(value(orc, 1).upper())
    if not found and not value(orc, 1):
        context.flag("order-control-missing", orc.address(1))
    return found or ""


def _before_collection(group: Group) -> Group:
    """Return *group* without OBR-7 and OBR-8, which are of no specimen before there is a result."""
    fields = list(group.obr.fields)
    for number in (7, 8):
        if number < len(fields):
            fields[number] = ""
    return replace(group, obr=replace(group.obr, fields=tuple(fields)))


def _as_known(specimen: Made, at: datetime) -> Made:
    """Return *specimen* without comments, nor a collection to come when the message was sent."""
    specimen.tree.pop("note", None)
    collection: Tree = specimen.tree.get("collection", {})
    span = collection.get("collectedPeriod", {})
    start = collection.get("collectedDateTime", span.get("start", ""))
    if start and is_before(at.isoformat(), start):
        for name in ("collectedDateTime", "collectedPeriod"):
            collection.pop(name, None)
        if not collection:
            del specimen.tree["collection"]
    return specimen


def _add_visit(tree: Tree, encounter: Tree) -> None:
    if encounter:
        tree["encounter"] = encounter


def _add_kind(tree: Tree, group: Group) -> None:
    section = value(group.obr, 24)
    if section:
        tree["category"] = [table_code(section, "v2-0074")]


def _add_labels(tree: Tree, orc: Segment | None) -> None:
    """Write ORC-28 as labels, and ORC-5 as a tag: how far it is, in the sender's own code."""
    meta: Tree = {}
    labels = security(orc)
    if labels:
        meta["security"] = [{"system": system, "code": code} for system, code in labels]
    sent = value(orc, 5).upper() if orc is not None else ""
    if sent in ORDER_STATUS:
        meta["tag"] = [{"system": f"{THO}/v2-0038", "code": sent}]
    if meta:
        tree["meta"] = meta


def _holds(header: Segment, orc: Segment | None) -> tuple[str, ...]:
    restricted = any(code not in UNRESTRICTED for _, code in security(orc))
    of_message = value(header, 26) or value(header, 27)
    return ("security-label",) if restricted or of_message else ()


def _fates(parts: Grouped) -> Mapping[int, str]:
    fates = {parts.header.number: "filed in Provenance"}
    for segments in parts.patient.values():
        for segment in segments:
            is_visit = segment.name in {"PV1", "PV2"}
            fates[segment.number] = "filed in Patient" if not is_visit else _visit_fate(segment)
    number = 0
    for group in parts.groups:
        number += not _is_earlier_result(group)
        for segment, fate in _of_group(group, number):
            fates.setdefault(segment.number, fate)
    return fates | {segment.number: f"kept raw: {reason}" for segment, reason in parts.kept}


def _of_group(group: Group, number: int) -> Iterator[tuple[Segment, str]]:
    results = [*group.results, *(one for spm in group.specimens for one in spm.results)]
    if _is_earlier_result(group):
        request = specimen = "kept raw: an earlier result, sent along with the order"
    else:
        request, specimen = f"filed in ServiceRequest {number}", f"filed in Specimen {number}"
    if group.orc is not None:
        yield group.orc, request
    for segment in (group.obr, *group.timings):
        yield segment, request
    for note in group.notes:
        yield note, "kept raw: a comment on the order, for staff only"
    for lines in group.specimens:
        for segment in (lines.spm, *lines.notes):
            yield segment, specimen
    for result in results:
        for segment in (result.obx, *result.notes):
            yield segment, "kept raw: told to the laboratory with the order, for staff only"


def _visit_fate(segment: Segment) -> str:
    if segment.name == "PV1" and value(segment, 19):
        return "filed in the reference to the visit"
    return "kept raw: a visit is referred to, not kept"
