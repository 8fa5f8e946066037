"""Who may write what: sender and time are the server's, and nobody writes for the unseen."""

from typing import Any

import pytest

from fhir_server.model.ids import bucket_of, new_id


def message(patient: str, text: str = "My temperature is 38.2") -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "status": "completed",
        "subject": {"reference": f"Patient/{patient}"},
        "payload": [{"contentString": text}],
    }


def observation(patient: str, value: str = "5.10") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2857-1"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "valueString": value,
    }


def test_a_patients_message_is_sent_in_their_own_name_and_at_the_servers_time(world: Any) -> None:
    sent = message(world.alan) | {"sent": "1999-01-01T00:00:00Z"}
    response = world.as_patient(world.alan).post("Communication", sent)
    assert response.status_code == 201, response.text
    tree = response.json()
    assert tree["sender"] == {"reference": f"Patient/{world.alan}"}
    assert not tree["sent"].startswith("1999")
    assert tree["status"] == "in-progress"
    assert response.headers["location"].endswith(f"/Communication/{tree['id']}/_history/1")
    assert response.headers["etag"] == 'W/"1"'


def test_an_app_says_that_a_message_was_read_and_changes_nothing_else(world: Any) -> None:
    nurse, alan = world.as_clinician(world.nurse), world.as_patient(world.alan)
    sent = nurse.post("Communication", message(world.alan, "Please ring us")).json()
    path = f"Communication/{sent['id']}"
    read = sent | {"received": "2001-01-01T00:00:00Z"}
    assert alan.put(path, sent | {"payload": [{"contentString": "Else"}]}).status_code == 422
    assert nurse.put(path, read).status_code == 422
    assert world.as_clinician(world.stranger).put(path, read).status_code == 404
    given = alan.put(path, read, headers={"If-Match": 'W/"1"'})
    assert given.status_code == 200, given.text
    receipt = given.json()["received"]
    assert not receipt.startswith("2001")
    assert nurse.get(path).json()["received"] == receipt
    assert (
        alan.put(path, given.json() | {"received": "2002-01-01T00:00:00Z"}).json() == given.json()
    )


def test_a_message_in_anothers_name_or_record_is_refused(world: Any) -> None:
    alan = world.as_patient(world.alan)
    in_anothers_name = message(world.alan) | {
        "sender": {"reference": f"Practitioner/{world.nurse}"}
    }
    assert alan.post("Communication", in_anothers_name).status_code == 422
    theirs = alan.post("Communication", message(world.brian))
    nobodys = alan.post("Communication", message(new_id(bucket_of(world.brian))))
    assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content)
    assert theirs.status_code == 422


def test_a_clinician_who_does_not_care_for_a_patient_can_not_write_to_them(world: Any) -> None:
    response = world.as_clinician(world.stranger).post("Communication", message(world.alan))
    assert response.status_code in {403, 422}
    nurse = world.as_clinician(world.nurse).post("Communication", message(world.alan))
    assert nurse.status_code == 201, nurse.text
    assert world.as_patient(world.alan).ids("Communication") == [nurse.json()["id"]]
    assert world.as_patient(world.brian).ids("Communication") == []


def test_a_reply_into_anothers_conversation_is_refused(world: Any) -> None:
    theirs = world.as_patient(world.brian).post("Communication", message(world.brian)).json()["id"]
    reply = message(world.alan) | {"partOf": [{"reference": f"Communication/{theirs}"}]}
    assert world.as_patient(world.alan).post("Communication", reply).status_code == 422


@pytest.mark.parametrize(
    ("resource_type", "method"),
    [
        ("Observation", "POST"),
        ("DiagnosticReport", "POST"),
        ("CareTeam", "POST"),
        ("Patient", "POST"),
    ],
)
def test_a_patient_writes_nothing_but_messages(world: Any, resource_type: str, method: str) -> None:
    tree = observation(world.alan) | {"resourceType": resource_type}
    tree = {"resourceType": "Patient"} if resource_type == "Patient" else tree
    if resource_type in {"CareTeam", "DiagnosticReport"}:
        tree = {
            "resourceType": resource_type,
            "status": "active" if resource_type == "CareTeam" else "final",
            "subject": {"reference": f"Patient/{world.alan}"},
            **({"code": {"text": "x"}} if resource_type == "DiagnosticReport" else {}),
        }
    assert world.as_patient(world.alan).ask(method, resource_type, json=tree).status_code == 403


def test_a_clinician_does_not_edit_a_care_team(world: Any) -> None:
    nurse = world.as_clinician(world.nurse)
    (team,) = nurse.get(f"CareTeam?patient={world.alan}").json()["entry"]
    tree = team["resource"]
    assert nurse.put(f"CareTeam/{tree['id']}", tree).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nobody_writes_the_ledger(world: Any, method: str) -> None:
    for asker in (world.as_client(), world.as_auditor(), world.as_patient(world.alan)):
        path = "AuditEvent" if method == "POST" else f"AuditEvent/{new_id()}"
        response = asker.ask(method, path, json={"resourceType": "AuditEvent"})
        assert response.status_code == 405
        assert "GET" in response.headers["allow"]


