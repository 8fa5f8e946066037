"""The invariants of FHIR R4 that structure can't express.

The rules are data, by shape: `datatype_rules`, `resource_rules`, `answer_rules`. Here a canonical
tree is walked once and each element is held against the rules of its shape, against ele-1 (no empty
element), and, for a whole resource, against what FHIR says of `contained` (dom-2 to dom-5, ref-1).

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

from fhir_server.errors import Issue
from fhir_server.model.answer_rules import ANSWER_RULES
from fhir_server.model.datatype_rules import DATATYPE_RULES
from fhir_server.model.narrative import complaints
from fhir_server.model.primitives import PRIMITIVES
from fhir_server.model.r4 import shape
from fhir_server.model.resource_rules import RESOURCE_RULES
from fhir_server.model.rules import Rule
from fhir_server.model.shapes import PRIMITIVE_EXTENSION, RESOURCE, Tree

RULES: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {**DATATYPE_RULES, **RESOURCE_RULES, **ANSWER_RULES}
)
"""Shape to the rules that each element of it must keep."""


@dataclass(slots=True)
class _Walk:
    """What is found on the way through one resource and those contained in it."""

    issues: list[Issue] = field(default_factory=list)
    local: list[tuple[str, str]] = field(default_factory=list)
    """Path and target of each reference to `#…`."""


def broken(tree: Tree, name: str, path: str = "") -> list[Issue]:
    """Return an issue for each invariant that *tree* breaks.

    *tree* is canonical: it has the structure of resource type *name*, and so have the resources
    inside it. *path* is its FHIRPath where it is not the root.
    """
    if _is_sound(tree, name):
        return []
    path = path or name
    walk = _Walk()
    _visit(tree, name, path, walk)
    if walk.local or "contained" in tree:
        walk.issues.extend(_containment_issues(tree, path, walk.local))
    return walk.issues


def _is_sound(node: Tree, kind: str) -> bool:
    """Tell whether nothing in *node* breaks a rule, as far as that shows without a path.

    Where it does not, or where something can only be judged with the rest, `_visit` finds out.
    """
    rules, children, names = _quick_plan(kind)
    if len(node) < 2 and (not node or "id" in node):
        return False
    for holds in rules:
        if not holds(node):
            return False
    if names.isdisjoint(node):
        return True
    for name, value in node.items():
        inner = children.get(name)
        if inner is not None:
            for one in value if type(value) is list else (value,):
                if one is not None and not _is_sound(one, inner):
                    return False
    return True


def _visit(node: Tree, kind: str, path: str, walk: _Walk) -> None:
    rules, children = _plan(kind)
    if len(node) < 2 and (not node or "id" in node):
        walk.issues.append(_issue(path, "must have a value or elements (ele-1)."))
    for rule in rules:
        if not rule.holds(node):
            where = f"{path}.{rule.at}" if rule.at else path
            walk.issues.append(Issue("invariant", f"{path} {rule.text} ({rule.key}).", where))
    for key, value in node.items():
        inner = children.get(key)
        if inner is None:
            continue
        visit = _SPECIAL.get(inner, _visit)
        if isinstance(value, list):
            for index, one in enumerate(value):
                if one is not None:
                    visit(one, inner, f"{path}.{key}[{index}]", walk)
        else:
            visit(value, inner, f"{path}.{key}", walk)


def _visit_resource(node: Tree, _: str, path: str, walk: _Walk) -> None:
    kind = node["resourceType"]
    if path.rpartition(".")[2].startswith("contained["):
        _visit(node, kind, path, walk)
    else:
        walk.issues.extend(broken(node, kind, path))


def _visit_reference(node: Tree, kind: str, path: str, walk: _Walk) -> None:
    target = node.get("reference", "")
    if target.startswith("#"):
        walk.local.append((path, target))
    _visit(node, kind, path, walk)


def _visit_narrative(node: Tree, kind: str, path: str, walk: _Walk) -> None:
    for words in complaints(node.get("div", "")) if "div" in node else ():
        walk.issues.append(_issue(f"{path}.div", f"{words}."))
    _visit(node, kind, path, walk)


_SPECIAL: Mapping[str, Callable[[Tree, str, str, _Walk], None]] = MappingProxyType(
    {
        RESOURCE: _visit_resource,
        "Reference": _visit_reference,
        "Narrative": _visit_narrative,
    }
)


def _issue(path: str, words: str) -> Issue:
    return Issue("invariant", f"{path} {words}", path)


@cache
def _plan(name: str) -> tuple[tuple[Rule, ...], Mapping[str, str]]:
    """Return the rules of shape *name*, and the kinds of its elements that have elements."""
    about = shape(name)
    children = {
        element.name: element.kind for element in about.elements if element.kind not in PRIMITIVES
    }
    children |= {
        f"_{element.name}": PRIMITIVE_EXTENSION for element in about.elements if element.extensible
    }
    return RULES.get(name, ()), MappingProxyType(children)


@cache
def _quick_plan(
    name: str,
) -> tuple[tuple[Callable[[Tree], bool], ...], dict[str, str], frozenset[str]]:
    """Return what `_plan` does, in the form that is quickest to walk by.

    What has to be judged with its path, or with the rest of the resource, is never sound here.
    """
    if name in {RESOURCE, "Narrative"}:
        return (lambda _: False,), {}, frozenset()
    rules, children = _plan(name)
    tests = tuple(rule.holds for rule in rules)
    if name == "Reference":
        tests = (*tests, lambda node: not node.get("reference", "").startswith("#"))
    return tests, dict(children), frozenset(children)


def _containment_issues(tree: Tree, path: str, local: list[tuple[str, str]]) -> Iterator[Issue]:
    contained = tree.get("contained", [])
    ids = Counter(inner.get("id") for inner in contained)
    targets = {target.removeprefix("#") for _, target in local}
    refer_back = {
        where[: where.index("]", len(path) + len(".contained[")) + 1]
        for where, target in local
        if target == "#" and where.startswith(f"{path}.contained[")
    }
    for where, target in local:
        if target != "#" and target.removeprefix("#") not in ids:
            yield _issue(where, "must refer to a resource that is contained (ref-1).")
    for index, inner in enumerate(contained):
        where = f"{path}.contained[{index}]"
        meta = inner.get("meta", {})
        if ids[inner.get("id")] > 1:
            yield _issue(f"{where}.id", "can't be the id of two contained resources.")
        if "contained" in inner:
            yield _issue(where, "can't contain resources itself (dom-2).")
        if inner.get("id") not in targets and where not in refer_back:
            yield _issue(where, "must be referred to by the resource that contains it (dom-3).")
        if "versionId" in meta or "lastUpdated" in meta:
            yield _issue(f"{where}.meta", "can't have a versionId or lastUpdated (dom-4).")
        if "security" in meta:
            yield _issue(f"{where}.meta", "can't have a security label (dom-5).")
