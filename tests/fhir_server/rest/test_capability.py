"""The CapabilityStatement claims what is done, and nothing else."""

from typing import Any

import pytest

from fhir_server.access import Interaction
from fhir_server.model.ids import new_id
from fhir_server.model.validate import SERVED_TYPES, judge
from fhir_server.rest.capability import statement
from fhir_server.rest.interactions import INTERACTIONS, parameters_of

BASE = "https://portal.example/fhir"
WITH_CODE = {
    Interaction.READ: ("GET", "/{type}/{id}"),
    Interaction.VREAD: ("GET", "/{type}/{id}/_history/1"),
    Interaction.HISTORY: ("GET", "/{type}/{id}/_history"),
    Interaction.SEARCH: ("GET", "/{type}"),
    Interaction.CREATE: ("POST", "/{type}"),
    Interaction.UPDATE: ("PUT", "/{type}/{id}"),
}
VALUES = {"token": "x", "date": "2026", "string": "x", "reference": "Patient/x"}


@pytest.fixture
def claimed() -> dict[str, dict[str, Any]]:
    return {one["type"]: one for one in statement(BASE)["rest"][0]["resource"]}


def test_the_statement_is_valid_and_for_anybody(api: Any) -> None:
    before = len(api.entries())
    response = api.get("/metadata", caller="")
    assert response.status_code == 200
    assert judge(response.content) == judge(statement(BASE), "CapabilityStatement")
    assert response.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert response.headers["cache-control"] == "public, max-age=3600"
    assert response.headers["x-request-id"]
    assert api.ask("HEAD", "/metadata", caller="").status_code == 200
    assert len(api.entries()) == before


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("?mode=full", {}, 200),
        ("?_format=json", {"Accept": "text/html"}, 200),
        ("?mode=terminology", {}, 400),
        ("?foo=bar", {}, 400),
        ("?_format=xml", {}, 406),
        ("", {"Accept": "application/fhir+xml"}, 406),
    ],
)
def test_the_statement_is_asked_for_in_words_that_are_understood(
    api: Any, query: str, headers: dict[str, str], status: int
) -> None:
    response = api.get(f"/metadata{query}", caller="", headers=headers)
    assert response.status_code == status


def test_it_says_which_fhir_it_speaks_and_where(claimed: dict[str, dict[str, Any]]) -> None:
    tree = statement(BASE)
    assert (tree["fhirVersion"], tree["kind"], tree["status"]) == ("4.0.1", "instance", "active")
    assert tree["implementation"]["url"] == BASE
    assert claimed.keys() == SERVED_TYPES
    security = tree["rest"][0]["security"]
    (oauth,) = security["extension"]
    assert {one["url"]: one["valueUri"] for one in oauth["extension"]} == {
        name: f"https://portal.example/{name}"
        for name in ("authorize", "token", "revoke", "introspect")
    }
    assert security["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"


def test_every_interaction_is_claimed_where_it_is_done_and_nowhere_else(
    api: Any, claimed: dict[str, dict[str, Any]]
) -> None:
    for kind, about in claimed.items():
        codes = {one["code"] for one in about["interaction"]}
        assert codes == set(map(str, INTERACTIONS[kind]))
        for interaction, (method, path) in WITH_CODE.items():
            response = api.ask(method, path.format(type=kind, id=new_id()))
            outcome = response.json().get("issue", [{}])[0].get("details", {}).get("text", "")
            refused = response.status_code == 405 or outcome == "There is nothing at this address."
            assert refused == (interaction not in codes), (kind, interaction)


def test_every_search_parameter_is_claimed_and_every_claimed_one_works(
    api: Any, claimed: dict[str, dict[str, Any]]
) -> None:
    for kind, about in claimed.items():
        parameters = {one["name"]: one["type"] for one in about["searchParam"]}
        assert parameters.keys() == parameters_of(kind).keys()
        for name, type_ in parameters.items():
            response = api.get(f"/{kind}?{name}={VALUES[type_]}")
            assert response.status_code == 200, (kind, name, response.text)


def test_every_include_that_is_claimed_works(api: Any, claimed: dict[str, dict[str, Any]]) -> None:
    for kind, about in claimed.items():
        for name in about.get("searchInclude", ()):
            assert api.get(f"/{kind}?_include={name}").status_code == 200, name


def test_nothing_conditional_is_claimed_but_conditional_reads(
    claimed: dict[str, dict[str, Any]],
) -> None:
    for about in claimed.values():
        assert about["conditionalRead"] == "full-support"
        assert not about["conditionalCreate"]
        assert not about["conditionalUpdate"]
        assert not about["updateCreate"]
        assert about["conditionalDelete"] == "not-supported"
        assert about["versioning"] == (
            "versioned-update" if {"code": "update"} in about["interaction"] else "versioned"
        )
