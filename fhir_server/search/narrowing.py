"""A granular scope's search parameters as what `visible` narrows a type to.

SMART App Launch 2.2, `patient/Observation.rs?category=…`: parameters are joined by AND, commas
by OR. https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters
"""

from collections.abc import Sequence

from fhir_server.access import Narrowing
from fhir_server.errors import Invalid
from fhir_server.search.criteria import TokenCriterion
from fhir_server.search.query import parse


def narrowing(resource_type: str, pairs: Sequence[tuple[str, str]]) -> Narrowing:
    """Return the narrowing that a scope's decoded *pairs* ask for, at least one of them.

    Only tokens, whole and without modifiers, can narrow: a scope with anything else in it raises
    Invalid or NotSupported, since to pass it over would widen what was granted.
    """
    query = parse(resource_type, pairs, "")
    tokens = [one for one in query.criteria if isinstance(one, TokenCriterion) and not one.negated]
    if not tokens or len(tokens) != len(pairs):
        raise Invalid.of(
            "A scope can be narrowed by codes only, without modifiers.",
            diagnostics="Such as Observation.rs?category=laboratory.",
        )
    return Narrowing(tuple(frozenset(one.hashes) for one in tokens))
