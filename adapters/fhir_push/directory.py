"""Organisations and people at work in a Bundle, to entries of the directory that all share.

One with an identifier becomes an entry, under the key that HL7 v2 messages give it; one with a name
alone stays a name. Only what belongs into a directory goes there: it is nobody's record, and what a
sender writes beside may be about a patient.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from adapters.fhir_push.bundle import Entry
from adapters.fhir_push.references import Index, Rewriting, rewritten
from adapters.fhir_push.rules import DIRECTORY_TYPES
from adapters.fhir_push.setting import Setting
from adapters.hl7v2.conversion import Key, Made
from fhir_server.model.identifiers import (
    GMC_NUMBER,
    GMP_NUMBER,
    HCPC_NUMBER,
    NMC_NUMBER,
    ODS_ORGANIZATION,
    SDS_USER,
)

Tree = dict[str, Any]

_FIRST: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Organization": (ODS_ORGANIZATION,),
        "Practitioner": (GMC_NUMBER, GMP_NUMBER, NMC_NUMBER, HCPC_NUMBER, SDS_USER),
    }
)
"""The systems by whose numbers an entry is known, the best first."""
_KEPT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Organization": ("identifier", "type", "name", "alias", "telecom", "address"),
        "Practitioner": ("identifier", "name", "telecom", "qualification"),
        "PractitionerRole": ("practitioner", "organization", "code", "specialty", "telecom"),
    }
)


def keys_of(entries: "list[Entry]", index: Index, authority: str) -> dict[int, Key]:
    """Return the keys of the directory's entries, by number; one that has none is left out."""
    found: dict[int, Key] = {}
    for entry in entries:
        if entry.type in _FIRST and (parts := _number(entry, authority)):
            found[entry.number] = (entry.type, *parts)
    for entry in entries:
        if entry.type == "PractitionerRole" and (parts := _role(entry, index, found)):
            found[entry.number] = (entry.type, *parts)
    return found


def directory_of(setting: Setting) -> tuple[tuple[Made, ...], tuple[Made, ...]]:
    """Return the organisations, and the people with their roles, each once."""
    made: dict[Key, Made] = {}
    for entry in setting.entries:
        key = setting.rewriting.keys.get(entry.number)
        if entry.type in DIRECTORY_TYPES and key is not None:
            made.setdefault(key, Made(key, _tree(entry, setting.rewriting)))
    organizations = [one for one in made.values() if one.key[0] == "Organization"]
    people = [one for one in made.values() if one.key[0] == "Practitioner"]
    roles = [one for one in made.values() if one.key[0] == "PractitionerRole"]
    return tuple(organizations), (*people, *roles)


def _tree(entry: Entry, rewriting: Rewriting) -> Tree:
    kept = {name: entry.tree[name] for name in _KEPT[entry.type] if name in entry.tree}
    return {"resourceType": entry.type, **rewritten(kept, entry, rewriting)}


def _number(entry: Entry, authority: str) -> tuple[str, ...]:
    """Return the number by which an entry is known, with its system or else who sent it."""
    identifiers = [one for one in entry.tree.get("identifier", ()) if one.get("value")]
    order = _FIRST[entry.type]

    def rank(identifier: Tree) -> int:
        system = identifier.get("system", "")
        if system in order:
            return order.index(system)
        return len(order) + (not system)

    best = min(identifiers, key=rank, default=None)
    if best is None:
        return ()
    return (best["system"], best["value"]) if "system" in best else (authority, "", best["value"])


def _role(entry: Entry, index: Index, found: Mapping[int, Key]) -> tuple[str, ...]:
    """Return what parts one role from another: who, for whom, as what."""
    person = _target(entry, "practitioner", index, found)
    if not person or person[0] != "Practitioner":
        return ()
    organization = _target(entry, "organization", index, found)
    codes = [
        coding.get("code", "")
        for concept in entry.tree.get("code", ())[:1]
        for coding in concept.get("coding", ())[:1]
    ]
    return (*person[1:], *organization[1:], *filter(None, codes))


def _target(entry: Entry, element: str, index: Index, found: Mapping[int, Key]) -> Key:
    reference = entry.tree.get(element, {}).get("reference", "")
    target = index.target(reference, entry) if reference else None
    return found.get(target.number, ()) if target is not None else ()
