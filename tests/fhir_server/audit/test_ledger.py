"""Appending to the ledger, on both engines: no gaps, one order, and a head that fits."""

import threading

import pytest
from sqlalchemy import delete, update

from fhir_server.audit import ledger, merkle
from fhir_server.audit.merkle import Head
from fhir_server.errors import Unavailable
from fhir_server.store.tables import audit_head


def test_entries_are_numbered_from_zero_in_the_order_of_appending(installation):
    bodies = [installation.body() for _ in range(5)]
    with installation.engine.begin() as connection:
        first = ledger.append(connection, bodies[:2])
        second = ledger.append(connection, bodies[2:])

    assert (first, second) == (range(2), range(2, 5))
    assert [(row["seq"], row["body"]) for row in installation.rows()] == list(enumerate(bodies))


def test_the_head_is_the_tree_of_all_entries(installation):
    bodies = [installation.body() for _ in range(5)]
    with installation.engine.begin() as connection:
        ledger.append(connection, bodies[:2])
        ledger.append(connection, bodies[2:])
        leaves = [merkle.leaf_hash(body) for body in bodies]

        assert ledger.head(connection) == merkle.extend(Head(), leaves)
        assert list(ledger.leaves(connection, 1, 4)) == leaves[1:4]


def test_appending_nothing_changes_nothing(installation):
    with installation.engine.begin() as connection:
        assert ledger.append(connection, []) == range(0)
        assert ledger.head(connection) == Head()


def test_a_transaction_that_is_rolled_back_leaves_no_gap(installation):
    kept = [installation.body() for _ in range(2)]
    with installation.engine.begin() as connection:
        ledger.append(connection, kept[:1])
    with installation.engine.connect() as connection:
        ledger.append(connection, [installation.body()])
        connection.rollback()
    with installation.engine.begin() as connection:
        assert ledger.append(connection, kept[1:]) == range(1, 2)

    assert [row["body"] for row in installation.rows()] == kept


def test_processes_that_append_at_once_wait_for_one_another(installation):
    bodies = [[installation.body() for _ in range(3)] for _ in range(4)]

    def append(mine):
        with installation.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            ledger.append(connection, mine)
            connection.commit()

    threads = [threading.Thread(target=append, args=(mine,)) for mine in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    rows = installation.rows()
    groups = [[row["body"] for row in rows[at : at + 3]] for at in range(0, 12, 3)]
    assert [row["seq"] for row in rows] == list(range(12))
    assert sorted(groups) == sorted(bodies)
    with installation.engine.connect() as connection:
        leaves = (merkle.leaf_hash(row["body"]) for row in rows)
        assert ledger.head(connection) == merkle.extend(Head(), leaves)


def test_rows_are_read_in_order_however_many_there_are(installation):
    with installation.engine.begin() as connection:
        ledger.append(connection, [installation.body() for _ in range(2001)])
        numbers = [row.seq for row in ledger.entries(connection)]
        some = [row.seq for row in ledger.entries(connection, 999, 1001)]

    assert numbers == list(range(2001))
    assert some == [999, 1000]


def test_without_a_head_nothing_is_appended(installation):
    with installation.as_owner() as connection:
        connection.execute(delete(audit_head))
    with (
        installation.engine.begin() as connection,
        pytest.raises(Unavailable, match="The ledger has no head"),
    ):
        ledger.append(connection, [installation.body()])


def test_with_a_damaged_head_nothing_is_appended(installation):
    with installation.engine.begin() as connection:
        connection.execute(update(audit_head).values(size=3, peaks=bytes(31)))
        with pytest.raises(Unavailable, match="The ledger's head is damaged"):
            ledger.append(connection, [installation.body()])

    assert installation.rows() == []
