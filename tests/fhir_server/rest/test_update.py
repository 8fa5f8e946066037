"""Update: the next version of what stands, guarded by If-Match, never opened by accident."""

from typing import Any

import pytest

from fhir_server.model.ids import new_id


def test_an_update_answers_with_the_next_version_and_its_address(api: Any) -> None:
    stored = api.file(api.observation())
    path = f"/Observation/{stored.id}"
    api.clock.advance(60)
    response = api.put(path, api.observation("5.20", id=stored.id), headers={"If-Match": 'W/"1"'})
    assert response.status_code == 200
    assert response.headers["etag"] == 'W/"2"'
    assert response.headers["content-location"] == f"{api.base}{path}/_history/2"
    assert response.headers["last-modified"] == "Mon, 07 Jan 2030 09:01:00 GMT"
    assert response.json()["valueString"] == "5.20"
    assert api.get(path).content == response.content


def test_an_update_of_an_older_version_is_refused_and_changes_nothing(api: Any) -> None:
    stored = api.file(api.observation("5.10"))
    api.file(api.observation("5.20"), id_=stored.id)
    path = f"/Observation/{stored.id}"
    lost = api.put(path, api.observation("1", id=stored.id), headers={"If-Match": 'W/"1"'})
    assert lost.status_code == 412
    assert lost.json()["issue"][0]["code"] == "conflict"
    assert api.get(path).json()["valueString"] == "5.20"
    for tag in ("1", 'W/"x"', ""):
        wrong = api.put(path, api.observation("1", id=stored.id), headers={"If-Match": tag})
        assert wrong.status_code == 400
    anyhow = api.put(path, api.observation("6", id=stored.id), headers={"If-Match": "*"})
    assert anyhow.status_code == 200


@pytest.mark.parametrize("id_", [None, "another", ""])
def test_the_body_has_to_have_the_id_of_the_address(api: Any, id_: str | None) -> None:
    stored = api.file(api.observation())
    tree = api.observation() if id_ is None else api.observation(id=id_)
    response = api.put(f"/Observation/{stored.id}", tree)
    assert response.status_code == (422 if id_ == "" else 400)
    assert response.json()["issue"][0]["expression"] == ["Observation.id"]


def test_what_does_not_exist_is_not_made(api: Any) -> None:
    never, hidden = new_id(), api.file(api.observation(), release_at=None)
    answers = [
        api.put(f"/Observation/{one}", api.observation(id=one), caller="alan")
        for one in (never, hidden.id)
    ]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_an_update_opens_nothing_that_was_held_and_takes_off_no_label(api: Any) -> None:
    later = 2_000_000_000_000_000
    for kept in ({"release_at": None}, {"release_at": later}, {"labels": 1}):
        before = api.file(api.observation("5.10"), **kept)
        path = f"/Observation/{before.id}"
        assert api.put(path, api.observation("5.20", id=before.id)).status_code == 200
        after = api.record.submit(
            api.callers["system"], lambda writer, id_=before.id: writer.current("Observation", id_)
        ).result(timeout=10)
        assert after.version == 2
        assert after.labels == before.labels
        if "release_at" in kept:
            assert after.release_at == kept["release_at"]
            assert api.get(path, caller="alan").status_code == 404


def test_an_open_result_that_is_withdrawn_is_held_from_then_on(api: Any) -> None:
    stored = api.file(api.observation())
    path = f"/Observation/{stored.id}"
    assert api.get(path, caller="alan").status_code == 200
    withdrawn = api.observation("5.10", id=stored.id, status="entered-in-error")
    assert api.put(path, withdrawn).status_code == 200
    assert api.get(path, caller="alan").status_code == 404


def test_the_same_content_again_makes_no_new_version(api: Any) -> None:
    made = api.post("/Observation", api.observation())
    again = api.put(f"/Observation/{made.json()['id']}", made.json())
    assert (again.status_code, again.headers["etag"]) == (200, 'W/"1"')
    assert again.content == made.content


def test_a_resource_stays_with_its_patient(api: Any) -> None:
    brian = new_id()
    api.file({"resourceType": "Patient"}, patient=brian, id_=brian)
    stored = api.file(api.observation())
    for reference in (f"Patient/{brian}", f"{api.base}/Patient/{brian}"):
        moved = api.observation(id=stored.id, subject={"reference": reference})
        response = api.put(f"/Observation/{stored.id}", moved)
        assert response.status_code == 422
        assert response.json()["issue"][0]["expression"] == ["Observation.subject"]
