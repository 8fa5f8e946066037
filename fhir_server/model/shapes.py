"""What a FHIR type is made of, as values: its elements in the specification's order.

https://hl7.org/fhir/R4/elementdefinition.html, cut down to what JSON needs.
"""

from dataclasses import dataclass
from typing import Any

Tree = dict[str, Any]
"""A resource or an element as JSON: str, bool, int, Decimal, list and dict; never a float."""

PRIMITIVE_EXTENSION = "FHIRPrimitiveExtension"
"""The shape of what may stand in `_name`: an id, extensions."""

RESOURCE = "Resource"
"""The kind of an element that holds a whole resource, judged by its own `resourceType`."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type."""

    name: str
    """As in JSON: `status`, `valueQuantity`."""
    kind: str
    """A primitive (`code`), a shape's name (`Reference`, `ObservationComponent`), or `RESOURCE`."""
    many: bool
    required: bool
    """At least one; a primitive may lack its value if `_name` has an extension that says why."""
    extensible: bool
    """Whether `_name` may stand beside it: true for primitives but for ids and `Extension.url`."""
    codes: frozenset[str]
    """What a required binding allows; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An element with a choice of types, `value[x]`: at most one alternative, or exactly one."""

    name: str
    alternatives: tuple[str, ...]
    required: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """A resource type, a data type, or a part of one."""

    name: str
    """FHIR's name; a part is named by its way: `ObservationComponent`."""
    resource: bool
    elements: tuple[Element, ...]
    choices: tuple[Choice, ...]
