"""Messages for programs: found, walked page by page, each look an entry for the patient."""

import base64

import pytest

from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import derived_id


def test_a_message_is_found_by_number_person_and_time(office) -> None:
    office.send(control_id="A")
    office.send(control_id="B", filler="LAB2", nhs="9990000026")
    found = office.get("/api/messages", params={"key": "LAB2"}).json()["messages"]
    assert [one["control_id"] for one in found] == ["B"]
    body = {"key": "999 000 0018"}
    found = office.post("/api/messages/search", body).json()["messages"]
    assert [one["control_id"] for one in found] == ["A"]
    span = {"since": "2026-11-24T14:00:00Z", "until": "2026-11-24T15:00:00Z", "feed": "loopback"}
    found = office.get("/api/messages", params=span).json()["messages"]
    assert sorted(one["control_id"] for one in found) == ["A", "B"]
    assert office.get("/api/messages", params={"fate": "refused"}).json() == {
        "messages": [],
        "before": "",
    }


def test_a_long_list_is_walked_page_by_page(office) -> None:
    for place in range(3):
        office.send(control_id=f"M{place}", value=str(place))
        office.world.hands.advance(minutes=1)
    first = office.get("/api/messages", params={"limit": 2}).json()
    assert [one["control_id"] for one in first["messages"]] == ["M2", "M1"]
    second = office.get("/api/messages", params={"limit": 2, "before": first["before"]}).json()
    assert [one["control_id"] for one in second["messages"]] == ["M0"]
    assert second["before"] == ""


@pytest.mark.parametrize(
    ("params", "status"),
    [({"before": "x"}, 400), ({"since": "2026-11-24T14:00:00"}, 400), ({"limit": 0}, 422)],
)
def test_what_can_not_be_asked_is_said_and_stands_on_the_ledger(office, params, status) -> None:
    before = office.entries("request")
    assert office.get("/api/messages", params=params).status_code == status
    (entry,) = office.entries("request")[len(before) :]
    assert entry["outcome"] == "4"


def test_one_message_comes_with_its_bytes_and_what_became_of_them(office) -> None:
    office.send(born="soon")
    (listed,) = office.get("/api/messages").json()["messages"]
    found = office.get(f"/api/messages/loopback/{listed['mark']}").json()
    assert found | dict.fromkeys(("raw", "answers")) == listed | {
        "peer": "127.0.0.1",
        "raw": None,
        "answers": None,
        "made": [],
        "acts": [],
    }
    assert (found["fate"], found["code"], found["field"]) == ("quarantined", "date-bad", "PID.7")
    assert base64.b64decode(found["raw"]).startswith(b"MSH|^~\\&|LIMS|RXX")
    assert b"MSA|AE|MSG1" in base64.b64decode(found["answers"][0])
    alan = derived_id(office.world.portal.record.id_key, "Patient", NHS_NUMBER, "9990000018")
    assert [alan in str(one["entity"]) for one in office.entries("message-seen")] == [False, True]


def test_what_is_not_there_is_not_found(office) -> None:
    answer = office.get("/api/messages/loopback/0a3")
    assert (answer.status_code, answer.json()["error"]) == (404, "not-found")
