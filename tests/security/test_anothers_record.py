"""What is another's, or held, answers byte for byte like what does not exist."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fhir_server.model.ids import bucket_of, new_id

Asked = Callable[[httpx.Response], tuple[int, dict[str, str], bytes]]
TYPES = (
    "Patient",
    "Observation",
    "DiagnosticReport",
    "ServiceRequest",
    "Specimen",
    "Provenance",
    "CareTeam",
    "Communication",
)


def of_patient(world: Any, resource_type: str, patient: str) -> list[str]:
    """Return the ids of a patient's resources, held ones too, as a system sees them."""
    name = "_id" if resource_type == "Patient" else "patient"
    return world.as_client().ids(f"{resource_type}?{name}={patient}&_count=100")


def held_of_alan(world: Any, resource_type: str) -> list[str]:
    visible = set(world.as_patient(world.alan).ids(f"{resource_type}?_count=100"))
    return [one for one in of_patient(world, resource_type, world.alan) if one not in visible]


@pytest.mark.parametrize("resource_type", TYPES)
def test_anothers_resource_answers_like_an_id_never_given_out(
    world: Any, asked: Asked, resource_type: str
) -> None:
    alan = world.as_patient(world.alan)
    never = new_id(bucket_of(world.brian))
    ids = of_patient(world, resource_type, world.brian)
    assert ids or resource_type in {"Specimen", "Communication"}
    for id_ in ids:
        for path in ("{}", "{}/_history", "{}/_history/1", "{}/_history/99"):
            theirs = alan.get(f"{resource_type}/{path.format(id_)}")
            nobodys = alan.get(f"{resource_type}/{path.format(never)}")
            assert asked(theirs) == asked(nobodys)
            assert theirs.status_code == 404


@pytest.mark.parametrize("resource_type", ["Observation", "DiagnosticReport", "ServiceRequest"])
def test_ones_own_held_result_answers_like_an_id_never_given_out(
    world: Any, asked: Asked, resource_type: str
) -> None:
    alan = world.as_patient(world.alan)
    never = new_id(bucket_of(world.alan))
    ids = held_of_alan(world, resource_type)
    assert len(ids) == 1
    for path in ("{}", "{}/_history", "{}/_history/1"):
        held = alan.get(f"{resource_type}/{path.format(ids[0])}")
        assert asked(held) == asked(alan.get(f"{resource_type}/{path.format(never)}"))


@pytest.mark.parametrize("query", [
    "patient={}",
    "patient=Patient/{}",
    "subject=Patient/{}",
    "subject:Patient={}",
    "patient={}&code=2857-1",
    "patient={}&_sort=-date&_count=1",
    "patient={}&_summary=count",
    "patient={}&_total=accurate",
    "patient={}&_include=Observation:subject",
    "patient={}&date=ge2020",
])  # fmt: skip
def test_a_search_for_anothers_record_answers_like_one_for_nobody(
    world: Any, asked: Asked, query: str
) -> None:
    alan = world.as_patient(world.alan)
    never = new_id(bucket_of(world.brian))
    theirs = alan.get(f"Observation?{query.format(world.brian)}")
    nobodys = alan.get(f"Observation?{query.format(never)}")
    assert theirs.status_code == 200
    status, headers, body = asked(theirs)
    assert (status, headers, body.replace(world.brian.encode(), never.encode())) == asked(nobodys)
    assert theirs.json()["total"] == 0


def test_a_search_without_a_patient_finds_ones_own_released_results_only(world: Any) -> None:
    alan = world.as_patient(world.alan)
    for resource_type in ("Observation", "DiagnosticReport"):
        bundle = alan.get(f"{resource_type}?_total=accurate").json()
        assert bundle["total"] == len(bundle["entry"]) == 2
        subjects = {one["resource"]["subject"]["reference"] for one in bundle["entry"]}
        assert subjects == {f"Patient/{world.alan}"}


def test_ids_of_several_people_find_ones_own_alone(world: Any) -> None:
    alan = world.as_patient(world.alan)
    mine = alan.ids("Observation")
    theirs = of_patient(world, "Observation", world.brian)
    bundle = alan.get(f"Observation?_id={','.join([*theirs, mine[0]])}").json()
    assert bundle["total"] == 1
    assert [one["resource"]["id"] for one in bundle["entry"]] == [mine[0]]
    assert alan.get(f"Observation?patient={world.alan}&patient={world.brian}").json()["total"] == 0
    assert alan.get(f"Observation?patient={world.alan},{world.brian}").json()["total"] == 2


