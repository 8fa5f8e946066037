"""Whatever this server sends is FHIR R4: each body of a broad walk is judged, none is skipped."""

from collections import Counter
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

from fhir_server.model import json
from fhir_server.model.ids import new_id
from fhir_server.model.validate import judge
from fhir_server.rest.interactions import INTERACTIONS

FHIR = {"Content-Type": "application/fhir+json"}


def walk(world: Any) -> list[Any]:
    """Ask for everything that there is, and for much that there isn't; return the answers."""
    alan, nurse = world.as_patient(world.alan), world.as_clinician(world.nurse)
    auditor, system = world.as_auditor(), world.as_client()
    answers = [world.client.get(f"{world.base}/fhir/metadata"), alan.get("")]
    for kind in INTERACTIONS:
        for asker in (alan, nurse, auditor, system):
            answers.append(asker.get(f"{kind}?_count=2"))
            answers.append(asker.get(f"{kind}?foo=bar"))
            answers.append(asker.get(f"{kind}/{new_id()}"))
            for id_ in asker.ids(f"{kind}?_count=2"):
                answers += [
                    asker.get(f"{kind}/{id_}{rest}") for rest in ("", "/_history", "/_history/1")
                ]
    answers += [
        alan.get("DiagnosticReport?_include=DiagnosticReport:result&_count=1"),
        nurse.get("Observation?_summary=count"),
        alan.ask("DELETE", "Observation"),
        alan.get("Observation", headers={"Accept": "text/html"}),
        system.ask("POST", "Observation", content=b"{", headers=FHIR),
        system.ask("POST", "Observation", content=b'{"resourceType":"Observation"}', headers=FHIR),
        world.client.get(f"{world.base}/fhir/Patient"),
    ]
    message = {
        "resourceType": "Communication",
        "status": "in-progress",
        "subject": {"reference": f"Patient/{world.alan}"},
        "payload": [{"contentString": "Hello"}],
    }
    for prefer in ("representation", "OperationOutcome"):
        answers.append(
            alan.ask("POST", "Communication", json=message, headers={"Prefer": f"return={prefer}"})
        )
    return answers


def test_every_body_is_valid_fhir(world: Any) -> None:
    met = Counter[tuple[str, int]]()
    for response in walk(world):
        assert response.headers["content-type"] == "application/fhir+json; charset=utf-8"
        tree = judge(response.content)
        # Canonical to the last byte: what is sent has the specification's order.
        assert json.encode(tree) == response.content
        met[tree["resourceType"], response.status_code] += 1
    for kind in ("Bundle", "OperationOutcome", "CapabilityStatement", *INTERACTIONS):
        if kind not in {
            "Appointment",
            "Consent",
            "DocumentReference",
            "Specimen",
            "PractitionerRole",
        }:
            assert any(met[kind, status] for status in (200, 201)) or kind == "OperationOutcome", (
                kind
            )
    assert {status for _, status in met} >= {200, 201, 400, 401, 403, 404, 405, 406, 422}


def test_every_body_is_valid_for_fhir_resources_as_well(world: Any) -> None:
    for response in walk(world):
        kind = response.json()["resourceType"]
        get_fhir_model_class(kind).model_validate_json(response.content)
