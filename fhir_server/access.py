"""`Access`: what a caller may see and do, as a value; and the one SQL predicate made from it.

Nothing is fetched and then filtered. `visible` goes into every occurrence of the resource
table: match, include, count, sort, page, history. A resource that it hides answers exactly
as one that never was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import ColumnElement, FromClause

from fhir_server.sight import (
    CaredFor,
    Narrowing,
    NoRecord,
    OwnRecord,
    Reach,
    Sight,
    WholeStore,
    seen_by,
)

__all__ = [
    "UNKNOWN",
    "Access",
    "Agent",
    "CaredFor",
    "Interaction",
    "Narrowing",
    "NoRecord",
    "OwnRecord",
    "Reach",
    "WholeStore",
    "visible",
]


class Interaction(StrEnum):
    """What is asked, in FHIR's words.

    https://hl7.org/fhir/R4/valueset-type-restful-interaction.html
    """

    READ = "read"
    VREAD = "vread"
    HISTORY = "history-instance"
    SEARCH = "search-type"
    CREATE = "create"
    UPDATE = "update"


UNKNOWN = "unknown"
"""The role of a stranger."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Who asks, in the words that the ledger keeps; an empty text where there is none."""

    role: str
    """`patient`, `clinician`, `auditor`, `operator`, `feed`, `client`, or `unknown`."""
    user: str = ""
    """A reference such as `Practitioner/…` or `Patient/…`, or a name such as `feed:mersey`."""
    name: str = ""
    organization: str = ""
    """ODS code, or a name where there is no code."""
    client: str = ""
    """The application's client_id."""
    token_id: str = ""
    """The token's public id, never a part of the token."""
    purpose: str = ""
    """Purpose of use, from v3-ActReason: `PATRQT`, `TREAT`, `HOPERAT`, `COVERAGE`…"""
    network: str = ""
    """The address that the request came from."""
    behind: str = ""
    """The operating-system user behind a token made on the command line."""

    @property
    def is_known(self) -> bool:
        """Tell whether anybody knows who this is; of what a stranger names nothing is kept."""
        return self.role != UNKNOWN


@dataclass(frozen=True, slots=True)
class Access:
    """What one request may see and do. Made by `auth.policy` and by the feeds, by nobody else."""

    agent: Agent
    request_id: str
    reach: Reach
    grants: Mapping[str, frozenset[Interaction]]
    """Type to what may be done with it; a type that is missing is refused."""
    bound_by_release: bool = True
    """Whether held results are hidden: True for everyone but staff and filing."""
    hidden_labels: int = 0
    """Bits of `resource.labels` that hide a resource from this caller."""
    narrowed: Mapping[str, tuple[Narrowing, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """Type to granular scopes, of which one must match; a type that is missing is not narrowed."""

    def permits(self, resource_type: str, interaction: Interaction) -> bool:
        """Tell whether token and table allow this at all; data are not looked at."""
        return interaction in self.grants.get(resource_type, frozenset())

    def sight(self, resource_type: str) -> Sight:
        """Return what decides which resources of this type are seen."""
        return Sight(
            resource_type,
            self.reach,
            self.bound_by_release,
            self.hidden_labels,
            self.narrowed.get(resource_type, ()),
        )


def visible(access: Access, resource_type: str, table: FromClause, now: int) -> ColumnElement[bool]:
    """Return the predicate on *table*'s rows of *resource_type* that *access* may see.

    compartment ∧ scope ∧ label ∧ release. *table* is `resource`, `resource_version` or an alias
    of one; *now* is in microseconds. The directory (organisations, practitioners) belongs to
    no patient: `grants` says who may read or search it.
    """
    return seen_by(access.sight(resource_type), table, now)
