"""Attacks on one resource and on searches, by the number of their case: 1 to 28.

Another's record, one's own held result and an id never given out answer alike. Cases that stand
elsewhere: 13, 14, 18, 19, 25, 31 in `test_anothers_record`, 16, 27 in `test_parameters`.
"""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from auth import tokens
from fhir_server.access import Access, Agent, WholeStore
from fhir_server.model import json
from fhir_server.model.ids import bucket_of, is_id, new_id
from fhir_server.record import Writer
from tests.storage_rules import captured

Asked = Callable[[httpx.Response], tuple[int, dict[str, str], bytes]]
OPERATOR = Access(Agent("operator", user="os:test"), "seed", WholeStore(), {})
FHIR = {"Content-Type": "application/fhir+json"}


@pytest.fixture
def unseen(world: Any) -> Iterator[Callable[[str], dict[str, str]]]:
    """For a type: ids that Alan may not see, Brian's and his own held one, and one of nobody's."""
    system, alan = world.as_client(), world.as_patient(world.alan)

    def of_type(kind: str) -> dict[str, str]:
        name = "_id" if kind == "Patient" else "patient"
        theirs = system.ids(f"{kind}?{name}={world.brian}")[0]
        seen = set(alan.ids(f"{kind}?_count=100"))
        held = [one for one in system.ids(f"{kind}?{name}={world.alan}") if one not in seen]
        never = new_id(bucket_of(world.brian))
        return {"theirs": theirs, "never": never} | ({"held": held[0]} if held else {})

    return of_type


def alike(asked: Asked, answers: dict[str, httpx.Response], ids: dict[str, str]) -> Any:
    """Hold that all answers are the same but for the id asked for; return the status."""
    told = {}
    for name, response in answers.items():
        status, headers, body = asked(response)
        told[name] = (status, headers, body.replace(ids[name].encode(), b"X"))
    assert len({repr(one) for one in told.values()}) == 1, told
    return next(iter(answers.values())).status_code


