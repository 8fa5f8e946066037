"""Many rows at once: all of them, as they are, or an error that says what SQLAlchemy would."""

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    select,
)
from sqlalchemy.exc import DataError, IntegrityError

from fhir_server.insertion import insert
from fhir_server.record import Record
from fhir_server.store.engine import open_engines
from tests.storage_rules import captured

EVERYTHING = Table(
    "everything",
    MetaData(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("small", SmallInteger),
    Column("middle", Integer),
    Column("text", Text),
    Column("body", LargeBinary),
    Column("flag", Boolean),
)
TEXTS = ("", "Zo\u00eb \U0001f600", "a,b\tc\n\\N\\.")


def row(number: int) -> tuple[int, int | None, int, str | None, bytes, bool]:
    small, text = (None, None) if number % 5 == 0 else (-number, TEXTS[number % 3])
    return number + 2**40, small, number, text, bytes([0, 255, number]), bool(number % 2)


@pytest.mark.parametrize("count", [1, 2, 3, 31, 100])
def test_rows_are_there_with_every_value(record: Record, count: int) -> None:
    rows = [row(number) for number in range(count)]
    with record.engines.writer.begin() as connection:
        EVERYTHING.create(connection)
        insert(connection, EVERYTHING, rows)
        found = connection.execute(select(EVERYTHING).order_by(EVERYTHING.c.number)).all()
    assert [(*one[:4], bytes(one.body), one.flag) for one in found] == rows


@pytest.mark.parametrize("count", [1, 2, 40])
def test_a_row_that_is_there_already_is_an_integrity_error(record: Record, count: int) -> None:
    with record.engines.writer.connect() as connection:
        with connection.begin():
            EVERYTHING.create(connection)
            insert(connection, EVERYTHING, [row(count - 1)])
        with pytest.raises(IntegrityError) as failed, connection.begin():
            insert(connection, EVERYTHING, [row(number) for number in range(count)])
        assert "everything" in str(failed.value)
        assert "Zo" not in str(failed.value)
        assert len(connection.execute(select(EVERYTHING)).all()) == 1


def test_a_text_that_postgresql_does_not_take_is_its_piece_s_error(postgresql_url: str) -> None:
    engines = open_engines(postgresql_url)
    rows = [(*row(1)[:3], "a\x00b", b"", False), row(2)]
    with engines.writer.begin() as connection:
        EVERYTHING.create(connection)
    with (
        engines.writer.connect() as connection,
        pytest.raises(DataError),
        connection.begin(),
    ):
        insert(connection, EVERYTHING, rows)
    engines.dispose()


def test_many_rows_are_few_statements(record: Record) -> None:
    with captured(record.engines.writer) as sent, record.engines.writer.begin() as connection:
        EVERYTHING.create(connection)
        del sent[:]
        insert(connection, EVERYTHING, [row(number) for number in range(53)])
    assert len(sent) == (5 if record.engines.is_sqlite else 1)
