"""The record and its ledger."""

import secrets

import sqlalchemy as sa
from alembic import op

from fhir_server.audit import protection
from portal_api.migrations.compression import compress

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the record's tables, the first rows, and the ledger's protection."""
    _audit_checkpoint()
    _audit_entry()
    _audit_head()
    _bucket_lock()
    _care_relationship()
    _held_notice()
    _index_date()
    _index_string()
    _index_token()
    _installation()
    _resource()
    _resource_version()
    _rows()
    _protect_the_ledger()
    compress("resource.body", "resource_version.body", "audit_entry.body")


def _audit_checkpoint() -> None:
    op.create_table(
        "audit_checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )


def _audit_entry() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("recorded", sa.BigInteger(), nullable=False),
        sa.Column("patient", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("subtype", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("entity_type", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )
    op.create_index(
        "audit_entry_by_agent", "audit_entry", ["agent", "recorded", "seq"], unique=False
    )
    op.create_index(
        "audit_entry_by_outcome", "audit_entry", ["outcome", "recorded", "seq"], unique=False
    )
    op.create_index(
        "audit_entry_by_patient", "audit_entry", ["patient", "recorded", "seq"], unique=False
    )
    op.create_index(
        "audit_entry_by_subtype", "audit_entry", ["subtype", "recorded", "seq"], unique=False
    )
    op.create_index("audit_entry_by_time", "audit_entry", ["recorded", "seq"], unique=False)


def _audit_head() -> None:
    op.create_table(
        "audit_head",
        sa.Column("one", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("peaks", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("one"),
    )


def _bucket_lock() -> None:
    op.create_table(
        "bucket_lock",
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("bucket"),
    )


def _care_relationship() -> None:
    op.create_table(
        "care_relationship",
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("patient", sa.Text(), nullable=False),
        sa.Column("practitioner", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("bucket", "patient", "practitioner", "team"),
    )
    op.create_index(
        "care_relationship_by_practitioner",
        "care_relationship",
        ["practitioner", "bucket", "patient"],
        unique=False,
    )


def _held_notice() -> None:
    op.create_table(
        "held_notice",
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("patient", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("arrived", sa.BigInteger(), nullable=False),
        sa.Column("opens", sa.BigInteger(), nullable=True),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "patient", "report"),
    )


def _index_date() -> None:
    op.create_table(
        "index_date",
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("patient", sa.Text(), nullable=False),
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("low", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("high", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "patient", "hash", "low", "high", "id"),
        sqlite_with_rowid=False,
    )


def _index_string() -> None:
    op.create_table(
        "index_string",
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("patient", sa.Text(), nullable=False),
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "patient", "hash", "value", "id"),
        sqlite_with_rowid=False,
    )


def _index_token() -> None:
    op.create_table(
        "index_token",
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("patient", sa.Text(), nullable=False),
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sort", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("population", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "patient", "hash", "sort", "id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "index_token_population",
        "index_token",
        ["hash", "sort", "id"],
        unique=False,
        sqlite_where=sa.text("population = 1"),
        postgresql_where=sa.text("population = 1"),
    )


def _installation() -> None:
    op.create_table(
        "installation",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _resource() -> None:
    op.create_table(
        "resource",
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_updated", sa.BigInteger(), nullable=False),
        sa.Column("patient", sa.Text(), nullable=False),
        sa.Column("release_at", sa.BigInteger(), nullable=True),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("sort_date", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "type", "id"),
    )
    op.create_index(
        "resource_by_patient",
        "resource",
        ["bucket", "patient", "type", "last_updated", "id"],
        unique=False,
    )
    op.create_index(
        "resource_of_nobody",
        "resource",
        ["type", "last_updated", "id"],
        unique=False,
        sqlite_where=sa.text("patient = ''"),
        postgresql_where=sa.text("patient = ''"),
    )


def _resource_version() -> None:
    op.create_table(
        "resource_version",
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_updated", sa.BigInteger(), nullable=False),
        sa.Column("patient", sa.Text(), nullable=False),
        sa.Column("release_at", sa.BigInteger(), nullable=True),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("sort_date", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("superseded_at", sa.BigInteger(), nullable=False),
        sa.Column("superseded_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "type", "id", "version"),
    )


def _rows() -> None:
    """Put in what each installation has from the beginning: buckets to lock, keys, the head."""
    bucket_lock = sa.table("bucket_lock", sa.column("bucket"))
    installation = sa.table("installation", sa.column("name"), sa.column("value"))
    audit_head = sa.table("audit_head", sa.column("one"), sa.column("size"), sa.column("peaks"))
    op.bulk_insert(bucket_lock, [{"bucket": bucket} for bucket in range(4096)])
    keys = [{"name": name, "value": secrets.token_bytes(32)} for name in ("id_key", "page_key")]
    op.bulk_insert(installation, keys)
    op.bulk_insert(audit_head, [{"one": 1, "size": 0, "peaks": b""}])


def _protect_the_ledger() -> None:
    for statement in protection.triggers(op.get_bind().dialect.name):
        op.execute(statement)
