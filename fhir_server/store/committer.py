"""The one writer of a process: pieces that wait are committed together, then answered.

Lock order, the same everywhere: the buckets of the whole group in ascending order; each piece in
a scope that can be undone alone, and the rows of all of them; then the head of the ledger, the
group's audit entries in one statement; then COMMIT. Nobody is told of success before that, and
nobody at all if the outcome of COMMIT is unknown. When a group's transaction is lost as a whole,
its pieces are run again one by one.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from queue import Empty, Full, Queue
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from fhir_server.audit import ledger
from fhir_server.errors import FhirError, Unavailable, traced
from fhir_server.store.answers import tell, unavailable
from fhir_server.store.engine import Engines
from fhir_server.store.silence import is_silent
from fhir_server.store.tables import bucket_lock
from fhir_server.store.transaction import Transaction

log = logging.getLogger(__name__)

GROUP = 128
"""The most pieces that share one transaction."""
PATIENCE = 0.002
"""Seconds that a group smaller than usual waits for more: where pieces come one by one, none."""
WAITING = 10_000
"""The most pieces that may wait; one more is refused at once."""

_DISK_FAILED = "The disk failed; nothing can be written until the server has been restarted."

Entries = Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Piece:
    """A unit of work for the committer's thread.

    *run* gets the group's transaction and returns its result and the audit entries that it owes;
    *refused* returns the entries owed when *run* raised: they are committed although the piece's
    own rows are undone.
    """

    run: Callable[[Transaction], tuple[Any, Entries]]
    refused: Callable[[Exception], Entries]
    buckets: frozenset[int] = frozenset()
    future: "Future[Any]" = field(default_factory=Future)


def entered(answer: Any, entries: Entries) -> Piece:
    """Return the piece that is answered with *answer* once *entries* stand in the ledger."""
    return Piece(lambda _: (answer, entries), lambda _: ())


@dataclass(frozen=True, slots=True)
class Again:
    """What a piece answers that wrote nothing, as it lacks the locks of *buckets*.

    With *then*, which is what the piece is from now on, the committer runs it again under them,
    and before any later piece that shares a bucket with it; else the answer is its answer.
    """

    buckets: frozenset[int]
    then: Callable[[Any], Any] | None = None


class _Behind:
    """Stands for the answer of a piece that was not run: one before it has to be run again."""


class _GroupLostError(Exception):
    """The transaction is gone, with every piece in it; nothing was committed."""


class _AllLostError(Exception):
    """The database can't be reached, or does not answer: whoever waits is told so at once."""


