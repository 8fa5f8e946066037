"""Auditors search and verify the ledger; operators see the feeds, the queue and one message."""

import re

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


def kept(world, raw, **fate) -> str:
    """Put a message into the inbox; return the address of its page."""
    arrival = Arrival("north", "192.0.2.1", "M-7", "ORU^R01", raw)
    fated = Fated("quarantined", b"MSA|AA|M-7\r", **fate)
    world.portal.record.submit(FILING, lambda writer: inbox.keep(writer, arrival, fated)).result(10)
    return f"/operator/messages/north/{arrival.bucket:03x}{arrival.sha256}"


def looked_for(browser, **form):
    return browser.fill(browser.get("/operator/trace"), "/operator/trace", **form)


def test_the_trace_of_an_unknown_key_says_so_and_leaves_an_entry(world):
    page = looked_for(world.browser("olu"), key="M-1")
    assert "Nothing found No message fits what you look for." in text_of(page)
    (entry,) = world.entries("message-seen")
    assert "message:M-1" in str(entry["entity"])


def test_what_was_set_aside_waits_in_the_queue_and_is_traced_with_its_bytes(world):
    raw = b"MSH|^~\\&|LIMS|NORTH|||||ORU^R01|M-7|P|2.4\rPID|1||<b>9990000077</b>\r"
    reason = "The birth date is not that of the person with this NHS number."
    href = kept(world, raw, address="PID.7", reason=reason)
    browser = world.browser("olu")
    words = text_of(browser.get("/operator/errors"))
    assert f"M-7 north ORU^R01 24 Nov 2026, 14:30:00 Set aside PID.7 {reason}" in words
    assert "north" in text_of(browser.get("/operator"))
    found = looked_for(browser, key="M-7")
    assert f'href="{href}"' in found.text
    page = browser.get(href)
    assert "PID|1||&lt;b&gt;9990000077&lt;/b&gt;" in page.text
    assert "MSA|AA|M-7" in page.text
    words = text_of(page)
    assert f"Set aside Waits for a person PID.7 : {reason}" in words
    assert "PID.7 Date and time of birth To blame empty" in words


def test_each_look_at_a_message_is_an_entry_for_the_patient_in_it(world):
    john = derived_id(world.portal.record.id_key, "Patient", NHS_NUMBER, "9990000077")
    raw = b"MSH|^~\\&|LIMS|NORTH|||||ORU^R01|M-7|P|2.4\rPID|1||9990000077^^^NHS\r"
    href = kept(world, raw)
    browser = world.browser("olu")
    found = looked_for(browser, key="999 000 0077")
    assert f'href="{href}"' in found.text
    browser.get(href)
    patients = [john in str(one["entity"]) for one in world.entries("message-seen")]
    assert patients == [True, True]
    assert "9990000077" not in str(world.entries("message-seen"))


def test_messages_are_found_by_the_hour_in_london_and_by_feed(world):
    kept(world, b"MSH|^~\\&|LIMS|NORTH\r")
    browser = world.browser("olu")
    span = {"since": "2026-11-24T14:00", "until": "2026-11-24T15:00"}
    assert "M-7" in text_of(looked_for(browser, feed="north", **span))
    assert "Nothing found" in text_of(looked_for(browser, since="2026-11-24T15:00"))
    assert "Nothing found" in text_of(looked_for(browser, feed="south", **span))
    wrong = looked_for(browser, since="yesterday")
    assert wrong.status_code == 422
    assert 'href="#since"' in wrong.text


def test_a_page_of_messages_leads_on_to_older_ones(world):
    def keep(writer):
        for place in range(51):
            raw = f"M{place:02}".encode()
            arrival = Arrival("north", "192.0.2.1", raw.decode(), "ORU^R01", raw)
            inbox.keep(writer, arrival, Fated("filed", b""))

    world.portal.record.submit(FILING, keep).result(10)
    browser = world.browser("olu")
    newest = looked_for(browser, feed="north")
    form = newest.text[newest.text.rindex('<form action="/operator/trace"') :]
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    older = browser.send("POST", "/operator/trace", data=hidden)
    shown = [set(re.findall(r">(M\d\d)</a>", page.text)) for page in (newest, older)]
    assert [len(one) for one in shown] == [50, 1]
    assert len(shown[0] | shown[1]) == 51


def test_no_message_stands_under_an_address_that_is_none(world):
    assert world.browser("olu").get("/operator/messages/north/0a3").status_code == 404
    (entry,) = world.entries("message-seen")
    assert entry["outcome"] == "4"


def test_an_empty_queue_is_told(world):
    assert "The queue is empty." in text_of(world.browser("olu").get("/operator/errors"))
