"""The tables of intake: feeds, raw messages with their fate, code maps, where reports stand.

The bucket leads every key that belongs to a message or a patient; feeds and code maps are small
and the same everywhere.
"""

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
    literal_column,
)

metadata = MetaData()

feed = Table(
    "feed",
    metadata,
    Column("name", Text, primary_key=True),
    Column("settings", LargeBinary, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
)
"""Who may send what, in which dialect: one JSON document a feed (see `adapters.intake.feeds`)."""

inbox = Table(
    "inbox",
    metadata,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("feed", Text, primary_key=True),
    Column("control_id", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("received", BigInteger, nullable=False),
    Column("message_type", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("fate", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("flags", Text, nullable=False),
    Column("made", Text, nullable=False),
    Column("copies", Integer, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("ack", LargeBinary, nullable=False),
)
"""Every message once: its bytes, what became of it, the resources made, and the answer given.

*fate* is `filed`, `quarantined`, `refused` or `partial`; *made* the references, one a line.
"""

Index("inbox_by_feed", inbox.c.feed, inbox.c.received)

SET_ASIDE = inbox.c.fate != literal_column("'filed'")
"""The condition of `inbox_aside`: a database uses that index where these very words are."""

Index(
    "inbox_aside",
    inbox.c.feed,
    inbox.c.fate,
    inbox.c.received,
    inbox.c.code,
    sqlite_where=SET_ASIDE,
    postgresql_where=SET_ASIDE,
)

inbox_waiting = Table(
    "inbox_waiting",
    metadata,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("feed", Text, primary_key=True),
    Column("control_id", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("received", BigInteger, nullable=False),
    Column("fate", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("answered", Text, nullable=False),
)
"""The messages that wait for a person: neither filed nor closed; with the answer that was sent."""

Index("inbox_waiting_by_code", inbox_waiting.c.feed, inbox_waiting.c.code, inbox_waiting.c.received)

inbox_act = Table(
    "inbox_act",
    metadata,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("feed", Text, primary_key=True),
    Column("control_id", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("acted", BigInteger, primary_key=True, autoincrement=False),
    Column("act", Text, nullable=False),
    Column("acted_by", Text, nullable=False),
    Column("fate", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
"""What people did with a message: `replayed`, `closed`, `reopened`; its fate and code after it."""

inbox_key = Table(
    "inbox_key",
    metadata,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("received", BigInteger, primary_key=True, autoincrement=False),
    Column("feed", Text, primary_key=True),
    Column("control_id", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
)
"""What a message can be found by; bucket = hash(key).

Its control id, its accession numbers, and keyed hashes: of the NHS numbers in it, and of its codes
that have no meaning yet (see `adapters.intake.message_keys`).
"""

claim = Table(
    "claim",
    metadata,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("authority", Text, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("patient", Text, primary_key=True),
)
"""Whose a sender's number is: `person` for local identifiers, `filler` for a laboratory's orders.

The bucket is that of the number; more than one patient under one number is for a human to sort out.
"""

report_standing = Table(
    "report_standing",
    metadata,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("patient", Text, primary_key=True),
    Column("report", Text, primary_key=True),
    Column("version_at", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("feed", Text, nullable=False),
    Column("control_id", Text, nullable=False),
)
"""Which version of a report stands: by the laboratory's own time, not by the order of arrival."""

person_standing = Table(
    "person_standing",
    metadata,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("patient", Text, primary_key=True),
    Column("said_at", BigInteger, nullable=False),
    Column("feed", Text, nullable=False),
    Column("event", Text, nullable=False),
)
"""Since when a person's details stand as they are: by the sender's time, not by arrival."""

contact_first = Table(
    "contact_first",
    metadata,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("patient", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("set_by", Text, nullable=False),
    Column("set_at", BigInteger, nullable=False),
)
"""Tests whose results a clinician wants to tell this patient in person before they open."""

code_map = Table(
    "code_map",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("target_system", Text, nullable=False),
    Column("target_code", Text, nullable=False),
    Column("target_display", Text, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
)
"""A laboratory's own code and the SNOMED CT or LOINC code that means the same."""

unmapped_code = Table(
    "unmapped_code",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("display", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
)
"""Codes that no map knows yet: results under them are kept, and held from the patient."""
