"""Statements on the driver's connection: rows by name, and errors that are SQLAlchemy's."""

from typing import Any

import pytest
from sqlalchemy import Integer, Select, bindparam, column, func, literal, select, values
from sqlalchemy.exc import DBAPIError

from fhir_server import prepared
from fhir_server.record import Record
from fhir_server.store.tables import installation

NUMBERS = values(column("x", Integer), name="numbers")
NAMED = select(installation.c.name).where(installation.c.name == bindparam("name"))
LATE = select((literal(10) / column("x", Integer)).label("part")).select_from(
    NUMBERS.data([(5,), (2,), (0,)])
)
OVERFLOW: Select[Any] = select(func.abs(column("x"))).select_from(NUMBERS.data([(1,), (-(2**63),)]))


def test_rows_have_the_names_of_the_statement(record: Record) -> None:
    with record.engines.reader.connect() as connection:
        found = prepared.rows(connection, NAMED, {"name": "id_key"})
        assert [row.name for row in found] == ["id_key"]
        assert prepared.rows(connection, NAMED, {"name": "none"}) == []


def test_what_fails_between_two_rows_fails_as_sqlalchemy_says_it(record: Record) -> None:
    statement = OVERFLOW if record.engines.is_sqlite else LATE
    with record.engines.reader.connect() as connection:
        with pytest.raises(DBAPIError) as failed:
            prepared.rows(connection, statement, {})
        assert failed.value.orig is not None
        # The connection goes on.
        assert prepared.rows(connection, NAMED, {"name": "id_key"})


def test_what_the_driver_is_not_to_blame_for_stays_what_it_is(record: Record) -> None:
    with record.engines.reader.connect() as connection, pytest.raises(KeyError, match="name"):
        prepared.rows(connection, NAMED, {})
