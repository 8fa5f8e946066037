"""One page of a search: its matches, what they include, their number, and where the next begins."""

from concurrent.futures import Future
from dataclasses import dataclass

from sqlalchemy import Connection

from fhir_server.access import Access, Interaction
from fhir_server.model import json
from fhir_server.record import Answer, Asked, Record, Stored
from fhir_server.search import page, sql
from fhir_server.search.includes import included, referred
from fhir_server.search.query import Query
from fhir_server.store import read


@dataclass(frozen=True, slots=True)
class Page:
    """What is given out at once. *as_of* is in microseconds; *next* is a sealed link, or empty."""

    matches: tuple[Stored, ...]
    included: tuple[Stored, ...]
    total: int | None
    next: str
    as_of: int


def search(record: Record, access: Access, query: Query, raw: str) -> "Future[Page]":
    """Answer with the page that *query* asks for; *raw* is what stood behind the question mark.

    Leaves an audit entry for each patient whose resources are on the page, one where there is none.
    """

    def look(connection: Connection, now: int) -> Answer:
        link = query.wanted.page
        cursor = page.unseal(record.page_key, link, access, query, now) if link else None
        snapshot = cursor.snapshot if cursor else now
        total = None
        if sql.wants_total(query, access):
            total = connection.execute(sql.count(query, access, now, cursor)).scalar()
        if query.wanted.count_only:
            return Answer(Page((), (), total, "", snapshot))
        rows = connection.execute(sql.matches(query, access, now, cursor)).all()
        matches = tuple(map(read.stored, rows[: query.wanted.count]))
        beside = _included(connection, query, access, matches, now)
        turn = sql.turn(query.wanted, rows, snapshot)
        onward = page.seal(record.page_key, turn, access, query, now) if turn else ""
        patients = dict.fromkeys(one.patient for one in (*matches, *beside) if one.patient)
        return Answer(Page(matches, beside, total, onward, snapshot), tuple(patients))

    asked = Asked("search-type", query.resource_type, raw)
    return record.look(access, query.resource_type, Interaction.SEARCH, asked, look)


def _included(
    connection: Connection, query: Query, access: Access, matches: tuple[Stored, ...], now: int
) -> tuple[Stored, ...]:
    if not query.wanted.includes:
        return ()
    references = referred(query.wanted, (json.decode(match.body) for match in matches))
    have = {match.reference for match in matches}
    found = (
        read.stored(row)
        for statement in included(access, references, now)
        for row in connection.execute(statement)
    )
    return tuple(one for one in found if one.reference not in have)
