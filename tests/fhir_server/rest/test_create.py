"""Create: the id is the server's, the answer is as preferred, and what is wrong is named."""

from typing import Any

import pytest

from fhir_server.model.ids import bucket_of, is_id, new_id


def test_a_create_answers_with_the_resource_and_where_it_is(api: Any) -> None:
    response = api.post("/Observation", api.observation())
    assert response.status_code == 201
    tree = response.json()
    assert is_id(tree["id"])
    assert bucket_of(tree["id"]) == bucket_of(api.alan)
    assert response.headers["location"] == f"{api.base}/Observation/{tree['id']}/_history/1"
    assert response.headers["etag"] == 'W/"1"'
    assert response.headers["last-modified"] == "Mon, 07 Jan 2030 09:00:00 GMT"
    assert tree["meta"] == {"versionId": "1", "lastUpdated": "2030-01-07T09:00:00.345000Z"}
    assert api.get(f"/Observation/{tree['id']}").content == response.content
    entry = api.entries()[-2]
    assert (entry.subtype, entry.outcome, entry.patient) == ("create", "0", api.alan)
    assert entry.entity == f"Observation/{tree['id']}/_history/1"


def test_an_id_and_a_version_in_the_body_are_passed_over(api: Any) -> None:
    chosen = new_id()
    meta = {"versionId": "7", "lastUpdated": "1999-01-01T00:00:00Z"}
    tree = api.post("/Observation", api.observation(id=chosen, meta=meta)).json()
    assert tree["id"] != chosen
    assert (tree["meta"]["versionId"], tree["meta"]["lastUpdated"][:4]) == ("1", "2030")
    assert api.get(f"/Observation/{chosen}").status_code == 404


@pytest.mark.parametrize(
    ("prefer", "body"),
    [
        ("return=minimal", "nothing"),
        ("return=minimal; foo=bar", "nothing"),
        ("handling=strict, return=minimal", "nothing"),
        ('RETURN="minimal"', "nothing"),
        ("return=OperationOutcome", "outcome"),
        ("return=representation", "resource"),
        ("return=something", "resource"),
        ("respond-async", "resource"),
        ("", "resource"),
    ],
)
def test_the_answer_to_a_write_is_as_preferred(api: Any, prefer: str, body: str) -> None:
    made = api.post("/Observation", api.observation(), headers={"Prefer": prefer})
    assert made.status_code == 201
    id_ = made.headers["location"].split("/")[-3]
    changed = api.observation("6.1", id=id_)
    again = api.put(f"/Observation/{id_}", changed, headers={"Prefer": prefer})
    assert again.status_code == 200
    for response in (made, again):
        if body == "nothing":
            assert response.content == b""
            assert "content-type" not in response.headers
        else:
            kind = {"outcome": "OperationOutcome", "resource": "Observation"}[body]
            assert response.json()["resourceType"] == kind
        assert response.headers["etag"]


def test_references_to_this_server_become_relative_and_others_stay(api: Any) -> None:
    tree = api.observation(
        subject={"reference": f"{api.base}/Patient/{api.alan}"},
        performer=[
            {"reference": f"{api.base}/Practitioner/p1"},
            {"reference": "https://portal.example.evil/fhir/Practitioner/p1"},
            {"reference": "https://other.example/fhir/Practitioner/p1"},
        ],
        extension=[
            {
                "url": "https://example.org/about",
                "valueReference": {"reference": f"{api.base}/Observation/o1/_history/2"},
            }
        ],
    )
    response = api.post("/Observation", tree)
    assert response.status_code == 201, response.text
    made = response.json()
    assert made["subject"] == {"reference": f"Patient/{api.alan}"}
    assert [one["reference"] for one in made["performer"]] == [
        "Practitioner/p1",
        "https://portal.example.evil/fhir/Practitioner/p1",
        "https://other.example/fhir/Practitioner/p1",
    ]
    assert made["extension"][0]["valueReference"] == {"reference": "Observation/o1/_history/2"}
    assert api.get(f"/Observation?patient={api.alan}").json()["total"] == 1


def test_a_patient_named_by_address_is_as_unknown_as_one_named_by_id(api: Any) -> None:
    answers = [
        api.post(
            "/Observation", api.observation(subject={"reference": f"{base}Patient/{new_id()}"})
        )
        for base in (f"{api.base}/", "")
    ]
    assert [one.status_code for one in answers] == [422, 422]
    assert answers[0].content == answers[1].content
    elsewhere = {"reference": f"https://other.example/fhir/Patient/{api.alan}"}
    assert api.post("/Observation", api.observation(subject=elsewhere)).status_code == 422


def test_every_fault_is_named_with_its_element(api: Any) -> None:
    tree = {"resourceType": "Observation", "status": "finished", "foo": 1}
    response = api.post("/Observation", tree)
    assert response.status_code == 422
    found = {one["expression"][0]: one["code"] for one in response.json()["issue"]}
    assert found == {
        "Observation.status": "code-invalid",
        "Observation.foo": "structure",
        "Observation.code": "required",
    }


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/fhir+xml"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Accept": "application/fhir+xml"}, 406),
        ({"If-None-Exist": "identifier=x"}, 400),
    ],
)
def test_a_write_that_can_not_be_read_or_answered_changes_nothing(
    api: Any, headers: dict[str, str], status: int
) -> None:
    before = len(api.entries())
    response = api.post("/Observation", api.observation(), headers=headers)
    assert response.status_code == status
    assert api.get(f"/Observation?patient={api.alan}&_summary=count").json()["total"] == 0
    assert [one.outcome for one in api.entries()[before:]] == ["4", "0"]


def test_a_patient_can_not_be_hidden_inside_another(api: Any) -> None:
    contained = [{"resourceType": "Patient", "id": "p", "birthDate": "1999-01-01"}]
    tree = {"resourceType": "Patient", "contained": contained, "link": [
        {"other": {"reference": "#p"}, "type": "seealso"}]}  # fmt: skip
    assert api.post("/Patient", tree).status_code == 422
    inside = api.put(f"/Patient/{api.alan}", tree | {"id": api.alan})
    assert inside.status_code == 422
    assert inside.json()["issue"][0]["expression"] == ["Patient.contained[0]"]
