"""Query + Access → SELECT: `visible` stands in every occurrence of the resource table.

A search that is confined to one patient walks ranges of primary keys that begin with (bucket,
patient); one over all patients starts at the population index, at the caller's patients, or at
the directory. Matches, count, pages and includes are made of the same conditions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Select,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from fhir_server.access import Access, CaredFor, OwnRecord, visible
from fhir_server.model.compartments import is_directory
from fhir_server.search.conditions import among, condition
from fhir_server.search.criteria import RecordCriterion
from fhir_server.search.dates import OPEN_END, OPEN_START
from fhir_server.search.query import Query
from fhir_server.search.wanted import SortKey, Total, Wanted
from fhir_server.store.tables import care_relationship, resource

COLUMNS = ("type", "id", "version", "last_updated", "patient", "release_at", "labels", "body")
"""The columns of a `Stored`, in its order."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a walk through a search's pages stands.

    *snapshot* is the instant of its first page, in microseconds: what is updated later stays
    hidden, so that whatever stays unchanged appears exactly once. *key* and *id* are those of
    the last row given out.
    """

    snapshot: int
    key: int
    id: str


def updated(access: Access, table: FromClause) -> ColumnElement[int]:
    """Return when rows of *table* were last updated, for this caller.

    For a caller bound by release that is when they opened: an app that asks for what is new since
    it last asked does not miss a result that was held then.
    """
    column: ColumnElement[int] = (
        table.c.release_at if access.bound_by_release else table.c.last_updated
    )
    return column


def matches(query: Query, access: Access, now: int, cursor: Cursor | None) -> Select[Any]:
    """Return the statement for one page: a row more than its count where another page follows.

    The columns are those of a `Stored`, in its order, then `key`, the sort key. Rows without a
    sort key come last. *now* is in microseconds.
    """
    key = _sort_key(query, access)
    by: list[ColumnElement[Any]] = [resource.c.id]
    if query.wanted.sort is not SortKey.ID:
        by.insert(0, key)
    order = [column.desc() if query.wanted.descending else column.asc() for column in by]
    statement = select(*(resource.c[name] for name in COLUMNS), key.label("key")).where(
        *_conditions(query, access, now, cursor)
    )
    if cursor is not None:
        statement = statement.where(_behind(query, key, cursor))
    return statement.order_by(*order).limit(query.wanted.count + 1)


def count(query: Query, access: Access, now: int, cursor: Cursor | None = None) -> Select[Any]:
    """Return the statement for the number of matches, on whichever page it is asked for."""
    return (
        select(func.count()).select_from(resource).where(*_conditions(query, access, now, cursor))
    )


def wants_total(query: Query, access: Access) -> bool:
    """Tell whether the answer carries a total: where it was asked for, or is cheap.

    It is cheap within the records of one caller or of a patient who is named.
    """
    if query.wanted.total is None:
        return query.wanted.count_only or _records(query, access) is not None
    return query.wanted.count_only or query.wanted.total is not Total.NONE


def turn(wanted: Wanted, rows: Sequence[Row[Any]], snapshot: int) -> Cursor | None:
    """Return where the page after *rows*, the answer to `matches`, begins; None after the last."""
    if len(rows) <= wanted.count:
        return None
    last = rows[wanted.count - 1]
    return Cursor(snapshot, last.key, last.id)


def _conditions(
    query: Query, access: Access, now: int, cursor: Cursor | None
) -> list[ColumnElement[bool]]:
    """Return what each row must meet, the narrowest first; nearness is to the walk's instant."""
    instant = now if cursor is None else cursor.snapshot
    records = _records(query, access)
    terms = [
        _place(query, access, records, now),
        visible(access, query.resource_type, resource, now),
    ]
    terms.extend(
        condition(one, resource, records, updated(access, resource), instant)
        for one in query.criteria
        if not isinstance(one, RecordCriterion)
    )
    if cursor is not None:
        terms.append(updated(access, resource) <= cursor.snapshot)
    return terms


def _records(query: Query, access: Access) -> tuple[str, ...] | None:
    """Return the patients whose records alone can hold matches; None where they are not known."""
    if is_directory(query.resource_type):
        return query.patients
    named = query.patients
    if not isinstance(access.reach, OwnRecord):
        return named
    own = access.reach.patients
    return own if named is None else tuple(one for one in own if one in named)


def _place(
    query: Query, access: Access, records: tuple[str, ...] | None, now: int
) -> ColumnElement[bool]:
    """Return where to look: the rest says it too, but not so that a planner sees it."""
    column = resource.c
    if records is not None:
        return among(column.bucket, column.patient, records)
    if is_directory(query.resource_type):
        # Written out, not bound: only so do the planners see the index of what is nobody's.
        return column.patient == literal("", literal_execute=True)
    if isinstance(access.reach, CaredFor):
        cares = care_relationship.c
        return tuple_(column.bucket, column.patient).in_(
            select(cares.bucket, cares.patient).where(
                cares.practitioner == access.reach.practitioner,
                cares.starts <= now,
                or_(cares.ends.is_(None), cares.ends > now),
            )
        )
    return column.patient.is_not(None)


def _sort_key(query: Query, access: Access) -> ColumnElement[Any]:
    if query.wanted.sort is SortKey.ID:
        return literal(0, literal_execute=True)
    if query.wanted.sort is SortKey.UPDATED:
        return updated(access, resource)
    return func.coalesce(resource.c.sort_date, OPEN_START if query.wanted.descending else OPEN_END)


def _behind(query: Query, key: ColumnElement[Any], cursor: Cursor) -> ColumnElement[bool]:
    if query.wanted.sort is SortKey.ID:
        column = resource.c.id
        return column < cursor.id if query.wanted.descending else column > cursor.id
    here, there = tuple_(key, resource.c.id), tuple_(literal(cursor.key), literal(cursor.id))
    return here < there if query.wanted.descending else here > there
