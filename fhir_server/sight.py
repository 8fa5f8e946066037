"""Which resources a caller sees, as a value, and the one SQL predicate that is made of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    and_,
    bindparam,
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


@dataclass(frozen=True, slots=True)
class TheirOwn:
    """The record of the one patient who is named when the statement is run."""


@dataclass(frozen=True, slots=True)
class TheirCare:
    """The records of patients cared for by the practitioner who is named when it is run."""


Reach = OwnRecord | CaredFor | WholeStore | NoRecord
Instant = int | BindParameter[int]
"""Microseconds since 1970, or the name under which a prepared statement is given them."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One granular scope: a resource matches when, for each group, it has one of the hashes.

    SMART App Launch 2.2, `patient/Observation.rs?category=laboratory`.
    """

    groups: tuple[frozenset[int], ...]


class Sight(NamedTuple):
    """All of an Access that the predicate for one type is made of: equal sights see the same."""

    resource_type: str
    reach: Reach | TheirOwn | TheirCare
    bound_by_release: bool
    hidden_labels: int
    narrowed: tuple[Narrowing, ...]

    @property
    def has_lists(self) -> bool:
        """Tell whether its predicate has lists of values, by which its text differs."""
        several = isinstance(self.reach, OwnRecord) and len(self.reach.patients) != 1
        return several or bool(self.narrowed)

    def unnamed(self) -> tuple["Sight", Mapping[str, Any]]:
        """Return the sight of anybody like this caller, and the parameters that name this one.

        One statement then serves them all. A sight with lists has to stay as it is.
        """
        match self.reach:
            case OwnRecord((patient,)):
                names = {"own_bucket": bucket_of(patient), "own_patient": patient}
                return self._replace(reach=TheirOwn()), names
            case CaredFor(practitioner):
                return self._replace(reach=TheirCare()), {"own_practitioner": practitioner}
            case _:
                return self, {}


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
            return _of_one(bucket_of(patient), patient, table)
        case OwnRecord(patients) if patients:
            return _of_several(patients, table)
        case TheirOwn():
            return _of_one(bindparam("own_bucket"), bindparam("own_patient"), table)
        case _:
            return _in_care(sight.reach, table, now)


def _in_care(
    reach: Reach | TheirOwn | TheirCare, table: FromClause, now: Instant
) -> ColumnElement[bool]:
    match reach:
        case CaredFor(practitioner):
            return _cared_for(practitioner, table, now)
        case TheirCare():
            return _cared_for(bindparam("own_practitioner"), table, now)
        case _:
            return false()


def _of_one(
    bucket: int | BindParameter[int], patient: str | BindParameter[str], table: FromClause
) -> ColumnElement[bool]:
    column, link = table.c, patient_link.alias()
    own = and_(column.bucket == bucket, column.patient == patient)
    return or_(own, _joined(link, link.c.other == patient, table))


def _of_several(patients: tuple[str, ...], table: FromClause) -> ColumnElement[bool]:
    column, link = table.c, patient_link.alias()
    pairs = [(bucket_of(patient), patient) for patient in patients]
    own = tuple_(column.bucket, column.patient).in_(pairs)
    return or_(own, _joined(link, link.c.other.in_(patients), table))


def _joined(
    link: FromClause, others: ColumnElement[bool], table: FromClause
) -> ColumnElement[bool]:
    """Return that the record of a row of *table* is one with that of one of *others*.

    Who cares for a patient needs none of it: `care_relationship` has a row for each id of a record.
    """
    column = table.c
    return exists(
        select(link.c.bucket).where(
            link.c.bucket == column.bucket, link.c.patient == column.patient, others
        )
    )


def _cared_for(
    practitioner: str | BindParameter[str], table: FromClause, now: Instant
) -> ColumnElement[bool]:
    column, cares = table.c, care_relationship.alias()
    return exists(
        select(cares.c.bucket).where(
            cares.c.bucket == column.bucket,
            cares.c.patient == column.patient,
            cares.c.practitioner == practitioner,
            cares.c.starts <= now,
            or_(cares.c.ends.is_(None), cares.c.ends > now),
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
