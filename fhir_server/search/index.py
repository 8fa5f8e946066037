"""One resource's index rows, made from its tree by the parameters of its type.

A token is found by the 64-bit hash of (type, parameter, variant), so that a row is narrow and every
search term is one equality. Two terms may share a hash: among as many as 10^9 of them in one
store that has a chance of 1 in 40. Whose record a row is in never depends on a hash. A granular
scope does depend on one: what it could let through by chance is a resource of the same record.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import chain
from typing import Any, NamedTuple

from fhir_server.model.ids import bucket_of
from fhir_server.search.dates import OPEN_START, element_span
from fhir_server.search.parameters import PARAMETERS, Kind, Place
from fhir_server.search.sorts import SORT_DATES
from fhir_server.search.text import escaped, folded

Tree = dict[str, Any]
Path = tuple[str, ...]

EXACT = ":exact"
"""Ends the name under which a string's value is indexed as it was written."""

LONGEST_STRING = 200
"""Characters of a string that are compared: a key of a PostgreSQL index holds 2,700 bytes."""

_HASHES_KEPT = 16_384
"""Terms whose hashes are remembered: codes, systems and statuses come again and again."""

_CONTACT_SYSTEMS = frozenset({"phone", "fax", "email", "pager", "url", "sms", "other"})
_NAME_PARTS = ("text", "family", "given", "prefix", "suffix")


class TokenRow(NamedTuple):
    """A row of `index_token`, its values in the order of the columns."""

    bucket: int
    patient: str
    hash: int
    sort: int
    id: str
    population: int


class DateRow(NamedTuple):
    """A row of `index_date`, its values in the order of the columns."""

    bucket: int
    patient: str
    hash: int
    low: int
    high: int
    id: str


class StringRow(NamedTuple):
    """A row of `index_string`, its values in the order of the columns."""

    bucket: int
    patient: str
    hash: int
    value: str
    id: str


@dataclass(frozen=True, slots=True)
class IndexRows:
    """Rows for `index_token`, `index_date` and `index_string`, none of them twice."""

    tokens: list[TokenRow]
    dates: list[DateRow]
    strings: list[StringRow]
    sort_date: int | None = None


@dataclass(frozen=True, slots=True)
class _Indexed:
    """A parameter of a type, as far as indexing needs it; *rest* of a path, below its element."""

    name: str
    kind: Kind
    selective: bool
    rest: Path


def index(tree: Tree, *, id_: str, patient: str) -> IndexRows:
    """Return the index rows of *tree*, a judged resource that is or will be *id_*.

    *patient* is the id of the patient whose record it is in, or the empty text. Types without
    search parameters of their own have no rows.
    """
    resource_type = tree["resourceType"]
    tokens: dict[int, int] = {}
    dates: dict[tuple[int, int, int], None] = {}
    strings: dict[tuple[int, str], None] = {}
    plan = _plan(resource_type)
    for name in plan.keys() & tree.keys():
        for one in plan[name]:
            for element in _below(_step(tree, name), one.rest):
                if one.kind is Kind.TOKEN or one.kind is Kind.REFERENCE:
                    tokens.update(_tokens(element, resource_type, one))
                elif one.kind is Kind.STRING:
                    for ending, value in _string_values(element):
                        known = token_hash(resource_type, one.name + ending, "")
                        strings[known, value] = None
                elif covered := element_span(element):
                    dates[token_hash(resource_type, one.name, ""), *covered] = None
    bucket, when = bucket_of(id_), sort_date(tree)
    sort = when or 0
    return IndexRows(
        [TokenRow(bucket, patient, known, sort, id_, wide) for known, wide in tokens.items()],
        [DateRow(bucket, patient, known, low, high, id_) for known, low, high in dates],
        [StringRow(bucket, patient, known, value, id_) for known, value in strings],
        when,
    )


@lru_cache(_HASHES_KEPT)
def token_hash(resource_type: str, parameter: str, variant: str) -> int:
    """Return the signed 64-bit hash under which a term stands in the index.

    *variant* is `code`, `system|code`, `|code` for a code without a system, `system|` for any
    code of the system, or `Type/id` for a reference; the bars and backslashes inside a system or
    a code are escaped (`fhir_server.search.text.escaped`). It is empty for dates and strings.
    """
    term = f"{resource_type}\x1f{parameter}\x1f{variant}".encode()
    return int.from_bytes(blake2b(term, digest_size=8).digest(), "big", signed=True)


