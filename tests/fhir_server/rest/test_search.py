"""Search by GET, by POST and within a record: one question, one answer."""

import base64
from typing import Any

import pytest

from fhir_server.model import json
from fhir_server.model.ids import new_id

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def links(bundle: dict[str, Any]) -> dict[str, str]:
    return {one["relation"]: one["url"] for one in bundle["link"]}


def test_a_search_answers_with_a_bundle_of_whole_resources(api: Any) -> None:
    stored = api.file(api.observation())
    response = api.get(f"/Observation?patient={api.alan}", caller="alan")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {
        "resourceType": "Bundle",
        "meta": {"lastUpdated": "2030-01-07T09:00:00.345000Z"},
        "type": "searchset",
        "total": 1,
        "link": [{"relation": "self", "url": f"{api.base}/Observation?patient={api.alan}"}],
        "entry": [
            {
                "fullUrl": f"{api.base}/Observation/{stored.id}",
                "resource": api.get(f"/Observation/{stored.id}").json(),
                "search": {"mode": "match"},
            }
        ],
    }


def test_an_empty_answer_has_no_entries_and_a_total_of_none(api: Any) -> None:
    bundle = api.get("/Observation?code=nothing", caller="alan").json()
    assert bundle["total"] == 0
    assert "entry" not in bundle
    assert links(bundle).keys() == {"self"}


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("", "patient={alan}&_sort=-date&_count=2"),
        ("?patient={alan}&_sort=-date&_count=2", ""),
        ("?patient={alan}", "_sort=-date&_count=2"),
        ("?_format=json", "patient={alan}&_count=2&_sort=-date"),
    ],
)
def test_a_search_sent_as_a_form_has_the_same_answer(api: Any, address: str, form: str) -> None:
    for value in ("1", "2", "3"):
        api.file(api.observation(value))
    by_get = api.get(f"/Observation?patient={api.alan}&_sort=-date&_count=2")
    by_post = api.ask(
        "POST",
        "/Observation/_search" + address.format(alan=api.alan),
        content=form.format(alan=api.alan),
        headers=FORM,
    )
    assert by_post.status_code == 200
    assert by_post.content == by_get.content
    following = api.get(links(by_post.json())["next"].removeprefix(api.base))
    assert len(following.json()["entry"]) == 1


def test_what_was_asked_in_a_form_is_on_the_ledger_refused_or_not(api: Any) -> None:
    for form, outcome in (("code=2857-1", "0"), ("foo=bar", "4")):
        path = "/Observation/_search?status=final"
        api.ask("POST", path, content=form, headers=FORM, caller="alan")
        entry = api.entries()[-1]
        assert (entry.subtype, entry.outcome) == ("search-type", outcome)
        assert query_of(entry) == f"Observation?status=final&{form}"


def query_of(entry: Any) -> str:
    (found,) = (one["query"] for one in json.decode(bytes(entry.body))["entity"] if "query" in one)
    return base64.b64decode(found).decode()


def test_a_search_within_a_record_is_the_search_for_its_patient(api: Any) -> None:
    for value in ("1", "2"):
        api.file(api.observation(value))
    within = api.get(f"/Patient/{api.alan}/Observation?code=2857-1&_count=1", caller="alan")
    asked = api.get(f"/Observation?patient={api.alan}&code=2857-1&_count=1", caller="alan")
    assert within.status_code == 200
    assert within.content == asked.content
    assert within.json()["total"] == 2
    assert query_of(api.entries()[-2]) == query_of(api.entries()[-1])
    assert api.ask("HEAD", f"/Patient/{api.alan}/Observation").status_code == 200


def test_anothers_record_is_as_empty_as_nobodys(api: Any) -> None:
    brian, nobody = new_id(), new_id()
    api.file({"resourceType": "Patient"}, patient=brian, id_=brian)
    api.file(api.observation(subject={"reference": f"Patient/{brian}"}), patient=brian)
    answers = [
        api.get(f"/Patient/{one}/Observation", caller="alan").text.replace(one, "X")
        for one in (brian, nobody)
    ]
    assert answers[0] == answers[1]
    assert '"total":0' in answers[0]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/Patient/x/Observation", 200),
        ("/Patient/a%2Cb/Observation", 404),
        ("/Patient/{alan}%2C{alan}/Observation", 404),
        ("/Patient/{alan}/Organization", 404),
        ("/Patient/{alan}/Patient", 404),
        ("/Patient/{alan}/Medication", 404),
        ("/Patient/{alan}/$everything", 404),
        ("/Patient/{alan}/*", 404),
        ("/Practitioner/{alan}/Observation", 404),
        ("/Patient/{alan}/AuditEvent", 200),
        ("/Patient/{alan}/Observation?foo=bar", 400),
    ],
)
def test_other_records_and_types_are_not_there(api: Any, path: str, status: int) -> None:
    response = api.get(path.format(alan=api.alan))
    assert response.status_code == status


def test_a_second_patient_in_the_parameters_leaves_nothing(api: Any) -> None:
    api.file(api.observation())
    bundle = api.get(f"/Patient/{api.alan}/Observation?patient={new_id()}").json()
    assert bundle["total"] == 0


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "application/fhir+json"}, b"{}", 415),
        ({}, b"code=x", 415),
        (FORM, b"code=\xff", 400),
        (FORM, b"code=%ff", 400),
        (FORM, b"_format=xml", 406),
        (FORM, b"&".join([b"code=x"] * 201), 400),
        (FORM | {"Content-Encoding": "gzip"}, b"\x1f\x8b", 415),
    ],
)
def test_a_form_that_can_not_be_read_is_refused(
    api: Any, headers: dict[str, str], body: bytes, status: int
) -> None:
    response = api.ask("POST", "/Observation/_search", content=body, headers=headers)
    assert response.status_code == status


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("foo=bar", "foo"),
        ("code:above=x", "code"),
        ("date=yesterday", "date"),
        ("_count=many", "_count"),
        ("_sort=value", "_sort"),
        ("_sort=date&_sort=-date", "_sort"),
        ("_include=*", "_include"),
        ("_total=some", "_total"),
        ("_summary=text", "_summary"),
        ("_has:Observation:subject:code=x", "_has"),
        ("_page=x", "_page"),
        ("_elements=id", "_elements"),
    ],
)
def test_the_parameter_that_is_to_blame_is_named(api: Any, query: str, named: str) -> None:
    response = api.get(f"/Observation?{query}", caller="alan")
    assert response.status_code == 400
    assert response.json()["issue"][0]["expression"] == [named]


def test_links_never_carry_the_format_and_always_the_base(api: Any) -> None:
    for value in ("1", "2"):
        api.file(api.observation(value))
    bundle = api.get("/Observation?_count=1&_format=json").json()
    assert links(bundle)["self"] == f"{api.base}/Observation?_count=1"
    assert links(bundle)["next"].startswith(f"{api.base}/Observation?_count=1&_page=")
    assert bundle["entry"][0]["fullUrl"].startswith(f"{api.base}/Observation/")
