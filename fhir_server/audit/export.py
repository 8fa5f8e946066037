"""The ledger as lines of JSON, for an auditor to take away and verify elsewhere.

The first line is the head with the checkpoints that the database holds, then one line an entry:

    {"size": 2, "peaks": "<base64>", "checkpoints": ["<note>", …]}
    {"seq": 0, "columns": {"id": "…", "recorded": 1764000000123456, …}, "body": "<base64>"}

Bodies are in base64, so that their bytes arrive as they stand, damaged ones too.
"""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, select

from fhir_server.audit import ledger
from fhir_server.model import json
from fhir_server.store.tables import audit_checkpoint, audit_entry, audit_head

_COLUMNS = tuple(column.name for column in audit_entry.c if column.name not in {"seq", "body"})


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Give a connection that sees the ledger as it stands now, whatever is appended meanwhile.

    Without it the head could be older than the last entries, which would look like tampering.
    """
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def lines(connection: Connection) -> Iterator[bytes]:
    """Yield the export line by line, each with its line feed.

    *connection* comes from `snapshot`. Whatever the tables hold is exported, damage and all.
    """
    head = connection.execute(select(audit_head)).one_or_none()
    notes = select(audit_checkpoint.c.note).order_by(audit_checkpoint.c.size)
    first = {
        "size": head.size if head else 0,
        "peaks": b64encode(head.peaks).decode() if head else "",
        "checkpoints": list(connection.scalars(notes)),
    }
    yield json.encode(first) + b"\n"
    for row in ledger.entries(connection):
        named = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
        line = {
            "seq": row.seq,
            "columns": {name: named[name] for name in _COLUMNS},
            "body": b64encode(row.body).decode(),
        }
        yield json.encode(line) + b"\n"