def sort_date(tree: Tree) -> int | None:
    """Return when it was, in microseconds since 1970, by the first of the type's elements present.

    None where it does not say, or says only when it ended.
    """
    for element in _elements(tree, _sort_paths(tree["resourceType"])):
        covered = element_span(element)
        if covered:
            return None if covered[0] == OPEN_START else covered[0]
    return None


def references(tree: Tree, paths: Iterable[str]) -> Iterator[str]:
    """Yield the literal references at *paths*, without versions; contained ones are left out."""
    for element in _elements(tree, _steps(tuple(paths))):
        yield from _literal(element)


@cache
def _plan(resource_type: str) -> dict[str, tuple[_Indexed, ...]]:
    """Return the type's parameters by the element in which their values stand."""
    found: dict[str, list[_Indexed]] = {}
    for one in PARAMETERS.get(resource_type, {}).values():
        for name, *rest in _steps(one.paths) if one.place is Place.INDEX else ():
            indexed = _Indexed(one.name, one.kind, one.selective, tuple(rest))
            found.setdefault(name, []).append(indexed)
    return {name: tuple(those) for name, those in found.items()}


@cache
def _sort_paths(resource_type: str) -> tuple[Path, ...]:
    return _steps(SORT_DATES.get(resource_type, ()))


@cache
def _steps(paths: tuple[str, ...]) -> tuple[Path, ...]:
    return tuple(tuple(path.split(".")) for path in paths)


def _elements(tree: Tree, paths: Iterable[Path]) -> Iterator[Any]:
    for first, *rest in paths:
        if first in tree:
            yield from _below(_step(tree, first), rest)


def _below(elements: Iterable[Any], path: Iterable[str]) -> Iterable[Any]:
    found = elements
    for name in path:
        found = [value for element in found for value in _step(element, name)]
    return found


def _step(element: Any, name: str) -> Iterable[Any]:
    value = element.get(name) if isinstance(element, dict) else None
    if value is None:
        return ()
    # A null in a list stands for a value that only an extension tells.
    return [one for one in value if one is not None] if isinstance(value, list) else (value,)


def _tokens(element: Any, resource_type: str, one: _Indexed) -> Iterable[tuple[int, int]]:
    """Return the hashes of *element*, each with whether it is in the index over all patients."""
    if one.kind is Kind.REFERENCE:
        variants = tuple(_literal(element))
    elif isinstance(element, bool):
        variants = ("true" if element else "false",)
    elif isinstance(element, str):
        variants = (escaped(element),)
    elif "coding" in element:
        return chain.from_iterable(
            _of_pair(resource_type, one, coding.get("system", ""), coding.get("code", ""))
            for coding in element["coding"]
        )
    elif "value" in element and element.get("system") in _CONTACT_SYSTEMS:
        variants = (escaped(element["value"]),)
    else:
        code = element.get("code") or element.get("value", "")
        return _of_pair(resource_type, one, element.get("system", ""), code)
    return _hashes(resource_type, one, variants)


@lru_cache(_HASHES_KEPT)
def _of_pair(
    resource_type: str, one: _Indexed, system: str, code: str
) -> tuple[tuple[int, int], ...]:
    return _hashes(resource_type, one, _pair(system, code))


def _hashes(
    resource_type: str, one: _Indexed, variants: Iterable[str]
) -> tuple[tuple[int, int], ...]:
    return tuple(
        (
            token_hash(resource_type, one.name, variant),
            int(one.selective and not variant.endswith("|")),
        )
        for variant in variants
    )


def _pair(system: str, code: str) -> Iterator[str]:
    if code:
        yield escaped(code)
        yield f"{escaped(system)}|{escaped(code)}"
    if system:
        yield f"{escaped(system)}|"


def _literal(element: Mapping[str, Any]) -> Iterator[str]:
    reference = element.get("reference", "").partition("/_history/")[0]
    if reference and not reference.startswith("#"):
        yield reference


def _string_values(element: Any) -> Iterator[tuple[str, str]]:
    if isinstance(element, str):
        yield "", folded(element)[:LONGEST_STRING]
        yield EXACT, element[:LONGEST_STRING]
        return
    for part in _NAME_PARTS:
        for value in _step(element, part):
            yield from _string_values(value)
