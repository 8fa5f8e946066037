"""The statements of hot transactions, as they are really sent, each stay in their buckets."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from portal_api.migrations.schema import metadatas
from portal_api.portal import Portal
from tests.storage_rules import captured, faults_of_statement, spread_tables
from tests.world import ALAN, BRIAN, World, around, psa

SPREAD = spread_tables(metadatas())
Act = Callable[[World], Any]


@pytest.fixture
def database_url(peopled_url: str) -> str:
    """A database with people in it, on each engine in turn."""
    return peopled_url


@pytest.fixture
def world(portal: Portal, served: str) -> Iterator[World]:
    """Patients with results, and a portal that is served."""
    with around(portal, served) as made:
        yield made


def result(world: World, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2857-1"}]},
        "identifier": [{"system": "https://lab.example", "value": "L1"}],
        "subject": {"reference": f"Patient/{world.alan}"},
        "effectiveDateTime": "2026-11-24T08:30:00Z",
        "valueString": "5.10",
        **more,
    }


def create_and_update(world: World) -> None:
    system = world.as_client()
    made = system.post("Observation", result(world)).json()
    assert system.put(f"Observation/{made['id']}", made | {"valueString": "5"}).status_code == 200
    system.get(f"Observation/{made['id']}/_history")
    system.get(f"Observation/{made['id']}/_history/1")


def write_and_answer(world: World) -> None:
    message = {
        "resourceType": "Communication",
        "status": "in-progress",
        "subject": {"reference": f"Patient/{world.alan}"},
        "payload": [{"contentString": "Hello"}],
    }
    sent = world.as_patient(world.alan).post("Communication", message)
    assert sent.status_code == 201
    reply = message | {"partOf": [{"reference": f"Communication/{sent.json()['id']}"}]}
    assert world.as_clinician(world.nurse).post("Communication", reply).status_code == 201


def read_as_everybody(world: World) -> None:
    observation = world.as_patient(world.alan).ids("Observation")[0]
    narrowed = world.as_patient(world.alan, "patient/Observation.rs?category=laboratory")
    for asker in (world.as_patient(world.alan), world.as_clinician(world.nurse), narrowed):
        for path in (
            f"Observation/{observation}",
            f"Patient/{world.alan}",
            f"Patient/{world.brian}",
        ):
            asker.get(path)
            asker.get(f"{path}/_history")


def search_by_patient(world: World) -> None:
    narrowed = world.as_patient(world.alan, "patient/Observation.rs?category=laboratory")
    for asker in (world.as_patient(world.alan), world.as_clinician(world.nurse), narrowed):
        for query in (
            "",
            "&_sort=-date&_count=1",
            "&code=http://loinc.org|2857-1&category=laboratory",
            "&code:not=2857-1&status=final",
            "&date=ge2026-01-01&date=lt2027&_total=accurate",
            "&_lastUpdated=ge2026",
            "&identifier=x&performer=Practitioner/x",
            f"&_id={'0a' * 16},{'0b' * 16}",
            "&_summary=count",
        ):
            response = asker.get(f"Observation?patient={world.alan}{query}")
            assert response.status_code == 200, query
        asker.get(f"DiagnosticReport?patient={world.alan}&_include=DiagnosticReport:result")
    bundle = world.as_patient(world.alan).get("Observation?_count=1").json()
    (following,) = [one["url"] for one in bundle["link"] if one["relation"] == "next"]
    assert world.as_patient(world.alan).get(following.split("/fhir/")[1]).status_code == 200


def file_messages(world: World) -> None:
    for message in (
        psa(ALAN, "N1"),
        psa(ALAN, "N1"),
        psa(ALAN, "N2", section="SP"),
        psa(ALAN, "N1", value="7.4").replace(b"|N1|P|", b"|N3|P|"),
        psa("9990000034", "N4"),
        psa(BRIAN, "N5", section="RAD"),
    ):
        world.file(message)


@pytest.mark.parametrize(
    ("act", "uses"),
    [
        (read_as_everybody, {"resource", "resource_version"}),
        (search_by_patient, {"resource", "index_token", "index_date"}),
        (create_and_update, {"resource", "resource_version", "index_token", "index_date"}),
        (write_and_answer, {"resource", "care_relationship", "index_token"}),
        (file_messages, {"resource", "inbox", "claim", "held_notice", "report_standing"}),
    ],
)
def test_every_statement_of_a_hot_transaction_names_its_bucket(
    world: World, act: Act, uses: set[str]
) -> None:
    engines = world.portal.record.engines
    with captured(engines.reader, engines.writer) as sent:
        act(world)
    touched = {table for sql in sent for table in SPREAD if re.search(rf"\b{table}\b", sql)}
    assert uses <= touched
    faults = {(fault, sql) for sql in sent for fault in faults_of_statement(sql, SPREAD)}
    assert faults == set()


def test_a_search_over_a_teams_patients_is_seen_to_leave_the_bucket(world: World) -> None:
    nurse, engines = world.as_clinician(world.nurse), world.portal.record.engines
    with captured(engines.reader) as sent:
        assert nurse.get("Observation?code=2857-1").status_code == 200
    assert any(faults_of_statement(sql, SPREAD) for sql in sent)
