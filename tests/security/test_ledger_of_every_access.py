"""Every request leaves the entries that it owes before it is answered; no ledger, no answer."""

from typing import Any

import pytest
from sqlalchemy import func, select, text

from fhir_server.model import json
from fhir_server.model.ids import new_id
from fhir_server.store.tables import audit_entry


def entries(world: Any) -> int:
    statement = select(func.count()).select_from(audit_entry)
    return int(world.portal.record.select(statement)[0][0])


def newest(world: Any) -> tuple[Any, dict[str, Any]]:
    statement = select(audit_entry).order_by(audit_entry.c.seq.desc()).limit(1)
    (row,) = world.portal.record.select(statement)
    return row, json.decode(bytes(row.body))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Patient/{alan}", 200),
        ("Patient/{alan}/_history", 200),
        ("Patient/{alan}/_history/1", 200),
        ("Observation?patient={alan}", 200),
        ("Patient/{brian}", 404),
        ("Observation?patient={brian}", 200),
        ("Observation?foo=bar", 400),
        ("Observation/x", 404),
        ("Organization?name=x", 403),
        ("Medication/x", 404),
        ("$export", 404),
    ],
)
def test_each_request_adds_exactly_one_entry(world: Any, path: str, status: int) -> None:
    alan = world.as_patient(world.alan)
    before = entries(world)
    response = alan.get(path.format(alan=world.alan, brian=world.brian))
    assert response.status_code == status
    assert entries(world) == before + 1
    row, tree = newest(world)
    assert row.outcome == ("0" if status == 200 else "4")
    assert row.request_id == response.headers["x-request-id"]
    touched = status == 200 and "brian" not in path
    asked_for = world.brian if path == "Patient/{brian}" else ""
    assert row.patient == (world.alan if touched else asked_for)
    assert tree["resourceType"] == "AuditEvent"


def test_a_request_without_a_token_leaves_an_entry_too(world: Any) -> None:
    before = entries(world)
    response = world.client.get(f"{world.base}/fhir/Patient/{world.alan}")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="fhir"'
    assert entries(world) == before + 1
    bad = world.client.get(
        f"{world.base}/fhir/Patient/{world.alan}", headers={"Authorization": "Bearer nonsense"}
    )
    assert 'error="invalid_token"' in bad.headers["www-authenticate"]
    assert entries(world) == before + 2


def test_a_search_over_several_patients_leaves_one_entry_for_each(world: Any) -> None:
    before = entries(world)
    world.as_clinician(world.nurse).get("Observation?code=2857-1")
    assert entries(world) == before + 2
    statement = select(audit_entry).order_by(audit_entry.c.seq.desc()).limit(2)
    rows = world.portal.record.select(statement)
    assert {row.patient for row in rows} == {world.alan, world.brian}


def test_the_entry_holds_role_and_care_relationship_of_that_moment(world: Any) -> None:
    world.as_clinician(world.nurse).get(f"Patient/{world.alan}")
    row, tree = newest(world)
    assert row.agent == f"Practitioner/{world.nurse}"
    text_ = json.encode(tree).decode()
    assert "CareTeam/" in text_
    assert "TREAT" in text_


def test_a_patient_reads_the_entries_of_their_own_record_and_no_others(world: Any) -> None:
    world.as_clinician(world.nurse).get(f"Patient/{world.alan}")
    world.as_clinician(world.nurse).get(f"Patient/{world.brian}")
    world.as_clinician(world.stranger).get(f"Patient/{world.alan}")
    bundle = world.as_patient(world.alan).get("AuditEvent?_count=100").json()
    patients = {json.encode(one["resource"]).decode() for one in bundle["entry"]}
    assert all(world.alan in one for one in patients)
    assert not any(world.brian in one for one in patients)
    assert any(f"Practitioner/{world.nurse}" in one for one in patients)
    # Who tried in vain is there as well.
    assert any(
        f"Practitioner/{world.stranger}" in one and '"outcome":"4"' in one for one in patients
    )


def test_an_auditor_searches_the_ledger_and_is_on_it(world: Any) -> None:
    auditor = world.as_auditor()
    bundle = auditor.get(f"AuditEvent?patient={world.alan}&outcome=0&_count=5").json()
    assert bundle["total"] >= 1
    id_ = bundle["entry"][0]["resource"]["id"]
    assert auditor.get(f"AuditEvent/{id_}").json() == bundle["entry"][0]["resource"]
    assert auditor.get(f"Observation?patient={world.alan}").status_code == 403
    assert world.as_clinician(world.nurse).get("AuditEvent").status_code == 403
    row, _ = newest(world)
    assert row.outcome == "4"


def test_a_ledger_that_can_not_be_written_turns_every_request_into_503_without_a_clinical_byte(
    world: Any,
) -> None:
    alan, nurse = world.as_patient(world.alan), world.as_clinician(world.nurse)
    observation = alan.ids("Observation")[0]
    writer = world.portal.record.engines.writer
    with writer.begin() as connection:
        connection.execute(text("ALTER TABLE audit_entry RENAME TO audit_gone"))
    paths = [
        f"Observation/{observation}",
        f"Observation/{observation}/_history",
        f"Observation/{observation}/_history/1",
        f"Observation?patient={world.alan}",
        f"Patient/{world.alan}",
        f"DiagnosticReport?patient={world.alan}&_include=DiagnosticReport:result",
        f"Observation/{new_id()}",
    ]
    for asker in (alan, nurse):
        for path in paths:
            response = asker.get(path)
            assert response.status_code == 503
            assert response.headers["retry-after"]
            for clinical in (b"7.3", b"ug/L", b"2857-1", world.alan.encode(), b"1955"):
                assert clinical not in response.content
    with writer.begin() as connection:
        connection.execute(text("ALTER TABLE audit_gone RENAME TO audit_entry"))
    assert alan.get(f"Observation/{observation}").status_code == 200


def test_answers_are_never_cached(world: Any) -> None:
    alan = world.as_patient(world.alan)
    for path in (f"Patient/{world.alan}", "Observation", f"Patient/{world.brian}", "Nothing"):
        response = alan.get(path)
        assert response.headers["cache-control"] == "no-store"
        assert "Authorization" in response.headers["vary"]
        assert response.headers["x-content-type-options"] == "nosniff"
