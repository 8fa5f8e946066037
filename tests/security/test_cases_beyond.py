"""Attacks through includes, versions, bundles, content, scopes and the ledger: cases 29 to 117.

Cases that stand elsewhere: 31 and 33 in `test_anothers_record`, 118 in `test_writing`.
"""

from base64 import b64decode
from typing import Any

import pytest

from auth.policy import SEALED, STAFF_ONLY
from fhir_server.access import Access, Agent, WholeStore
from fhir_server.model import json
from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import bucket_of, new_id
from fhir_server.model.validate import judge
from fhir_server.record import Writer
from tests.world import ALAN, BRIAN

FILING = Access(Agent("feed", user="feed:test"), "seed", WholeStore(), {})
FHIR = {"Content-Type": "application/fhir+json"}


def result(patient: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2857-1"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "valueString": "5.10",
        **more,
    }


def filed(world: Any, tree: dict[str, Any], patient: str, *, labels: int = 0) -> str:
    """File *tree* as a feed does, open to the patient; return its id."""
    id_ = new_id(bucket_of(patient))

    def piece(writer: Writer) -> None:
        writer.file(judge(tree), id_=id_, patient=patient, release_at=writer.now, labels=labels)

    world.portal.record.submit(FILING, piece).result(timeout=10)
    return id_


def found(asker: Any, path: str) -> set[str]:
    return {
        f"{one['resource']['resourceType']}/{one['resource']['id']}"
        for one in asker.get(path).json().get("entry", [])
    }


def test_case_29_what_only_points_at_a_patient_is_not_theirs(world: Any) -> None:
    alan = f"Patient/{world.alan}"
    pointing = result(
        world.brian,
        focus=[{"reference": alan}],
        performer=[{"reference": alan}],
        derivedFrom=[
            {"reference": "Observation/" + world.as_patient(world.alan).ids("Observation")[0]}
        ],
    )
    id_ = filed(world, pointing, world.brian)
    asker = world.as_patient(world.alan)
    for query in ("", f"?performer={alan}", f"?patient={world.alan}", f"?_id={id_}"):
        assert f"Observation/{id_}" not in found(asker, f"Observation{query}")
    assert asker.get(f"Observation/{id_}").status_code == 404
    for query in ("_revinclude=Observation:focus", "_revinclude=*", "_revinclude:iterate=*"):
        assert asker.get(f"Patient?_id={world.alan}&{query}").status_code == 400


def test_case_30_an_include_does_not_reach_another_patient_who_performed(world: Any) -> None:
    tree = result(world.alan, performer=[{"reference": f"Patient/{world.brian}"}])
    id_ = filed(world, tree, world.alan)
    asker = world.as_patient(world.alan)
    query = f"Observation?_id={id_}&_include=Observation:performer&_include=Observation:subject"
    assert found(asker, query) == {f"Observation/{id_}", f"Patient/{world.alan}"}


def test_case_32_an_include_of_a_type_without_a_scope_is_left_out_in_silence(world: Any) -> None:
    alan = world.as_patient(world.alan, "patient/DiagnosticReport.rs")
    whole = "DiagnosticReport?_include=DiagnosticReport:result&_include=DiagnosticReport:subject"
    bundle = alan.get(whole).json()
    assert {one["search"]["mode"] for one in bundle["entry"]} == {"match"}
    plain = alan.get("DiagnosticReport").json()
    assert bundle["entry"] == plain["entry"]
    assert bundle["total"] == plain["total"] == 2


def test_cases_34_to_37_versions_are_seen_by_todays_rules_and_never_move(world: Any) -> None:
    system, alan = world.as_client(), world.as_patient(world.alan)
    made = system.post("Observation", result(world.alan))
    path = f"Observation/{made.json()['id']}"
    assert alan.get(f"{path}/_history/1").status_code == 200
    withdrawn = made.json() | {"status": "entered-in-error"}
    assert system.put(path, withdrawn).status_code == 200
    for rest in ("", "/_history", "/_history/1", "/_history/2"):
        assert alan.get(path + rest).status_code == 404
    assert system.get(f"{path}/_history").json()["total"] == 2
    moved = withdrawn | {"subject": {"reference": f"Patient/{world.brian}"}}
    assert system.put(path, moved).status_code == 422
    assert alan.ask("DELETE", path).status_code == system.ask("DELETE", path).status_code == 405
    for query in ("_since=2020-01-01T00:00:00Z", "_at=2026", "_list=x"):
        assert alan.get(f"Patient/{world.alan}/_history?{query}").status_code == 400


