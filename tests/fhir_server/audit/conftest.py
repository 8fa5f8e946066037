"""A ledger as an installation keeps it: a database, a key, and the folder where it is published."""

import io
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, delete, insert, select, text, update
from sqlalchemy.engine import make_url

from fhir_server.access import Agent
from fhir_server.audit import checkpoint, export, ledger, merkle, protection, publication, verify
from fhir_server.audit.columns import columns
from fhir_server.audit.event import AccessEvent, encode
from fhir_server.audit.merkle import Head
from fhir_server.audit.publication import Published
from fhir_server.audit.verify import Tampered, Verified
from fhir_server.store.tables import audit_checkpoint, audit_entry, audit_head, metadata

ORIGIN = "portal.example/ledger"
START = 1_764_000_000_000_000
TABLES = [audit_entry, audit_head, audit_checkpoint]

Rows = list[dict[str, Any]]


@dataclass
class Installation:
    """A ledger, its publisher, and the auditor who verifies it from an export."""

    engine: Engine
    folder: Path
    key: checkpoint.Ed25519PrivateKey
    published: Published = field(default_factory=lambda: Published(Head()))
    now: int = START

    @property
    def vkey(self) -> str:
        return checkpoint.public_key_text(self.key, ORIGIN)

    def body(self, name: str = "Dr Ada Bell", **changes: Any) -> bytes:
        """An entry: a doctor reads an observation, a second after the entry before."""
        self.now += 1_000_000
        agent = Agent(
            role="clinician",
            user="Practitioner/0f0",
            name=name,
            organization="RXX",
            client="portal",
            token_id="t1",
            purpose="TREAT",
            network="192.0.2.7",
        )
        event = {
            "subtype": "read",
            "outcome": "0",
            "recorded": self.now,
            "agent": agent,
            "request_id": secrets.token_hex(8),
            "patient": secrets.token_hex(16),
            "entity": f"Observation/{secrets.token_hex(16)}",
            "relationship": "CareTeam/0c0",
        }
        return encode(
            AccessEvent(**(event | changes)),
            id_=secrets.token_hex(16),
            nonce=secrets.token_bytes(16),
        )

    def append(self, count: int) -> None:
        with self.engine.begin() as connection:
            ledger.append(connection, [self.body() for _ in range(count)])

    def publish(self) -> None:
        with self.engine.begin() as connection:
            head = ledger.head(connection)
            leaves = ledger.leaves(connection, self.published.head.size, head.size)
            self.published = publication.publish(
                self.folder, self.published, head, leaves, self.key, ORIGIN
            )
            row = {"size": head.size, "made": self.now, "note": self.published.note}
            connection.execute(insert(audit_checkpoint), row)

    def export(self) -> bytes:
        with export.snapshot(self.engine) as connection:
            return b"".join(export.lines(connection))

    def judge(self, *, leaves: bool = True) -> Verified | Tampered:
        """Return what the auditor finds, who holds the notes and, or not, the leaf hashes."""
        head, copies, entries = verify.read_export(io.BytesIO(self.export()))
        hashes = io.BytesIO((self.folder / publication.LEAVES).read_bytes()) if leaves else None
        notes = (self.folder / publication.CHECKPOINTS).read_text()
        return verify.verify(entries, notes, self.vkey, leaves=hashes, head=head, copies=copies)

    def place(self, *, leaves: bool = True) -> tuple[str, int, int]:
        """Return the fault that the auditor finds, and in which entries."""
        outcome = self.judge(leaves=leaves)
        assert isinstance(outcome, Tampered), outcome
        return outcome.fault, outcome.first, outcome.last

    def rows(self) -> Rows:
        with self.engine.connect() as connection:
            statement = select(audit_entry).order_by(audit_entry.c.seq)
            return [dict(row._mapping) for row in connection.execute(statement)]

    @contextmanager
    def as_owner(self) -> Iterator[Connection]:
        """Write to the database with the triggers taken off, as its owner can."""
        with self.engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                names = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                for name in connection.scalars(names).all():
                    connection.execute(text(f"DROP TRIGGER {name}"))
            else:
                for table in TABLES:
                    connection.execute(text(f"ALTER TABLE {table.name} DISABLE TRIGGER USER"))
            yield connection

    def change(self, seq: int, **values: Any) -> None:
        """Change an entry's row, as the owner of the database can."""
        with self.as_owner() as connection:
            connection.execute(update(audit_entry).where(audit_entry.c.seq == seq).values(values))

    def rewrite(self, rows: Rows, *, renumber: bool = False) -> None:
        """Put *rows* in the place of the whole ledger, with a head that fits them."""
        if renumber:
            rows = [row | {"seq": seq} for seq, row in enumerate(rows)]
        head = merkle.extend(Head(), (merkle.leaf_hash(row["body"]) for row in rows))
        with self.as_owner() as connection:
            connection.execute(delete(audit_entry))
            if rows:
                connection.execute(insert(audit_entry), rows)
            values = {"size": head.size, "peaks": b"".join(head.peaks)}
            connection.execute(update(audit_head).values(values))


@pytest.fixture
def fitted() -> Callable[[Mapping[str, Any], bytes], dict[str, Any]]:
    """Return a row with another body, and the columns that fit it."""
    return lambda row, body: {"seq": row["seq"], "body": body, **columns(body)._asdict()}


@pytest.fixture
def ledger_engine(empty_database_url: str) -> Iterator[Engine]:
    """A database with an empty ledger in it, protected."""
    url = make_url(empty_database_url)
    if url.database and url.get_backend_name() == "sqlite":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    with engine.begin() as connection:
        metadata.create_all(connection, tables=TABLES)
        connection.execute(insert(audit_head), ledger.EMPTY_HEAD)
        for statement in protection.triggers(engine.dialect.name):
            connection.exec_driver_sql(statement)
    yield engine
    engine.dispose()


@pytest.fixture
def installation(ledger_engine: Engine, tmp_path: Path) -> Installation:
    """A ledger without entries."""
    key = checkpoint.load_or_create_key(tmp_path / "key.pem")
    return Installation(ledger_engine, tmp_path / "published", key)


@pytest.fixture
def published(installation: Installation) -> Installation:
    """A ledger of 20 entries: checkpoints of 7 and of 13, and 7 entries that none covers yet."""
    for count in (7, 6):
        installation.append(count)
        installation.publish()
    installation.append(7)
    return installation
