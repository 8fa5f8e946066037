"""Shapes compiled into msgspec Structs: the fast answer to "has it the structure of this type?".

Each Struct has the elements of its shape in the specification's order, their cardinalities, their
patterns and required codes; it refuses unknown elements, `null`, empty arrays and values of another
JSON type. What the type of one field can't say (choice of types, required primitives that may be an
extension, arrays that stand beside their `_name`) is checked when the Struct is made. The Structs
only say yes or no; `fhir_server.model.faults` finds the words.
"""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from functools import cache
from keyword import iskeyword
from operator import attrgetter
from threading import Lock
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from fhir_server.model.primitives import PRIMITIVES, whole
from fhir_server.model.r4 import shape
from fhir_server.model.shapes import PRIMITIVE_EXTENSION, RESOURCE, Choice, Element, Shape, Tree

_Check = Callable[[Struct], bool]
_NATIVE = (Decimal,)
_COMPILING = Lock()


def reordered(tree: Tree, name: str) -> Tree | None:
    """Return *tree* in the specification's order if it has the structure of type *name*, else None.

    Numbers come back as they are, with their digits. Resources inside
    (`contained`, `Bundle.entry.resource`) come back as they are, not judged.
    """
    # Hardly any resource has a primitive with an extension: the smaller Structs know none.
    for bare in (True, False):
        try:
            struct = msgspec.convert(tree, _compiled(name, bare=bare), builtin_types=_NATIVE)
        except msgspec.ValidationError:
            continue
        return cast(Tree, msgspec.to_builtins(struct, builtin_types=_NATIVE))
    return None


@cache
def _compiled(name: str, *, bare: bool) -> Any:
    """Return the Struct of *name* when all that it leads to is made.

    msgspec reads the annotations of a Struct and of those below it on first use, and a second
    thread must not see them half read.
    """
    with _COMPILING, suppress(msgspec.ValidationError):
        msgspec.convert({}, _struct(name, bare=bare))
    return _struct(name, bare=bare)


@cache
def _struct(name: str, *, bare: bool) -> Any:
    """Return the Struct of *name*; a *bare* one knows no extensions of primitives (`_name`)."""
    about = shape(name)
    fields: list[Any] = [("resourceType", cast(Any, Literal)[name])] if about.resource else []
    for index, element in enumerate(about.elements):
        # The annotations are evaluated on first use, when every Struct that they name can be made:
        # FHIR's types are recursive.
        if element.required and (bare or not element.extensible):
            fields.append((_attribute(element.name), f"value_type({index})"))
        else:
            fields.append((_attribute(element.name), f"value_type({index}) | unset_type", UNSET))
        if element.extensible and not bare:
            fields.append((f"_{element.name}", f"beside_type({index}) | unset_type", UNSET))
    namespace: dict[str, Any] = {
        "value_type": lambda index: _value_type(about.elements[index], bare=bare),
        "beside_type": lambda index: _beside_type(about.elements[index]),
        "unset_type": UnsetType,
    }
    checks = [_at_most_one(choice) for choice in about.choices] if bare else _checks(about)
    if checks:
        namespace["__post_init__"] = _all_of(checks)
    return msgspec.defstruct(
        name,
        fields,
        namespace=namespace,
        rename={_attribute(element.name): element.name for element in about.elements},
        kw_only=True,
        forbid_unknown_fields=True,
        omit_defaults=True,
        eq=False,
        gc=False,
    )


def _attribute(name: str) -> str:
    return f"{name}_" if iskeyword(name) else name


def _value_type(element: Element, *, bare: bool) -> Any:
    if element.kind == RESOURCE:
        one: Any = dict[str, Any]
    elif element.kind in PRIMITIVES:
        one = _primitive_type(element.kind, element.codes)
        if element.many and not bare:
            one = one | None
    else:
        one = _struct(element.kind, bare=bare)
    return _several(one) if element.many else one


def _beside_type(element: Element) -> Any:
    one = _struct(PRIMITIVE_EXTENSION, bare=False)
    return _several(one | None) if element.many else one


def _several(one: Any) -> Any:
    return Annotated[list[one], Meta(min_length=1)]


@cache
def _primitive_type(kind: str, codes: frozenset[str]) -> Any:
    if codes:
        return cast(Any, Literal)[tuple(sorted(codes))]
    about = PRIMITIVES[kind]
    if about.python is Decimal:
        return int | Decimal
    if about.pattern:
        return Annotated[str, Meta(pattern=whole(about.pattern))]
    if about.longest is not None:
        return Annotated[str, Meta(min_length=1, max_length=about.longest)]
    if about.low is not None:
        return Annotated[int, Meta(ge=about.low, le=about.high)]
    return about.python


def _checks(about: Shape) -> list[_Check]:
    names = {element.name: element for element in about.elements}
    checks = [_one_alternative(choice, names) for choice in about.choices]
    for element in about.elements:
        if element.extensible and element.many:
            checks.append(_arrays_beside(element))
        elif element.extensible and element.required:
            checks.append(_value_or_reason(element))
    if about.name == PRIMITIVE_EXTENSION:
        parts = attrgetter("id", "extension")
        checks.append(lambda struct: parts(struct).count(UNSET) < len(parts(struct)))
    return checks


def _all_of(checks: list[_Check]) -> Callable[[Struct], None]:
    def check(self: Struct) -> None:
        for holds in checks:
            if not holds(self):
                raise ValueError

    return check


def _at_most_one(choice: Choice) -> _Check:
    size, least = len(choice.alternatives), int(choice.required)
    values = _getter([_attribute(name) for name in choice.alternatives])
    return lambda struct: least <= size - values(struct).count(UNSET) <= 1


def _one_alternative(choice: Choice, names: dict[str, Element]) -> _Check:
    size = len(choice.alternatives)
    values = _getter([_attribute(name) for name in choice.alternatives])
    extensible = [name for name in choice.alternatives if names[name].extensible]
    beside = _getter([f"_{name}" for name in extensible])

    def holds(struct: Struct) -> bool:
        given = size - values(struct).count(UNSET)
        if given > 1 or (choice.required and not given):
            return False
        others = beside(struct)
        if others.count(UNSET) == len(others):
            return True
        present = {
            name
            for name, value in zip(choice.alternatives, values(struct), strict=True)
            if value is not UNSET
        }
        present.update(
            name for name, value in zip(extensible, others, strict=True) if value is not UNSET
        )
        return len(present) == 1

    return holds


def _getter(names: list[str]) -> Callable[[Struct], tuple[Any, ...]]:
    if len(names) > 1:
        return cast(Callable[[Struct], tuple[Any, ...]], attrgetter(*names))
    return lambda struct: tuple(getattr(struct, name) for name in names)


def _arrays_beside(element: Element) -> _Check:
    both = attrgetter(_attribute(element.name), f"_{element.name}")

    def holds(struct: Struct) -> bool:
        values, beside = both(struct)
        if beside is UNSET:
            return (values is UNSET and not element.required) or (
                values is not UNSET and None not in values
            )
        if values is UNSET:
            return not element.required and None not in beside
        return len(values) == len(beside) and all(
            value is not None or aside is not None
            for value, aside in zip(values, beside, strict=True)
        )

    return holds


def _value_or_reason(element: Element) -> _Check:
    both = attrgetter(_attribute(element.name), f"_{element.name}")

    def holds(struct: Struct) -> bool:
        value, beside = both(struct)
        return value is not UNSET or (beside is not UNSET and beside.extension is not UNSET)

    return holds
