"""What is wrong with the structure of a tree, said fault by fault with its FHIRPath.

The same rules as `fhir_server.model.structures`, which is fast and only says yes or no; this walks
the tree when the answer was no. A test holds the two to the same judgement. No text repeats
content: an unknown element is named only where its name could be an element's.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from fhir_server.errors import Issue
from fhir_server.model.primitives import PRIMITIVES, whole
from fhir_server.model.r4 import shape
from fhir_server.model.shapes import PRIMITIVE_EXTENSION, RESOURCE, Choice, Element, Shape

_ELEMENT_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")
_MOST_CODES_NAMED = 12


def faults(tree: Any, name: str, path: str) -> Iterator[Issue]:
    """Yield what keeps *tree* from being of type *name*; *path* is its FHIRPath.

    Resources inside (`contained`, `Bundle.entry.resource`) have to be objects; their own
    structure is judged by whoever calls.
    """
    if not isinstance(tree, dict):
        yield Issue("structure", f"{path} must be an object.", path)
        return
    about = shape(name)
    if about.resource and tree.get("resourceType") != name:
        yield Issue("structure", f"{path}.resourceType must be {name}.", f"{path}.resourceType")
    known = {element.name for element in about.elements}
    known |= {f"_{element.name}" for element in about.elements if element.extensible}
    known |= {"resourceType"} if about.resource else set()
    for key in tree:
        if key not in known:
            yield _unknown(key, path)
    for element in about.elements:
        yield from _element_faults(tree, element, path)
    for choice in about.choices:
        yield from _choice_faults(tree, about, choice, path)
    if name == PRIMITIVE_EXTENSION and not tree.keys() & {"id", "extension"}:
        yield Issue("structure", f"{path} must have an id or an extension.", path)


def _unknown(key: str, path: str) -> Issue:
    if _ELEMENT_NAME.fullmatch(key):
        return Issue("structure", f"{path} has no element '{key}' in FHIR R4.", f"{path}.{key}")
    return Issue("structure", f"{path} holds something whose name no element of FHIR R4 has.", path)


def _element_faults(tree: dict[str, Any], element: Element, path: str) -> Iterator[Issue]:
    where = f"{path}.{element.name}"
    beside = f"_{element.name}"
    if element.extensible and beside in tree:
        yield from _value_faults(tree[beside], element, where, PRIMITIVE_EXTENSION)
    if element.name in tree:
        yield from _value_faults(tree[element.name], element, where, element.kind)
        yield from _alignment_faults(tree, element, where)
    elif element.required and not _has_reason(tree, element):
        yield Issue("required", f"{where} is missing.", where)
    elif element.many and _has_gap(tree.get(beside)):
        yield Issue("structure", f"{where} has a gap: a null with nothing beside it.", where)


def _has_reason(tree: dict[str, Any], element: Element) -> bool:
    """Tell whether an extension stands for a required primitive that has no value."""
    beside = tree.get(f"_{element.name}") if element.extensible and not element.many else None
    return isinstance(beside, dict) and "extension" in beside


def _has_gap(beside: Any) -> bool:
    return isinstance(beside, list) and None in beside


def _value_faults(value: Any, element: Element, where: str, kind: str) -> Iterator[Issue]:
    if not element.many:
        yield from _single_faults(value, element, where, kind)
    elif not isinstance(value, list):
        yield Issue("structure", f"{where} repeats, so it must be an array.", where)
    elif not value:
        yield Issue("structure", f"{where} is an empty array; leave it out.", where)
    else:
        may_have_gaps = kind in PRIMITIVES or kind == PRIMITIVE_EXTENSION
        for index, one in enumerate(value):
            if one is not None or not may_have_gaps:
                yield from _single_faults(one, element, f"{where}[{index}]", kind)


def _single_faults(value: Any, element: Element, where: str, kind: str) -> Iterator[Issue]:
    if value is None:
        yield Issue("structure", f"{where} is null; leave it out.", where)
    elif isinstance(value, list):
        yield Issue("structure", f"{where} must be a single value, not an array.", where)
    elif kind == RESOURCE:
        if not isinstance(value, dict):
            yield Issue("structure", f"{where} must be a resource.", where)
    elif kind not in PRIMITIVES:
        yield from faults(value, kind, where)
    elif element.codes and not (isinstance(value, str) and value in element.codes):
        yield _unknown_code(element, where)
    elif not element.codes and not _fits(value, kind):
        yield Issue("value", f"{where} must be {PRIMITIVES[kind].says}.", where)


def _unknown_code(element: Element, where: str) -> Issue:
    text = f"{where} must be a code that FHIR R4 allows there."
    if len(element.codes) <= _MOST_CODES_NAMED:
        text = f"{where} must be one of: {', '.join(sorted(element.codes))}."
    return Issue("code-invalid", text, where)


def _fits(value: Any, kind: str) -> bool:
    about = PRIMITIVES[kind]
    if about.python is Decimal:
        return isinstance(value, int | Decimal) and not isinstance(value, bool)
    if type(value) is not about.python:
        return False
    if isinstance(value, str):
        long_enough = about.longest is None or 0 < len(value) <= about.longest
        return long_enough and re.search(whole(about.pattern or "(?s:.*)"), value) is not None
    if about.low is None or about.high is None:
        return True
    return isinstance(value, int) and about.low <= value <= about.high


def _alignment_faults(tree: dict[str, Any], element: Element, where: str) -> Iterator[Issue]:
    """Yield what is wrong between an array of primitives and the array beside it (R4, JSON)."""
    values = tree[element.name]
    if not element.many or not isinstance(values, list) or element.kind not in PRIMITIVES:
        return
    beside = tree.get(f"_{element.name}") if element.extensible else None
    if not isinstance(beside, list):
        beside = [None] * len(values)
    if len(values) != len(beside):
        yield Issue("structure", f"{where} and _{element.name} must be equally long.", where)
        return
    for index, (value, aside) in enumerate(zip(values, beside, strict=True)):
        if value is None and aside is None:
            text = f"{where}[{index}] is null and has nothing beside it."
            yield Issue("structure", text, f"{where}[{index}]")


def _choice_faults(
    tree: dict[str, Any], about: Shape, choice: Choice, path: str
) -> Iterator[Issue]:
    extensible = {element.name for element in about.elements if element.extensible}
    values = [name for name in choice.alternatives if name in tree]
    present = [
        name
        for name in choice.alternatives
        if name in tree or (name in extensible and f"_{name}" in tree)
    ]
    where = f"{path}.{choice.name}"
    if len(present) > 1:
        yield Issue(
            "structure",
            f"{where}[x] can have one type only; {' and '.join(present)} are given.",
            where,
        )
    elif choice.required and not values:
        yield Issue("required", f"{where}[x] is missing.", where)
