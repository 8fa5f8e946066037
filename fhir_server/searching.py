"""One page of a search: matches, what they include, how many there are, where the next begins."""

from concurrent.futures import Future
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from fhir_server.access import Access, Interaction, OwnRecord
from fhir_server.looks import Answer, Look
from fhir_server.model import json
from fhir_server.record import Asked, Record, Stored
from fhir_server.search import audit_sql, page, sql
from fhir_server.search.audit_query import AuditQuery, Choice
from fhir_server.search.criteria import Criterion, RecordCriterion
from fhir_server.search.includes import included, referred
from fhir_server.search.query import Query
from fhir_server.search.sql import Cursor
from fhir_server.search.wanted import Wanted
from fhir_server.store import read
from fhir_server.store.links import Query as Rows
from fhir_server.store.links import asking, widened


@dataclass(frozen=True, slots=True)
class Page:
    """What is given out at once. *as_of* is in microseconds; *next* is a sealed link, or empty."""

    matches: tuple[Stored, ...]
    included: tuple[Stored, ...]
    total: int | None
    next: str
    as_of: int


def search(record: Record, access: Access, query: Query | AuditQuery, raw: str) -> "Future[Page]":
    """Answer with the page that *query* asks for; *raw* is what stood behind the question mark.

    Leaves an audit entry for each patient whose resources are on the page, one where there is none.
    """

    def find(connection: Connection, access: Access, now: int) -> Answer:
        wanted = query.wanted
        cursor = (
            page.unseal(record.page_key, wanted.page, access, query, now) if wanted.page else None
        )
        rows = asking(connection)
        sight = _whole(access, rows)
        if isinstance(query, AuditQuery):
            found = _in_ledger(connection, _whole_log(query, rows), sight, now, cursor)
        else:
            found = _in_record(connection, _whole_record(query, rows), sight, now, cursor)
        shown, turn = found
        if turn is not None:
            shown = _with_next(shown, page.seal(record.page_key, turn, access, query, now))
        touched = dict.fromkeys(
            one.patient for one in (*shown.matches, *shown.included) if one.patient
        )
        return Answer(shown, tuple(touched))

    asked = Asked("search-type", query.resource_type, raw)
    return record.look(access, Look(query.resource_type, Interaction.SEARCH, asked, find))


def _whole(access: Access, rows: Rows) -> Access:
    """Return *access* with every id under which the caller's own records are kept.

    `visible` sees them anyway; named one by one, a planner finds them.
    """
    if not isinstance(access.reach, OwnRecord):
        return access
    own = widened(rows, access.reach.patients)
    return replace(access, reach=OwnRecord(own)) if own != access.reach.patients else access


def _whole_record(query: Query, rows: Rows) -> Query:
    """Return *query* with every id under which the records that it names are kept."""

    def whole(criterion: Criterion) -> Criterion:
        if not isinstance(criterion, RecordCriterion):
            return criterion
        return RecordCriterion(widened(rows, criterion.patients))

    return replace(query, criteria=tuple(map(whole, query.criteria)))


def _whole_log(query: AuditQuery, rows: Rows) -> AuditQuery:
    """Return *query* with every id under which the records are kept whose log it asks for."""

    def whole(choice: Choice) -> Choice:
        named = choice.column == "patient"
        return Choice(choice.column, widened(rows, choice.values)) if named else choice

    return replace(query, choices=tuple(map(whole, query.choices)))


def _with_next(shown: Page, link: str) -> Page:
    return Page(shown.matches, shown.included, shown.total, link, shown.as_of)


def _in_record(
    connection: Connection, query: Query, access: Access, now: int, cursor: Cursor | None
) -> tuple[Page, Cursor | None]:
    wanted, snapshot = query.wanted, cursor.snapshot if cursor else now
    total = None
    if sql.wants_total(query, access):
        total = connection.execute(sql.count(query, access, now, cursor)).scalar()
    if wanted.count_only:
        return Page((), (), total, "", snapshot), None
    rows = connection.execute(sql.matches(query, access, now, cursor)).all()
    matches = tuple(read.stored(row) for row in rows[: wanted.count])
    beside = _included(connection, wanted, access, matches, now)
    return Page(matches, beside, total, "", snapshot), sql.turn(wanted, rows, snapshot)


def _included(
    connection: Connection, wanted: Wanted, access: Access, matches: tuple[Stored, ...], now: int
) -> tuple[Stored, ...]:
    if not wanted.includes:
        return ()
    references = referred(wanted, (json.decode(match.body) for match in matches))
    have = {match.reference for match in matches}
    found = (
        read.stored(row)
        for statement in included(access, references, now)
        for row in connection.execute(statement)
    )
    # In the order of their naming: a database's own order tells of rows that may not be seen.
    place = {reference: number for number, reference in enumerate(references)}
    beside = (one for one in found if one.reference not in have)
    return tuple(sorted(beside, key=lambda one: place[one.reference]))


def _in_ledger(
    connection: Connection, query: AuditQuery, access: Access, now: int, cursor: Cursor | None
) -> tuple[Page, Cursor | None]:
    wanted, snapshot = query.wanted, cursor.snapshot if cursor else now
    total = None
    if audit_sql.audit_wants_total(query, access):
        total = connection.execute(audit_sql.audit_count(query, access, now, cursor)).scalar()
    if wanted.count_only:
        return Page((), (), total, "", snapshot), None
    rows = connection.execute(audit_sql.audit_matches(query, access, now, cursor)).all()
    matches = tuple(read.audit_event_for(access, row) for row in rows[: wanted.count])
    return Page(matches, (), total, "", snapshot), audit_sql.audit_turn(wanted, rows, snapshot)