class Committer:
    """Runs pieces in one thread, in the order in which they came, a group to a transaction."""

    def __init__(self, engines: Engines, on_fatal: Callable[[str], None] | None = None) -> None:
        self._engines = engines
        self._on_fatal = on_fatal
        self._waiting: Queue[Piece | None] = Queue(WAITING)
        self._first: list[Piece] = []
        self._refusing = ""
        self._thread = threading.Thread(target=self._work, name="committer", daemon=True)
        self._thread.start()

    def submit(self, piece: Piece) -> "Future[Any]":
        """Queue *piece*, whose future is answered after the commit; Unavailable when full."""
        if self._refusing:
            raise Unavailable.of(self._refusing)
        try:
            self._waiting.put_nowait(piece)
        except Full:
            raise Unavailable.of("Too much is waiting to be written. Please try again.") from None
        return piece.future

    @property
    def depth(self) -> int:
        """How many pieces wait."""
        return self._waiting.qsize()

    @property
    def failed(self) -> str:
        """Why nothing can be written until a restart; empty while all is well."""
        return self._refusing if self._refusing == _DISK_FAILED else ""

    def close(self) -> None:
        """Finish what waits, then end the thread."""
        self._refusing = self._refusing or "The server is stopping."
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        stop, usual = False, 1
        while not stop or self._first:
            group, self._first = self._first, []
            if not group:
                piece = self._waiting.get()
                if piece is None:
                    return
                group += _begun(piece)
            until = time.monotonic() + PATIENCE
            while not stop and len(group) < GROUP:
                patience = until - time.monotonic() if len(group) < usual else 0
                try:
                    following = self._waiting.get(patience > 0, max(patience, 0))
                except Empty:
                    break
                if following is None:
                    stop = True
                else:
                    group += _begun(following)
            usual = (usual + len(group)) // 2
            try:
                self._commit(group)
            except _AllLostError as lost:
                self._first.clear()  # they are of this group
                for piece in (*group, *self._taken_out()):
                    tell(piece.future, unavailable(lost))

    def _taken_out(self) -> list[Piece]:
        """Take what waits out of the queue; a stop that was asked for stays in it."""
        waited = [self._waiting.get_nowait() for _ in range(self._waiting.qsize())]
        if None in waited:
            self._waiting.put(None)
        return [one for piece in waited if piece is not None for one in _begun(piece)]

    def _commit(self, group: list[Piece], *, careful: bool = False) -> None:
        if not group:
            return
        try:
            answers = self._transact(group, careful=careful)
        except _GroupLostError as lost:
            for piece in group:
                if careful or self._refusing == _DISK_FAILED:
                    tell(piece.future, unavailable(lost))
                else:
                    self._commit([piece], careful=True)
        except SQLAlchemyError as error:
            self._judge(error)
            for piece in group:
                tell(piece.future, unavailable(error))
        else:
            self._deliver(group, answers)

    def _deliver(self, group: list[Piece], answers: list[Any]) -> None:
        """Answer what is done; what has to be run again, and what waits for it, comes first now."""
        for piece, answer in zip(group, answers, strict=True):
            if isinstance(answer, _Behind):
                self._first.append(piece)
            elif isinstance(answer, Again) and answer.then is not None:
                buckets = piece.buckets | answer.buckets
                self._first.append(replace(piece, run=answer.then, buckets=buckets))
            else:
                tell(piece.future, answer)

    def _transact(self, group: list[Piece], *, careful: bool = False) -> list[Any]:
        """Commit *group* and return one answer (a result or an error) for each piece."""
        try:
            connection = self._engines.writer.connect()
        except SQLAlchemyError as error:
            raise _AllLostError from error
        with connection:
            try:
                transaction = connection.begin()
                self._lock(connection, group)
                held = set[int]().union(*(piece.buckets for piece in self._first))
                answers, entries = _run_each(Transaction(connection, careful=careful), group, held)
                ledger.append(connection, entries)
            except SQLAlchemyError as error:
                connection.invalidate(error)
                self._judge(error)
                raise (_AllLostError if is_silent(error) else _GroupLostError) from error
            except _GroupLostError:
                connection.invalidate()
                raise
            # A row that the driver can't even send must cost its own piece, and never the thread.
            except Exception as error:
                connection.invalidate()
                raise _GroupLostError from error
            try:
                transaction.commit()
            except SQLAlchemyError as error:
                # The outcome is unknown: nobody is told of success, nothing is run again.
                connection.invalidate(error)
                raise
        return answers

    def _lock(self, connection: Connection, group: list[Piece]) -> None:
        buckets = sorted(set().union(*(piece.buckets for piece in group)))
        if buckets and not self._engines.is_sqlite:
            connection.execute(
                select(bucket_lock.c.bucket)
                .where(bucket_lock.c.bucket.in_(buckets))
                .order_by(bucket_lock.c.bucket)
                .with_for_update()
            ).all()

    def _judge(self, error: SQLAlchemyError) -> None:
        """After a failed write to the disk, refuse everything: a retry may falsely succeed."""
        cause = getattr(error, "orig", None)
        if not getattr(cause, "sqlite_errorname", "").startswith("SQLITE_IOERR"):
            return
        self._refusing = _DISK_FAILED
        log.critical("disk error while writing: refusing all writes")
        if self._on_fatal is not None:
            self._on_fatal(self._refusing)


def _begun(piece: Piece) -> list[Piece]:
    return [piece] if piece.future.set_running_or_notify_cancel() else []


def _run_each(
    transaction: Transaction, group: list[Piece], held: set[int]
) -> tuple[list[Any], list[bytes]]:
    """Return an answer for each piece, and the entries that they owe.

    Of the pieces that share a bucket with one that has to be run again, or with those *held* by
    one, none is run: what belongs to one patient is written in the order in which it came.
    """
    answers: list[Any] = []
    entries: list[bytes] = []
    for piece in group:
        if held & piece.buckets:
            held |= piece.buckets
            answers.append(_Behind())
            continue
        try:
            with transaction.scope():
                answer, owed = piece.run(transaction)
        # A piece may fail in any way; only its own rows go, and the refusal is on the ledger.
        except Exception as error:
            if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError):
                raise
            if transaction.lost:
                raise _GroupLostError from error
            if not isinstance(error, FhirError):
                log.error("a piece failed: %s", traced(error))  # noqa: TRY400
            answer, owed = error, piece.refused(error)
        if transaction.lost:
            raise _GroupLostError
        if isinstance(answer, Again) and answer.then is not None:
            held |= piece.buckets | answer.buckets
        answers.append(answer)
        entries.extend(owed)
    _send(transaction)
    return answers, entries


def _send(transaction: Transaction) -> None:
    try:
        transaction.send()
    except SQLAlchemyError:
        raise
    # A value that the driver does not take: its piece is found by running them one by one.
    except Exception as error:
        raise _GroupLostError from error
