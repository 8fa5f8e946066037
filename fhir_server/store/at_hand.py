"""A reading connection that stays open, for looks so short that fetching one would cost more."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from fhir_server import prepared


class AtHand:
    """One connection of *engine*, SQLite's, lent to one at a time."""

    def __init__(self, engine: Engine) -> None:
        self._connection = engine.connect()
        self._lock = threading.Lock()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend the connection: every statement sees the same state of the database."""
        with self._lock:
            prepared.send(self._connection, "BEGIN").close()
            try:
                yield self._connection
            finally:
                prepared.send(self._connection, "ROLLBACK").close()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()
