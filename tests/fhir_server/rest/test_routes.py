"""Each address answers in FHIR's words to every method, and what is not there is not there."""

from typing import Any

import pytest

ID = "0a" * 16


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/Observation", "GET, HEAD, POST"),
        ("PUT", "/Observation", "GET, HEAD, POST"),
        ("PATCH", f"/Observation/{ID}", "GET, HEAD, PUT"),
        ("DELETE", f"/Observation/{ID}", "GET, HEAD, PUT"),
        ("POST", f"/Observation/{ID}", "GET, HEAD, PUT"),
        ("OPTIONS", f"/Observation/{ID}", "GET, HEAD, PUT"),
        ("PROPFIND", f"/Observation/{ID}", "GET, HEAD, PUT"),
        ("TRACE", "/Observation", "GET, HEAD, POST"),
        ("GET", "/Observation/_search", "POST"),
        ("PUT", f"/Observation/{ID}/_history", "GET, HEAD"),
        ("DELETE", f"/Observation/{ID}/_history/1", "GET, HEAD"),
        ("POST", f"/Patient/{ID}/Observation", "GET, HEAD"),
        ("POST", "/AuditEvent", "GET, HEAD"),
        ("PUT", f"/AuditEvent/{ID}", "GET, HEAD"),
        ("DELETE", f"/AuditEvent/{ID}", "GET, HEAD"),
        ("PATCH", f"/AuditEvent/{ID}", "GET, HEAD"),
        ("POST", "/Provenance", "GET, HEAD"),
        ("POST", "/metadata", "GET, HEAD"),
        ("DELETE", "/metadata", "GET, HEAD"),
    ],
)
def test_a_method_that_an_address_does_not_take_is_405_with_those_that_it_takes(
    api: Any, method: str, path: str, allowed: str
) -> None:
    before = len(api.entries())
    response = api.ask(method, path)
    assert response.status_code == 405
    assert response.headers["allow"] == allowed
    assert response.json()["issue"][0]["code"] == "not-supported"
    assert [one.outcome for one in api.entries()[before:]] == ["4"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/_history",
        "/_search",
        "/$export",
        "/$graphql",
        "/Medication",
        "/Medication/x",
        "/observation",
        "/Observation/",
        f"/Observation/{ID}/",
        f"/Observation//{ID}",
        f"/Observation/{ID}/_history/1/x",
        "/Patient/$everything/x/y",
        "/metadata/",
        "/Observation/%2e%2e/Patient",
        "/Bundle",
        "/OperationOutcome",
        "/Observation/x/%0A/y",
        "/%0A",
        f"/AuditEvent/{ID}/_history",
        f"/AuditEvent/{ID}/_history/1",
    ],
)
def test_what_is_not_there_is_404_for_every_method(api: Any, method: str, path: str) -> None:
    before = len(api.entries())
    response = api.ask(method, path)
    assert response.status_code == 404
    assert response.json()["resourceType"] == "OperationOutcome"
    assert [one.outcome for one in api.entries()[before:]] == ["4"]


def test_the_base_answers_alike_with_and_without_a_slash(api: Any) -> None:
    assert api.get("").content == api.get("/").content
    assert "metadata" in api.get("").json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_header_does_not_change_the_method(api: Any, header: str) -> None:
    stored = api.file(api.observation())
    path = f"/Observation/{stored.id}"
    response = api.get(path, headers={header: "DELETE"})
    assert (response.status_code, response.content) == (200, stored.body)
    response = api.ask("POST", path, headers={header: "GET"})
    assert response.status_code == 405


@pytest.mark.parametrize(
    "path",
    ["/Observation/" + "0" * 32, "/Observation", "/nothing", "", "/Medication", "/Patient/x/y"],
)
def test_a_stranger_learns_nothing_of_what_is_there(api: Any, path: str) -> None:
    for method in ("GET", "DELETE", "PUT"):
        before = len(api.entries())
        response = api.ask(method, path, caller="")
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == 'Bearer realm="fhir"'
        (entry,) = api.entries()[before:]
        assert (entry.outcome, entry.entity, entry.entity_type) == ("4", "", "")
