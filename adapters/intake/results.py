"""Results into the record: patient, directory, reports in the order of their versions.

Runs inside a piece, so everything here commits together with the raw message and its answer, or
not at all. A later message about the same filler number updates the same resources; an older one
that arrives late is kept and not applied; nothing moves from one patient to another.
"""

from collections.abc import Iterator
from dataclasses import replace

from adapters.hl7v2.conversion import Conversion, Key, ReportGroup
from adapters.intake import claims, code_maps, taking_back
from adapters.intake.beside import file_directory, file_person, ids_of, own_ids
from adapters.intake.buckets import of_person, require
from adapters.intake.claims import Number
from adapters.intake.feeds import Feed
from adapters.intake.group_filing import Setting, file_group
from adapters.intake.identity import Identity, at_home, identify
from adapters.intake.occasion import Occasion, Outcome, worded
from adapters.intake.placing import at_its_places
from adapters.intake.requests import request_id
from adapters.intake.unclear import Unclear
from fhir_server.model.ids import bucket_of
from fhir_server.record import Record, Writer


def file(writer: Writer, conversion: Conversion, occasion: Occasion) -> Outcome:
    """File all that *conversion* holds.

    Raises Unclear where a human has to decide first, Undeclared where a bucket is not among the
    occasion's, and Invalid where a resource is not valid: then nothing may be kept of it.
    """
    return at_its_places(conversion.places, lambda: _filed(writer, conversion, occasion))


def _filed(writer: Writer, conversion: Conversion, occasion: Occasion) -> Outcome:
    identity = identify(writer, conversion.person)
    homes = [at_home(writer, identity, _order(group)) for group in conversion.groups]
    require(occasion.buckets, *(bucket_of(one.patient) for one in (identity, *homes)))
    for group, home in zip(conversion.groups, homes, strict=True):
        _refuse_another_patient(writer, group, home)
    made = file_person(writer, conversion.person, identity)
    directory = (*conversion.organizations, *conversion.practitioners)
    ids = ids_of(writer.id_key, identity.subject, directory, ())
    for group, home in zip(conversion.groups, homes, strict=True):
        ids |= own_ids(writer.id_key, home.patient, _own_keys(group))
    made.extend(file_directory(writer, directory, ids, occasion))
    flags = list(identity.flags)
    is_cut = any(flag.code == "document-withdrawn" for flag in conversion.flags)
    setting = Setting(
        occasion.feed,
        identity,
        occasion.control_id,
        occasion.buckets,
        document_withdrawn=is_cut,
        refiled=occasion.refiled,
    )
    for group, home in zip(conversion.groups, homes, strict=True):
        gone = is_cut or group.taken_back
        setting = replace(setting, identity=home, document_withdrawn=gone)
        ids |= request_id(writer, group, home.patient)
        whole, unnamed = taking_back.whole(writer, group, ids)
        references, raised = file_group(writer, whole, ids | unnamed, setting)
        made.extend(references)
        flags.extend(raised)
    flags.extend(worded(conversion.flags))
    return Outcome(identity.subject, tuple(made), tuple(dict.fromkeys(flags)), ids)


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


def _refuse_another_patient(writer: Writer, group: ReportGroup, home: Identity) -> None:
    number = claims.of_order(group)
    if number is None or set(home.ids).issuperset(claims.holders(writer, number)):
        return
    address = "OBR.3" if number.kind == "filler" else "OBR.2"
    text = "This order number was filed for another person before."
    raise Unclear("AE", 205, "order-other-patient", address, text)


def _order(group: ReportGroup) -> Iterator[Number]:
    """Yield both numbers of an order: what was filed by either is gone on with."""
    if group.filler_number:
        yield claims.number_of("filler", group.authority, group.filler_number)
    if group.placer_number:
        yield claims.number_of("placer", group.authority, group.placer_number)


def _own_keys(group: ReportGroup) -> Iterator[Key]:
    """Yield the keys of what goes into the patient's record."""
    yield from (one.key for one in group.all_made())
    yield from group.status_only
