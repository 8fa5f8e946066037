"""A PostgreSQL that falls silent: it takes what is sent, and neither answers nor hangs up.

A server that was stopped does so, a cable that was pulled, a firewall that forgot a connection;
the driver would wait for ever. Here each answer is waited for as long as `LONGEST`; then the
connection is closed, and what was asked counts as not answered. The server, in its turn, ends a
transaction whose program went without a word, so that its locks are not held for ever.
"""

from contextlib import ExitStack
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

LONGEST = 15.0
"""Seconds that one statement may go without an answer."""

_WHEN_CONNECTING: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}
"""In libpq's words (PostgreSQL manual, 34.1.2), where the URL says nothing else."""

_ASKED_OF_THE_SERVER: dict[str, str] = {
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "2",
    "tcp_user_timeout": "15s",
}
"""What it does with us, as far as its version can (PostgreSQL manual, 20.3, 20.11)."""

_SETTING = (
    "SELECT set_config(name, wanted, false) FROM pg_settings"
    " JOIN unnest(%s::text[], %s::text[]) AS asked (known, wanted) ON name = known"
)

T = TypeVar("T")


class ServerSilent(psycopg.OperationalError):
    """The server has not answered; what became of the statement is not known."""


class Impatient(psycopg.Connection[Any]):
    """A connection on which nobody waits for longer than `LONGEST`."""

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for the answer. Raises ServerSilent, the connection closed, where none comes."""
        try:
            return super().wait(gen, interval, LONGEST if timeout is None else timeout)
        except psycopg.errors._WaitTimeout as silent:  # noqa: SLF001 - it has no other name
            self.pgconn.finish()
            raise ServerSilent("The server does not answer.") from silent


def bound(engine: Engine) -> None:
    """Let nobody wait for ever on the connections that *engine* will make."""

    def connect(_dialect: Any, _entry: ConnectionPoolEntry, words: Any, named: Any) -> Any:
        made = Impatient.connect(*words, **_WHEN_CONNECTING | named)
        asked = [*_ASKED_OF_THE_SERVER], [*_ASKED_OF_THE_SERVER.values()]
        with ExitStack() as ends:
            ends.callback(made.close)
            with made.transaction():
                made.execute(_SETTING, asked)
            ends.pop_all()
        return made

    event.listen(engine, "do_connect", connect)


def is_silent(error: SQLAlchemyError) -> bool:
    """Tell whether *error* is that the server did not answer."""
    return isinstance(error, DBAPIError) and isinstance(error.orig, ServerSilent)
