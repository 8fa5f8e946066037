"""A Bundle taken apart for a person's eyes: its entries and their elements, by FHIRPath.

Pure, and for looking only: what could not be filed is taken apart as far as it can be read.
"""

from collections.abc import Iterator
from typing import Any

from adapters.fhir_push.bundle import opened
from adapters.hl7v2.anatomy import LONGEST, Anatomy, Field, Part
from adapters.hl7v2.refusal import Refused

MOST_ENTRIES = 200
"""Entries that are taken apart; the message as it came shows all."""
_MOST_FIELDS = 200


def anatomy(raw: bytes, blamed: str = "") -> Anatomy:
    """Return the parts of the Bundle in *raw*; *blamed* is the FHIRPath in a fault."""
    try:
        tree = opened(raw)
    except Refused as refused:
        return Anatomy((), refused.text)
    if not isinstance(tree, dict):
        return Anatomy((), "It is no object.")
    entries = tree.get("entry")
    shown = entries if isinstance(entries, list) else []
    own = {name: part for name, part in tree.items() if part is not shown}
    parts = [_part(own, "Bundle", "", blamed)]
    for number, entry in enumerate(shown[:MOST_ENTRIES]):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        name = resource.get("resourceType") if isinstance(resource, dict) else ""
        where = f"Bundle.entry[{number}]"
        parts.append(_part(entry, where, name if isinstance(name, str) else "", blamed))
    return Anatomy(tuple(parts), more=max(0, len(shown) - MOST_ENTRIES))


def _part(value: Any, where: str, name: str, blamed: str) -> Part:
    own = _relative(blamed, where)
    fields = []
    for path, text in _leaves(value, ""):
        fields.append(_field(where, path, (text,), blamed=_is_in(path, own)))
        if len(fields) == _MOST_FIELDS:
            break
    if own and not any(field.blamed for field in fields):
        fields.append(_field(where, own, (), blamed=True))
    return Part(where, name, tuple(fields), bool(own) or blamed == where)


def _field(where: str, path: str, values: tuple[str, ...], *, blamed: bool) -> Field:
    return Field(f"{where}.{path}", path.removeprefix("resource."), values, blamed)


def _relative(blamed: str, where: str) -> str:
    """Return the path of what is blamed below *where*; empty where it is not there."""
    rest = blamed.removeprefix(f"{where}.")
    is_entry = where == "Bundle" and rest.startswith("entry")
    return "" if rest == blamed or is_entry else rest


def _is_in(path: str, blamed: str) -> bool:
    return bool(blamed) and (path == blamed or path.startswith((f"{blamed}.", f"{blamed}[")))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _leaves(child, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _leaves(child, f"{path}[{number}]")
    else:
        text = str(value).lower() if isinstance(value, bool) or value is None else str(value)
        long = f"{text[:LONGEST]}… ({len(text)} characters)"
        yield path, text if len(text) <= LONGEST else long