def test_an_update_needs_the_version_that_stands(world: Any) -> None:
    system = world.as_client()
    made = system.post("Observation", observation(world.alan))
    assert made.status_code == 201, made.text
    tree = made.json() | {"valueString": "5.20"}
    path = f"Observation/{tree['id']}"
    stale = system.put(path, tree, headers={"If-Match": 'W/"7"'})
    assert stale.status_code == 412
    updated = system.put(path, tree, headers={"If-Match": made.headers["etag"]})
    assert updated.status_code == 200
    assert (updated.headers["etag"], updated.json()["valueString"]) == ('W/"2"', "5.20")
    assert system.get(f"{path}/_history/1").json()["valueString"] == "5.10"
    history = system.get(f"{path}/_history").json()
    assert [one["response"]["etag"] for one in history["entry"]] == ['W/"2"', 'W/"1"']
    assert history["total"] == 2


def test_an_id_is_the_servers_to_give(world: Any) -> None:
    system, id_ = world.as_client(), new_id()
    tree = observation(world.alan) | {"id": id_}
    assert system.put(f"Observation/{id_}", tree).status_code == 404


def test_a_resource_never_moves_to_another_patient(world: Any) -> None:
    system = world.as_client()
    tree = system.post("Observation", observation(world.alan)).json()
    tree["subject"] = {"reference": f"Patient/{world.brian}"}
    assert system.put(f"Observation/{tree['id']}", tree).status_code == 422


NO_RESOURCES = (
    (b"{", 400),
    (b"[]", 422),
    (b"null", 422),
    (b'{"resourceType":"Observation","resourceType":"Observation"}', 400),
    (b'{"resourceType":"Observation","status":"final","subject":{},"subject":{}}', 400),
    (b'{"resourceType":"Observation","valueQuantity":{"value":NaN}}', 400),
    (b"[" * 2000, 400),
    (b'{"a":' * 2000, 400),
    (b'{"resourceType":"Observation","valueString":"\xff"}', 400),
    (b'{"resourceType":"Observation","valueString":"\\ud800"}', 400),
    (b'{"resourceType":"Patient"}', 422),
    (b'{"resourceType":"Observation"}', 422),
    (b'{"resourceType":"Observation","status":"finished","code":{"text":"x"}}', 422),
    (b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"foo":1}', 422),
    (b'{"resourceType":"Observation","status":"final","code":{"text":"x"}}', 422),
)


def test_a_body_that_is_no_resource_gets_an_outcome_and_changes_nothing(world: Any) -> None:
    system, headers = world.as_client(), {"Content-Type": "application/fhir+json"}
    for body, status in NO_RESOURCES:
        response = system.ask("POST", "Observation", content=body, headers=headers)
        assert response.status_code == status, body[:100]
        outcome = response.json()
        assert outcome["resourceType"] == "OperationOutcome"
        assert outcome["issue"][0]["details"]["text"]
    assert system.get("Observation?_summary=count").json()["total"] == 6


def test_a_second_patient_inside_a_resource_is_refused(world: Any) -> None:
    contained = observation(world.alan) | {
        "contained": [{"resourceType": "Patient", "id": "p"}],
        "performer": [{"reference": "#p"}],
    }
    assert world.as_client().post("Observation", contained).status_code == 422


def test_what_the_server_does_not_do_is_refused_in_words(world: Any) -> None:
    system = world.as_client()
    headers = {"If-None-Exist": "identifier=x"}
    conditional = system.ask("POST", "Observation", json=observation(world.alan), headers=headers)
    assert conditional.status_code == 400
    id_ = system.post("Observation", observation(world.alan)).json()["id"]
    for method, path in (
        ("DELETE", f"Observation/{id_}"),
        ("PATCH", f"Observation/{id_}"),
        ("PUT", "Observation?code=x"),
        ("DELETE", "Observation?code=x"),
    ):
        assert system.ask(method, path, json={}).status_code in {404, 405}
    # At the base a hospital's own application pushes, and nobody else.
    assert system.ask("POST", "", json={}).status_code == 403
    xml = system.get(f"Observation/{id_}", headers={"Accept": "application/fhir+xml"})
    assert xml.status_code == 406


def test_a_compressed_body_is_refused(world: Any) -> None:
    headers = {"Content-Type": "application/fhir+json", "Content-Encoding": "gzip"}
    response = world.as_client().ask("POST", "Observation", content=b"\x1f\x8b", headers=headers)
    assert response.status_code == 415
