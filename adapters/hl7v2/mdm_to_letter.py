"""MDM^T01 to T11 of any version to a document about a person: pure, whole, and never a guess.

The map is the HL7 "Version 2 to FHIR" guide's MDM_T02, for all events of the chapter; the gaps are
decided by us. ORC and OBR name the orders that a document is about and change none of them.
Source: HL7 v2.8 chapter 9, 9.5 and 9.6.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from adapters.hl7v2.attachments import Attached
from adapters.hl7v2.code_tables import UNRESTRICTED
from adapters.hl7v2.composite import first, value
from adapters.hl7v2.context import Context, made, refusal
from adapters.hl7v2.conversion import Key, Link, Made, Tree
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.document_tables import (
    AVAILABLE,
    DOCUMENT_EVENTS,
    DocumentEvent,
    Relation,
)
from adapters.hl7v2.er7 import Message, Segment
from adapters.hl7v2.identifiers import entity_identifier
from adapters.hl7v2.letter import Letter
from adapters.hl7v2.mdm_content import contents
from adapters.hl7v2.mdm_segments import Parts, parts_of
from adapters.hl7v2.message_to_provenance import provenance
from adapters.hl7v2.pid_to_patient import person_named
from adapters.hl7v2.surroundings import every_segment, flags_of, surroundings, visit
from adapters.hl7v2.text_guard import guard
from adapters.hl7v2.txa_to_document_reference import (
    availability,
    completion,
    confidentiality,
    document_reference,
    title_of,
)

_WITHDRAWN = "entered-in-error"


def convert(message: Message, dialect: Dialect, received_at: datetime | None = None) -> Letter:
    """Return what *message*, an MDM, becomes in *dialect*.

    *received_at* (aware) bounds what dates are believed. Raises Refused (AE) with a stable code and
    the field to blame: for an identity that is missing, broken or unclear, a document without a
    number or, where the event brings it, without content, a status of no meaning, segments out of
    order, and a file that can't be decoded.
    """
    context = surroundings(message, dialect, received_at)
    header = message.segments[0]
    event = _event(message)
    parts = parts_of(message.segments, context)
    txa = parts.txa[0]
    person = person_named(parts.patient, context)
    number = _number(txa)
    tree = document_reference(txa, header, parts.orders, context)
    _place(tree, visit(parts.patient, context))
    attached = _attached(parts, tree, event, context)
    key: Key = ("DocumentReference", context.authority, *number)
    relation, parent = _parent(txa, key, event, context)
    _relate(tree, relation, parent, txa, context)
    if event.cancels or tree["status"] == _WITHDRAWN:
        tree["status"], attached = _WITHDRAWN, []
    tree["content"] = [{"attachment": one.tree} for one in attached] or _announced(tree)
    recorded = _sent_at(context)
    letter = Letter(
        person=person,
        document=Made(key, tree),
        provenance=_came_with(parts, header, key, received_at or recorded, context),
        practitioners=made(context.practitioners),
        organizations=made(context.organizations),
        flags=(),
        accounted=every_segment(message, _fates(message, parts)),
        authority=context.authority,
        number=number[0],
        parent_number=parent[2] if parent else "",
        parent=parent,
        relation=relation,
        version_at=recorded,
        title=title_of(tree),
        type_code=value(txa, 2).upper(),
        doc_status=completion(txa),
        has_content=bool(attached),
        is_withdrawn=tree["status"] == _WITHDRAWN,
        is_available=availability(txa, context) in AVAILABLE,
        holds=_holds(txa, header, attached),
        documents=tuple(one.document for one in attached),
        placer_numbers=_numbers(parts, txa, 2, 14),
        filler_numbers=_numbers(parts, txa, 3, 15),
    )
    guard(message, (person.tree, *(each.tree for each in letter.all_made())), context)
    return replace(letter, flags=flags_of(message, context))


def _came_with(
    parts: Parts, header: Segment, key: Key, recorded: datetime, context: Context
) -> Made:
    """Return the Provenance of this version of the document."""
    orc = next((one for one in parts.orders if one.name == "ORC"), None)
    version = value(header, 10) or _sent_at(context).isoformat()
    told = provenance(header, orc, key, recorded, context)
    return Made(("Provenance", *key, version), told)


def _sent_at(context: Context) -> datetime:
    if context.sent_at is None:
        raise refusal(101, "date-missing", "MSH.7", "MSH-7 does not say when this was sent.")
    return context.sent_at


def _event(message: Message) -> DocumentEvent:
    events = (value(segment, 1) for segment in message.segments if segment.name == "EVN")
    name = first(message.segments[0], 9)[2] or next(events, "")
    return DOCUMENT_EVENTS[name.upper()]


def _number(txa: Segment) -> tuple[str, ...]:
    """Return TXA-12, and who gave it where that is said: how later messages name the document."""
    sent = first(txa, 12)
    if not sent[1]:
        text = "TXA-12 holds no document number: no later message could find this."
        raise refusal(101, "document-number-missing", txa.address(12), text)
    return (sent[1],) if not sent[2] else (sent[1], sent[2])


def _place(tree: Tree, encounter: Tree) -> None:
    if encounter:
        tree["context"] = {"encounter": [encounter], **tree.get("context", {})}


def _attached(parts: Parts, tree: Tree, event: DocumentEvent, context: Context) -> list[Attached]:
    found = contents(parts.content, title_of(tree), tree.get("date", ""), context)
    if event.with_content and not found and tree["status"] != _WITHDRAWN:
        address = parts.content[0].obx.address(5) if parts.content else "OBX"
        text = "This event brings a document's content, and there is none."
        raise refusal(101, "document-missing", address, text)
    return found


def _announced(tree: Tree) -> list[Tree]:
    """Return the content of a document of which only the name is known."""
    attachment: Tree = {"title": title_of(tree) or "Document"}
    if "date" in tree:
        attachment["creation"] = tree["date"]
    return [{"attachment": attachment}]


def _parent(txa: Segment, key: Key, event: DocumentEvent, context: Context) -> tuple[Relation, Key]:
    """Return what the document is to its parent, and the parent's key; nothing for an original.

    An addendum or a replacement without a parent is one to itself: a later version.
    """
    if not event.relation:
        return "", ()
    sent = first(txa, 13)
    parent: Key = ("DocumentReference", context.authority, sent[1], *filter(None, (sent[2],)))
    if not sent[1]:
        context.flag("parent-missing", txa.address(13))
        return "", ()
    return ("", ()) if parent == key else (event.relation, parent)


def _relate(tree: Tree, relation: Relation, parent: Key, txa: Segment, context: Context) -> None:
    identifier = entity_identifier(first(txa, 13), context)
    if relation:
        target = {"reference": Link(parent), "identifier": identifier}
        tree["relatesTo"] = [{"code": relation, "target": target}]
    elif identifier and identifier != tree["masterIdentifier"]:
        related = {"type": "DocumentReference", "identifier": identifier}
        about = tree.get("context", {})
        tree["context"] = {**about, "related": [*about.get("related", ()), related]}


def _holds(txa: Segment, header: Segment, attached: Sequence[Attached]) -> tuple[str, ...]:
    """Return why a person has to look at it first: labels, and files that could run."""
    labels = [code for _, code in confidentiality(txa) if code not in UNRESTRICTED]
    found = ["security-label"] if labels or value(header, 26) or value(header, 27) else []
    found += [one.document.hold for one in attached if one.document.hold]
    return tuple(dict.fromkeys(found))


def _numbers(parts: Parts, txa: Segment, in_order: int, in_txa: int) -> tuple[str, ...]:
    places = [(one, in_order) for one in parts.orders if one.name in {"ORC", "OBR"}]
    found = (first(segment, number)[1] for segment, number in (*places, (txa, in_txa)))
    return tuple(dict.fromkeys(filter(None, found)))


def _fates(message: Message, parts: Parts) -> Mapping[int, str]:
    return dict(_told(message, parts))


def _told(message: Message, parts: Parts) -> Iterator[tuple[int, str]]:
    yield message.segments[0].number, "filed in Provenance"
    for segments in parts.patient.values():
        for segment in segments:
            is_visit = segment.name in {"PV1", "PV2"}
            yield segment.number, _visit_fate(segment) if is_visit else "filed in Patient"
    for segment in parts.event:
        yield segment.number, "kept raw: MSH says the same of the event"
    for segment in parts.orders:
        numbered = segment.name in {"ORC", "OBR"}
        told = "the reference to the order" if numbered else ""
        yield segment.number, f"filed in {told}" if told else "kept raw: about the order's time"
    yield parts.txa[0].number, "filed in DocumentReference"
    for result in parts.content:
        for segment in (result.obx, *result.notes):
            yield segment.number, "filed in the content of DocumentReference"
    for segment, reason in parts.kept:
        yield segment.number, f"kept raw: {reason}"


def _visit_fate(pv1: Segment) -> str:
    if pv1.name == "PV1" and first(pv1, 19)[1]:
        return "filed in the reference to the visit"
    return "kept raw: a visit is referred to, not kept"
