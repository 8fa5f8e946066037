"""Pieces that share a transaction: their rows wait together, and each can be undone alone."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError

from fhir_server.access import Access, Agent, NoRecord
from fhir_server.errors import Conflict
from fhir_server.model.ids import bucket_of, new_id
from fhir_server.record import Notice, Record, Writer
from fhir_server.store.tables import held_notice, index_string, resource, resource_version

ACCESS = Access(Agent("operator"), "r", NoRecord(), {})
BUCKET = 7
PATIENT = new_id(BUCKET)
Act = Callable[[Writer], Any]


def organization(name: str) -> dict[str, str]:
    return {"resourceType": "Organization", "name": name}


def filing(id_: str, name: str) -> Act:
    return lambda writer: (
        writer.file(organization(name), id_=id_, patient="", release_at=writer.now).stored.version
    )


@contextmanager
def held(record: Record) -> Iterator[None]:
    """Hold the committer, so that what is submitted meanwhile becomes one group."""
    inside, opened = threading.Event(), threading.Event()

    def wait(_: Writer) -> None:
        inside.set()
        assert opened.wait(10)

    record.submit(ACCESS, wait)
    assert inside.wait(10)
    try:
        yield
    finally:
        opened.set()


def together(record: Record, *acts: Act) -> list[Future[Any]]:
    """Submit *acts* as one group, and wait until all are answered."""
    with held(record):
        futures = [record.submit(ACCESS, act, buckets=[BUCKET]) for act in acts]
    for future in futures:
        future.exception(30)
    return futures


def rows(record: Record, table: Any, *where: Any) -> int:
    found = record.select(select(func.count()).select_from(table).where(*where))
    return int(found[0][0])


def names(record: Record, id_: str) -> list[str]:
    """Return what the resource is found by, in the index."""
    here = index_string.c.bucket == bucket_of(id_), index_string.c.id == id_
    values = record.select(select(index_string.c.value).where(*here).distinct())
    return sorted(row.value for row in values)


def test_two_pieces_about_one_resource_leave_their_versions_in_order(record: Record) -> None:
    id_ = new_id(BUCKET)
    made = together(record, filing(id_, "first"), filing(id_, "second"), filing(id_, "third"))
    assert [future.result() for future in made] == [1, 2, 3]
    versions = record.select(
        select(resource_version.c.version, resource_version.c.body)
        .where(resource_version.c.bucket == BUCKET, resource_version.c.id == id_)
        .order_by(resource_version.c.version)
    )
    assert [row.version for row in versions] == [1, 2]
    assert [b"first" in versions[0].body, b"second" in versions[1].body] == [True, True]
    assert names(record, id_) == ["third"]


def test_a_piece_that_fails_in_the_middle_leaves_the_rows_of_the_others_whole(
    record: Record,
) -> None:
    first, second, third = new_id(BUCKET), new_id(BUCKET), new_id(BUCKET)

    def fails(writer: Writer) -> None:
        filing(second, "second")(writer)
        filing(first, "spoilt")(writer)
        raise Conflict.of("no")

    made = together(record, filing(first, "first"), fails, filing(third, "third"))
    assert isinstance(made[1].exception(), Conflict)
    assert (made[0].result(), made[2].result()) == (1, 1)
    assert [names(record, id_) for id_ in (first, second, third)] == [["first"], [], ["third"]]
    assert rows(record, resource_version) == 0


def test_a_piece_that_wrote_already_is_undone_alone(record: Record) -> None:
    first, second = new_id(BUCKET), new_id(BUCKET)

    def fails(writer: Writer) -> None:
        filing(second, "second")(writer)
        found = writer.select(select(resource.c.id).where(resource.c.bucket == BUCKET))
        assert {row.id for row in found} == {first, second}
        raise Conflict.of("no")

    made = together(record, filing(first, "first"), fails)
    assert isinstance(made[1].exception(), Conflict)
    assert [names(record, id_) for id_ in (first, second)] == [["first"], []]


def notice(title: str, report: str) -> Act:
    about = Notice(PATIENT, report, title, "routine", None, "")
    return lambda writer: writer.notice(about)


def test_what_waits_is_seen_by_whoever_looks_into_its_bucket(record: Record) -> None:
    together(record, notice("first", "r1"), notice("second", "r1"), notice("other", "r2"))
    titles = record.select(select(held_notice.c.title).order_by(held_notice.c.title))
    assert [row.title for row in titles] == ["other", "second"]


def a_notice(**other: object) -> dict[str, Any]:
    line = {"bucket": BUCKET, "patient": PATIENT, "report": "r", "title": "t", "category": "c"}
    return line | {"arrived": 1, "opens": None, "contact": ""} | other


@pytest.mark.parametrize(
    ("refused", "kind"),
    [(a_notice(), IntegrityError), (a_notice(report="o", arrived=2**70), Exception)],
)
def test_a_row_that_is_refused_at_the_end_is_refused_to_its_piece_alone(
    record: Record, refused: dict[str, Any], kind: type[Exception]
) -> None:
    first, third = new_id(BUCKET), new_id(BUCKET)
    made = together(
        record,
        filing(first, "first"),
        lambda writer: writer.insert(held_notice, a_notice()),
        lambda writer: writer.insert(held_notice, refused),
        filing(third, "third"),
    )
    assert [future.exception() for future in (made[0], made[1], made[3])] == [None] * 3
    assert isinstance(made[2].exception(), kind)
    assert rows(record, held_notice) == 1
    assert [names(record, id_) for id_ in (first, third)] == [["first"], ["third"]]


def test_an_attempt_is_undone_without_what_its_piece_or_others_wrote(record: Record) -> None:
    first, second, third = new_id(BUCKET), new_id(BUCKET), new_id(BUCKET)

    def fails(writer: Writer) -> None:
        filing(third, "third")(writer)
        writer.withdraw_notice(PATIENT, "r")
        raise Conflict.of("no")

    def attempts(writer: Writer) -> bool:
        filing(second, "second")(writer)
        with pytest.raises(Conflict):
            writer.attempt(lambda: fails(writer))
        return writer.current("Organization", third) is None

    made = together(record, filing(first, "first"), notice("kept", "r"), attempts)
    assert made[2].result() is True
    found = [names(record, id_) for id_ in (first, second, third)]
    assert found == [["first"], ["second"], []]
    assert rows(record, held_notice) == 1


def test_the_rows_of_a_group_go_together_table_by_table_and_without_a_savepoint(
    record: Record,
) -> None:
    statements: list[str] = []
    with held(record):
        event.listen(
            record.engines.writer,
            "before_cursor_execute",
            lambda _c, _u, statement, *_: statements.append(statement),
        )
        futures = [record.submit(ACCESS, filing(new_id(BUCKET), str(n))) for n in range(5)]
    assert [future.result(30) for future in futures] == [1] * 5
    inserts = [
        one.removeprefix("INSERT INTO ").removeprefix("COPY ").split()[0]
        for one in statements
        if one.startswith(("INSERT", "COPY"))
    ]
    # Five rows: SQLite takes four of them in one statement, PostgreSQL all.
    assert inserts.count("resource") == (2 if record.engines.is_sqlite else 1)
    assert [table for table, _ in groupby(inserts)] == list(dict.fromkeys(inserts))
    assert not [one for one in statements if "SAVEPOINT" in one]
