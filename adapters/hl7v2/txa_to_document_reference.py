"""TXA to DocumentReference: which document it is, who wrote it, and how far it has come.

Source: HL7 v2.8 chapter 9, 9.6.1 (TXA); the guide's sheet TXA[DocumentReference]. Not carried:
TXA-3, as the content says what it is; TXA-7, -11 and -20 to -24 (typing, storage, distribution).
"""

from collections.abc import Sequence

from adapters.hl7v2.code_tables import THO
from adapters.hl7v2.codeable_concepts import codeable_concept, words
from adapters.hl7v2.composite import each, first, value
from adapters.hl7v2.context import Context, refusal
from adapters.hl7v2.conversion import PATIENT, Link, Tree
from adapters.hl7v2.dates import instant, loose_date_time, read_moment
from adapters.hl7v2.document_tables import AVAILABILITY, COMPLETION, CONFIDENTIALITY
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.identifiers import entity_identifier
from adapters.hl7v2.to_organization import reference_to_sender
from adapters.hl7v2.xcn_to_practitioner import reference_to_person

_VERY_RESTRICTED = (f"{THO}/v3-Confidentiality", "V")


def document_reference(
    txa: Segment, header: Segment, orders: Sequence[Segment], context: Context
) -> Tree:
    """Return the DocumentReference of *txa*, as yet without content and without its parent.

    *orders* are the ORC and OBR before it. Refuses a status of no meaning (AE 103); one that is
    left out stays out.
    """
    tree: Tree = {
        "resourceType": "DocumentReference",
        "masterIdentifier": entity_identifier(first(txa, 12), context),
        "status": _status(txa, context),
        "subject": {"reference": Link(PATIENT)},
    }
    doc_status = completion(txa)
    if doc_status:
        tree["docStatus"] = doc_status
    file_name = value(txa, 16)
    if file_name:
        tree["identifier"] = [{"value": file_name}]
    kind = codeable_concept(first(txa, 2), context, "v2-0270")
    if kind:
        tree["type"] = kind
    written = _date(txa, context)
    if written:
        tree["date"] = written
    authors = [reference_to_person(sent, context, txa.address(9)) for sent in each(txa, 9)]
    if any(authors):
        tree["author"] = [author for author in authors if author]
    signed = _authenticator(txa, context)
    if signed:
        tree["authenticator"] = signed
    custodian = reference_to_sender(header, context)
    if custodian:
        tree["custodian"] = custodian
    title = value(txa, 25) if len(txa.fields) > 25 else ""
    if title:
        tree["description"] = title
    labels = confidentiality(txa)
    if labels:
        codings = [{"system": system, "code": code} for system, code in labels]
        tree["securityLabel"] = [{"coding": [coding]} for coding in codings]
        tree["meta"] = {"security": codings}
    tree["context"] = _context(txa, orders, context)
    return {name: part for name, part in tree.items() if part != {}}


def completion(txa: Segment) -> str:
    """Return TXA-17 as docStatus; empty where it is. Refuses a code of no meaning (AE 103)."""
    sent = value(txa, 17).upper()
    if sent and sent not in COMPLETION:
        text = "TXA-17 is not a completion status that is known here."
        raise refusal(103, "completion-unknown", txa.address(17), text)
    return COMPLETION.get(sent, "")


def availability(txa: Segment, context: Context) -> str:
    """Return TXA-19, else what is agreed for the feed; empty where neither says anything."""
    return value(txa, 19).upper() or context.dialect.document_availability


def confidentiality(txa: Segment) -> list[tuple[str, str]]:
    """Return TXA-18 as labels (system, code); one of no meaning is very restricted.

    A label that nobody understands must not be taken for none.
    """
    sent = value(txa, 18).upper()
    return [CONFIDENTIALITY.get(sent, _VERY_RESTRICTED)] if sent else []


def title_of(tree: Tree) -> str:
    """Return what a document is called: its title, else its type; may be empty."""
    return str(tree.get("description", "") or words(tree.get("type", {})))


def _status(txa: Segment, context: Context) -> str:
    sent = availability(txa, context)
    if sent and sent not in AVAILABILITY:
        text = "TXA-19 is not an availability status that is known here."
        raise refusal(103, "availability-unknown", txa.address(19), text)
    return AVAILABILITY.get(sent, "current")


def _date(txa: Segment, context: Context) -> str:
    """Return when the document was made: the first of TXA-6, -8, -7 and -4 with a time of day."""
    for number in (6, 8, 7, 4):
        for sent in each(txa, number)[:1]:
            moment = read_moment(sent[1], context.dialect.zone, day_first=context.dialect.day_first)
            if moment is not None and moment.when is not None:
                found = instant(sent[1], context, txa.address(number))
                return found[0] if found else ""
    return ""


def _authenticator(txa: Segment, context: Context) -> Tree:
    """Return who signed (TXA-22), else who is to sign (TXA-10); the first of several."""
    for number in (22, 10):
        for sent in each(txa, number):
            found = reference_to_person(sent, context, txa.address(number))
            if found:
                return found
    return {}


def _context(txa: Segment, orders: Sequence[Segment], context: Context) -> Tree:
    """Return what the document is about: when the care was given (TXA-4), and which orders."""
    made: Tree = {}
    given = value(txa, 4)
    start = loose_date_time(given, context, txa.address(4)) if given else ""
    if start:
        made["period"] = {"start": start}
    related = [
        {"type": "ServiceRequest", "identifier": one} for one in _orders(txa, orders, context)
    ]
    if related:
        made["related"] = related
    return made


def _orders(txa: Segment, orders: Sequence[Segment], context: Context) -> list[Tree]:
    """Return the orders that ORC-2 and -3, OBR-2 and -3, TXA-14 and -15 name, each once."""
    places = [(segment, 2, 3) for segment in orders if segment.name in {"ORC", "OBR"}]
    found = [
        entity_identifier(sent, context, kind)
        for segment, placer, filler in (*places, (txa, 14, 15))
        for number, kind in ((placer, "PLAC"), (filler, "FILL"))
        for sent in each(segment, number)
    ]
    return [one for place, one in enumerate(found) if one and one not in found[:place]]
