"""What was published can be held against the ledger, and what does not follow is never signed."""

from pathlib import Path

import pytest
from sqlalchemy import text

from fhir_server import notary as notaries
from fhir_server.access import Access, Agent, NoRecord
from fhir_server.audit.publication import PublicationRefused
from fhir_server.audit.verify import Tampered, Verified
from fhir_server.notary import Notary
from fhir_server.record import Record

ASKING = Access(Agent("clinician", user="Practitioner/x"), "r", NoRecord(), {})


@pytest.fixture
def notary(record: Record, tmp_path: Path) -> Notary:
    return notaries.notary(record, tmp_path / "var", "portal.example")


def note(record: Record, times: int) -> None:
    for _ in range(times):
        record.note(ASKING, "sign-in").result(timeout=10)


def test_a_ledger_that_nobody_touched_verifies(record: Record, notary: Notary) -> None:
    note(record, 5)
    published = notaries.publish_if_due(notary, notaries.latest(notary), 0, now=True)
    note(record, 2)
    outcome = notaries.verified(notary)
    assert isinstance(outcome, Verified)
    assert (outcome.size, outcome.covered, outcome.uncovered) == (7, 5, 2)
    assert notaries.latest(notary) == published


def test_a_cut_tail_is_found_and_not_signed(record: Record, notary: Notary) -> None:
    note(record, 5)
    published = notaries.publish_if_due(notary, notaries.latest(notary), 0, now=True)
    with record.engines.writer.begin() as connection:
        if record.engines.is_sqlite:
            for (name,) in connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER ALL"))
        connection.execute(text("DELETE FROM audit_entry WHERE seq >= 3"))
    outcome = notaries.verified(notary)
    assert isinstance(outcome, Tampered)
    assert outcome.first == 3
    with record.engines.writer.begin() as connection:
        connection.execute(text("UPDATE audit_head SET size = 0, peaks = :none"), {"none": b""})
    with pytest.raises(PublicationRefused):
        notaries.publish_if_due(notary, published, 0, now=True)
