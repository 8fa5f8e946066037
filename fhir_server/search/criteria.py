"""What one search parameter of a URL asks for, as a value that SQL can be made from.

Repeated parameters are joined by AND, comma-separated values by OR.
https://hl7.org/fhir/R4/search.html#combining
"""

from dataclasses import dataclass
from enum import StrEnum


class Prefix(StrEnum):
    """How a date is compared.

    https://hl7.org/fhir/R4/search.html#prefix
    """

    EQUAL = "eq"
    NOT_EQUAL = "ne"
    GREATER = "gt"
    LESS = "lt"
    GREATER_OR_EQUAL = "ge"
    LESS_OR_EQUAL = "le"
    STARTS_AFTER = "sa"
    ENDS_BEFORE = "eb"
    APPROXIMATELY = "ap"


@dataclass(frozen=True, slots=True)
class Range:
    """A date asked for: the instants that it covers, the last excluded, and how to compare them."""

    prefix: Prefix
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class TokenCriterion:
    """One of these hashes, or none of them where *negated*.

    *population*: all of them stand in the index over all patients.
    """

    hashes: tuple[int, ...]
    negated: bool
    population: bool


@dataclass(frozen=True, slots=True)
class DateCriterion:
    """One of these ranges, under this hash."""

    hash: int
    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class StringCriterion:
    """One of these values, at the start, anywhere (*contains*), or exactly (by the hash)."""

    hash: int
    values: tuple[str, ...]
    match: str
    """`starts`, `contains` or `exact`."""


@dataclass(frozen=True, slots=True)
class IdCriterion:
    """One of these ids; texts that are no ids of ours are left out."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UpdatedCriterion:
    """Last updated, as the caller sees it, in one of these ranges."""

    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class RecordCriterion:
    """In the record of one of these patients, by id; nobody's where there is none."""

    patients: tuple[str, ...]


Criterion = (
    TokenCriterion
    | DateCriterion
    | StringCriterion
    | IdCriterion
    | UpdatedCriterion
    | RecordCriterion
)
