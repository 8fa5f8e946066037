"""`Record`: the only door to the store.

Reads take an `Access`, and their answer is given out when the audit entry is committed, not
before; refusals leave an entry as well. Writes are *pieces*: functions of a `Writer`, run by the
committer in one transaction with the entries that they owe. Every method returns a Future, which
an event loop awaits and a thread waits for; without a written ledger it raises Unavailable.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, select
from sqlalchemy.exc import SQLAlchemyError

from fhir_server import clock as time
from fhir_server.access import Access, Interaction, visible
from fhir_server.clock import Clock, micros
from fhir_server.errors import FhirError, Forbidden, NotFound, Unavailable
from fhir_server.model.ids import is_id
from fhir_server.model.synthetic import anybody
from fhir_server.owed import Asked, bare_entry, entry
from fhir_server.search.audit_sql import audit_entry_by_id
from fhir_server.store import read as reading
from fhir_server.store.committer import Again, Committer, Piece, entered
from fhir_server.store.engine import Engines, assert_durable
from fhir_server.store.read import Stored, audit_event
from fhir_server.store.tables import installation, resource_version
from fhir_server.store.transaction import Transaction
from fhir_server.store.write import Filed, Notice, Writer

__all__ = ["Again", "Answer", "Asked", "Filed", "Notice", "Record", "Stored", "Writer"]

Tree = dict[str, Any]
T = TypeVar("T")
_TRANSACTION = Asked("transaction")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a look into the record found, and whose records it touched."""

    found: Any
    patients: tuple[str, ...] = ()


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

    def close(self) -> None:
        """Commit what waits, then close every connection."""
        self._committer.close()
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

        def look(connection: Connection, now: int) -> Answer:
            if resource_type == "AuditEvent":
                row = connection.execute(audit_entry_by_id(access, id_)).first()
                return _one(None if row is None else audit_event(row))
            return _one(reading.seen(connection, access, resource_type, id_, now))

        asked = Asked("read", f"{resource_type}/{id_}")
        return self._look(access, resource_type, Interaction.READ, asked, _checked(id_, look))

    def vread(self, access: Access, resource_type: str, id_: str, version: int) -> "Future[Stored]":
        """Answer with one version, if it and the current one may both be seen. Raises NotFound."""

        def look(connection: Connection, now: int) -> Answer:
            current = _one(reading.seen(connection, access, resource_type, id_, now)).found
            if current.version == version:
                return _one(current)
            seen = visible(access, resource_type, resource_version, now)
            earlier = reading.versions(
                resource_type, id_, seen, resource_version.c.version == version
            )
            return _one(reading.first(connection, earlier))

        asked = Asked("vread", f"{resource_type}/{id_}/_history/{version}")
        return self._look(access, resource_type, Interaction.VREAD, asked, _checked(id_, look))

    def history(self, access: Access, resource_type: str, id_: str) -> "Future[Sequence[Stored]]":
        """Answer with the versions that may be seen today, newest first. Raises NotFound."""

        def look(connection: Connection, now: int) -> Answer:
            current = _one(reading.seen(connection, access, resource_type, id_, now)).found
            seen = visible(access, resource_type, resource_version, now)
            rows = connection.execute(reading.versions(resource_type, id_, seen))
            versions = (current, *map(reading.stored, rows))
            return Answer(versions, (current.patient,) if current.patient else ())

        asked = Asked("history-instance", f"{resource_type}/{id_}")
        return self._look(access, resource_type, Interaction.HISTORY, asked, _checked(id_, look))

    def look(
        self,
        access: Access,
        resource_type: str,
        interaction: Interaction,
        asked: Asked,
        look: Callable[[Connection, int], Answer],
    ) -> "Future[Any]":
        """Answer with what *look* finds on a reading connection, once its audit entries stand.

        For searches, whose statements carry `visible` themselves. Package-internal: `look` sees
        the store, so nobody outside `fhir_server` may call this.
        """
        return self._look(access, resource_type, interaction, asked, look)

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
                now, entries = micros(self.clock()), list[bytes]()

                def note(subtype: str, **told: str) -> None:
                    entries.append(
                        entry(transaction.connection, access, now, subtype=subtype, **told)
                    )

                writer = Writer(transaction, access, now, self.id_key, note, admit=self._admit)
                answer = piece(writer)
                if isinstance(answer, Again) and answer.then is not None:
                    answer = replace(answer, then=runs(answer.then))
                return answer, entries

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

    def _look(
        self,
        access: Access,
        resource_type: str,
        interaction: Interaction,
        asked: Asked,
        look: Callable[[Connection, int], Answer],
    ) -> "Future[Any]":
        now = micros(self.clock())
        found: Any
        try:
            with self.engines.reader.connect() as connection:
                try:
                    if not access.permits(resource_type, interaction):
                        text = f"This token does not allow {interaction} on {resource_type}."
                        raise Forbidden.of(text)
                    answer = look(connection, now)
                except FhirError as refusal:
                    # What was asked is kept, never what was found.
                    found, told = refusal, [asked.failed(refusal)]
                else:
                    found = answer.found
                    told = [asked.told() | {"patient": one} for one in answer.patients or ("",)]
                entries = [entry(connection, access, now, **one) for one in told]
        except SQLAlchemyError as error:
            found = Unavailable.of("The record can't be read now. Please try again.")
            found.__cause__ = error
            entries = [bare_entry(access, now, **asked.failed(found))]
        return self._committer.submit(entered(found, entries))


def _checked(
    id_: str, look: Callable[[Connection, int], Answer]
) -> Callable[[Connection, int], Answer]:
    """Guard *look* against ids that this server never gives out: they are nobody's."""

    def guarded(connection: Connection, now: int) -> Answer:
        if not is_id(id_):
            raise _absent()
        return look(connection, now)

    return guarded


def _one(stored: Stored | None) -> Answer:
    if stored is None:
        raise _absent()
    return Answer(stored, (stored.patient,) if stored.patient else ())


def _absent() -> NotFound:
    return NotFound.of("There is no such resource, or it is not yours to see.")
