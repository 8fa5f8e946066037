"""`Access`: what a caller may see and do, as a value; and the one SQL predicate made from it.

Nothing is fetched and then filtered. `visible` goes into every occurrence of the resource
table: match, include, count, sort, page, history. A resource that it hides answers exactly
as one that never was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    and_,
    exists,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
)

from fhir_server.model.compartments import is_directory
from fhir_server.model.ids import bucket_of
from fhir_server.store.tables import care_relationship, index_token, patient_link


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


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """The records of these patients, by id: a patient's own, with all that is joined to them."""

    patients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaredFor:
    """The records of patients whom a team of this practitioner (an id) cares for, today."""

    practitioner: str


@dataclass(frozen=True, slots=True)
class WholeStore:
    """Every record: filing, and whoever runs the machine. Never a person at a browser."""


@dataclass(frozen=True, slots=True)
class NoRecord:
    """No patient's record at all: auditors, operators, applications without a patient."""


Reach = OwnRecord | CaredFor | WholeStore | NoRecord
Instant = int | BindParameter[int]
"""Microseconds since 1970, or the name under which a prepared statement is given them."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One granular scope: a resource matches when, for each group, it has one of the hashes.

    SMART App Launch 2.2, `patient/Observation.rs?category=laboratory`.
    """

    groups: tuple[frozenset[int], ...]


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

    def sight(self, resource_type: str) -> "Sight":
        """Return what decides which resources of this type are seen."""
        return Sight(
            resource_type,
            self.reach,
            self.bound_by_release,
            self.hidden_labels,
            self.narrowed.get(resource_type, ()),
        )


@dataclass(frozen=True, slots=True)
class Sight:
    """All of an Access that the predicate for one type is made of: equal sights see the same."""

    resource_type: str
    reach: Reach
    bound_by_release: bool
    hidden_labels: int
    narrowed: tuple[Narrowing, ...]


def visible(access: Access, resource_type: str, table: FromClause, now: int) -> ColumnElement[bool]:
    """Return the predicate on *table*'s rows of *resource_type* that *access* may see.

    compartment ∧ scope ∧ label ∧ release. *table* is `resource`, `resource_version` or an alias
    of one; *now* is in microseconds. The directory (organisations, practitioners) belongs to
    no patient: `grants` says who may read or search it.
    """
    return seen_by(access.sight(resource_type), table, now)


def seen_by(sight: Sight, table: FromClause, now: Instant) -> ColumnElement[bool]:
    """Return the predicate of `visible` for this sight."""
    column = table.c
    terms = [column.type == sight.resource_type, _within(sight, table, now)]
    if sight.bound_by_release:
        terms.append(and_(column.release_at.is_not(None), column.release_at <= now))
    if sight.hidden_labels:
        terms.append(column.labels.bitwise_and(sight.hidden_labels) == 0)
    if sight.narrowed:
        terms.append(or_(*(_narrowed_to(scope, table) for scope in sight.narrowed)))
    return and_(*terms)


def _within(sight: Sight, table: FromClause, now: Instant) -> ColumnElement[bool]:
    column = table.c
    if isinstance(sight.reach, WholeStore):
        return true()
    if is_directory(sight.resource_type):
        return column.patient == ""
    match sight.reach:
        case OwnRecord((patient,)):
            own = and_(column.bucket == bucket_of(patient), column.patient == patient)
            return or_(own, _joined_to((patient,), table))
        case OwnRecord(patients) if patients:
            pairs = [(bucket_of(patient), patient) for patient in patients]
            own = tuple_(column.bucket, column.patient).in_(pairs)
            return or_(own, _joined_to(patients, table))
        case CaredFor(practitioner):
            cares = care_relationship.alias()
            return exists(
                select(cares.c.bucket).where(
                    cares.c.bucket == column.bucket,
                    cares.c.patient == column.patient,
                    cares.c.practitioner == practitioner,
                    cares.c.starts <= now,
                    or_(cares.c.ends.is_(None), cares.c.ends > now),
                )
            )
        case _:
            return false()


def _joined_to(patients: tuple[str, ...], table: FromClause) -> ColumnElement[bool]:
    """Return that the record of a row of *table* is one with that of one of *patients*.

    Who cares for a patient needs none of it: `care_relationship` has a row for each id of a record.
    """
    column, link = table.c, patient_link.alias()
    others = link.c.other == patients[0] if len(patients) == 1 else link.c.other.in_(patients)
    return exists(
        select(link.c.bucket).where(
            link.c.bucket == column.bucket, link.c.patient == column.patient, others
        )
    )


def _narrowed_to(scope: Narrowing, table: FromClause) -> ColumnElement[bool]:
    column, token = table.c, index_token.alias()
    here = [
        token.c.bucket == column.bucket,
        token.c.patient == column.patient,
        token.c.id == column.id,
    ]
    if "superseded_at" not in column:
        # The index is the current version's, and has its sort date: one probe of the whole key.
        here.append(token.c.sort == func.coalesce(column.sort_date, 0))
    return and_(
        *(
            exists(select(token.c.bucket).where(*here, token.c.hash.in_(sorted(group))))
            for group in scope.groups
        )
    )
