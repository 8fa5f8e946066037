"""The migrations make the schema that the code expects, on both engines, or change nothing."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError

from fhir_server.store.engine import Engines, open_engines
from fhir_server.store.tables import (
    audit_checkpoint,
    audit_entry,
    audit_head,
    bucket_lock,
    installation,
)
from portal_api import migrations
from portal_api.migrations.schema import metadatas


def test_the_migrated_schema_is_the_one_that_the_code_has(database_url: str) -> None:
    engines = open_engines(database_url)
    with engines.reader.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadatas())
    engines.dispose()
    assert differences == []


def test_keys_indexes_and_conditions_are_those_that_the_code_has(
    database_url: str, empty_database_url: str
) -> None:
    migrations.upgrade(empty_database_url)
    migrated, written = open_engines(database_url), open_engines(empty_database_url)
    with written.writer.begin() as connection:
        for metadata in metadatas():
            metadata.drop_all(connection)
            metadata.create_all(connection)
    found, wanted = _definitions(migrated), _definitions(written)
    assert len(wanted) > 30
    assert found == wanted


def _definitions(engines: Engines) -> set[tuple[str, str]]:
    """Return the names and definitions of tables, keys and indexes, closing *engines*."""
    question = (
        "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL"
        if engines.is_sqlite
        else "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace"
        " UNION SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    )
    with engines.reader.connect() as connection:
        rows = connection.execute(text(question)).all()
    engines.dispose()
    return {(name, " ".join(definition.split())) for name, definition in rows}


def test_a_column_that_is_missing_from_the_database_is_noticed(database_url: str) -> None:
    engines = open_engines(database_url)
    with engines.writer.begin() as connection:
        connection.execute(text("ALTER TABLE held_notice DROP COLUMN title"))
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        [(kind, _, table, column)] = compare_metadata(context, metadatas())
    engines.dispose()
    assert (kind, table, column.name) == ("add_column", "held_notice", "title")


def test_a_new_installation_has_its_buckets_its_keys_and_an_empty_ledger(database_url: str) -> None:
    engines = open_engines(database_url)
    with engines.reader.connect() as connection:
        buckets = connection.execute(
            select(func.count(), func.min(bucket_lock.c.bucket), func.max(bucket_lock.c.bucket))
        ).one()
        keys = dict(connection.execute(select(installation.c.name, installation.c.value)).all())
        head = connection.execute(select(audit_head)).all()
    engines.dispose()
    assert tuple(buckets) == (4096, 0, 4095)
    assert set(keys) == {"id_key", "page_key"}
    assert {len(key) for key in keys.values()} == {32}
    assert keys["id_key"] != keys["page_key"]
    assert [(row.one, row.size, bytes(row.peaks)) for row in head] == [(1, 0, b"")]


def test_no_two_installations_share_a_key(tmp_path) -> None:
    keys: list[bytes] = []
    for name in ("one", "two"):
        url = f"sqlite:///{tmp_path / name / 'portal.db'}"
        migrations.upgrade(url)
        engines = open_engines(url)
        with engines.reader.connect() as connection:
            keys += connection.execute(select(installation.c.value)).scalars()
        engines.dispose()
    assert len(set(keys)) == 4


def test_a_migrated_database_knows_its_version_and_a_second_run_changes_nothing(
    empty_database_url: str,
) -> None:
    assert migrations.current(empty_database_url) is None
    migrations.upgrade(empty_database_url)
    migrations.upgrade(empty_database_url)
    assert migrations.current(empty_database_url) == migrations.head()
    migrations.require_current(empty_database_url)


def test_programs_that_migrate_at_once_do_not_disturb_each_other(empty_postgresql_url: str) -> None:
    migrate = [empty_postgresql_url] * 3
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(migrations.upgrade, migrate)) == [None, None, None]
    assert migrations.current(empty_postgresql_url) == migrations.head()


def test_a_schema_from_a_newer_program_is_refused_and_left_alone(database_url: str) -> None:
    engines = open_engines(database_url)
    with engines.writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engines.dispose()
    with pytest.raises(migrations.SchemaUnknown, match="9999, which this program does not know"):
        migrations.upgrade(database_url)
    with pytest.raises(migrations.SchemaUnknown, match="this program needs"):
        migrations.require_current(database_url)
    assert migrations.current(database_url) == "9999"


def test_a_database_without_a_schema_is_not_served(empty_database_url: str) -> None:
    with pytest.raises(migrations.SchemaUnknown, match="is empty"):
        migrations.require_current(empty_database_url)


def test_a_migration_that_fails_leaves_nothing_behind(empty_database_url: str, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no entropy")

    monkeypatch.setattr("secrets.token_bytes", fail)
    with pytest.raises(OSError, match="no entropy"):
        migrations.upgrade(empty_database_url)
    monkeypatch.undo()
    assert migrations.current(empty_database_url) is None
    migrations.upgrade(empty_database_url)
    assert migrations.current(empty_database_url) == migrations.head()


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_has_a_database_of_its_own(database_url: str, turn: str) -> None:
    engines = open_engines(database_url)
    with engines.writer.begin() as connection:
        names = set(connection.execute(select(installation.c.name)).scalars())
        connection.execute(insert(installation), {"name": f"the {turn} mark", "value": b"1"})
    engines.dispose()
    assert names == {"id_key", "page_key"}


def test_the_database_itself_refuses_to_change_or_drop_an_entry_of_the_ledger(
    database_url: str,
) -> None:
    engines = open_engines(database_url)
    for statement in (
        "UPDATE audit_entry SET outcome = '0'",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_checkpoint",
        "DELETE FROM audit_head",
    ):
        with engines.writer.begin() as connection:
            connection.execute(
                insert(audit_entry),
                dict.fromkeys(audit_entry.c.keys(), "")
                | {"seq": 1, "recorded": 1, "body": b"", "id": statement},
            )
            connection.execute(insert(audit_checkpoint), {"size": 1, "made": 1, "note": ""})
            with pytest.raises(DBAPIError, match="refuses"), connection.begin_nested():
                connection.execute(text(statement))
            connection.rollback()
    engines.dispose()


def test_bodies_are_compressed_with_lz4_where_the_server_has_it(postgresql_url: str) -> None:
    engines = open_engines(postgresql_url)
    with engines.reader.connect() as connection:
        available = connection.scalar(
            text(
                "SELECT 'lz4' = ANY(enumvals) FROM pg_settings"
                " WHERE name = 'default_toast_compression'"
            )
        )
        found = connection.execute(
            text(
                "SELECT attrelid::regclass::text, attcompression FROM pg_attribute"
                " WHERE attname = 'body' AND attrelid::regclass::text IN"
                " ('resource', 'resource_version', 'audit_entry') ORDER BY 1"
            )
        ).all()
    engines.dispose()
    method = "l" if available else ""
    tables = ("audit_entry", "resource", "resource_version")
    assert [tuple(row) for row in found] == [(table, method) for table in tables]


def test_an_index_that_is_missing_from_the_database_is_noticed(sqlite_url: str) -> None:
    whole = _definitions(open_engines(sqlite_url))
    engines = open_engines(sqlite_url)
    with engines.writer.begin() as connection:
        connection.execute(text("DROP INDEX resource_by_patient"))
    assert {name for name, _ in whole - _definitions(engines)} == {"resource_by_patient"}
