"""The bucket leads every key and stands in every hot statement; each rule is seen to catch."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    insert,
    text,
    update,
)
from sqlalchemy.schema import SchemaItem

from fhir_server.access import (
    Access,
    Agent,
    CaredFor,
    Interaction,
    OwnRecord,
    WholeStore,
    visible,
)
from fhir_server.model.ids import bucket_of, new_id
from fhir_server.record import Record, Writer
from fhir_server.store import read
from fhir_server.store.engine import open_engines
from fhir_server.store.tables import installation, resource
from portal_api.migrations.schema import metadatas
from tests.storage_rules import captured, faults_of_statement, faults_of_tables, spread_tables

LOCAL = {
    "audit_entry": "one ledger, one order: it has one place",
    "audit_head": "the ledger's one changing row",
    "audit_checkpoint": "belongs to the ledger",
    "installation": "two keys, made once",
    "authorization_code": "sign-in: few rows, short lives",
    "authorization_request": "sign-in: few rows, short lives",
    "client": "a registry of a few dozen",
    "client_keys": "a registry of a few dozen",
    "consent": "which application a person has let in; read with the sign-in",
    "login": "staff and local accounts, looked up by name",
    "session": "looked up by hash",
    "token": "looked up by hash, once a request",
    "token_family": "the tokens that one consent led to",
    "used_assertion": "sign-in: few rows, short lives",
    "code_map": "the same on every machine: a reference table",
    "feed": "the same on every machine: a reference table",
    "unmapped_code": "a work list of a few hundred rows",
}
POPULATION = {
    "index_token_population": "selective parameters searched over every patient",
    "inbox_by_feed": "how each feed is, and its messages by time",
    "inbox_aside": "the few messages that were set aside, by time",
    "inbox_waiting_by_code": "the operator's error queue, over every feed",
    "resource_of_nobody": "the directory, whose members have buckets of their own",
    "care_relationship_by_practitioner": "a clinician's list of patients",
}
SPREAD = spread_tables(metadatas())
PATIENT = "0a3" + "0" * 29


def _bucketed(*more: SchemaItem) -> MetaData:
    metadata = MetaData()
    Table(
        "planted",
        metadata,
        Column("bucket", Integer, primary_key=True),
        Column("id", Integer, primary_key=True),
        Column("other", Integer),
        *more,
    )
    return metadata


def test_every_table_keeps_the_rules() -> None:
    assert faults_of_tables(metadatas(), LOCAL, POPULATION) == []


def test_a_bucketed_table_is_in_order() -> None:
    assert faults_of_tables([_bucketed()], {}, {}) == []


def test_a_key_that_does_not_begin_with_the_bucket_is_found() -> None:
    metadata = MetaData()
    Table(
        "planted",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("bucket", Integer, primary_key=True),
    )
    [fault] = faults_of_tables([metadata], {}, {})
    assert fault == "a key of planted does not begin with the bucket: ['id', 'bucket']"


def test_a_unique_constraint_across_buckets_is_found() -> None:
    [fault] = faults_of_tables([_bucketed(UniqueConstraint("other"))], {}, {})
    assert fault == "a key of planted does not begin with the bucket: ['other']"


def test_an_index_across_buckets_needs_a_reason_and_may_never_be_unique() -> None:
    metadata = _bucketed(Index("planted_by_other", "other"))
    [fault] = faults_of_tables([metadata], {}, {})
    assert fault == "planted_by_other of planted does not begin with the bucket: ['other']"
    assert faults_of_tables([metadata], {}, {"planted_by_other": "a reason"}) == []
    unique = _bucketed(Index("planted_by_other", "other", unique=True))
    assert faults_of_tables([unique], {}, {"planted_by_other": "a reason"}) == [fault]


def test_a_foreign_key_that_leaves_the_bucket_is_found() -> None:
    leaving = _bucketed(Column("parent", Integer, ForeignKey("planted.id")))
    [fault] = faults_of_tables([leaving], {}, {})
    assert fault == "a foreign key of planted leaves the bucket, to planted"
    inside = _bucketed(
        ForeignKeyConstraint(["bucket", "other"], ["planted.bucket", "planted.id"]),
    )
    assert faults_of_tables([inside], {}, {}) == []


def test_a_local_table_that_refers_to_a_bucketed_one_is_found() -> None:
    metadata = _bucketed()
    Table(
        "referring",
        metadata,
        Column("id", Integer, ForeignKey("planted.id"), primary_key=True),
    )
    [fault] = faults_of_tables([metadata], {"referring": "a reason"}, {})
    assert fault == "referring refers to the spread planted"


def test_a_table_without_a_primary_key_or_without_a_place_is_found() -> None:
    metadata = MetaData()
    Table("planted", metadata, Column("id", Integer))
    assert faults_of_tables([metadata], {}, {}) == [
        "planted has no primary key",
        "planted has no bucket, and no reason is given",
    ]


def test_a_bucket_that_may_be_missing_is_found() -> None:
    metadata = MetaData()
    Table("planted", metadata, Column("bucket", Integer), Column("id", Integer, primary_key=True))
    assert "planted.bucket may be NULL" in faults_of_tables([metadata], {}, {})


def test_an_excuse_for_what_does_not_exist_is_found() -> None:
    assert faults_of_tables([_bucketed()], {"gone": "a reason"}, {"gone_too": "a reason"}) == [
        "gone is excused and does not exist",
        "gone_too is excused and does not exist",
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT body FROM resource WHERE bucket = ? AND type = ? AND id = ?",
        "SELECT a.id FROM resource AS a JOIN token b ON b.id = a.id WHERE a.bucket IN (?, ?)",
        "SELECT a.id FROM index_date a JOIN resource b ON b.bucket = a.bucket WHERE a.bucket = ?",
        "SELECT resource.id FROM resource WHERE (resource.bucket, resource.patient) IN ((?, ?))",
        "INSERT INTO resource (bucket, type, id) VALUES (?, ?, ?), (?, ?, ?)",
        "COPY resource (bucket, type, id) FROM STDIN (FORMAT BINARY)",
        "UPDATE resource SET body = ? WHERE resource.bucket = ? AND id = ?",
        "DELETE FROM index_token WHERE bucket = %(bucket)s AND id = %(id)s",
        "SELECT value FROM installation WHERE name = ?",
        "UPDATE audit_head SET size = ?",
    ],
)
def test_a_statement_that_names_its_bucket_is_in_order(sql: str) -> None:
    assert faults_of_statement(sql, SPREAD) == []


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("SELECT body FROM resource WHERE id = ?", "resource is used without its bucket"),
        ("SELECT bucket, body FROM resource", "resource is used without its bucket"),
        ("DELETE FROM resource", "resource is used without its bucket"),
        ("DELETE FROM index_token WHERE id = ?", "index_token is used without its bucket"),
        (
            "SELECT a.id FROM resource a, index_token b WHERE a.bucket = ? AND a.id = b.id",
            "b is used without its bucket",
        ),
        (
            "SELECT id FROM resource a WHERE a.bucket = 1 AND EXISTS (SELECT bucket FROM claim b)",
            "b is used without its bucket",
        ),
        (
            "INSERT INTO resource (type, id, bucket) VALUES (?, ?, ?)",
            "INSERT INTO resource does not begin with the bucket",
        ),
        (
            "COPY resource (type, id, bucket) FROM STDIN (FORMAT BINARY)",
            "COPY resource does not begin with the bucket",
        ),
        (
            "UPDATE resource SET body = ?, bucket = ? WHERE bucket = ? AND id = ?",
            "UPDATE resource changes the bucket",
        ),
    ],
)
def test_a_statement_that_leaves_its_bucket_is_found(sql: str, fault: str) -> None:
    assert faults_of_statement(sql, SPREAD) == [fault]


@pytest.mark.parametrize("reach", [OwnRecord((PATIENT,)), CaredFor(PATIENT)])
def test_reading_by_id_under_the_predicate_stays_in_its_bucket(database_url: str, reach) -> None:
    access = Access(Agent("patient"), "request", reach, {})
    engines = open_engines(database_url)
    with captured(engines.reader) as sent, engines.reader.connect() as connection:
        guard = visible(access, "Observation", resource, 0)
        assert read.first(connection, read.by_id("Observation", PATIENT, guard)) is None
        assert connection.execute(read.versions("Observation", PATIENT)).all() == []
    engines.dispose()
    statements = [statement for statement in sent if "resource" in statement]
    assert len(statements) == 2
    assert [fault for sql in statements for fault in faults_of_statement(sql, SPREAD)] == []


def test_what_is_sent_through_an_engine_is_captured(sqlite_url: str) -> None:
    engines = open_engines(sqlite_url)
    with captured(engines.writer) as sent, engines.writer.begin() as connection:
        connection.execute(insert(installation), {"name": "mark", "value": b"1"})
        connection.execute(update(resource).values(bucket=1))
    with engines.writer.begin() as connection:
        connection.execute(text("SELECT 1"))
    engines.dispose()
    assert [sql.split()[0] for sql in sent if not sql.startswith("BEGIN")] == ["INSERT", "UPDATE"]
    assert faults_of_statement(sent[-1], SPREAD) == [
        "resource is used without its bucket",
        "UPDATE resource changes the bucket",
    ]


def test_no_trigger_stands_on_a_spread_table(database_url: str) -> None:
    engines = open_engines(database_url)
    question = (
        "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'"
        if engines.is_sqlite
        else "SELECT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
    )
    with engines.reader.connect() as connection:
        tables = set(connection.execute(text(question)).scalars())
    engines.dispose()
    assert tables == {"audit_entry", "audit_checkpoint", "audit_head"}


def test_filing_and_reading_through_the_record_stay_in_their_bucket(record: Record) -> None:
    filing = Access(Agent("feed"), "request", WholeStore(), {}, bound_by_release=False)
    patient = new_id()
    own = Access(
        Agent("patient", user=f"Patient/{patient}"),
        "request",
        OwnRecord((patient,)),
        {"Patient": frozenset(Interaction)},
    )

    def file(birth_date: str) -> Callable[[Writer], None]:
        tree = {"resourceType": "Patient", "birthDate": birth_date, "gender": "male"}

        def piece(writer: Writer) -> None:
            writer.file(tree, id_=patient, patient=patient, release_at=writer.now)

        return piece

    engines = record.engines
    with captured(engines.writer, engines.reader) as sent:
        record.submit(filing, file("1955-03-01"), buckets=[bucket_of(patient)]).result(timeout=10)
        record.submit(filing, file("1955-03-02"), buckets=[bucket_of(patient)]).result(timeout=10)
        record.read(own, "Patient", patient).result(timeout=10)
        record.vread(own, "Patient", patient, 1).result(timeout=10)
        record.history(own, "Patient", patient).result(timeout=10)
    touched = {table for sql in sent for table in SPREAD if re.search(rf"\b{table}\b", sql)}
    assert {"resource", "resource_version", "index_token", "index_date"} <= touched
    assert {fault for sql in sent for fault in faults_of_statement(sql, SPREAD)} == set()
