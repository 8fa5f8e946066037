"""Patient.link: who was merged into whom, as the resources say it. Pure.

https://hl7.org/fhir/R4/patient-definitions.html#Patient.link
"""

from collections.abc import Sequence

from fhir_server.model.ids import is_id
from fhir_server.model.shapes import Tree

REPLACED_BY, REPLACES = "replaced-by", "replaces"


def retired(tree: Tree, survivor: str) -> Tree:
    """Return a Patient as retired in favour of *survivor* (an id)."""
    return _linked(tree | {"active": False}, survivor, REPLACED_BY)


def surviving(tree: Tree, merged: Tree) -> Tree:
    """Return a Patient that takes the place of *merged*, whose numbers it keeps as old ones."""
    known = [_number(one) for one in tree.get("identifier", ())]
    old = [
        {**one, "use": "old"} for one in merged.get("identifier", ()) if _number(one) not in known
    ]
    if old:
        tree = tree | {"identifier": [*tree.get("identifier", ()), *old]}
    return _linked(tree, str(merged["id"]), REPLACES)


def standing(tree: Tree) -> Tree:
    """Return a retired Patient as it stands for itself again."""
    return _unlinked(tree, REPLACED_BY, other(tree, REPLACED_BY)) | {"active": True}


def without(tree: Tree, merged: str, numbers: Sequence[Tree]) -> Tree:
    """Return a Patient without the link to *merged* (an id) and the *numbers* it brought."""
    brought = {_number(one) for one in numbers}
    kept = [
        one
        for one in tree.get("identifier", ())
        if one.get("use") != "old" or _number(one) not in brought
    ]
    rest = {
        name: value
        for name, value in _unlinked(tree, REPLACES, merged).items()
        if name != "identifier"
    }
    return rest | ({"identifier": kept} if kept else {})


def other(tree: Tree, kind: str) -> str:
    """Return the id of the first Patient to which a link of this kind points; empty for none."""
    return next(iter(others(tree, kind)), "")


def others(tree: Tree, kind: str) -> list[str]:
    """Return the ids of the Patients to which links of this kind point."""
    return [one for link in tree.get("link", ()) if (one := _points(link, kind))]


def _linked(tree: Tree, target: str, kind: str) -> Tree:
    link = {"other": {"reference": f"Patient/{target}"}, "type": kind}
    return tree | {"link": [*tree.get("link", ()), link]}


def _unlinked(tree: Tree, kind: str, target: str) -> Tree:
    kept = [one for one in tree.get("link", ()) if _points(one, kind) != target]
    rest = {name: value for name, value in tree.items() if name != "link"}
    return rest | ({"link": kept} if kept else {})


def _points(link: Tree, kind: str) -> str:
    id_ = str(link.get("other", {}).get("reference", "")).removeprefix("Patient/")
    return id_ if link.get("type") == kind and is_id(id_) else ""


def _number(identifier: Tree) -> tuple[str, ...]:
    assigner = identifier.get("assigner", {}).get("display", "")
    return identifier.get("system", ""), assigner, identifier.get("value", "")
