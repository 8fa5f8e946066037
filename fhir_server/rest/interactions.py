"""What this server does with each type: the one table, for its addresses and what it claims.

https://hl7.org/fhir/R4/valueset-type-restful-interaction.html
"""

from collections.abc import Mapping
from types import MappingProxyType

from fhir_server.access import Interaction
from fhir_server.model.validate import SERVED_TYPES
from fhir_server.search.audit_query import AUDIT_PARAMETERS
from fhir_server.search.parameters import PARAMETERS, Parameter

_READING = (Interaction.READ, Interaction.VREAD, Interaction.HISTORY, Interaction.SEARCH)
_ALL = (*_READING, Interaction.CREATE, Interaction.UPDATE)
_OTHERWISE: Mapping[str, tuple[Interaction, ...]] = MappingProxyType(
    {
        "AuditEvent": (Interaction.READ, Interaction.SEARCH),
        "Provenance": _READING,
    }
)

INTERACTIONS: Mapping[str, tuple[Interaction, ...]] = MappingProxyType(
    {kind: _OTHERWISE.get(kind, _ALL) for kind in sorted(SERVED_TYPES)}
)
"""Type to what can be done with it at all; who may do it, the token says."""


def parameters_of(resource_type: str) -> Mapping[str, Parameter]:
    """Return the search parameters of a served type, by name."""
    return AUDIT_PARAMETERS if resource_type == "AuditEvent" else PARAMETERS[resource_type]
