"""AuditQuery + Access → SELECT over the ledger, newest first unless asked otherwise.

An auditor sees every entry; a patient those of their own record; nobody else sees any.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Select,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)

from fhir_server.access import Access, OwnRecord
from fhir_server.search.audit_query import AuditQuery, Choice
from fhir_server.search.conditions import among, instant_compared
from fhir_server.search.sql import Cursor
from fhir_server.search.wanted import Total, Wanted
from fhir_server.store.tables import audit_entry, patient_link


def audit_visible(access: Access, table: FromClause) -> ColumnElement[bool]:
    """Return the predicate on rows of the ledger, *table*, that *access* may see."""
    if isinstance(access.reach, OwnRecord):
        own = access.reach.patients
        return table.c.patient.in_(own) if own else false()
    return true() if access.agent.role == "auditor" else false()


def audit_entry_by_id(access: Access, id_: str) -> Select[Any]:
    """Return the statement for one entry, with the columns that `audit_matches` has.

    A patient's own are those of all that is joined to their record.
    """
    seen = audit_visible(access, audit_entry)
    if isinstance(access.reach, OwnRecord):
        link = patient_link.c
        joined = select(link.other).where(among(link.bucket, link.patient, access.reach.patients))
        seen = or_(seen, audit_entry.c.patient.in_(joined))
    return _entries().where(seen, audit_entry.c.id == id_)


def audit_matches(
    query: AuditQuery, access: Access, now: int, cursor: Cursor | None
) -> Select[Any]:
    """Return the statement for one page: a row more than its count where another page follows.

    The columns are seq, id, recorded (microseconds), patient and body. *now* is in microseconds.
    """
    place = [audit_entry.c.recorded, audit_entry.c.seq]
    statement = _entries().where(*_conditions(query, access, now, cursor))
    if cursor is not None:
        here, there = tuple_(*place), tuple_(literal(cursor.key), literal(int(cursor.id)))
        statement = statement.where(here < there if query.wanted.descending else here > there)
    order = [column.desc() if query.wanted.descending else column.asc() for column in place]
    return statement.order_by(*order).limit(query.wanted.count + 1)


def audit_count(
    query: AuditQuery, access: Access, now: int, cursor: Cursor | None = None
) -> Select[Any]:
    """Return the statement for the number of matches, on whichever page it is asked for."""
    return (
        select(func.count())
        .select_from(audit_entry)
        .where(*_conditions(query, access, now, cursor))
    )


def audit_wants_total(query: AuditQuery, access: Access) -> bool:
    """Tell whether the answer carries a total: where it was asked for, or is cheap."""
    if query.wanted.count_only or query.wanted.total is not None:
        return query.wanted.count_only or query.wanted.total is not Total.NONE
    named = any(choice.column == "patient" for choice in query.choices)
    return named or isinstance(access.reach, OwnRecord)


def audit_turn(wanted: Wanted, rows: Sequence[Row[Any]], snapshot: int) -> Cursor | None:
    """Return where the page after *rows* begins; None after the last."""
    if len(rows) <= wanted.count:
        return None
    last = rows[wanted.count - 1]
    return Cursor(snapshot, last.recorded, str(last.seq))


def _entries() -> Select[Any]:
    names = ("seq", "id", "recorded", "patient", "body")
    return select(*(audit_entry.c[name] for name in names))


def _conditions(
    query: AuditQuery, access: Access, now: int, cursor: Cursor | None
) -> list[ColumnElement[bool]]:
    recorded = audit_entry.c.recorded
    instant = now if cursor is None else cursor.snapshot
    terms = [audit_visible(access, audit_entry)]
    first = _first_index(query, access)
    terms.extend(_chosen(choice, first) for choice in query.choices)
    terms.extend(
        or_(*(instant_compared(one, recorded, instant) for one in group))
        for group in query.recorded
    )
    if cursor is not None:
        terms.append(recorded <= cursor.snapshot)
    return terms


def _first_index(query: AuditQuery, access: Access) -> str:
    """Return the column to start from: the rarest that is named, or the empty text."""
    named = {choice.column for choice in query.choices}
    if isinstance(access.reach, OwnRecord):
        named.add("patient")
    return next((column for column in ("id", "patient", "agent") if column in named), "")


def _chosen(choice: Choice, first: str) -> ColumnElement[bool]:
    if not choice.values:
        return false()
    column: ColumnElement[str] = audit_entry.c[choice.column]
    if choice.column != "entity":
        # Nearly every entry has the outcome 0: a planner must not start there by mistake.
        hidden = first not in {"", choice.column}
        return (func.coalesce(column, "") if hidden else column).in_(choice.values)
    versions = (column.startswith(f"{one}/_history/", autoescape=True) for one in choice.values)
    patients = [one.removeprefix("Patient/") for one in choice.values if one.startswith("Patient/")]
    return or_(column.in_(choice.values), audit_entry.c.patient.in_(patients), *versions)
