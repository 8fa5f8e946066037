"""One group, one transaction: the rules by which nothing acknowledged is lost, on both engines."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from fhir_server.errors import Conflict, Unavailable
from fhir_server.store.committer import Committer, Piece, entered
from fhir_server.store.engine import Engines, open_engines
from fhir_server.store.tables import bucket_lock, installation
from fhir_server.store.transaction import Transaction

Run = Callable[[Transaction], Any]


@pytest.fixture
def engines(database_url: str) -> Iterator[Engines]:
    opened = open_engines(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def committer(engines: Engines) -> Iterator[Committer]:
    opened = Committer(engines)
    yield opened
    opened.close()


def piece(run: Run, *buckets: int) -> Piece:
    return Piece(lambda transaction: (run(transaction), ()), lambda _: (), frozenset(buckets))


def writes(name: str) -> Run:
    def run(transaction: Transaction) -> str:
        transaction.execute(insert(installation).values(name=name, value=b"x"))
        return name

    return run


def names(engines: Engines) -> set[str]:
    with engines.reader.connect() as connection:
        rows = connection.execute(select(installation.c.name).where(installation.c.value == b"x"))
        return {row.name for row in rows}


class Gate:
    """Holds the committer's thread inside a piece, so that what follows becomes one group."""

    def __init__(self, committer: Committer) -> None:
        self._open, inside = threading.Event(), threading.Event()

        def wait(_: Transaction) -> None:
            inside.set()
            assert self._open.wait(10)

        self.future = committer.submit(piece(wait))
        assert inside.wait(10)

    def open(self) -> None:
        self._open.set()


def test_a_failing_piece_loses_its_own_rows_and_nobody_elses(
    committer: Committer, engines: Engines
) -> None:
    def fails(transaction: Transaction) -> None:
        writes("failing")(transaction)
        raise Conflict.of("no")

    gate = Gate(committer)
    first = committer.submit(piece(writes("first")))
    second = committer.submit(piece(fails))
    third = committer.submit(piece(writes("third")))
    gate.open()
    assert (first.result(10), third.result(10)) == ("first", "third")
    with pytest.raises(Conflict):
        second.result(10)
    assert names(engines) == {"first", "third"}


def test_a_piece_that_writes_nothing_fails_alone_and_has_no_savepoint(
    committer: Committer, engines: Engines
) -> None:
    def fails(_: Transaction) -> Any:
        raise Conflict.of("no")

    statements = list[str]()
    event.listen(
        engines.writer, "before_cursor_execute", lambda _c, _u, one, *_: statements.append(one)
    )
    gate = Gate(committer)
    failing = committer.submit(Piece(fails, lambda _: ()))
    looking = committer.submit(entered("found", ()))
    writing = committer.submit(piece(writes("written")))
    gate.open()
    assert (looking.result(10), writing.result(10)) == ("found", "written")
    with pytest.raises(Conflict):
        failing.result(10)
    assert names(engines) == {"written"}
    assert sum(one.startswith("SAVEPOINT") for one in statements) == 1  # of the piece that writes


def test_a_group_rolled_back_after_a_released_savepoint_leaves_nothing(engines: Engines) -> None:
    with engines.writer.connect() as connection:
        transaction = connection.begin()
        savepoint = connection.begin_nested()
        connection.execute(insert(installation).values(name="released", value=b"x"))
        savepoint.commit()
        transaction.rollback()
    assert names(engines) == set()


def test_nobody_is_answered_before_the_commit(committer: Committer, engines: Engines) -> None:
    gate = Gate(committer)
    future = committer.submit(piece(writes("one")))
    assert not future.done()
    assert names(engines) == set()
    gate.open()
    assert future.result(10) == "one"
    assert names(engines) == {"one"}


def test_a_lost_transaction_is_run_again_piece_by_piece(
    committer: Committer, engines: Engines
) -> None:
    runs: list[int] = []

    def breaks_the_group(transaction: Transaction) -> str:
        runs.append(1)
        if len(runs) == 1:
            transaction.execute(text("SELECT no_such_column FROM installation"))
        return str(writes("mended")(transaction))

    gate = Gate(committer)
    first = committer.submit(piece(writes("first")))
    second = committer.submit(piece(breaks_the_group))
    gate.open()
    assert (first.result(10), second.result(10)) == ("first", "mended")
    assert names(engines) == {"first", "mended"}


def test_a_duplicate_key_refuses_its_own_piece_only(committer: Committer, engines: Engines) -> None:
    gate = Gate(committer)
    first = committer.submit(piece(writes("same")))
    second = committer.submit(piece(writes("same")))
    third = committer.submit(piece(writes("other")))
    gate.open()
    assert first.result(10) == "same"
    with pytest.raises(IntegrityError):
        second.result(10)
    assert third.result(10) == "other"
    assert names(engines) == {"same", "other"}


def test_nobody_is_told_of_success_when_the_outcome_of_the_commit_is_unknown(
    committer: Committer, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Any) -> None:
        raise OperationalError("COMMIT", {}, Exception("connection lost"))

    monkeypatch.setattr(engines.writer.dialect, "do_commit", fails)
    future = committer.submit(piece(writes("unknown")))
    with pytest.raises(Unavailable):
        future.result(10)
    monkeypatch.undo()
    assert committer.submit(piece(writes("later"))).result(10) == "later"


def test_a_disk_error_ends_all_writing(engines: Engines) -> None:
    class DiskError(Exception):
        sqlite_errorname = "SQLITE_IOERR_FSYNC"

    told: list[str] = []
    committer = Committer(engines, told.append)

    def fails(_: Transaction) -> None:
        raise OperationalError("INSERT", {}, DiskError())

    with pytest.raises(Unavailable):
        committer.submit(piece(fails)).result(10)
    with pytest.raises(Unavailable, match="disk failed"):
        committer.submit(piece(writes("after")))
    assert len(told) >= 1
    committer.close()
    assert names(engines) == set()


def test_two_committers_lock_their_buckets_in_one_order_and_never_deadlock(
    postgresql_url: str,
) -> None:
    pairs = [open_engines(postgresql_url), open_engines(postgresql_url)]
    committers = [Committer(engines) for engines in pairs]
    futures: list[Future[Any]] = []
    for number in range(60):
        first, second = (7, 4000) if number % 2 else (4000, 7)
        futures += [one.submit(piece(lambda _: None, first, second)) for one in committers]
    assert [future.result(30) for future in futures] == [None] * 120
    for committer, engines in zip(committers, pairs, strict=True):
        committer.close()
        engines.dispose()


def test_every_bucket_has_a_row_to_lock(engines: Engines) -> None:
    with engines.reader.connect() as connection:
        rows = connection.execute(select(bucket_lock.c.bucket).order_by(bucket_lock.c.bucket))
        assert [row.bucket for row in rows] == list(range(4096))


def test_closing_finishes_what_waits(engines: Engines) -> None:
    committer = Committer(engines)
    futures = [committer.submit(piece(writes(f"n{number}"))) for number in range(300)]
    committer.close()
    assert [future.result(0) for future in futures] == [f"n{number}" for number in range(300)]
    assert len(names(engines)) == 300
