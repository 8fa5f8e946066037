"""SQLite and PostgreSQL engines: one that writes, one that reads.

SQLite: write-ahead log, `synchronous=FULL`, no memory mapping, and checkpoints on the writing
connection alone, since versions before 3.51.3 may corrupt a log that two connections checkpoint.
The driver's own transaction handling breaks savepoints, so it is switched off and the writer
begins with `BEGIN IMMEDIATE`.

PostgreSQL: the settings without which an acknowledged message can be lost are asserted, and nobody
waits for ever for a server that does not answer (`silence`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from fhir_server.errors import Unavailable
from fhir_server.store import silence

READERS = 16
STATEMENTS = 512
"""Statements that SQLite keeps ready on each connection: insertions have one for each size."""
QUEUED = 10.0
"""Seconds that somebody waits for one of the connections to a server, when all are lent."""


@dataclass(frozen=True, slots=True)
class Engines:
    """The two ways into one database."""

    writer: Engine
    reader: Engine

    @property
    def is_sqlite(self) -> bool:
        """Tell whether this is the embedded database."""
        return self.writer.dialect.name == "sqlite"

    def dispose(self) -> None:
        """Close every connection."""
        self.writer.dispose()
        self.reader.dispose()


def open_engines(url: str, *, is_patient: bool = False) -> Engines:
    """Return the engines for *url* (`sqlite:///…` or `postgresql+psycopg://…`).

    Who *is_patient* waits for each answer for as long as it takes: to change a schema may be long.
    """
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite(url)
    options: dict[str, Any] = {
        "poolclass": QueuePool,
        "pool_pre_ping": True,
        "pool_timeout": QUEUED,
        "hide_parameters": True,
    }
    engines = Engines(
        writer=create_engine(url, pool_size=1, max_overflow=2, **options),
        reader=create_engine(
            url, pool_size=READERS, max_overflow=0, isolation_level="AUTOCOMMIT", **options
        ),
    )
    if not is_patient:
        silence.bound(engines.writer)
        silence.bound(engines.reader)
    return engines


def _sqlite(url: str) -> Engines:
    options: dict[str, Any] = {
        "poolclass": QueuePool,
        "max_overflow": 0,
        "hide_parameters": True,
        "connect_args": {"cached_statements": STATEMENTS},
    }
    writer = create_engine(url, pool_size=1, **options)
    reader = create_engine(url, pool_size=READERS, **options)
    event.listen(writer, "connect", _pragmas("PRAGMA wal_autocheckpoint=1000"))
    event.listen(writer, "begin", _begin_immediate)
    event.listen(reader, "connect", _pragmas("PRAGMA wal_autocheckpoint=0", "PRAGMA query_only=ON"))
    return Engines(writer, reader)


def _pragmas(*own: str) -> Callable[[Any, ConnectionPoolEntry], None]:
    def on_connect(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "PRAGMA busy_timeout=5000",
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "PRAGMA mmap_size=0",
            *own,
        ):
            cursor.execute(pragma)
        cursor.close()

    return on_connect


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def assert_durable(engines: Engines) -> None:
    """Raise Unavailable unless a commit on this database survives a loss of power."""
    with engines.reader.connect() as connection:
        if engines.is_sqlite:
            wanted = {"journal_mode": "wal", "synchronous": "2"}
            found = {
                name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar()) for name in wanted
            }
        else:
            wanted = {"fsync": "on", "full_page_writes": "on"}
            found = {
                name: str(connection.exec_driver_sql(f"SHOW {name}").scalar()) for name in wanted
            }
            mode = str(connection.exec_driver_sql("SHOW synchronous_commit").scalar())
            if mode not in {"on", "local", "remote_write", "remote_apply"}:
                found["synchronous_commit"] = mode
                wanted["synchronous_commit"] = "on"
    wrong = [
        f"{name} is {found[name]}, not {wanted[name]}"
        for name in wanted
        if found[name] != wanted[name]
    ]
    if wrong:
        raise Unavailable.of(
            "The database may lose what it has acknowledged: " + "; ".join(wrong) + "."
        )


@contextmanager
def one_state(engines: Engines) -> Iterator[Connection]:
    """Give a reading connection on which every statement sees the same state of the database."""
    if engines.is_sqlite:
        with engines.reader.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("ROLLBACK")
    else:
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with (
            engines.reader.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            yield connection
