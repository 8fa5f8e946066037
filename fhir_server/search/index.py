"""One resource's index rows, made from its tree by the parameters of its type.

A token is found by the 64-bit hash of (type, parameter, variant), so that a row is narrow and every
search term is one equality. Two terms may share a hash: among as many as 10^9 of them in one
store that has a chance of 1 in 40. Whose record a row is in never depends on a hash. A granular
scope does depend on one: what it could let through by chance is a resource of the same record.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Any

from fhir_server.model.ids import bucket_of
from fhir_server.search.dates import OPEN_START, element_span
from fhir_server.search.parameters import PARAMETERS, Kind, Place
from fhir_server.search.sorts import SORT_DATES
from fhir_server.search.text import escaped, folded

Tree = dict[str, Any]
Row = dict[str, Any]

EXACT = ":exact"
"""Ends the name under which a string's value is indexed as it was written."""

LONGEST_STRING = 200
"""Characters of a string that are compared: a key of a PostgreSQL index holds 2,700 bytes."""

_CONTACT_SYSTEMS = frozenset({"phone", "fax", "email", "pager", "url", "sms", "other"})
_NAME_PARTS = ("text", "family", "given", "prefix", "suffix")


@dataclass(frozen=True, slots=True)
class IndexRows:
    """Rows for `index_token`, `index_date` and `index_string`, none of them twice."""

    tokens: list[Row]
    dates: list[Row]
    strings: list[Row]


def index(tree: Tree, *, id_: str, patient: str) -> IndexRows:
    """Return the index rows of *tree*, a judged resource that is or will be *id_*.

    *patient* is the id of the patient whose record it is in, or the empty text. Types without
    search parameters of their own have no rows.
    """
    resource_type = tree["resourceType"]
    head = {"bucket": bucket_of(id_), "patient": patient, "id": id_}
    sort = sort_date(tree) or 0
    tokens: dict[int, Row] = {}
    dates: dict[tuple[int, int, int], Row] = {}
    strings: dict[tuple[int, str], Row] = {}
    for parameter in PARAMETERS.get(resource_type, {}).values():
        if parameter.place is not Place.INDEX:
            continue
        hash_of = partial(token_hash, resource_type, parameter.name)
        for element in _elements(tree, parameter.paths):
            match parameter.kind:
                case Kind.TOKEN | Kind.REFERENCE:
                    for variant in _variants(element, parameter.kind):
                        known = hash_of(variant)
                        population = int(parameter.selective and not variant.endswith("|"))
                        row = {"hash": known, "sort": sort, "population": population}
                        tokens[known] = head | row
                case Kind.DATE if covered := element_span(element):
                    low, high = covered
                    known = hash_of("")
                    dates[known, low, high] = head | {"hash": known, "low": low, "high": high}
                case Kind.STRING:
                    for ending, value in _string_values(element):
                        known = token_hash(resource_type, parameter.name + ending, "")
                        strings[known, value] = head | {"hash": known, "value": value}
    return IndexRows(list(tokens.values()), list(dates.values()), list(strings.values()))


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
    for element in _elements(tree, SORT_DATES.get(tree["resourceType"], ())):
        covered = element_span(element)
        if covered:
            return None if covered[0] == OPEN_START else covered[0]
    return None


def references(tree: Tree, paths: Iterable[str]) -> Iterator[str]:
    """Yield the literal references at *paths*, without versions; contained ones are left out."""
    for element in _elements(tree, paths):
        yield from _literal(element)


def _elements(tree: Tree, paths: Iterable[str]) -> Iterator[Any]:
    for path in paths:
        first, _, rest = path.partition(".")
        if first in tree:
            yield from _below(_step(tree, first), rest)


def _below(elements: Iterable[Any], path: str) -> Iterable[Any]:
    found = elements
    for name in path.split(".") if path else ():
        found = [value for element in found for value in _step(element, name)]
    return found


def _step(element: Any, name: str) -> Iterable[Any]:
    value = element.get(name) if isinstance(element, dict) else None
    if value is None:
        return ()
    # A null in a list stands for a value that only an extension tells.
    return [one for one in value if one is not None] if isinstance(value, list) else (value,)


def _variants(element: Any, kind: Kind) -> Iterator[str]:
    if kind is Kind.REFERENCE:
        yield from _literal(element)
    elif isinstance(element, bool):
        yield "true" if element else "false"
    elif isinstance(element, str):
        yield escaped(element)
    elif "coding" in element:
        for coding in element["coding"]:
            yield from _pair(coding.get("system", ""), coding.get("code", ""))
    elif "value" in element and element.get("system") in _CONTACT_SYSTEMS:
        yield escaped(element["value"])
    else:
        yield from _pair(element.get("system", ""), element.get("code") or element.get("value", ""))


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
