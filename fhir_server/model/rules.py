"""What an invariant is here: a key, a sentence, and a test of one element's tree."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from fhir_server.model.shapes import Tree


@dataclass(frozen=True, slots=True)
class Rule:
    """One invariant of FHIR, or one rule of ours where the key starts with `portal-`."""

    key: str
    """FHIR's own: `obs-6`."""
    text: str
    """What must hold, in words that follow the element's path: "can't have both …"."""
    holds: Callable[[Tree], bool]
    at: str = ""
    """The element inside that is to blame: `dataAbsentReason`; empty for the whole."""


def has(node: Tree, name: str) -> bool:
    """Tell whether the element *name* is there, by its value or by what stands in `_name`."""
    return name in node or f"_{name}" in node


def has_choice(node: Tree, name: str) -> bool:
    """Tell whether an alternative of the choice *name* (`value` for `value[x]`) is there."""
    size = len(name)
    for key in node:  # noqa: SIM110 - asked of every extension: a generator costs twice as much
        if key.startswith(name) and key[size : size + 1].isupper():
            return True
    return False


def distinct(values: list[Hashable]) -> bool:
    """Tell whether no value stands twice."""
    return len(set(values)) == len(values)


def simple_quantities(*names: str) -> Rule:
    """Return the rule that the quantities *names* have no comparator (sqty-1)."""
    return Rule(
        "sqty-1",
        f"can't have a comparator in its {' or '.join(names)}",
        lambda node: not any("comparator" in node.get(name, {}) for name in names),
        names[0],
    )
