"""Auditors search and verify the ledger; operators see the feeds, the queue and one message."""

from sqlalchemy import delete, text

from adapters.intake import feed_settings, inbox, registry
from adapters.intake.inbox import Arrival, Fated
from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import derived_id
from fhir_server.store.tables import audit_entry
from tests.portal_api.pages.world import FILING, text_of


def test_an_auditor_finds_who_looked_at_a_patient_and_is_on_the_ledger_too(world):
    alan = world.ids["alan"]
    world.browser("priya").get(f"/clinician/patients/{alan}")
    auditor = world.browser("ada")
    assert "entries" not in text_of(auditor.get("/auditor"))
    found = auditor.get("/auditor", params={"asked": "1", "patient": alan, "subtype": "read"})
    words = text_of(found)
    assert "1 entry" in words
    assert "Priya Shah" in words
    assert "clinician, Northgate Hospital, portal" in words
    assert f"Patient/{alan}" in words
    assert "For treatment" in words
    assert any("Ada" in one["agent"][0].get("name", "") for one in world.entries("search-type"))


def test_an_auditor_may_ask_by_nhs_number_and_goes_on_by_links(world):
    number = "9990000107"
    filed = derived_id(world.portal.record.id_key, "Patient", NHS_NUMBER, number)
    world.file({"resourceType": "Patient", "birthDate": "1950-01-01"} | {"id": filed}, filed)
    auditor = world.browser("ada")
    page = auditor.get("/auditor", params={"asked": "1", "patient": "999 000 0107"})
    assert "1 entry, newest first, London time" in text_of(page)
    assert "24 Nov 2026, 14:30:00" in text_of(page)
    assert f'href="/auditor?asked=1&amp;patient={filed}"' in page.text
    assert 'href="/auditor?asked=1&amp;agent=feed%3Anorth"' in page.text
    by_agent = auditor.get("/auditor?asked=1&agent=feed%3Anorth")
    assert "Filed a message" in text_of(by_agent)


def test_the_search_narrows_by_day_in_london_and_by_outcome(world):
    auditor = world.browser("ada")
    world.browser("priya").get(f"/clinician/patients/{world.ids['john']}")
    asked = {"asked": "1", "outcome": "4", "start": "2026-11-24", "end": "2026-11-24"}
    words = text_of(auditor.get("/auditor", params=asked))
    assert "Refused" in words
    assert f"Patient/{world.ids['john']}" in words
    before = asked | {"start": "2026-11-01", "end": "2026-11-23"}
    assert "Nothing fits" in text_of(auditor.get("/auditor", params=before))


def test_a_day_that_is_none_is_said_beside_its_field(world):
    page = world.browser("ada").get("/auditor", params={"asked": "1", "end": "24/11/2026"})
    assert page.status_code == 422
    assert 'href="#end"' in page.text
    assert "Write the day as 2026-11-24" in text_of(page)


def test_a_sound_ledger_is_told_with_what_no_checkpoint_covers(world):
    page = world.browser("ada").get("/auditor/verify", params={"run": "1"})
    words = text_of(page)
    assert "The log fits its checkpoints" in words
    assert "newer than the last checkpoint, so not proven" in words
    assert len(world.entries("ledger-verified")) == 1


def test_a_ledger_with_an_entry_missing_is_told_by_its_number(world):
    engines = world.portal.record.engines
    with engines.writer.connect() as connection:
        names = connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit%'")
        ).scalars()
        for name in list(names):
            connection.execute(text(f'DROP TRIGGER "{name}"'))
        connection.execute(delete(audit_entry).where(audit_entry.c.seq == 2))
        connection.commit()
    words = text_of(world.browser("ada").get("/auditor/verify", params={"run": "1"}))
    assert "The log does not fit its checkpoints" in words
    assert "Entry 2" in words


def test_an_operator_sees_each_feed_of_today(world):
    feed = feed_settings.from_settings({"name": "north", "organization": "Northgate Hospital"})
    world.portal.record.submit(FILING, lambda writer: registry.agree(writer, feed)).result(10)
    words = text_of(world.browser("olu").get("/operator"))
    assert "north Northgate Hospital" in words
    assert "None yet" in words
    assert "Every code that came in is mapped." in words


def test_the_trace_of_an_unknown_key_says_so_and_leaves_an_entry(world):
    browser = world.browser("olu")
    page = browser.get("/operator/trace", params={"key": "M-1"})
    assert "No message has this control id or accession number." in text_of(page)
    (entry,) = world.entries("message-seen")
    assert "message:M-1" in str(entry["entity"])
    assert browser.get("/operator/trace", params={"key": " "}).status_code == 422


def test_what_was_set_aside_waits_in_the_queue_and_is_traced_with_its_bytes(world):
    raw = b"MSH|^~\\&|LIMS|NORTH\rPID|1||<b>9990000077</b>\r"
    arrival = Arrival("north", "192.0.2.1", "M-7", "ORU^R01", raw)
    reason = "The birth date is not that of the person with this NHS number."
    fated = Fated("quarantined", b"MSA|AA|M-7\r", address="PID-7", reason=reason)
    world.portal.record.submit(FILING, lambda writer: inbox.keep(writer, arrival, fated)).result(10)
    browser = world.browser("olu")
    words = text_of(browser.get("/operator/errors"))
    assert f"M-7 north 24 November 2026 at 2:30pm Quarantined PID-7 {reason}" in words
    assert "north" in text_of(browser.get("/operator"))
    page = browser.get("/operator/trace", params={"key": "M-7"})
    assert "PID|1||&lt;b&gt;9990000077&lt;/b&gt;" in page.text
    assert "MSA|AA|M-7" in page.text
    assert f"Quarantined. PID-7: {reason}" in text_of(page)


def test_an_empty_queue_is_told(world):
    assert "The queue is empty." in text_of(world.browser("olu").get("/operator/errors"))
