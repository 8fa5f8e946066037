"""What every clinical message brings beside its content: the person, and who is at work there.

None of these messages is where a person or the directory is changed: somebody new is filed, and
what is known stays as it is.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.hl7v2.conversion import PATIENT, Key, Made, PersonNamed, links, resolve
from adapters.intake import claims
from adapters.intake.buckets import require
from adapters.intake.identity import Identity
from adapters.intake.occasion import Occasion, reference
from fhir_server.model import json
from fhir_server.model.ids import bucket_of, derived_id
from fhir_server.model.validate import judge
from fhir_server.record import Writer

Tree = dict[str, Any]

_OWN = frozenset({"id", "meta"})


def file_person(writer: Writer, person: PersonNamed, identity: Identity) -> list[str]:
    """File *person* where they are new here, and hold their numbers; return what was made."""
    made = []
    if identity.stored is None:
        patient = identity.patient
        # Their practice and their doctor are in the directory, which has no patient's bucket.
        ids = {key: derived_id(writer.id_key, *key) for key in links(person.tree)}
        tree = judge(resolve(person.tree, ids))
        stored = writer.file(tree, id_=patient, patient=patient, release_at=writer.now).stored
        made.append(reference(stored))
    for number in claims.of_person(person):
        claims.hold(writer, number, identity.patient, identity.record)
    return made


def file_directory(
    writer: Writer, entries: Iterable[Made], ids: Mapping[Key, str], occasion: Occasion
) -> list[str]:
    """Add organisations and people at work to the directory, or what is not yet known of them."""
    return [_file_entry(writer, resolve(one.tree, ids), ids[one.key], occasion) for one in entries]


def ids_of(
    id_key: bytes, patient: str, directory: Iterable[Made], own: Iterable[Key]
) -> dict[Key, str]:
    """Return the ids of what a message names: of the *patient*, of the directory, their *own*."""
    ids = {PATIENT: patient}
    ids |= {one.key: derived_id(id_key, *one.key) for one in directory}
    return ids | own_ids(id_key, patient, own)


def own_ids(id_key: bytes, patient: str, keys: Iterable[Key]) -> dict[Key, str]:
    """Return the ids of what is kept in the record of *patient*: they say where it lives."""
    bucket = bucket_of(patient)
    return {key: derived_id(id_key, *key, bucket=bucket) for key in keys}


def _file_entry(writer: Writer, tree: Tree, id_: str, occasion: Occasion) -> str:
    before = writer.current(tree["resourceType"], id_)
    known = {} if before is None else json.decode(before.body)
    if before is not None and tree.keys() <= known.keys():
        return reference(before)
    require(occasion.buckets, bucket_of(id_))
    merged = judge(tree | {name: value for name, value in known.items() if name not in _OWN})
    return reference(writer.file(merged, id_=id_, patient="", release_at=writer.now).stored)