@pytest.mark.parametrize("kind", ["Patient", "Observation", "DiagnosticReport"])
def test_cases_1_2_3_7_10_11_no_method_and_no_condition_tells_what_exists(
    world: Any, asked: Asked, unseen: Any, kind: str
) -> None:
    alan, ids = world.as_patient(world.alan), unseen(kind)
    for method, path, headers, status in (
        ("GET", "{}", {}, 404),
        ("HEAD", "{}", {}, 404),
        ("GET", "{}/_history/1", {}, 404),
        ("HEAD", "{}/_history", {}, 404),
        ("GET", "{}", {"If-None-Match": "*"}, 404),
        ("GET", "{}", {"If-None-Match": 'W/"1"'}, 404),
        ("GET", "{}", {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 404),
        ("GET", "{}", {"X-HTTP-Method-Override": "PUT"}, 404),
        ("OPTIONS", "{}", {}, 405),
        ("DELETE", "{}", {}, 405),
        ("PATCH", "{}", {}, 405),
        ("POST", "{}", {}, 405),
        ("GET", "{}", {"Accept": "application/fhir+xml"}, 406),
        ("GET", "{}?_format=xml", {}, 406),
        ("GET", "{}?_elements=id", {}, 400),
    ):
        answers = {
            name: alan.ask(method, f"{kind}/{path.format(id_)}", headers=headers)
            for name, id_ in ids.items()
        }
        assert alike(asked, answers, ids) == status, (method, path, headers)


def test_case_7_an_update_of_anothers_resource_tells_nothing(
    world: Any, asked: Asked, unseen: Any
) -> None:
    for asker, status in (
        (world.as_patient(world.alan), 403),
        (world.as_clinician(world.stranger), 403),
    ):
        for kind in ("Patient", "Observation"):
            ids = unseen(kind)
            answers = {}
            for name, id_ in ids.items():
                tree = {"resourceType": kind, "id": id_, "status": "final", "code": {"text": "x"}}
                tree |= {"subject": {"reference": f"Patient/{world.alan}"}}
                tree = {"resourceType": kind, "id": id_} if kind == "Patient" else tree
                answers[name] = asker.put(f"{kind}/{id_}", tree, headers={"If-Match": 'W/"1"'})
            assert alike(asked, answers, ids) == status


def test_cases_8_9_a_patient_changes_no_result_of_their_own(world: Any) -> None:
    alan = world.as_patient(world.alan)
    id_ = alan.ids("Observation")[0]
    before = alan.get(f"Observation/{id_}")
    changed = before.json() | {"valueQuantity": {"value": 0.1}}
    patch = [{"op": "replace", "path": "/valueQuantity/value", "value": 0.1}]
    for method, body, kind, status in (
        ("PUT", changed, "application/fhir+json", 403),
        ("PATCH", patch, "application/json-patch+json", 405),
        ("DELETE", None, "application/fhir+json", 405),
    ):
        content = b"" if body is None else json.encode(body)
        answer = alan.ask(
            method, f"Observation/{id_}", content=content, headers={"Content-Type": kind}
        )
        assert answer.status_code == status
    assert alan.get(f"Observation/{id_}").content == before.content


def test_case_4_a_record_named_in_the_address_is_ones_own_or_nobodys(
    world: Any, asked: Asked
) -> None:
    alan, never = world.as_patient(world.alan), new_id(bucket_of(world.brian))
    assert len(alan.ids(f"Patient/{world.alan}/Observation")) == 2
    ids = {"theirs": world.brian, "never": never}
    for rest in (
        "Observation",
        "DiagnosticReport?_count=1",
        "AuditEvent",
        "CareTeam?status=active",
    ):
        answers = {name: alan.get(f"Patient/{id_}/{rest}") for name, id_ in ids.items()}
        assert alike(asked, answers, ids) == 200
        assert answers["theirs"].json()["total"] == 0


def test_case_6_an_address_instead_of_an_id_leads_nowhere(world: Any, unseen: Any) -> None:
    alan, theirs = world.as_patient(world.alan), unseen("Observation")["theirs"]
    base = f"{world.base}/fhir"
    for path in (
        f"Observation/{base}/Observation/{theirs}",
        f"Observation/{base.replace('/', '%2F')}%2FObservation%2F{theirs}",
        f"Observation/%2F%2F{theirs}",
        f"Observation/{theirs}%00",
        f"Observation/{theirs.upper()}",
        f"Observation/%20{theirs}",
        f"Observation/{theirs}%0A",
        f"Observation/Observation%2F{theirs}",
    ):
        response = alan.get(path)
        assert response.status_code in {400, 404}, path
        assert "valueQuantity" not in response.text


def test_case_12_no_address_says_who_somebody_is(world: Any) -> None:
    system = world.as_client()
    for kind in ("Patient", "Observation", "DiagnosticReport", "ServiceRequest", "Provenance"):
        bundle = system.get(f"{kind}?_count=100").json()
        addresses = [one["url"] for one in bundle["link"]]
        addresses += [one["fullUrl"] for one in bundle["entry"]]
        assert all(is_id(one["resource"]["id"]) for one in bundle["entry"])
        for secret in ("9990000018", "9990000026", "A1", "B1"):
            assert not any(f"/{secret}" in one or f"={secret}" in one for one in addresses)
    assert len({one[3:] for one in system.ids("Observation?_count=100")}) == 6


def test_case_15_every_way_to_name_another_patient_is_as_empty_as_nobody(
    world: Any, asked: Asked
) -> None:
    alan, never = world.as_patient(world.alan), new_id(bucket_of(world.brian))
    ids, base = {"theirs": world.brian, "never": never}, f"{world.base}/fhir"
    for query, status in (
        ("patient={}", 200),
        ("subject=Patient/{}", 200),
        (f"subject={base}/Patient/{{}}", 200),
        ("subject:Patient={}", 200),
        ("performer=Patient/{}", 200),
        ("patient=Patient/{}&_summary=count", 200),
        ("patient={}&_total=accurate&_count=0", 200),
        ("subject:identifier=https://fhir.nhs.uk/Id/nhs-number|{}", 400),
        ("subject=Patient/{}/_history/1", 400),
        ("subject.name={}", 400),
        ("_has:Observation:subject:code={}", 400),
    ):
        answers = {name: alan.get(f"Observation?{query.format(id_)}") for name, id_ in ids.items()}
        assert alike(asked, answers, ids) == status, query
        if status == 200:
            assert answers["theirs"].json()["total"] == 0


def test_case_17_chains_are_refused_to_staff_as_well(world: Any) -> None:
    for asker in (world.as_clinician(world.nurse), world.as_client()):
        for query in ("subject.name=Example", "subject:Patient.birthdate=1955", "patient.family=x"):
            assert asker.get(f"Observation?{query}").status_code == 400


def test_cases_20_21_22_totals_and_pages_count_what_is_visible(world: Any, unseen: Any) -> None:
    alan = world.as_patient(world.alan)
    mine, hidden = alan.ids("Observation"), unseen("Observation")
    every = ",".join([*hidden.values(), *mine])
    for query in (f"_id={every}", "_summary=count", "_count=0", "_total=accurate", "_count=1"):
        assert alan.get(f"Observation?{query}").json()["total"] == 2, query
    for sort in ("-date", "date", "_id", "-_id", "_lastUpdated", "-_lastUpdated"):
        bundle = alan.get(f"Observation?_sort={sort}&_count=1").json()
        (link,) = [one["url"] for one in bundle["link"] if one["relation"] == "next"]
        second = alan.get(link.split("/fhir/")[1]).json()
        assert [one["relation"] for one in second["link"]] == ["self"]
        seen = [one["resource"]["id"] for page in (bundle, second) for one in page["entry"]]
        assert sorted(seen) == sorted(mine)


def test_case_23_no_modifier_looks_past_what_is_visible(world: Any) -> None:
    alan = world.as_patient(world.alan)
    for query, total in (("code:not=nothing", 2), ("status:not=final", 0), ("code:not=2857-1", 0)):
        assert alan.get(f"Observation?{query}").json()["total"] == total
    for modifier in (
        "missing=true",
        "above=x",
        "in=x",
        "contains=x",
        "text=x",
        "NOT=x",
        "iterate=x",
    ):
        assert alan.get(f"Observation?code:{modifier}").status_code == 400


def test_case_24_a_page_link_is_no_proof_of_anything(world: Any) -> None:
    alan = world.as_patient(world.alan)
    bundle = alan.get("Observation?_count=1").json()
    (link,) = [one["url"] for one in bundle["link"] if one["relation"] == "next"]
    path = link.split("/fhir/")[1]
    assert alan.get(path).status_code == 200
    for asker, status in (
        (world.as_patient(world.brian), 400),
        (world.as_clinician(world.nurse), 400),
        (world.as_client(), 400),
        (world.as_patient(world.alan, "patient/Patient.rs"), 403),
    ):
        assert asker.get(path).status_code == status
    other_type = path.replace("Observation", "DiagnosticReport")
    assert alan.get(other_type).status_code == 400
    narrowed = world.as_patient(world.alan, "patient/Observation.rs?category=vital-signs")
    assert "entry" not in narrowed.get(path).json()

    def end(writer: Writer) -> None:
        tokens.end_token(writer, alan.token)

    world.portal.record.submit(OPERATOR, end).result(timeout=10)
    assert alan.get(path).status_code == 401
    assert alan.get(f"Patient/{world.alan}").status_code == 401


def test_case_28_the_same_work_is_done_for_anothers_record_as_for_nobodys(
    world: Any, unseen: Any
) -> None:
    alan, engines = world.as_patient(world.alan), world.portal.record.engines
    never = new_id(bucket_of(world.brian))
    hidden = unseen("Observation")

    def work(path: str) -> list[str]:
        with captured(engines.reader, engines.writer) as sent:
            alan.get(path)
        return list(sent)

    assert len({repr(work(f"Observation/{one}")) for one in hidden.values()}) == 1
    searches = {repr(work(f"Observation?patient={one}")) for one in (world.brian, never)}
    assert len(searches) == 1
    numbers = ("9990000026", "9990000107")
    system = "https://fhir.nhs.uk/Id/nhs-number"
    assert len({repr(work(f"Patient?identifier={system}|{one}")) for one in numbers}) == 1
