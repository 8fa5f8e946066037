"""What has run out is taken away, a little at a time: nothing answers otherwise for it.

A used code and a replaced refresh token stay as long as their authorisation lives, as a second use
ends it. What a person allowed (`consent`) stays for good, and so does the ledger.
"""

from sqlalchemy import ColumnElement, Table, and_, delete, exists, or_, select, tuple_

from auth import policy
from auth.sessions import LONGEST, MINUTE
from auth.tables import authorization_request, code, family, session, token, used_assertion
from fhir_server.record import Record, Writer

MOST = 500
"""Rows that one piece takes away of each table."""
DAY = 24 * 60 * MINUTE
SESSIONS_KEPT = 7 * DAY + LONGEST
"""Microseconds for which a session is remembered, to tell its browser why it is over."""

_BUCKET = 0
"""What two processes that do this lock, so that one comes after the other."""


def prune(record: Record, most: int = MOST) -> int:
    """Take away at most *most* rows of each table that have run out; return how many it were.

    Raises Unavailable where nothing can be written now.
    """

    def piece(writer: Writer) -> int:
        return sum(_taken(writer, most))

    access = policy.stranger(request_id="", network="")
    return record.submit(access, piece, buckets=(_BUCKET,)).result()


def _taken(writer: Writer, most: int) -> list[int]:
    now, before = writer.now, writer.now - DAY
    over = or_(family.c.expires <= before, family.c.ended_at <= before)
    ended = select(family.c.id).where(over)
    bare = [~exists().where(table.c.family == family.c.id) for table in (token, code)]
    return [
        _some(writer, token, token.c.expires <= before, most),
        _some(writer, token, token.c.family.in_(ended), most),
        _some(writer, code, code.c.family.in_(ended), most),
        _some(writer, family, and_(over, *bare), most),
        _some(writer, session, session.c.created <= now - SESSIONS_KEPT, most),
        _some(writer, authorization_request, authorization_request.c.expires <= now, most),
        _some(writer, used_assertion, used_assertion.c.expires <= now, most),
    ]


def _some(writer: Writer, table: Table, which: ColumnElement[bool], most: int) -> int:
    key = table.primary_key.columns.values()
    found = select(*key).where(which).limit(most)
    return writer.execute(delete(table).where(tuple_(*key).in_(found)))
