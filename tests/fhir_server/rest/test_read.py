"""Read and vread as R4 says, and nothing told of what may not be seen."""

from typing import Any

import pytest

from fhir_server.model.ids import new_id


def test_a_read_gives_the_stored_bytes_with_the_headers_of_their_version(api: Any) -> None:
    stored = api.file(api.observation())
    response = api.get(f"/Observation/{stored.id}", caller="alan")
    assert response.status_code == 200
    assert response.content == stored.body
    assert b'"valueString":"5.10"' in response.content
    assert response.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert response.headers["etag"] == 'W/"1"'
    assert response.headers["last-modified"] == "Mon, 07 Jan 2030 09:00:00 GMT"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["vary"] == "Accept, Authorization"


def test_head_is_get_without_the_body_and_is_on_the_ledger_like_it(api: Any) -> None:
    stored = api.file(api.observation())
    path = f"/Observation/{stored.id}"
    whole, before = api.get(path), len(api.entries())
    head = api.ask("HEAD", path)
    assert head.status_code == 200
    own = {"x-request-id"}
    assert {name: value for name, value in head.headers.items() if name not in own} == {
        name: value for name, value in whole.headers.items() if name not in own
    }
    entry = api.entries()[-1]
    assert len(api.entries()) == before + 1
    assert (entry.subtype, entry.outcome, entry.patient) == ("read", "0", api.alan)
    assert api.ask("HEAD", f"/Observation/{new_id()}").status_code == 404


@pytest.mark.parametrize(
    "held",
    [
        {"If-None-Match": 'W/"1"'},
        {"If-None-Match": '"1"'},
        {"If-Modified-Since": "Mon, 07 Jan 2030 09:00:00 GMT"},
    ],
)
def test_who_holds_the_version_gets_304_without_a_body(api: Any, held: dict[str, str]) -> None:
    stored = api.file(api.observation())
    response = api.get(f"/Observation/{stored.id}", caller="alan", headers=held)
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == 'W/"1"'
    assert response.headers["cache-control"] == "no-store"
    assert "content-type" not in response.headers


@pytest.mark.parametrize(
    "held", [{"If-None-Match": "*"}, {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}]
)
def test_what_may_not_be_seen_is_404_whatever_the_caller_holds(
    api: Any, held: dict[str, str]
) -> None:
    hidden = api.file(api.observation(), release_at=None)
    never = new_id()
    answers = [
        api.get(f"/Observation/{id_}", caller="alan", headers=held) for id_ in (hidden.id, never)
    ]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_a_generic_type_is_answered_by_its_name(api: Any) -> None:
    stored = api.file(api.observation())
    path = f"/Observation/{stored.id}"
    response = api.get(path, headers={"Accept": "application/json"})
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.content == stored.body


@pytest.mark.parametrize("query", ["?foo=1", "?_elements=id", "?_summary=text", "?_pretty=true"])
def test_a_read_passes_no_parameter_over(api: Any, query: str) -> None:
    stored = api.file(api.observation())
    for path in (f"/Observation/{stored.id}", f"/Observation/{stored.id}/_history/1"):
        response = api.get(path + query)
        assert response.status_code == 400
        assert response.json()["issue"][0]["expression"] == [query[1:].partition("=")[0]]


def test_each_version_can_be_read_by_its_number(api: Any) -> None:
    first = api.file(api.observation("5.10"))
    second = api.file(api.observation("5.20"), id_=first.id)
    api.clock.advance(1)
    path = f"/Observation/{first.id}/_history"
    assert api.get(f"{path}/1", caller="alan").content == first.body
    assert api.get(f"{path}/2", caller="alan").content == second.body
    assert api.get(f"{path}/1", caller="alan").headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(
    "version", ["0", "3", "01", "-1", "1.0", "x", "9" * 30, "%D9%A1", "1%0A", "1,2", "current"]
)
def test_a_version_that_is_not_there_answers_like_any_other(api: Any, version: str) -> None:
    stored = api.file(api.observation())
    absent = api.get(f"/Observation/{new_id()}/_history/1")
    response = api.get(f"/Observation/{stored.id}/_history/{version}")
    if version != "01":
        assert (response.status_code, response.content) == (404, absent.content)
