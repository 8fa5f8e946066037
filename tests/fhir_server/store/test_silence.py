"""Nobody waits for ever for a server: the connection ends, and the engine makes another."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from fhir_server.store import silence
from fhir_server.store.engine import Engines, open_engines


@pytest.fixture
def engines(postgresql_url: str) -> Iterator[Engines]:
    opened = open_engines(postgresql_url)
    yield opened
    opened.dispose()


def test_a_statement_without_an_answer_ends_its_connection_and_no_other(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engines.reader.connect() as connection:
        monkeypatch.setattr(silence, "LONGEST", 0.1)
        with pytest.raises(DBAPIError) as caught:
            connection.execute(text("SELECT pg_sleep(60)"))
        assert silence.is_silent(caught.value)
        assert caught.value.connection_invalidated
    monkeypatch.setattr(silence, "LONGEST", 60.0)
    with engines.reader.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_the_server_is_asked_to_end_a_transaction_whose_program_went(engines: Engines) -> None:
    for engine in (engines.writer, engines.reader):
        with engine.connect() as connection:
            shown = connection.scalar(text("SHOW idle_in_transaction_session_timeout"))
            assert shown == "30s"


def test_who_changes_the_schema_waits_as_long_as_it_takes(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "LONGEST", 0.1)
    patient = open_engines(postgresql_url, is_patient=True)
    with patient.writer.connect() as connection:
        assert connection.scalar(text("SELECT 1 FROM pg_sleep(0.3)")) == 1
    patient.dispose()


def test_another_error_is_no_silence(engines: Engines) -> None:
    with engines.reader.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT 1 / 0"))
    assert not silence.is_silent(caught.value)
