"""Valid resources of every type, and the oracle: the models of fhir.resources themselves."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhir_server.errors import Invalid
from fhir_server.model import json
from fhir_server.model.primitives import PRIMITIVES
from fhir_server.model.r4 import JUDGED_TYPES, shape
from fhir_server.model.shapes import RESOURCE, Element, Shape
from fhir_server.model.validate import judge

_SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture(scope="session")
def sample_bytes() -> Mapping[str, bytes]:
    """A valid resource of each judged type, as compact JSON in the specification's order."""
    return MappingProxyType(
        {
            path.stem: path.read_bytes().replace(b"\n", b"")
            for path in sorted(_SAMPLES.glob("*.json"))
        }
    )


@pytest.fixture(scope="session")
def sample(sample_bytes: Mapping[str, bytes]) -> Callable[..., dict[str, Any]]:
    """Make a fresh valid tree of a type, with elements changed; None takes an element out."""

    def make(name: str, /, **changes: Any) -> dict[str, Any]:
        tree = json.decode(sample_bytes[name])
        for element, value in changes.items():
            if value is None:
                tree.pop(element, None)
            else:
                tree[element] = deepcopy(value)
        return tree

    return make


@pytest.fixture(scope="session")
def faults_of() -> Callable[..., list[tuple[str, str, str]]]:
    """Judge content and return code, text and expression of each issue; none if it is accepted."""

    def find(content: Any) -> list[tuple[str, str, str]]:
        try:
            judge(content)
        except Invalid as refusal:
            return [(issue.code, issue.text, issue.expression) for issue in refusal.issues]
        return []

    return find


@pytest.fixture(scope="session")
def breaks(
    sample: Callable[..., dict[str, Any]], faults_of: Callable[..., list[tuple[str, str, str]]]
) -> Callable[..., list[str]]:
    """Change a valid resource and return where it breaks the invariant of a key."""

    def find(key: str, name: str, changes: dict[str, Any]) -> list[str]:
        return [
            expression
            for code, text, expression in faults_of(sample(name, **changes))
            if code == "invariant" and text.endswith(f"({key}).")
        ]

    return find


@pytest.fixture(scope="session")
def oracle_refuses() -> Callable[[dict[str, Any]], bool]:
    """Tell whether fhir.resources refuses a tree."""

    def refuses(tree: dict[str, Any]) -> bool:
        try:
            get_fhir_model_class(tree["resourceType"]).model_validate(deepcopy(tree))
        except (ValueError, TypeError, KeyError, AttributeError, ImportError):
            return True
        return False

    return refuses


@pytest.fixture(scope="session")
def all_shapes() -> Mapping[str, Shape]:
    """Every shape that a judged type can lead to."""
    found: dict[str, Shape] = {}
    waiting = sorted(JUDGED_TYPES)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = shape(name)
            waiting += [kind for kind in _kinds(found[name].elements) if kind not in found]
    return MappingProxyType(found)


def _kinds(elements: tuple[Element, ...]) -> Iterator[str]:
    for element in elements:
        if element.kind not in PRIMITIVES and element.kind != RESOURCE:
            yield element.kind
