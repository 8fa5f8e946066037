"""URL parameters → a typed Query; what is not understood is refused, as it would widen the search.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from fhir_server.errors import Invalid, NotSupported
from fhir_server.search.criteria import Criterion, RecordCriterion
from fhir_server.search.parameters import PARAMETERS
from fhir_server.search.values import criterion, parameter_named
from fhir_server.search.wanted import Wanted, is_result_parameter, wanted

Pairs = Sequence[tuple[str, str]]

MAX_PARAMETERS = 50
MAX_VALUE = 10_000
"""Characters of one parameter's value, all its alternatives together."""


@dataclass(frozen=True, slots=True)
class Query:
    """One search, understood: everything asked for is in it."""

    resource_type: str
    criteria: tuple[Criterion, ...] = ()
    wanted: Wanted = field(default_factory=Wanted)
    pairs: tuple[tuple[str, str], ...] = ()

    @property
    def patients(self) -> tuple[str, ...] | None:
        """The patients whose records the query is confined to, by id; None where it names none."""
        named = [set(one.patients) for one in self.criteria if isinstance(one, RecordCriterion)]
        return tuple(sorted(set.intersection(*named))) if named else None

    def canonical(self) -> str:
        """Return the query string that asks the same again, from its first page."""
        return urlencode(self.pairs)


def parse(resource_type: str, pairs: Pairs, base_url: str) -> Query:
    """Return the query that the decoded *pairs* of a URL or form make for this type.

    *base_url* is the FHIR base, under which absolute references are ours. Raises Invalid for a
    parameter, modifier or value that does not fit, and NotSupported for what FHIR has and this
    server has not: chains, `_has`, `_filter` and their like.
    """
    if resource_type not in PARAMETERS:
        raise NotSupported.of(f"{resource_type} can't be searched here.")
    check(pairs)
    asked, criteria = kept(pairs), list[Criterion]()
    for full_name, value in asked:
        name, _, modifier = full_name.partition(":")
        if not is_result_parameter(name):
            parameter = parameter_named(PARAMETERS[resource_type], resource_type, name)
            criteria.append(criterion(resource_type, parameter, modifier, value, base_url))
    return Query(resource_type, tuple(criteria), wanted(resource_type, pairs), asked)


def check(pairs: Pairs) -> None:
    """Raise Invalid for too many or too long *pairs*, NotSupported for what is not here."""
    if len(pairs) > MAX_PARAMETERS:
        raise Invalid.of(f"A search has {MAX_PARAMETERS} parameters at most.", code="too-costly")
    for full_name, value in pairs:
        name, colon, modifier = full_name.partition(":")
        if name in _NOT_HERE:
            raise NotSupported.of(f"This server has no {name}.", expression=name)
        if "." in full_name:
            raise NotSupported.of("This server has no chained search parameters.")
        if colon and not modifier:
            raise Invalid.of("A search parameter has a colon without a modifier behind it.")
        if len(value) > MAX_VALUE:
            raise Invalid.of("The value of a search parameter is too long.", code="too-long")


def kept(pairs: Pairs) -> tuple[tuple[str, str], ...]:
    """Return *pairs* in an order of their own, without the page and the format."""
    return tuple(sorted(pair for pair in pairs if pair[0] not in {"_page", "_format"}))


_NOT_HERE = frozenset(
    {
        "_contained", "_containedType", "_content", "_elements", "_filter", "_has", "_list",
        "_profile", "_query", "_revinclude", "_score", "_security", "_source", "_tag", "_text",
        "_type",
    }
)  # fmt: skip
