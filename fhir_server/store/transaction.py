"""One transaction of the committer: what its pieces write is gathered, and sent when it has to be.

Rows wait until the transaction ends, or until a statement could see or change them, and go in one
multi-row statement for each table. A scope is what can be undone alone: a piece, or an attempt
inside one. As long as nothing of it has been sent, undoing is forgetting; its savepoint is begun
before the first of its rows goes, and never before the rows of those that came earlier have gone.

What fails outside of every savepoint takes the whole transaction with it, and so does a row that
is refused when others than its piece wait for it: `lost` says so, and the pieces are run again, one
by one, in transactions that are `careful`: there each scope has its savepoint, and sends its rows
before it ends, so that an error meets the piece that caused it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import ClauseElement, Connection, Executable, Row, Select, Table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.util import find_tables

from fhir_server import prepared
from fhir_server.store.gathered import Gathered
from fhir_server.store.read import Stored

Key = tuple[str, str]
"""Type and id of a resource."""


class _Scope:
    """What can be undone alone: rows that wait, resources as it left them, and its savepoint."""

    __slots__ = ("filed", "gathered", "savepoint")

    def __init__(self) -> None:
        self.gathered = Gathered()
        self.filed: dict[Key, Stored] = {}
        self.savepoint = ""

    def absorb(self, inner: "_Scope") -> None:
        self.filed.update(inner.filed)
        self.gathered.absorb(inner.gathered)


class Transaction:
    """What the pieces of one group share; it lives as long as their transaction."""

    def __init__(self, connection: Connection, *, careful: bool = False) -> None:
        self._connection = connection
        self._careful = careful
        self._scopes = [_Scope()]
        self.lost = False

    @property
    def connection(self) -> Connection:
        """The connection, for statements on tables in which no rows wait."""
        return self._connection

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Undo what is done inside, and only that, where it raises."""
        if self._careful:
            self.send()
        inner = _Scope()
        self._scopes.append(inner)
        try:
            if self._careful:
                self.send()
            yield
            if inner.savepoint:
                self.send()
        except BaseException:
            self._scopes.pop()
            if inner.savepoint and not self.lost:
                self._end(f"ROLLBACK TO SAVEPOINT {inner.savepoint}")
                self._end(f"RELEASE SAVEPOINT {inner.savepoint}")
            raise
        self._scopes.pop()
        if inner.savepoint:
            self._end(f"RELEASE SAVEPOINT {inner.savepoint}")
        self._scopes[-1].absorb(inner)

    def add(self, table: Table, bucket: int, rows: Sequence[Sequence[Any]]) -> None:
        """Let *rows*, with a value for each column of *table* in its order, wait to be inserted."""
        self._scopes[-1].gathered.insert(table, bucket, rows)

    def change(self, statement: ClauseElement, table: Table, line: Mapping[str, Any]) -> None:
        """Let *statement*, which a module made once to change *table*, wait with *line*.

        It goes before the rows that wait to be inserted.
        """
        self._scopes[-1].gathered.change(statement, table, line)

    def note(self, stored: Stored) -> None:
        """Remember *stored* as what stands, its rows being among those that wait."""
        self._scopes[-1].filed[stored.type, stored.id] = stored

    def noted(self, key: Key) -> Stored | None:
        """Return the resource as this transaction left it; None where it did not touch it."""
        for scope in reversed(self._scopes):
            if key in scope.filed:
                return scope.filed[key]
        return None

    def send(self, depth: int | None = None) -> None:
        """Send what waits in the scopes down to *depth*, each in its savepoint; in all by default.

        What follows sees it, and can be undone with the scope in which it is done.
        """
        last = len(self._scopes) - 1
        for at, scope in enumerate(self._scopes[: None if depth is None else depth + 1]):
            try:
                if at and not scope.savepoint:
                    scope.savepoint = f"scope_{at}"
                    prepared.send(self._connection, f"SAVEPOINT {scope.savepoint}")
                scope.gathered.send(self._connection)
            # A value that the driver does not take is no error of the database's.
            except Exception:
                self.lost = self.lost or at < max(last, 1)
                raise

    def select(
        self, statement: Select[Any], parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Row[Any]]:
        """Return the rows of *statement*, with what waits in the tables and buckets that it names.

        It is hot where its *parameters* name the bucket: then it has to be one that a module made
        once, and rows that wait in other buckets keep waiting.
        """
        bucket = parameters.get("bucket") if parameters is not None else None
        for depth in range(len(self._scopes) - 1, -1, -1):
            if _concerned(self._scopes[depth].gathered, statement, bucket):
                self.send(depth)
                break
        return self.look(statement, parameters)

    def look(
        self, statement: Select[Any], parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Row[Any]]:
        """Return the rows of *statement* as `select` does, but for those that wait."""
        try:
            if parameters is not None and "bucket" in parameters:
                return prepared.rows(self._connection, statement, parameters)
            return self._connection.execute(statement, parameters).all()
        except SQLAlchemyError:
            self._failed()
            raise

    def execute(
        self,
        statement: Executable,
        parameters: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
    ) -> int:
        """Send what waits, then execute *statement*; return how many rows it changed."""
        self.send()
        try:
            return self._connection.execute(statement, parameters).rowcount
        except SQLAlchemyError:
            self._failed()
            raise

    def _end(self, text: str) -> None:
        try:
            prepared.send(self._connection, text)
        except SQLAlchemyError:
            self.lost = True
            raise

    def _failed(self) -> None:
        """Note that the transaction is gone, unless a savepoint holds what went before."""
        self.lost = self.lost or not self._scopes[-1].savepoint


def _concerned(gathered: Gathered, statement: Select[Any], bucket: int | None) -> bool:
    if not gathered.touched or bucket is None:
        return bool(gathered.touched)
    return any((table, bucket) in gathered.touched for table in _tables(statement))


@lru_cache(512)
def _tables(statement: ClauseElement) -> tuple[str, ...]:
    return tuple(table.name for table in find_tables(statement))
