"""SPM to Specimen, and OBR to Specimen for senders of versions without SPM.

Where both describe it SPM wins, and OBR fills the gaps. A date alone (OBR-7) makes no specimen:
a report of a scan has one too. Source: HL7 v2 chapter 7, 7.4.3; the guide's sheets SPM[Specimen]
and OBR[Specimen].
"""

from adapters.hl7v2.code_tables import SPECIMEN_STATUS
from adapters.hl7v2.codeable_concepts import codeable_concept, concepts, words
from adapters.hl7v2.composite import Composite, each, first, value
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import PATIENT, Link, Tree
from adapters.hl7v2.dates import date_time, period
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.groups import SpecimenLines
from adapters.hl7v2.identifiers import entity_identifier, extended_identifier, pair_identifiers
from adapters.hl7v2.nte_to_annotation import annotations
from adapters.hl7v2.quantities import composite_quantity
from adapters.hl7v2.xcn_to_practitioner import reference_to_person

_DESCRIBING = (9, 10, 14, 15, 39)


def rejection(spm: Segment, context: Context) -> Tree:
    """Return why the laboratory refused a specimen (SPM-21); empty where it did not."""
    return codeable_concept(first(spm, 21), context, "v2-0490")


def specimen(lines: SpecimenLines, obr: Segment, context: Context) -> Tree:
    """Return the Specimen of an SPM; OBR-9, -10, -14 and -15 fill what it leaves out."""
    spm = lines.spm
    tree = _skeleton()
    _add_identifiers(tree, spm, context)
    kind = codeable_concept(first(spm, 4), context, "v2-0487")
    if kind:
        tree["type"] = kind
    collection = _collection(spm, context)
    received = value(spm, 18)
    if received:
        tree["receivedTime"] = date_time(received, context, spm.address(18))
    container = _container(spm, context)
    if container:
        tree["container"] = [container]
    _add_condition(tree, spm, context)
    notes = [{"text": spm.whole(14).strip()}] if value(spm, 14) else []
    notes += annotations(lines.notes, context)
    if notes:
        tree["note"] = notes
    if collection:
        tree["collection"] = collection
    return _filled(tree, obr, context)


def specimen_of_order(obr: Segment, context: Context) -> Tree:
    """Return the Specimen that OBR alone describes; empty where it describes none."""
    if not any(obr.field(number) for number in _DESCRIBING):
        return {}
    return _filled(_skeleton(), obr, context)


def _skeleton() -> Tree:
    return {"resourceType": "Specimen", "subject": {"reference": Link(PATIENT)}}


def _add_identifiers(tree: Tree, spm: Segment, context: Context) -> None:
    identifiers = pair_identifiers(first(spm, 2), context, "PGN", "FGN")
    identifiers += [extended_identifier(sent, context, spm.address(31)) for sent in each(spm, 31)]
    identifiers += [entity_identifier(sent, context, "SHIP") for sent in each(spm, 32)]
    identifiers = [identifier for identifier in identifiers if identifier]
    if identifiers:
        tree["identifier"] = identifiers
    accession = extended_identifier(first(spm, 30), context, spm.address(30))
    if accession:
        tree["accessionIdentifier"] = accession
    parents = [
        {"type": "Specimen", "identifier": identifier}
        for sent in each(spm, 3)
        for identifier in pair_identifiers(sent, context, "PGN", "FGN")[-1:]
    ]
    if parents:
        tree["parent"] = parents


def _collection(spm: Segment, context: Context) -> Tree:
    span = first(spm, 17)
    made = _collected(span[1], span[2], context, spm.address(17)) if span[1] else {}
    quantity = composite_quantity(first(spm, 12), context)
    if quantity:
        made["quantity"] = quantity
    for element, number, table in (("method", 7, "v2-0488"), ("bodySite", 8, "")):
        concept = codeable_concept(first(spm, number), context, table)
        if concept:
            made[element] = concept
    return made


def _collected(start: str, end: str, context: Context, address: str) -> Tree:
    made = date_time(start, context, address)
    both = period(start, end, context, address) if end and end != start else {}
    return {"collectedPeriod": both} if "end" in both else {"collectedDateTime": made}


def _container(spm: Segment, context: Context) -> Tree:
    made: Tree = {}
    additive = codeable_concept(first(spm, 6), context, "v2-0371")
    if additive:
        made["additiveCodeableConcept"] = additive
    kind = codeable_concept(first(spm, 27), context)
    if kind:
        made["type"] = kind
    return made


def _add_condition(tree: Tree, spm: Segment, context: Context) -> None:
    status = SPECIMEN_STATUS.get(value(spm, 20))
    conditions = concepts(spm, 24, context, "v2-0493")
    refused = rejection(spm, context)
    if refused:
        status = "unsatisfactory"
        conditions.append(refused)
    if status:
        tree["status"] = status
    if conditions:
        tree["condition"] = conditions


def _filled(tree: Tree, obr: Segment, context: Context) -> Tree:
    collection: Tree = tree.pop("collection", {})
    if value(obr, 7) and not collection.keys() & {"collectedDateTime", "collectedPeriod"}:
        collection.update(_collected(value(obr, 7), value(obr, 8), context, obr.address(7)))
    quantity = composite_quantity(first(obr, 9), context)
    if quantity:
        collection.setdefault("quantity", quantity)
    collector = reference_to_person(first(obr, 10), context, obr.address(10))
    if collector:
        collection["collector"] = collector
    if value(obr, 14):
        tree.setdefault("receivedTime", date_time(value(obr, 14), context, obr.address(14)))
    if obr.field(15):
        _add_source(tree, collection, first(obr, 15), context)
    remarks = concepts(obr, 39, context)
    if remarks:
        comments = [{"text": words(remark)} for remark in remarks]
        tree["note"] = [*tree.get("note", ()), *comments]
    if collection:
        tree["collection"] = collection
    return tree


def _add_source(tree: Tree, collection: Tree, source: Composite, context: Context) -> None:
    """Add OBR-15 (SPS): type, additive, method or remark, site and condition."""
    kind = codeable_concept(source.sub(1), context, "v2-0070")
    if kind:
        tree.setdefault("type", kind)
    additive = codeable_concept(source.sub(2), context, "v2-0371")
    if additive:
        tree.setdefault("container", [{"additiveCodeableConcept": additive}])
    if source[3]:
        tree.setdefault("note", [{"text": source[3]}])
    site = codeable_concept(source.sub(4), context)
    if site:
        collection.setdefault("bodySite", site)
    condition = codeable_concept(source.sub(6), context)
    if condition:
        tree.setdefault("condition", [condition])
