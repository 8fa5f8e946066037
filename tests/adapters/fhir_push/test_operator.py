"""What operators have of a Bundle: found by its person, taken apart, run again."""

from pathlib import Path
from typing import Any

from sqlalchemy import select

from adapters.intake import registry, repeating, tracing, waiting
from adapters.intake.repeating import Part
from fhir_server.record import Record
from fhir_server.store.engine import open_engines
from fhir_server.store.tables import resource
from portal_api.messages_seen import Seen
from portal_api.pages import operator_trace
from portal_api.repeating import into
from tests.adapters.fhir_push.bundles import changed, message, resources, transaction
from tests.adapters.fhir_push.hospital import MERSEY, Hospital
from tests.world import OPERATOR, psa

Tree = dict[str, Any]


def test_the_page_shows_a_bundle_by_its_entries_with_the_culprit_marked(hospital: Hospital) -> None:
    hospital.post(changed(message(), "entry.8.resource.status", None))
    row = hospital.row("M1")
    view = operator_trace._message(Seen(row, (), True), "")
    assert (view.row.kind, view.row.field) == ("Bundle^message", "Bundle.entry[8].resource.status")
    assert view.anatomy.parts[9].blamed
    assert '"code":"fatal-error"' in view.answers[0]
    assert view.raw.startswith('{"resourceType":"Bundle"')


def test_a_bundle_is_found_by_the_person_and_by_its_numbers(hospital: Hospital) -> None:
    hospital.post(message())
    hospital.post(changed(message(resources(filler="REP-2"), "M2"), "entry.8.resource.status", "F"))
    record = hospital.portal.record
    for text, found in (
        ("999 000 0018", {"M1", "M2"}),
        ("REP-1", {"M1"}),
        ("O-REP-1", {"M1"}),
        ("M2", {"M2"}),
    ):
        assert {row.control_id for row in tracing.by_key(record, text).rows} == found


def test_what_waits_counts_as_an_alarm_where_its_sender_was_told_that_all_is_well(
    hospital: Hospital,
) -> None:
    agreed = MERSEY.__class__(
        **{name: getattr(MERSEY, name) for name in MERSEY.__slots__} | {"quarantine_ack": "AA"}
    )
    record = hospital.portal.record
    record.submit(OPERATOR, lambda writer: registry.agree(writer, agreed)).result(10)
    hospital.portal.feeds.reread()
    wrong = changed(message(), "entry.8.resource.status", "F")
    assert hospital.post(wrong).json()["entry"][0]["resource"]["response"]["code"] == "ok"
    wrong = changed(transaction(), "entry.7.resource.status", "F")
    assert hospital.transact(wrong).status_code == 200
    (group,) = waiting.groups(record)
    assert (group.times, group.alarms) == (2, 2)


def test_running_the_inbox_again_makes_nothing_new(hospital: Hospital) -> None:
    hospital.post(message())
    hospital.transact(transaction(resources(filler="REP-2")))
    record, feeds = hospital.portal.record, hospital.portal.feeds()
    before = bodies(hospital)
    done, _ = repeating.run(record, OPERATOR, feeds, Part())
    assert [(one.control_id, one.became) for one in done] == [
        ("M1", "unchanged"),
        ("T1", "unchanged"),
    ]
    assert bodies(hospital) == before


def test_the_inbox_into_an_empty_database_makes_the_same_resources(
    hospital: Hospital, tmp_path: Path
) -> None:
    hospital.post(message())
    hospital.transact(transaction(resources(filler="REP-2")))
    corrected = resources(value="9.1", status="corrected", issued="2026-11-24T12:00:00+00:00")
    hospital.post(message(corrected, "M2"))
    hospital.post(message(resources(birth_date="1956-03-01", filler="REP-3"), "M3"))
    url = f"sqlite:///{tmp_path}/twin.db"
    # The one that waits for a person is read, and waits in the twin as well.
    assert into(hospital.portal, url, Part(), "test") == {"filed": 4}
    twin = Record(open_engines(url))
    try:
        assert of(twin) == bodies(hospital)
    finally:
        twin.close()


def test_hl7_v2_and_fhir_of_one_hospital_go_on_with_one_report(hospital: Hospital) -> None:
    bearer = {"Authorization": f"Bearer {hospital.token()}"}
    first = psa("9990000018", "A1", "7.1").replace(b"Example^Person", b"Example^Alan")
    answer = hospital.client.post(
        hospital.base.removesuffix("/fhir") + "/hl7v2",
        content=first,
        headers=bearer | {"Content-Type": "application/hl7-v2"},
    )
    assert b"MSA|AA" in answer.content
    parts = resources(status="corrected", issued="2026-11-24T12:00:00+00:00")
    filler = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "FILL"}]
    }
    parts["report"]["identifier"] = [{"type": filler, "value": "A1"}]
    parts["report"]["code"] = parts["psa"]["code"]
    hospital.post(message(parts))
    (report,) = hospital.seen("DiagnosticReport")
    assert (report["status"], report["meta"]["versionId"]) == ("corrected", "2")


def bodies(hospital: Hospital) -> dict[str, bytes]:
    return of(hospital.portal.record)


def of(record: Record) -> dict[str, bytes]:
    rows = record.select(select(resource.c.type, resource.c.id, resource.c.body))
    return {f"{row.type}/{row.id}": bytes(row.body) for row in rows}
