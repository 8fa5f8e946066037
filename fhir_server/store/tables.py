"""The tables of the record, for SQLite and PostgreSQL alike; the bucket leads every key.

Instants are microseconds since 1970 (see `fhir_server.clock`); a patient is an id, or the empty
text for what belongs to no patient. Index rows have no foreign key and no surrogate key: they
are made from the body, and can be made again.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

metadata = MetaData()


def _resource_columns(*, versioned: bool) -> list[Column[Any]]:
    return [
        Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
        Column("type", Text, primary_key=True),
        Column("id", Text, primary_key=True),
        Column("version", Integer, primary_key=versioned, autoincrement=False, nullable=False),
        Column("last_updated", BigInteger, nullable=False),
        Column("patient", Text, nullable=False),
        Column("release_at", BigInteger, nullable=True),
        Column("labels", Integer, nullable=False),
        Column("sort_date", BigInteger, nullable=True),
        Column("body", LargeBinary, nullable=False),
    ]


resource = Table("resource", metadata, *_resource_columns(versioned=False))
"""The current version of each resource: the bytes served, and what decides who may see them."""

Index(
    "resource_by_patient",
    resource.c.bucket,
    resource.c.patient,
    resource.c.type,
    resource.c.last_updated,
    resource.c.id,
)

Index(
    "resource_of_nobody",
    resource.c.type,
    resource.c.last_updated,
    resource.c.id,
    sqlite_where=text("patient = ''"),
    postgresql_where=text("patient = ''"),
)

resource_version = Table(
    "resource_version",
    metadata,
    *_resource_columns(versioned=True),
    Column("superseded_at", BigInteger, nullable=False),
    Column("superseded_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
"""Earlier versions, moved here as they stood, with who replaced them and why."""

index_token = Table(
    "index_token",
    metadata,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("patient", Text, primary_key=True),
    Column("hash", BigInteger, primary_key=True, autoincrement=False),
    Column("sort", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, primary_key=True),
    Column("population", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Tokens and references, as 64-bit hashes of (type, parameter, system|code variant)."""

Index(
    "index_token_population",
    index_token.c.hash,
    index_token.c.sort,
    index_token.c.id,
    sqlite_where=text("population = 1"),
    postgresql_where=text("population = 1"),
)

index_date = Table(
    "index_date",
    metadata,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("patient", Text, primary_key=True),
    Column("hash", BigInteger, primary_key=True, autoincrement=False),
    Column("low", BigInteger, primary_key=True, autoincrement=False),
    Column("high", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, primary_key=True),
    sqlite_with_rowid=False,
)
"""Dates and periods as the span of instants that they cover: low included, high excluded."""

index_string = Table(
    "index_string",
    metadata,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("patient", Text, primary_key=True),
    Column("hash", BigInteger, primary_key=True, autoincrement=False),
    Column("value", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    sqlite_with_rowid=False,
)
"""Strings, folded: no case, no accents."""

care_relationship = Table(
    "care_relationship",
    metadata,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("patient", Text, primary_key=True),
    Column("practitioner", Text, primary_key=True),
    Column("team", Text, primary_key=True),
    Column("starts", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=True),
)
"""Who cares for whom, from when until when: written together with CareTeam."""

Index(
    "care_relationship_by_practitioner",
    care_relationship.c.practitioner,
    care_relationship.c.bucket,
    care_relationship.c.patient,
)

patient_link = Table(
    "patient_link",
    metadata,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("patient", Text, primary_key=True),
    Column("other", Text, primary_key=True),
    Column("survivor", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
)
"""Records that are one person's: a row for each ordered pair of them, and which one survives.

The bucket is that of *patient*, so that whoever looks at a row of a record finds beside it the
others to which it belongs.
"""

held_notice = Table(
    "held_notice",
    metadata,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("patient", Text, primary_key=True),
    Column("report", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("arrived", BigInteger, nullable=False),
    Column("opens", BigInteger, nullable=True),
    Column("contact", Text, nullable=False),
)
"""What a patient may know of a held report: from the order and the policy, not the result."""

bucket_lock = Table(
    "bucket_lock",
    metadata,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
)
"""One row a bucket, for the committer to lock in ascending order."""

installation = Table(
    "installation",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
"""What was made once, by the first migration: the key of derived ids, the key of page links."""

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("recorded", BigInteger, nullable=False),
    Column("patient", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("subtype", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("entity_type", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""The ledger: INSERT and SELECT only. The columns beside the body are made from it."""

Index("audit_entry_by_time", audit_entry.c.recorded, audit_entry.c.seq)
Index("audit_entry_by_patient", audit_entry.c.patient, audit_entry.c.recorded, audit_entry.c.seq)
Index("audit_entry_by_agent", audit_entry.c.agent, audit_entry.c.recorded, audit_entry.c.seq)
Index("audit_entry_by_outcome", audit_entry.c.outcome, audit_entry.c.recorded, audit_entry.c.seq)
Index("audit_entry_by_subtype", audit_entry.c.subtype, audit_entry.c.recorded, audit_entry.c.seq)

audit_head = Table(
    "audit_head",
    metadata,
    Column("one", SmallInteger, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("peaks", LargeBinary, nullable=False),
)
"""The tree's size and the roots of its perfect subtrees: the one audit row that changes."""

audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("made", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)
"""Signed tree heads, as they were published; what counts is the copy held elsewhere."""
