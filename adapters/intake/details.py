"""What a message says of a person beside what is stored: silence changes nothing.

An empty field is not said; two quotation marks take a value away. Numbers are added and never
taken away, and none that was retired counts again; a birth date is never changed, and nobody comes
back to life. Source: HL7 v2.8 chapter 2, 2.6; HL7 UK A.3.
"""

from typing import Any

from adapters.hl7v2.adt_fields import ELEMENTS, Element
from adapters.hl7v2.conversion import Tree
from adapters.hl7v2.demographics import Demographics
from adapters.hl7v2.pid_to_patient import RESTRICTED


def changed(known: Tree, sent: Tree, content: Demographics) -> tuple[Tree, tuple[str, ...]]:
    """Return the Patient *known* as *sent*, a Patient too, changes it; and flags for a person.

    Both are contents without id; *content* says which fields were emptied.
    """
    tree = dict(known)
    identifiers = _identifiers(known.get("identifier", []), sent.get("identifier", []))
    if identifiers:
        tree["identifier"] = identifiers
    for element in ELEMENTS:
        _change(tree, sent, element, content.deleted)
    if "multipleBirthInteger" in tree and "multipleBirthBoolean" in tree:
        stale = "Boolean" if "multipleBirthInteger" in sent else "Integer"
        del tree[f"multipleBirth{stale}"]
    for name in ("birthDate", "_birthDate"):
        if name in sent:
            tree[name] = sent[name]
    _protect(tree, content)
    return tree, _die(tree, sent, content)


def _identifiers(known: list[Tree], sent: list[Tree]) -> list[Tree]:
    """Return what is known, each as it was sent last, and what is new behind it.

    A number that was retired stays so: only a merge, or a change of number, says which one counts.
    """
    retired = {_whose(one) for one in known if one.get("use") == "old"}
    numbers = {_number(one): one for one in known}
    numbers |= {_number(one): one for one in sent if _whose(one) not in retired}
    return list(numbers.values())


def _whose(identifier: Tree) -> tuple[str, ...]:
    """Return a number with who gave it out, whatever kind of number it is called."""
    assigner = identifier.get("assigner", {}).get("display", "")
    return identifier.get("system", ""), assigner, identifier.get("value", "")


def _number(identifier: Tree) -> tuple[str, ...]:
    assigner = identifier.get("assigner", {}).get("display", "")
    coded = identifier.get("type", {}).get("coding", ({},))
    kind = coded[0].get("code", "") if coded else ""
    return identifier.get("system", ""), assigner, kind, identifier.get("value", "")


def _change(tree: Tree, sent: Tree, element: Element, deleted: frozenset[str]) -> None:
    """Put what is *sent* of *element* in the place of what is known of it, in *tree*."""
    known, said = _entries(tree, element), _entries(sent, element)
    if element.name == "address" and known and all(one.keys() == {"district"} for one in said):
        said = []  # a county is a part of an address, and no address by itself
    if said:
        slots = {element.slot(one) for one in said}
        now = [*(one for one in known if element.slot(one) not in slots), *said]
    elif deleted.intersection(element.fields):
        now = []
    else:
        return
    _put(tree, element, now)


def _entries(tree: Tree, element: Element) -> list[Any]:
    value = tree.get(element.name)
    if not isinstance(value, list):
        return [] if value is None else [value]
    return [one for one in value if _is_of(one, element)]


def _is_of(entry: Tree, element: Element) -> bool:
    return element.holds(entry) and (not element.url or entry.get("url") == element.url)


def _put(tree: Tree, element: Element, now: list[Any]) -> None:
    before = tree.pop(element.name, None)
    if element.name in _SINGLE:
        if now:
            tree[element.name] = now[-1]
        return
    others = [one for one in before or () if not _is_of(one, element)]
    if others or now:
        tree[element.name] = [*others, *now]


_SINGLE = frozenset({"gender", "maritalStatus", "multipleBirthBoolean", "multipleBirthInteger"})


def _protect(tree: Tree, content: Demographics) -> None:
    restricted = False if "PD1-12" in content.deleted else content.person.restricted
    if restricted is None:
        return
    labels = [one for one in tree.get("meta", {}).get("security", ()) if one != RESTRICTED]
    if restricted:
        labels.append(dict(RESTRICTED))
    tree.pop("meta", None)
    if labels:
        tree["meta"] = {"security": labels}


def is_dead(known: Tree) -> bool:
    """Tell whether a Patient is known to have died."""
    return "deceasedDateTime" in known or known.get("deceasedBoolean") is True


def _die(tree: Tree, sent: Tree, content: Demographics) -> tuple[str, ...]:
    """Put what is said of a death into *tree*; return a flag where one would be taken back."""
    if content.denies_death and is_dead(tree):
        return (f"death-denied {content.denies_death}",)
    if "deceasedDateTime" in sent:
        tree.pop("deceasedBoolean", None)
        tree["deceasedDateTime"] = sent["deceasedDateTime"]
    elif "deceasedBoolean" in sent and "deceasedDateTime" not in tree:
        tree["deceasedBoolean"] = sent["deceasedBoolean"]
    return ()
