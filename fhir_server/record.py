"""`Record`: the only door to the store.

Reads take an `Access`, and their answer is given out when the audit entry is committed, not
before; refusals leave an entry as well. Writes are *pieces*: functions of a `Writer`, run by the
committer in one transaction with the entries that they owe. Every method returns a Future, which
an event loop awaits and a thread waits for; without a written ledger it raises Unavailable.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Row, Select, select
from sqlalchemy.exc import SQLAlchemyError

from fhir_server import clock as time
from fhir_server import looks
from fhir_server.access import Access
from fhir_server.clock import Clock, micros
from fhir_server.errors import Unavailable
from fhir_server.looks import Asking, Look, Query, Recognise
from fhir_server.model.synthetic import anybody
from fhir_server.owed import Asked, bare_entry, entry
from fhir_server.store.at_hand import AtHand
from fhir_server.store.committer import Again, Committer, Piece, entered
from fhir_server.store.engine import Engines, assert_durable
from fhir_server.store.read import Stored
from fhir_server.store.tables import installation
from fhir_server.store.transaction import Transaction
from fhir_server.store.write import Filed, Notice, Writer

__all__ = [
    "Again",
    "Asked",
    "Asking",
    "Filed",
    "Notice",
    "Query",
    "Recognise",
    "Record",
    "Stored",
    "Writer",
]

Tree = dict[str, Any]
T = TypeVar("T")
_TRANSACTION = Asked("transaction")


class Record:
    """One database, opened: its readers, its committer, and the keys made at installation."""

    def __init__(
        self,
        engines: Engines,
        clock: Clock = time.now,
        on_fatal: Callable[[str], None] | None = None,
        admit: Callable[[Tree], None] = anybody,
    ) -> None:
        self.clock = clock
        self._admit = admit
        self.engines = engines
        with engines.reader.connect() as connection:
            rows = connection.execute(select(installation.c.name, installation.c.value)).all()
        keys = {name: bytes(value) for name, value in rows}
        self.id_key, self.page_key = keys["id_key"], keys["page_key"]
        self._committer = Committer(engines, on_fatal)
        self._at_hand = AtHand(engines.reader) if engines.is_sqlite else None

    def close(self) -> None:
        """Commit what waits, then close every connection."""
        self._committer.close()
        if self._at_hand is not None:
            self._at_hand.close()
        self.engines.dispose()

    @property
    def waiting(self) -> int:
        """How many pieces wait for the committer."""
        return self._committer.depth

    @property
    def failed(self) -> str:
        """Why this process can write nothing more; empty while all is well."""
        return self._committer.failed

    def assert_durable(self) -> None:
        """Raise Unavailable unless what this database commits survives a loss of power."""
        try:
            assert_durable(self.engines)
        except SQLAlchemyError as error:
            raise Unavailable.of("The database does not answer.") from error

    def read(self, access: Access, resource_type: str, id_: str) -> "Future[Stored]":
        """Answer with the current version; NotFound for what is absent or not the caller's."""
        return self.ask(looks.by(access, looks.at(resource_type, id_)))

    def vread(self, access: Access, resource_type: str, id_: str, version: int) -> "Future[Stored]":
        """Answer with one version, if it and the current one may both be seen. Raises NotFound."""
        return self.ask(looks.by(access, looks.at_version(resource_type, id_, version)))

    def history(self, access: Access, resource_type: str, id_: str) -> "Future[Sequence[Stored]]":
        """Answer with the versions that may be seen today, newest first. Raises NotFound."""
        return self.look(access, looks.at_every_version(resource_type, id_))

    def ask(self, asking: Asking) -> "Future[Any]":
        """Take a short look, by key, without leaving the caller's thread for long."""
        return self._committer.submit(self._asked((asking,), lambda found: found[0]))

    def ask_all(self, askings: Sequence[Asking]) -> "Future[list[Any]]":
        """Take several short looks in one go; each answers with what it found or with an error.

        On the embedded database they are taken here, on a connection that stays open, in one state
        of the store; on a server's in the committer's transaction.
        """
        return self._committer.submit(self._asked(askings, list))

    def _asked(self, askings: Sequence[Asking], answer: Callable[[list[Any]], Any]) -> Piece:
        """Return the piece that is answered with what *answer* makes of all that was found."""
        if self._at_hand is not None:
            now = micros(self.clock())
            try:
                with self._at_hand.connection() as connection:
                    taken = [looks.recognised(asking, connection, now) for asking in askings]
            except SQLAlchemyError as error:
                taken = [looks.unread(error, asking, now) for asking in askings]
            return entered(answer([found for found, _ in taken]), _owed(taken))

        def run(transaction: Transaction) -> tuple[Any, Sequence[bytes]]:
            # What is seen of the pieces before is seen whole.
            transaction.send()
            connection, now = transaction.connection, micros(self.clock())
            taken = [looks.recognised(asking, connection, now) for asking in askings]
            return answer([found for found, _ in taken]), _owed(taken)

        return Piece(run, lambda _: ())

    def look(self, access: Access, look: Look) -> "Future[Any]":
        """Take a *look* that may be long on a reading connection, in the caller's thread.

        Answers once its entries stand. Package-internal: a look sees the store, so nobody outside
        `fhir_server` may make one.
        """
        now = micros(self.clock())
        found: Any
        try:
            with self.engines.reader.connect() as connection:
                found, entries = looks.taken(look, connection, access, now)
        except SQLAlchemyError as error:
            found, entries = looks.unread(error, looks.by(access, look), now)
        return self._committer.submit(entered(found, entries))

    def submit(
        self,
        access: Access,
        piece: Callable[[Writer], T],
        *,
        buckets: Iterable[int] = (),
        asked: Asked = _TRANSACTION,
    ) -> "Future[T]":
        """Run *piece* in the committer's transaction; answer with its result after the commit.

        *buckets* are those whose resources it writes. What *piece* raises comes back through the
        Future, its rows undone, with a refusal of what was *asked* on the ledger. A piece that
        lacks a bucket answers `Again`.
        """

        def runs(
            piece: Callable[[Writer], Any],
        ) -> Callable[[Transaction], tuple[Any, Sequence[bytes]]]:
            def run(transaction: Transaction) -> tuple[Any, Sequence[bytes]]:
                now = micros(self.clock())
                told = partial(entry, transaction.connection, access, now)
                writer = Writer(transaction, access, now, self.id_key, told, admit=self._admit)
                answer = piece(writer)
                if isinstance(answer, Again) and answer.then is not None:
                    answer = replace(answer, then=runs(answer.then))
                return answer, writer.entries

            return run

        def refused(error: Exception) -> Sequence[bytes]:
            return [bare_entry(access, micros(self.clock()), **asked.failed(error))]

        return self._committer.submit(Piece(runs(piece), refused, frozenset(buckets)))

    def select(
        self, statement: Select[Any], parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Row[Any]]:
        """Return rows of the caller's own package's tables: no resources, and so no audit."""
        try:
            with self.engines.reader.connect() as connection:
                return connection.execute(statement, parameters).all()
        except SQLAlchemyError as error:
            raise Unavailable.of("The record can't be read now. Please try again.") from error

    def note(
        self,
        access: Access,
        subtype: str,
        *,
        outcome: str = "0",
        entity: str = "",
        patient: str = "",
        reason: str = "",
    ) -> "Future[None]":
        """Leave an audit entry on its own: for a sign-in, or a refusal at the door."""
        told = {"outcome": outcome, "entity": entity, "patient": patient, "reason": reason}
        return self._noted(access, told | {"subtype": subtype})

    def refuse(self, access: Access, asked: Asked, error: Exception) -> "Future[None]":
        """Leave the entry of a request that was refused before the record was asked."""
        return self._noted(access, asked.failed(error))

    def _noted(self, access: Access, told: dict[str, str]) -> "Future[None]":
        def run(transaction: Transaction) -> tuple[None, Sequence[bytes]]:
            now = micros(self.clock())
            return None, [entry(transaction.connection, access, now, **told)]

        return self._committer.submit(Piece(run, lambda _: ()))


def _owed(taken: Iterable[tuple[Any, Sequence[bytes]]]) -> list[bytes]:
    return [entry for _, entries in taken for entry in entries]
