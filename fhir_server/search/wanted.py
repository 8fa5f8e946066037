"""How the answer to a search is wanted: its order, its length, its total, what is included.

https://hl7.org/fhir/R4/search.html#return
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from fhir_server.errors import Invalid, NotSupported
from fhir_server.search.parameters import PARAMETERS, Kind, Parameter
from fhir_server.search.sorts import sorts

MAX_COUNT = 100
DEFAULT_COUNT = 20


class SortKey(StrEnum):
    """What the rows are ordered by."""

    UPDATED = "updated"
    DATE = "date"
    ID = "id"


class Total(StrEnum):
    """How exactly `Bundle.total` is wanted.

    https://hl7.org/fhir/R4/search.html#total
    """

    NONE = "none"
    ESTIMATE = "estimate"
    ACCURATE = "accurate"


@dataclass(frozen=True, slots=True)
class Include:
    """References of the matches whose targets are wanted too; *target* empty for any type."""

    parameter: Parameter
    target: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The order of the answer, newest first by default, and what comes with it."""

    sort: SortKey = SortKey.UPDATED
    descending: bool = True
    count: int = DEFAULT_COUNT
    """Rows of a page, 1 to 100."""
    count_only: bool = False
    """Whether only the number of matches is wanted."""
    total: Total | None = None
    """None where the caller did not say."""
    includes: tuple[Include, ...] = ()
    page: str = ""
    """The sealed page link that the search came with, or the empty text."""


def is_result_parameter(name: str) -> bool:
    """Tell whether *name* says how the answer is wanted, and not what is searched for."""
    return name in _READERS


def wanted(resource_type: str, pairs: Sequence[tuple[str, str]]) -> Wanted:
    """Return what the result parameters among *pairs* want; any other is passed over.

    `_count` above 100 is 100; `_count=0` asks for the number alone. Raises Invalid for a value
    that can't be used or a parameter given twice, NotSupported for a modifier.
    """
    found, seen = Wanted(), set[str]()
    for full_name, value in pairs:
        name, colon, _ = full_name.partition(":")
        reader = _READERS.get(name)
        if reader is None:
            continue
        if colon:
            raise NotSupported.of(f"{name} has no modifiers here.", expression=name)
        if name in seen and name != "_include":
            raise Invalid.of(f"{name} is given twice.", expression=name)
        seen.add(name)
        found = reader(resource_type, found, value)
    return found


def _read_sort(resource_type: str, found: Wanted, value: str) -> Wanted:
    key = value.removeprefix("-")
    dates = sorts(resource_type)
    by = {"_lastUpdated": SortKey.UPDATED, "_id": SortKey.ID} | dict.fromkeys(dates, SortKey.DATE)
    if key not in by:
        raise _wrong("_sort", f"One of {', '.join(by)}, with a - before it for newest first.")
    return replace(found, sort=by[key], descending=value.startswith("-"))


def _read_count(_type: str, found: Wanted, value: str) -> Wanted:
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise _wrong("_count", f"A number of rows, {MAX_COUNT} at most.")
    if int(value) == 0:
        return replace(found, count_only=True)
    return replace(found, count=min(int(value), MAX_COUNT))


def _read_summary(_type: str, found: Wanted, value: str) -> Wanted:
    if value not in {"count", "false"}:
        raise _wrong("_summary", "Only count, or false.")
    return replace(found, count_only=found.count_only or value == "count")


def _read_total(_type: str, found: Wanted, value: str) -> Wanted:
    if value not in set(Total):
        raise _wrong("_total", f"One of {', '.join(Total)}.")
    return replace(found, total=Total(value))


def _read_include(resource_type: str, found: Wanted, value: str) -> Wanted:
    source, _, rest = value.partition(":")
    name, _, target = rest.partition(":")
    parameter = PARAMETERS.get(resource_type, {}).get(name)
    known = parameter is not None and parameter.kind is Kind.REFERENCE
    if source != resource_type or not known or parameter is None:
        raise _wrong("_include", f"Such as {resource_type}:parameter, a reference of the type.")
    if target and target not in parameter.targets:
        raise _wrong("_include", f"{name} may name {', '.join(parameter.targets)}.")
    one = Include(parameter, target)
    return found if one in found.includes else replace(found, includes=(*found.includes, one))


def _read_format(_type: str, found: Wanted, value: str) -> Wanted:
    # A plus sign that is not encoded arrives as a space.
    if value.replace(" ", "+") not in {"json", "application/json", "application/fhir+json"}:
        raise _wrong("_format", "Only json.")
    return found


def _read_page(_type: str, found: Wanted, value: str) -> Wanted:
    if not value:
        raise _wrong("_page", "Follow the links of a Bundle as they are.")
    return replace(found, page=value)


_READERS: Mapping[str, Callable[[str, Wanted, str], Wanted]] = MappingProxyType(
    {
        "_sort": _read_sort,
        "_count": _read_count,
        "_summary": _read_summary,
        "_total": _read_total,
        "_include": _read_include,
        "_format": _read_format,
        "_page": _read_page,
    }
)


def _wrong(name: str, hint: str) -> Invalid:
    return Invalid.of(
        f"{name} has a value that this server can't use.",
        expression=name,
        diagnostics=hint,
        code="value",
    )
