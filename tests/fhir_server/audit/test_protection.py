"""The database refuses to change the ledger, whoever asks, until its owner takes that off."""

import secrets
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, delete, insert, text, update
from sqlalchemy.exc import DBAPIError

from fhir_server.access import Agent
from fhir_server.audit import ledger, protection
from fhir_server.audit.event import AccessEvent, encode
from fhir_server.store.tables import audit_checkpoint, audit_entry, audit_head, metadata

BODY = encode(
    AccessEvent("read", "0", 0, Agent(role="client", client="a"), "r-1"),
    id_="0f" * 16,
    nonce=bytes(16),
)
CHANGES = {
    "audit_entry refuses UPDATE": update(audit_entry).values(outcome="8"),
    "audit_entry refuses DELETE": delete(audit_entry),
    "audit_checkpoint refuses UPDATE": update(audit_checkpoint).values(note="none"),
    "audit_checkpoint refuses DELETE": delete(audit_checkpoint),
    "audit_head refuses DELETE": delete(audit_head),
}


@pytest.mark.parametrize("refusal", CHANGES)
def test_nothing_is_changed_and_nothing_is_taken_away(published, refusal):
    before = published.export()

    with (
        published.engine.connect() as connection,
        pytest.raises(DBAPIError, match=refusal),
    ):
        connection.execute(CHANGES[refusal])

    assert published.export() == before


@pytest.mark.parametrize("table", ["audit_entry", "audit_checkpoint", "audit_head"])
def test_no_row_is_replaced_and_no_table_emptied(published, table):
    before = published.export()
    if published.engine.dialect.name == "sqlite":
        statement, refusal = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}", "REPLACE"
    else:
        statement, refusal = f"TRUNCATE {table}", "TRUNCATE"

    with (
        published.engine.connect() as connection,
        pytest.raises(DBAPIError, match=f"{table} refuses {refusal}"),
    ):
        connection.execute(text(statement))

    assert published.export() == before


def test_an_entry_is_not_replaced_by_one_with_the_same_id(published, fitted):
    row = published.rows()[3]
    again = insert(audit_entry).prefix_with("OR REPLACE", dialect="sqlite")
    with published.engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(again, fitted({"seq": 20}, row["body"]))

    assert published.rows()[3] == row


def test_the_ledger_still_grows(published):
    published.append(1)

    assert len(published.rows()) == 21


def test_another_engine_is_refused():
    with pytest.raises(ValueError, match="SQLite or PostgreSQL"):
        protection.triggers("mysql")


ALLOWED = {
    "audit_entry": {"SELECT", "INSERT"},
    "audit_checkpoint": {"SELECT", "INSERT"},
    "audit_head": {"SELECT", "UPDATE"},
}
PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


@pytest.fixture
def ownership(empty_postgresql_url: str) -> Iterator[tuple[Connection, str]]:
    """A connection to a ledger as its owner, and the name of the application's role."""
    engine, role = create_engine(empty_postgresql_url), f'portal "app" {secrets.token_hex(4)}'
    quoted = role.replace('"', '""')
    with engine.connect() as connection:
        metadata.create_all(connection, tables=list(map(metadata.tables.get, ALLOWED)))
        connection.execute(text(f'CREATE ROLE "{quoted}"'))
        connection.execute(text("GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC"))
        for statement in protection.grants(role):
            connection.execute(text(statement))
        yield connection, role
        connection.rollback()
    engine.dispose()


def test_the_applications_role_may_add_and_read_and_nothing_else(ownership):
    connection, role = ownership
    asked = text("SELECT has_table_privilege(:role, :table, :privilege)")

    found = {
        table: {
            privilege
            for privilege in PRIVILEGES
            if connection.scalar(asked, {"role": role, "table": table, "privilege": privilege})
        }
        for table in ALLOWED
    }

    assert found == ALLOWED


def test_the_applications_role_can_write_the_ledger(ownership):
    connection, role = ownership
    connection.execute(insert(audit_head), ledger.EMPTY_HEAD)
    connection.execute(text('SET LOCAL ROLE "{}"'.format(role.replace('"', '""'))))

    assert ledger.append(connection, [BODY]) == range(1)
