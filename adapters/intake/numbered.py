"""What is known by either of two numbers, the one who does it gave or the one who asked for it.

An order message often comes before the laboratory gave a number, and a result may name both; so
does an appointment. Source: HL7 v2.8 chapter 4, 4.5.1.2 and 4.5.1.3 (ORC-2, ORC-3); chapter 10,
10.6.1.1 and 10.6.1.2 (SCH-1, SCH-2).
"""

from typing import Any

from adapters.hl7v2.conversion import Key
from fhir_server.model import json
from fhir_server.model.ids import bucket_of, derived_id
from fhir_server.record import Stored, Writer

Tree = dict[str, Any]

_KIND_AT = 2
"""Where a key says whose number follows: `FILL` or `PLAC`."""
_OWN = frozenset({"versionId", "lastUpdated"})


def known_id(writer: Writer, key: Key, placer_number: str, patient: str) -> str:
    """Return the id of what is filed under *key*, or under the placer's number; else a new one."""
    keys = [key]
    if key[_KIND_AT] == "FILL" and placer_number:
        keys.append((*key[:_KIND_AT], "PLAC", placer_number, *key[_KIND_AT + 2 :]))
    bucket = bucket_of(patient)
    ids = [derived_id(writer.id_key, *one, bucket=bucket) for one in keys]
    writer.look_up(key[0], ids)
    known = (id_ for id_ in ids if writer.current(key[0], id_) is not None)
    return next(known, ids[0])


def content_with_tags(stored: Stored) -> Tree:
    """Return the content of *stored*: all but what the server writes itself, its tags too."""
    tree: Tree = json.decode(stored.body)
    meta = {name: part for name, part in tree.pop("meta", {}).items() if name not in _OWN}
    del tree["id"]
    return tree | ({"meta": meta} if meta else {})


def with_identifiers(tree: Tree, known: Tree) -> Tree:
    """Return *tree* with the identifiers of *known* that it leaves out."""
    own = tree.get("identifier", [])
    kept = [one for one in known.get("identifier", ()) if one not in own]
    return tree | {"identifier": [*own, *kept]}