@pytest.mark.parametrize("who", ["as_patient", "as_client"])
def test_cases_47_to_52_no_bundle_and_no_condition_is_carried_out(world: Any, who: str) -> None:
    asker = world.as_client() if who == "as_client" else world.as_patient(world.alan)
    requests = [
        {"method": "GET", "url": f"Patient/{world.brian}"},
        {"method": "GET", "url": "https://evil.example/Patient/1"},
        {"method": "DELETE", "url": f"Patient/{world.alan}"},
    ]
    entries = [{"request": one} for one in requests]
    nested = {"resourceType": "Bundle", "type": "collection"}
    for kind in ("batch", "transaction", "collection", "document"):
        bundle = {"resourceType": "Bundle", "type": kind, "entry": [*entries, {"resource": nested}]}
        for path in ("", "/", "Bundle"):
            response = asker.post(path, bundle)
            # There a hospital's own application pushes, and nobody else.
            assert response.status_code == (404 if path == "/" else 403)
            assert world.brian not in response.text
    for patient in (world.alan, world.brian, new_id()):
        answers = [
            asker.ask(
                "POST",
                "Observation",
                content=json.encode(result(world.alan)),
                headers=FHIR | {"If-None-Exist": f"patient={patient}"},
            ),
            asker.ask("PUT", f"Observation?subject=Patient/{patient}", json=result(world.alan)),
            asker.ask("DELETE", f"Observation?subject=Patient/{patient}"),
            asker.ask("PATCH", f"Observation?subject=Patient/{patient}"),
        ]
        assert [one.status_code for one in answers] == [400, 405, 405, 405]
    held = {"contained": [nested | {"id": "b"}], "hasMember": [{"reference": "#b"}]}
    assert world.as_client().post("Observation", result(world.alan, **held)).status_code == 422


def test_cases_53_54_no_patient_and_no_script_is_hidden_inside(world: Any) -> None:
    system = world.as_client()
    brian = {"resourceType": "Patient", "id": "b", "name": [{"family": "Example"}]}
    about = {
        "resourceType": "Specimen",
        "id": "b",
        "subject": {"reference": f"Patient/{world.brian}"},
    }
    for inside in (brian, about):
        tree = result(world.alan, contained=[inside], specimen={"reference": "#b"})
        assert system.post("Observation", tree).status_code == 422
    xhtml = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'
    for inner in (
        "<script>alert(1)</script>",
        '<p onclick="alert(1)">x</p>',
        '<a href="javascript:alert(1)">x</a>',
        '<img src="https://evil.example/x.png"/>',
        "<iframe>x</iframe>",
        "<style>x</style>",
        "<form><input/></form>",
        "&xxe;",
    ):
        text = {"status": "generated", "div": xhtml.format(inner)}
        response = system.post("Observation", result(world.alan, text=text))
        assert response.status_code == 422, inner
        assert "evil.example" not in response.text


def test_case_55_there_is_no_binary_and_no_document_of_another(world: Any) -> None:
    alan = world.as_patient(world.alan)
    assert alan.get(f"Binary/{new_id()}").status_code == 404
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": {"reference": f"Patient/{world.brian}"},
        "content": [{"attachment": {"contentType": "text/html", "data": "PHNjcmlwdD4="}}],
    }
    id_ = filed(world, document, world.brian)
    assert alan.get(f"DocumentReference/{id_}").status_code == 404
    response = world.as_patient(world.brian).get(f"DocumentReference/{id_}")
    assert response.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"


def test_cases_56_65_what_is_labelled_is_absent_on_every_way(world: Any) -> None:
    for labels, unseeing, seeing in (
        (STAFF_ONLY, world.as_patient(world.alan), world.as_clinician(world.nurse)),
        (SEALED, world.as_clinician(world.nurse), world.as_patient(world.alan)),
    ):
        id_ = filed(world, result(world.alan), world.alan, labels=labels)
        path, never = f"Observation/{id_}", f"Observation/{new_id()}"
        for rest in ("", "/_history", "/_history/1"):
            hidden, absent = unseeing.get(path + rest), unseeing.get(never + rest)
            assert (hidden.status_code, hidden.content) == (404, absent.content)
            assert seeing.get(path + rest).status_code == 200
        for query in (f"_id={id_}", f"patient={world.alan}", "status=final", f"_id={id_}&_count=0"):
            assert path not in found(unseeing, f"Observation?{query}")
        assert unseeing.get(f"Observation?_id={id_}&_summary=count").json()["total"] == 0
        changed = result(world.alan, valueString="6", id=id_)
        assert world.as_client().put(path, changed).status_code == 200
        assert unseeing.get(path).status_code == 404


def test_case_57_the_format_decides_nothing_about_who_may_see(world: Any) -> None:
    alan = world.as_patient(world.alan)
    mine = alan.ids("Observation")[0]
    for wanted in ("application/fhir+xml", "application/fhir+ndjson", "text/csv", "image/png"):
        for id_ in (mine, new_id()):
            response = alan.get(f"Observation/{id_}", headers={"Accept": wanted})
            assert response.status_code == 406
            judge(response.content, "OperationOutcome")


