"""Results into the record: patient, directory, reports in the order of their versions.

Runs inside a piece, so everything here commits together with the raw message and its answer, or
not at all. A later message about the same filler number updates the same resources; an older one
that arrives late is kept and not applied; nothing moves from one patient to another.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from adapters.hl7v2.conversion import PATIENT, Conversion, Key, Made, ReportGroup, resolve
from adapters.intake import claims, code_maps
from adapters.intake.buckets import of_person, require
from adapters.intake.feeds import Feed
from adapters.intake.group_filing import Setting, file_group
from adapters.intake.identity import identify
from adapters.intake.occasion import Occasion, Outcome, reference, worded
from adapters.intake.unclear import Unclear
from fhir_server.model import json
from fhir_server.model.ids import bucket_of, derived_id
from fhir_server.model.validate import judge
from fhir_server.record import Record, Writer

Tree = dict[str, Any]


def file(writer: Writer, conversion: Conversion, occasion: Occasion) -> Outcome:
    """File all that *conversion* holds.

    Raises Unclear where a human has to decide first, Undeclared where a bucket is not among the
    occasion's, and Invalid where a resource is not valid: then nothing may be kept of it.
    """
    identity = identify(writer, conversion.person)
    patient = identity.patient
    require(occasion.buckets, bucket_of(patient))
    for group in conversion.groups:
        _refuse_another_patient(writer, group, patient)
    made: list[str] = []
    if identity.stored is None:
        tree = judge(conversion.person.tree)
        stored = writer.file(tree, id_=patient, patient=patient, release_at=writer.now).stored
        made.append(reference(stored))
    for number in claims.of_person(conversion.person):
        claims.hold(writer, number, patient)
    ids = _ids(writer.id_key, conversion, patient)
    made.extend(
        _file_directory_entry(writer, resolve(one.tree, ids), ids[one.key], occasion)
        for one in (*conversion.organizations, *conversion.practitioners)
    )
    flags = list(identity.flags)
    is_cut = any(flag.code == "document-withdrawn" for flag in conversion.flags)
    setting = Setting(
        occasion.feed, identity, occasion.control_id, occasion.buckets, document_withdrawn=is_cut
    )
    for group in conversion.groups:
        references, raised = file_group(writer, group, ids, setting)
        made.extend(references)
        flags.extend(raised)
    flags.extend(worded(conversion.flags))
    return Outcome(patient, tuple(made), tuple(dict.fromkeys(flags)))


def buckets(record: Record, feed: Feed, conversion: Conversion) -> Iterator[int]:
    """Yield the buckets that `file` will write in, as far as they can be told before."""
    yield from of_person(record, conversion.person)
    orders = filter(None, map(claims.of_order, conversion.groups))
    yield from (number.bucket for number in orders)
    local = [code for group in conversion.groups for code in group.local_codes]
    if local and code_maps.has_unmapped(record.select(code_maps.meanings(feed.name, local)), local):
        yield code_maps.work_list_bucket(feed.name)


def numbers(conversion: Conversion) -> Iterator[str]:
    """Yield the numbers by which a laboratory or a ward would ask for the message."""
    for group in conversion.groups:
        yield group.filler_number
        yield group.placer_number


def _refuse_another_patient(writer: Writer, group: ReportGroup, patient: str) -> None:
    number = claims.of_order(group)
    if number is None or not any(one != patient for one in claims.holders(writer, number)):
        return
    address = "OBR.3" if number.kind == "filler" else "OBR.2"
    text = "This order number was filed for another person before."
    raise Unclear("AE", 205, "order-other-patient", address, text)


def _file_directory_entry(writer: Writer, tree: Tree, id_: str, occasion: Occasion) -> str:
    """Add an organisation or a person at work to the directory, or what is not yet known of them.

    A result is not where the directory is changed: what is known stays as it is.
    """
    before = writer.current(tree["resourceType"], id_)
    known = {} if before is None else json.decode(before.body)
    if before is not None and tree.keys() <= known.keys():
        return reference(before)
    require(occasion.buckets, bucket_of(id_))
    merged = judge(tree | {name: value for name, value in known.items() if name not in _OWN})
    return reference(writer.file(merged, id_=id_, patient="", release_at=writer.now).stored)


_OWN = frozenset({"id", "meta"})


def _ids(id_key: bytes, conversion: Conversion, patient: str) -> dict[Key, str]:
    ids = {PATIENT: patient}
    for one in (*conversion.organizations, *conversion.practitioners):
        ids[one.key] = derived_id(id_key, *one.key)
    for group in conversion.groups:
        for key in _keys(group.all_made(), group.status_only):
            ids[key] = derived_id(id_key, *key, bucket=bucket_of(patient))
    return ids


def _keys(made: Iterable[Made], more: Iterable[Key]) -> Iterable[Key]:
    yield from (one.key for one in made)
    yield from more