def test_an_include_reaches_no_held_report_and_no_other_patient(world: Any) -> None:
    alan = world.as_patient(world.alan)
    entries = alan.get(
        "DiagnosticReport?_include=DiagnosticReport:result&_include=DiagnosticReport:subject"
    ).json()["entry"]
    found = {(one["resource"]["resourceType"], one["resource"]["id"]) for one in entries}
    assert {id_ for kind, id_ in found if kind == "Patient"} == {world.alan}
    held = set(held_of_alan(world, "Observation"))
    assert held.isdisjoint(id_ for _, id_ in found)


TWISTED = (
    "Observation/{brian}%2F..%2F{alan}",
    "Observation//{alan}",
    "observation/{alan}",
    "Patient/{brian}.",
    "Patient/{brian};v=1",
    "Patient/http:%2F%2F127.0.0.1%2Ffhir%2FPatient%2F{brian}",
    "Patient/%2e%2e%2fPatient%2f{brian}",
    "Patient/{brian}/$everything",
    "Patient/$everything",
    "$export",
    "Patient/$export",
    "_history",
    "Patient/_history",
    "?_type=Observation",
    "$graphql",
)


def test_a_twisted_address_leads_nowhere(world: Any) -> None:
    alan = world.as_patient(world.alan)
    for path in TWISTED:
        response = alan.get(path.format(alan=world.alan, brian=world.brian))
        assert response.status_code in {400, 403, 404}, path
        assert world.brian.encode() not in response.content, path
        assert response.json()["resourceType"] == "OperationOutcome"


NOT_UNDERSTOOD = (
    "subject.name=Example",
    "_has:Observation:subject:code=2857-1",
    "_filter=subject eq Patient/x",
    "_text=psa",
    "_content=psa",
    "_list=x",
    "_query=x",
    "foo=bar",
    "_revinclude=Observation:subject",
    "_include=*",
    "_include:iterate=Observation:subject",
    "code:in=http://x",
    "code:above=x",
    "date=notadate",
    "_count=-1",
    "_sort=value",
    "status:missing=maybe",
)


def test_a_parameter_that_is_not_understood_is_refused_and_never_ignored(world: Any) -> None:
    alan = world.as_patient(world.alan)
    for query in NOT_UNDERSTOOD:
        response = alan.get(f"Observation?{query}")
        assert response.status_code == 400, query
        (issue,) = response.json()["issue"]
        assert issue["details"]["text"]


def test_a_conditional_request_for_anothers_resource_is_never_304(world: Any) -> None:
    alan = world.as_patient(world.alan)
    theirs = of_patient(world, "Observation", world.brian)[0]
    for header in ({"If-None-Match": 'W/"1"'}, {"If-None-Match": "*"}):
        response = alan.get(f"Observation/{theirs}", headers=header)
        assert response.status_code == 404
    mine = alan.ids("Observation")[0]
    assert alan.get(f"Observation/{mine}", headers={"If-None-Match": 'W/"1"'}).status_code == 304


def test_a_clinician_sees_only_patients_whom_a_team_of_theirs_cares_for(
    world: Any, asked: Asked
) -> None:
    nurse, stranger = world.as_clinician(world.nurse), world.as_clinician(world.stranger)
    assert nurse.get(f"Observation?patient={world.alan}").json()["total"] == 3
    assert stranger.get(f"Observation?patient={world.alan}").json()["total"] == 0
    refused = stranger.get(f"Patient/{world.alan}")
    assert asked(refused) == asked(stranger.get(f"Patient/{new_id()}"))
    assert nurse.get(f"Patient/{world.alan}").status_code == 200


def test_a_page_link_of_one_is_nothing_to_another(world: Any) -> None:
    alan, brian = world.as_patient(world.alan), world.as_patient(world.brian)
    bundle = alan.get("Observation?_count=1").json()
    link = next(one["url"] for one in bundle["link"] if one["relation"] == "next")
    path = link.split("/fhir/")[1]
    assert alan.get(path).status_code == 200
    assert brian.get(path).status_code == 400
    assert alan.get(path[:-3] + "abc").status_code == 400
    assert alan.get(path.replace("Observation?", "Observation?code=2857-1&")).status_code == 400


def test_walking_the_pages_shows_each_resource_exactly_once(world: Any) -> None:
    nurse = world.as_clinician(world.nurse)
    seen, path = [], "Observation?_count=2"
    while path:
        bundle = nurse.get(path).json()
        seen += [one["resource"]["id"] for one in bundle["entry"]]
        links = {one["relation"]: one["url"] for one in bundle["link"]}
        path = links["next"].split("/fhir/")[1] if "next" in links else ""
    assert sorted(seen) == sorted(set(seen))
    assert len(seen) == 6
