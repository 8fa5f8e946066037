"""Judging a resource: structure, required codes and invariants of FHIR R4, all in one call."""

from typing import Any

from fhir_server.errors import Issue, Unprocessable
from fhir_server.model import json
from fhir_server.model.faults import faults
from fhir_server.model.invariants import broken
from fhir_server.model.r4 import JUDGED_TYPES, PART_TYPES, SERVED_TYPES
from fhir_server.model.shapes import Tree
from fhir_server.model.structures import reordered

__all__ = ["JUDGED_TYPES", "SERVED_TYPES", "Tree", "judge"]

_LARGE = 65_536
"""Bytes from which a tree is looked through itself: it holds a document."""
_INSIDE = frozenset({"contained", "entry"})
_CONTAINABLE = SERVED_TYPES | PART_TYPES


def judge(content: bytes | str | Tree, expected_type: str | None = None) -> Tree:
    """Return the canonical tree of *content*, a whole resource, or raise what is wrong with it.

    The canonical tree is a new one: `resourceType` first, elements in the specification's order,
    numbers with the sender's digits. Nothing is added, repaired or left out.

    Raises `Invalid` for content that is not JSON or not exact (see `json.decode`), and its kind
    `Unprocessable` with one issue for each fault, `expression` the FHIRPath of the culprit: for a
    type that is not judged here or not *expected_type*, for all that is wrong with structure and
    required codes, and, once those are right, for every invariant broken.

    https://hl7.org/fhir/R4/validation.html
    """
    tree = json.decode(content) if isinstance(content, bytes | str) else _as_decoded(content)
    if not isinstance(tree, dict):
        raise Unprocessable.of("A resource must be a JSON object.", code="structure")
    name = tree.get("resourceType")
    if not isinstance(name, str):
        raise Unprocessable.of("resourceType is missing.", "resourceType", code="required")
    if expected_type is not None and name != expected_type:
        raise Unprocessable.of(
            f"The resource must be of type {expected_type}.", "resourceType", code="invalid"
        )
    if name not in JUDGED_TYPES:
        raise Unprocessable.of(
            "This type of resource is not known here.", "resourceType", code="not-supported"
        )
    issues: list[Issue] = []
    canonical = _structured(tree, name, name, issues)
    if not issues:
        issues.extend(broken(canonical, name))
    if issues:
        raise Unprocessable(*issues)
    return canonical


def _as_decoded(tree: Tree) -> Tree:
    """Return *tree* as it would be decoded: itself, where that is sure to make no difference.

    Resources inside are not made anew by the Struct of the whole, and so are decoded anew.
    """
    raw = json.encode(tree)
    if type(tree) is dict and _INSIDE.isdisjoint(tree):
        is_sure = json.is_plain(raw) if len(raw) < _LARGE else json.is_exact(tree)
        if is_sure:
            return tree
    decoded: Tree = json.decode(raw)
    return decoded


def _structured(tree: Tree, name: str, path: str, issues: list[Issue]) -> Tree:
    """Return *tree* and what is inside it in canonical order, adding to *issues* what is wrong."""
    canonical = reordered(tree, name)
    if canonical is None:
        issues.extend(faults(tree, name, path))
        canonical = tree
        if not issues:
            issues.append(Issue("structure", f"{path} has not the structure of {name}.", path))
    contained = canonical.get("contained")
    if isinstance(contained, list):
        canonical["contained"] = [
            _inside(inner, _CONTAINABLE, f"{path}.contained[{index}]", issues)
            for index, inner in enumerate(contained)
        ]
    if name == "Bundle" and isinstance(canonical.get("entry"), list):
        for index, entry in enumerate(canonical["entry"]):
            _judge_entry(entry, f"{path}.entry[{index}]", issues)
    return canonical


def _judge_entry(entry: Any, path: str, issues: list[Issue]) -> None:
    if not isinstance(entry, dict):
        return
    if "resource" in entry:
        entry["resource"] = _inside(entry["resource"], JUDGED_TYPES, f"{path}.resource", issues)
    response = entry.get("response")
    if isinstance(response, dict) and "outcome" in response:
        outcome = f"{path}.response.outcome"
        response["outcome"] = _inside(response["outcome"], JUDGED_TYPES, outcome, issues)


def _inside(tree: Any, allowed: frozenset[str], path: str, issues: list[Issue]) -> Any:
    if not isinstance(tree, dict):
        return tree
    name = tree.get("resourceType")
    if not isinstance(name, str) or name not in allowed:
        issues.append(
            Issue("structure", f"{path} must be a resource of a type that may stand there.", path)
        )
        return tree
    return _structured(tree, name, path, issues)