def test_case_63_nobody_opens_a_result_by_asking(world: Any) -> None:
    alan = world.as_patient(world.alan)
    seen = set(alan.ids("Observation"))
    (held,) = set(world.as_client().ids(f"Observation?patient={world.alan}")) - seen
    for headers in (
        {"X-Override-Release": "true"},
        {"X-Role": "clinician", "X-Patient-Id": world.alan},
        {"Purpose-Of-Use": "TREAT", "X-Break-Glass": "yes"},
    ):
        assert alan.get(f"Observation/{held}", headers=headers).status_code == 404
        assert set(alan.ids("Observation?_count=100")) == seen
    for query in ("_lastUpdated=ge2020", f"_id={held}", "date=ge2020", "status:not=x"):
        assert set(alan.ids(f"Observation?{query}")) <= seen


def test_cases_99_100_a_scope_narrows_every_way_to_a_resource(world: Any) -> None:
    category = "http://terminology.hl7.org/CodeSystem/observation-category"
    vital = result(world.alan, category=[{"coding": [{"system": category, "code": "vital-signs"}]}])
    id_ = filed(world, vital, world.alan)
    other = world.as_patient(world.alan).ids("Observation?category:not=vital-signs")[0]
    alan = world.as_patient(world.alan, "patient/Observation.rs?category=vital-signs")
    never = new_id()
    for rest in ("", "/_history", "/_history/1"):
        assert alan.get(f"Observation/{id_}{rest}").status_code == 200
        outside, absent = (alan.get(f"Observation/{one}{rest}") for one in (other, never))
        assert (outside.status_code, outside.content) == (404, absent.content)
    assert alan.get("Observation?_total=accurate").json()["total"] == 1
    assert found(alan, f"Observation?_id={id_},{other}") == {f"Observation/{id_}"}
    assert alan.get(f"Patient/{world.alan}/Observation").json()["total"] == 1
    assert alan.get("DiagnosticReport").status_code == 403
    nobody = world.as_patient("", "patient/*.rs")
    assert nobody.get("Observation").json().get("total", 0) == 0
    user = world.as_patient(world.alan, "user/*.rs")
    assert user.get(f"Patient/{world.brian}").status_code == 404


def test_case_117_a_patient_reads_of_their_record_alone_in_the_ledger(world: Any) -> None:
    alan, auditor = world.as_patient(world.alan), world.as_auditor()
    world.as_clinician(world.nurse).get("Observation?code=2857-1")
    seen = alan.get("AuditEvent?_count=100").json()
    assert seen["total"] == len(seen["entry"])
    for one in seen["entry"]:
        people = [
            each["what"]["reference"]
            for each in one["resource"]["entity"]
            if each.get("type", {}).get("code") == "1"
        ]
        assert people == [f"Patient/{world.alan}"]
        assert world.brian not in json.encode(one).decode()
    theirs = auditor.ids(f"AuditEvent?patient={world.brian}")[0]
    nobodys = alan.get(f"AuditEvent/{new_id()}")
    answer = alan.get(f"AuditEvent/{theirs}")
    assert (answer.status_code, answer.content) == (404, nobodys.content)
    assert found(alan, f"AuditEvent?_id={theirs}") == set()
    assert found(alan, f"AuditEvent?patient={world.brian}") == set()
    before = world.entries()
    auditor.get(f"AuditEvent?patient={world.brian}")
    assert world.entries() == before + 1
    assert world.newest()[0].subtype == "search-type"


def test_case_117_what_others_searched_for_is_not_told_to_a_patient(world: Any) -> None:
    nurse, alan = world.as_clinician(world.nurse), world.as_patient(world.alan)
    nurse.get(f"Observation?patient={world.alan},{world.brian}")
    both = f"{NHS_NUMBER}|{ALAN},{NHS_NUMBER}|{BRIAN}"
    nurse.ask("GET", "Patient", params={"identifier": both})
    answer = alan.get("AuditEvent?_count=100&subtype=search-type")
    events = [one["resource"] for one in answer.json()["entry"]]
    events += [alan.get(f"AuditEvent/{one['id']}").json() for one in events]
    asked = [
        b64decode(each["query"]).decode()
        for one in events
        for each in one["entity"]
        if "query" in each
    ]
    assert set(asked) == {"Observation?", "Patient?"}
    told = [one for one in events if one["agent"][0]["who"].get("reference", "")[:4] == "Prac"]
    assert len(told) == 4
    assert all(one["meta"]["security"][0]["code"] == "REDACTED" for one in told)
    assert not any("name" in one["agent"][0] for one in told)
    for secret in (world.brian, BRIAN, ALAN):
        assert secret not in json.encode(events).decode()
    seen = world.as_auditor().get(f"AuditEvent/{told[0]['id']}").json()
    assert "security" not in seen["meta"]
